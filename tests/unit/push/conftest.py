"""Posters over a fake network and over the system's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chat.push.network import Network
from tests.unit.push.fake_network import FakeNetwork
from tests.unit.push.harness import Posting

Postings = Callable[..., Posting]


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


@pytest.fixture
def postings() -> Iterator[Postings]:
    """Create posters, by default over the system's network, and close them."""
    made: list[Posting] = []

    def make(network: Network | None = None, **options: Any) -> Posting:
        made.append(Posting(network, **options))
        return made[-1]

    yield make
    for posting in made:
        posting.poster.close()


@pytest.fixture
def post(network: FakeNetwork, postings: Postings) -> Posting:
    return postings(network)

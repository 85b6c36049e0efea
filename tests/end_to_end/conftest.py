"""Clients of the running stack, hung up when their test ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.end_to_end.chatter import Chatter, fresh_room

Connects = Callable[..., Chatter]


@pytest.fixture
def connects(stack: Any) -> Iterator[Connects]:
    """Connect one more client: into the lobby, or into a room under a name."""
    with ExitStack() as sockets:

        def connected(room: str | None = None, name: str | None = None, origin: str | None = None) -> Chatter:
            chatter = sockets.enter_context(Chatter(stack.websocket_url, origin))
            if room is not None:
                chatter.joins(room, name)
            return chatter

        yield connected


@pytest.fixture
def room() -> str:
    """A room of the test's own."""
    return fresh_room()

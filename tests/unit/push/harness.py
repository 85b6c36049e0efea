"""A poster, called as the functions call it."""

import time
from collections.abc import Iterable
from typing import Any

from chat.push.network import Network
from chat.push.poster import Outcome, Poster
from chat.push.sigv4 import Credentials

FRAME = '{"type":"message","message":"grüß dich"}'.encode()
CREDENTIALS = Credentials("ASIAEXAMPLEEXAMPLE00", "example")


class Posting:
    """Posts for at most `seconds` of the network's clock."""

    def __init__(self, network: Network | None, url: str = "http://api.example/production", **options: Any) -> None:
        options = {"credentials": lambda: CREDENTIALS, "region": "us-east-1", "network": network, **options}
        self.poster = Poster(url, **options)
        self._monotonic = network.monotonic if network else time.monotonic

    def __call__(self, ids: Iterable[str], *, seconds: float = 10.0, frame: bytes = FRAME) -> Outcome:
        return self.poster.post(ids, frame, deadline=self._monotonic() + seconds)


def names(count: int) -> list[str]:
    return [f"{number:05d}abc=" for number in range(count)]


def delivered(count: int) -> Outcome:
    """Return the outcome of a frame delivered to `count` connections."""
    return Outcome(count, [], [], [])

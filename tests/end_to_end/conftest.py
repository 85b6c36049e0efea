"""Clients of the running stack, closed after each test."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from chat_client.websocket import ChatSocket
from tests.conftest import Stack, fresh_room


class Connect(Protocol):
    """Connects another client, to the lobby or to a room."""

    def __call__(
        self, room: str | None = None, name: str | None = None, *, secret: str | None = None, origin: str | None = None
    ) -> ChatSocket: ...


@pytest.fixture
def connect(stack: Stack) -> Iterator[Connect]:
    with ExitStack() as sockets:

        def connected(
            room: str | None = None, name: str | None = None, *, secret: str | None = None, origin: str | None = None
        ) -> ChatSocket:
            client = sockets.enter_context(ChatSocket(stack.websocket_url, origin=origin))
            if room is not None:
                client.join(room, name=name, secret=secret)
            return client

        yield connected


@pytest.fixture
def room() -> str:
    """A room for this test only."""
    return fresh_room()

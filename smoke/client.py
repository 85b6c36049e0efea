"""A chat client as a user has one: a socket, and frames in and out. It knows no AWS."""

import json
import time
from contextlib import ExitStack
from typing import Any, Self

from websockets.sync.client import connect
from websockets.typing import Origin

SECONDS = 15.0
"""How long a stack may take to answer: a cold start is within it."""

Frame = dict[str, Any]


class Silent(Exception):  # noqa: N818 - what happened
    """No such frame came in time."""


class Client:
    """One socket. Raises what `websockets` raises where it cannot be opened."""

    def __init__(self, url: str, origin: str | None = None) -> None:
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(url, origin=Origin(origin) if origin else None, open_timeout=SECONDS, close_timeout=1)
        )
        self.connection_id = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def say(self, action: str, **fields: Any) -> None:
        """Send a frame."""
        self._socket.send(json.dumps({"action": action, **fields}))

    def hears(self, kind: str, **fields: Any) -> Frame:
        """Return the next frame of a type with these fields, past others. Raises Silent."""
        deadline = time.monotonic() + SECONDS
        heard: list[str] = []
        while True:
            try:
                frame = json.loads(self._socket.recv(timeout=max(0.0, deadline - time.monotonic())))
            except TimeoutError:
                came = f"only {', '.join(heard)}" if heard else "nothing came"
                raise Silent(f"no {kind} within {SECONDS:.0f} s, {came}") from None
            if frame.get("type") == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame
            heard.append(f"{frame.get('type', 'a frame without type')} {frame.get('error', '')}".strip())

    def joins(self, room: str, **fields: Any) -> Frame:
        """Join a room and return `joined`."""
        self.say("join", room=room, **fields)
        joined = self.hears("joined", room=room)
        self.connection_id = joined["connectionId"]
        return joined

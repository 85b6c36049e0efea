"""A client that is not ours: it speaks WebSocket by the `websockets` library and knows the frames, no more."""

import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

Frame = dict[str, Any]
SECONDS = 10.0
"""How long anything may take before a test gives it up."""


def fresh_room() -> str:
    """Return a room that no other test is in."""
    return f"room-{uuid.uuid4().hex[:12]}"


class Chatter:
    """One socket. What it has heard and nobody has asked for yet stays in `heard`, in the order of its coming."""

    def __init__(self, url: str, origin: str | None = None) -> None:
        self._open = ExitStack()
        self._socket = self._open.enter_context(
            connect(
                url,
                origin=Origin(origin) if origin else None,
                open_timeout=SECONDS,
                close_timeout=SECONDS,
                compression=None,
                ping_interval=None,
                proxy=None,
            )
        )
        self.heard: list[Frame] = []
        self.room = "lobby"
        self.connection_id = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye and hang up."""
        self._open.close()

    def say(self, frame: str | bytes | Frame, *, text: bool | None = None) -> None:
        """Send a frame as it is; a dict as JSON. `text` sends bytes as a text frame."""
        self._socket.send(json.dumps(frame) if isinstance(frame, dict) else frame, text=text)

    def hears(self, kind: str, **fields: Any) -> Frame:
        """Return the first frame of a type with these fields; those before it stay in `heard`."""

        def wanted(frame: Frame) -> bool:
            return frame.get("type") == kind and all(frame.get(name) == value for name, value in fields.items())

        return self.first(wanted, f"{kind} {fields or ''}")

    def first(self, wanted: Callable[[Frame], bool], what: str) -> Frame:
        """Return the first frame that is wanted, taken out of `heard`."""
        looked_at = 0
        deadline = time.monotonic() + SECONDS
        while True:
            for place in range(looked_at, len(self.heard)):
                if wanted(self.heard[place]):
                    return self.heard.pop(place)
            looked_at = len(self.heard)
            try:
                self.heard.append(json.loads(self._socket.recv(timeout=max(0.0, deadline - time.monotonic()))))
            except TimeoutError:
                raise AssertionError(f"no {what} within {SECONDS} s, only {self.heard}") from None

    def is_closed_with(self) -> int | None:
        """Return the code with which the other side closes; frames until then stay in `heard`."""
        try:
            while True:
                self.heard.append(json.loads(self._socket.recv(timeout=SECONDS)))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def joins(self, room: str, name: str | None = None, after: int | None = None) -> Frame:
        """Join a room and return `joined`."""
        given = {"name": name, "after": after}
        self.say({"action": "join", "room": room, **{key: value for key, value in given.items() if value is not None}})
        joined = self.hears("joined", room=room)
        self.room, self.connection_id = room, joined["connectionId"]
        return joined

    def sends(self, message: str, message_id: str | None = None) -> Frame:
        """Send a message and return one's own copy, the acknowledgement."""
        self.say({"action": "sendmessage", "message": message, **({"messageId": message_id} if message_id else {})})
        return self.hears("message", message=message)

    def pings(self) -> Frame:
        """Ping and return `pong`: what this socket was sent before it has been heard."""
        self.say({"action": "ping"})
        return self.hears("pong")

    def reads(self, **fields: int) -> Frame:
        """Ask for a page of history and return it."""
        self.say({"action": "history", **fields})
        return self.hears("history")

    def reads_all(self, after: int = 0, limit: int = 100) -> list[Frame]:
        """Return all messages since a seq, page by page, as a client does that comes back."""
        messages: list[Frame] = []
        while True:
            page = self.reads(after=after, limit=limit)
            messages += page["messages"]
            if page["complete"]:
                return messages
            after = messages[-1]["seq"]

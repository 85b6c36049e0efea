"""A chat server inside a browser test: it answers as the README says, or as the test wishes. It stores nothing."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page, WebSocketRoute

Frame = dict[str, Any]

OWN_ID = "0wnc0nn3ction="
HISTORY_PAGE = 50


def message(seq: int, text: str, *, room: str = "lobby", name: str = "Ada", at: datetime | None = None) -> Frame:
    """Return a message frame as the server sends it."""
    return {
        "type": "message",
        "messageId": str(uuid4()),
        "room": room,
        "seq": seq,
        "timestamp": (at or datetime.now(UTC)).isoformat(),
        "message": text,
        "connectionId": f"{name.lower():0<12}"[:12],
        "name": name,
    }


def conversation(count: int, *, room: str = "lobby") -> list[Frame]:
    """Return `count` messages of the last hours, by three people."""
    start = datetime.now(UTC) - timedelta(minutes=count)
    names = ("Ada", "Grace", "Linus")
    return [
        message(n + 1, f"Line {n + 1}", room=room, name=names[n // 2 % 3], at=start + timedelta(minutes=n))
        for n in range(count)
    ]


class FakeServer:
    """Stands in for every WebSocket of one page."""

    def __init__(self, page: Page, messages: list[Frame] | None = None, room: str = "lobby") -> None:
        self.rooms: dict[str, list[Frame]] = {room: messages or []}
        self.room = room
        self.name = OWN_ID[:8]
        self.members: list[Frame] = []
        self.heard: list[Frame] = []
        self.answers: Callable[[Frame], bool] = lambda _frame: False
        """Called first with each frame; true: the test has seen to it."""
        self.accepts = True
        self.socket: WebSocketRoute | None = None
        page.route_web_socket(re.compile("^wss?://"), self._accept)

    def _accept(self, socket: WebSocketRoute) -> None:
        if not self.accepts:
            socket.close(code=1013)
            return
        self.socket = socket
        socket.on_message(lambda raw: self._hear(socket, json.loads(raw)))

    def say(self, frame: Frame) -> None:
        """Send a frame to the page; a message is kept for the room's history too."""
        if frame.get("type") == "message":
            self.rooms.setdefault(frame["room"], []).append(frame)
        assert self.socket is not None
        self.socket.send(json.dumps(frame))

    def drop(self) -> None:
        """Cut the link, and accept no other until `accepts` is true again."""
        self.accepts = False
        assert self.socket is not None
        self.socket.close(code=1012)

    def sent(self, action: str) -> list[Frame]:
        """Return the frames of one action that the page sent."""
        return [frame for frame in self.heard if frame.get("action") == action]

    def _hear(self, socket: WebSocketRoute, frame: Frame) -> None:
        self.heard.append(frame)
        if self.answers(frame):
            return
        answer = {"join": self._join, "sendmessage": self._store, "history": self._history, "ping": self._pong}
        made = answer.get(frame["action"], lambda _frame: None)(frame)
        if made:
            socket.send(json.dumps(made))

    def _join(self, frame: Frame) -> Frame:
        self.room, self.name = frame["room"], frame.get("name", self.name)
        said = self.rooms.setdefault(self.room, [])
        after = frame.get("after")
        messages = said[-HISTORY_PAGE:] if after is None else [each for each in said if each["seq"] > after]
        members = [*self.members, {"connectionId": OWN_ID, "name": self.name}]
        return {
            "type": "joined",
            "room": self.room,
            "connectionId": OWN_ID,
            "name": self.name,
            "members": members,
            "memberCount": len(members),
            "lastSeq": said[-1]["seq"] if said else 0,
            "messages": messages,
            "complete": len(messages) == len(said) or after is not None,
            "lost": False,
        }

    def _store(self, frame: Frame) -> Frame:
        said = self.rooms[self.room]
        stored = message(len(said) + 1, frame["message"], room=self.room, name=self.name)
        stored |= {"messageId": frame["messageId"], "connectionId": OWN_ID}
        said.append(stored)
        return stored

    def _history(self, frame: Frame) -> Frame:
        said = self.rooms[self.room]
        if "before" in frame:
            older = [each for each in said if each["seq"] < frame["before"]]
            page = older[-frame.get("limit", HISTORY_PAGE) :]
            complete = len(page) == len(older)
        else:
            page = [each for each in said if each["seq"] > frame.get("after", 0)]
            complete = True
        return {"type": "history", "room": self.room, "messages": page, "complete": complete, "lost": False}

    def _pong(self, _frame: Frame) -> Frame:
        said = self.rooms[self.room]
        last = said[-1]["seq"] if said else 0
        return {"type": "pong", "room": self.room, "lastSeq": last, "timestamp": datetime.now(UTC).isoformat()}

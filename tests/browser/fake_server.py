"""A fake chat server for browser tests: modules/server.js, connected to the pages' WebSockets.

It runs in a separate page, so the client's tests and the page's tests use one fake server.
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

from playwright.sync_api import BrowserContext, Page, WebSocketRoute

Frame: TypeAlias = dict[str, Any]


def message(seq: int, text: str, *, room: str = "lobby", name: str = "Ada", at: datetime | None = None) -> Frame:
    """Return a message frame as the server sends it."""
    return {
        "type": "message",
        "messageId": str(uuid4()),
        "room": room,
        "seq": seq,
        "timestamp": (at or datetime.now(UTC)).isoformat(),
        "message": text,
        **person(name),
    }


def person(name: str) -> Frame:
    """Return the fields that identify a person."""
    return {"connectionId": f"{name.lower():0<12}"[:12], "name": name, "sender": f"sender-of-{name.lower()}"}


def conversation(count: int, *, room: str = "lobby") -> list[Frame]:
    """Return `count` messages of the last hours, by three people."""
    start = datetime.now(UTC) - timedelta(minutes=count)
    names = ("Ada", "Grace", "Linus")
    return [
        message(n + 1, f"Line {n + 1}", room=room, name=names[n // 2 % 3], at=start + timedelta(minutes=n))
        for n in range(count)
    ]


class FakeServer:
    """Replaces the server for all WebSockets of some pages."""

    def __init__(self, host: Page, messages: Iterable[Frame] = ()) -> None:
        self._host = host.evaluate_handle("""async () => {
            const host = new (await import("/server.js")).Host();
            host.server.private = new (await import("/private.js")).PrivateRooms(host.server);
            return host;
        }""")
        self._sockets: dict[str, WebSocketRoute] = {}
        self._made = 0
        self.heard: list[Frame] = []
        """Every frame that the pages sent."""
        self.answers: Callable[[Frame], bool] = lambda _frame: False
        """Called first with each frame; returns true if the test has answered it."""
        self.accepts = True
        """Whether new connections are accepted."""
        self.store(*messages)

    def serve(self, pages: Page | BrowserContext) -> None:
        """Route the WebSockets of a page, or of all pages of a browser, to this server."""
        pages.route_web_socket(re.compile("^wss?://"), self._accept)

    def say(self, *frames: Frame) -> None:
        """Send frames to everyone in their rooms; messages are also stored."""
        self._call(
            "(host, frames) => frames.flatMap(each => host[each.type === 'message' ? 'say' : 'send'](each))", frames
        )

    def store(self, *messages: Frame) -> None:
        """Store messages without posting them."""
        self._host.evaluate("(host, all) => { for (const one of all) host.store(one); }", list(messages))

    def fill(self, room: str, names: Iterable[str]) -> None:
        """Set the people in a room."""
        self._host.evaluate("(host, [room, people]) => host.setGuests(room, people)", [room, [*map(person, names)]])

    def add_account(self, token: str, account: Frame) -> None:
        """Accept an access token; tokens of one userId share the account of the first."""
        self._host.evaluate("(host, [token, account]) => host.addAccount(token, account)", [token, account])

    def act(self, user_id: str, **frame: object) -> list[Frame]:
        """Do something as an account that has no page, and return the answers; pages get what concerns them."""
        posted, answers = self._host.evaluate("(host, [user, frame]) => host.act(user, frame)", [user_id, frame])
        self._deliver(posted)
        return list(answers)

    def require_sign_in(self) -> None:
        """Refuse guests."""
        self._host.evaluate("host => { host.server.requiresSignIn = true; }")

    def expire_sign_ins(self) -> None:
        """Let all sign-ins lapse: the next frames are refused, and tokens given out so far too."""
        self._host.evaluate("host => host.expireSignIns()")

    def answer(self, frame: Frame) -> None:
        """Answer a frame that the test has held back."""
        self._call("(host, [[id, frame]]) => host.take(id, frame)", [[self._last, frame]])

    def refuse(self, frame: Frame, **error: object) -> None:
        """Answer a frame with an error."""
        of = {
            "action": frame["action"],
            "room": frame.get("room", frame.get("to")),
            "messageId": frame.get("messageId"),
        }
        fields = {field: value for field, value in {**of, **error}.items() if value is not None}
        self._sockets[self._last].send(json.dumps({"type": "error", **fields}))

    def drop(self) -> None:
        """Cut all connections, and accept none until `accepts` is true again."""
        self.accepts = False
        for socket_id, socket in list(self._sockets.items()):
            self._left(socket_id)
            socket.close(code=1012)

    def sent(self, action: str) -> list[Frame]:
        """Return the frames of one action that the pages sent."""
        return [frame for frame in self.heard if frame.get("action") == action]

    def texts(self, room: str) -> list[str]:
        """Return the texts of a room's messages."""
        return self._host.evaluate("(host, room) => host.server.texts(room)", room)

    @property
    def joined(self) -> list[str]:
        """The requested rooms, in the order of the joins."""
        return [frame["room"] for frame in self.sent("join")]

    def _accept(self, socket: WebSocketRoute) -> None:
        if not self.accepts:
            socket.close(code=1013)
            return
        self._made += 1
        self._last = socket_id = f"fake{self._made:04}-connection"
        self._sockets[socket_id] = socket
        self._host.evaluate("(host, id) => { host.connect(id); }", socket_id)
        socket.on_message(lambda raw: self._hear(socket_id, json.loads(raw)))
        socket.on_close(lambda _code, _reason: self._left(socket_id))

    def _hear(self, socket_id: str, frame: Frame) -> None:
        self._last = socket_id
        self.heard.append(frame)
        if not self.answers(frame):
            self._call("(host, [[id, frame]]) => host.take(id, frame)", [[socket_id, frame]])

    def _left(self, socket_id: str) -> None:
        if self._sockets.pop(socket_id, None):
            self._call("(host, [id]) => host.disconnect(id)", [socket_id])

    def _call(self, call: str, given: Iterable[object]) -> None:
        self._deliver(self._host.evaluate(call, list(given)))

    def _deliver(self, posted: Iterable[tuple[str, str]]) -> None:
        for socket_id, text in posted:
            socket = self._sockets.get(socket_id)
            if socket:
                socket.send(text)

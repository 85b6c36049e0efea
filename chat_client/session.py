"""A chat session without I/O: it resumes, fills gaps, and sends each message until it is stored.

    session = ChatSession(transport, name="Ada", clock=time.monotonic, draw=random.Random())
    session.enter("garden")          # rejoined after every reconnect; call at any time
    session.connect()
    session.say("hello", to="garden")
    session.leave("garden"); session.typing("garden"); session.ping(); session.go_away(30)

The owner of the transport calls `opened`, `received`, `closed`, and `tick` regularly; the session calls the transport's
`open`, `send` and `close`. SessionTransport in chat_client/websocket.py uses real sockets.

    session.timelines["garden"].messages    # by seq
    session.outbox, session.acknowledged, session.refused, session.figures
    session.is_settled                      # joined all rooms, nothing to send, no gaps

Implements docs/protocol.md.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from chat_client.timeline import Frame, Timeline, begin

_PAGE = 100


class Transport(Protocol):
    """A session's connection to the server."""

    def open(self) -> None:
        """Start connecting; `opened` or `closed` follows."""
        ...

    def send(self, frame: Frame) -> None:
        """Send a frame, which may be lost."""
        ...

    def close(self) -> None:
        """Close the connection or stop opening it; the session gets no more calls from it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Timing:
    """A session's delays, in seconds."""

    connect: float = 15.0
    answer: float = 8.0
    pong: float = 5.0
    heartbeat: float = 300.0
    gap: float = 1.0
    """Until missing messages are requested: most arrive late."""
    check: float = 1.5
    """After a join, until a ping checks for missed messages."""
    base_delay: float = 0.5
    """The upper bound for the first reconnect, doubled for each further one; with full jitter."""
    max_delay: float = 20.0
    stable: float = 10.0
    """How long a connection must last to reset the delays."""


@dataclass
class _Room:
    """A room that the session wants to be in."""

    is_joined: bool = False
    asked_after: int | None = None
    """The `after` of the last `join`."""
    asked_name: str = ""
    early: list[Frame] = field(default_factory=list)
    """Messages received before the first `joined`, which may lack them."""
    page_after: int | None = None
    """The `after` of the pending `history` request; -1 for the newest page."""
    page_last: int = 0
    """The newest known seq when it was sent."""


@dataclass
class _Timers:
    """Pending actions by kind and room."""

    clock: Callable[[], float]
    due: dict[tuple[str, str], tuple[float, Callable[[], None]]] = field(default_factory=dict)

    def set(self, kind: str, seconds: float, act: Callable[[], None], room: str = "") -> None:
        self.due[kind, room] = self.clock() + seconds, act

    def cancel(self, kind: str, room: str = "") -> bool:
        return self.due.pop((kind, room), None) is not None

    def is_set(self, kind: str, room: str = "") -> bool:
        return (kind, room) in self.due

    def run(self) -> None:
        now = self.clock()
        for key, timer in list(self.due.items()):
            if timer[0] <= now and self.due.get(key) is timer:
                del self.due[key]
                timer[1]()


class ChatSession:
    """One person with one page open. `clock` returns seconds; `draw` generates ids and jitter."""

    def __init__(  # noqa: PLR0913 - the parameters of a session
        self,
        transport: Transport,
        *,
        name: str,
        clock: Callable[[], float],
        draw: Random,
        secret: str | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._transport = transport
        self._secret = secret
        self._draw = draw
        self._timing = timing or Timing()
        self._timers = _Timers(clock)
        self._rooms: dict[str, _Room] = {}
        self._leaving: set[str] = set()
        self._sending: str | None = None
        self._awaits_pong = False
        self._failures = 0
        self.name = name
        self.is_connected = False
        self.connection_id = ""
        """Of the current connection; known after the first `joined`."""
        self.sender = ""
        self.timelines: dict[str, Timeline] = {}
        """For every room that it has ever joined."""
        self.outbox: list[Frame] = []
        """Unacknowledged messages, in sending order."""
        self.sent: list[Frame] = []
        """All messages ever passed to `say`."""
        self.acknowledged: dict[str, Frame] = {}
        """By id: its own messages, as stored."""
        self.refused: dict[str, Frame] = {}
        """By id: the `error` frames of messages that will never be stored."""
        self.figures: Counter[str] = Counter()
        """Reconnects, sends, gaps that did not close in time, requested pages, and errors by code."""

    # Actions of the user

    def connect(self) -> None:
        """Connect, and stay connected until `close`."""
        self._timers.set("connect", self._timing.connect, self._reconnect)
        self._transport.open()

    def close(self) -> None:
        """Disconnect permanently."""
        self._disconnect()

    def go_away(self, seconds: float) -> None:
        """Disconnect, and reconnect after a delay."""
        self._disconnect()
        self._timers.set("reconnect", seconds, self.connect)

    def enter(self, room: str, name: str | None = None) -> None:
        """Join a room and stay in it, under a new name if given."""
        self.name = name or self.name
        self._rooms.setdefault(room, _Room())
        self._join(room)

    def leave(self, room: str) -> None:
        """Leave a room. Messages not sent there stay in the outbox until it is entered again."""
        if self._rooms.pop(room, None) is not None:
            for kind in ("join", "gap", "page"):
                self._timers.cancel(kind, room)
            self._leave(room)

    def say(self, text: str, *, to: str) -> str:
        """Send a message; return its id. It is resent until it is acknowledged or permanently refused."""
        message_id = str(uuid.UUID(int=self._draw.getrandbits(128), version=4))
        frame = {"action": "sendmessage", "message": text, "messageId": message_id, "to": to}
        self.outbox.append(frame)
        self.sent.append(frame)
        self._flush()
        return message_id

    def typing(self, room: str) -> None:
        """Notify the others in a room that this person is typing."""
        self._send({"action": "typing", "room": room})

    def ping(self) -> None:
        """Request the newest seq of each room. A connection that does not answer is replaced."""
        if self.is_connected:
            self._send({"action": "ping"})
            self._awaits_pong = True
            if not self._timers.is_set("pong"):
                self._timers.set("pong", self._timing.pong, self._reconnect)

    # State

    @property
    def rooms(self) -> Sequence[str]:
        """The entered rooms, in order."""
        return tuple(self._rooms)

    def is_in(self, room: str) -> bool:
        """Return whether the server has confirmed the join of a room."""
        return room in self._rooms and self._rooms[room].is_joined

    @property
    def is_settled(self) -> bool:
        """Whether it has joined all its rooms, with nothing to send and no gaps."""
        return all(self.is_in(room) and not self.timelines[room].has_gap for room in self._rooms) and not any(
            frame["to"] in self._rooms for frame in self.outbox
        )

    # Calls from the transport

    def opened(self) -> None:
        """Handle that the transport has connected."""
        self.is_connected = True
        self._timers.cancel("connect")
        self._timers.set("stable", self._timing.stable, self._is_stable)
        self._beat()
        for room in self._rooms:
            self._join(room)

    def closed(self) -> None:
        """Reconnect after the transport has closed or failed to connect."""
        self._reconnect()

    def tick(self) -> None:
        """Run the actions that are due."""
        self._timers.run()

    def received(self, frame: Frame) -> None:
        """Handle a frame. Unknown types and API Gateway's own messages are ignored."""
        self._timers.cancel("pong")
        handle = {
            "joined": self._on_joined,
            "left": self._on_left,
            "message": self._on_message,
            "history": self._on_history,
            "pong": self._on_pong,
            "error": self._on_error,
        }.get(frame.get("type", ""))
        if handle is not None:
            handle(frame)

    # Connecting

    def _disconnect(self) -> None:
        self._transport.close()
        self.is_connected = False
        self._timers.due.clear()
        self._sending, self._awaits_pong = None, False
        self._leaving.clear()
        for room in self._rooms:
            self._rooms[room] = _Room()

    def _reconnect(self) -> None:
        self._disconnect()
        bound = min(self._timing.max_delay, self._timing.base_delay * 2**self._failures)
        self._failures += 1
        self.figures["reconnects"] += 1
        self._timers.set("reconnect", self._draw.uniform(0, bound), self.connect)

    def _is_stable(self) -> None:
        self._failures = 0

    def _beat(self) -> None:
        self._timers.set("heartbeat", self._timing.heartbeat, self._beat)
        if any(room.is_joined for room in self._rooms.values()):
            self.ping()

    def _send(self, frame: Frame) -> None:
        if self.is_connected:
            self._transport.send(frame)

    # Rooms

    def _join(self, room: str) -> None:
        """Send `join`, one at a time per room, because answers may arrive out of order."""
        state = self._rooms[room]
        state.is_joined, state.page_after = False, None
        self._timers.cancel("gap", room)
        self._timers.cancel("page", room)
        if not self.is_connected or self._timers.is_set("join", room) or room in self._leaving:
            return
        timeline = self.timelines.get(room)
        state.asked_name, state.asked_after = self.name, None if timeline is None else timeline.known
        frame = {"action": "join", "room": room, "name": self.name, "secret": self._secret, "after": state.asked_after}
        self._send({field: value for field, value in frame.items() if value is not None})
        self._timers.set("join", self._timing.answer, self._reconnect, room)

    def _on_joined(self, frame: Frame) -> None:
        room = frame["room"]
        state = self._rooms.get(room)
        if state is None:
            self._leave(room)  # left since; the server may have handled the leave before this join
            return
        if not self._timers.is_set("join", room) or frame.get("after") != state.asked_after:
            return  # the answer to an earlier request
        self._timers.cancel("join", room)
        if state.asked_name != self.name:
            self._join(room)  # renamed since
            return
        self.connection_id, self.sender = frame["connectionId"], frame["sender"]
        timeline = self.timelines.get(room)
        if state.asked_after is not None and state.asked_after > frame["lastSeq"]:
            timeline = None  # its messages have expired, and the room's log restarted
        state.is_joined = True
        if timeline is None:
            self.timelines[room] = begin(frame, frame["lastSeq"])
            self.timelines[room].take(state.early)
            if not frame["messages"] and frame["lastSeq"]:  # the page may have been read before the newest message
                self._request_page(room, newest=True)
        else:
            state.page_last = max(timeline.last, frame["lastSeq"])
            timeline.last = state.page_last
            timeline.take_page(frame, last=timeline.known)
            if not frame["complete"]:
                self._request_page(room)
        self._acknowledge(frame["messages"])
        self._timers.set("check", self._timing.check, self.ping)
        self._watch(room)
        self._flush()

    def _leave(self, room: str) -> None:
        """Send `leave`; the room is not rejoined until it is answered."""
        if self.is_connected:
            self._leaving.add(room)
            self._send({"action": "leave", "room": room})
            self._timers.set("leave", self._timing.answer, self._reconnect, room)

    def _on_left(self, frame: Frame) -> None:
        room = frame["room"]
        self._timers.cancel("leave", room)
        if room in self._leaving:
            self._leaving.discard(room)
            if room in self._rooms:
                self._join(room)

    # Reading

    def _on_message(self, frame: Frame) -> None:
        room = frame["room"]
        timeline = self.timelines.get(room)
        if room in self._rooms and timeline is None:
            self._rooms[room].early.append(frame)
        elif room in self._rooms and timeline is not None:
            timeline.take([frame])
            self._watch(room)
        self._acknowledge([frame])
        self._flush()

    def _watch(self, room: str) -> None:
        """Schedule a request for a gap, in case it does not close in time."""
        state = self._rooms[room]
        if not self.timelines[room].has_gap:
            self._timers.cancel("gap", room)
        elif state.is_joined and state.page_after is None and not self._timers.is_set("gap", room):
            self._timers.set("gap", self._timing.gap, lambda: self._request_gap(room), room)

    def _request_gap(self, room: str) -> None:
        if self.timelines[room].has_gap:
            self.figures["gaps"] += 1
            self._request_page(room)

    def _request_page(self, room: str, *, newest: bool = False) -> None:
        """Request the messages after `known`, or the newest."""
        state, timeline = self._rooms[room], self.timelines[room]
        if not state.is_joined or state.page_after is not None:
            return
        state.page_after, state.page_last = (-1 if newest else timeline.known), timeline.last
        self.figures["pages"] += 1
        asked = {} if newest else {"after": timeline.known}
        self._send({"action": "history", "room": room, "limit": _PAGE, **asked})
        self._timers.set("page", self._timing.answer, lambda: self._repeat_request(room), room)

    def _repeat_request(self, room: str) -> None:
        newest = self._rooms[room].page_after == -1
        self._rooms[room].page_after = None
        self._request_page(room, newest=newest)

    def _on_history(self, frame: Frame) -> None:
        room = frame["room"]
        state = self._rooms.get(room)
        if state is None or state.page_after is None or frame.get("after", -1) != state.page_after:
            return
        timeline = self.timelines[room]
        is_newest, state.page_after = state.page_after == -1, None
        self._timers.cancel("page", room)
        if is_newest:
            self.timelines[room] = begin(frame, timeline.last)
            self.timelines[room].take(timeline.messages.values())
        else:
            timeline.take_page(frame, last=state.page_last)
            if not frame["complete"]:
                self._request_page(room)
        self._acknowledge(frame["messages"])
        self._watch(room)
        self._flush()

    def _on_pong(self, frame: Frame) -> None:
        """Compare the server's rooms with ours. An unsolicited pong covers one room only."""
        is_asked, self._awaits_pong = self._awaits_pong, False
        for room, last_seq in frame["rooms"].items():
            timeline = self.timelines.get(room)
            if room in self._rooms and timeline is not None:
                timeline.last = max(timeline.last, last_seq)
                self._watch(room)
            elif room not in self._rooms and room != "lobby":
                self._leave(room)
        for room, state in self._rooms.items():
            if is_asked and state.is_joined and room not in frame["rooms"]:
                self._join(room)

    # Sending

    def _flush(self) -> None:
        """Send the first waiting message; one at a time, to keep the order."""
        if not self.is_connected or self._sending is not None or self._timers.is_set("answer"):
            return
        frame = next((frame for frame in self.outbox if self.is_in(frame["to"])), None)
        if frame is None:
            return
        self._sending = frame["messageId"]
        self.figures["sends"] += 1
        self._send(frame)
        self._timers.set("answer", self._timing.answer, self._unanswered)

    def _unanswered(self) -> None:
        self._sending = None
        self.ping()
        self._flush()

    def _acknowledge(self, messages: Sequence[Frame]) -> None:
        waiting = {frame["messageId"] for frame in self.outbox}
        for message in messages:
            if message["messageId"] in waiting:
                self.acknowledged[message["messageId"]] = message
                self._finish(message["messageId"])

    def _finish(self, message_id: str) -> None:
        """Remove a message from the outbox."""
        self.outbox = [frame for frame in self.outbox if frame["messageId"] != message_id]
        if self._sending == message_id:
            self._sending = None
            self._timers.cancel("answer")

    # Errors

    def _on_error(self, frame: Frame) -> None:
        self.figures[frame["code"]] += 1
        wait = frame.get("retryAfterMs", 1000 + 1000 * self._draw.random()) / 1000
        may_repeat = frame["code"] in ("rate_limited", "busy", "internal")
        action, room = frame.get("action"), frame.get("room", "")
        if action == "sendmessage":
            self._on_send_error(frame, wait, may_repeat=may_repeat)
        elif action == "leave":
            if may_repeat:
                self._timers.set("leave", wait, lambda: self._leave(room), room)
            else:
                self._on_left(frame)
        elif room not in self._rooms:
            return
        elif action == "join" and self._timers.cancel("join", room):
            if may_repeat:
                self._timers.set("rejoin", wait, lambda: self._rejoin(room), room)
            else:
                del self._rooms[room]
        elif action == "history" and frame["code"] == "not_in_room":
            self._join(room)
        elif action == "history" and self._rooms[room].page_after is not None:
            self._timers.set("page", wait, lambda: self._repeat_request(room), room)

    def _rejoin(self, room: str) -> None:
        if room in self._rooms:
            self._join(room)

    def _on_send_error(self, frame: Frame, wait: float, *, may_repeat: bool) -> None:
        message_id = frame.get("messageId")
        unsent = next((unsent for unsent in self.outbox if unsent["messageId"] == message_id), None)
        if unsent is None or message_id is None:
            return
        room = unsent["to"]
        if may_repeat:
            self._sending = None
            self._timers.set("answer", wait, self._flush)
        elif frame["code"] == "not_in_room":
            if self._sending == message_id:
                self._sending = None
                self._timers.cancel("answer")
            if room in self._rooms:
                self._join(room)
        else:
            self.refused[message_id] = frame
            self._finish(message_id)
            self._flush()

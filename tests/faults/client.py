"""A client that keeps the contract as the page does: it resumes, asks for holes, and sends again until it is stored.

It knows neither sockets nor threads: whoever drives it hands it what came and the time, and takes what it sends.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

Frame = dict[str, Any]
ANSWER_SECONDS = 8.0
PONG_SECONDS = 5.0
BEAT_SECONDS = 30.0  # the page's are 5 minutes apart; a run of two minutes needs some too
BASE_SECONDS, MOST_SECONDS = 0.5, 20.0


class Line(Protocol):
    """How a client reaches the server."""

    def open(self) -> None: ...
    def send(self, frame: Frame) -> None: ...
    def close(self) -> None: ...


@dataclass
class Timeline:
    """What a client knows of a room's order, and what it has shown its reader."""

    base: int = 0
    known: int = 0
    last: int = 0
    beyond: set[int] = field(default_factory=set)
    asked: int = 0
    shown: dict[int, Frame] = field(default_factory=dict)
    doubled: list[Frame] = field(default_factory=list)

    def take(self, messages: list[Frame]) -> None:
        for one in messages:
            seq = one["seq"]
            if seq in self.shown and self.shown[seq]["messageId"] != one["messageId"]:
                self.doubled.append(one)
            if seq > self.known and seq not in self.beyond:
                self.beyond.add(seq)
                self.shown[seq] = one
        self.move_on()

    def answered(self, seq: int) -> None:
        """The server has told all up to here."""
        self.known = max(self.known, seq)
        self.beyond = {one for one in self.beyond if one > self.known}
        self.move_on()

    def move_on(self) -> None:
        while self.known + 1 in self.beyond:
            self.known += 1
            self.beyond.discard(self.known)
        self.last = max(self.last, self.known, *self.beyond)

    @property
    def lacks(self) -> bool:
        return bool(self.beyond) or self.last > max(self.known, self.asked)


class Client:
    """One person at one page."""

    def __init__(self, name: str, room: str, line: Line, clock: Callable[[], float], draw: Random) -> None:
        self.name, self.room = name, room
        self._line, self._clock, self._draw = line, clock, draw
        self.connected = self.joined = False
        self.connection_id = ""
        self.tries = 0
        self.timelines: dict[str, Timeline] = {}
        self.outbox: list[Frame] = []
        self.sent: list[Frame] = []
        self.acknowledged: dict[str, Frame] = {}
        self.refused: list[Frame] = []
        self.lost: defaultdict[str, int] = defaultdict(int)
        self.figures: defaultdict[str, int] = defaultdict(int)
        self._asked: tuple[str, str, int | None] = ("", "", None)
        self._sending: str | None = None
        self._filling: int | None = None
        self._timers: dict[str, tuple[float, Callable[[], None]]] = {}

    # What its person does.

    def connect(self) -> None:
        self._after("connect", 15, self.cut)
        self._line.open()

    def say(self, text: str) -> None:
        message_id = str(uuid.UUID(int=self._draw.getrandbits(128), version=4))
        frame = {"action": "sendmessage", "message": text, "messageId": message_id, "to": self.room}
        self.outbox.append(frame)
        self.sent.append(frame)
        self._flush()

    def go(self, room: str, name: str | None = None) -> None:
        self.room, self.name = room, name or self.name
        self._join()

    def type(self) -> None:
        self._post({"action": "typing"})

    def ping(self) -> None:
        self._post({"action": "ping"})
        if "pong" not in self._timers:
            self._after("pong", PONG_SECONDS, self.cut)

    # What happens to it.

    def opened(self) -> None:
        self.connected = True
        self._cancel("connect")
        self._after("stable", 10, self._is_stable)
        self._beat()
        self._join()

    def cut(self) -> None:
        """The link is gone, or taken for dead: come back later."""
        self._line.close()
        self.connected = self.joined = False
        self._sending = self._filling = None
        self._timers.clear()
        bound = min(MOST_SECONDS, BASE_SECONDS * 2**self.tries)
        self.tries += 1
        self.figures["reconnects"] += 1
        self._after("reconnect", self._draw.uniform(0, bound), self.connect)

    def tick(self) -> None:
        """Do what is due."""
        for kind, (due, act) in list(self._timers.items()):
            if due <= self._clock() and self._timers.get(kind) == (due, act):
                del self._timers[kind]
                act()

    def take(self, frame: Frame) -> None:
        """Read a frame that came."""
        self._cancel("pong")
        if frame["type"] == "joined":
            self._on_joined(frame)
        elif frame["type"] == "message":
            self._on_messages(frame["room"], [frame])
        elif frame["type"] == "history":
            self._on_history(frame)
        elif frame["type"] == "pong":
            self._on_pong(frame)
        elif frame["type"] == "error":
            self._on_error(frame)

    def _is_stable(self) -> None:
        self.tries = 0

    def _beat(self) -> None:
        self._after("beat", BEAT_SECONDS, self._beat)
        if self.joined:
            self.ping()

    def _join(self) -> None:
        """Ask for the room; one question at a time, as the answers' functions may overtake each other."""
        self.joined = False
        self._sending = self._filling = None
        self._cancel("fill")
        self._cancel("hole")
        if not self.connected or "join" in self._timers:
            return
        known = self.timelines.get(self.room)
        after = {} if known is None else {"after": known.known}
        self._asked = (self.room, self.name, after.get("after"))
        self._post({"action": "join", "room": self.room, "name": self.name, **after})
        self._after("join", ANSWER_SECONDS, self.cut)

    def _on_joined(self, frame: Frame) -> None:
        room, name, after = self._asked
        if "join" not in self._timers or (frame["room"], frame.get("after")) != (room, after):
            return  # the answer to a question of before
        self._cancel("join")
        if (room, name) != (self.room, self.name):
            self._join()
            return
        self.connection_id = frame["connectionId"]
        known = self.timelines.get(frame["room"])
        if known is not None and known.known > frame["lastSeq"]:
            known = None
        if known is None:
            messages = frame["messages"]
            base = messages[0]["seq"] - 1 if messages else max(0, frame["lastSeq"] - 20)
            self.timelines[frame["room"]] = Timeline(base=base, known=base)
        timeline = self.timelines[frame["room"]]
        timeline.last, timeline.asked = max(timeline.last, frame["lastSeq"]), 0
        self.joined = True
        self.lost[frame["room"]] += frame["lost"]
        resumed = known is not None
        answered = frame["messages"][-1]["seq"] if resumed and frame["messages"] else 0
        self._on_messages(frame["room"], frame["messages"], answered)
        if resumed and not frame["complete"]:
            self._fill()
        self._after("recheck", 1.5, self.ping)
        self._flush()

    def _on_messages(self, room: str, messages: list[Frame], answered: int = 0) -> None:
        for one in messages:
            if any(unsent["messageId"] == one["messageId"] for unsent in self.outbox):
                self.outbox = [unsent for unsent in self.outbox if unsent["messageId"] != one["messageId"]]
                self.acknowledged[one["messageId"]] = one
                if self._sending == one["messageId"]:
                    self._sending = None
                    self._cancel("answer")
        timeline = self.timelines.get(room)
        if timeline is not None:
            timeline.take(messages)
            timeline.answered(answered)
        self._flush()
        self._watch()

    def _watch(self) -> None:
        timeline = self.timelines.get(self.room)
        if timeline is not None and timeline.lacks and "hole" not in self._timers:
            self._after("hole", 1, self._fill)

    def _fill(self) -> None:
        timeline = self.timelines.get(self.room)
        if not self.joined or timeline is None or self._filling is not None:
            return
        timeline.asked = timeline.last
        self._filling = timeline.known
        self.figures["holes asked for"] += 1
        self._post({"action": "history", "after": self._filling, "limit": 100})
        self._after("fill", ANSWER_SECONDS, self._refill)

    def _refill(self) -> None:
        self._filling = None
        self.timelines[self.room].asked = 0
        self._watch()

    def _on_history(self, frame: Frame) -> None:
        if frame["room"] != self.room or self._filling is None or frame.get("after") != self._filling:
            return
        self._filling = None
        self._cancel("fill")
        self.lost[self.room] += frame["lost"]
        self._on_messages(self.room, frame["messages"], frame["messages"][-1]["seq"] if frame["messages"] else 0)
        if not frame["complete"]:
            self._fill()

    def _on_pong(self, frame: Frame) -> None:
        timeline = self.timelines.get(frame["room"])
        if frame["room"] != self.room:
            self._join()  # the server has it somewhere else
        elif timeline is not None:
            timeline.last, timeline.asked = max(timeline.last, frame["lastSeq"]), 0
            self._watch()

    def _on_error(self, frame: Frame) -> None:
        again = frame["code"] in ("rate_limited", "internal")
        wait = frame.get("retryAfterMs", 1000 + self._draw.random() * 1000) / 1000
        self.figures[frame["code"]] += 1
        if any(unsent["messageId"] == frame.get("messageId") for unsent in self.outbox):
            self._sending = None
            if again:
                self._after("answer", wait, self._flush)
            else:
                self.refused.append(frame)
                self.outbox = [unsent for unsent in self.outbox if unsent["messageId"] != frame["messageId"]]
                self._flush()
        elif not self.joined:
            self._after("join", wait, self._join)
        elif self._filling is not None:
            self._after("fill", wait, self._refill)

    def _flush(self) -> None:
        """Send the first message that waits, one at a time: that keeps their order."""
        if not self.joined or self._sending or "answer" in self._timers:
            return
        unsent = next(iter(self.outbox), None)
        if unsent is None:
            return
        self._sending = unsent["messageId"]
        self.figures["frames with a message"] += 1
        self._post(unsent)
        self._after("answer", ANSWER_SECONDS, self._unanswered)

    def _unanswered(self) -> None:
        self._sending = None
        self.ping()
        self._flush()

    def _post(self, frame: Frame) -> None:
        if self.connected:
            self._line.send(frame)

    def _after(self, kind: str, seconds: float, act: Callable[[], None]) -> None:
        self._timers[kind] = (self._clock() + seconds, act)

    def _cancel(self, kind: str) -> None:
        self._timers.pop(kind, None)

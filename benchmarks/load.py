"""`python -m benchmarks.load`: simulate users in a room of any stack and measure when each gets the messages.

Each user has its own socket. A message is shown to a user when its socket receives it. A copy is lost if the message
was acknowledged but never reached a user, not even by a page of history; it is doubled if a user's socket received it
more than once (clients drop such copies by `seq`).
"""

import argparse
import json
import statistics
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.plot import plot_latencies
from chat_client.websocket import Frame, SessionTransport, SessionTransports

MESSAGES_A_SECOND_EACH = 2
"""Sustained rate that a connection may send at (default of the config `messages_per_second`)."""

AT_ONCE = 20
"""Users that connect at once; an account allows 500 new connections per second (API Gateway quotas)."""

ENTER_SECONDS = 30.0
RECONNECT_SECONDS = 1.0
SETTLE_SECONDS = 10.0
"""How long to wait for the last copies; halfway, each user asks for missed ones."""

_POLL_SECONDS = 0.05


@dataclass
class Tally:
    """The messages sent and the copies that each user received, by message id. Thread-safe."""

    sent: dict[str, float] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    shown: list[Counter[str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    caught_up: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    on_first_copy: Callable[[], object] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, message_id: str) -> None:
        """Record that a message is being sent."""
        with self.lock:
            self.sent[message_id] = time.monotonic()

    def count(self, error: str) -> None:
        """Count an error."""
        with self.lock:
            self.refused[error] += 1

    def take(self, user: int, frame: Frame, at: float) -> None:
        """Record a frame that a user's socket received at a time."""
        with self.lock:
            if frame.get("type") == "message":
                self.show(user, frame["messageId"], at)
            elif frame.get("type") == "error":
                self.refused[frame["code"]] += 1
            for message in frame.get("messages", ()):  # a page may repeat received messages
                if not self.shown[user][message["messageId"]]:
                    self.caught_up += self.show(user, message["messageId"], at)

    def show(self, user: int, message_id: str, at: float) -> bool:
        """Record a copy; return whether it is the user's first of this message."""
        if message_id not in self.sent:
            return False  # not from this run
        self.acknowledged.add(message_id)  # a message that anyone received is stored
        self.shown[user][message_id] += 1
        if self.shown[user][message_id] > 1:
            return False
        self.seconds.append(at - self.sent[message_id])
        self.on_first_copy()
        return True

    @property
    def expected(self) -> int:
        """Number of copies that should arrive."""
        return len(self.acknowledged) * len(self.shown)

    @property
    def lost(self) -> int:
        """Number of copies that did not arrive."""
        return sum(message_id not in one for message_id in self.acknowledged for one in self.shown)

    @property
    def doubled(self) -> int:
        """Number of surplus copies."""
        return sum(count - 1 for one in self.shown for count in one.values())

    @property
    def is_settled(self) -> bool:
        """Whether each message was refused or has reached every user."""
        with self.lock:
            return len(self.acknowledged) + sum(self.refused.values()) >= len(self.sent) and not self.lost


def percentile(values: list[float], share: float) -> float:
    """Return the percentile by nearest rank; 0 without values. `share` is from 0 to 1."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else 0.0


class User:
    """A user in the room, who reconnects, and requests messages that a gap in `seq` or a pong shows to be missing."""

    def __init__(self, number: int, room: str, tally: Tally, transport: "SessionTransport[User]") -> None:
        self._number, self._room, self._tally, self._transport = number, room, tally, transport
        self._known: int | None = None
        """Highest seq without gaps before it; None before the first `joined`."""
        self._is_asking = False
        self._reconnect_at: float | None = None
        self.is_in = False

    def opened(self) -> None:
        """Join the room."""
        self._send("join", name=f"user {self._number}", **({} if self._known is None else {"after": self._known}))

    def closed(self) -> None:
        """Schedule a reconnect."""
        self.is_in = self._is_asking = False
        self._reconnect_at = time.monotonic() + RECONNECT_SECONDS
        self._tally.count("disconnected")

    def tick(self) -> None:
        """Reconnect when due."""
        if self._reconnect_at is not None and time.monotonic() >= self._reconnect_at:
            self._reconnect_at = None
            self._transport.open()

    def received(self, frame: Frame) -> None:
        """Track what this user has read, and request what is missing."""
        kind = frame.get("type")
        if kind == "joined":
            self.is_in = True
            if self._known is None:
                self._known = frame["lastSeq"]
            else:
                self._read_page(frame)
        elif kind == "history":
            self._is_asking = False
            self._read_page(frame)
        elif kind == "message" and self._known is not None:
            if frame["seq"] == self._known + 1:
                self._known += 1
            else:
                self._ask_if_behind(frame["seq"])
        elif kind == "pong":
            self._ask_if_behind(frame["rooms"].get(self._room, 0))

    def enter(self) -> None:
        """Connect; `opened` then joins."""
        self._transport.open()

    def say(self, text: str) -> None:
        """Send a message."""
        message_id = str(uuid.uuid4())
        self._tally.begin(message_id)
        self._transport.send(
            {"action": "sendmessage", "message": text, "messageId": message_id, "to": self._room},
        )

    def ping(self) -> None:
        """Request the room's last seq."""
        self._transport.send({"action": "ping"})

    def _read_page(self, page: Frame) -> None:
        if page["messages"]:
            self._known = max(self._known or 0, page["messages"][-1]["seq"])
        if not page["complete"]:
            self._ask()

    def _ask_if_behind(self, seq: int) -> None:
        if self.is_in and self._known is not None and seq > self._known and not self._is_asking:
            self._ask()

    def _ask(self) -> None:
        self._is_asking = True
        self._send("history", after=self._known, limit=100)

    def _send(self, action: str, **fields: Any) -> None:
        self._transport.send({"action": action, "room": self._room, **fields})


def run(url: str, users: int, rate: float, seconds: float, room: str) -> Tally:
    """Send `rate` messages per second in total, from each user in turn. Raises TimeoutError if users cannot join."""
    tally = Tally(shown=[Counter() for _ in range(users)])
    turns = int(rate * seconds)
    with SessionTransports[User](url) as transports, tqdm(total=turns * users, unit="copies", leave=False) as bar:
        tally.on_first_copy = bar.update
        people = [
            transports.add(
                lambda transport, number=number: User(number, room, tally, transport),
                lambda frame, number=number: tally.take(number, frame, time.monotonic()),
            )
            for number in range(users)
        ]
        for first in range(0, users, AT_ONCE):
            group = people[first : first + AT_ONCE]
            for user in group:
                user.do(User.enter)
            if not _wait(lambda group=group: all(user.session.is_in for user in group), ENTER_SECONDS):
                reason = next((user.last_error for user in group if user.last_error), None) or dict(tally.refused)
                raise TimeoutError(f"not all users joined within {ENTER_SECONDS:g} s: {reason}")
        started = time.monotonic()
        for turn in range(turns):
            time.sleep(max(0.0, started + turn / rate - time.monotonic()))
            text = f"message {turn} " + "x" * (turn * 37 % 100)  # of various lengths
            people[turn % users].do(lambda user, text=text: user.say(text))
        if not _wait(lambda: tally.is_settled, SETTLE_SECONDS / 2):
            for user in people:
                user.do(User.ping)
            _wait(lambda: tally.is_settled, SETTLE_SECONDS / 2)
    return tally


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; return whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def summary(tally: Tally) -> dict[str, Any]:
    """Return the figures; times are from sending to being shown."""
    return {
        "users": len(tally.shown),
        "sent": len(tally.sent),
        "acknowledged": len(tally.acknowledged),
        "refused": dict(tally.refused),
        "copies_expected": tally.expected,
        "copies_shown": len(tally.seconds),
        "lost": tally.lost,
        "doubled": tally.doubled,
        "caught_up_by_history": tally.caught_up,
        **{f"p{share}_ms": round(percentile(tally.seconds, share / 100) * 1e3, 1) for share in (50, 90, 95, 99)},
        "max_ms": round(max(tally.seconds, default=0) * 1e3, 1),
        "mean_ms": round(statistics.fmean(tally.seconds or [0]) * 1e3, 1),
    }


def main() -> int:
    """Run; return 0 if no copy was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description="Simulate users in a room and measure when each gets the messages.",
    )
    parser.add_argument("--url", required=True, help="websocket_url of the stack")
    parser.add_argument("--users", type=int, default=20, help="sockets in the room (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=5, help="messages per second in total (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="how long to send (default: %(default)s)")
    parser.add_argument("--room", default=f"load-{uuid.uuid4().hex[:8]}", help="room to use (default: a new one)")
    parser.add_argument("--plot", type=Path, default=Path("load.png"), help="file for the plot (default: %(default)s)")
    chosen = parser.parse_args()
    if not chosen.url.startswith(("ws://", "wss://")) or chosen.users < 1 or chosen.rate <= 0 or chosen.seconds <= 0:
        parser.error("URL must start with wss:// (or ws:// for a local run); USERS, RATE and --seconds must be above 0")
    if chosen.rate / chosen.users > MESSAGES_A_SECOND_EACH:
        sys.stderr.write(
            f"{chosen.rate:g} messages per second from {chosen.users} users exceed the default limit of "
            f"{MESSAGES_A_SECOND_EACH} per second each: expect rate_limited errors. Raise USERS or lower RATE.\n"
        )
    try:
        tally = run(chosen.url, chosen.users, chosen.rate, chosen.seconds, chosen.room)
    except OSError as error:
        sys.stderr.write(f"{chosen.url}: {error}\n")
        return 1
    result = summary(tally)
    for name, value in result.items():
        sys.stdout.write(f"{name.replace('_', ' '):22}{value}\n")
    sys.stdout.write(json.dumps(result) + "\n")
    if tally.seconds:
        title = f"{result['users']} users, {result['acknowledged']} messages, {result['copies_shown']} copies"
        plot_latencies(
            tally.seconds, {f"p{share}": result[f"p{share}_ms"] for share in (50, 95, 99)}, title, chosen.plot
        )
        sys.stdout.write(f"Plot: {chosen.plot}\n")
    return 0 if not tally.lost and tally.seconds else 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks.load`: simulated users in a room of any stack, timed from sending a message to its being shown.

Each user has a socket of its own. A message is `shown` to a reader when the reader's socket has it. Lost is
what was acknowledged and never reached somebody, not even by a page of history; doubled is what a reader's socket got
more than once (a client drops those by their `seq`).
"""

import argparse
import json
import random
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

from chat_client.websocket import Frame, SessionTransport, SessionTransports

MESSAGES_A_SECOND_EACH = 2
"""What a connection may send for long (config `messages_per_second`)."""

AT_ONCE = 20
"""How many users enter at once; an account takes 500 connections a second (API Gateway quotas)."""

ENTER_SECONDS = 30.0
RECONNECT_SECONDS = 1.0
SETTLE_SECONDS = 10.0
"""How long to wait for the last copies; halfway, each user asks whether it missed any."""

_POLL_SECONDS = 0.05


@dataclass
class Tally:
    """What was sent, by message id, and which copies each user has of it. Used by many threads."""

    sent: dict[str, float] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    shown: list[Counter[str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    caught_up: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    on_first_copy: Callable[[], object] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, message_id: str) -> None:
        """Note that a message is being sent."""
        with self.lock:
            self.sent[message_id] = time.monotonic()

    def count(self, what: str) -> None:
        """Count something that went wrong."""
        with self.lock:
            self.refused[what] += 1

    def take(self, user: int, frame: Frame, at: float) -> None:
        """Note a frame that a user's socket got at a time."""
        with self.lock:
            if frame.get("type") == "message":
                self.show(user, frame["messageId"], at)
            elif frame.get("type") == "error":
                self.refused[frame["code"]] += 1
            for message in frame.get("messages", ()):  # a page may repeat what came before
                if not self.shown[user][message["messageId"]]:
                    self.caught_up += self.show(user, message["messageId"], at)

    def show(self, user: int, message_id: str, at: float) -> bool:
        """Note a copy; return whether it is the user's first of this message."""
        if message_id not in self.sent:
            return False  # somebody else's
        self.acknowledged.add(message_id)  # if anybody has it, it is stored
        self.shown[user][message_id] += 1
        if self.shown[user][message_id] > 1:
            return False
        self.seconds.append(at - self.sent[message_id])
        self.on_first_copy()
        return True

    @property
    def expected(self) -> int:
        """How many copies there have to be."""
        return len(self.acknowledged) * len(self.shown)

    @property
    def lost(self) -> int:
        """How many of them never came."""
        return sum(message_id not in one for message_id in self.acknowledged for one in self.shown)

    @property
    def doubled(self) -> int:
        """How many copies came once more."""
        return sum(count - 1 for one in self.shown for count in one.values())

    @property
    def is_settled(self) -> bool:
        """Whether each message is either refused or with everybody."""
        with self.lock:
            return len(self.acknowledged) + sum(self.refused.values()) >= len(self.sent) and not self.lost


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of all do not exceed (nearest rank); 0 if there are none."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else 0.0


class User:
    """One user in the room, who asks for what a gap in `seq` or a pong shows to be missing, and reconnects."""

    def __init__(self, number: int, room: str, tally: Tally, transport: "SessionTransport[User]") -> None:
        self._number, self._room, self._tally, self._transport = number, room, tally, transport
        self._known: int | None = None
        """The highest seq up to which nothing is missing; None before the first `joined`."""
        self._is_asking = False
        self._reconnect_at: float | None = None
        self.is_in = False

    def opened(self) -> None:
        """Join the room."""
        self._send("join", name=f"user {self._number}", **({} if self._known is None else {"after": self._known}))

    def closed(self) -> None:
        """Come back in a moment."""
        self.is_in = self._is_asking = False
        self._reconnect_at = time.monotonic() + RECONNECT_SECONDS
        self._tally.count("disconnected")

    def tick(self) -> None:
        """Reconnect when it is time."""
        if self._reconnect_at is not None and time.monotonic() >= self._reconnect_at:
            self._reconnect_at = None
            self._transport.open()

    def received(self, frame: Frame) -> None:
        """Note how far this user has read, and ask for what is missing."""
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
        """Connect, and then join."""
        self._transport.open()

    def say(self, text: str) -> None:
        """Send a message."""
        message_id = str(uuid.uuid4())
        self._tally.begin(message_id)
        self._transport.send(
            {"action": "sendmessage", "message": text, "messageId": message_id, "to": self._room},
        )

    def ping(self) -> None:
        """Ask for the room's newest seq."""
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
    """Let the users talk: `rate` messages a second in all, each by one of them in turn. Raises TimeoutError."""
    tally = Tally(shown=[Counter() for _ in range(users)])
    turns = int(rate * seconds)
    with SessionTransports[User](url) as transports, tqdm(total=turns * users, unit="copies", leave=False) as bar:
        tally.on_first_copy = bar.update
        everybody = [
            transports.add(
                lambda transport, number=number: User(number, room, tally, transport),
                lambda frame, number=number: tally.take(number, frame, time.monotonic()),
            )
            for number in range(users)
        ]
        for first in range(0, users, AT_ONCE):
            group = everybody[first : first + AT_ONCE]
            for user in group:
                user.do(User.enter)
            if not _wait(lambda group=group: all(user.session.is_in for user in group), ENTER_SECONDS):
                reason = next((user.last_error for user in group if user.last_error), None) or dict(tally.refused)
                raise TimeoutError(f"not every user is in the room after {ENTER_SECONDS:g} s: {reason}")
        started = time.monotonic()
        for turn in range(turns):
            time.sleep(max(0.0, started + turn / rate - time.monotonic()))
            text = f"message {turn} " + "x" * random.randrange(100)  # noqa: S311 - filler
            everybody[turn % users].do(lambda user, text=text: user.say(text))
        if not _wait(lambda: tally.is_settled, SETTLE_SECONDS / 2):
            for user in everybody:
                user.do(User.ping)
            _wait(lambda: tally.is_settled, SETTLE_SECONDS / 2)
    return tally


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition; return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def summary(tally: Tally) -> dict[str, Any]:
    """Return the figures; times in milliseconds from sending to being shown."""
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


def plot(tally: Tally, target: Path) -> None:
    """Draw how many copies had been shown how long after sending."""
    import matplotlib as mpl  # noqa: PLC0415 - half a second that only the plot needs

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    ordered = sorted(tally.seconds)
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    axis.plot(
        [one * 1e3 for one in ordered],
        [(rank + 1) / len(ordered) * 100 for rank in range(len(ordered))],
        color="#667eea",
    )
    for share in (50, 95, 99):
        at = percentile(ordered, share / 100) * 1e3
        axis.axvline(at, color="#b0b4bf", linewidth=0.8)
        axis.annotate(f"p{share} {at:.0f} ms", (at, share), textcoords="offset points", xytext=(5, -10))
    axis.set(xscale="log", xlabel="ms from sending to being shown", ylabel="% of copies", ylim=(0, 101))
    axis.set_title(f"{len(tally.shown)} users, {len(tally.acknowledged)} messages, {len(ordered)} copies")
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, dpi=130)
    plt.close(figure)


def main() -> int:
    """Run; return 0 if nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--url", required=True, help="the stack's websocket_url")
    parser.add_argument("--users", type=int, default=20, help="sockets in the room")
    parser.add_argument("--rate", type=float, default=5, help="messages a second, of all users together")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--room", default=f"load-{uuid.uuid4().hex[:8]}")
    parser.add_argument("--plot", type=Path, default=Path("load.png"), help="where the picture goes")
    chosen = parser.parse_args()
    if not chosen.url.startswith(("ws://", "wss://")) or chosen.users < 1 or chosen.rate <= 0 or chosen.seconds <= 0:
        parser.error("URL must begin with wss:// (ws:// on this machine); USERS and RATE must be above 0")
    if chosen.rate / chosen.users > MESSAGES_A_SECOND_EACH:
        sys.stderr.write(
            f"{chosen.rate:g} messages a second by {chosen.users} users are more than the {MESSAGES_A_SECOND_EACH} "
            "a second that each may send for long: some will be refused (rate_limited). More USERS, or a lower RATE?\n"
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
        plot(tally, chosen.plot)
        sys.stdout.write(f"Picture: {chosen.plot}\n")
    return 0 if not tally.lost and tally.seconds else 1


if __name__ == "__main__":
    sys.exit(main())

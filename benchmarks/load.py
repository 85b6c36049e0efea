"""`python -m benchmarks.load`: simulated users in a room of any stack, from a message's sending to its being shown.

Each user is a socket of its own. A message is `shown` to a reader when the reader's socket has it. Lost is what was
acknowledged and never shown to somebody, also not through the page of history that a client asks for after a hole;
doubled is what a reader's socket got more than once (the page drops those by `seq`).
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

MESSAGES_A_SECOND_EACH = 2
"""What a connection may send for long (config `messages_per_second`)."""

AT_ONCE = 20
"""How many users enter at once; an account takes 500 connections a second (API Gateway quotas)."""

SETTLE_SECONDS = 10.0
"""How long is waited for the last copies."""


@dataclass
class Tally:
    """What was sent, by the client's own id, and what each user has of it."""

    sent: dict[str, float] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    shown: list[Counter[str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    caught_up: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def show(self, user: int, message_id: str, at: float) -> bool:
        """Note a copy; tell whether it is the user's first of this message."""
        if message_id not in self.sent:
            return False  # somebody else's
        self.acknowledged.add(message_id)  # whoever shows it: it has been stored
        self.shown[user][message_id] += 1
        if self.shown[user][message_id] > 1:
            return False
        self.seconds.append(at - self.sent[message_id])
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


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of all do not exceed (nearest rank); 0 where there is none."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else 0.0


class User:
    """One socket in the room."""

    def __init__(self, number: int, socket: ClientConnection, tally: Tally, bar: tqdm) -> None:
        self._number, self._socket, self._tally, self._bar = number, socket, tally, bar
        self._seq = 0

    async def join(self, room: str) -> None:
        """Go into the room and wait for `joined`."""
        await self._socket.send(json.dumps({"action": "join", "room": room, "name": f"user {self._number}"}))
        async for text in self._socket:
            frame = json.loads(text)
            if frame["type"] == "joined":
                self._seq = frame["lastSeq"]
                return
            if frame["type"] == "error":
                raise ConnectionError(frame["error"])

    async def listen(self) -> None:
        """Take frames until the socket closes, and ask for what a hole in `seq` or a pong shows to be missing."""
        with contextlib.suppress(WebSocketException):
            async for text in self._socket:
                at = time.monotonic()
                frame = json.loads(text)
                if frame["type"] == "message":
                    await self._take(frame, at)
                elif frame["type"] == "history":
                    self._tally.caught_up += sum(
                        self._tally.show(self._number, message["messageId"], at) for message in frame["messages"]
                    )
                elif frame["type"] == "pong" and frame["lastSeq"] > self._seq:
                    await self._ask(self._seq)
                elif frame["type"] == "error":
                    self._tally.refused[frame["code"]] += 1

    async def say(self, text: str) -> None:
        """Send a message."""
        message_id = str(uuid.uuid4())
        self._tally.sent[message_id] = time.monotonic()
        frame = {"action": "sendmessage", "message": text, "messageId": message_id}
        await self._socket.send(json.dumps(frame))

    async def ping(self) -> None:
        """Ask for the room's newest seq."""
        await self._socket.send(json.dumps({"action": "ping"}))

    async def _take(self, message: dict[str, Any], at: float) -> None:
        hole = message["seq"] > self._seq + 1
        after = self._seq
        if self._tally.show(self._number, message["messageId"], at):
            self._bar.update()
        if hole:
            await self._ask(after)
        self._seq = max(self._seq, message["seq"])

    async def _ask(self, after: int) -> None:
        await self._socket.send(json.dumps({"action": "history", "after": after, "limit": 100}))


async def run(url: str, users: int, rate: float, seconds: float, room: str) -> Tally:
    """Let the users talk: `rate` messages a second in all, each by one of them, evenly."""
    tally = Tally(shown=[Counter() for _ in range(users)])
    bar = tqdm(total=int(rate * seconds) * users, unit="copies", desc="shown", leave=False)
    async with contextlib.AsyncExitStack() as open_sockets:
        listening: list[asyncio.Task[None]] = []

        async def enter(number: int) -> User:
            socket = await open_sockets.enter_async_context(connect(url, compression=None, open_timeout=30))
            user = User(number, socket, tally, bar)
            await user.join(room)
            listening.append(asyncio.create_task(user.listen()))
            return user

        everybody: list[User] = []
        for first in range(0, users, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, users))
            everybody += await asyncio.gather(*(enter(number) for number in numbers))
        started = time.monotonic()
        for turn in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, started + turn / rate - time.monotonic()))
            await everybody[turn % users].say(f"message {turn} " + "x" * random.randrange(100))  # noqa: S311 - filler
        await _settled(tally, everybody)
        bar.close()
        for task in listening:
            task.cancel()
    return tally


async def _settled(tally: Tally, everybody: list[User]) -> None:
    """Wait until everybody has everything; then let those ask who lack something."""
    deadline = time.monotonic() + SETTLE_SECONDS
    asked = False
    while time.monotonic() < deadline:
        if len(tally.acknowledged) + sum(tally.refused.values()) >= len(tally.sent) and not tally.lost:
            return
        if not asked and time.monotonic() > deadline - SETTLE_SECONDS / 2:
            asked = True
            for user in everybody:
                await user.ping()
        await asyncio.sleep(0.05)


def summary(tally: Tally) -> dict[str, Any]:
    """Return what a person wants to know; times in milliseconds from sending to being shown."""
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
    """Run; return 0 where nothing was lost."""
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
        tally = asyncio.run(run(chosen.url, chosen.users, chosen.rate, chosen.seconds, chosen.room))
    except (OSError, WebSocketException) as error:
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

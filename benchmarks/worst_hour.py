"""Computes the worst hour: the highest cost that anonymous clients can cause, from the cost of each frame.

Also the cost of an hour with a visible page in a silent room. `python -m benchmarks.worst_hour` updates
results/worst_hour.json and results/visible_page.json. Figures are upper bounds: units and bytes are those of the
largest frame of a kind, and a test compares them with the functions' actual use.
"""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from benchmarks import ROOT, report
from benchmarks.costs import (
    FREE_LAMBDA_GB_SECONDS,
    FREE_LAMBDA_REQUESTS,
    FREE_WEBSOCKET_MESSAGES,
    LAMBDA_GB_SECOND_USD,
    READ_UNIT_USD,
    WEBSOCKET_MESSAGE_USD,
    WRITE_UNIT_USD,
    lambda_usd,
)
from chat.routes import CONNECT, PRIVATE_ROOM, ROOM, SEND_MESSAGE, SIGN_IN
from chat.runtime.context import MAX_POSTING_SECONDS
from chat.store import rate_limit
from chat.store.accounts import MAX_SOCKETS
from chat.store.connections import MAX_ROOMS
from chat.store.listings import MAX_PRIVATE_ROOMS
from chat.store.rate_limit import RateLimit

RESULTS = ROOT / "benchmarks" / "results"
HOUR = 3600.0
TRANSFER_USD = 0.09 / 1e9
"""Per byte out to the internet, beyond 100 GB a month (EC2 data transfer prices, us-east-1)."""
CONNECTION_MINUTE_USD = 0.25 / 1e6
BUDGET_USD = 5
"""The time until a flood has cost this much is part of the results."""

ACCOUNT_MESSAGES_PER_SECOND = 10_000
"""Frames and posts per account and region (API Gateway quotas)."""
ACCOUNT_CONCURRENCY = 1_000
"""Concurrent invocations (Lambda quotas); new accounts may have 10."""
CLOSING_SECONDS = 180.0
"""From a flood's first frame to the closed stage: the metric's minute, up to a minute until CloudWatch has it, and
up to another until the alarm is evaluated. AWS guarantees no figure."""
_FLOOD_READERS = 500
"""Connections of many clients, or of one without address limits. With so many, few frames exhaust the account."""
_FLOOD_ACCOUNTS = 20
"""Accounts that an attacker has. Each needs its own e-mail address, and Cognito's mailer sends about 50 mails a day."""
_MEMBERS_A_READ_UNIT = 20
_READ_UNITS_OF_MEMBERS = 108
"""The roles of 100 members (8), and the profile of each."""
_MAX_ROSTER_BYTES = 30 * 1024
_ROSTER_BYTES_A_MEMBER = 240
_FRAME_BYTES = 32 * 1024
_LARGE_MESSAGE_BYTES = 16_000  # 4,000 characters of 4 bytes
_READ_UNITS_A_PRIVATE_ROOM = 14
"""In `rooms`: the roles of 100 members (8), the room's settings and its end, and the profiles of four members."""
_PINGS_AN_HOUR = HOUR / 8.0
"""frontend/client/transport.js pings after 7.5 s, plus up to 1 s and the round trip; here the shortest interval."""
_CLASS_SIZE, _CLASS_SECONDS_A_MESSAGE, _CLASS_TYPING = 30, 10.0, 10
_TYPING_SECONDS = 3.0  # frontend/client/session.js


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The resources used by one frame of a kind."""

    kind: str
    written: float
    """DynamoDB write units."""
    read: float
    """DynamoDB read units."""
    memory_mb: int = ROOM.memory_mb
    seconds: float = 0.05
    """Duration of the function, unless it waits for posts that exceed the account's limit."""
    posts: int = 0
    post_bytes: int = 0
    reply_bytes: int = 0
    """0: no reply."""
    most_per_second: float = math.inf
    """Rate limit of its senders."""

    @property
    def messages(self) -> int:
        """API Gateway messages: the frame, its reply and its posts."""
        return 1 + (self.reply_bytes > 0) + self.posts

    @property
    def bytes_out(self) -> int:
        """Bytes sent to the internet."""
        return self.posts * self.post_bytes + self.reply_bytes

    def usd(self) -> Mapping[str, float]:
        """Return the price of a frame, by service."""
        return {
            "API Gateway": self.messages * WEBSOCKET_MESSAGE_USD,
            "transfer": self.bytes_out * TRANSFER_USD,
            "DynamoDB": self.written * WRITE_UNIT_USD + self.read * READ_UNIT_USD,
            "Lambda": lambda_usd(self.memory_mb, self.seconds),
        }


@dataclass(frozen=True, kw_only=True)
class Case:
    """A flood of a given duration against a deployment with some defences."""

    name: str
    frames_per_second: int
    burst: int
    seconds: float = HOUR
    allowances: int | None = None
    """Allowances per address; None: unlimited, or a flood from many addresses."""
    messages_per_second: float = ACCOUNT_MESSAGES_PER_SECOND
    history_read: float = 18
    """Read units of the most expensive page of history: twice the bytes of a frame, and the connection's row."""
    accounts: bool = False
    """Whether people can sign in (config `sign_in`), so the attacker has accounts too."""

    @property
    def readers(self) -> int:
        """Average number of connections of the flood."""
        if self.allowances is None:
            return _FLOOD_READERS
        connects = rate_limit.CONNECTS.times(self.allowances)
        return connects.burst + int(self.seconds * 1000 / connects.interval_ms / 2)

    def frames(self) -> list[Frame]:
        """Return a frame of each kind, with the rate limit of one address."""
        readers = self.readers
        members = readers / _MEMBERS_A_READ_UNIT
        message_limit = rate_limit.messages(_default("message_burst"), _default("messages_per_second"))
        large_cost = rate_limit.message_cost("x" * _LARGE_MESSAGE_BYTES)
        return [
            Frame(
                kind="large message",
                written=34,
                read=9 + members,
                memory_mb=SEND_MESSAGE.memory_mb,
                seconds=0.15,
                posts=readers,
                post_bytes=_LARGE_MESSAGE_BYTES + 400,
                most_per_second=self._most(message_limit, large_cost),
            ),
            Frame(
                kind="message",
                written=3,
                read=9 + members,
                memory_mb=SEND_MESSAGE.memory_mb,
                seconds=0.15,
                posts=readers,
                post_bytes=400,
                most_per_second=self._most(message_limit),
            ),
            Frame(
                kind="history",
                written=1,
                read=self.history_read,
                reply_bytes=_FRAME_BYTES,
                most_per_second=self._most(rate_limit.HISTORY),
            ),
            Frame(
                kind="ping",
                written=1,
                read=9 + members,
                posts=1,
                post_bytes=200,
                reply_bytes=min(_MAX_ROSTER_BYTES, _ROSTER_BYTES_A_MEMBER * readers),
                most_per_second=self._most(rate_limit.PINGS),
            ),
            Frame(
                kind="typing",
                written=1,
                read=4 + members,
                posts=readers,
                post_bytes=300,
                most_per_second=self._most(rate_limit.TYPING),
            ),
            Frame(  # limited per connection, so an address with many is not stopped
                kind="join",
                written=3,
                read=13 + members,
                posts=readers,
                post_bytes=600,
                reply_bytes=12_600,
            ),
            Frame(  # with its disconnect
                kind="connect",
                written=5,
                read=1,
                memory_mb=CONNECT.memory_mb,
                seconds=0.1,
                most_per_second=self._most(rate_limit.CONNECTS),
            ),
            Frame(kind="refused", written=0, read=1, seconds=0.02, reply_bytes=300),
            *(self._account_frames() if self.accounts else ()),
        ]

    def _account_frames(self) -> list[Frame]:
        """Return the frames of accounts that cost most, in rooms as large as possible; the others cost less."""
        return [
            list_of_rooms(MAX_PRIVATE_ROOMS, most_per_second=self._most_of_accounts(rate_limit.ROOM_LISTS)),
            rename(MAX_SOCKETS, most_per_second=self._most_of_accounts(rate_limit.RENAMES)),
            Frame(
                kind="members",
                written=1,
                read=4 + _READ_UNITS_OF_MEMBERS,
                memory_mb=PRIVATE_ROOM.memory_mb,
                reply_bytes=_FRAME_BYTES,
                most_per_second=self._most_of_accounts(rate_limit.LISTS),
            ),
            Frame(
                kind="join of a private room",
                written=3,
                read=22 + _READ_UNITS_OF_MEMBERS,
                posts=1,
                post_bytes=_FRAME_BYTES,
                most_per_second=self._most_of_accounts(rate_limit.OPENS),
            ),
            Frame(
                kind="ping of a private room",
                written=1,
                read=10 + _READ_UNITS_OF_MEMBERS,
                reply_bytes=_MAX_ROSTER_BYTES,
                most_per_second=min(
                    self._most(rate_limit.PINGS), _FLOOD_ACCOUNTS * MAX_SOCKETS * 1000 / rate_limit.PINGS.interval_ms
                ),
            ),
        ]

    def _most_of_accounts(self, limit: RateLimit) -> float:
        """Return how many actions per second the attacker's accounts can reach, including their bursts."""
        shared = limit.times(_default("address_allowances"))
        return _FLOOD_ACCOUNTS * (shared.burst / self.seconds + 1000 / shared.interval_ms)

    def _most(self, limit: RateLimit, cost: int = 1) -> float:
        """Return how many actions of a cost per second an address can reach, including its burst."""
        if self.allowances is None:
            return math.inf
        shared = limit.times(self.allowances)
        return (shared.burst / self.seconds + 1000 / shared.interval_ms) / cost

    def bill(self) -> Mapping[str, float]:
        """Return the cost of the most expensive mix of frames, by service."""
        frames = self.frames()
        mix = costliest_mix(frames, self.burst / self.seconds + self.frames_per_second, self.messages_per_second)
        services = frames[0].usd()
        usd = {
            service: self.seconds * sum(mix[frame.kind] * frame.usd()[service] for frame in frames)
            for service in services
        }
        usd["API Gateway"] += self.readers * self.seconds / 60 * CONNECTION_MINUTE_USD
        sent = sum(mix[frame.kind] * frame.messages for frame in frames)
        if sent >= ACCOUNT_MESSAGES_PER_SECOND * 0.99:  # functions wait for posts rejected with 429
            waiting = min(ACCOUNT_CONCURRENCY, self.frames_per_second * MAX_POSTING_SECONDS)
            usd["Lambda"] += self.seconds * waiting * SEND_MESSAGE.memory_mb / 1024 * LAMBDA_GB_SECOND_USD
        return usd


def list_of_rooms(count: int, *, most_per_second: float) -> Frame:
    """Return `rooms` of an account in `count` rooms of 100 members; `decline` and `block` answer with it too."""
    return Frame(
        kind="rooms",
        written=1,
        read=12 + count * _READ_UNITS_A_PRIVATE_ROOM,
        memory_mb=PRIVATE_ROOM.memory_mb,
        seconds=0.5,
        reply_bytes=_FRAME_BYTES,
        most_per_second=most_per_second,
    )


def rename(sockets: int, *, most_per_second: float) -> Frame:
    """Return `profile` of an account with `sockets` connections, each in as many rooms as it may join.

    Each connection's row, and its member item in each room, is read and written, one connection after another.
    """
    return Frame(
        kind="profile",
        written=8 + sockets * (1 + MAX_ROOMS),
        read=10 + sockets * (1 + MAX_ROOMS),
        memory_mb=SIGN_IN.memory_mb,
        seconds=0.05 + sockets * 0.07,
        posts=sockets,
        post_bytes=1400,
        most_per_second=most_per_second,
    )


def costliest_mix(frames: Sequence[Frame], per_second: float, messages_per_second: float) -> dict[str, float]:
    """Return kind → frames per second of the mix that costs most within both limits.

    A linear program with two constraints. A price per message (its Lagrange multiplier, found by bisection) leaves only
    the limit on frames, which a greedy choice solves.
    """

    def at(price: float) -> dict[str, float]:
        def value(frame: Frame) -> float:
            return sum(frame.usd().values()) - price * frame.messages

        left, chosen = per_second, dict.fromkeys((frame.kind for frame in frames), 0.0)
        for frame in sorted(frames, key=value, reverse=True):
            if value(frame) > 0:
                chosen[frame.kind] = min(left, frame.most_per_second)
                left -= chosen[frame.kind]
        return chosen

    def messages(mix: Mapping[str, float]) -> float:
        return sum(mix[frame.kind] * frame.messages for frame in frames)

    if messages(at(0)) <= messages_per_second:
        return at(0)
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if messages(at(middle)) > messages_per_second else (low, middle)
    more, less = at(low), at(high)
    share = (messages_per_second - messages(less)) / (messages(more) - messages(less))
    return {kind: share * more[kind] + (1 - share) * less[kind] for kind in more}


def cases() -> list[Case]:
    """Return the cases to compare: the former defaults, then each defence in turn."""
    rate, burst, allowances = (
        _default(key) for key in ("throttle_rate_limit", "throttle_burst_limit", "address_allowances")
    )
    breaker = _default("breaker_messages_per_minute") / 60
    now = {"frames_per_second": rate, "burst": burst}
    one = {**now, "allowances": allowances}
    until_closed = CLOSING_SECONDS + MAX_POSTING_SECONDS
    return [
        Case(name="before: 500 frames a second, burst 1,000", frames_per_second=500, burst=1000, history_read=245),
        Case(name=f"{rate} frames a second, burst {burst}, many addresses", **now),
        Case(name="and allowances, one address", **one),
        Case(name="and the breaker, many addresses", seconds=until_closed, **now),
        Case(name="and the breaker, one address", seconds=until_closed, **one),
        Case(name="just below the breaker, many addresses", messages_per_second=breaker, **now),
        Case(name="just below the breaker, one address", messages_per_second=breaker, **one),
        Case(name="accounts, and the breaker, many addresses", seconds=until_closed, accounts=True, **now),
        Case(name="accounts, just below the breaker, many", messages_per_second=breaker, accounts=True, **now),
        Case(name="accounts, just below the breaker, one", messages_per_second=breaker, accounts=True, **one),
    ]


def worst_hours() -> Iterator[dict[str, Any]]:
    """Yield a row for each case."""
    for case in cases():
        usd = case.bill()
        total = sum(usd.values())
        is_closed = case.seconds < HOUR
        yield {
            "case": case.name,
            "readers": case.readers,
            "usd": {service: round(part, 2) for service, part in usd.items()},
            "usd_an_hour": round(total, 2),
            "is_closed": is_closed,
            "minutes_to_5_usd": (
                None if is_closed and total < BUDGET_USD else round(BUDGET_USD / total * case.seconds / 60, 1)
            ),
        }


def page_ping(members: int) -> Frame:
    """Return the ping of a visible page, in a room whose members have names of usual length."""
    return Frame(
        kind="ping",
        written=1,
        read=4 + members / 30,
        posts=1 if members > 1 else 0,
        post_bytes=200,
        reply_bytes=200,
    )


def visible_page(members: int) -> dict[str, Any]:
    """Return the cost of an hour with a page visible in a silent room."""
    ping = page_ping(members)
    usd = {service: part * _PINGS_AN_HOUR for service, part in ping.usd().items()}
    usd["API Gateway"] += 60 * CONNECTION_MINUTE_USD
    free = {
        "API Gateway messages": FREE_WEBSOCKET_MESSAGES / ping.messages,
        "Lambda requests": FREE_LAMBDA_REQUESTS,
        "Lambda GB-seconds": FREE_LAMBDA_GB_SECONDS / (ping.seconds * ping.memory_mb / 1024),
    }
    bound = min(free, key=lambda name: free[name])
    return {
        "members": members,
        "messages_an_hour": round(_PINGS_AN_HOUR * ping.messages),
        "usd_an_hour": round(sum(usd.values()), 5),
        "usd_by_service": {service: round(part, 5) for service, part in usd.items()},
        "free_hours_a_month": int(free[bound] / _PINGS_AN_HOUR),
        "free_bound_by": bound,
    }


def busy_class_messages_a_minute() -> float:
    """Return the messages of a class: 30 visible pages in one room, each writing every 10 s, ten typing at any time."""
    pings = _CLASS_SIZE * _PINGS_AN_HOUR / 60 * 3
    messages = _CLASS_SIZE * 60 / _CLASS_SECONDS_A_MESSAGE * (1 + _CLASS_SIZE)
    typing = _CLASS_TYPING * 60 / _TYPING_SECONDS * _CLASS_SIZE
    return pings + messages + typing


def _default(key: str) -> int:
    """Return a config key's default."""
    return yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"][key]["default"]


BENCHMARKS: Mapping[str, Callable[[], list[dict[str, Any]]]] = {
    "worst_hour": lambda: list(worst_hours()),
    "visible_page": lambda: [visible_page(members) for members in (1, 30, 100)],
}
"""Name of a result → function that computes its rows."""


def main() -> None:
    """Save the results; print the mix of frames behind each."""
    for name, compute in BENCHMARKS.items():
        report.save(RESULTS, name, compute(), {"computed": "from counts; no machine is measured"}, quick=False)
    for case in cases():
        mix = costliest_mix(case.frames(), case.burst / case.seconds + case.frames_per_second, case.messages_per_second)
        parts = ", ".join(f"{count:.3g} {kind}" for kind, count in mix.items() if count)
        sys.stdout.write(f"{case.name}: {parts} a second; ${sum(case.bill().values()):,.2f}\n")
    sys.stdout.write(f"a busy class: {busy_class_messages_a_minute():,.0f} messages a minute\n")


if __name__ == "__main__":
    main()

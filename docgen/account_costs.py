"""Costs of accounts and private rooms, counted by running the functions against the fake services of the tests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from benchmarks.costs import READ_UNIT_USD, WEBSOCKET_MESSAGE_USD, WRITE_UNIT_USD, lambda_usd
from chat.routes import ACCOUNT_ROUTES
from tests.unit.private_rooms import PrivateChat

CLASS_SIZE, CLASS_DAYS, CLASS_HOURS = 30, 20, 2
"""People, days a month, and hours a day with the page open."""
ROOM_SIZES = (2, 5, CLASS_SIZE, 50, 100)
CLASS_A_DAY = {
    "later sign-in": 2,
    "renewal, once an hour": CLASS_HOURS,
    "list of 10 rooms": 2,
    f"private message, {CLASS_SIZE} members": 20,
    "direct message": 20,
}
"""How often each person does what in a day."""
COGNITO_FREE_USERS, COGNITO_USER_USD = 10_000, 0.015
"""Of the Essentials tier, per person and month (Cognito's price page, us-east-1, July 2025)."""

_TEXT = "x" * 100
_INVOCATION_SECONDS, _POST_SECONDS = 0.035, 0.00025
"""What an invocation takes besides DynamoDB's round trips (5 ms each) and its own waits, and for each post: the
differences between the rows of `costs by memory`, with 512 MB."""


@dataclass(frozen=True)
class Use:
    """The resources that a frame uses."""

    name: str
    written: float
    read: float
    round_trips: int
    messages: int
    """API Gateway messages: the frame, its answer and its posts."""
    seconds: float
    memory_mb: int

    @property
    def usd(self) -> float:
        """The price beyond the Free Tier."""
        return (
            self.messages * WEBSOCKET_MESSAGE_USD
            + self.written * WRITE_UNIT_USD
            + self.read * READ_UNIT_USD
            + lambda_usd(self.memory_mb, self.seconds)
        )


@lru_cache
def uses() -> dict[str, Use]:
    """Return what each frame uses, by name."""
    return {use.name: use for use in _uses()}


def _uses() -> Iterator[Use]:
    chat = PrivateChat()
    chat.connect("anna", "phone")
    yield _counted(chat, "first sign-in", "signin", lambda: chat.sign_in("anna"))
    yield _counted(chat, "later sign-in", "signin", lambda: chat.sign_in("phone", user="u-anna"))
    yield _counted(chat, "renewal, once an hour", "signin", lambda: chat.sign_in("phone", user="u-anna"))
    for size in ROOM_SIZES:
        chat, room = _room(size)
        name = f"private message, {size} members"
        yield _counted(chat, name, "sendmessage", lambda chat=chat, room=room: chat.send("p0", _TEXT, to=room))
    chat, room = _room(5)
    direct = chat.direct("p0", "p1")
    chat.send("p0", _TEXT, to=direct)
    yield _counted(chat, "direct message", "sendmessage", lambda: chat.send("p0", _TEXT, to=direct))
    chat.connect("new")
    chat.sign_in("new")
    link = chat.link("p0", room)
    yield _counted(chat, "acceptance, 5 members", "accept", lambda: chat.accept("new", room, link))
    yield _counted(chat, "removal, 5 members", "remove", lambda: chat.remove("p0", room, "new"))
    chat = _with_rooms(10)
    yield _counted(chat, "list of 10 rooms", "rooms", lambda: chat.rooms("p0"))


def _with_rooms(count: int) -> PrivateChat:
    """Return a chat in which p0 is in rooms of 5 members."""
    chat = _people(5)
    for number in range(count):
        chat.clock.advance(60)
        _admit_all(chat, chat.create("p0", title=f"Room {number}"), 5)
    return chat


def _room(size: int) -> tuple[PrivateChat, str]:
    """Return a chat and a private room of `size` members, each with one connection, and with a message."""
    chat = _people(size)
    room = chat.create("p0")
    _admit_all(chat, room, size)
    chat.send("p0", _TEXT, to=room)
    return chat, room


def _people(size: int) -> PrivateChat:
    return PrivateChat(*(f"p{number}" for number in range(size)))


def _admit_all(chat: PrivateChat, room: str, size: int) -> None:
    link = chat.link("p0", room, uses=100)
    for number in range(1, size):
        chat.accept(f"p{number}", room, link)


def _counted(chat: PrivateChat, name: str, action: str, act: Callable[[], Any]) -> Use:
    chat.rest()
    begun = chat.clock.monotonic()
    with chat.dynamodb.counting() as usage:
        act()
    posts = len(chat.gateway.posts)
    received = sum(len(socket.frames) for socket in chat.gateway.sockets.values())
    return Use(
        name=name,
        written=usage.written,
        read=usage.read,
        round_trips=usage.round_trips(),
        messages=1 + received,
        seconds=chat.clock.monotonic() - begun + _INVOCATION_SECONDS + posts * _POST_SECONDS,
        memory_mb=ACCOUNT_ROUTES[action].memory_mb,
    )


def class_table() -> str:
    """Return what a class pays a month for its accounts and private rooms, by frame."""
    lines, total = [], 0.0
    for name, times in CLASS_A_DAY.items():
        count = CLASS_SIZE * CLASS_DAYS * times
        usd = count * uses()[name].usd
        total += usd
        lines.append(f"| {name} | {count:,} | ${usd:,.4f} |")
    lines.append(f"| Cognito | {CLASS_SIZE} people | ${cognito_usd(CLASS_SIZE):,.2f} |")
    lines.append(f"| **together** | | **${total + cognito_usd(CLASS_SIZE):,.2f}** |")
    return "\n".join(["| frame | a month | price |", "|---|--:|--:|", *lines])


def cognito_usd(people: int) -> float:
    """Return Cognito's price of a month with so many people."""
    return max(0, people - COGNITO_FREE_USERS) * COGNITO_USER_USD


def table() -> str:
    """Return what each frame uses, and its price."""
    head = "| frame | read units | write units | round trips | messages | Lambda | each million |"
    lines = [
        f"| {use.name} | {use.read:g} | {use.written:g} | {use.round_trips} | {use.messages} "
        f"| {use.seconds * 1000:,.0f} ms | ${use.usd * 1e6:,.2f} |"
        for use in uses().values()
    ]
    return "\n".join([head, "|---|--:|--:|--:|--:|--:|--:|", *lines])

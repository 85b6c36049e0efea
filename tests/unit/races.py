"""Races: actions at the moment of a DynamoDB call."""

from collections.abc import Callable

from chat.schema import ROOMS
from tests.fakes.dynamodb import Call, Interceptor
from tests.fakes.expressions import Item
from tests.fakes.services import Chat


def first(act: Callable[[], object]) -> Interceptor:
    """Return an interceptor that acts before its call; `fail_once` and `fail_nth` select the call."""

    def intercept(_call: Call, send: Callable[[], Item]) -> Item:
        act()
        return send()

    return intercept


def take_each_place(chat: Chat, room: str) -> list[int]:
    """Put another message into an empty room right before each put; return the places taken so far."""
    taken: list[int] = []

    def intercept(call: Call, send: Callable[[], Item]) -> Item:
        if (call.operation, call.table) == ("PutItem", ROOMS):
            taken.append(len(taken) + 1)
            place = {"room": room, "item": f"log#{taken[-1]:016d}", "messageId": f"other-{taken[-1]}"}
            said = {"message": "mine", "timestamp": "2027-01-15T08:00:00.000Z", "expiresAt": 2**40}
            chat.dynamodb.put(ROOMS, place | said)
        return send()

    chat.dynamodb.intercept = intercept
    return taken

"""Each function uses exactly the DynamoDB and @connections permissions that routes.py declares."""

from collections.abc import Callable

import pytest

from chat.protocol.frames_out import MAX_LISTED_MEMBERS
from chat.routes import CONNECT, DEFAULT, DISCONNECT, FUNCTIONS, ROOM, SEND_MESSAGE, Function
from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from tests.fakes.dynamodb import fail_once
from tests.fakes.services import Chat
from tests.unit.races import first

ID = "11111111-2222-3333-4444-5555555555ab"
Act = Callable[[], object]


def add_ghost(chat: Chat) -> None:
    """Let a connection vanish while rooms still list it."""
    chat.connect("ghost")
    chat.join("ghost", "garden")
    chat.clock.advance(10)
    chat.gateway.vanish("ghost")


def fill_garden(chat: Chat) -> None:
    """Make a room so large that it receives only the count."""
    for number in range(MAX_LISTED_MEMBERS):
        chat.connect(f"member-{number}")
        chat.dynamodb.put(ROOMS, {"room": "garden", "item": f"member#member-{number}"})
    add_ghost(chat)


def id_from_the_server(chat: Chat) -> str:
    return chat.ask("anna", {"action": "sendmessage", "message": "hello"})["messageId"]


def connecting(chat: Chat) -> list[Act]:
    return [lambda: chat.connect("new")]


def disconnecting(chat: Chat) -> list[Act]:
    add_ghost(chat)
    return [lambda: chat.disconnect("anna")]


def sending(chat: Chat) -> list[Act]:
    known = id_from_the_server(chat)
    fill_garden(chat)

    def refused_by_the_count() -> None:
        used_up = chat.clock.now_ms() + chat.services.config.message_burst + 100  # one each millisecond
        limits = {"room": "connection#ben", "item": "limits", "messageTat#ben": used_up}
        race = first(lambda: chat.dynamodb.put(ROOMS, limits))
        chat.dynamodb.intercept = fail_once(race, "UpdateItem", ROOMS)
        assert chat.ask("ben", {"action": "sendmessage", "message": "hello", "to": "garden"})["code"] == "rate_limited"

    def after_losing_its_row() -> None:
        chat.dynamodb.remove(CONNECTIONS, connectionId="cleo")
        chat.send("cleo", "hello")

    return [
        lambda: chat.send("anna", "hello", message_id=ID),
        lambda: chat.send("anna", "hello", message_id=ID),
        lambda: chat.send("anna", "hello", message_id=known),
        refused_by_the_count,
        after_losing_its_row,
    ]


def using_rooms(chat: Chat) -> list[Act]:
    fill_garden(chat)
    return [
        lambda: chat.join("anna", "kitchen"),
        lambda: chat.history("anna", room="garden", after=0),
        lambda: chat.ping("anna", room="garden", roster=0),
        lambda: chat.typing("anna"),
        lambda: chat.leave("anna", "garden"),
        lambda: chat.join("cleo", "garden"),
    ]


def unknown_action(chat: Chat) -> list[Act]:
    return [lambda: chat.ask("anna", {"action": "dance"})]


SCENARIOS = {
    CONNECT: connecting,
    DISCONNECT: disconnecting,
    SEND_MESSAGE: sending,
    ROOM: using_rooms,
    DEFAULT: unknown_action,
}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_a_function_calls_exactly_what_it_is_allowed_to(function: Function) -> None:
    chat = Chat()
    chat.connect("anna", "ben", "cleo")
    chat.join("anna", "garden")
    chat.join("ben", "garden")
    acts = SCENARIOS[function](chat)
    chat.clear()
    with chat.dynamodb.counting() as usage:
        for act in acts:
            act()
    allowed = {(table, operation) for table, operations in function.access.items() for operation in operations}
    assert {(call.table, call.operation) for call in usage.calls} == allowed
    assert bool(chat.gateway.posts) is function.posts
    assert {table for table, _ in allowed} <= {CONNECTIONS, MESSAGES, ROOMS}

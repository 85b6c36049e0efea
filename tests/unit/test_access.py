"""What each function does in DynamoDB and at @connections is what routes.py allows it: no less, no more."""

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


def with_a_ghost(chat: Chat) -> None:
    """Let a connection be gone that everybody still takes for a member."""
    chat.connect("ghost")
    chat.join("ghost", "garden")
    chat.clock.advance(10)
    chat.gateway.vanish("ghost")


def in_a_crowd(chat: Chat) -> None:
    """Let a room be so large that it is told its count only."""
    for number in range(MAX_LISTED_MEMBERS):
        chat.connect(f"member-{number}")
        chat.dynamodb.put(ROOMS, {"room": "garden", "item": f"member#member-{number}"})
    with_a_ghost(chat)


def an_id_of_the_servers(chat: Chat) -> str:
    return chat.ask("anna", {"action": "sendmessage", "message": "hello"})["messageId"]


def connecting(chat: Chat) -> list[Act]:
    return [lambda: chat.connect("new")]


def disconnecting(chat: Chat) -> list[Act]:
    with_a_ghost(chat)
    return [lambda: chat.disconnect("anna")]


def sending(chat: Chat) -> list[Act]:
    known = an_id_of_the_servers(chat)
    in_a_crowd(chat)

    def refused_at_the_last_moment() -> None:
        used_up = chat.clock.now_ms() + chat.services.config.message_burst + 100  # one each millisecond
        limits = {"room": "connection#ben", "item": "limits", "messageTat#ben": used_up}
        race = first(lambda: chat.dynamodb.put(ROOMS, limits))
        chat.dynamodb.intercept = fail_once(race, "UpdateItem", ROOMS)
        assert chat.ask("ben", {"action": "sendmessage", "message": "hello", "to": "garden"})["code"] == "rate_limited"

    def after_its_row_was_lost() -> None:
        chat.dynamodb.remove(CONNECTIONS, connectionId="cleo")
        chat.send("cleo", "hello")

    return [
        lambda: chat.send("anna", "hello", message_id=ID),
        lambda: chat.send("anna", "hello", message_id=ID),
        lambda: chat.send("anna", "hello", message_id=known),
        refused_at_the_last_moment,
        after_its_row_was_lost,
    ]


def asking_of_rooms(chat: Chat) -> list[Act]:
    in_a_crowd(chat)
    return [
        lambda: chat.join("anna", "kitchen"),
        lambda: chat.history("anna", room="garden", after=0),
        lambda: chat.ping("anna", room="garden", roster=0),
        lambda: chat.typing("anna"),
        lambda: chat.leave("anna", "garden"),
        lambda: chat.join("cleo", "garden"),
    ]


def dancing(chat: Chat) -> list[Act]:
    return [lambda: chat.ask("anna", {"action": "dance"})]


SCENARIOS = {
    CONNECT: connecting,
    DISCONNECT: disconnecting,
    SEND_MESSAGE: sending,
    ROOM: asking_of_rooms,
    DEFAULT: dancing,
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

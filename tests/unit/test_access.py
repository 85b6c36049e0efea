"""Each function uses exactly the DynamoDB and @connections permissions that routes.py declares."""

from collections.abc import Callable

import pytest

from chat.protocol.frames_out import MAX_LISTED_MEMBERS
from chat.routes import (
    CONNECT,
    DEFAULT,
    DISCONNECT,
    FUNCTIONS,
    PRIVATE_ROOM,
    ROOM,
    SEND_MESSAGE,
    SIGN_IN,
    Function,
    access,
)
from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from tests.fakes.dynamodb import Usage, fail_once
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
    check_access(chat, usage, function, accounts=False)


def signing_in(chat: Chat) -> list[Act]:
    """Anna has two connections, one of which has lapsed; a ghost is in her room."""
    chat.connect("phone", "lapsed")
    chat.sign_in("lapsed", user="u-anna", seconds=1)
    chat.sign_in("phone", user="u-anna")
    chat.clock.advance(60)
    add_ghost(chat)
    return [
        lambda: chat.sign_in("anna", secret="annas-own-secret-of-guests"),
        lambda: chat.profile("anna", "Anna-Maria"),
        lambda: chat.sign_out("anna", everywhere=True),
    ]


def signed_in_and_disconnecting(chat: Chat) -> list[Act]:
    chat.sign_in("anna")
    add_ghost(chat)
    return [lambda: chat.disconnect("anna")]


def private_room(chat: Chat) -> str:
    """Return a private room of Anna, Ben and a ghost, who is in the garden too."""
    for connection_id in ("anna", "ben", "cleo"):
        chat.sign_in(connection_id)
    add_ghost(chat)
    chat.gateway.sockets["ghost"].is_open = True
    chat.sign_in("ghost")
    room = chat.ask("anna", {"action": "createroom", "title": "Board"})["room"]
    for person in ("ben", "ghost"):
        chat.ask("anna", {"action": "invite", "room": room, "name": person})
        chat.ask(person, {"action": "accept", "room": room})
    chat.gateway.vanish("ghost")
    return room


def sending_to_a_private_room(chat: Chat) -> list[Act]:
    acts = sending(chat)
    room = private_room(chat)
    return [*acts, lambda: chat.send("anna", "hello", to=room)]


def using_private_rooms_too(chat: Chat) -> list[Act]:
    acts = using_rooms(chat)
    room = private_room(chat)
    return [*acts, lambda: chat.typing("anna", room=room), lambda: chat.join("anna", room)]


def managing_private_rooms(chat: Chat) -> list[Act]:
    room = private_room(chat)

    def doing(action: str, **fields: object) -> Act:
        return lambda: chat.call("anna", {"action": action, "room": room, **fields})

    return [
        doing("createroom", title="Another"),
        doing("editroom", title="New"),
        doing("remove", userId="u-ben", ban=True),
        doing("unban", userId="u-ben"),
        doing("direct", userId="u-cleo"),
        doing("block", userId="u-cleo", blocked=True),
        doing("rooms"),
    ]


ACCOUNT_SCENARIOS = {
    SEND_MESSAGE: sending_to_a_private_room,
    ROOM: using_private_rooms_too,
    PRIVATE_ROOM: managing_private_rooms,
    CONNECT: connecting,
    DISCONNECT: signed_in_and_disconnecting,
    DEFAULT: unknown_action,
    SIGN_IN: signing_in,
}


@pytest.mark.parametrize("function", ACCOUNT_SCENARIOS, ids=lambda function: function.name)
def test_in_a_chat_with_accounts_a_function_calls_exactly_what_it_is_allowed_to(function: Function) -> None:
    chat = Chat(sign_in="optional")
    chat.connect("anna", "ben", "cleo")
    chat.join("anna", "garden")
    chat.join("ben", "garden")
    acts = ACCOUNT_SCENARIOS[function](chat)
    chat.clear()
    with chat.dynamodb.counting() as usage:
        for act in acts:
            act()
    check_access(chat, usage, function, accounts=True)


def check_access(chat: Chat, usage: Usage, function: Function, *, accounts: bool) -> None:
    """The calls are those that the function's role allows, and all of them."""
    granted = access(function, accounts=accounts)
    allowed = {(table, operation) for table, operations in granted.items() for operation in operations}
    assert {(call.table, operation) for call in usage.calls for operation in call.permissions} == allowed
    assert bool(chat.gateway.posts) is function.posts
    assert {table for table, _ in allowed} <= {CONNECTIONS, MESSAGES, ROOMS}

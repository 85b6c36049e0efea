"""Every single DynamoDB fault, at every call of every operation, followed by the client's reaction."""

from collections.abc import Callable

import pytest

from chat.schema import MESSAGES
from chat.store.connections import CONNECTION_SECONDS
from tests.fakes.dynamodb import (
    Interceptor,
    carry_out,
    fail_nth,
    fail_once,
    kill_after,
    kill_before,
    lose_answer,
    send_twice,
    throttle,
)
from tests.fakes.invariants import broken_logs, broken_memberships
from tests.fakes.services import Chat

ID = "11111111-2222-4333-8444-555555555555"
HALF_SENT = "66666666-7777-4888-9999-aaaaaaaaaaaa"
SEND = {"action": "sendmessage", "message": "hello", "messageId": ID, "to": "garden"}


def _connect(chat: Chat, attempt: int) -> bool:
    return chat.gateway.connect(f"zoe-{attempt}") == 200


def _frame(connection_id: str, **frame: object) -> Callable[[Chat, int], bool]:
    """Return an act that sends a frame and returns whether it got an answer other than a retryable error."""

    def act(chat: Chat, _attempt: int) -> bool:
        before = len(chat.frames(connection_id))
        chat.call(connection_id, frame)
        answers = chat.frames(connection_id)[before:]
        return any(answer.get("code", "fine") != "internal" and "type" in answer for answer in answers)

    return act


def _disconnect(chat: Chat, attempt: int) -> bool:
    if attempt == 0:
        chat.gateway.disconnect("anna")
    return True


def _send_after_silence(chat: Chat, attempt: int) -> bool:
    if attempt == 0:
        chat.clock.advance(40 * 86400)
    return _frame("anna", **SEND)(chat, attempt)


ACTS: dict[str, Callable[[Chat, int], bool]] = {
    "connect": _connect,
    "first join": _frame("cleo", action="join", room="garden", name="Cleo"),
    "further join": _frame("anna", action="join", room="kitchen"),
    "join of a new room": _frame("anna", action="join", room="attic"),
    "send": _frame("anna", **SEND),
    "send after a long silence": _send_after_silence,
    "send of what another function died with": _frame("ben", **{**SEND, "messageId": HALF_SENT}),
    "send without to": _frame("anna", action="sendmessage", message="hello", messageId=ID),
    "send without an id": _frame("anna", action="sendmessage", message="hello"),
    "send to a room with a ghost": _frame("ben", action="sendmessage", message="hello", messageId=ID, to="kitchen"),
    "first send of the lobby": _frame("lou", action="sendmessage", message="hello", messageId=ID, to="lobby"),
    "leave": _frame("anna", action="leave", room="garden"),
    "leave of the lobby": _frame("cleo", action="leave", room="lobby"),
    "disconnect": _disconnect,
}


def _chat() -> Chat:
    """Return a chat: anna and ben in the garden, ben and a ghost in the kitchen, cleo and lou in the lobby."""
    chat = Chat()
    chat.connect("anna", "ben", "cleo", "lou", "ghost")
    for connection_id, room in (("anna", "garden"), ("ben", "garden"), ("ben", "kitchen"), ("ghost", "kitchen")):
        chat.join(connection_id, room)
    chat.send("ben", "first", to="garden")
    chat.dynamodb.intercept = fail_once(kill_after, "PutItem", MESSAGES)
    chat.call("anna", {**SEND, "messageId": HALF_SENT})
    chat.dynamodb.intercept = carry_out
    chat.gateway.vanish("ghost")
    chat.clock.advance(60)
    return chat


def _settle(chat: Chat) -> None:
    """Post to each room, as the next message would, so all gone connections are found."""
    for _ in range(2):
        chat.clock.advance(60)
        for connection_id, room in (("ben", "garden"), ("ben", "kitchen"), ("lou", "lobby")):
            chat.send(connection_id, "Is anybody here?", to=room)


def _calls(act: Callable[[Chat, int], bool]) -> list[str]:
    """Return the DynamoDB operations that an act calls."""
    chat = _chat()
    with chat.dynamodb.counting() as usage:
        assert act(chat, 0)
    return usage.operations


FAULTS = {
    "killed before": kill_before,
    "killed after": kill_after,
    "answer lost": lose_answer,
    "throttled": throttle,
    "sent twice": send_twice,
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_request_that_botocore_sends_twice_has_no_visible_effect(act: Callable[[Chat, int], bool]) -> None:
    """Except for a deletion: its second response says that there was nothing, so a leave may go unannounced."""

    def seen(number: int | None) -> dict[str, list[dict[str, object]]]:
        chat = _chat()
        chat.dynamodb.intercept = carry_out if number is None else fail_nth(send_twice, number)
        assert act(chat, 0)
        return {
            name: [{**frame, "timestamp": ""} for frame in socket.frames]
            for name, socket in chat.gateway.sockets.items()
        }

    expected = seen(None)
    for number, operation in enumerate(_calls(act)):
        if operation != "DeleteItem":
            assert seen(number) == expected, (number, operation)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_retry_recovers_from_any_failure(act: Callable[[Chat, int], bool], fault: Interceptor) -> None:
    broken = {}
    for number, operation in enumerate(_calls(act)):
        chat = _chat()
        chat.dynamodb.intercept = fail_nth(fault, number)
        is_settled = act(chat, 0)
        chat.dynamodb.intercept = carry_out
        attempt = 1
        while not is_settled:
            chat.clock.advance(5)
            is_settled = act(chat, attempt)
            attempt += 1
            assert attempt < 5
        _settle(chat)
        sockets = [name for name, socket in chat.gateway.sockets.items() if socket.is_open]
        breaches = broken_logs(chat.dynamodb)
        if chat.clock.monotonic() < CONNECTION_SECONDS:
            breaches += broken_memberships(chat.dynamodb, sockets)
        if breaches:
            broken[f"{number}, {operation}"] = breaches
    assert not broken

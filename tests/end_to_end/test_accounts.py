"""Accounts over real sockets: sign-in, a private room from invitation to removal, and a direct conversation."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from chat_client.errors import RefusedError
from chat_client.websocket import ChatSocket, Frame
from smoke.sign_in import TestAccount, access_token
from tests.conftest import Stack

Enter = Callable[[str], ChatSocket]
ADA, BEN = "Ada", "Ben"


@pytest.fixture(scope="module")
def tokens(accounts_stack: Stack) -> dict[str, str]:
    """An access token of each account."""
    cognito = accounts_stack.client("cognito-idp")
    accounts = [TestAccount(**one) for one in accounts_stack.outputs["accounts"]]
    return {
        name: access_token(accounts_stack.outputs, cognito, account)
        for name, account in zip((ADA, BEN), accounts, strict=True)
    }


@pytest.fixture
def enter(accounts_stack: Stack, tokens: dict[str, str]) -> Iterator[Enter]:
    """Connect and sign in; a guest has no token."""
    with ExitStack() as sockets:

        def entered(name: str) -> ChatSocket:
            client = sockets.enter_context(ChatSocket(accounts_stack.websocket_url))
            if name in tokens:
                client.sign_in(tokens[name], name=name)
            return client

        yield entered


def user_id(enter: Enter, tokens: dict[str, str], name: str) -> str:
    return enter(name).sign_in(tokens[name])["userId"]


def refusal(client: ChatSocket, action: str, **fields: str) -> Frame:
    with pytest.raises(RefusedError) as refused:
        client.ask(action, "anything", **fields)
    return {key: value for key, value in refused.value.frame.items() if key not in ("room", "retryAfterMs")}


def test_a_private_room_from_its_invitation_to_a_removal(enter: Enter, tokens: dict[str, str]) -> None:
    ada, ben, bens_phone = enter(ADA), enter(BEN), enter(BEN)
    ben_id = user_id(enter, tokens, BEN)
    room = ada.ask("createroom", "room", title="Board")["room"]
    ada.send_message("Before Ben", to=room)
    link = ada.ask("createinvite", "invite", room=room)["token"]

    assert refusal(ben, "join", room=room) == refusal(ben, "join", room="~" + "a" * 26)
    entered = ben.ask("accept", "room", room=room, token=link)
    assert (entered["title"], entered["role"], entered["memberCount"]) == ("Board", "member", 2)
    assert ada.wait_for("membership", room=room, userId=ben_id)["role"] == "member"
    assert refusal(enter(BEN), "accept", room="~" + "a" * 26, token=link)["code"] == "no_such_invitation"

    sent = ada.send_message("Welcome", to=room)
    assert ben.wait_for("message", messageId=sent["messageId"]) == sent
    assert bens_phone.wait_for("message", messageId=sent["messageId"]) == sent, "on all connections of the account"
    assert [one["message"] for one in ben.history(room=room)["messages"]] == ["Welcome"], "not what was before"

    assert ada.ask("remove", "removed", room=room, userId=ben_id)["userId"] == ben_id
    for client in (ben, bens_phone):
        client.wait_for("removed", room=room, userId=ben_id)
    later = ada.send_message("Without Ben", to=room)
    for action, fields in (("join", {}), ("history", {}), ("members", {}), ("typing", {}), ("createinvite", {})):
        assert refusal(ben, action, room=room, **fields)["code"] == "no_such_room", action
    assert refusal(ben, "sendmessage", message="Still here", to=room)["code"] == "no_such_room"
    ben.ping()
    assert later["messageId"] not in [one.get("messageId") for one in ben.unread + bens_phone.unread]
    ada.ask("quit", "removed", room=room)


def test_a_guest_learns_nothing_of_private_rooms(enter: Enter) -> None:
    ada, guest = enter(ADA), enter("guest")
    room = ada.ask("createroom", "room", title="Board")["room"]
    assert refusal(guest, "join", room=room) == refusal(guest, "join", room="~" + "a" * 26)
    assert refusal(guest, "rooms")["code"] == "sign_in_required"
    ada.ask("quit", "removed", room=room)


def test_a_direct_conversation_until_one_blocks_the_other(enter: Enter, tokens: dict[str, str]) -> None:
    ada, ben = enter(ADA), enter(BEN)
    ada_id, ben_id = (user_id(enter, tokens, name) for name in (ADA, BEN))
    opened = ada.ask("direct", "room", userId=ben_id)
    room = opened["room"]
    assert (opened["kind"], opened["with"]) == ("direct", {"userId": ben_id, "name": BEN})
    assert ben.ask("direct", "room", userId=ada_id)["room"] == room, "both open the same one"
    sent = ada.send_message("Only for you", to=room)
    assert ben.wait_for("message", messageId=sent["messageId"]) == sent
    ben.ask("block", "rooms", userId=ada_id, blocked=True)
    try:
        assert refusal(ada, "sendmessage", message="Hello?", to=room)["code"] == "no_such_room"
        assert refusal(ada, "direct", userId=ben_id)["code"] == "no_such_room"
    finally:
        ben.ask("block", "rooms", userId=ada_id, blocked=False)

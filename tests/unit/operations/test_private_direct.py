"""`direct` and `block`."""

import pytest

from chat.delivery.audience import WAIT_SECONDS
from chat.schema import ROOMS
from chat.store.listings import MAX_BLOCKED
from tests.fakes.dynamodb import carry_out, fail_nth, kill_after
from tests.fakes.gateway import Frame
from tests.unit.private_rooms import PrivateChat
from tests.unit.races import first


@pytest.fixture
def chat() -> PrivateChat:
    return PrivateChat("anna", "ben", "mallory")


def block(chat: PrivateChat, connection_id: str, other: str, *, blocked: bool = True) -> Frame:
    return chat.do(connection_id, "block", userId=f"u-{other}", blocked=blocked)


def roles(chat: PrivateChat, room: str) -> set[str]:
    items = chat.dynamodb.items(ROOMS)
    return {item["item"].removeprefix("role#") for item in items if item["room"] == room and "role#" in item["item"]}


def test_whoever_opens_it_there_is_one_conversation(chat: PrivateChat) -> None:
    room = chat.direct("anna", "ben")
    assert room.startswith("@")
    assert chat.direct("ben", "anna") == room != chat.direct("anna", "mallory")
    sent = chat.send("anna", "hello", to=room)
    assert chat.frames("ben", "message") == [sent]
    (listed,) = chat.rooms("ben")["rooms"]
    assert (listed["kind"], listed["with"], listed["unread"]) == ("direct", {"userId": "u-anna", "name": "anna"}, 1)
    assert "title" not in listed
    assert [one["with"]["name"] for one in chat.rooms("anna")["rooms"]] == ["ben", "mallory"]


def test_the_partner_learns_of_a_new_conversation_once(chat: PrivateChat) -> None:
    room = chat.direct("anna", "ben")
    (frame,) = chat.frames("ben", "room")
    assert (frame["room"], frame["with"]["userId"], frame["since"]) == (room, "u-anna", 0)
    chat.direct("anna", "ben")
    assert len(chat.frames("ben", "room")) == 1


@pytest.mark.parametrize("draw", range(14))
def test_opened_by_both_at_once_it_is_one_conversation(chat: PrivateChat, draw: int) -> None:
    race = first(lambda: chat.direct("ben", "anna"))
    chat.dynamodb.intercept = fail_nth(race, draw)
    room = chat.direct("anna", "ben")
    assert roles(chat, room) == {"u-anna", "u-ben"}
    assert [one["room"] for one in chat.rooms("anna")["rooms"]] == [room]
    if chat.frames("ben", "room"):
        assert [one["room"] for one in chat.rooms("ben")["rooms"]] == [room]


def test_an_interrupted_opening_can_be_repeated(chat: PrivateChat) -> None:
    for number in range(12):
        chat.dynamodb.intercept = fail_nth(kill_after, number)
        chat.call("anna", {"action": "direct", "userId": "u-ben"})
        chat.dynamodb.intercept = carry_out
        room = chat.direct("anna", "ben")
        chat.rest()
        assert [one["room"] for one in chat.rooms("ben")["rooms"]] == [room]


def test_with_oneself_there_is_none(chat: PrivateChat) -> None:
    assert chat.code("anna", "direct", userId="u-anna") == "bad_request"
    assert chat.code("anna", "block", userId="u-anna", blocked=True) == "bad_request"


@pytest.mark.parametrize("user_id", [None, "", "a b", 7, "x" * 65], ids=repr)
def test_with_a_malformed_account_there_is_none(chat: PrivateChat, user_id: object) -> None:
    assert chat.code("anna", "direct", userId=user_id) == "bad_request"
    assert chat.code("anna", "block", userId=user_id, blocked=True) == "bad_request"


@pytest.mark.parametrize("blocked", [None, "yes", 1], ids=repr)
def test_block_needs_to_know_whether(chat: PrivateChat, blocked: object) -> None:
    assert chat.code("anna", "block", userId="u-ben", blocked=blocked) == "bad_request"


def test_nobodys_account_and_one_that_has_blocked_are_one_answer(chat: PrivateChat) -> None:
    block(chat, "ben", "anna")
    answers = set()
    for user_id in ("u-nobody", "u-ben"):
        chat.rest()
        with chat.dynamodb.counting() as usage:
            reply = chat.call("anna", {"action": "direct", "userId": user_id})
        answers.add((reply["statusCode"], reply["body"], usage.round_trips(), tuple(sorted(usage.operations))))
        assert chat.gateway.posts == []
    ((status, body, *_),) = answers
    assert status == 404
    assert '"no_such_room"' in body


def test_a_conversation_has_no_other_members_and_no_end(chat: PrivateChat) -> None:
    room = chat.direct("anna", "ben")
    for action in ("quit", "createinvite", "editroom", "invite", "unban", "remove", "setrole"):
        fields = {"title": "Ours", "name": "mallory", "userId": "u-ben", "role": "owner"}
        assert chat.code("anna", action, room=room, **fields) == "not_allowed"
        chat.rest()
    assert chat.code("mallory", "accept", room=room) == "no_such_invitation"
    assert roles(chat, room) == {"u-anna", "u-ben"}


def test_a_blocked_account_hears_and_says_nothing_until_it_is_unblocked(chat: PrivateChat) -> None:
    room = chat.direct("anna", "ben")
    chat.send("ben", "one", to=room)
    chat.rest()
    started = chat.clock.monotonic()
    assert block(chat, "anna", "ben")["blocked"] == [{"userId": "u-ben", "name": "ben"}]
    assert chat.clock.monotonic() - started >= WAIT_SECONDS
    assert [frame["room"] for frame in chat.frames("ben", "removed")] == [room]
    assert chat.code("ben", "sendmessage", to=room, message="two") == "no_such_room"
    assert chat.code("ben", "direct", userId="u-anna") == "no_such_room"
    chat.clear()
    chat.send("anna", "to myself", to=room)
    assert chat.frames("ben") == []
    assert chat.rooms("ben")["rooms"] == []
    assert chat.direct("anna", "ben") == room, "the conversation stays open for Anna"
    assert roles(chat, room) == {"u-anna"}
    assert block(chat, "anna", "ben", blocked=False)["blocked"] == []
    page = chat.history("ben", room=room)
    assert [message["message"] for message in page["messages"]] == ["one", "to myself"]
    assert [one["room"] for one in chat.rooms("ben")["rooms"]] == [room]


def test_two_who_have_blocked_each_other(chat: PrivateChat) -> None:
    room = chat.direct("anna", "ben")
    block(chat, "anna", "ben")
    block(chat, "ben", "anna")
    assert roles(chat, room) == set()
    assert chat.code("anna", "direct", userId="u-ben") == "no_such_room"
    block(chat, "anna", "ben", blocked=False)
    assert roles(chat, room) == {"u-ben"}
    assert chat.code("anna", "sendmessage", to=room, message="hello") == "no_such_room"


def test_blocking_before_any_conversation(chat: PrivateChat) -> None:
    block(chat, "anna", "mallory")
    assert chat.code("mallory", "direct", userId="u-anna") == "no_such_room"
    block(chat, "anna", "mallory", blocked=False)
    assert chat.rooms("anna")["rooms"] == chat.rooms("mallory")["rooms"] == []
    chat.direct("mallory", "anna")


def test_invitations_of_a_blocked_account_are_not_listed(chat: PrivateChat) -> None:
    room = chat.create("mallory")
    chat.do("mallory", "invite", room=room, name="anna")
    assert len(chat.rooms("anna")["invitations"]) == 1
    assert block(chat, "anna", "mallory")["invitations"] == []


def test_a_block_while_the_conversation_is_opened_holds(chat: PrivateChat) -> None:
    opens = {"action": "direct", "userId": "u-anna"}
    blocks = {"action": "block", "userId": "u-ben", "blocked": True}
    for number in range(14):
        for act, other in ((("ben", opens), ("anna", blocks)), (("anna", blocks), ("ben", opens))):
            ran = []

            def meanwhile(other: tuple[str, Frame] = other, ran: list[int] = ran) -> None:
                ran.append(1)
                chat.call(*other)

            chat.dynamodb.intercept = fail_nth(first(meanwhile), number)
            chat.call(*act)
            chat.dynamodb.intercept = carry_out
            if not ran:
                chat.call(*other)
            room = chat.direct("anna", "ben")
            assert "u-ben" not in roles(chat, room), number
            block(chat, "anna", "ben", blocked=False)
            for item in ("role#u-anna", "role#u-ben", "settings"):
                chat.dynamodb.remove(ROOMS, room=room, item=item)
            chat.rest()


@pytest.mark.parametrize("number", range(8))
def test_an_unblocked_account_keeps_its_listing_whenever_it_looks(chat: PrivateChat, number: int) -> None:
    room = chat.direct("anna", "ben")
    block(chat, "anna", "ben")
    chat.rest()
    chat.dynamodb.intercept = fail_nth(first(lambda: block(chat, "anna", "ben", blocked=False)), number)
    chat.rooms("ben")
    chat.dynamodb.intercept = carry_out
    block(chat, "anna", "ben", blocked=False)
    assert [one["room"] for one in chat.rooms("ben")["rooms"]] == [room]


def test_an_account_blocks_at_most_100_others_and_sees_all_of_them(chat: PrivateChat) -> None:
    """Whom the list did not show nobody could unblock."""
    for number in range(MAX_BLOCKED):
        key = {"room": "user#u-anna", "item": f"blocked#{number:036}"}
        chat.dynamodb.put(ROOMS, {**key, "name": "\U0001f600" * 40, "at": 1})
    assert len(chat.rooms("anna")["blocked"]) == MAX_BLOCKED
    assert chat.code("anna", "block", userId="u-ben", blocked=True) == "bad_request"
    assert chat.do("anna", "block", userId=f"{1:036}", blocked=True)["type"] == "rooms", "a repeat"
    block(chat, "anna", f"{1:036}", blocked=False)
    chat.do("anna", "block", userId=f"{1:036}", blocked=False)
    assert len(block(chat, "anna", "ben")["blocked"]) == MAX_BLOCKED

"""`members`, `setrole`, `remove`, `unban` and `quit`: roles, and races of those who have them."""

from collections.abc import Callable

import pytest

from chat.delivery.audience import WAIT_SECONDS
from chat.schema import ROOMS
from tests.fakes.dynamodb import carry_out, fail_nth, fail_once, kill_after
from tests.fakes.expressions import Item
from tests.fakes.invariants import broken_private_rooms
from tests.unit.private_rooms import PrivateChat
from tests.unit.races import first

PEOPLE = ("anna", "olga", "maud", "mia", "ben", "cleo", "mallory")


@pytest.fixture
def chat() -> PrivateChat:
    return PrivateChat(*PEOPLE)


@pytest.fixture
def room(chat: PrivateChat) -> str:
    """Anna and Olga are owners, Maud and Mia moderators, Ben and Cleo members; Mallory is not."""
    room = chat.create("anna")
    for person in PEOPLE[1:-1]:
        chat.admit(person, room)
        chat.rest()
    chat.set_role("anna", room, "olga", "owner")
    for person in ("maud", "mia"):
        chat.set_role("anna", room, person, "moderator")
    chat.rest()
    return room


def test_members_are_listed_with_their_roles(chat: PrivateChat, room: str) -> None:
    assert chat.members("ben", room) == {
        "u-anna": "owner",
        "u-olga": "owner",
        "u-maud": "moderator",
        "u-mia": "moderator",
        "u-ben": "member",
        "u-cleo": "member",
    }


@pytest.mark.parametrize(("person", "sees"), [("ben", False), ("maud", True), ("anna", True)])
def test_only_owners_and_moderators_see_bans_and_links(chat: PrivateChat, room: str, person: str, sees: bool) -> None:
    token = chat.link("anna", room, uses=3, hours=1)
    chat.remove("anna", room, "cleo", ban=True)
    listed = chat.do(person, "members", room=room)
    assert ("banned" in listed) is ("invites" in listed) is sees
    assert token not in str(listed)
    if sees:
        assert listed["banned"] == [{"userId": "u-cleo", "name": "cleo"}]
        (link,) = listed["invites"]
        assert (link["uses"], link["by"]) == (3, "u-anna")


MAY_REMOVE = {
    "anna": {"olga", "maud", "mia", "ben", "cleo"},
    "maud": {"ben", "cleo"},
    "ben": set[str](),
}


@pytest.mark.parametrize("target", ["olga", "mia", "cleo"])
@pytest.mark.parametrize("person", MAY_REMOVE)
@pytest.mark.parametrize("ban", [False, True])
def test_who_may_remove_whom(chat: PrivateChat, room: str, person: str, target: str, ban: bool) -> None:
    answer = chat.do(person, "remove", room=room, userId=f"u-{target}", ban=ban)
    assert (answer["type"] == "removed") is (target in MAY_REMOVE[person])
    if answer["type"] == "error":
        assert answer["code"] == "not_allowed"
    assert (f"u-{target}" in chat.members("anna", room)) is (target not in MAY_REMOVE[person])
    assert broken_private_rooms(chat.dynamodb) == []


@pytest.mark.parametrize("action", ["createinvite", "invite", "unban", "revokeinvite"])
def test_members_do_not_manage(chat: PrivateChat, room: str, action: str) -> None:
    fields = {"name": "mallory", "userId": "u-mallory", "inviteId": "a" * 16}
    assert chat.code("ben", action, room=room, **fields) == "not_allowed"
    assert chat.do("maud", action, room=room, **fields)["type"] != "error"


@pytest.mark.parametrize("person", ["maud", "ben"])
def test_only_owners_change_roles(chat: PrivateChat, room: str, person: str) -> None:
    assert chat.code(person, "setrole", room=room, userId="u-ben", role="owner") == "not_allowed"


def test_all_members_learn_of_a_new_role(chat: PrivateChat, room: str) -> None:
    answer = chat.set_role("anna", room, "ben", "moderator")
    assert {one["userId"]: one["role"] for one in answer["members"]}["u-ben"] == "moderator"
    change = {"type": "membership", "room": room, "userId": "u-ben", "name": "ben", "role": "moderator", "by": "u-anna"}
    for person in PEOPLE[:-1]:
        assert chat.frames(person, "membership") == [change]
    assert chat.frames("mallory") == []


def test_the_same_role_again_changes_nothing(chat: PrivateChat, room: str) -> None:
    chat.set_role("anna", room, "ben", "member")
    assert chat.frames("ben") == []


@pytest.mark.parametrize("action", ["setrole", "remove"])
def test_an_action_on_somebody_who_is_no_member(chat: PrivateChat, room: str, action: str) -> None:
    assert chat.code("anna", action, room=room, userId="u-mallory", role="member") == "not_a_member"
    assert chat.code("anna", action, room=room, userId="u-nobody", role="member") == "not_a_member"


def test_nobody_removes_themselves(chat: PrivateChat, room: str) -> None:
    answer = chat.do("anna", "remove", room=room, userId="u-anna")
    assert (answer["code"], answer["error"]) == ("bad_request", "You cannot remove yourself; send quit")


@pytest.mark.parametrize(
    "fields",
    [
        {"userId": None},
        {"userId": "a b"},
        {"userId": "x" * 65},
        {"userId": "u-ben", "ban": "yes"},
    ],
    ids=str,
)
def test_remove_of_a_malformed_account(chat: PrivateChat, room: str, fields: dict[str, object]) -> None:
    assert chat.code("anna", "remove", room=room, **fields) == "bad_request"


@pytest.mark.parametrize("role", [None, "admin", "", 7], ids=repr)
def test_setrole_to_no_role(chat: PrivateChat, room: str, role: object) -> None:
    assert chat.code("anna", "setrole", room=room, userId="u-ben", role=role) == "bad_request"


def test_a_removal_is_acknowledged_after_the_wait_and_all_are_told_before(chat: PrivateChat, room: str) -> None:
    chat.connect("phone")
    chat.sign_in("phone", user="u-ben")
    chat.rest()
    started = chat.clock.monotonic()
    chat.remove("anna", room, "ben")
    posts = [(post.connection_id, post.frame["type"], post.at - started) for post in chat.gateway.posts]
    assert {post[:2] for post in posts if post[2] < WAIT_SECONDS} == {
        ("ben", "removed"),
        ("phone", "removed"),
        *((person, "membership") for person in ("olga", "maud", "mia", "cleo")),
    }
    assert {post[:2] for post in posts if post[2] >= WAIT_SECONDS} == {("anna", "removed"), ("anna", "membership")}
    assert chat.rooms("ben")["rooms"] == []


def test_a_removed_account_may_come_back_by_another_link(chat: PrivateChat, room: str) -> None:
    chat.remove("anna", room, "ben")
    assert chat.admit("ben", room)["role"] == "member"


# quit


def test_a_member_quits(chat: PrivateChat, room: str) -> None:
    assert chat.quit("ben", room) == {"type": "removed", "room": room, "userId": "u-ben"}
    (change,) = chat.frames("cleo", "membership")
    assert (change["userId"], change["role"], change["by"]) == ("u-ben", None, "u-ben")
    assert chat.frames("ben", "membership") == []
    assert chat.code("ben", "quit", room=room) == "no_such_room"


def test_an_owner_quits_if_there_is_another(chat: PrivateChat, room: str) -> None:
    chat.quit("anna", room)
    assert chat.code("olga", "quit", room=room) == "last_owner"
    assert chat.code("olga", "setrole", room=room, userId="u-olga", role="member") == "last_owner"
    chat.set_role("olga", room, "ben", "owner")
    chat.set_role("olga", room, "olga", "member")
    chat.quit("olga", room)
    assert chat.members("ben", room)["u-ben"] == "owner"
    assert broken_private_rooms(chat.dynamodb) == []


def test_the_room_of_an_owner_who_is_alone_ends(chat: PrivateChat) -> None:
    room = chat.create("anna")
    token = chat.link("anna", room, uses=2)
    chat.quit("anna", room)
    assert chat.code("ben", "accept", room=room, token=token) == "no_such_invitation"
    assert chat.rooms("anna")["rooms"] == []
    assert not chat.dynamodb.item(ROOMS, room=room, item="settings")


def test_a_sole_member_stays_its_owner(chat: PrivateChat) -> None:
    room = chat.create("anna")
    assert chat.code("anna", "setrole", room=room, userId="u-anna", role="member") == "last_owner"


# Races


def races(chat: PrivateChat, act: Callable[[], object], other: Callable[[], object]) -> None:
    """Let another action happen at each call of an action; the counts and owners stay right."""
    before = chat.dynamodb.items(ROOMS)
    for number in range(12):
        restore(chat, before)
        chat.dynamodb.intercept = fail_nth(first(other), number)
        act()
        assert broken_private_rooms(chat.dynamodb) == [], number
    restore(chat, before)


def restore(chat: PrivateChat, items: list[Item]) -> None:
    """Put back what the table contained."""
    for item in chat.dynamodb.items(ROOMS):
        chat.dynamodb.remove(ROOMS, room=item["room"], item=item["item"])
    for item in items:
        chat.dynamodb.put(ROOMS, item)
    chat.services.seen_allowances.clear()
    chat.rest()


def asking(chat: PrivateChat, connection_id: str, action: str, **fields: object) -> Callable[[], object]:
    def act() -> None:
        chat.call(connection_id, {"action": action, **fields})

    return act


def test_of_two_owners_who_leave_together_one_stays(chat: PrivateChat, room: str) -> None:
    for one, other in (("quit", "quit"), ("setrole", "quit"), ("quit", "setrole"), ("setrole", "setrole")):
        races(
            chat,
            asking(chat, "anna", one, room=room, userId="u-anna", role="member"),
            asking(chat, "olga", other, room=room, userId="u-olga", role="member"),
        )


def test_two_owners_who_remove_each_other(chat: PrivateChat, room: str) -> None:
    races(
        chat,
        asking(chat, "anna", "remove", room=room, userId="u-olga"),
        asking(chat, "olga", "remove", room=room, userId="u-anna", ban=True),
    )


def test_a_member_made_owner_while_being_removed(chat: PrivateChat, room: str) -> None:
    races(
        chat,
        asking(chat, "maud", "remove", room=room, userId="u-ben"),
        asking(chat, "anna", "setrole", room=room, userId="u-ben", role="owner"),
    )
    races(
        chat,
        asking(chat, "anna", "setrole", room=room, userId="u-ben", role="owner"),
        asking(chat, "maud", "remove", room=room, userId="u-ben"),
    )


def test_a_moderator_who_was_just_removed_removes_nobody(chat: PrivateChat, room: str) -> None:
    other = first(asking(chat, "anna", "remove", room=room, userId="u-maud"))
    chat.dynamodb.intercept = fail_once(other, "TransactWriteItems")
    chat.call("maud", {"action": "remove", "room": room, "userId": "u-ben"})
    assert chat.frames("maud", "error")[-1]["code"] == "no_such_room"
    assert "u-ben" in chat.members("anna", room)


def test_an_owner_alone_quits_while_somebody_enters(chat: PrivateChat) -> None:
    room = chat.create("anna")
    token = chat.link("anna", room, uses=100)
    enter = asking(chat, "ben", "accept", room=room, token=token)
    races(chat, asking(chat, "anna", "quit", room=room), enter)
    races(chat, enter, asking(chat, "anna", "quit", room=room))


def test_two_removals_at_once_are_both_answered_after_the_wait(chat: PrivateChat, room: str) -> None:
    answered: list[float] = []

    def remove_too() -> None:
        answered.append(chat.clock.monotonic())
        assert chat.remove("olga", room, "ben")
        answered.append(chat.clock.monotonic())

    chat.dynamodb.intercept = fail_once(first(remove_too), "TransactWriteItems")
    chat.call("anna", {"action": "remove", "room": room, "userId": "u-ben"})
    assert chat.frames("anna", "error")[-1]["code"] == "not_a_member"
    assert answered[1] - answered[0] >= WAIT_SECONDS


def test_an_interrupted_removal_is_answered_after_the_wait(chat: PrivateChat, room: str) -> None:
    chat.dynamodb.intercept = fail_once(kill_after, "TransactWriteItems")
    chat.call("anna", {"action": "remove", "room": room, "userId": "u-ben"})
    chat.clear()
    started = chat.clock.monotonic()
    assert chat.code("anna", "remove", room=room, userId="u-ben") == "not_a_member"
    assert chat.clock.monotonic() - started >= WAIT_SECONDS
    assert chat.remove("anna", room, "ben", ban=True) == {"type": "removed", "room": room, "userId": "u-ben"}
    assert chat.do("anna", "members", room=room)["banned"] == [{"userId": "u-ben", "name": "ben"}]


def test_one_who_comes_back_during_the_removal_keeps_the_listing(chat: PrivateChat, room: str) -> None:
    token = chat.link("anna", room, uses=100)
    for number in range(10):
        chat.dynamodb.intercept = fail_nth(first(asking(chat, "ben", "accept", room=room, token=token)), number)
        chat.call("anna", {"action": "remove", "room": room, "userId": "u-ben"})
        chat.dynamodb.intercept = carry_out
        is_member = "u-ben" in chat.members("anna", room)
        assert bool(chat.rooms("ben")["rooms"]) is is_member
        if not is_member:
            listing = chat.dynamodb.item(ROOMS, room="user#u-ben", item=f"room#{room}")
            assert not listing, "it is deleted at once"
            chat.accept("ben", room, token)
        chat.rest()


def test_the_latest_bans_are_listed_first(chat: PrivateChat, room: str) -> None:
    """A list that is too long for the frame leaves out the oldest, not those that one may want to lift."""
    for number in range(200):
        ban = {"room": room, "item": f"ban#u-{number:036}", "name": "\U0001f600" * 40, "at": number}
        chat.dynamodb.put(ROOMS, ban)
    chat.rest()
    banned = [each["userId"] for each in chat.do("anna", "members", room=room)["banned"]]
    assert banned == [f"u-{number:036}" for number in range(199, 199 - len(banned), -1)]
    assert len(banned) > 50

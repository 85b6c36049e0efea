"""`createinvite`, `revokeinvite`, `invite`, `accept` and `decline`."""

import json
from collections.abc import Callable

import pytest

from chat.schema import ROOMS
from chat.store.invitations import MAX_LINKS
from chat.store.listings import MAX_INVITATIONS, MAX_INVITATIONS_BY_ONE
from chat.store.private_rooms import MAX_MEMBERS
from tests.fakes.dynamodb import carry_out, conflict, fail_nth, fail_once, kill_after, kill_before, lose_answer
from tests.fakes.invariants import broken_private_rooms
from tests.unit.private_rooms import UNKNOWN, PrivateChat
from tests.unit.races import first

HOUR = 3600


@pytest.fixture
def chat() -> PrivateChat:
    return PrivateChat("anna", "ben", "cleo", "mallory")


@pytest.fixture
def room(chat: PrivateChat) -> str:
    """Anna's private room."""
    room = chat.create("anna")
    chat.rest()
    return room


def uses_left(chat: PrivateChat, room: str) -> list[int]:
    return [each["uses"] for each in chat.do("anna", "members", room=room)["invites"]]


def refusal(chat: PrivateChat, connection_id: str, room: str, token: str | None = None) -> str:
    fields = {} if token is None else {"token": token}
    return chat.code(connection_id, "accept", room=room, **fields)


# Links


def test_a_link_is_shown_once_and_stored_as_a_digest(chat: PrivateChat, room: str) -> None:
    invite = chat.do("anna", "createinvite", room=room)
    assert invite.keys() == {"type", "room", "inviteId", "token", "uses", "expiresAt"}
    assert (invite["uses"], invite["expiresAt"]) == (1, "2027-01-22T08:02:00.000Z")
    assert len(invite["token"]) >= 22
    assert invite["token"] not in json.dumps(chat.dynamodb.items(ROOMS), default=sorted)
    assert invite["token"] not in chat.services.log.getvalue()
    assert invite["token"] != chat.link("anna", room)


def test_a_new_member_is_announced(chat: PrivateChat, room: str) -> None:
    answer = chat.admit("ben", room)
    assert (answer["role"], answer["memberCount"]) == ("member", 2)
    (change,) = chat.frames("anna", "membership")
    assert (change["userId"], change["name"], change["role"]) == ("u-ben", "ben", "member")


@pytest.mark.parametrize(
    "fields",
    [{"uses": 0}, {"uses": 101}, {"uses": "1"}, {"uses": 1.5}, {"hours": 0}, {"hours": 721}, {"hours": True}],
    ids=str,
)
def test_a_link_with_bad_bounds(chat: PrivateChat, room: str, fields: dict[str, object]) -> None:
    assert chat.code("anna", "createinvite", room=room, **fields) == "bad_request"


def test_a_link_admits_as_many_as_it_has_uses(chat: PrivateChat, room: str) -> None:
    token = chat.link("anna", room, uses=2)
    chat.accept("ben", room, token)
    assert uses_left(chat, room) == [1]
    chat.accept("cleo", room, token)
    assert uses_left(chat, room) == []
    assert refusal(chat, "mallory", room, token) == "no_such_invitation"


def test_a_member_spends_no_use(chat: PrivateChat, room: str) -> None:
    token = chat.link("anna", room, uses=2)
    for _ in range(3):
        assert chat.accept("ben", room, token)["role"] == "member"
    assert chat.accept("anna", room, token)["role"] == "owner"
    assert chat.accept("ben", room, "a-token-that-nobody-has")["role"] == "member"
    assert uses_left(chat, room) == [1]


def test_a_link_expires(chat: PrivateChat, room: str) -> None:
    token = chat.link("anna", room, hours=1)
    chat.clock.advance(HOUR - 1)
    for person in ("anna", "ben", "cleo"):
        chat.sign_in(person)
    other = chat.link("anna", room, hours=1)
    chat.clock.advance(1)
    assert refusal(chat, "ben", room, token) == "no_such_invitation"
    assert len(uses_left(chat, room)) == 1
    chat.accept("ben", room, other)


def test_a_revoked_link_admits_nobody(chat: PrivateChat, room: str) -> None:
    invite, kept = chat.do("anna", "createinvite", room=room), chat.link("anna", room, uses=7)
    chat.do("anna", "revokeinvite", room=room, inviteId=invite["inviteId"])
    assert uses_left(chat, room) == [7]
    assert refusal(chat, "ben", room, invite["token"]) == "no_such_invitation"
    chat.do("anna", "revokeinvite", room=room, inviteId=invite["inviteId"])
    chat.accept("ben", room, kept)


@pytest.mark.parametrize("invite_id", [None, "", "A" * 16, 7, "a" * 65], ids=repr)
def test_revoking_a_malformed_id(chat: PrivateChat, room: str, invite_id: object) -> None:
    assert chat.code("anna", "revokeinvite", room=room, inviteId=invite_id) == "bad_request"


@pytest.mark.parametrize("token", ["", "short", "x" * 129, "with space 1234567", 7, []], ids=repr)
def test_a_malformed_token_is_one_of_no_invitation(chat: PrivateChat, room: str, token: object) -> None:
    assert chat.code("ben", "accept", room=room, token=token) == "no_such_invitation"


def test_all_refused_acceptances_are_one_answer_after_the_same_calls(chat: PrivateChat, room: str) -> None:
    """Wrong, of another room, used up, expired, revoked, banned, and of no room."""
    used, expired, good = chat.link("anna", room), chat.link("anna", room, hours=1), chat.link("anna", room, uses=9)
    other = chat.create("anna")
    revoked = chat.do("anna", "createinvite", room=other)
    chat.do("anna", "revokeinvite", room=other, inviteId=revoked["inviteId"])
    chat.accept("cleo", room, used)
    chat.accept("ben", room, good)
    chat.remove("anna", room, "ben", ban=True)
    chat.clock.advance(HOUR)
    for person in ("anna", "ben", "mallory"):
        chat.sign_in(person)
    tries = [
        ("mallory", room, "a-token-that-nobody-has"),
        ("mallory", other, good),
        ("mallory", room, used),
        ("mallory", room, expired),
        ("mallory", other, revoked["token"]),
        ("ben", room, good),
        ("mallory", UNKNOWN, good),
        ("mallory", room, None),
        ("ben", room, None),
    ]
    answers = set()
    for person, named, token in tries:
        chat.rest()
        with chat.dynamodb.counting() as usage:
            reply = chat.call(person, {"action": "accept", "room": named, "token": token})
        body = reply["body"].replace(named, "the room")
        answers.add((reply["statusCode"], body, usage.round_trips(), tuple(sorted(usage.operations))))
        assert chat.gateway.posts == []
    ((status, body, *_),) = answers
    assert status == 404
    assert '"no_such_invitation"' in body
    assert uses_left(chat, room) == [8]


def test_a_ban_outlives_all_invitations_until_it_is_lifted(chat: PrivateChat, room: str) -> None:
    token = chat.link("anna", room, uses=9)
    chat.do("anna", "invite", room=room, name="ben")
    chat.accept("ben", room, token)
    chat.remove("anna", room, "ben", ban=True)
    chat.do("anna", "invite", room=room, name="ben")
    assert refusal(chat, "ben", room, token) == refusal(chat, "ben", room) == "no_such_invitation"
    chat.do("anna", "unban", room=room, userId="u-ben")
    chat.accept("ben", room, token)


def test_one_removed_without_a_ban_may_use_what_a_link_has_left(chat: PrivateChat, room: str) -> None:
    once, twice = chat.link("anna", room), chat.link("anna", room, uses=2)
    chat.accept("ben", room, once)
    chat.remove("anna", room, "ben")
    assert refusal(chat, "ben", room, once) == "no_such_invitation"
    chat.accept("ben", room, twice)


# By name


def test_an_invitation_by_name_reaches_the_account_and_its_list(chat: PrivateChat, room: str) -> None:
    assert chat.do("anna", "invite", room=room, name="Ben") == {"type": "invited", "room": room, "name": "Ben"}
    (frame,) = chat.frames("ben", "invitation")
    by = {"userId": "u-anna", "name": "anna"}
    assert frame == {"type": "invitation", "room": room, "by": by, "expiresAt": "2027-01-22T08:02:00.000Z"}
    (listed,) = chat.rooms("ben")["invitations"]
    assert listed == {name: value for name, value in frame.items() if name != "type"}
    chat.accept("ben", room)
    assert chat.rooms("ben")["invitations"] == []
    chat.quit("ben", room)
    assert refusal(chat, "ben", room) == "no_such_invitation", "it has been used"


def test_an_invitation_by_name_expires(chat: PrivateChat, room: str) -> None:
    chat.do("anna", "invite", room=room, name="ben")
    chat.clock.advance(168 * HOUR)
    chat.connect("later")
    chat.sign_in("later", user="u-ben")
    assert chat.rooms("later")["invitations"] == []
    assert refusal(chat, "later", room) == "no_such_invitation"


def test_a_declined_invitation_is_gone(chat: PrivateChat, room: str) -> None:
    chat.do("anna", "invite", room=room, name="ben")
    assert chat.do("ben", "decline", room=room)["invitations"] == []
    assert refusal(chat, "ben", room) == "no_such_invitation"
    assert chat.do("ben", "decline", room=UNKNOWN)["type"] == "rooms"


def test_an_invitation_to_oneself(chat: PrivateChat, room: str) -> None:
    answer = chat.do("anna", "invite", room=room, name="anna")
    assert (answer["code"], answer["error"]) == ("bad_request", "You cannot invite yourself; you are a member")


def test_invited_says_nothing_of_the_account(chat: PrivateChat, room: str) -> None:
    """Nobody's name, somebody's, a member's, a banned account's, and one's who has blocked the requester."""
    chat.connect("banned", "blocker", "member")
    for person in ("banned", "blocker", "member"):
        chat.sign_in(person)
    chat.admit("member", room)
    chat.admit("banned", room)
    chat.remove("anna", room, "banned", ban=True)
    chat.do("blocker", "block", userId="u-anna", blocked=True)
    answers = set()
    for name in ("nobody", "ben", "member", "banned", "blocker"):
        chat.rest()
        with chat.dynamodb.counting() as usage:
            assert chat.call("anna", {"action": "invite", "room": room, "name": name}) == {"statusCode": 200}
        (answer,) = [post for post in chat.gateway.posts if post.connection_id == "anna"]
        body = json.dumps(answer.frame).replace(name, "the name")
        trips = usage.round_trips(before=answer.at), usage.round_trips(), usage.written
        answers.add((body, *trips, tuple(sorted(usage.operations))))
        assert bool(chat.frames(name, "invitation") if name != "nobody" else False) is (name == "ben")
    assert len(answers) == 1
    assert chat.rooms("banned")["invitations"] == chat.rooms("blocker")["invitations"] == []


@pytest.mark.parametrize("name", [None, "", " ", "x" * 41, 7], ids=repr)
def test_an_invitation_of_no_name(chat: PrivateChat, room: str, name: object) -> None:
    assert chat.code("anna", "invite", room=room, name=name) == "invalid_name"


# Races


def test_the_last_use_by_two_at_once_admits_one(chat: PrivateChat, room: str) -> None:
    for number in range(10):
        token = chat.link("anna", room)
        chat.rest()
        other: Callable[[], object] = lambda token=token: chat.call(  # noqa: E731 - named for the race
            "cleo", {"action": "accept", "room": room, "token": token}
        )
        chat.dynamodb.intercept = fail_nth(first(other), number)
        chat.call("ben", {"action": "accept", "room": room, "token": token})
        chat.dynamodb.intercept = carry_out
        entered = chat.members("anna", room).keys() - {"u-anna"}
        assert len(entered) <= 1
        assert broken_private_rooms(chat.dynamodb) == []
        for user_id in entered:
            chat.remove("anna", room, user_id.removeprefix("u-"))


def test_a_ban_at_any_moment_of_an_acceptance_holds(chat: PrivateChat, room: str) -> None:
    token = chat.link("anna", room, uses=100)
    for number in range(12):
        chat.admit("ben", room)
        chat.remove("anna", room, "ben")
        chat.rest()

        def ban() -> None:
            assert chat.remove("anna", room, "ben", ban=True)

        chat.dynamodb.intercept = fail_nth(first(ban), number)
        chat.call("ben", {"action": "accept", "room": room, "token": token})
        has_run = chat.dynamodb.intercept is not carry_out and bool(chat.frames("anna", "removed"))
        chat.dynamodb.intercept = carry_out
        assert ("u-ben" in chat.members("anna", room)) is not has_run
        if not has_run:
            chat.remove("anna", room, "ben")
        chat.do("anna", "unban", room=room, userId="u-ben")


@pytest.mark.parametrize("fault", [kill_before, kill_after, lose_answer, conflict])
def test_an_interrupted_acceptance_can_be_repeated(chat: PrivateChat, room: str, fault: object) -> None:
    token = chat.link("anna", room)
    chat.dynamodb.intercept = fail_once(fault, "TransactWriteItems")  # type: ignore[arg-type]
    chat.call("ben", {"action": "accept", "room": room, "token": token})
    chat.dynamodb.intercept = carry_out
    assert chat.accept("ben", room, token)["role"] == "member"
    assert uses_left(chat, room) == []
    assert [each["room"] for each in chat.rooms("ben")["rooms"]] == [room]


def test_the_100th_member_is_admitted_and_the_101st_is_not(chat: PrivateChat, room: str) -> None:
    for number in range(MAX_MEMBERS - 2):
        role = {"role": "member", "name": str(number), "sender": str(number), "since": 0, "at": 1}
        chat.dynamodb.put(ROOMS, {"room": room, "item": f"role#u-{number:03}", **role})
    settings = chat.dynamodb.item(ROOMS, room=room, item="settings")
    chat.dynamodb.put(ROOMS, {**settings, "members": MAX_MEMBERS - 1})
    token = chat.link("anna", room, uses=3)
    race = first(lambda: chat.call("cleo", {"action": "accept", "room": room, "token": token}))
    chat.dynamodb.intercept = fail_once(race, "TransactWriteItems")
    assert refusal(chat, "ben", room, token) == "room_full"
    assert chat.frames("cleo", "room")[0]["memberCount"] == MAX_MEMBERS
    assert refusal(chat, "ben", room, "a-token-that-nobody-has") == "no_such_invitation"
    assert uses_left(chat, room) == [2]
    assert len(chat.join("anna", room)["members"]) <= MAX_MEMBERS
    chat.send("anna", "hello", to=room)
    assert chat.frames("cleo", "message")


# Who has invited, and how many


@pytest.mark.parametrize("loss", ["removed", "demoted", "left"])
@pytest.mark.parametrize("by_name", [False, True])
def test_an_invitation_ends_with_the_role_of_the_account_that_made_it(
    chat: PrivateChat, room: str, loss: str, *, by_name: bool
) -> None:
    """Else a removed moderator could come back by a link of their own, and bring others in."""
    chat.admit("ben", room)
    chat.set_role("anna", room, "ben", "moderator")
    token = None if by_name else chat.link("ben", room, uses=5)
    if by_name:
        chat.do("ben", "invite", room=room, name="cleo")
    chat.rest()
    if loss == "removed":
        chat.remove("anna", room, "ben")
    elif loss == "left":
        chat.quit("ben", room)
    else:
        chat.set_role("anna", room, "ben", "member")
    assert refusal(chat, "cleo", room, token) == "no_such_invitation"
    if loss != "demoted" and not by_name:
        assert refusal(chat, "ben", room, token) == "no_such_invitation"
    assert uses_left(chat, room) == []


def test_an_invitation_counts_again_when_its_maker_moderates_again(chat: PrivateChat, room: str) -> None:
    chat.admit("ben", room)
    chat.set_role("anna", room, "ben", "moderator")
    token = chat.link("ben", room)
    chat.set_role("anna", room, "ben", "member")
    assert refusal(chat, "cleo", room, token) == "no_such_invitation"
    chat.set_role("anna", room, "ben", "owner")
    assert uses_left(chat, room) == [1]
    chat.accept("cleo", room, token)


def test_an_inviter_that_is_removed_meanwhile_admits_nobody(chat: PrivateChat, room: str) -> None:
    chat.admit("ben", room)
    chat.set_role("anna", room, "ben", "moderator")
    token = chat.link("ben", room)
    chat.rest()
    race = first(lambda: chat.remove("anna", room, "ben"))
    chat.dynamodb.intercept = fail_once(race, "TransactWriteItems", ROOMS)
    assert refusal(chat, "cleo", room, token) == "no_such_invitation"
    assert list(chat.members("anna", room)) == ["u-anna"]


def test_history_that_is_no_longer_shared_is_not_shown_to_whoever_is_just_entering(
    chat: PrivateChat, room: str
) -> None:
    chat.do("anna", "editroom", room=room, sharesHistory=True)
    chat.send("anna", "among ourselves", to=room)
    token = chat.link("anna", room)
    chat.rest()
    race = first(lambda: chat.do("anna", "editroom", room=room, sharesHistory=False))
    chat.dynamodb.intercept = fail_once(race, "TransactWriteItems", ROOMS)
    assert chat.accept("ben", room, token)["since"] == 1
    assert chat.history("ben", room=room)["messages"] == []


def test_a_room_has_at_most_50_links(chat: PrivateChat, room: str) -> None:
    """So `members` lists all of them, and reading them stays cheap."""
    for _ in range(MAX_LINKS):
        chat.link("anna", room, hours=1)
        chat.clock.advance(6)
    assert len(uses_left(chat, room)) == MAX_LINKS
    assert chat.code("anna", "createinvite", room=room) == "bad_request"
    some = chat.do("anna", "members", room=room)["invites"][0]["inviteId"]
    chat.do("anna", "revokeinvite", room=room, inviteId=some)
    chat.link("anna", room)


def test_an_account_gets_no_more_than_10_invitations_of_another(chat: PrivateChat) -> None:
    """The answer does not tell. What would follow expires unread, so nobody can fill another's list."""
    rooms = []
    for _ in range(MAX_INVITATIONS_BY_ONE + 1):
        rooms.append(chat.create("anna"))
        assert chat.do("anna", "invite", room=rooms[-1], name="ben")["type"] == "invited"
        chat.clock.advance(30)
    theirs = chat.create("mallory")
    chat.do("mallory", "invite", room=theirs, name="ben")
    assert {each["room"] for each in chat.rooms("ben")["invitations"]} == {*rooms[:-1], theirs}
    chat.do("ben", "decline", room=rooms[0])
    chat.do("anna", "invite", room=rooms[1], name="ben")
    chat.do("anna", "invite", room=rooms[-1], name="ben")
    assert {each["room"] for each in chat.rooms("ben")["invitations"]} == {*rooms[1:], theirs}


def test_an_account_has_at_most_100_invitations(chat: PrivateChat, room: str) -> None:
    by = {"expiresAt": chat.clock.now_ms() // 1000 + HOUR, "name": "?"}
    for number in range(MAX_INVITATIONS):
        key = {"room": "user#u-ben", "item": f"invited#~{number:026}"}
        chat.dynamodb.put(ROOMS, {**key, **by, "by": f"u-{number}"})
    chat.do("anna", "invite", room=room, name="ben")
    assert room not in {each["room"] for each in chat.rooms("ben")["invitations"]}
    assert chat.frames("ben", "invitation") == []

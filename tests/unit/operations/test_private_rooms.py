"""`createroom`, `editroom`, `rooms`, `read`, and the frames of every room in private ones."""

from collections.abc import Callable
from typing import Any

import pytest

from chat.protocol.frames_in import MAX_FRAME_BYTES
from chat.protocol.frames_out import encode
from chat.schema import CONNECTIONS, MESSAGES, ROOMS
from chat.store.listings import MAX_PRIVATE_ROOMS
from tests.fakes.dynamodb import Call, carry_out, fail_nth, fail_once, kill_after
from tests.fakes.expressions import Item
from tests.fakes.gateway import Frame
from tests.unit.private_rooms import UNKNOWN, PrivateChat
from tests.unit.races import first

ID = "11111111-2222-3333-4444-5555555555ab"


@pytest.fixture
def chat() -> PrivateChat:
    """Anna, Ben and Mallory are signed in."""
    return PrivateChat("anna", "ben", "mallory")


@pytest.fixture
def room(chat: PrivateChat) -> str:
    """A private room of Anna and Ben."""
    room = chat.create("anna")
    chat.admit("ben", room)
    chat.rest()
    return room


def texts(page: Frame) -> list[str]:
    return [message["message"] for message in page["messages"]]


# createroom, editroom


def test_a_new_room_has_its_owner_and_a_key_that_cannot_be_guessed(chat: PrivateChat) -> None:
    answer = chat.do("anna", "createroom", title="  The   board ", sharesHistory=True)
    key = answer.pop("room")
    assert key.startswith("~")
    assert len(key) == 27
    (anna,) = answer.pop("members")
    assert (anna["userId"], anna["name"]) == ("u-anna", "anna")
    assert answer == {
        "type": "room",
        "kind": "private",
        "title": "The board",
        "role": "owner",
        "sharesHistory": True,
        "memberCount": 1,
        "lastSeq": 0,
        "unread": 0,
        "since": 0,
    }
    assert len({chat.create("anna") for _ in range(4)} | {key}) == 5


def test_the_other_connections_of_its_owner_learn_of_a_new_room(chat: PrivateChat) -> None:
    chat.connect("phone")
    chat.sign_in("phone", user="u-anna")
    room = chat.create("anna")
    assert [frame["room"] for frame in chat.frames("phone", "room")] == [room]
    assert chat.frames("ben", "room") == []


@pytest.mark.parametrize("title", [None, "", " ", "\u200b", "x" * 81, "a\nb", 7], ids=repr)
def test_a_title_has_1_to_80_visible_characters(chat: PrivateChat, title: Any) -> None:
    assert chat.code("anna", "createroom", title=title) == "invalid_title"
    chat.create("anna", title="x" * 80)


@pytest.mark.parametrize("value", ["yes", 1, []], ids=repr)
def test_whether_a_room_shares_its_history_is_a_boolean(chat: PrivateChat, value: Any) -> None:
    assert chat.code("anna", "createroom", title="Board", sharesHistory=value) == "bad_request"


def test_an_account_is_in_at_most_100_private_rooms(chat: PrivateChat) -> None:
    for number in range(MAX_PRIVATE_ROOMS - 1):
        chat.dynamodb.put(ROOMS, {"room": "user#u-anna", "item": f"room#~{number:026}", "at": 0})
    room, token = chat.create("ben"), ""
    chat.create("anna")
    assert chat.code("anna", "createroom", title="One more") == "too_many_rooms"
    token = chat.link("ben", room)
    assert chat.code("anna", "accept", room=room, token=token) == "too_many_rooms"
    assert chat.code("anna", "direct", userId="u-ben") == "too_many_rooms"


def test_an_owner_changes_the_title_and_all_members_see_it(chat: PrivateChat) -> None:
    room = chat.create("anna")
    chat.send("anna", "before Ben came", to=room)
    chat.admit("ben", room)
    chat.send("anna", "hello", to=room)
    chat.connect("phone")
    chat.sign_in("phone", user="u-anna")
    chat.rest()
    answer = chat.do("anna", "editroom", room=room, title="New", sharesHistory=True)
    assert (answer["title"], answer["sharesHistory"], answer["role"]) == ("New", True, "owner")
    (seen,) = chat.frames("ben", "room")
    assert (seen["title"], seen["sharesHistory"], seen["memberCount"]) == ("New", True, 2)
    assert (seen["role"], seen["unread"], seen["since"]) == ("member", 1, 1), "as Ben sees it"
    assert chat.frames("phone", "room") == [answer]
    assert chat.rooms("ben")["rooms"][0]["title"] == "New"
    assert chat.frames("mallory", "room") == []


def test_only_an_owner_edits_a_room(chat: PrivateChat, room: str) -> None:
    assert chat.code("ben", "editroom", room=room, title="Mine") == "not_allowed"
    chat.set_role("anna", room, "ben", "moderator")
    assert chat.code("ben", "editroom", room=room, title="Mine") == "not_allowed"
    assert chat.code("anna", "editroom", room=room) == "bad_request"


# rooms, read


def test_rooms_lists_unread_messages_newest_room_first(chat: PrivateChat, room: str) -> None:
    quiet = chat.create("anna", title="Quiet")
    chat.clock.advance(1)
    for text in ("one", "two"):
        chat.send("ben", text, to=room)
    listed = chat.rooms("anna")["rooms"]
    assert [(each["room"], each["lastSeq"], each["unread"]) for each in listed] == [(room, 2, 2), (quiet, 0, 0)]
    assert [face["userId"] for face in listed[0]["members"]] == ["u-ben", "u-anna"]
    assert chat.call("anna", {"action": "read", "room": room, "seq": 2}) == {"statusCode": 200}
    assert chat.rooms("anna")["rooms"][0]["unread"] == 0


def test_what_was_read_never_moves_back(chat: PrivateChat, room: str) -> None:
    for number in range(3):
        chat.send("ben", str(number), to=room)
    for seq in (2, 1, 0):
        chat.call("anna", {"action": "read", "room": room, "seq": seq})
    assert chat.rooms("anna")["rooms"][0]["unread"] == 1
    chat.call("anna", {"action": "read", "room": room, "seq": 2**40})
    assert chat.rooms("anna")["rooms"][0]["unread"] == 0


@pytest.mark.parametrize("seq", [None, -1, 1.5, "1", True], ids=repr)
def test_read_needs_a_seq(chat: PrivateChat, room: str, seq: Any) -> None:
    assert chat.code("anna", "read", room=room, seq=seq) == "bad_request"


def test_messages_from_before_one_joined_are_not_unread(chat: PrivateChat, room: str) -> None:
    chat.send("anna", "before", to=room)
    chat.admit("mallory", room)
    chat.send("anna", "after", to=room)
    assert chat.rooms("mallory")["rooms"][0]["unread"] == 1


def test_rooms_names_an_account_as_it_is_called_now(chat: PrivateChat, room: str) -> None:
    chat.profile("ben", "Benjamin")
    assert chat.rooms("anna")["rooms"][0]["members"][0]["name"] == "Benjamin"
    assert {one["name"] for one in chat.join("anna", room)["members"]} == {"anna", "Benjamin"}


def test_a_listing_without_a_role_is_not_shown_and_soon_deleted(chat: PrivateChat, room: str) -> None:
    chat.dynamodb.remove(ROOMS, room=room, item="role#u-ben")
    listing = {"room": "user#u-ben", "item": f"room#{room}"}
    assert chat.rooms("ben")["rooms"] == []
    assert not chat.dynamodb.item(ROOMS, **listing)


def test_a_listing_whose_role_is_being_stored_is_kept(chat: PrivateChat) -> None:
    room = chat.create("anna")
    token = chat.link("anna", room)
    chat.dynamodb.put(ROOMS, {"room": "user#u-ben", "item": f"room#{room}", "at": chat.clock.now_ms()})
    assert chat.rooms("ben")["rooms"] == []
    chat.accept("ben", room, token)
    assert [each["room"] for each in chat.rooms("ben")["rooms"]] == [room]


def test_rooms_that_one_frame_has_no_space_for_follow_as_room_frames(chat: PrivateChat) -> None:
    keys = set()
    for number in range(MAX_PRIVATE_ROOMS):
        key = f"~{number:026}".translate(str.maketrans("0189", "abcd"))
        keys.add(key)
        role = {"role": "owner", "name": "anna", "sender": "s", "since": 0, "at": 1}
        settings = {"kind": "private", "title": "\U0001f600" * 80, "members": 1, "owners": {"u-anna"}}
        chat.dynamodb.put(ROOMS, {"room": key, "item": "role#u-anna", **role})
        chat.dynamodb.put(ROOMS, {"room": key, "item": "settings", **settings})
        chat.dynamodb.put(ROOMS, {"room": "user#u-anna", "item": f"room#{key}", "kind": "private", "at": 1})
    chat.call("anna", {"action": "rooms"})
    whole, *further = chat.frames("anna", "rooms", "room")
    assert whole["type"] == "rooms"
    assert len(encode(whole).encode()) <= MAX_FRAME_BYTES
    assert further
    assert {each["room"] for each in whole["rooms"] + further} == keys


# join, leave, history


def test_join_of_a_private_room_lists_the_accounts_and_tells_nobody(chat: PrivateChat, room: str) -> None:
    chat.join("anna", "garden")
    chat.clear()
    joined = chat.join("anna", room, name="Another name", secret="another-secret-of-a-guest")
    assert (joined["connectionId"], joined["userId"], joined["name"]) == ("anna", "u-anna", "anna")
    assert [(one["connectionId"], one["userId"]) for one in joined["members"]] == [
        ("u-anna", "u-anna"),
        ("u-ben", "u-ben"),
    ]
    assert joined["memberCount"] == 2
    assert chat.frames("ben") == chat.frames("mallory") == []
    row = chat.dynamodb.item(CONNECTIONS, connectionId="anna")
    assert (row["room"], row["rooms"]) == (room, {"garden"})
    assert not [item for item in chat.dynamodb.items(ROOMS) if item["room"] == room and "member#" in item["item"]]


def test_a_first_join_of_a_private_room_leaves_the_lobby(chat: PrivateChat, room: str) -> None:
    chat.join("anna", room)
    assert [frame["event"] for frame in chat.frames("ben", "presence")] == ["leave"]
    assert chat.ping("anna")["rooms"] == {room: 0}


def test_a_private_room_is_not_one_of_the_10_rooms(chat: PrivateChat, room: str) -> None:
    for number in range(10):
        chat.clock.advance(1)
        chat.join("anna", f"room-{number}")
    chat.clock.advance(5)
    chat.join("anna", room)
    assert chat.send("anna", "hello")["room"] == room


def test_leave_only_closes_a_private_room(chat: PrivateChat, room: str) -> None:
    chat.join("anna", "garden")
    chat.join("anna", room)
    chat.clear()
    assert chat.leave("anna", room) == {"type": "left", "room": room, "current": "garden"}
    assert chat.leave("anna", room)["current"] == "garden", "again"
    assert chat.frames("ben") == []
    chat.send("ben", "hello", to=room)
    assert [frame["message"] for frame in chat.frames("anna", "message")] == ["hello"]


def test_history_begins_where_one_became_a_member(chat: PrivateChat, room: str) -> None:
    for number in range(1, 4):
        chat.send("anna", str(number), to=room)
    chat.admit("mallory", room)
    for number in range(4, 7):
        chat.send("anna", str(number), to=room)
    joined = chat.join("mallory", room)
    assert (texts(joined), joined["complete"], joined["lost"], joined["lastSeq"]) == (["4", "5", "6"], True, False, 6)
    pages = {
        "newest": ({}, ["4", "5", "6"], True, False),
        "newest 2": ({"limit": 2}, ["5", "6"], False, False),
        "before": ({"before": 6}, ["4", "5"], True, False),
        "before 1": ({"before": 6, "limit": 1}, ["5"], False, False),
        "before since": ({"before": 4}, [], True, False),
        "before all": ({"before": 2}, [], True, False),
        "after": ({"after": 4}, ["5", "6"], True, False),
        "after since": ({"after": 3}, ["4", "5", "6"], True, False),
        "after 0": ({"after": 0}, ["4", "5", "6"], True, True),
        "between": ({"after": 0, "before": 3}, [], True, True),
    }
    for fields, expected, complete, lost in pages.values():
        page = chat.history("mallory", room=room, **fields)
        assert (texts(page), page["complete"], page["lost"]) == (expected, complete, lost), fields
    again = chat.join("mallory", room, after=1)
    assert (texts(again), again["after"], again["lost"]) == (["4", "5", "6"], 1, True)


def test_a_room_that_shares_its_history_shows_all_of_it(chat: PrivateChat) -> None:
    room = chat.create("anna", sharesHistory=True)
    chat.send("anna", "before", to=room)
    assert chat.admit("ben", room)["since"] == 0
    assert texts(chat.join("ben", room)) == ["before"]


# send, typing, ping


def test_a_message_reaches_all_connections_of_all_members_wherever_they_look(chat: PrivateChat, room: str) -> None:
    chat.connect("phone", "guest")
    chat.sign_in("phone", user="u-ben")
    chat.join("ben", "garden")
    chat.clear()
    sent = chat.send("anna", "hello", to=room)
    assert (sent["userId"], sent["room"]) == ("u-anna", room)
    assert chat.frames("ben", "message") == chat.frames("phone", "message") == [sent]
    assert chat.frames("mallory") == chat.frames("guest") == []
    assert chat.gateway.posts[0].connection_id == "anna", "the acknowledgement comes first"


def test_a_lapsed_connection_hears_nothing(chat: PrivateChat, room: str) -> None:
    chat.connect("phone")
    chat.sign_in("phone", user="u-ben", seconds=10)
    chat.clock.advance(41)
    chat.clear()
    chat.send("anna", "hello", to=room)
    assert chat.frames("phone") == []
    assert chat.code("phone", "history", room=room) == "sign_in_required"


def test_a_connection_that_is_gone_is_removed_from_its_account(chat: PrivateChat, room: str) -> None:
    chat.gateway.vanish("ben")
    chat.send("anna", "hello", to=room)
    assert "socket#ben" not in chat.dynamodb.item(ROOMS, room="user#u-ben", item="sockets")
    assert not chat.dynamodb.item(CONNECTIONS, connectionId="ben")


def test_one_whose_row_is_gone_is_removed_from_its_account_too(chat: PrivateChat, room: str) -> None:
    chat.gateway.vanish("ben")
    chat.dynamodb.remove(CONNECTIONS, connectionId="ben")
    chat.send("anna", "hello", to=room)
    assert "socket#ben" not in chat.dynamodb.item(ROOMS, room="user#u-ben", item="sockets")


def test_a_refused_message_leaves_no_row(chat: PrivateChat, room: str) -> None:
    assert chat.code("mallory", "sendmessage", to=room, message="hello", messageId=ID) == "no_such_room"
    assert chat.dynamodb.items(MESSAGES) == []
    assert chat.send("anna", "mine", to=room, message_id=ID)["message"] == "mine"


def test_a_message_sent_again_is_stored_once(chat: PrivateChat, room: str) -> None:
    one = chat.send("anna", "hello", to=room, message_id=ID)
    assert chat.send("anna", "hello", to=room, message_id=ID) == one
    assert [frame["lastSeq"] for frame in chat.frames("ben", "pong")] == [1]


def test_the_id_of_a_hidden_message_shows_nothing_of_it(chat: PrivateChat, room: str) -> None:
    chat.send("anna", "before Mallory came", to=room, message_id=ID)
    chat.admit("mallory", room)
    answer = chat.do("mallory", "sendmessage", to=room, message="guess", messageId=ID)
    assert answer["code"] == "bad_request"
    assert "before" not in encode(answer)


def test_one_removed_while_sending_gets_no_acknowledgement(chat: PrivateChat, room: str) -> None:
    chat.connect("remover")
    chat.sign_in("remover", user="u-anna")
    chat.clear()
    chat.dynamodb.intercept = fail_once(first(lambda: chat.remove("remover", room, "ben")), "PutItem", ROOMS)
    chat.call("ben", {"action": "sendmessage", "to": room, "message": "hello", "messageId": ID})
    assert chat.frames("ben", "message") == []
    assert chat.frames("ben", "error")[-1]["code"] == "no_such_room"
    assert [frame["message"] for frame in chat.frames("anna", "message")] == ["hello"], "the message stands"


def test_typing_reaches_the_other_connections(chat: PrivateChat, room: str) -> None:
    chat.typing("anna", room=room)
    (notice,) = chat.frames("ben", "typing")
    assert (notice["room"], notice["userId"]) == (room, "u-anna")
    assert chat.frames("anna", "typing") == chat.frames("mallory", "typing") == []


def test_ping_lists_a_private_room_that_it_names_or_that_is_the_current_one(chat: PrivateChat, room: str) -> None:
    chat.send("ben", "hello", to=room)
    assert chat.ping("anna")["rooms"] == {"lobby": 0}
    named = chat.ping("anna", room=room, roster=0)
    assert named["rooms"] == {"lobby": 0, room: 1}
    assert [one["userId"] for one in named["roster"]["members"]] == ["u-anna", "u-ben"]
    chat.join("anna", room)
    current = chat.ping("anna")
    assert (current["room"], current["lastSeq"], current["rooms"]) == (room, 1, {room: 1})


def test_a_current_room_that_one_was_removed_from_is_none(chat: PrivateChat, room: str) -> None:
    chat.join("ben", "garden")
    chat.join("ben", room)
    chat.remove("anna", room, "ben")
    pong = chat.ping("ben")
    assert (pong["room"], pong["rooms"]) == (None, {"garden": 0})
    assert chat.code("ben", "ping", roster=0) == "not_in_room"
    assert chat.code("ben", "sendmessage", message="hello") == "no_such_room"


# Anybody else


@pytest.mark.parametrize("action", ["join", "leave", "history", "typing", "ping", "sendmessage"])
def test_without_sign_in_private_keys_are_no_rooms(action: str) -> None:
    chat = PrivateChat()
    chat.services.config = chat.services.config._replace(sign_in=None)
    chat.connect("anna")
    with chat.dynamodb.counting() as usage:
        named = {"to" if action == "sendmessage" else "room": UNKNOWN, "message": "hello"}
        assert chat.code("anna", action, **named) == "invalid_room"
    assert usage.calls == []


@pytest.mark.parametrize("key", ["~", "~" + "A" * 26, "~" + "a" * 27, "@" + "1" * 26, "garden", 7, None], ids=repr)
def test_malformed_keys_are_no_private_rooms(chat: PrivateChat, key: Any) -> None:
    assert chat.code("anna", "members", room=key) == "invalid_room"


def test_a_killed_creation_leaves_no_half_of_a_room(chat: PrivateChat) -> None:
    for number in range(8):
        chat.dynamodb.intercept = fail_nth(kill_after, number)
        chat.call("anna", {"action": "createroom", "title": "Board"})
        chat.dynamodb.intercept = carry_out
        for listed in chat.rooms("anna")["rooms"]:
            assert (listed["role"], listed["title"], listed["memberCount"]) == ("owner", "Board", 1)
        chat.rest()


LIMITED: dict[str, tuple[dict[str, Any], int]] = {
    "rooms": ({}, 10),
    "members": ({}, 20),
    "read": ({"seq": 0}, 20),
    "join": ({}, 20),
    "leave": ({}, 20),
    "editroom": ({"title": "x"}, 20),
    "setrole": ({"userId": "u-ben", "role": "member"}, 20),
    "remove": ({"userId": "u-nobody"}, 20),
    "unban": ({"userId": "u-ben"}, 20),
    "revokeinvite": ({"inviteId": "a" * 16}, 20),
    "decline": ({}, 10),
    "block": ({"userId": "u-mallory", "blocked": False}, 10),
    "createroom": ({"title": "x"}, 10),
    "direct": ({"userId": "u-ben"}, 10),
    "createinvite": ({}, 10),
    "invite": ({"name": "nobody"}, 10),
    "accept": ({"token": "a-token-that-nobody-has"}, 10),
}


@pytest.mark.parametrize("action", LIMITED)
def test_a_flood_is_refused_before_the_room_is_looked_up(chat: PrivateChat, action: str) -> None:
    """An outsider's, too: trying rooms and tokens is limited, and a refused frame writes nothing."""
    fields, burst = LIMITED[action]
    frame = {"room": UNKNOWN, **fields}
    answers = [chat.do("mallory", action, **frame) for _ in range(burst)]
    assert "rate_limited" not in {answer.get("code") for answer in answers}
    with chat.dynamodb.counting() as usage:
        refused = [chat.do("mallory", action, **frame) for _ in range(30)]
    assert "rate_limited" in {answer.get("code") for answer in refused}
    last = [call for call in usage.calls if call.started == usage.calls[-1].started]
    assert {call.table for call in last} == {CONNECTIONS}


@pytest.mark.parametrize(
    "frame",
    [
        {"action": "join", "room": "garden"},
        {"action": "leave", "room": "lobby"},
        {"action": "history", "room": "garden"},
        {"action": "typing"},
        {"action": "ping"},
        {"action": "sendmessage", "message": "hello"},
        {"action": "rooms"},
        {"action": "join", "room": UNKNOWN},
    ],
    ids=str,
)
def test_with_required_sign_in_every_frame_needs_one(frame: Frame) -> None:
    chat = PrivateChat("anna", mode="required")
    chat.connect("guest", "lapsed")
    chat.sign_in("lapsed", user="u-ben", seconds=10)
    chat.clock.advance(10)
    for person in ("guest", "lapsed"):
        assert chat.ask(person, frame)["code"] == "sign_in_required"
    assert chat.ask("anna", {"action": "rooms"})["type"] == "rooms"


def test_a_claimed_guests_secret_is_refused(chat: PrivateChat) -> None:
    secret = "annas-own-secret-of-guests"
    chat.connect("guest")
    chat.sign_in("anna", secret=secret)
    assert chat.code("guest", "join", room="garden", secret=secret) == "secret_claimed"
    assert chat.join("guest", "garden", secret="another-secret-of-a-guest")["type"] == "joined"
    assert chat.join("anna", "garden", secret=secret)["userId"] == "u-anna"


# what counts as unread


def test_what_one_has_written_oneself_is_not_unread(chat: PrivateChat, room: str) -> None:
    """Who writes has seen the room, on every device."""
    chat.send("ben", "hello", to=room)
    chat.send("anna", "hello Ben", to=room)
    assert chat.rooms("anna")["rooms"][0]["unread"] == 0
    assert chat.rooms("ben")["rooms"][0]["unread"] == 2
    chat.send("ben", "how are you?", to=room)
    assert chat.rooms("anna")["rooms"][0]["unread"] > 0


def test_the_places_that_a_restarted_log_skips_are_not_unread(chat: PrivateChat, room: str) -> None:
    """After all messages have expired the log continues at the clock's milliseconds."""
    chat.send("anna", "forgotten", to=room)
    chat.clock.advance(40 * 86400)
    chat.dynamodb.expire(ROOMS)
    chat.connect("anna again", "ben again")
    for person in ("anna", "ben"):
        chat.sign_in(f"{person} again", user=f"u-{person}")
    for text in ("hello", "anybody?"):
        assert chat.send("anna again", text, to=room)["seq"] > 10**12
    assert chat.rooms("ben again")["rooms"][0]["unread"] == 2


def test_more_than_a_hundred_messages_are_counted_too(chat: PrivateChat, room: str) -> None:
    for number in range(130):
        chat.send("anna", str(number), to=room)
    assert chat.rooms("ben")["rooms"][0]["unread"] == 130


def test_an_ended_room_leaves_nothing_that_does_not_expire(chat: PrivateChat, room: str) -> None:
    chat.send("anna", "hello", to=room)
    chat.remove("anna", room, "ben", ban=True)
    chat.quit("anna", room)
    left = [item for item in chat.dynamodb.items(ROOMS) if room in (item["room"], item["item"].partition("#")[2])]
    assert {item["item"].partition("#")[0] for item in left} == {"log", "invite"}
    assert all("expiresAt" in item for item in left)


def test_a_room_that_takes_too_long_to_read_is_busy(chat: PrivateChat, room: str) -> None:
    """Whoever reads the role and answers seconds later could answer somebody who has been removed."""

    def slowly(_: Call, send: Callable[[], Item]) -> Item:
        chat.clock.sleep(1.5)
        return send()

    chat.dynamodb.intercept = slowly
    for action, fields in (("history", {}), ("members", {}), ("ping", {}), ("join", {})):
        error = chat.do("anna", action, room=room, **fields)
        assert (error["code"], error["retryAfterMs"]) == ("busy", 1000), action
        assert "writing" not in error["error"]
        chat.clock.advance(30)

"""`signin`, `signout` and `profile`."""

from collections.abc import Callable
from typing import Any

import pytest

from chat.identity.keys import KeysUnavailableError
from chat.operations.join import guest_sender
from chat.schema import CONNECTIONS, ROOMS
from chat.store.accounts import MAX_SOCKETS, account_sender
from tests.fakes.dynamodb import Call, carry_out, fail_nth, fail_once, kill_after, kill_before
from tests.fakes.gateway import Frame
from tests.fakes.services import Chat
from tests.unit.races import first

SECRET = "annas-own-secret-of-guests"
GUEST = guest_sender(SECRET)


@pytest.fixture
def chat() -> Chat:
    """Anna and Ben are in the garden as guests; Ben watches."""
    chat = Chat(sign_in="optional")
    chat.connect("anna", "ben")
    chat.join("anna", "garden", name="Guest", secret=SECRET)
    chat.join("ben", "garden", name="Ben")
    chat.clock.advance(10)
    chat.clear()
    return chat


def refusal(chat: Chat, connection_id: str, frame: Frame) -> str:
    return chat.ask(connection_id, frame)["code"]


def signin(chat: Chat, user: str, **claims: Any) -> Frame:
    return {"action": "signin", "token": chat.token(user, **claims)}


def sockets(chat: Chat, user: str) -> dict[str, int]:
    item = chat.dynamodb.item(ROOMS, room=f"user#{user}", item="sockets")
    return {name.removeprefix("socket#"): value for name, value in item.items() if name.startswith("socket#")}


# Sign-in


def test_a_guest_becomes_the_account_in_all_rooms(chat: Chat) -> None:
    chat.join("anna", "kitchen")
    chat.clear()
    answer = chat.sign_in("anna", secret=SECRET)
    until = answer.pop("until")
    assert answer.pop("isNew") is True
    assert answer == {"type": "signedin", "userId": "u-anna", "name": "anna", "sender": GUEST, "senders": [GUEST]}
    assert until == "2027-01-15T09:00:10.000Z"
    account = {"connectionId": "anna", "name": "anna", "sender": GUEST, "userId": "u-anna"}
    (rename,) = chat.frames("ben")
    assert rename == {"type": "presence", "room": "garden", "event": "rename", **account, "memberCount": 2}
    assert account in chat.join("ben", "garden")["members"]
    assert account in chat.join("ben", "kitchen")["members"]


def test_a_signed_in_persons_messages_have_the_badge(chat: Chat) -> None:
    chat.send("anna", "as a guest", to="garden")
    chat.sign_in("anna")
    message = chat.send("anna", "as myself", to="garden")
    assert (message["userId"], message["name"], message["sender"]) == ("u-anna", "anna", account_sender("u-anna"))
    assert [each.get("userId") for each in chat.history("ben", room="garden")["messages"]] == [None, "u-anna"]


def test_join_does_not_change_an_accounts_name_and_sender(chat: Chat) -> None:
    chat.sign_in("anna")
    joined = chat.join("anna", "kitchen", name="Somebody else", secret="another-secret-of-a-guest")
    assert (joined["name"], joined["sender"], joined["userId"]) == ("anna", account_sender("u-anna"), "u-anna")


def test_a_renewal_changes_the_time_only_and_tells_nobody(chat: Chat) -> None:
    chat.sign_in("anna", seconds=600)
    chat.clock.advance(500)
    chat.clear()
    assert chat.sign_in("anna", seconds=3600)["until"] == "2027-01-15T09:08:30.000Z"
    assert chat.frames("ben") == []
    expiry = chat.clock.now_ms() // 1000 + 3600 + 30
    assert chat.dynamodb.item(ROOMS, room="garden", item="member#anna")["expiresAt"] == expiry
    assert chat.dynamodb.item(CONNECTIONS, connectionId="anna")["until"] == expiry - 30
    assert sockets(chat, "u-anna") == {"anna": expiry}


def test_no_sign_in_outlasts_the_connection(chat: Chat) -> None:
    chat.sign_in("anna", seconds=86_400)
    closes = chat.dynamodb.item(CONNECTIONS, connectionId="anna")["expiresAt"]
    assert sockets(chat, "u-anna") == {"anna": closes}
    assert chat.dynamodb.item(ROOMS, room="garden", item="member#anna")["expiresAt"] == closes


def test_another_account_is_refused_on_the_same_connection(chat: Chat) -> None:
    chat.sign_in("anna")
    refused = chat.ask("anna", signin(chat, "u-ben"))
    assert (refused["code"], refused["error"]) == (
        "bad_request",
        "Another account is signed in on this connection; open a new one",
    )
    assert sockets(chat, "u-ben") == {}
    assert chat.send("anna", "still me", to="garden")["userId"] == "u-anna"


@pytest.mark.parametrize("number", range(8))
def test_two_accounts_at_once_on_one_connection_leave_it_to_one(chat: Chat, number: int) -> None:
    chat.dynamodb.intercept = fail_nth(first(lambda: chat.call("anna", signin(chat, "u-ben"))), number)
    chat.call("anna", signin(chat, "u-anna"))
    chat.dynamodb.intercept = carry_out
    row = chat.dynamodb.item(CONNECTIONS, connectionId="anna")
    member = chat.dynamodb.item(ROOMS, room="garden", item="member#anna")
    (winner,) = {frame["userId"] for frame in chat.frames("anna", "signedin")}
    assert {row["userId"], member["userId"], f"u-{row['name']}", f"u-{member['name']}"} == {winner}
    loser = {"u-anna": "u-ben", "u-ben": "u-anna"}[winner]
    assert (sockets(chat, winner).keys(), sockets(chat, loser)) == ({"anna"}, {})


@pytest.mark.parametrize(
    "claims",
    [
        {"seconds": 0},
        {"iss": "https://other.example"},
        {"client_id": "another"},
        {"token_use": "id"},
        {"user": "not/a/subject"},
    ],
    ids=str,
)
def test_a_token_that_is_not_valid_changes_nothing(chat: Chat, claims: dict[str, Any]) -> None:
    before = chat.dynamodb.items(CONNECTIONS)
    refused = chat.ask("anna", {**signin(chat, claims.pop("user", "u-anna"), **claims), "secret": SECRET})
    assert (refused["code"], refused["action"]) == ("invalid_token", "signin")
    assert refused["error"] == "This sign-in is not valid or has expired; sign in again"
    assert chat.dynamodb.items(CONNECTIONS) == before
    assert not [item for item in chat.dynamodb.items(ROOMS) if item["room"].startswith(("user#", "name#", "sender#"))]
    assert [event["reason"] for event in chat.services.events("token_refused")]


@pytest.mark.parametrize("token", ["", "a.b.c", "é", 5, None, "x" * 9000], ids=lambda token: str(token)[:8])
def test_a_token_of_no_form_is_not_valid(chat: Chat, token: object) -> None:
    assert refusal(chat, "anna", {"action": "signin", "token": token}) == "invalid_token"


def test_tokens_are_limited_before_they_are_checked(chat: Chat) -> None:
    codes = [refusal(chat, "anna", {"action": "signin", "token": "a.b.c"}) for _ in range(7)]
    assert codes == ["invalid_token"] * 6 + ["rate_limited"]
    assert refusal(chat, "anna", signin(chat, "u-anna")) == "rate_limited"


def test_without_the_issuers_keys_the_client_is_told_to_wait(chat: Chat) -> None:
    def unavailable(_: str) -> None:
        raise KeysUnavailableError("OSError", 5000)

    chat.services.keys = unavailable
    refused = chat.ask("anna", signin(chat, "u-anna"))
    assert (refused["code"], refused["retryAfterMs"]) == ("busy", 5000)


def test_a_claimed_secret_is_refused_to_another_account_which_then_signs_in_without(chat: Chat) -> None:
    chat.sign_in("anna", secret=SECRET)
    assert refusal(chat, "ben", {**signin(chat, "u-ben"), "secret": SECRET}) == "secret_claimed"
    assert chat.sign_in("ben")["senders"] == [account_sender("u-ben")]


def test_a_new_account_keeps_the_guests_name(chat: Chat) -> None:
    answer = chat.ask("anna", {**signin(chat, "u-anna"), "name": "  Ada  Lovelace "})
    assert (answer["name"], answer["isNew"]) == ("Ada Lovelace", True)
    later = chat.ask("anna", {**signin(chat, "u-anna"), "name": "Another"})
    assert (later["name"], "isNew" in later) == ("Ada Lovelace", False)
    assert refusal(chat, "ben", {**signin(chat, "u-ben"), "name": "\x07"}) == "invalid_name"


def test_a_guest_cannot_use_a_claimed_secret(chat: Chat) -> None:
    chat.sign_in("anna", secret=SECRET)
    join = {"action": "join", "room": "garden", "secret": SECRET}
    assert refusal(chat, "ben", join) == "secret_claimed"
    assert chat.ask("anna", join)["type"] == "joined"
    chat.sign_out("anna")
    chat.connect("again")
    assert refusal(chat, "again", join) == "secret_claimed"
    assert chat.join("again", "garden", secret="a-new-secret-of-a-guest")["sender"] != GUEST


def test_a_second_browsers_guest_is_the_account_too(chat: Chat) -> None:
    chat.sign_in("anna", secret=SECRET)
    chat.connect("phone")
    answer = chat.sign_in("phone", user="u-anna", secret="the-secret-of-annas-phone")
    assert answer["sender"] == GUEST
    assert set(answer["senders"]) == {GUEST, guest_sender("the-secret-of-annas-phone")}


def test_a_sign_in_interrupted_anywhere_can_be_repeated(chat: Chat) -> None:
    with chat.dynamodb.counting() as usage:
        chat.connect("probe")
        chat.sign_in("probe", user="u-probe", secret="the-secret-of-a-probe")
    for number in range(len(usage.calls)):
        for fault in (kill_before, kill_after):
            cut = Chat(sign_in="optional")
            cut.connect("anna", "ben")
            cut.join("anna", "garden", name="Guest", secret=SECRET)
            cut.join("ben", "garden", name="Ben")
            cut.dynamodb.intercept = fail_nth(fault, number)
            cut.call("anna", {**signin(cut, "u-anna"), "secret": SECRET})
            cut.dynamodb.intercept = carry_out
            answer = cut.sign_in("anna", secret=SECRET)
            assert (answer["name"], answer["senders"]) == ("anna", [GUEST])
            member = cut.dynamodb.item(ROOMS, room="garden", item="member#anna")
            assert (member["name"], member["userId"]) == ("anna", "u-anna")
            assert sockets(cut, "u-anna").keys() == {"anna"}


@pytest.mark.parametrize("number", range(9))
def test_leaving_a_room_during_a_sign_in_leaves_no_ghost(chat: Chat, number: int) -> None:
    chat.dynamodb.intercept = fail_nth(first(lambda: chat.call("anna", {"action": "leave", "room": "garden"})), number)
    chat.call("anna", signin(chat, "u-anna"))
    chat.dynamodb.intercept = carry_out
    if number < 8:
        assert not chat.dynamodb.item(ROOMS, room="garden", item="member#anna")


# Sign-in required


@pytest.fixture
def closed() -> Chat:
    chat = Chat(sign_in="required")
    chat.connect("anna", "ben")
    return chat


@pytest.mark.parametrize(
    "frame",
    [
        {"action": "join", "room": "garden"},
        {"action": "join", "room": "Not A Room"},
        {"action": "join", "room": "garden", "name": "\x07"},
        {"action": "leave", "room": "garden"},
        {"action": "history"},
        {"action": "history", "limit": "many"},
        {"action": "ping"},
        {"action": "typing"},
        {"action": "sendmessage", "message": "hello"},
        {"action": "sendmessage", "message": ""},
        {"action": "sendmessage", "message": "x" * 5000},
        {"action": "signout"},
        {"action": "profile", "name": "Anna"},
        {"action": "profile", "name": 5},
    ],
    ids=str,
)
def test_nothing_but_a_sign_in_is_answered_before_it(closed: Chat, frame: Frame) -> None:
    assert refusal(closed, "anna", frame) == "sign_in_required"


def test_a_stranger_is_in_no_room(closed: Chat) -> None:
    assert not [item for item in closed.dynamodb.items(ROOMS) if item["item"].startswith("member#")]
    closed.sign_in("ben")
    closed.send("ben", "among ourselves")
    assert closed.frames("anna") == []


def test_the_first_sign_in_enters_the_lobby(closed: Chat) -> None:
    closed.sign_in("anna")
    closed.sign_in("ben")
    closed.send("ben", "hello")
    assert [frame["message"] for frame in closed.frames("anna", "message")] == ["hello"]
    closed.clock.advance(10)
    closed.sign_in("anna")
    members = closed.ping("ben", room="lobby", roster=0)["roster"]["members"]
    assert [(member["name"], member["userId"]) for member in members] == [("anna", "u-anna"), ("ben", "u-ben")]


@pytest.mark.parametrize("number", range(10))
def test_joining_a_room_during_the_first_sign_in_leaves_the_lobby(closed: Chat, number: int) -> None:
    join = {"action": "join", "room": "garden"}
    closed.dynamodb.intercept = fail_nth(first(lambda: closed.call("anna", join)), number)
    closed.call("anna", signin(closed, "u-anna"))
    closed.dynamodb.intercept = carry_out
    if closed.dynamodb.item(CONNECTIONS, connectionId="anna").get("joined"):
        assert not closed.dynamodb.item(ROOMS, room="lobby", item="member#anna")
        assert closed.dynamodb.item(ROOMS, room="garden", item="member#anna")["userId"] == "u-anna"


# Expiry


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_after_expiry_nothing_is_answered_or_heard_until_a_renewal(mode: str) -> None:
    chat = Chat(sign_in=mode)
    chat.connect("anna", "ben")
    chat.sign_in("anna", seconds=100)
    chat.sign_in("ben")
    chat.join("anna", "garden")
    chat.join("ben", "garden")
    chat.clock.advance(100)
    chat.clear()
    assert refusal(chat, "anna", {"action": "sendmessage", "message": "hello"}) == "sign_in_required"
    assert refusal(chat, "anna", {"action": "ping"}) == "sign_in_required"
    chat.send("ben", "in the 30 seconds for a renewal", to="garden")
    assert len(chat.frames("anna", "message")) == 1
    chat.clock.advance(31)
    chat.send("ben", "too late", to="garden")
    assert len(chat.frames("anna", "message")) == 1
    chat.sign_in("anna")
    chat.send("ben", "and back", to="garden")
    assert chat.frames("anna", "message")[-1]["message"] == "and back"


def test_an_expired_sign_in_can_be_ended(chat: Chat) -> None:
    chat.sign_in("anna", seconds=100)
    chat.clock.advance(200)
    assert chat.sign_out("anna") == {"type": "signedout", "everywhere": False}


# Sign-out


def test_signing_out_removes_and_closes_the_connection(chat: Chat) -> None:
    chat.sign_in("anna")
    chat.clear()
    assert chat.sign_out("anna") == {"type": "signedout", "everywhere": False}
    assert chat.gateway.closed == ["anna"]
    assert not chat.gateway.sockets["anna"].is_open
    assert [(frame["event"], frame["userId"]) for frame in chat.frames("ben", "presence")] == [("leave", "u-anna")]
    assert not chat.dynamodb.item(CONNECTIONS, connectionId="anna")
    assert sockets(chat, "u-anna") == {}


def test_a_guest_cannot_sign_out(chat: Chat) -> None:
    assert refusal(chat, "anna", {"action": "signout"}) == "sign_in_required"
    assert chat.gateway.closed == []


def test_signing_out_leaves_the_accounts_other_connections(chat: Chat) -> None:
    chat.connect("phone")
    chat.sign_in("anna")
    chat.sign_in("phone", user="u-anna")
    chat.sign_out("anna")
    assert sockets(chat, "u-anna").keys() == {"phone"}
    assert chat.ping("phone")


def test_signing_out_everywhere_ends_them_all_and_refuses_older_tokens(chat: Chat) -> None:
    chat.connect("phone", "laptop")
    for connection_id in ("anna", "phone", "laptop"):
        chat.sign_in(connection_id, user="u-anna")
    old = signin(chat, "u-anna")
    chat.clear()
    assert chat.sign_out("anna", everywhere=True) == {"type": "signedout", "everywhere": True}
    for connection_id in ("phone", "laptop"):
        assert chat.frames(connection_id) == [{"type": "signedout", "everywhere": True}]
    assert sorted(chat.gateway.closed) == ["anna", "laptop", "phone"]
    assert sockets(chat, "u-anna") == {}
    assert not [row for row in chat.dynamodb.items(CONNECTIONS) if "userId" in row]
    chat.connect("tablet")
    assert refusal(chat, "tablet", old) == "invalid_token"
    assert refusal(chat, "tablet", signin(chat, "u-anna")) == "invalid_token", "signed in within the same second"
    chat.clock.advance(1)
    assert chat.sign_in("tablet", user="u-anna")


def test_a_sign_out_everywhere_interrupted_anywhere_is_finished_by_a_repeat() -> None:
    number = 0
    while True:
        chat = Chat(sign_in="optional")
        chat.connect("anna", "phone")
        chat.sign_in("anna")
        chat.sign_in("phone", user="u-anna")
        with chat.dynamodb.counting() as usage:
            chat.dynamodb.intercept = fail_nth(kill_after, number)
            chat.call("anna", {"action": "signout", "everywhere": True})
            chat.dynamodb.intercept = carry_out
        if len(usage.calls) < number:
            break
        if chat.gateway.sockets["anna"].is_open and chat.dynamodb.item(CONNECTIONS, connectionId="anna"):
            chat.clear()
            chat.call("anna", {"action": "signout", "everywhere": True})
            assert len(chat.frames("anna", "signedout")) == 1
        assert "phone" not in sockets(chat, "u-anna")
        assert not [row for row in chat.dynamodb.items(CONNECTIONS) if "userId" in row]
        number += 1
    assert number > 5


def test_a_sign_out_everywhere_of_all_connections_takes_a_few_seconds(chat: Chat) -> None:
    for number in range(MAX_SOCKETS - 1):
        chat.connect(f"phone-{number}")
        chat.sign_in(f"phone-{number}", user="u-anna")
    chat.sign_in("anna")
    began = chat.clock.monotonic()
    chat.sign_out("anna", everywhere=True)
    assert chat.clock.monotonic() - began < 5
    assert len(chat.gateway.closed) == MAX_SOCKETS
    assert sockets(chat, "u-anna") == {}


def test_a_sign_out_everywhere_that_runs_out_of_time_is_not_acknowledged_and_can_be_repeated(chat: Chat) -> None:
    for number in range(MAX_SOCKETS - 1):
        chat.connect(f"phone-{number}")
        chat.sign_in(f"phone-{number}", user="u-anna")
    chat.sign_in("anna")

    def slowly(_: Call, send: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        chat.clock.sleep(1)
        return send()

    chat.dynamodb.intercept = slowly
    out = {"action": "signout", "everywhere": True}
    chat.gateway.function_seconds = 8
    assert chat.ask("anna", out).get("code") == "internal"
    chat.gateway.function_seconds = 30
    chat.dynamodb.intercept = carry_out
    chat.clear()
    chat.call("anna", out)
    assert len(chat.frames("anna", "signedout")) == 1
    assert sockets(chat, "u-anna") == {}
    assert not [row for row in chat.dynamodb.items(CONNECTIONS) if "userId" in row]


@pytest.mark.parametrize("number", range(9))
def test_a_sign_in_at_the_moment_of_a_sign_out_everywhere_does_not_survive_it(chat: Chat, number: int) -> None:
    chat.connect("phone")
    chat.sign_in("phone", user="u-anna")
    out = {"action": "signout", "everywhere": True}
    chat.dynamodb.intercept = fail_nth(first(lambda: chat.call("phone", out)), number)
    chat.call("anna", signin(chat, "u-anna"))
    chat.dynamodb.intercept = carry_out
    if number < 8:
        assert chat.dynamodb.item(CONNECTIONS, connectionId="anna").get("userId") is None
        assert sockets(chat, "u-anna") == {}


def test_a_connection_that_cannot_be_closed_is_signed_out_all_the_same(chat: Chat) -> None:
    chat.sign_in("anna")
    chat.gateway.failing.add("anna")
    chat.call("anna", {"action": "signout"})
    assert not chat.dynamodb.item(CONNECTIONS, connectionId="anna")
    assert chat.services.events("closed")[-1]["failed"] == 1


# Names


def test_a_new_name_reaches_all_connections_and_their_rooms(chat: Chat) -> None:
    chat.connect("phone")
    chat.sign_in("anna", seconds=600)
    chat.sign_in("phone", user="u-anna", seconds=900)
    chat.join("phone", "garden")
    chat.clear()
    assert chat.profile("anna", "Anna-Maria")["until"] == "2027-01-15T08:10:10.000Z"
    (on_phone,) = chat.frames("phone", "signedin")
    assert (on_phone["name"], on_phone["until"]) == ("Anna-Maria", "2027-01-15T08:15:10.000Z")
    renames = chat.frames("ben", "presence")
    assert {(frame["event"], frame["connectionId"], frame["name"]) for frame in renames} == {
        ("rename", "anna", "Anna-Maria"),
        ("rename", "phone", "Anna-Maria"),
    }
    assert chat.send("phone", "hello", to="garden")["name"] == "Anna-Maria"


def test_a_name_of_another_account_is_taken(chat: Chat) -> None:
    chat.sign_in("anna")
    chat.sign_in("ben")
    assert refusal(chat, "ben", {"action": "profile", "name": "ANNA"}) == "name_taken"


def test_a_guest_has_no_profile(chat: Chat) -> None:
    assert refusal(chat, "anna", {"action": "profile", "name": "Anna"}) == "sign_in_required"


def test_renames_are_limited(chat: Chat) -> None:
    chat.sign_in("anna")
    codes = [chat.ask("anna", {"action": "profile", "name": f"Anna {n}"}).get("code") for n in range(4)]
    assert codes == [None] * 3 + ["rate_limited"]


@pytest.mark.parametrize("number", range(14))
def test_two_renames_at_once_leave_one_name_everywhere(chat: Chat, number: int) -> None:
    chat.connect("phone")
    chat.sign_in("anna")
    chat.sign_in("phone", user="u-anna")
    other = {"action": "profile", "name": "Annika"}
    chat.dynamodb.intercept = fail_nth(first(lambda: chat.call("phone", other)), number)
    chat.call("anna", {"action": "profile", "name": "Anna-Maria"})
    chat.dynamodb.intercept = carry_out
    check_names(chat)


@pytest.mark.parametrize("number", range(9))
def test_a_rename_at_the_moment_of_a_sign_in_reaches_the_new_connection(chat: Chat, number: int) -> None:
    chat.connect("phone")
    chat.sign_in("phone", user="u-anna")
    rename = {"action": "profile", "name": "Annika"}
    chat.dynamodb.intercept = fail_nth(first(lambda: chat.call("phone", rename)), number)
    chat.call("anna", signin(chat, "u-anna"))
    chat.dynamodb.intercept = carry_out
    check_names(chat)


@pytest.mark.parametrize("number", range(9))
@pytest.mark.parametrize("is_rename_first", [True, False])
def test_a_rename_at_the_moment_of_a_join_reaches_the_room(chat: Chat, number: int, *, is_rename_first: bool) -> None:
    chat.connect("phone")
    chat.sign_in("anna")
    chat.sign_in("phone", user="u-anna")
    acts = [("phone", {"action": "profile", "name": "Annika"}), ("anna", {"action": "join", "room": "kitchen"})]
    outer, inner = acts if is_rename_first else reversed(acts)
    chat.dynamodb.intercept = fail_nth(first(lambda: chat.call(*inner)), number)
    chat.call(*outer)
    chat.dynamodb.intercept = carry_out
    check_names(chat)


def check_names(chat: Chat) -> None:
    """The profile, its reservation, and all rows and members of the account have one name."""
    name = chat.dynamodb.item(ROOMS, room="user#u-anna", item="profile")["name"]
    rows = [row for row in chat.dynamodb.items(CONNECTIONS) if row.get("userId") == "u-anna"]
    members = [item for item in chat.dynamodb.items(ROOMS) if item.get("userId") == "u-anna" and "at" in item]
    assert rows
    assert members
    assert {item["name"] for item in [*rows, *members]} == {name}


def test_an_interrupted_rename_is_finished_by_the_next_renewal(chat: Chat) -> None:
    chat.connect("phone")
    chat.sign_in("anna")
    chat.sign_in("phone", user="u-anna")
    chat.dynamodb.intercept = fail_once(kill_after, "TransactWriteItems")
    chat.call("anna", {"action": "profile", "name": "Annika"})
    for connection_id in ("anna", "phone"):
        assert chat.sign_in(connection_id, user="u-anna")["name"] == "Annika"
    check_names(chat)


def test_a_refused_sign_in_leaves_the_connection_a_guest_that_hears_nothing_of_the_account(chat: Chat) -> None:
    chat.connect("mallory")
    chat.sign_in("anna", secret=SECRET)
    refused = chat.ask("mallory", {"action": "signin", "token": chat.token("u-ben"), "secret": SECRET})
    assert refused["code"] == "secret_claimed"
    assert sockets(chat, "u-ben") == {}


def test_a_refused_renewal_leaves_the_connection_signed_in(chat: Chat) -> None:
    chat.sign_in("anna", secret=SECRET)
    chat.sign_in("ben")
    refused = chat.ask("ben", {"action": "signin", "token": chat.token("u-ben"), "secret": SECRET})
    assert refused["code"] == "secret_claimed"
    assert list(sockets(chat, "u-ben")) == ["ben"]

"""Accounts in the store: names, claimed guests and sockets, with interruptions and races at every call."""

import re
from collections.abc import Callable

import pytest

from chat.protocol.errors import FrameError
from chat.runtime.context import open_store
from chat.schema import ROOMS
from chat.store.accounts import MAX_SENDERS, MAX_SOCKETS, Accounts, Profile, account_sender
from chat.store.connections import CONNECTION_SECONDS
from chat.store.errors import ConflictError
from chat.store.members import Recipient
from tests.fakes.dynamodb import (
    Interceptor,
    KilledError,
    carry_out,
    conflict,
    fail_nth,
    fail_once,
    kill_after,
    kill_before,
    lose_answer,
    process_half,
    process_none,
    send_twice,
    throttle,
)
from tests.fakes.services import Chat
from tests.unit.races import first

ANNA, BEN = "u-anna", "u-ben"
FAULTS = [kill_before, kill_after, lose_answer, throttle, conflict, send_twice]


@pytest.fixture
def chat() -> Chat:
    return Chat(sign_in="optional")


@pytest.fixture
def accounts(chat: Chat) -> Accounts:
    return open_store(chat.services).accounts


def enter(
    accounts: Accounts, user_id: str, username: str, sender: str | None = None, *, name: str | None = None
) -> Profile:
    return accounts.enter(user_id, accounts.profile(user_id), name, username, sender).profile


def owners(chat: Chat, kind: str) -> dict[str, str]:
    """Return whose the reserved names or the claimed senders are, without the names that will be free."""
    return {
        item["room"].removeprefix(f"{kind}#"): item["userId"]
        for item in chat.dynamodb.items(ROOMS)
        if item["room"].startswith(f"{kind}#") and "expiresAt" not in item
    }


def check_ownership(chat: Chat, accounts: Accounts) -> None:
    """Each account owns its name and its claimed senders; nothing is owned besides."""
    users = {item["room"].removeprefix("user#") for item in chat.dynamodb.items(ROOMS) if item["item"] == "profile"}
    profiles = accounts.profiles(users)
    assert {user_id: accounts.find(profile.name) for user_id, profile in profiles.items()} == {
        user_id: user_id for user_id in profiles
    }
    assert sorted(owners(chat, "name").values()) == sorted(profiles)
    claimed = {sender: each.user_id for each in profiles.values() for sender in each.senders if "guest" in sender}
    assert owners(chat, "sender") == claimed


def until_done(act: Callable[[], object]) -> None:
    """Repeat an action as a client does after an error."""
    for _ in range(3):
        try:
            act()
        except (Exception, KilledError) as error:
            if isinstance(error, FrameError):
                raise
        else:
            return
    raise AssertionError("never done")


# Names


def test_an_account_is_named_after_its_username(accounts: Accounts) -> None:
    profile = enter(accounts, ANNA, "Anna")
    assert profile == Profile(ANNA, "Anna", account_sender(ANNA), frozenset({account_sender(ANNA)}))
    assert accounts.profile(ANNA) == profile
    assert accounts.find("Anna") == ANNA


def test_a_later_sign_in_keeps_the_name(accounts: Accounts) -> None:
    enter(accounts, ANNA, "Anna")
    assert enter(accounts, ANNA, "another").name == "Anna"


@pytest.mark.parametrize("username", ["\x07", "", " ", ANNA, "anna@example.com"])
def test_a_username_that_is_no_name_or_not_public_is_replaced(accounts: Accounts, username: str) -> None:
    assert re.fullmatch("Person [0-9a-f]{4}", enter(accounts, ANNA, username).name)


def test_the_name_that_a_new_account_is_given_is_preferred(accounts: Accounts) -> None:
    assert enter(accounts, ANNA, "anna@example.com", name="Ada").name == "Ada"
    assert enter(accounts, ANNA, "anna@example.com", name="Another").name == "Ada"
    assert enter(accounts, BEN, "ben", name="Ada").name == "Ada 2"


def test_a_long_username_is_shortened(accounts: Accounts) -> None:
    assert enter(accounts, ANNA, "a" * 128).name == "a" * 40
    assert enter(accounts, BEN, "a" * 128).name == "a" * 38 + " 2"


@pytest.mark.parametrize("username", ["Anna", ANNA])
def test_accounts_of_one_username_get_different_names(chat: Chat, accounts: Accounts, username: str) -> None:
    names = [enter(accounts, f"u-{number}", username, name="Anna").name for number in range(8)]
    assert names[:3] == ["Anna", "Anna 2", "Anna 3"]
    assert len(set(names)) == len(names)
    check_ownership(chat, accounts)


def test_a_new_account_is_called_new_once(accounts: Accounts) -> None:
    assert accounts.enter(ANNA, None, None, "Anna", None).is_new
    assert not accounts.enter(ANNA, None, None, "Anna", None).is_new


@pytest.mark.parametrize("taken", ["anna", "ANNA", "\uff21nna", "\u0410\u043d\u043da", "Ann\u0430", "An\u200dna"])
def test_a_name_that_looks_like_anothers_is_taken(accounts: Accounts, taken: str) -> None:
    enter(accounts, ANNA, "Anna" if "\u043d" not in taken else "Ahha")
    enter(accounts, BEN, "Ben")
    with pytest.raises(FrameError, match="another account"):
        accounts.rename(BEN, taken)
    assert accounts.profile(BEN) == Profile(BEN, "Ben", account_sender(BEN), frozenset({account_sender(BEN)}))


@pytest.mark.parametrize("is_deleted", [False, True])
def test_the_old_name_is_free_once_no_connection_can_have_it(
    chat: Chat, accounts: Accounts, *, is_deleted: bool
) -> None:
    enter(accounts, ANNA, "Anna")
    enter(accounts, BEN, "Ben")
    assert accounts.rename(ANNA, "Annika").name == "Annika"
    chat.clock.advance(CONNECTION_SECONDS)
    assert accounts.find("Anna") == ANNA
    with pytest.raises(FrameError, match="another account"):
        accounts.rename(BEN, "Anna")
    chat.clock.advance(61)
    assert accounts.find("Anna") is None
    if is_deleted:
        chat.dynamodb.expire(ROOMS)
    assert accounts.rename(BEN, "Anna").name == "Anna"
    check_ownership(chat, accounts)


def test_an_account_may_take_its_old_name_back(chat: Chat, accounts: Accounts) -> None:
    enter(accounts, ANNA, "Anna")
    accounts.rename(ANNA, "Annika")
    accounts.rename(ANNA, "Anna")
    chat.clock.advance(3 * CONNECTION_SECONDS)
    assert accounts.find("Anna") == ANNA
    assert accounts.find("Annika") is None
    check_ownership(chat, accounts)


def test_a_rename_to_the_same_letters_keeps_the_reservation(chat: Chat, accounts: Accounts) -> None:
    enter(accounts, ANNA, "Anna")
    assert accounts.rename(ANNA, "ANNA").name == "ANNA"
    check_ownership(chat, accounts)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_rename_interrupted_anywhere_leaves_each_name_one_owner(
    chat: Chat, accounts: Accounts, fault: Interceptor, number: int
) -> None:
    enter(accounts, ANNA, "Anna")
    chat.dynamodb.intercept = fail_nth(fault, number)
    until_done(lambda: accounts.rename(ANNA, "Annika"))
    chat.dynamodb.intercept = carry_out
    check_ownership(chat, accounts)
    assert accounts.profiles([ANNA])[ANNA].name == "Annika"
    chat.clock.advance(CONNECTION_SECONDS + 100)
    assert accounts.find("Anna") is None


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_first_sign_in_interrupted_anywhere_can_be_repeated(
    chat: Chat, accounts: Accounts, fault: Interceptor, number: int
) -> None:
    chat.dynamodb.intercept = fail_nth(fault, number)
    until_done(lambda: enter(accounts, ANNA, "Anna", "guest-anna"))
    chat.dynamodb.intercept = carry_out
    check_ownership(chat, accounts)
    assert accounts.profile(ANNA) == Profile(ANNA, "Anna", "guest-anna", frozenset({"guest-anna"}))


@pytest.mark.parametrize("number", range(3))
def test_two_accounts_that_want_one_name_at_once_do_not_both_get_it(
    chat: Chat, accounts: Accounts, number: int
) -> None:
    enter(accounts, ANNA, "Anna")
    enter(accounts, BEN, "Ben")
    taken: list[str] = []

    def rename_ben() -> None:
        try:
            taken.append(accounts.rename(BEN, "Cleo").user_id)
        except FrameError as error:
            assert error.code == "name_taken"  # noqa: PT017 - either may win

    chat.dynamodb.intercept = fail_nth(first(rename_ben), number)
    try:
        taken.append(accounts.rename(ANNA, "cleo").user_id)
    except FrameError as error:
        assert error.code == "name_taken"  # noqa: PT017
    if number >= 2:
        rename_ben()
    assert len(taken) == 1
    check_ownership(chat, accounts)


@pytest.mark.parametrize("number", range(3))
def test_two_renames_of_one_account_at_once_leave_it_one_name(chat: Chat, accounts: Accounts, number: int) -> None:
    """A there and back again: the release of the old name must not take the new one's reservation."""
    enter(accounts, ANNA, "Anna")
    chat.dynamodb.intercept = fail_nth(first(lambda: back_and_forth(accounts)), number)
    accounts.rename(ANNA, "Annika")
    check_ownership(chat, accounts)


def back_and_forth(accounts: Accounts) -> None:
    accounts.rename(ANNA, "Cleo")
    accounts.rename(ANNA, "Anna")


@pytest.mark.parametrize("number", range(3))
def test_two_first_sign_ins_of_one_account_at_once_create_one_profile(
    chat: Chat, accounts: Accounts, number: int
) -> None:
    results: list[Profile] = []
    chat.dynamodb.intercept = fail_nth(first(lambda: results.append(enter(accounts, ANNA, "Anna", "guest-b"))), number)
    results.append(enter(accounts, ANNA, "Anna", "guest-a"))
    if len(results) == 1:
        results.append(enter(accounts, ANNA, "Anna", "guest-b"))
    assert {(profile.name, profile.sender) for profile in results} == {("Anna", results[0].sender)}
    check_ownership(chat, accounts)
    assert accounts.profiles([ANNA])[ANNA].senders == {"guest-a", "guest-b"}


# Claimed guests


def test_a_guests_sender_becomes_the_accounts(chat: Chat, accounts: Accounts) -> None:
    assert enter(accounts, ANNA, "Anna", "guest-a").sender == "guest-a"
    assert enter(accounts, ANNA, "Anna", "guest-b").senders == {"guest-a", "guest-b"}
    assert accounts.claim_of("guest-b") == ANNA
    assert accounts.claim_of("guest-c") is None
    check_ownership(chat, accounts)


def test_a_guest_is_claimed_once(chat: Chat, accounts: Accounts) -> None:
    enter(accounts, ANNA, "Anna", "guest-a")
    with pytest.raises(FrameError, match="belongs to an account"):
        enter(accounts, BEN, "Ben", "guest-a")
    assert accounts.profile(BEN) is None, "and its name is not reserved either"
    enter(accounts, BEN, "Ben")
    with pytest.raises(FrameError, match="belongs to an account"):
        enter(accounts, BEN, "Ben", "guest-a")
    check_ownership(chat, accounts)


@pytest.mark.parametrize("number", range(4))
def test_two_accounts_that_claim_one_guest_at_once_do_not_both_get_it(
    chat: Chat, accounts: Accounts, number: int
) -> None:
    outcomes: list[str] = []

    def claim(user_id: str) -> None:
        try:
            outcomes.append(enter(accounts, user_id, user_id[2:], "guest-x").user_id)
        except FrameError as error:
            outcomes.append(error.code)

    chat.dynamodb.intercept = fail_nth(first(lambda: claim(BEN)), number)
    claim(ANNA)
    chat.dynamodb.intercept = carry_out
    if len(outcomes) == 1:
        claim(BEN)
    assert outcomes.count("secret_claimed") == 1
    check_ownership(chat, accounts)


def test_an_account_claims_at_most_20_guests(accounts: Accounts) -> None:
    profiles = [enter(accounts, ANNA, "Anna", f"guest-{number}") for number in range(MAX_SENDERS + 3)]
    assert len(profiles[-1].senders) == MAX_SENDERS
    enter(accounts, BEN, "Ben", "guest-x")
    with pytest.raises(FrameError, match="belongs to an account"):
        enter(accounts, ANNA, "Anna", "guest-x")


# Sockets


def add(chat: Chat, accounts: Accounts, connection_id: str, *, seconds: int = 3600, since: int = 0) -> bool:
    now = chat.clock.now_ms() // 1000
    return accounts.add_socket(ANNA, connection_id, now + seconds, authenticated_at=now + since)


def test_the_sockets_of_many_accounts_are_read_in_one_request(chat: Chat, accounts: Accounts) -> None:
    now = chat.clock.now_ms() // 1000
    users = [f"u-{number}" for number in range(100)]
    for user_id in users:
        assert accounts.add_socket(user_id, f"{user_id}-phone", now + 60, authenticated_at=now)
    with chat.dynamodb.counting() as usage:
        found = accounts.sockets([*users, *users])
    assert usage.operations == ["BatchGetItem"]
    assert usage.read == len(users)
    assert found == {user_id: [Recipient(f"{user_id}-phone", now + 60)] for user_id in users}


def test_more_than_100_accounts_take_another_request(chat: Chat, accounts: Accounts) -> None:
    with chat.dynamodb.counting() as usage:
        assert accounts.sockets(f"u-{number}" for number in range(101)) == {}
    assert usage.operations == ["BatchGetItem"] * 2


def test_no_accounts_take_no_request(chat: Chat, accounts: Accounts) -> None:
    with chat.dynamodb.counting() as usage:
        assert accounts.sockets([]) == {}
    assert usage.operations == []


def test_keys_that_were_not_processed_are_asked_for_again(chat: Chat, accounts: Accounts) -> None:
    for number in range(4):
        now = chat.clock.now_ms() // 1000
        accounts.add_socket(f"u-{number}", f"phone-{number}", now + 60, authenticated_at=now)
    users = [f"u-{number}" for number in range(4)]
    for fault in (process_none, process_half):
        chat.dynamodb.intercept = fail_once(fault, "BatchGetItem")
        assert accounts.sockets(users).keys() == set(users)


def test_a_batch_of_which_nothing_is_ever_processed_fails_after_a_while(chat: Chat, accounts: Accounts) -> None:
    chat.dynamodb.intercept = process_none
    with pytest.raises(ConflictError):
        accounts.sockets([ANNA])
    assert len(chat.dynamodb.calls) == 5
    assert chat.clock.monotonic() < 2


def test_a_lapsed_socket_hears_nothing_and_is_forgotten_at_the_next_sign_in(chat: Chat, accounts: Accounts) -> None:
    add(chat, accounts, "phone", seconds=60)
    add(chat, accounts, "laptop", seconds=600)
    chat.clock.advance(60)
    assert [each.connection_id for each in accounts.sockets([ANNA])[ANNA]] == ["laptop"]
    add(chat, accounts, "tablet")
    item = chat.dynamodb.item(ROOMS, room=f"user#{ANNA}", item="sockets")
    assert {name for name in item if name.startswith("socket#")} == {"socket#laptop", "socket#tablet"}


def test_a_socket_renewed_while_it_is_being_forgotten_stays(chat: Chat, accounts: Accounts) -> None:
    add(chat, accounts, "phone", seconds=60)
    chat.clock.advance(61)
    chat.dynamodb.intercept = fail_nth(first(lambda: add(chat, accounts, "phone")), 1)
    add(chat, accounts, "laptop")
    assert {each.connection_id for each in accounts.sockets([ANNA])[ANNA]} == {"phone", "laptop"}


def test_a_removed_socket_is_not_listed(chat: Chat, accounts: Accounts) -> None:
    add(chat, accounts, "phone")
    accounts.remove_socket(ANNA, "phone")
    accounts.remove_socket(ANNA, "phone")
    accounts.remove_socket(BEN, "phone")
    assert accounts.sockets([ANNA, BEN]) == {}


def test_an_account_has_at_most_100_sockets(chat: Chat, accounts: Accounts) -> None:
    for number in range(MAX_SOCKETS):
        add(chat, accounts, f"phone-{number}", seconds=60 + number)
    with pytest.raises(FrameError) as refused:
        add(chat, accounts, "one more")
    assert refused.value.retry_after_ms == pytest.approx(60_000, abs=1000)
    assert len(accounts.sockets([ANNA])[ANNA]) == MAX_SOCKETS
    assert add(chat, accounts, "phone-5"), "a renewal is not one more"


def test_a_sign_in_from_before_a_sign_out_everywhere_is_refused(chat: Chat, accounts: Accounts) -> None:
    add(chat, accounts, "phone")
    assert [each.connection_id for each in accounts.sign_out_everywhere(ANNA)] == ["phone"]
    assert not add(chat, accounts, "laptop", since=-1)
    assert not add(chat, accounts, "laptop", since=0), "in the same second, too"
    assert add(chat, accounts, "laptop", since=1)


@pytest.mark.parametrize("number", range(3))
def test_of_a_sign_in_and_a_sign_out_everywhere_at_once_one_sees_the_other(
    chat: Chat, accounts: Accounts, number: int
) -> None:
    found: list[list[str]] = []

    def sign_out() -> None:
        found.append([each.connection_id for each in accounts.sign_out_everywhere(ANNA)])

    chat.dynamodb.intercept = fail_nth(first(sign_out), number)
    is_in = add(chat, accounts, "phone")
    if not found:
        sign_out()
    assert found[0] == (["phone"] if is_in else [])


def test_a_clock_that_was_set_back_does_not_undo_a_sign_out(chat: Chat, accounts: Accounts) -> None:
    add(chat, accounts, "phone")
    chat.clock.advance(100)
    accounts.sign_out_everywhere(ANNA)
    chat.clock.set_back(100)
    assert [each.connection_id for each in accounts.sign_out_everywhere(ANNA)] == ["phone"]
    assert not add(chat, accounts, "laptop", since=99)

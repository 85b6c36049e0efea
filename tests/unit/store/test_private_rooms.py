"""Private rooms in the store: keys, tokens, and writes that arrive late or twice."""

import re

import pytest

from chat.protocol.frames_out import Person
from chat.runtime.context import open_store
from chat.schema import ROOMS
from chat.store.errors import TransactionFailedError
from chat.store.listings import Blocked
from chat.store.private_rooms import OWNER, direct_key, is_direct, private_key
from chat.store.tables import Store
from tests.fakes.dynamodb import carry_out, conflict, fail_once, lose_answer, send_twice
from tests.fakes.invariants import broken_private_rooms
from tests.fakes.services import Chat

ROOM = private_key(b"x" * 32)
ANNA, BEN = Person("a", "Anna", "account-anna", "u-anna"), Person("b", "Ben", "account-ben", "u-ben")
KEY = r"[~@][a-z2-7]{26}"


@pytest.fixture
def chat() -> Chat:
    return Chat(sign_in="optional")


@pytest.fixture
def store(chat: Chat) -> Store:
    """A store with a private room of Anna's."""
    store = open_store(chat.services)
    listing = store.listings.putting("u-anna", ROOM, read=0)
    store.private_rooms.create(ROOM, "Board", ANNA, shares_history=False, listing=listing)
    return store


def test_the_keys_of_private_rooms() -> None:
    assert re.fullmatch(KEY, ROOM)
    assert not is_direct(ROOM)
    assert private_key(b"y" * 32) != ROOM


def test_a_conversation_has_one_key_whoever_asks() -> None:
    key = direct_key("u-anna", "u-ben")
    assert re.fullmatch(KEY, key)
    assert is_direct(key)
    assert direct_key("u-ben", "u-anna") == key != direct_key("u-anna", "u-be")


def admit(store: Store, chat: Chat, who: Person = BEN) -> None:
    random = chat.new_id().encode()
    token = store.invitations.create(ROOM, random, uses=1, hours=1, by="u-anna").token
    user_id = str(who.user_id)
    store.private_rooms.admit(
        ROOM,
        who,
        0,
        store.invitations.using(ROOM, token),
        store.listings.putting(user_id, ROOM, read=0),
        shares_history=False,
        inviter="u-anna",
    )


def test_a_guest_has_no_role(store: Store) -> None:
    with pytest.raises(ValueError, match="guest"):
        store.private_rooms.admit(ROOM, ANNA._replace(user_id=None), 0, shares_history=False, inviter="u-anna")


def test_nobody_is_admitted_twice(store: Store, chat: Chat) -> None:
    admit(store, chat)
    with pytest.raises(TransactionFailedError) as failed:
        admit(store, chat)
    assert set(failed.value.failed) == {0}
    assert broken_private_rooms(chat.dynamodb) == []


@pytest.mark.parametrize("fault", [send_twice, conflict, lose_answer])
def test_a_removal_that_is_repeated_counts_once(store: Store, chat: Chat, fault: object) -> None:
    admit(store, chat)
    owner, member = store.private_rooms.role(ROOM, "u-anna"), store.private_rooms.role(ROOM, "u-ben")
    assert owner is not None
    assert member is not None
    chat.dynamodb.intercept = fail_once(fault, "TransactWriteItems")  # type: ignore[arg-type]
    try:
        store.private_rooms.remove(ROOM, member, by=owner)
    except Exception:  # noqa: BLE001 - the response is lost
        assert not store.private_rooms.remove(ROOM, member, by=owner)
    chat.dynamodb.intercept = carry_out
    assert store.private_rooms.role(ROOM, "u-ben") is None
    assert broken_private_rooms(chat.dynamodb) == []


def test_a_role_that_has_been_given_again_is_another(store: Store, chat: Chat) -> None:
    """A removal that was decided before a member was removed and admitted again does not remove it."""
    admit(store, chat)
    owner, old = store.private_rooms.role(ROOM, "u-anna"), store.private_rooms.role(ROOM, "u-ben")
    assert owner is not None
    assert old is not None
    assert store.private_rooms.remove(ROOM, old, by=owner)
    chat.clock.advance(1)
    admit(store, chat)
    assert not store.private_rooms.remove(ROOM, old, by=owner)
    assert store.private_rooms.role(ROOM, "u-ben") is not None


def test_the_last_owner_is_neither_removed_nor_demoted(store: Store, chat: Chat) -> None:
    admit(store, chat)
    owner, member = store.private_rooms.role(ROOM, "u-anna"), store.private_rooms.role(ROOM, "u-ben")
    assert owner is not None
    assert member is not None
    assert not store.private_rooms.remove(ROOM, owner, by=None)
    assert not store.private_rooms.set_role(ROOM, owner, "member", by=None)
    assert not store.private_rooms.end(ROOM, owner)
    assert store.private_rooms.set_role(ROOM, member, OWNER, by=owner)
    assert store.private_rooms.remove(ROOM, owner, by=None)
    assert broken_private_rooms(chat.dynamodb) == []


def test_an_edit_does_not_bring_an_ended_room_back(store: Store, chat: Chat) -> None:
    chat.dynamodb.remove(ROOMS, room=ROOM, item="settings")
    assert store.private_rooms.edit(ROOM, title="New", shares_history=None) is None
    assert chat.dynamodb.item(ROOMS, room=ROOM, item="settings") == {}


def test_a_block_refuses_the_role_of_the_blocked_alone(store: Store, chat: Chat) -> None:
    room = direct_key("u-anna", "u-ben")
    of_ben = store.listings.checking_not_blocked("u-anna", "u-ben")
    of_anna = store.listings.checking_not_blocked("u-ben", "u-anna")
    store.listings.block("u-anna", Blocked("u-ben", "Ben"))
    assert not store.private_rooms.open_direct(room, [ANNA, BEN], of_anna, of_ben, is_new=True)
    assert [item for item in chat.dynamodb.items(ROOMS) if item["room"] == room] == []
    assert store.private_rooms.open_direct(room, [ANNA], of_anna, is_new=True)
    store.listings.unblock("u-anna", "u-ben")
    assert store.private_rooms.open_direct(room, [BEN], of_ben, is_new=False)
    assert store.private_rooms.member_ids(room) == ["u-anna", "u-ben"]

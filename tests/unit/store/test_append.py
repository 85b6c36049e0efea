"""Appending a message, in every order of two copies' calls, and with each safeguard broken."""

from collections.abc import Callable

import pytest

from chat.schema import MESSAGES, ROOMS
from chat.store.message_rows import MessageRow, MessageRows
from tests.fakes.dynamodb import Call, Interceptor, Item, carry_out
from tests.unit.store.interleaving import Scheduler, every_schedule
from tests.unit.store.room import ID, NAME, Room


def test_two_concurrent_copies_are_stored_once_in_every_order_of_their_calls() -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler)
        scheduler.add(lambda: room.send("anna"))
        scheduler.add(lambda: room.send("ben"))
        scheduler.run()
        room.verify()
        assert room.places() == [1]
        assert sorted(stored.is_repeat for stored in room.stored.values()) == [False, True]

    assert every_schedule(scenario) > 500


def test_a_refused_copy_does_not_affect_the_other_in_any_order_of_their_calls() -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler)
        scheduler.add(lambda: room.send("anna", is_refused=True))
        scheduler.add(lambda: room.send("ben"))
        scheduler.run()
        room.verify()
        assert room.refused == {"anna"}
        assert room.places() == [1]

    assert every_schedule(scenario) > 200


def test_concurrent_messages_of_several_senders_are_all_stored_in_every_order_of_their_calls() -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,))
        for sender in ("anna", "ben", "cleo"):
            scheduler.add(lambda sender=sender: room.send(sender, message_id=f"id of {sender}"))
        scheduler.run()
        room.verify()
        assert room.places() == [1, 2, 3]

    assert every_schedule(scenario) > 150


def test_a_refused_message_leaves_no_trace() -> None:
    room = Room()
    room.send("anna", is_refused=True)
    assert (room.places(), room.dynamodb.items(MESSAGES)) == ([], [])


def test_a_repeat_with_another_connection_and_body_returns_the_first_message() -> None:
    room = Room()
    room.send("anna")
    room.say("something else")
    room.clock.advance(3600)
    room.send("ben")
    assert room.stored["ben"].message == room.stored["anna"].message
    assert room.stored["ben"].is_repeat
    assert len(room.dynamodb.items(MESSAGES)) == 2, "the repeat's row has been deleted"


def test_an_id_belongs_to_its_room() -> None:
    room = Room()
    room.send("anna")
    rows = room.rows.of(ID, NAME)
    assert [row.text for row in rows] == ["by anna"]
    assert room.rows.of(ID, "kitchen") == []


class _NotLookingUp(MessageRows):
    def of(self, message_id: str, room: str) -> list[MessageRow]:
        return []


class _NotClaimingTheRow(MessageRows):
    def claim(self, row: MessageRow) -> None:
        pass


class _WithdrawingUnconditionally(MessageRows):
    def withdraw(self, row: MessageRow) -> None:
        self.remove(row.message_id, row.timestamp)


class _NotPuttingTheRow(MessageRows):
    def add(self, row: MessageRow) -> MessageRow:
        return row


def _without_condition(call: Call, send: Callable[[], Item]) -> Item:
    if call.operation == "PutItem" and call.table == ROOMS:
        for name in ("ConditionExpression", "ExpressionAttributeNames", "ReturnValuesOnConditionCheckFailure"):
            call.request.pop(name, None)
    return send()


@pytest.mark.parametrize(
    ("rows_type", "fault", "is_refused"),
    [
        (_NotLookingUp, carry_out, False),
        (_NotClaimingTheRow, carry_out, True),
        (_WithdrawingUnconditionally, carry_out, True),
        (_NotPuttingTheRow, carry_out, False),
        (MessageRows, _without_condition, False),
    ],
    ids=["no look-up", "row not put again", "row deleted unconditionally", "no row", "no condition"],
)
def test_each_safeguard_of_the_code_is_needed(
    rows_type: type[MessageRows], fault: Interceptor, is_refused: bool
) -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, rows_type=rows_type, fault=fault)
        scheduler.add(lambda: room.send("anna", is_refused=is_refused))
        scheduler.add(lambda: room.send("ben"))
        scheduler.run()
        room.verify()
        assert room.places() == [1]

    with pytest.raises(AssertionError):
        every_schedule(scenario)

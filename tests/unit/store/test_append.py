"""The code that appends a message, in every order of the calls of two copies, and with each safeguard broken."""

from collections.abc import Callable

import pytest

from chat.schema import MESSAGES, ROOMS
from chat.store.message_rows import MessageRow, MessageRows
from tests.fakes.dynamodb import Call, Interceptor, Item, carry_out
from tests.unit.store.interleaving import Scheduler, every_schedule
from tests.unit.store.room import ID, NAME, Room


def test_two_copies_at_once_stand_once_in_every_order_of_their_calls() -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler)
        scheduler.add(lambda: room.send("anna"))
        scheduler.add(lambda: room.send("ben"))
        scheduler.run()
        room.verify()
        assert room.places() == [1]
        assert sorted(stored.is_repeat for stored in room.stored.values()) == [False, True]

    assert every_schedule(scenario) > 500


def test_a_refused_copy_takes_nothing_from_the_other_in_every_order_of_their_calls() -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler)
        scheduler.add(lambda: room.send("anna", is_refused=True))
        scheduler.add(lambda: room.send("ben"))
        scheduler.run()
        room.verify()
        assert room.refused == {"anna"}
        assert room.places() == [1]

    assert every_schedule(scenario) > 200


def test_messages_of_several_senders_at_once_all_stand_in_every_order_of_their_calls() -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,))
        for sender in ("anna", "ben", "cleo"):
            scheduler.add(lambda sender=sender: room.send(sender, message_id=f"id of {sender}"))
        scheduler.run()
        room.verify()
        assert room.places() == [1, 2, 3]

    assert every_schedule(scenario) > 150


def test_a_refused_message_leaves_nothing() -> None:
    room = Room()
    room.send("anna", is_refused=True)
    assert (room.places(), room.dynamodb.items(MESSAGES)) == ([], [])


def test_a_repetition_by_another_connection_and_of_another_body_shows_the_first_message() -> None:
    room = Room()
    room.send("anna")
    room.say("something else")
    room.clock.advance(3600)
    room.send("ben")
    assert room.stored["ben"].message == room.stored["anna"].message
    assert room.stored["ben"].is_repeat
    assert len(room.dynamodb.items(MESSAGES)) == 2, "the row of the repetition is gone again"


def test_an_id_belongs_to_its_room() -> None:
    room = Room()
    room.send("anna")
    kept = room.rows.of(ID, NAME)
    assert [row.text for row in kept] == ["by anna"]
    assert room.rows.of(ID, "kitchen") == []


class _NeverLooks(MessageRows):
    def of(self, message_id: str, room: str) -> list[MessageRow]:
        return []


class _RelyingOnAnothersRow(MessageRows):
    def keep(self, row: MessageRow) -> None:
        pass


class _TakingBackWhateverHappened(MessageRows):
    def take_back(self, row: MessageRow) -> None:
        self.remove(row.message_id, row.timestamp)


class _ForgettingTheRow(MessageRows):
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
        (_NeverLooks, carry_out, False),
        (_RelyingOnAnothersRow, carry_out, True),
        (_TakingBackWhateverHappened, carry_out, True),
        (_ForgettingTheRow, carry_out, False),
        (MessageRows, _without_condition, False),
    ],
    ids=["no look-up", "row not kept", "row taken back", "no row", "no condition"],
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

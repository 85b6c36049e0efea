"""How a room's log begins, ends, expires and restarts. Reasons: docs/decisions/0010."""

import pytest

from chat.schema import ROOMS
from chat.store.room_log import End, RoomLog
from tests.fakes.clock import START_SECONDS
from tests.fakes.invariants import logs
from tests.unit.store.interleaving import Scheduler, every_schedule
from tests.unit.store.room import DAY, ID, NAME, RETENTION_SECONDS, Room

HOUR = 3600
LASTING, CERTAIN = RETENTION_SECONDS - HOUR, RETENTION_SECONDS - HOUR // 2
"""How long after its newest message a log can be extended as it is, and is certain to end there."""


@pytest.fixture
def room() -> Room:
    return Room()


def expire(room: Room) -> None:
    """Let TTL delete everything that has expired."""
    room.dynamodb.expire(ROOMS)


# Reading


def test_messages_above_a_seq_are_returned_page_by_page(room: Room) -> None:
    room.say(*"abcdefg")
    first = room.log.after(NAME, 1, None, 4)
    assert ([message.seq for message in first.messages], first.complete, first.lost) == ([2, 3, 4, 5], False, False)
    rest = room.log.after(NAME, 5, None, 4)
    assert ([message.seq for message in rest.messages], rest.complete, rest.lost) == ([6, 7], True, False)


def test_a_page_between_two_seqs_is_complete_without_the_messages_beyond(room: Room) -> None:
    room.say(*"abcdefg")
    for before, seqs in ((5, [3, 4]), (3, []), (100, [3, 4, 5, 6, 7])):
        page = room.log.after(NAME, 2, before, 100)
        assert ([message.seq for message in page.messages], page.complete, page.lost) == (seqs, True, False)


def test_the_newest_messages_and_those_before_a_seq(room: Room) -> None:
    room.say(*"abcde")
    for page, seqs, complete in (
        (room.log.newest(NAME, 2), [4, 5], False),
        (room.log.newest(NAME, 5), [1, 2, 3, 4, 5], True),
        (room.log.before(NAME, 3, 5), [1, 2], True),
        (room.log.before(NAME, 1, 5), [], True),
    ):
        assert ([message.seq for message in page.messages], page.complete) == (seqs, complete)


def test_reading_beyond_the_end_reports_lost(room: Room) -> None:
    room.say("a")
    assert room.after(7) == ([], True)


@pytest.mark.parametrize("is_deleted", [False, True], ids=["expired", "deleted by TTL"])
def test_reading_after_a_seq_reports_messages_that_have_expired_since(room: Room, is_deleted: bool) -> None:
    room.say("a", "b")
    room.clock.advance(DAY)
    room.say("c")
    room.clock.advance(RETENTION_SECONDS - DAY)
    if is_deleted:
        expire(room)
    assert room.after(2) == ([3], False), "it has both"
    assert room.after(1) == ([3], True), "b has expired"
    assert room.after(0) == ([3], True)
    assert [message.seq for message in room.log.newest(NAME, 10).messages] == [3]


@pytest.mark.parametrize("known", [0, 1, 2])
@pytest.mark.parametrize("is_deleted", [False, True], ids=["expired", "deleted by TTL"])
def test_reading_a_log_that_has_expired_entirely_reports_lost(room: Room, known: int, is_deleted: bool) -> None:
    room.say("a", "b")
    room.clock.advance(RETENTION_SECONDS)
    if is_deleted:
        expire(room)
    assert room.after(known) == ([], True)


def test_a_new_room_has_lost_nothing(room: Room) -> None:
    room.clock.advance(DAY)
    assert room.after(0) == ([], False)


# Beginning and restarting


def test_the_beginning_of_a_room_is_written_once(room: Room) -> None:
    begun = logs(room.dynamodb)[NAME][0]
    room.clock.advance(DAY)
    assert room.log.begin(NAME).at_ms == begun["at"] == START_SECONDS * 1000
    assert room.say("a") == [1]


def test_a_sender_writes_the_beginning_of_a_room_without_members(room: Room) -> None:
    room.dynamodb.remove(ROOMS, room=NAME, item="log#0000000000000000")
    assert room.say("a", "b") == [1, 2]
    assert logs(room.dynamodb)[NAME][0]["base"] == 0


def test_a_room_silent_for_less_than_the_retention_continues(room: Room) -> None:
    room.say("a")
    for silence in (LASTING - 1, LASTING + 1, CERTAIN - 1):
        seq = room.places()[-1]
        room.clock.advance(silence)
        assert room.say(f"after {silence}") == [seq + 1]
        assert room.after(seq) == ([seq + 1], False)


@pytest.mark.parametrize("silence", [CERTAIN, RETENTION_SECONDS, 100 * DAY])
def test_a_room_silent_for_longer_restarts_above_every_number_it_used(room: Room, silence: int) -> None:
    room.say("a", "b")
    room.clock.advance(silence)
    expire(room)
    now = room.clock.now_ms()
    assert room.say("c", "d") == [now + 1, now + 2]
    for known in (0, 1, 2):
        seqs, lost = room.after(known)
        assert seqs[-2:] == [now + 1, now + 2]
        assert lost
    assert room.after(now + 1) == ([now + 2], False)


def test_a_second_restart_is_above_the_first(room: Room) -> None:
    beginnings = []
    for text in "abc":
        beginnings += room.say(text)
        room.clock.advance(2 * RETENTION_SECONDS)
        expire(room)
    assert beginnings == sorted(beginnings)
    assert len(room.given) == 3


def test_a_room_restarts_above_the_last_base_even_if_the_clock_was_set_back(room: Room) -> None:
    room.say("a")
    room.clock.advance(10 * RETENTION_SECONDS)
    second = room.say("b")
    expire(room)
    room.clock.set_back(5 * RETENTION_SECONDS)
    room.dynamodb.remove(ROOMS, room=NAME, item=f"log#{second[0]:016d}")
    room.dynamodb.put(ROOMS, {**logs(room.dynamodb)[NAME][0], "until": room.clock.now_ms() // 1000})
    assert room.say("c") > second


def test_ttl_may_delete_the_end_before_earlier_messages(room: Room) -> None:
    room.say("a", "b", "c")
    room.clock.advance(RETENTION_SECONDS)
    room.dynamodb.expire(ROOMS, choose=lambda items: items[-1:])
    assert room.places() == [1, 2]
    assert room.say("d") > [3]
    assert room.after(2)[1], "c was present"


def test_a_message_expires_no_earlier_than_the_one_before_it(room: Room) -> None:
    room.say("a")
    room.keep_for(DAY)
    room.say("b")
    room.clock.advance(2 * DAY)
    expire(room)
    assert room.places() == [1, 2]
    assert room.say("c") == [3]
    room.verify()


def test_shortening_and_lengthening_the_retention_reuses_no_number(room: Room) -> None:
    for seconds in (DAY, RETENTION_SECONDS):
        room.keep_for(seconds)
        room.say(f"kept for {seconds}")
        room.clock.advance(3 * DAY)
        expire(room)
        room.say(f"after {seconds}")
    assert sorted(room.given) == [1, 2, 3, 4]


def test_ending_unlimited_retention_reuses_no_number(room: Room) -> None:
    room.keep_for(0)
    room.say("for ever")
    for seconds in (DAY, 0, DAY, RETENTION_SECONDS):
        room.keep_for(seconds)
        room.say(f"kept for {seconds}, {len(room.given)}")
        room.clock.advance(100 * DAY)
        expire(room)
    assert 1 in room.places(), "the message without expiry is still there"
    assert len(room.given) == 5


# Races around the moment when a log can no longer be extended


def _racing(room: Room, moment: int, *, message_ids: tuple[str, str]) -> None:
    """Run two senders concurrently while the clock passes a moment after the last message and TTL deletes."""
    room.say("a", "b")
    room.clock.advance(moment - 10)
    for sender, message_id in zip(("anna", "ben"), message_ids, strict=True):
        room.scheduler.add(lambda sender=sender, message_id=message_id: room.send(sender, message_id=message_id))

    def advance_clock() -> None:
        room.scheduler.pause()
        room.clock.advance(20)
        room.dynamodb.expire(ROOMS, choose=lambda items: items[-1:])

    room.scheduler.add(advance_clock)


@pytest.mark.parametrize("moment", [LASTING, CERTAIN, RETENTION_SECONDS])
def test_members_read_the_messages_of_two_concurrent_senders(moment: int) -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,))
        _racing(room, moment, message_ids=("id of anna", "id of ben"))
        scheduler.run()
        room.verify()
        first, second = (room.stored[sender].message.seq for sender in ("anna", "ben"))
        assert abs(first - second) == 1, "they have adjacent places"
        seqs, lost = room.after(2)
        assert {first, second} <= set(seqs) or lost

    assert every_schedule(scenario) > 50


@pytest.mark.parametrize("moment", [LASTING, pytest.param(CERTAIN, marks=pytest.mark.slow)])
def test_a_concurrent_reader_misses_neither_of_two_senders(moment: int) -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,))
        _racing(room, moment, message_ids=("id of anna", "id of ben"))
        read: list[int] = []
        scheduler.add(lambda: room.at_once(lambda: read.extend(room.after(2)[0])))
        scheduler.run()
        read += room.after(max([2, *read]))[0]
        assert sorted(room.stored[sender].message.seq for sender in ("anna", "ben")) == read

    assert every_schedule(scenario) > 50


@pytest.mark.parametrize("moment", [LASTING, CERTAIN, RETENTION_SECONDS])
def test_two_concurrent_copies_of_a_message_are_stored_once(moment: int) -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,))
        _racing(room, moment, message_ids=(ID, ID))
        scheduler.run()
        room.verify()
        assert len(room.given) == 3

    assert every_schedule(scenario) > 50


class _RestartingAtAFixedPlace(RoomLog):
    """Restarts at a fixed number, regardless of the numbers in use."""

    def renew_end(self, room: str, end: End) -> End:
        return End(None, self.begin(room)._replace(base=10**12, until=None))


def test_the_check_detects_a_reused_base() -> None:
    room = Room(log_type=_RestartingAtAFixedPlace)
    for text in "ab":
        room.say(text)
        room.clock.advance(2 * RETENTION_SECONDS)
        expire(room)
    with pytest.raises(AssertionError, match="given out twice"):
        room.say("c")


class _WithoutRenewal(RoomLog):
    """Restarts above the clock as soon as an end is not extendable, although others may still extend it."""

    def renew_end(self, room: str, end: End) -> End:
        entry = end.entry._replace(expires_at=1) if end.entry is not None else None
        return super().renew_end(room, end._replace(entry=entry))


def test_without_renewal_a_message_is_stored_twice() -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,), log_type=_WithoutRenewal)
        _racing(room, LASTING, message_ids=(ID, ID))
        scheduler.run()
        assert len(room.given) == 3

    with pytest.raises(AssertionError):
        every_schedule(scenario)


# Finding a message whose id the server generated


def test_a_message_is_found_by_its_timestamp(room: Room) -> None:
    for number in range(40):
        room.say(f"{number}")
        room.clock.advance(60)
    sent_at = room.stored["17"].message.timestamp
    place = room.log.place_before(NAME, sent_at, 40)
    assert 15 <= place < room.stored["17"].message.seq


def test_it_is_found_among_messages_sent_long_before_they_were_stored(room: Room) -> None:
    room.say("a")
    early = room.clock.now_ms()
    room.clock.advance(HOUR)
    room.say("b")
    sent_at = room.stored["b"].message.timestamp
    for number in range(20):  # each was stored with the row of a function that had died
        room.send(f"late {number}", message_id=f"late {number}")
        item = logs(room.dynamodb)[NAME][3 + number]
        room.dynamodb.put(ROOMS, {**item, "timestamp": f"2027-01-15T08:00:00.{early % 1000:03d}Z"})
    assert room.log.place_before(NAME, sent_at, 22) == 1


def test_it_is_found_across_a_restart_of_the_log(room: Room) -> None:
    room.keep_for(0)
    room.say("a", "b", "c")
    sent_at = room.stored["b"].message.timestamp
    room.keep_for(RETENTION_SECONDS)
    room.clock.advance(DAY)
    (seq,) = room.say("d")
    assert seq > 1000
    assert room.log.place_before(NAME, sent_at, seq) < 2

"""How a room's log begins, ends, expires and begins again; decision 0010 has the reasons."""

import pytest

from chat.schema import ROOMS
from chat.store.room_log import End, RoomLog
from tests.fakes.clock import START_SECONDS
from tests.fakes.invariants import logs
from tests.unit.store.interleaving import Scheduler, every_schedule
from tests.unit.store.room import DAY, ID, NAME, RETENTION_SECONDS, Room

HOUR = 3600
LASTING, CERTAIN = RETENTION_SECONDS - HOUR, RETENTION_SECONDS - HOUR // 2
"""How long after its newest message a log is built on as it is, and is certain to end there."""


@pytest.fixture
def room() -> Room:
    return Room()


def expire(room: Room) -> None:
    """Let TTL delete all that has expired."""
    room.dynamodb.expire(ROOMS)


# Reading


def test_the_messages_above_a_seq_come_page_by_page(room: Room) -> None:
    room.say(*"abcdefg")
    first = room.log.after(NAME, 1, None, 4)
    assert ([message.seq for message in first.messages], first.complete, first.lost) == ([2, 3, 4, 5], False, False)
    rest = room.log.after(NAME, 5, None, 4)
    assert ([message.seq for message in rest.messages], rest.complete, rest.lost) == ([6, 7], True, False)


def test_a_page_between_two_seqs_is_complete_without_what_lies_beyond(room: Room) -> None:
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


def test_a_reader_beyond_the_end_is_told_that_its_messages_are_lost(room: Room) -> None:
    room.say("a")
    assert room.after(7) == ([], True)


@pytest.mark.parametrize("is_deleted", [False, True], ids=["expired", "deleted by TTL"])
def test_a_reader_is_told_of_what_expired_since(room: Room, is_deleted: bool) -> None:
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
def test_a_reader_of_a_log_that_has_expired_whole_is_told_that_it_may_have_missed_something(
    room: Room, known: int, is_deleted: bool
) -> None:
    room.say("a", "b")
    room.clock.advance(RETENTION_SECONDS)
    if is_deleted:
        expire(room)
    assert room.after(known) == ([], True)


def test_in_a_room_that_has_just_begun_nothing_is_lost(room: Room) -> None:
    room.clock.advance(DAY)
    assert room.after(0) == ([], False)


# Beginning, and beginning again


def test_a_room_begins_once(room: Room) -> None:
    begun = logs(room.dynamodb)[NAME][0]
    room.clock.advance(DAY)
    assert room.log.begin(NAME).at_ms == begun["at"] == START_SECONDS * 1000
    assert room.say("a") == [1]


def test_a_sender_begins_a_room_that_nobody_has_joined(room: Room) -> None:
    room.dynamodb.remove(ROOMS, room=NAME, item="log#0000000000000000")
    assert room.say("a", "b") == [1, 2]
    assert logs(room.dynamodb)[NAME][0]["base"] == 0


def test_a_room_that_was_silent_for_less_than_the_retention_goes_on(room: Room) -> None:
    room.say("a")
    for silence in (LASTING - 1, LASTING + 1, CERTAIN - 1):
        seq = room.places()[-1]
        room.clock.advance(silence)
        assert room.say(f"after {silence}") == [seq + 1]
        assert room.after(seq) == ([seq + 1], False)


@pytest.mark.parametrize("silence", [CERTAIN, RETENTION_SECONDS, 100 * DAY])
def test_a_room_that_was_silent_for_longer_begins_above_every_number_it_gave_out(room: Room, silence: int) -> None:
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


def test_a_room_begins_a_third_time_above_the_second(room: Room) -> None:
    beginnings = []
    for text in "abc":
        beginnings += room.say(text)
        room.clock.advance(2 * RETENTION_SECONDS)
        expire(room)
    assert beginnings == sorted(beginnings)
    assert len(room.given) == 3


def test_a_room_begins_again_above_the_last_base_although_the_clock_was_set_back(room: Room) -> None:
    room.say("a")
    room.clock.advance(10 * RETENTION_SECONDS)
    second = room.say("b")
    expire(room)
    room.clock.set_back(5 * RETENTION_SECONDS)
    room.dynamodb.remove(ROOMS, room=NAME, item=f"log#{second[0]:016d}")
    room.dynamodb.put(ROOMS, {**logs(room.dynamodb)[NAME][0], "until": room.clock.now_ms() // 1000})
    assert room.say("c") > second


def test_ttl_may_delete_the_end_before_what_is_before_it(room: Room) -> None:
    room.say("a", "b", "c")
    room.clock.advance(RETENTION_SECONDS)
    room.dynamodb.expire(ROOMS, choose=lambda items: items[-1:])
    assert room.places() == [1, 2]
    assert room.say("d") > [3]
    assert room.after(2)[1], "c was there"


def test_a_message_expires_no_earlier_than_the_one_before_it(room: Room) -> None:
    room.say("a")
    room.keep_for(DAY)
    room.say("b")
    room.clock.advance(2 * DAY)
    expire(room)
    assert room.places() == [1, 2]
    assert room.say("c") == [3]
    room.verify()


def test_a_retention_that_is_shortened_and_lengthened_again_gives_no_number_twice(room: Room) -> None:
    for seconds in (DAY, RETENTION_SECONDS):
        room.keep_for(seconds)
        room.say(f"kept for {seconds}")
        room.clock.advance(3 * DAY)
        expire(room)
        room.say(f"after {seconds}")
    assert sorted(room.given) == [1, 2, 3, 4]


def test_a_room_that_kept_all_for_ever_gives_no_number_twice_after_it_was_told_to_keep_less(room: Room) -> None:
    room.keep_for(0)
    room.say("for ever")
    for seconds in (DAY, 0, DAY, RETENTION_SECONDS):
        room.keep_for(seconds)
        room.say(f"kept for {seconds}, {len(room.given)}")
        room.clock.advance(100 * DAY)
        expire(room)
    assert 1 in room.places(), "what was to be kept for ever is"
    assert len(room.given) == 5


# Races about the moment at which a log is no longer built on


def _racing(room: Room, moment: int, *, message_ids: tuple[str, str]) -> None:
    """Let two senders go on side by side while the clock passes a moment after the last message, and TTL is at work."""
    room.say("a", "b")
    room.clock.advance(moment - 10)
    for sender, message_id in zip(("anna", "ben"), message_ids, strict=True):
        room.scheduler.add(lambda sender=sender, message_id=message_id: room.send(sender, message_id=message_id))

    def time_goes_by() -> None:
        room.scheduler.pause()
        room.clock.advance(20)
        room.dynamodb.expire(ROOMS, choose=lambda items: items[-1:])

    room.scheduler.add(time_goes_by)


@pytest.mark.parametrize("moment", [LASTING, CERTAIN, RETENTION_SECONDS])
def test_two_senders_at_once_are_both_read_by_whoever_was_there(moment: int) -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,))
        _racing(room, moment, message_ids=("id of anna", "id of ben"))
        scheduler.run()
        room.verify()
        first, second = (room.stored[sender].message.seq for sender in ("anna", "ben"))
        assert abs(first - second) == 1, "one goes on behind the other"
        seqs, lost = room.after(2)
        assert {first, second} <= set(seqs) or lost

    assert every_schedule(scenario) > 50


@pytest.mark.parametrize("moment", [LASTING, pytest.param(CERTAIN, marks=pytest.mark.slow)])
def test_a_reader_meanwhile_misses_none_of_two_senders(moment: int) -> None:
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
def test_two_copies_of_a_message_at_once_stand_once(moment: int) -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,))
        _racing(room, moment, message_ids=(ID, ID))
        scheduler.run()
        room.verify()
        assert len(room.given) == 3

    assert every_schedule(scenario) > 50


class _AtAFixedPlace(RoomLog):
    """Begins again at a number that does not depend on what was given out."""

    def begin_again(self, room: str, end: End) -> End:
        return End(None, self.begin(room)._replace(base=10**12, until=None))


def test_a_base_that_was_used_before_is_noticed() -> None:
    room = Room(log_type=_AtAFixedPlace)
    for text in "ab":
        room.say(text)
        room.clock.advance(2 * RETENTION_SECONDS)
        expire(room)
    with pytest.raises(AssertionError, match="given out twice"):
        room.say("c")


class _WithoutRenewal(RoomLog):
    """Goes on above the clock as soon as an end is not lasting, though others may still build on that end."""

    def begin_again(self, room: str, end: End) -> End:
        entry = end.entry._replace(expires_at=1) if end.entry is not None else None
        return super().begin_again(room, end._replace(entry=entry))


def test_to_go_on_above_the_clock_while_others_build_on_the_end_would_store_a_message_twice() -> None:
    def scenario(scheduler: Scheduler) -> None:
        room = Room(scheduler, pauses_at=(ROOMS,), log_type=_WithoutRenewal)
        _racing(room, LASTING, message_ids=(ID, ID))
        scheduler.run()
        assert len(room.given) == 3

    with pytest.raises(AssertionError):
        every_schedule(scenario)


# Where a message is that the server gave its id


def test_a_message_is_found_by_the_time_it_was_sent(room: Room) -> None:
    for number in range(40):
        room.say(f"{number}")
        room.clock.advance(60)
    sent_at = room.stored["17"].message.timestamp
    place = room.log.place_before(NAME, sent_at, 40)
    assert 15 <= place < room.stored["17"].message.seq


def test_it_is_found_also_among_messages_that_were_sent_long_before_they_were_stored(room: Room) -> None:
    room.say("a")
    early = room.clock.now_ms()
    room.clock.advance(HOUR)
    room.say("b")
    sent_at = room.stored["b"].message.timestamp
    for number in range(20):  # each stands with the content of a row whose first function had died
        room.send(f"late {number}", message_id=f"late {number}")
        item = logs(room.dynamodb)[NAME][3 + number]
        room.dynamodb.put(ROOMS, {**item, "timestamp": f"2027-01-15T08:00:00.{early % 1000:03d}Z"})
    assert room.log.place_before(NAME, sent_at, 22) == 1


def test_it_is_found_across_a_beginning_again(room: Room) -> None:
    room.keep_for(0)
    room.say("a", "b", "c")
    sent_at = room.stored["b"].message.timestamp
    room.keep_for(RETENTION_SECONDS)
    room.clock.advance(DAY)
    (seq,) = room.say("d")
    assert seq > 1000
    assert room.log.place_before(NAME, sent_at, seq) < 2

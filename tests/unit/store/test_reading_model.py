"""Pages of a log compared with a plain model, with expiry, TTL deletion and restarts."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.schema import ROOMS
from tests.fakes.invariants import logs
from tests.unit.store.room import DAY, NAME, RETENTION_SECONDS, Room

HOUR = 3600

lengths = st.sampled_from([1, 40, 4000])
pauses = st.sampled_from([0, HOUR, DAY, RETENTION_SECONDS - HOUR, RETENTION_SECONDS])


def room_with_messages(spans: list[tuple[int, list[int]]], survivors: st.DataObject) -> Room:
    """Return a room with messages of given lengths sent between pauses, while TTL deletes some expired ones."""
    room = Room()
    number = 0
    for pause, sizes in spans:
        room.clock.advance(pause)
        room.dynamodb.expire(ROOMS, choose=lambda items: survivors.draw(_parts(items)))
        for size in sizes:
            number += 1
            room.say(f"{number} ".ljust(size, "x"))
            room.clock.advance(1)
    room.clock.advance(survivors.draw(pauses))
    room.dynamodb.expire(ROOMS, choose=lambda items: survivors.draw(_parts(items)))
    return room


def _parts(items: list[dict[str, object]]) -> st.SearchStrategy[list[dict[str, object]]]:
    return st.just(items) | st.just([]) | st.lists(st.sampled_from(items), unique_by=str) if items else st.just([])


def unexpired_places(room: Room) -> list[int]:
    """Return the places of the messages that have not expired."""
    now = room.clock.now_ms() // 1000
    return sorted(place for place, item in logs(room.dynamodb)[NAME].items() if place and item["expiresAt"] > now)


spans = st.lists(st.tuples(pauses, st.lists(lengths, max_size=4)), min_size=1, max_size=4)


@given(spans=spans, data=st.data(), limit=st.sampled_from([1, 2, 3, 100]), hint=st.booleans())
@settings(max_examples=60)
def test_a_reader_gets_every_message_after_its_seq_or_lost(
    spans: list[tuple[int, list[int]]], data: st.DataObject, limit: int, hint: bool
) -> None:
    room = room_with_messages(spans, data)
    places = unexpired_places(room)
    ever = sorted(room.given)
    for known in {0, *ever, ever[-1] + 1 if ever else 1}:
        read: list[int] = []
        lost, after = False, known
        while True:
            end = room.log.end(NAME) if hint else None
            page = room.log.after(NAME, after, None, limit, end)
            assert len(page.messages) <= limit
            read += [message.seq for message in page.messages]
            lost = lost or page.lost
            if page.complete:
                break
            assert page.messages, "a reader would read forever"
            after = read[-1]
        assert read == [place for place in places if place > known]
        missed = [place for place in ever if place > known and place not in read]
        assert lost or not missed, f"a reader at {known} misses {missed}"
        if lost:
            numbers = [known, *read]
            is_beyond = known > max([room.log.end(NAME).seq, 0])
            has_jump = any(following != place + 1 for place, following in pairwise(numbers))
            assert missed or is_beyond or has_jump or not places, "nothing can have been lost"


@given(spans=spans, data=st.data(), limit=st.sampled_from([1, 2, 3, 100]), hint=st.booleans())
@settings(max_examples=60)
def test_a_reader_gets_the_newest_messages_and_all_earlier_ones_page_by_page(
    spans: list[tuple[int, list[int]]], data: st.DataObject, limit: int, hint: bool
) -> None:
    room = room_with_messages(spans, data)
    places = unexpired_places(room)
    page = room.log.newest(NAME, limit, room.log.end(NAME) if hint else None)
    read = [message.seq for message in page.messages]
    while not page.complete:
        assert 0 < len(page.messages) <= limit
        page = room.log.before(NAME, read[0], limit)
        read = [*(message.seq for message in page.messages), *read]
    assert read == places

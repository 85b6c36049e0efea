"""Frames to clients: at most 32 KB, cut at the correct end, without control characters."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import frames_out
from chat.protocol.frames_in import MAX_FRAME_BYTES
from chat.protocol.frames_out import Frame, Message, Page, Person

ADA = Person("L0SM9cOFvHcCIhw=", "Ada", "guest-3q2-7wAAqrvM3e7_3q2-7w")
SHORT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
TEXT = st.builds(lambda text, times: (text * times)[:4000], SHORT, st.sampled_from([1, 10, 100, 4000]))
LARGEST = "\0" * 3999 + "."
"""The text that takes the most bytes: JSON escapes each of its characters with six."""


def messages(texts: Sequence[str], author: Person = ADA) -> list[Message]:
    return [
        Message("11111111-2222-3333-4444-555555555555", "tea", seq, "2026-01-01T00:00:00.000Z", text, author)
        for seq, text in enumerate(texts, start=1)
    ]


def size(frame: Frame) -> int:
    return len(frames_out.encode(frame).encode())


@given(st.lists(TEXT, max_size=20), st.sampled_from(["newest", "before", "after"]), st.booleans())
def test_a_page_that_is_too_long_is_cut_and_marked_incomplete(texts: list[str], asked: str, complete: bool) -> None:
    page = Page(messages(texts), complete=complete)
    before, after = (9 if asked == "before" else None), (0 if asked == "after" else None)
    frame = frames_out.history("tea", page, before=before, after=after)
    assert size(frame) <= MAX_FRAME_BYTES
    count = len(frame["messages"])
    whole = [message.fields() for message in page.messages]
    assert frame["messages"] == (whole[:count] if asked == "after" else whole[len(whole) - count :])
    assert frame["complete"] == (complete and count == len(texts))
    assert count >= min(1, len(texts)), "otherwise a client would request the same page forever"


@given(st.lists(TEXT, max_size=20), st.none() | st.just(0), st.integers(0, 150), st.sampled_from(["n", "\U0001f600"]))
def test_joined_fits_into_a_frame_for_any_room(texts: list[str], after: int | None, members: int, letter: str) -> None:
    people = [Person(f"connection-{number:04d}=", letter * 40, "guest-" + "s" * 22) for number in range(members)]
    page = Page(messages(texts), complete=True)
    frame = frames_out.joined("tea", ADA, people, last_seq=len(texts), page=page, after=after)
    assert size(frame) <= MAX_FRAME_BYTES
    assert frame["memberCount"] == members
    assert frame["members"] == [person.fields() for person in people[: len(frame["members"])]]
    assert len(frame["members"]) >= min(members, 33), "this many with the longest names fit beside the largest message"
    assert frame["messages"] or not texts


@pytest.mark.parametrize("after", [None, 0])
def test_one_message_of_any_size_fits_beside_the_members(after: int | None) -> None:
    people = [Person(f"connection-{number:04d}=", "\U0001f600" * 40, "guest-" + "s" * 22) for number in range(100)]
    page = Page(messages([LARGEST, LARGEST]), complete=True)
    frame = frames_out.joined("tea", people[0], people, last_seq=2, page=page, after=after)
    assert [message["seq"] for message in frame["messages"]] == ([2] if after is None else [1])
    assert frame["complete"] is False
    assert MAX_FRAME_BYTES - 300 < size(frame) <= MAX_FRAME_BYTES


def test_the_largest_message_fits_a_frame() -> None:
    (stored,) = messages([LARGEST], Person("c" * 32, "\U0001f600" * 40, "guest-" + "s" * 22))
    assert size(frames_out.message(stored)) <= MAX_FRAME_BYTES


def test_at_most_100_members_are_listed() -> None:
    people = [Person(f"{number:03d}", "n", "s") for number in range(101)]
    frame = frames_out.joined("tea", ADA, people, last_seq=0, page=Page([], complete=True), after=None)
    assert (len(frame["members"]), frame["memberCount"]) == (100, 101)


def test_fields_missing_in_the_request_are_missing_in_the_answer() -> None:
    page = Page([], complete=True)
    assert {"before", "after"}.isdisjoint(frames_out.history("tea", page, before=None, after=None))
    asked = frames_out.history("tea", page, before=0, after=0)
    assert (asked["before"], asked["after"]) == (0, 0)
    assert "after" not in frames_out.joined("tea", ADA, [], last_seq=0, page=page, after=None)


def test_a_pong_without_a_room_has_a_last_seq_of_0() -> None:
    assert frames_out.pong(None, 0, {}) == {
        "type": "pong",
        "room": None,
        "lastSeq": 0,
        "timestamp": "1970-01-01T00:00:00.000Z",
        "rooms": {},
    }


@given(TEXT)
def test_control_characters_are_escaped(text: str) -> None:
    wire = frames_out.encode(frames_out.message(messages([text])[0]))
    assert not [character for character in wire if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0]
    assert json.loads(wire)["message"] == text

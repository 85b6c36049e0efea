"""The rules for each field of a frame."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import frames
from chat.refusal import Refusal
from chat.settings import MAX_FRAME_BYTES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.none() | st.text() | st.binary() | JSON, st.booleans())
def test_a_body_of_any_kind_is_decoded_or_refused_but_never_raises(body: Any, encoded: bool) -> None:
    try:
        frame = frames.decode({"body": body, "isBase64Encoded": encoded})
    except Refusal as refused:
        assert (refused.code, refused.sentence) == ("bad_request", "Invalid request")  # noqa: PT017
    else:
        assert isinstance(frame, dict)


@given(st.dictionaries(st.sampled_from(["message", "messageId", "room", "name", "before", "after", "limit"]), JSON))
def test_a_field_of_any_kind_is_read_or_refused_but_never_raises(frame: dict[str, Any]) -> None:
    for read in (
        frames.message_text,
        frames.message_id,
        frames.room_name,
        frames.member_name,
        frames.page_size,
        lambda one: frames.seq_number(one, "before"),
    ):
        try:
            value = read(frame)
        except Refusal as refused:
            assert refused.sentence  # noqa: PT017
        else:
            json.dumps(value, ensure_ascii=False).encode()  # it can be stored and sent


@given(st.text(min_size=1, max_size=60))
def test_a_name_that_is_taken_is_visible_normal_and_short(name: str) -> None:
    try:
        taken = frames.member_name({"name": name})
    except Refusal as refused:
        assert refused.code == "invalid_name"  # noqa: PT017
        return
    assert taken is not None
    assert 1 <= len(taken) <= 40
    assert taken == frames.member_name({"name": taken}), "a name that was taken is taken again as it is"


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "hello",
        "[]",
        "3",
        "null",
        '"text"',
        "{",
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": ' + "9" * 5000 + "}",
        "[" * 50_000,
        "[" * 15_000 + "]" * 15_000,  # deeper than some parsers go, and no object for those that get through
        '{"message": "\ud800"}',
        "x" * (MAX_FRAME_BYTES + 1),
        json.dumps({"message": "é" * MAX_FRAME_BYTES}, ensure_ascii=False),
        7,
        {"action": "ping"},
        b"{}",
    ],
)
def test_what_is_no_frame_is_an_invalid_request(body: Any) -> None:
    with pytest.raises(Refusal, match="^Invalid request$"):
        frames.decode({"body": body})


def test_a_frame_of_exactly_32_kb_is_taken() -> None:
    empty = len(json.dumps({"message": ""}))
    assert frames.decode({"body": json.dumps({"message": "x" * (MAX_FRAME_BYTES - empty)})})


def test_a_frame_may_come_in_base64() -> None:
    assert frames.decode({"body": "eyJhIjoxfQ==", "isBase64Encoded": True}) == {"a": 1}


@pytest.mark.parametrize("text", [None, "", "   ", "\n\t", 5, True, [], {}])
def test_a_message_without_text_is_required(text: Any) -> None:
    with pytest.raises(Refusal, match="^Message is required$") as refused:
        frames.message_text({"message": text})
    assert refused.value.code == "message_required"


def test_a_message_has_at_most_4000_characters_after_trimming() -> None:
    assert frames.message_text({"message": "  " + "😀" * 4000 + "\n"}) == "😀" * 4000
    with pytest.raises(Refusal) as refused:
        frames.message_text({"message": "x" * 4001})
    assert refused.value.code == "message_too_long"
    assert "4001" in refused.value.sentence


@pytest.mark.parametrize("text", ["a\x00b", "a\x1b[2Jb", "a\x7fb", "a\x9b2Jb", "two\nlines\tand a tab"])
def test_control_characters_of_a_message_stay_in_it_but_never_travel_as_such(text: str) -> None:
    taken = frames.message_text({"message": text})
    wire = frames.encode({"message": taken})
    assert not [character for character in wire if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0]
    assert json.loads(wire)["message"] == taken == text


def test_a_lone_surrogate_in_a_message_is_refused() -> None:
    frame = frames.decode({"body": '{"message": "\\ud83d"}'})
    with pytest.raises(Refusal, match="Invalid request"):
        frames.message_text(frame)


@pytest.mark.parametrize("room", ["", "-a", "A", "a b", "ä", "a" * 65, "lobby\n", None, 3, ["lobby"]])
def test_a_room_that_breaks_the_rule_is_refused(room: Any) -> None:
    with pytest.raises(Refusal) as refused:
        frames.room_name({"room": room})
    assert refused.value.code == "invalid_room"


@pytest.mark.parametrize("room", ["a", "0", "a-", "a" * 64, "tea-time"])
def test_a_room_that_keeps_the_rule_is_taken(room: str) -> None:
    assert frames.room_name({"room": room}) == room


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "\u3164",
        "\u2800",
        "a\u115fb",
        "\u0301\u0302",
        "\ufe0f",
        "\u200d\u200c",
        "a\nb",
        "a\tb",
        "a\x85b",
        "a" * 41,
        "a\u202eb",
        "a\u2066b",
        "a\x00b",
        "\u200b",
        "\u200d",
        "a\u200fb",
        "\ud800",
        "\ufeff",
        5,
        [],
    ],
)
def test_a_name_that_hides_or_turns_text_is_refused(name: Any) -> None:
    with pytest.raises(Refusal) as refused:
        frames.member_name({"name": name})
    assert refused.value.code == "invalid_name"


@pytest.mark.parametrize(
    ("given_name", "taken"),
    [
        ("  Anna  ", "Anna"),
        ("e\u0301", "é"),
        ("Ann  a", "Ann a"),
        ("👩‍👧", "👩‍👧"),
        ("❤️ 🏳️‍🌈", "❤️ 🏳️‍🌈"),
        ("1️⃣", "1️⃣"),
        ("\u00a0 Anna\u2003B. \n", "Anna B."),
        ("e\u0301" * 40, "é" * 40),
        ("می‌خواهم", "می‌خواهم"),
        ("a" * 40, "a" * 40),
    ],
)
def test_a_name_is_trimmed_and_normal(given_name: str, taken: str) -> None:
    assert frames.member_name({"name": given_name}) == taken


@pytest.mark.parametrize("value", [-1, 1.5, "3", True, 2**53, math.inf, []])
def test_a_seq_is_a_whole_number(value: Any) -> None:
    with pytest.raises(Refusal, match="after must be a whole number"):
        frames.seq_number({"after": value}, "after")


@pytest.mark.parametrize(("limit", "size"), [(None, 50), (1, 1), (100, 100), (101, 100), (10**9, 100)])
def test_a_page_has_at_most_100_messages(limit: int | None, size: int) -> None:
    assert frames.page_size({"limit": limit}) == size


@given(st.lists(st.text(max_size=4000), max_size=60), st.booleans(), st.integers(0, 60))
def test_a_frame_never_has_more_than_32_kb_and_says_what_it_left_out(
    texts: list[str],
    keep_newest: bool,
    members: int,
) -> None:
    messages = [{"seq": seq, "message": text.encode("utf-8", "replace").decode()} for seq, text in enumerate(texts)]
    base = {"type": "joined", "members": [{"name": "n" * 40}] * members}
    frame = frames.with_page(base, messages, complete=True, lost=False, keep_newest=keep_newest)
    assert len(frames.encode(frame).encode()) <= MAX_FRAME_BYTES
    kept = len(frame["messages"])
    assert frame["messages"] == (messages[len(messages) - kept :] if keep_newest else messages[:kept])
    assert frame["complete"] == (kept == len(messages))

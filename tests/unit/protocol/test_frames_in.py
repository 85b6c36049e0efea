"""Frames from clients: the rule of each field, and arbitrary input."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.protocol import frames_in
from chat.protocol.errors import FrameError
from chat.protocol.frames_in import MAX_FRAME_BYTES, History, Join, Leave, Ping, SendMessage, Typing

ID = "11111111-2222-3333-4444-5555555555ab"
PARSERS: list[Callable[[dict[str, Any]], Any]] = [
    frames_in.parse_send,
    frames_in.parse_join,
    frames_in.parse_leave,
    frames_in.parse_history,
    frames_in.parse_typing,
    frames_in.parse_ping,
    frames_in.echoed_fields,
]
FIELDS = ["action", "message", "messageId", "to", "room", "name", "secret", "before", "after", "limit"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def outcome(read: Callable[[Any], Any], given: Any) -> Any:
    """Return the result of a call, or the FrameError that it raises."""
    try:
        return read(given)
    except FrameError as refused:
        return refused


def code(read: Callable[[Any], Any], given: Any) -> str:
    """Return the code of the error that a call raises."""
    with pytest.raises(FrameError) as refused:
        read(given)
    return refused.value.code


def decoded(body: object, *, encoded: bool = False) -> dict[str, Any]:
    return frames_in.decode({"body": body, "isBase64Encoded": encoded})


@given(st.none() | st.text() | st.binary() | JSON, st.booleans())
def test_any_body_is_decoded_or_refused(body: Any, encoded: bool) -> None:
    result = outcome(lambda given: decoded(given, encoded=encoded), body)
    if isinstance(result, FrameError):
        assert (result.code, result.sentence) == ("bad_request", "Invalid request")
    else:
        assert isinstance(result, dict)


@given(st.binary())
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    body = base64.b64encode(payload).decode()
    result = outcome(lambda given: decoded(given, encoded=True), body)
    assert isinstance(result, dict) or result.code == "bad_request"


@given(st.sampled_from(PARSERS), st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_fields_are_parsed_or_refused(parse: Callable[[dict[str, Any]], Any], fields: dict[str, Any]) -> None:
    parsed = outcome(parse, fields)
    if isinstance(parsed, FrameError):
        assert parsed.sentence
    else:
        json.dumps(parsed, default=lambda frame: [getattr(frame, name) for name in frame.__slots__]).encode()


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
        "[" * 30_000,  # deeper than the parser supports, within the size of a frame
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        '{"message": "\ud800"}',
        json.dumps({"message": "é" * MAX_FRAME_BYTES}, ensure_ascii=False),
        7,
        {"action": "ping"},
        b"{}",
    ],
    ids=lambda body: ascii(body)[:20],
)
def test_a_body_that_is_not_an_object_of_32_kb_is_an_invalid_request(body: Any) -> None:
    assert code(decoded, body) == "bad_request"


def test_a_frame_has_at_most_32_kb() -> None:
    spare = MAX_FRAME_BYTES - len(json.dumps({"message": ""}))
    assert decoded(json.dumps({"message": "x" * spare}))
    assert code(decoded, json.dumps({"message": "x" * (spare + 1)})) == "bad_request"


def test_a_frame_may_be_base64_encoded() -> None:
    assert decoded("eyJhIjoxfQ==", encoded=True) == {"a": 1}
    assert code(lambda body: decoded(body, encoded=True), "not base64") == "bad_request"


def test_each_frame_is_parsed_with_all_its_fields() -> None:
    sent = {"message": " hi ", "messageId": ID, "to": "tea"}
    assert frames_in.parse_send(sent) == SendMessage(text="hi", message_id=ID, to="tea")
    joining = {"room": "tea", "name": " Ada ", "secret": "s" * 16, "after": 3}
    assert frames_in.parse_join(joining) == Join(room="tea", name="Ada", secret="s" * 16, after=3)
    assert frames_in.parse_leave({"room": "tea"}) == Leave(room="tea")
    asked = {"room": "tea", "before": 9, "after": 3, "limit": 7}
    assert frames_in.parse_history(asked) == History(room="tea", before=9, after=3, limit=7)
    assert frames_in.parse_typing({"room": "tea"}) == Typing(room="tea")
    assert frames_in.parse_ping({"room": "tea", "roster": 2**32 - 1}) == Ping("tea", 2**32 - 1)
    assert frames_in.parse_ping({}) == Ping()


def test_an_optional_field_may_be_absent_or_null() -> None:
    for absent in ({}, dict.fromkeys(FIELDS)):
        assert frames_in.parse_send(absent | {"message": "hi"}) == SendMessage(text="hi")
        assert frames_in.parse_join(absent | {"room": "tea"}) == Join(room="tea")
        assert frames_in.parse_history(absent) == History(limit=50)
        assert frames_in.parse_typing(absent) == Typing()


@pytest.mark.parametrize("message", [None, "", " \n\t", "\u200b\u2800", 5, True, [], {}], ids=ascii)
def test_a_message_without_a_visible_character_is_required(message: Any) -> None:
    assert code(frames_in.parse_send, {"message": message}) == "message_required"


def test_a_message_has_at_most_4000_characters_after_trimming() -> None:
    assert frames_in.parse_send({"message": "  " + "😀" * 4000 + "\n"}).text == "😀" * 4000
    assert code(frames_in.parse_send, {"message": "x" * 4001}) == "message_too_long"


def test_a_message_with_a_lone_surrogate_is_refused() -> None:
    assert code(frames_in.parse_send, decoded('{"message": "hi \\ud83d"}')) == "bad_request"


def test_a_uuid_in_capitals_is_the_same() -> None:
    assert frames_in.parse_send({"message": "hi", "messageId": ID.upper()}).message_id == ID


@pytest.mark.parametrize("message_id", ["", "1", ID.replace("-", ""), f"{{{ID}}}", ID + "\n", 5, [ID]], ids=ascii)
def test_a_message_id_is_a_uuid(message_id: Any) -> None:
    assert code(frames_in.parse_send, {"message": "hi", "messageId": message_id}) == "bad_request"


@pytest.mark.parametrize("room", ["", "-a", "A", "a b", "ä", "a" * 65, "lobby\n", 3, ["lobby"]], ids=ascii)
def test_an_invalid_room_is_refused_in_every_frame(room: Any) -> None:
    assert code(frames_in.parse_send, {"message": "hi", "to": room}) == "invalid_room"
    for parse in (frames_in.parse_join, frames_in.parse_leave, frames_in.parse_history, frames_in.parse_typing):
        assert code(parse, {"room": room}) == "invalid_room"


def test_join_and_leave_name_a_room() -> None:
    assert code(frames_in.parse_join, {}) == code(frames_in.parse_leave, {}) == "invalid_room"


@pytest.mark.parametrize("room", ["a", "0", "a-", "a" * 64, "tea-time"])
def test_a_valid_room_is_accepted(room: str) -> None:
    assert frames_in.parse_leave({"room": room}).room == room


@pytest.mark.parametrize("name", ["", "\u202eAda", "a" * 41, 5, []], ids=ascii)
def test_an_invalid_name_is_refused(name: Any) -> None:
    assert code(frames_in.parse_join, {"room": "tea", "name": name}) == "invalid_name"


@pytest.mark.parametrize("secret", ["", "s" * 15, "s" * 129, "s" * 15 + "!", "s" * 15 + "é", "s" * 16 + "\n", 5, []])
def test_a_malformed_secret_is_refused(secret: Any) -> None:
    assert code(frames_in.parse_join, {"room": "tea", "secret": secret}) == "invalid_secret"


@pytest.mark.parametrize("secret", ["Az09_-" * 3, "s" * 128])
def test_a_secret_has_16_to_128_characters(secret: str) -> None:
    assert frames_in.parse_join({"room": "tea", "secret": secret}).secret == secret


@pytest.mark.parametrize(("number", "value"), [("10", 10), ("10.0", 10), ("1E2", 100), ("0", 0), ("-0.0", 0)])
def test_a_number_is_judged_by_its_value(number: str, value: int) -> None:
    fields = decoded(f'{{"before":{number},"after":{number}}}')
    assert frames_in.parse_history(fields) == History(before=value, after=value)


@pytest.mark.parametrize(
    "number", ["10.5", "1e400", "-1", "true", '"3"', "[]", str(2**53), "9" * 400, "1e22"], ids=lambda text: text[:8]
)
def test_a_value_that_is_not_an_integer_is_refused(number: str) -> None:
    for field in ("before", "after"):
        assert code(frames_in.parse_history, decoded(f'{{"{field}":{number}}}')) == "bad_request"
    assert code(frames_in.parse_join, decoded(f'{{"room":"tea","after":{number}}}')) == "bad_request"


@pytest.mark.parametrize(("limit", "size"), [("1", 1), ("100", 100), ("101", 100), ("1E2", 100), ("9" * 400, 100)])
def test_a_page_has_at_most_100_messages(limit: str, size: int) -> None:
    assert frames_in.parse_history(decoded(f'{{"limit":{limit}}}')).limit == size


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "true", '"5"'])
def test_a_limit_is_a_whole_number_from_1(limit: str) -> None:
    assert code(frames_in.parse_history, decoded(f'{{"limit":{limit}}}')) == "bad_request"


def test_an_error_repeats_well_formed_fields_of_the_frame() -> None:
    sent = {"action": "sendmessage", "messageId": "my own id", "to": "tea", "room": "elsewhere"}
    assert frames_in.echoed_fields(sent) == {"room": "tea", "messageId": "my own id"}
    assert frames_in.echoed_fields({"action": "leave", "room": "tea"}) == {"room": "tea", "messageId": None}


@pytest.mark.parametrize("message_id", ["x" * 65, "\ud800", 5, None], ids=ascii)
def test_an_error_repeats_no_malformed_field(message_id: Any) -> None:
    assert frames_in.echoed_fields({"room": "No room", "messageId": message_id}) == {"room": None, "messageId": None}

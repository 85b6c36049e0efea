"""Strict base64url and JSON."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.identity.jose import decode_base64url, parse_object


@given(st.binary(max_size=100))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    assert decode_base64url(base64.urlsafe_b64encode(data).rstrip(b"=").decode()) == data


@given(st.text(st.sampled_from("AQgw_-+/= \n.é"), max_size=8) | st.text(max_size=8))
def test_bytes_have_one_spelling(text: str) -> None:
    try:
        data = decode_base64url(text)
    except ValueError:
        return
    assert base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text


@pytest.mark.parametrize(
    "text",
    ["QQ==", "QQ=", "QR", "Q", "QQQQQ", "QUI+", "QUI/", "QQ\n", " QQ", "Q Q", "Q.Q", "QQé", "\ud800", "====", "QUJD="],
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        decode_base64url(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b"{} {}",
        b'{"alg":"RS256","alg":"none"}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":["\\udc00\\ud800"]}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-32-le"),
        b'{"a":' + b"9" * 6000 + b"}",
        b'{"a":"\x00"}',
        b"{'a':1}",
        b'{"a":1,}',
    ],
    ids=lambda data: repr(data[:24]),
)
def test_what_parsers_may_read_differently_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="."):
        parse_object(data)


@pytest.mark.parametrize(("start", "end"), [(b'{"a":', b"}"), (b"[", b"]")])
@pytest.mark.parametrize("closed", [True, False])
def test_deep_nesting_is_refused(start: bytes, end: bytes, closed: bool) -> None:
    depth = 200_000
    with pytest.raises(ValueError, match="."):
        parse_object(b'{"a":' + start * depth + b"1" + (end * depth + b"}") * closed)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' {"a" : "\\u00e9\xc3\xa9\\ud83d\\ude00"} ', {"a": "éé\N{GRINNING FACE}"}),
        (b'{"a":[1,{"a":null}],"b":{"a":true}}', {"a": [1, {"a": None}], "b": {"a": True}}),
    ],
)
def test_objects_are_parsed(data: bytes, value: object) -> None:
    assert parse_object(data) == value

"""The response reader, with responses split at any point."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.push.errors import MalformedResponseError
from chat.push.response import ResponseReader
from tests.unit.push.peers import OK, status

COMPLETE = {
    "empty": (OK, 200),
    "body": (status(410, b'{"message":"GoneException"}'), 410),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0f\r\nfifteen letters\r\n0\r\n\r\n",
        200,
    ),
    "trailer": (b"HTTP/1.1 429 X\r\ntransfer-encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", 429),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK, 200),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    "another option": (status(200, b"", "Connection: x"), 200),
    "http/1.0, keep-alive": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200),
}


@given(st.sampled_from(sorted(COMPLETE)), st.data())
def test_a_response_is_complete_with_its_last_byte_and_not_before(name: str, data: st.DataObject) -> None:
    response, code = COMPLETE[name]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(response) - 1))))
    *first, last = [response[start:end] for start, end in zip([0, *cuts], [*cuts, len(response)], strict=True)]
    reader = ResponseReader()
    assert not reader.has_begun
    assert not any(reader.feed(piece) for piece in first)
    assert reader.feed(last)
    assert (reader.status, reader.keep_alive, reader.has_begun) == (code, True, True)


@pytest.mark.parametrize(
    "response",
    [
        status(200, b"", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: x\r\nContent-Length: 0\r\n\r\n",
        OK + b"HTTP/1.1 500 unasked\r\n\r\n",
    ],
    ids=["connection: close", "http/1.0", "http/1.0, another option", "extra bytes"],
)
def test_it_detects_that_a_connection_cannot_be_reused(response: bytes) -> None:
    reader = ResponseReader()
    assert reader.feed(response)
    assert (reader.status, reader.keep_alive) == (200, False)


def test_a_body_without_a_length_ends_with_the_stream() -> None:
    reader = ResponseReader()
    assert not reader.feed(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
    assert reader.end()
    assert (reader.status, reader.keep_alive) == (200, False)


@pytest.mark.parametrize(
    "begun",
    [b"", b"HTTP/1.1 200", status(200, b"body")[:-1], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
    ids=["nothing", "head", "body", "chunk"],
)
def test_a_stream_that_ends_within_a_response_leaves_it_incomplete(begun: bytes) -> None:
    reader = ResponseReader()
    assert not reader.feed(begun)
    assert not reader.end()
    assert reader.status is None


@pytest.mark.parametrize(
    "response",
    [
        b"no http at all\r\n\r\n",
        b"SSH-2.0- 200 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
    ],
    ids=[
        "no http",
        "another protocol",
        "no status",
        "negative",
        "long length",
        "no chunk size",
        "negative chunk",
        "endless head",
    ],
)
def test_anything_but_a_response_raises_the_same_error(response: bytes) -> None:
    with pytest.raises(MalformedResponseError):
        ResponseReader().feed(response)


def test_interim_responses_are_skipped() -> None:
    reader = ResponseReader()
    assert reader.feed(b"HTTP/1.1 102 X\r\n\r\n" * 3000 + OK)
    assert reader.status == 200

"""Size limits of frames and messages."""

import pytest
from wsproto.frame_protocol import CloseReason, Frame, Opcode

from local.frames import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES, FrameRefusedError, LimitedDecoder

CHUNK_BYTES = 1000


def send(*frames: bytes) -> str:
    """Decode the frames of one message, each in chunks as a network delivers them; return the message's text."""
    decoder = LimitedDecoder()
    opcode, text = Opcode.TEXT, ""
    for number, payload in enumerate(frames, 1):
        for start in range(0, len(payload), CHUNK_BYTES):
            chunk = payload[start : start + CHUNK_BYTES]
            is_last = start + len(chunk) == len(payload)
            text += str(decoder.process_frame(Frame(opcode, chunk, is_last, number == len(frames))).payload)
            opcode = Opcode.CONTINUATION
    return text


def test_a_message_of_128_kb_in_frames_of_32_kb_is_accepted() -> None:
    whole = "ä" * (MAX_MESSAGE_BYTES // 2)
    cuts = [whole.encode()[start : start + MAX_FRAME_BYTES] for start in range(0, MAX_MESSAGE_BYTES, MAX_FRAME_BYTES)]
    assert send(*cuts) == whole


@pytest.mark.parametrize(
    "frames",
    [
        [b"a" * (MAX_FRAME_BYTES + 1)],
        [b"a" * MAX_FRAME_BYTES, b"a" * (MAX_FRAME_BYTES + 1)],
        [b"\xc3" * 1, b"\xa4" + b"a" * MAX_FRAME_BYTES],
        [*[b"a" * MAX_FRAME_BYTES] * 4, b"a"],
    ],
    ids=["a frame", "a later frame", "a frame that ends a character", "a message"],
)
def test_one_byte_more_is_refused_with_1009(frames: list[bytes]) -> None:
    with pytest.raises(FrameRefusedError) as refused:
        send(*frames)
    assert refused.value.code is CloseReason.MESSAGE_TOO_BIG


def test_a_binary_frame_is_refused_with_1003() -> None:
    with pytest.raises(FrameRefusedError) as refused:
        LimitedDecoder().process_frame(Frame(Opcode.BINARY, b"{}", frame_finished=True, message_finished=True))
    assert refused.value.code is CloseReason.UNSUPPORTED_DATA


def test_each_message_is_counted_on_its_own() -> None:
    decoder = LimitedDecoder()
    for _ in range(5):
        decoder.process_frame(Frame(Opcode.TEXT, b"a" * MAX_FRAME_BYTES, frame_finished=True, message_finished=True))

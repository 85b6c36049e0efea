"""Gives the emulator API Gateway's limits on WebSocket frames.

A frame above 32 KB or a message above 128 KB closes the socket with 1009, a binary frame with 1003 (API Gateway
quotas).
"""

from hypercorn.protocol import h2, h11
from hypercorn.protocol.ws_stream import WSStream
from wsproto import frame_protocol
from wsproto.frame_protocol import CloseReason, Frame, MessageDecoder, Opcode

MAX_FRAME_BYTES = 32 * 1024
MAX_MESSAGE_BYTES = 128 * 1024


class FrameRefusedError(Exception):
    """A frame for which API Gateway closes the socket; `code` is the close code."""

    def __init__(self, code: CloseReason) -> None:
        super().__init__(code.name)
        self.code = code


class LimitedDecoder(MessageDecoder):
    """Assembles the frames of a message within the limits."""

    def __init__(self) -> None:
        super().__init__()
        self._frame_bytes = 0
        self._message_bytes = 0

    def process_frame(self, frame: Frame) -> Frame:
        """Take a received part of a frame. Raises FrameRefusedError."""
        if frame.opcode is Opcode.BINARY:
            raise FrameRefusedError(CloseReason.UNSUPPORTED_DATA)
        self._frame_bytes += len(frame.payload)
        self._message_bytes += len(frame.payload)
        if self._frame_bytes > MAX_FRAME_BYTES or self._message_bytes > MAX_MESSAGE_BYTES:
            raise FrameRefusedError(CloseReason.MESSAGE_TOO_BIG)
        if frame.frame_finished:
            self._frame_bytes = 0
            if frame.message_finished:
                self._message_bytes = 0
        return super().process_frame(frame)


class LimitedStream(WSStream):
    """Closes the socket with the close code of a refused frame."""

    async def _handle_events(self) -> None:
        try:
            await super()._handle_events()
        except FrameRefusedError as refused:
            await self.app_send({"type": "websocket.close", "code": refused.code, "reason": None})
            if self.app_put is not None:
                await self.app_put({"type": "websocket.disconnect", "code": refused.code})


def limit_frames() -> None:
    """Patch Hypercorn, which has no setting for this, to use both classes."""
    frame_protocol.MessageDecoder = LimitedDecoder
    h11.WSStream = h2.WSStream = LimitedStream

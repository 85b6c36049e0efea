"""WebSocket frames as API Gateway takes them, in place of the emulator's server's own rules.

A frame of more than 32 KB or a message of more than 128 KB closes the socket with 1009, a binary frame with 1003 (API
Gateway quotas).
"""

from hypercorn.protocol import h2, h11
from hypercorn.protocol.ws_stream import WSStream
from wsproto import frame_protocol
from wsproto.frame_protocol import CloseReason, Frame, MessageDecoder, Opcode

MAX_FRAME_BYTES = 32 * 1024
MAX_MESSAGE_BYTES = 128 * 1024


class FrameRefusedError(Exception):
    """API Gateway closes the socket for a frame; `code` says why."""

    def __init__(self, code: CloseReason) -> None:
        super().__init__(code.name)
        self.code = code


class LimitedDecoder(MessageDecoder):
    """Puts the frames of a message together. Raises FrameRefusedError."""

    def __init__(self) -> None:
        super().__init__()
        self._frame_bytes = 0
        self._message_bytes = 0

    def process_frame(self, frame: Frame) -> Frame:
        """Take what has arrived of a frame."""
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
    """Closes the socket with the code of a frame that is refused."""

    async def _handle_events(self) -> None:
        try:
            await super()._handle_events()
        except FrameRefusedError as refused:
            await self.app_send({"type": "websocket.close", "code": refused.code, "reason": None})
            if self.app_put is not None:
                await self.app_put({"type": "websocket.disconnect", "code": refused.code})


def limit_frames() -> None:
    """Make the emulator's server, which has no setting for this, use both."""
    frame_protocol.MessageDecoder = LimitedDecoder
    h11.WSStream = h2.WSStream = LimitedStream

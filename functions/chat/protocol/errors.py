"""The errors that a client is told of. Each is built here and becomes one `error` frame."""

from typing import Any


class FrameError(Exception):
    """A frame that is answered by an `error` frame.

    `sentence` is for a person and `code` for a program. `status` is the HTTP status that API Gateway sees.
    `retry_after_ms` is set when the same frame may be sent again after so long.
    """

    def __init__(self, code: str, sentence: str, *, status: int = 400, retry_after_ms: int | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.status = status
        self.retry_after_ms = retry_after_ms


def bad_request(sentence: str = "Invalid request") -> FrameError:
    """Return the error for a frame that cannot be understood."""
    return FrameError("bad_request", sentence)


def message_required() -> FrameError:
    """Return the error for a message without a visible character."""
    return FrameError("message_required", "Message is required")


def message_too_long(length: int, bound: int) -> FrameError:
    """Return the error for a message of more than `bound` characters."""
    return FrameError("message_too_long", f"A message has at most {bound} characters; this one has {length}")


def invalid_room() -> FrameError:
    """Return the error for a room that is not named by the rules."""
    return FrameError("invalid_room", "A room's name has 1 to 64 of a-z, 0-9 and -, and does not begin with -")


def invalid_name(bound: int) -> FrameError:
    """Return the error for a name that is too long, invisible, or holds control characters."""
    sentence = f"A name has 1 to {bound} characters, at least one of them visible and none a control character"
    return FrameError("invalid_name", sentence)


def invalid_secret() -> FrameError:
    """Return the error for a guest's secret of a wrong form."""
    return FrameError("invalid_secret", "A secret has 16 to 128 of A-Z, a-z, 0-9, - and _")


def not_in_room() -> FrameError:
    """Return the error for a room that the connection is not in."""
    return FrameError("not_in_room", "You are not in this room; join it first", status=403)


def too_many_rooms(bound: int) -> FrameError:
    """Return the error for a join beyond the rooms that a connection may be in."""
    return FrameError("too_many_rooms", f"You can be in {bound} rooms at once; leave one first")


def rate_limited(retry_after_ms: int) -> FrameError:
    """Return the error for a frame that came too soon after others of its kind."""
    seconds = max(1, -(-retry_after_ms // 1000))
    sentence = f"Too many at once; try again in {seconds} s"
    return FrameError("rate_limited", sentence, status=429, retry_after_ms=retry_after_ms)


def busy(retry_after_ms: int) -> FrameError:
    """Return the error for a message that found no place because too many others were being stored in its room."""
    sentence = "Too many people are writing to this room; try again in a moment"
    return FrameError("busy", sentence, status=503, retry_after_ms=retry_after_ms)


def internal() -> FrameError:
    """Return what a client is told of a fault of the server: nothing but that it may try again."""
    return FrameError("internal", "Something went wrong here; please try again", status=500)


def error_frame(error: FrameError, **answered: str | None) -> dict[str, Any]:
    """Return the `error` frame; `answered` says which frame it answers: action, room, messageId, each if known."""
    frame: dict[str, Any] = {"type": "error", "error": error.sentence, "code": error.code}
    if error.retry_after_ms is not None:
        frame["retryAfterMs"] = error.retry_after_ms
    return frame | {field: value for field, value in answered.items() if value is not None}

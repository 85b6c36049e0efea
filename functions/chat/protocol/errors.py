"""The errors that a client receives, each as an `error` frame."""

from typing import Any


class FrameError(Exception):
    """Raised for a frame that is answered by an `error` frame.

    `sentence` is for people and `code` for programs. `status` is the HTTP status that API Gateway sees.
    `retry_after_ms` is set if the client may send the same frame again after that time.
    """

    def __init__(self, code: str, sentence: str, *, status: int = 400, retry_after_ms: int | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.status = status
        self.retry_after_ms = retry_after_ms


def bad_request(sentence: str = "Invalid request") -> FrameError:
    """Return the error for a malformed frame."""
    return FrameError("bad_request", sentence)


def message_required() -> FrameError:
    """Return the error for a message without a visible character."""
    return FrameError("message_required", "Message is required")


def message_too_long(length: int, bound: int) -> FrameError:
    """Return the error for a message of more than `bound` characters."""
    return FrameError("message_too_long", f"A message has at most {bound} characters; this one has {length}")


def invalid_room() -> FrameError:
    """Return the error for an invalid room name."""
    return FrameError("invalid_room", "A room's name has 1 to 64 of a-z, 0-9 and -, and does not begin with -")


def invalid_name(bound: int) -> FrameError:
    """Return the error for a name that is too long, invisible or contains control characters."""
    sentence = f"A name has 1 to {bound} characters, at least one of them visible and none a control character"
    return FrameError("invalid_name", sentence)


def invalid_secret() -> FrameError:
    """Return the error for a malformed guest secret."""
    return FrameError("invalid_secret", "A secret has 16 to 128 of A-Z, a-z, 0-9, - and _")


def not_in_room() -> FrameError:
    """Return the error for a room that the connection is not in."""
    return FrameError("not_in_room", "You are not in this room; join it first", status=403)


def too_many_rooms(bound: int) -> FrameError:
    """Return the error for a join that exceeds the `bound` on rooms per connection."""
    return FrameError("too_many_rooms", f"You can be in {bound} rooms at once; leave one first")


def rate_limited(retry_after_ms: int) -> FrameError:
    """Return the error for a frame over its rate limit."""
    seconds = max(1, -(-retry_after_ms // 1000))
    sentence = f"Too many at once; try again in {seconds} s"
    return FrameError("rate_limited", sentence, status=429, retry_after_ms=retry_after_ms)


def busy(retry_after_ms: int) -> FrameError:
    """Return the error for a message that found no free place in its room's log under contention."""
    sentence = "Too many people are writing to this room; try again in a moment"
    return FrameError("busy", sentence, status=503, retry_after_ms=retry_after_ms)


def internal() -> FrameError:
    """Return the error for a server fault; it reveals nothing about the fault."""
    return FrameError("internal", "Something went wrong here; please try again", status=500)


def error_frame(error: FrameError, **echoed: str | None) -> dict[str, Any]:
    """Return the `error` frame; `echoed` (action, room, messageId) identifies the frame that it answers."""
    frame: dict[str, Any] = {"type": "error", "error": error.sentence, "code": error.code}
    if error.retry_after_ms is not None:
        frame["retryAfterMs"] = error.retry_after_ms
    return frame | {field: value for field, value in echoed.items() if value is not None}

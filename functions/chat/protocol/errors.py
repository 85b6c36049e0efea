"""The errors that a client receives, each as an `error` frame."""

from typing import Any

_CONTENDED_RETRY_MS = 1000


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


def invalid_title(bound: int) -> FrameError:
    """Return the error for an invalid title of a private room."""
    sentence = f"A title has 1 to {bound} characters, at least one of them visible and none a control character"
    return FrameError("invalid_title", sentence)


def invalid_secret() -> FrameError:
    """Return the error for a malformed guest secret."""
    return FrameError("invalid_secret", "A secret has 16 to 128 of A-Z, a-z, 0-9, - and _")


def not_in_room() -> FrameError:
    """Return the error for a room that the connection is not in."""
    return FrameError("not_in_room", "You are not in this room; join it first", status=403)


def too_many_rooms(bound: int) -> FrameError:
    """Return the error for a join that exceeds the `bound` on rooms per connection."""
    return FrameError("too_many_rooms", f"You can be in {bound} rooms at once; leave one first")


def sign_in_required() -> FrameError:
    """Return the error for a frame of a connection whose sign-in is missing or has expired."""
    return FrameError("sign_in_required", "Sign in first", status=401)


def invalid_token() -> FrameError:
    """Return the error for a token that is not accepted; it does not say why."""
    return FrameError("invalid_token", "This sign-in is not valid or has expired; sign in again", status=401)


def secret_claimed() -> FrameError:
    """Return the error for a guest secret whose sender belongs to another account."""
    return FrameError("secret_claimed", "This identity belongs to an account; sign in, or use a new one", status=403)


def name_taken() -> FrameError:
    """Return the error for a name that another account has."""
    return FrameError("name_taken", "This name belongs to another account", status=409)


def no_such_room() -> FrameError:
    """Return the one error for a private room that one may not enter, whether or not it exists."""
    return FrameError("no_such_room", "There is no such room, or you are not a member", status=404)


def no_such_invitation() -> FrameError:
    """Return the one error for an invitation that cannot be accepted, for whatever reason."""
    return FrameError("no_such_invitation", "This invitation is not valid, or no longer", status=404)


def not_allowed() -> FrameError:
    """Return the error for a member whose role does not allow an action."""
    return FrameError("not_allowed", "Your role in this room does not allow this", status=403)


def not_a_member() -> FrameError:
    """Return the error for an action on an account that is not a member of the room."""
    return FrameError("not_a_member", "This account is not a member of the room", status=404)


def last_owner() -> FrameError:
    """Return the error for the last owner, who may not leave the others without one."""
    return FrameError("last_owner", "You are the last owner; make another member owner first", status=409)


def room_full(bound: int) -> FrameError:
    """Return the error for a private room with `bound` members."""
    return FrameError("room_full", f"A private room has at most {bound} members", status=409)


def too_many_private_rooms(bound: int) -> FrameError:
    """Return the error for an account in `bound` private rooms."""
    return FrameError("too_many_rooms", f"You can be in {bound} private rooms; leave one first")


def rate_limited(retry_after_ms: int) -> FrameError:
    """Return the error for a frame over its rate limit."""
    seconds = max(1, -(-retry_after_ms // 1000))
    sentence = f"Too many at once; try again in {seconds} s"
    return FrameError("rate_limited", sentence, status=429, retry_after_ms=retry_after_ms)


def busy(retry_after_ms: int) -> FrameError:
    """Return the error for a message that found no free place in its room's log under contention."""
    sentence = "Too many people are writing to this room; try again in a moment"
    return FrameError("busy", sentence, status=503, retry_after_ms=retry_after_ms)


def contended() -> FrameError:
    """Return the error for a private room that keeps changing, or that takes too long to read."""
    sentence = "This room is busy; try again in a moment"
    return FrameError("busy", sentence, status=503, retry_after_ms=_CONTENDED_RETRY_MS)


def sign_in_unavailable(retry_after_ms: int) -> FrameError:
    """Return the error for a token that cannot be checked, because the issuer's keys cannot be fetched."""
    sentence = "Signing in is not possible at the moment; try again in a moment"
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

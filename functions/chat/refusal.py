"""The one exception that answers a bad frame: a sentence, a code, a status. It knows no event and no store."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault of ours
    """A frame that is answered by an `error` frame.

    `sentence` is for a person, `code` for a program; `retry_after_ms` stands only with `rate_limited`.
    """

    def __init__(self, code: str, sentence: str, *, status: int = 400, retry_after_ms: int | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.status = status
        self.retry_after_ms = retry_after_ms

    def frame(self, message_id: str | None = None) -> dict[str, Any]:
        """Return the `error` frame; `message_id` where the client gave one."""
        frame: dict[str, Any] = {"type": "error", "error": self.sentence, "code": self.code}
        if self.retry_after_ms is not None:
            frame["retryAfterMs"] = self.retry_after_ms
        if message_id is not None:
            frame["messageId"] = message_id
        return frame


def invalid_request(sentence: str = "Invalid request") -> Refusal:
    """Return the refusal of a frame that cannot be understood."""
    return Refusal("bad_request", sentence)


def rate_limited(retry_after_ms: int) -> Refusal:
    """Return the refusal of a frame that came too soon."""
    seconds = max(1, -(-retry_after_ms // 1000))
    return Refusal(
        "rate_limited",
        f"Too many at once: try again in {seconds} s",
        status=429,
        retry_after_ms=retry_after_ms,
    )


def internal() -> Refusal:
    """Return what a peer is told of a fault of ours: nothing but that it may try again."""
    return Refusal("internal", "Something went wrong here: please try again", status=500)

"""Errors of the chat client."""

from typing import Any


class ChatClientError(Exception):
    """Base of the client's errors."""


class NoAnswerError(ChatClientError):
    """The expected frame did not arrive in time."""


class RefusedError(ChatClientError):
    """The server answered a request with an `error` frame."""

    def __init__(self, frame: dict[str, Any]) -> None:
        super().__init__(f"{frame['code']}: {frame['error']}")
        self.frame = frame
        self.code: str = frame["code"]
        self.retry_after_ms: int | None = frame.get("retryAfterMs")

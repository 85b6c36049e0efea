"""Errors of the engine, all handled within `Poster.post`."""


class PushError(Exception):
    """Any failure of a post."""


class MalformedResponseError(PushError):
    """The peer sent bytes that are not an HTTP/1.1 response."""


class ConnectionBrokenError(PushError):
    """A connection failed during a request, and is closed."""

    def __init__(self, *, was_stale: bool) -> None:
        super().__init__("connection broken")
        self.was_stale = was_stale
        """Whether a reused connection broke before any byte of the response: most likely the peer had closed it and
        never saw the request."""

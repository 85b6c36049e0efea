"""`$default`: frames that match no route."""

from typing import TYPE_CHECKING

from chat.protocol import errors
from chat.protocol.events import Reply, Request

if TYPE_CHECKING:
    from chat.runtime.context import Context


def default(_context: "Context", _request: Request) -> Reply:
    """Raise FrameError `bad_request`, which reads `Invalid request`."""
    raise errors.bad_request()

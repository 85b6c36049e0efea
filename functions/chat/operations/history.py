"""`history`: a page of a room's messages, before or after a seq."""

from typing import TYPE_CHECKING

from chat.operations.membership import require_room
from chat.protocol import frames_in, frames_out
from chat.protocol.events import Reply, Request, reply
from chat.store import rate_limit

if TYPE_CHECKING:
    from chat.runtime.context import Context


def history(context: "Context", request: Request) -> Reply:
    """Return the page and echo the request. Raises FrameError: bad_request, not_in_room, rate_limited, invalid_room."""
    frame = frames_in.parse_history(request.fields)
    store = context.store
    connection, _ = context.concurrently(
        lambda: store.connections.load(request.connection_id, request.connected_ms),
        lambda: store.allowances.count(context.actor(request), rate_limit.HISTORY),
    )
    room = require_room(connection, frame.room)
    if frame.after is not None:
        page = store.log.after(room, frame.after, frame.before, frame.limit)
    elif frame.before is not None:
        page = store.log.before(room, frame.before, frame.limit)
    else:
        page = store.log.newest(room, frame.limit)
    return reply(frames_out.history(room, page, before=frame.before, after=frame.after))

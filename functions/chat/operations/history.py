"""`history`: a page of a room's messages, before or after a seq."""

from typing import TYPE_CHECKING

from chat.operations.membership import admit, renewed, require_private_rooms, require_room
from chat.operations.pages import read_page
from chat.protocol import frames_in, frames_out
from chat.protocol.events import Reply, Request, reply
from chat.store import rate_limit

if TYPE_CHECKING:
    from chat.runtime.context import Context


def history(context: "Context", request: Request) -> Reply:
    """Return the page and echo the request.

    Raises FrameError: bad_request, not_in_room, no_such_room, sign_in_required, rate_limited, invalid_room.
    """
    frame = frames_in.parse_history(request.fields)
    require_private_rooms(context, frame.room)
    store = context.store
    connection, _ = context.concurrently(
        lambda: store.connections.load(request.connection_id, request.connected_ms),
        lambda: store.allowances.count(context.actor(request), rate_limit.HISTORY),
    )
    room = require_room(context, connection, frame.room)
    admission = admit(context, connection, room)
    page = read_page(store.log, room, admission.since, after=frame.after, before=frame.before, limit=frame.limit)
    answer = reply(frames_out.history(room, page, before=frame.before, after=frame.after))
    renewed(context, connection, admission)
    return answer

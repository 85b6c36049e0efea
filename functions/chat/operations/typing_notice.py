"""`typing`: notify the others in a room that someone is typing."""

from typing import TYPE_CHECKING

from chat.operations.membership import admit, require_private_rooms, require_room
from chat.protocol import frames_in, frames_out
from chat.protocol.errors import FrameError
from chat.protocol.events import OK, Reply, Request
from chat.store import rate_limit
from chat.store.allowances import Actor, Allowances

if TYPE_CHECKING:
    from chat.runtime.context import Context


def typing_notice(context: "Context", request: Request) -> Reply:
    """Post `typing`. Rooms above 100 members get none; notices over the rate limit are dropped silently.

    Raises FrameError: not_in_room, no_such_room, sign_in_required, invalid_room.
    """
    frame = frames_in.parse_typing(request.fields)
    require_private_rooms(context, frame.room)
    store = context.store
    actor = context.actor(request)
    connection, is_counted = context.concurrently(
        lambda: store.connections.load(request.connection_id, request.connected_ms),
        lambda: _is_counted(store.allowances, actor),
    )
    room = require_room(context, connection, frame.room)
    admit(context, connection, room)
    if not is_counted:
        return OK
    if frames_in.is_private(room):
        notice = frames_out.typing(room, connection.person)
        context.broadcast.to_private_room(room, notice, exclude={connection.connection_id})
        context.broadcast.clean_up()
        return OK
    members = list(store.members.recipients(room))
    if len(members) <= frames_out.MAX_LISTED_MEMBERS:
        frame_out = frames_out.typing(room, connection.person)
        context.broadcast.to_room(room, frame_out, exclude=connection.connection_id, members=members)
        context.broadcast.clean_up()
    return OK


def _is_counted(allowances: Allowances, actor: Actor) -> bool:
    """Count a notice; return False if it is over the rate limit."""
    try:
        allowances.count(actor, rate_limit.TYPING)
    except FrameError:
        return False
    return True

"""`leave`: leave a room."""

from typing import TYPE_CHECKING

from chat.operations.membership import require_private_rooms, require_sign_in
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.events import OK, Reply, Request
from chat.store import rate_limit

if TYPE_CHECKING:
    from chat.runtime.context import Context


def leave(context: "Context", request: Request) -> Reply:
    """Post `left` to the requester and notify the room; a private room is only closed.

    Raises FrameError: invalid_room, not_in_room, no_such_room, sign_in_required, rate_limited.
    The room may still list a connection whose row no longer has the room: an earlier `leave` may have been interrupted.
    """
    frame = frames_in.parse_leave(request.fields)
    require_private_rooms(context, frame.room)
    if frames_in.is_private(frame.room):
        from chat.operations.private.opening import close_room  # noqa: PLC0415 - a chat without accounts does without

        return close_room(context, request, frame.room)
    connections, members = context.store.connections, context.store.members
    old = connections.load(request.connection_id, request.connected_ms)
    require_sign_in(context, old)
    new = connections.leave(old, rate_limit.JOINS, frame.room)
    was_listed = members.remove(frame.room, new.connection_id) is not None
    if frame.room not in old.rooms and not was_listed:
        raise errors.not_in_room()
    context.broadcast.answer(request.connection_id, frames_out.left(frame.room, new.room))
    context.broadcast.presence(frame.room, "leave", new.person)
    context.broadcast.clean_up()
    return OK

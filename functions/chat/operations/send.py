"""`sendmessage`: store a message and post it, to the sender first as the acknowledgement."""

from typing import TYPE_CHECKING

from chat.operations.membership import Admission, admit, renewed, require_private_rooms, require_room
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.errors import FrameError
from chat.protocol.events import OK, Reply, Request
from chat.store import rate_limit
from chat.store.append import Draft, Stored
from chat.store.connections import Connection
from chat.store.errors import BusyError

if TYPE_CHECKING:
    from chat.runtime.context import Context

BUSY_RETRY_MS = 1000
"""`retryAfterMs` of the error `busy`."""


def send(context: "Context", request: Request) -> Reply:
    """Store and post a message.

    A private room is admitted while the message's row is put, which is withdrawn if it is not; nobody has seen it then.
    Raises FrameError: message_required, message_too_long, invalid_room, not_in_room, no_such_room, sign_in_required,
    rate_limited, busy, bad_request.
    """
    frame = frames_in.parse_send(request.fields)
    require_private_rooms(context, frame.to)
    store, to = context.store, frame.to
    limit = rate_limit.messages(context.config.message_burst, context.config.messages_per_second)
    actor, cost = context.actor(request), rate_limit.message_cost(frame.text)
    connection, end, is_counted = context.concurrently(
        lambda: store.connections.load(request.connection_id, request.connected_ms),
        lambda: store.log.end(to) if to is not None else None,
        lambda: store.allowances.attempt(actor, limit, cost),
    )
    room = require_room(context, connection, to)
    draft = Draft(
        message_id=frame.message_id or context.new_id(),
        may_repeat=frame.message_id is not None,
        room=room,
        text=frame.text,
        author=connection.person,
        sent_ms=context.clock.now_ms(),
        put_by=context.invocation_id,
    )

    admissions: list[Admission] = []

    def count() -> None:
        if not is_counted:  # the container's cached states were out of date
            store.allowances.count(actor, limit, cost)

    def admit_and_count() -> None:
        admissions.extend(context.concurrently(lambda: admit(context, connection, room), count)[:1])

    is_private = frames_in.is_private(room)
    try:
        stored = store.append(draft, end, admit_and_count if is_private else count)
    except BusyError:
        raise errors.busy(BUSY_RETRY_MS) from None
    context.log.event("stored", stored=int(not stored.is_repeat), repeated=int(stored.is_repeat))
    if is_private:
        _post_to_members(context, connection, admissions[0], stored)
        store.append.remove_spare_rows(stored)
        return OK
    if not connection.stored:  # its row was lost, so it is in the lobby by default
        store.connections.add(connection)
        store.members.add(room, connection)
    sender, message = request.connection_id, frames_out.message(stored.message)
    if stored.is_repeat:  # the function that stored it may have died before posting it
        context.broadcast.answer(sender, message)
        context.broadcast.to_room(room, _newest(context, room, stored.message.seq), exclude=sender)
    else:
        context.broadcast.to_room(room, message, first=sender)
    context.broadcast.clean_up()
    store.append.remove_spare_rows(stored)
    return OK


def _post_to_members(context: "Context", connection: Connection, admission: Admission, stored: Stored) -> None:
    """Post a message to the members of a private room, to the sender first.

    Raises FrameError `no_such_room` if the sender was removed meanwhile: the message may stand, and the others get it.
    """
    broadcast, sender = context.broadcast, connection.connection_id
    room, message = admission.room, frames_out.message(stored.message)
    if stored.is_repeat and _is_hidden(connection, admission, stored):
        raise errors.bad_request("messageId is the id of another message")
    others = _newest(context, room, stored.message.seq) if stored.is_repeat else message
    try:
        admission = renewed(context, connection, admission)
    except FrameError:
        broadcast.to_private_room(room, others, exclude={sender})
        broadcast.clean_up()
        raise
    _, audience = context.concurrently(
        lambda: broadcast.answer(sender, message, until=admission.valid_until),
        lambda: broadcast.audience(room),
    )
    broadcast.to_private_room(room, others, exclude={sender}, audience=audience)
    broadcast.clean_up()


def _is_hidden(connection: Connection, admission: Admission, stored: Stored) -> bool:
    """Return whether a repeated message is somebody else's, from before the sender became a member."""
    message = stored.message
    return message.seq <= admission.since and message.author.user_id != connection.user_id


def _newest(context: "Context", room: str, seq: int) -> frames_out.Frame:
    """Return a `pong` with the room's newest seq, so the others notice a message they missed."""
    end = context.store.log.end(room)
    return frames_out.pong(room, context.clock.now_ms(), {room: max(seq, end.seq)})

"""`rooms`, `read`, `createroom` and `editroom`: an account's private rooms."""

import hashlib
from typing import TYPE_CHECKING

from chat.operations.membership import admit, counted, require_account, timely
from chat.operations.private.describing import describe, describe_one, describe_to_all
from chat.operations.private.people import names
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.events import OK, Reply, Request, reply
from chat.store import rate_limit
from chat.store.listings import MAX_PRIVATE_ROOMS
from chat.store.private_rooms import OWNER, private_key

if TYPE_CHECKING:
    from chat.runtime.context import Context
    from chat.store.connections import Connection


def rooms(context: "Context", request: Request) -> Reply:
    """Return the account's rooms, its invitations by name, and whom it has blocked.

    Raises FrameError: sign_in_required, rate_limited.
    """
    return answer_rooms(context, counted(context, request, rate_limit.ROOM_LISTS))


def answer_rooms(context: "Context", connection: "Connection") -> Reply:
    """Return `rooms`; rooms that one frame has no space for follow as `room` frames."""
    user_id = require_account(context, connection)
    (first, *further), valid_until = timely(context, lambda: _rooms(context, user_id))
    if not further:
        return reply(first)
    for frame in (first, *further):
        context.broadcast.answer(connection.connection_id, frame, until=valid_until)
    context.broadcast.clean_up()
    return OK


def _rooms(context: "Context", user_id: str) -> list[frames_out.Frame]:
    listed = context.store.listings.of(user_id)
    descriptions = describe(context, user_id, listed.rooms) if listed.rooms else []
    entered = {description.room for description in descriptions}
    blocked = {each.user_id: each.name for each in listed.blocked}
    invitations = [each for each in listed.invitations if each.room not in entered and each.by not in blocked]
    shown = {each.by: each.by_name for each in invitations} | blocked
    current = names(context, shown.items()) if shown else {}
    return frames_out.rooms(
        descriptions,
        [frames_out.invited_to(each.room, (each.by, current[each.by]), each.expires_at) for each in invitations],
        [(user_id, current[user_id]) for user_id in blocked],
    )


def read(context: "Context", request: Request) -> Reply:
    """Mark a room as read up to a seq. Raises FrameError: no_such_room, sign_in_required, rate_limited, bad_request."""
    frame = frames_in.parse_read(request.fields)
    connection = counted(context, request, rate_limit.READS)
    admit(context, connection, frame.room)
    context.store.listings.mark_read(require_account(context, connection), frame.room, frame.seq)
    return OK


def create_room(context: "Context", request: Request) -> Reply:
    """Create a private room and return it as `room`; the account's other connections get it too.

    Raises FrameError: invalid_title, too_many_rooms, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_create_room(request.fields)
    store = context.store
    connection = counted(context, request, rate_limit.CREATIONS)
    user_id = require_account(context, connection)
    if store.listings.of(user_id).is_full:
        raise errors.too_many_private_rooms(MAX_PRIVATE_ROOMS)
    room = private_key(random_bytes(context))
    context.concurrently(
        lambda: store.private_rooms.create(
            room,
            frame.title,
            connection.person,
            shares_history=frame.shares_history,
            listing=store.listings.putting(user_id, room, read=0),
        ),
        lambda: store.log.begin(room),
    )
    return answer_room(context, connection, room)


def edit_room(context: "Context", request: Request) -> Reply:
    """Change a room's title, or whether those who join from now on see its history; the members get `room`.

    Raises FrameError: no_such_room, not_allowed, invalid_title, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_edit_room(request.fields)
    connection = counted(context, request, rate_limit.CHANGES)
    admission = admit(context, connection, frame.room)
    if admission.role is None or admission.role.role != OWNER:
        raise errors.not_allowed()
    if frame.title is None and frame.shares_history is None:
        raise errors.bad_request("title or sharesHistory is required")
    edited = context.store.private_rooms.edit(frame.room, title=frame.title, shares_history=frame.shares_history)
    if edited is None:
        raise errors.no_such_room()
    user_id, own = require_account(context, connection), connection.connection_id
    descriptions, valid_until = timely(context, lambda: describe_to_all(context, frame.room))
    frames = {member: frames_out.room(description) for member, description in descriptions.items()}
    if user_id not in frames:
        raise errors.no_such_room()
    context.broadcast.answer(own, frames[user_id], until=valid_until)
    context.broadcast.to_each_member(frame.room, frames, exclude={own})
    context.broadcast.clean_up()
    return OK


def answer_room(context: "Context", connection: "Connection", room: str) -> Reply:
    """Post `room` to the requester, and then to the other connections of its account.

    Raises FrameError `no_such_room`.
    """
    user_id, own = require_account(context, connection), connection.connection_id
    description, valid_until = timely(context, lambda: describe_one(context, user_id, room))
    frame = frames_out.room(description)
    context.broadcast.answer(own, frame, until=valid_until)
    context.broadcast.to_account(user_id, frame, exclude={own}, until=valid_until)
    context.broadcast.clean_up()
    return OK


def random_bytes(context: "Context") -> bytes:
    """Return 32 bytes with the 244 random bits of two UUIDs (RFC 9562, version 4)."""
    return hashlib.sha256((context.new_id() + context.new_id()).encode()).digest()

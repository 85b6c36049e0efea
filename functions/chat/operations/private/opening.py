"""`join` and `leave` of private rooms: a connection opens a room of its account, and closes it."""

from typing import TYPE_CHECKING

from chat.operations.membership import admit, counted, renewed
from chat.operations.pages import read_page
from chat.operations.private.people import people
from chat.protocol import frames_out
from chat.protocol.events import OK, Reply, Request
from chat.protocol.frames_in import Join
from chat.protocol.frames_out import Page
from chat.store import rate_limit
from chat.store.connections import LOBBY
from chat.store.room_log import End

if TYPE_CHECKING:
    from chat.operations.membership import Admission
    from chat.runtime.context import Context


def open_room(context: "Context", request: Request, frame: Join) -> Reply:
    """Make a private room the current one and post `joined`; nobody is notified, for its members stay the same.

    Raises FrameError: no_such_room, sign_in_required, rate_limited.
    """
    store, room = context.store, frame.room
    old = counted(context, request, rate_limit.OPENS)
    admission = admit(context, old, room)
    new, persons, (end, page) = context.concurrently(
        lambda: store.connections.open_private(old, rate_limit.JOINS, room),
        lambda: people(context, store.private_rooms.roles(room)),
        lambda: _read(context, frame, admission),
    )
    last_seq = max([end.seq, *(message.seq for message in page.messages[-1:])])
    answer = frames_out.joined(room, new.person, persons, last_seq=last_seq, page=page, after=frame.after)
    admission = renewed(context, new, admission)
    context.broadcast.answer(request.connection_id, answer, until=admission.valid_until)
    if end.entry is None and end.beginning is None:
        store.log.begin(room)
    if LOBBY not in new.rooms:  # on every join: an earlier one may have been interrupted
        left_lobby = store.members.remove(LOBBY, new.connection_id)
        if left_lobby is not None:
            context.broadcast.presence(LOBBY, "leave", left_lobby)
    context.broadcast.clean_up()
    return OK


def close_room(context: "Context", request: Request, room: str) -> Reply:
    """Close a private room for the connection, and post `left`; the account stays a member.

    Raises FrameError: no_such_room, sign_in_required, rate_limited.
    """
    old = counted(context, request, rate_limit.OPENS)
    admission = admit(context, old, room)
    connections = context.store.connections
    new = connections.open_private(old, rate_limit.JOINS, None) if old.room == room else old
    admission = renewed(context, new, admission)
    context.broadcast.answer(request.connection_id, frames_out.left(room, new.room), until=admission.valid_until)
    context.broadcast.clean_up()
    return OK


def _read(context: "Context", frame: Join, admission: "Admission") -> tuple[End, Page]:
    """Return the end of the log, and the page without what was sent before the account became a member."""
    log, room = context.store.log, admission.room
    end = log.end(room)
    return end, read_page(log, room, admission.since, after=frame.after, end=end)

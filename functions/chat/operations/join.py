"""`join`: enter a room and read its messages."""

import base64
import hashlib
from typing import TYPE_CHECKING

from chat.operations.membership import require_private_rooms, require_sign_in
from chat.operations.pages import read_page
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.events import OK, Reply, Request
from chat.store import rate_limit
from chat.store.connections import LOBBY, Connection
from chat.store.members import Added, Member

if TYPE_CHECKING:
    from chat.runtime.context import Context

_SEEN_AFTER_MS = 5000
_DIGEST_BYTES = 16


def join(context: "Context", request: Request) -> Reply:
    """Add the room, post `joined`, and notify the others; a private room is opened.

    The member item is put before the log is read, and a sender puts its message before it reads the members. Both
    reads are consistent, so one of the two sees the other and a joiner misses no message.
    Raises FrameError: invalid_room, invalid_name, invalid_secret, too_many_rooms, rate_limited, bad_request,
    sign_in_required, secret_claimed, no_such_room.
    """
    frame = frames_in.parse_join(request.fields)
    require_private_rooms(context, frame.room)
    if frames_in.is_private(frame.room):
        from chat.operations.private.opening import open_room  # noqa: PLC0415 - a chat without accounts does without

        return open_room(context, request, frame)
    store, room = context.store, frame.room
    sender = guest_sender(frame.secret) if frame.secret is not None else None
    old, end = context.concurrently(
        lambda: store.connections.load(request.connection_id, request.connected_ms),
        lambda: store.log.end(room),
    )
    require_sign_in(context, old)
    if context.config.sign_in is not None and sender is not None and old.user_id is None:
        _require_unclaimed(context, sender)
    new = store.connections.join(old, rate_limit.JOINS, room, name=frame.name, sender=sender)
    leaves_lobby = LOBBY not in new.rooms  # on every join: an earlier one may have been interrupted
    added, left_lobby = context.concurrently(
        lambda: store.members.add(room, new),
        lambda: store.members.remove(LOBBY, new.connection_id) if leaves_lobby else None,
    )
    page, members, now = context.concurrently(
        lambda: read_page(store.log, room, 0, after=frame.after, end=end),
        lambda: list(store.members.list(room)),
        lambda: store.connections.load(request.connection_id, request.connected_ms),
    )
    if not now.stored or room not in now.rooms:  # it disconnected or left before the member item was put
        store.members.remove(room, new.connection_id)
        return OK
    # It may just have signed in or changed its name.
    if context.config.sign_in is not None and now.person != new.person:
        new = now
        store.members.add(room, new)
        members = list(store.members.list(room))
    last_seq = max([end.seq, *(message.seq for message in page.messages[-1:])])
    people = [member.person for member in members]
    answer = frames_out.joined(room, new.person, people, last_seq=last_seq, page=page, after=frame.after)
    is_there = context.broadcast.answer(request.connection_id, answer)
    if end.entry is None and end.beginning is None:
        store.log.begin(room)
    if is_there:
        _announce(context, old, new, added, room, members)
    if left_lobby is not None and _was_seen(context, old):
        context.broadcast.presence(LOBBY, "leave", new.person)
    context.broadcast.clean_up()
    return OK


def guest_sender(secret: str) -> str:
    """Return a guest's sender: a digest of the secret, which is never stored or shown."""
    digest = hashlib.sha256(b"serverless-chat guest " + secret.encode()).digest()[:_DIGEST_BYTES]
    return "guest-" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _require_unclaimed(context: "Context", sender: str) -> None:
    """Raise FrameError `secret_claimed` if an account has taken over a guest's sender."""
    if context.store.accounts.claim_of(sender) is not None:
        raise errors.secret_claimed()


def _announce(  # noqa: PLR0913, PLR0917 - the results of the join
    context: "Context", old: Connection, new: Connection, added: Added, room: str, members: list[Member]
) -> None:
    """Announce the join or the new name to the others in the room.

    The previous member item counts as well as the connection's row: a client sends one `join` per room to change its
    name, and a repeated `join` may have been interrupted after either write.
    """
    if added.before is None or room not in old.rooms or not old.joined:
        context.broadcast.arrival(room, new.person, added.joined_ms, members)
    elif added.before != new.person:
        context.broadcast.presence(room, "rename", new.person, [member.recipient for member in members])


def _was_seen(context: "Context", old: Connection) -> bool:
    """Return whether the lobby may already list the connection: only if it has been there for a while."""
    age_ms = context.clock.now_ms() - old.connected_ms
    return old.stored and age_ms > _SEEN_AFTER_MS

"""`members`, `setrole`, `remove`, `unban` and `quit`: who belongs to a private room.

A removal deletes the role, notifies, waits, and only then acknowledges. Frames that an earlier read of the role allowed
are posted within a shorter time (WINDOW_SECONDS), so after the acknowledgement the account gets no frame of the room.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chat.delivery.audience import WAIT_SECONDS
from chat.operations.membership import Admission, admit, counted, require_account, timely
from chat.operations.private.people import names, people
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.errors import FrameError
from chat.protocol.events import OK, Reply, Request, reply
from chat.store import rate_limit
from chat.store.private_rooms import MEMBER, OWNER, Role, is_direct

if TYPE_CHECKING:
    from chat.runtime.context import Context
    from chat.store.connections import Connection

_MAX_TRIES = 5


def members(context: "Context", request: Request) -> Reply:
    """Return the members, and for owners and moderators whom they have banned and the links.

    Raises FrameError: no_such_room, sign_in_required, rate_limited, bad_request.
    """
    room = frames_in.parse_private_room(request.fields)
    return answer_members(context, counted(context, request, rate_limit.LISTS), room)


def answer_members(context: "Context", connection: "Connection", room: str) -> Reply:
    """Return `members`. Raises FrameError `no_such_room`."""
    frame, _ = timely(context, lambda: _members(context, connection, room))
    return reply(frame)


def require_moderator(admission: Admission) -> Role:
    """Return the requester's role. Raises FrameError `not_allowed` unless it is an owner or a moderator."""
    if admission.role is None or admission.role.role == MEMBER:
        raise errors.not_allowed()
    return admission.role


def set_role(context: "Context", request: Request) -> Reply:
    """Change a member's role, as an owner; the members get `membership`, the requester `members`.

    Raises FrameError: no_such_room, not_allowed, not_a_member, last_owner, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_set_role(request.fields)
    connection = counted(context, request, rate_limit.CHANGES)
    store, room = context.store, frame.room
    for _ in range(_MAX_TRIES):
        acting, target = _roles(context, connection, room, frame.user_id)
        if acting.role != OWNER:
            raise errors.not_allowed()
        if target is None:
            raise errors.not_a_member()
        if target.role == frame.role:
            return answer_members(context, connection, room)
        by = None if target.user_id == acting.user_id else acting
        if store.private_rooms.set_role(room, target, frame.role, by=by):
            break
        _require_other_owner(context, room, target, alone=True)
    else:
        raise errors.contended()
    change = _change(context, room, target, frame.role, acting.user_id)
    answer, valid_until = timely(context, lambda: _members(context, connection, room))
    context.broadcast.answer(connection.connection_id, answer, until=valid_until)
    context.broadcast.to_private_room(room, change)
    context.broadcast.clean_up()
    return OK


def remove(context: "Context", request: Request) -> Reply:
    """Remove a member, and with `ban` refuse later invitations too; answered once the account hears nothing any more.

    Moderators remove members, owners everybody. Raises FrameError: no_such_room, not_allowed, not_a_member,
    sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_remove(request.fields)
    connection = counted(context, request, rate_limit.CHANGES)
    store, room = context.store, frame.room
    if frame.user_id == connection.user_id:
        admit(context, connection, room)
        raise errors.bad_request("You cannot remove yourself; send quit")
    for _ in range(_MAX_TRIES):
        acting, target = _roles(context, connection, room, frame.user_id)
        if acting.role == MEMBER or (acting.role != OWNER and target is not None and target.role != MEMBER):
            raise errors.not_allowed()
        if target is None:
            return _remove_absent(context, connection, acting, frame)
        if store.private_rooms.remove(room, target, by=acting, ban=frame.ban):
            return end_membership(context, connection, room, target)
    raise errors.contended()


def leave_for_good(context: "Context", request: Request) -> Reply:
    """End one's own membership (`quit`); the room of an owner who is alone ends.

    Raises FrameError: no_such_room, last_owner, not_allowed in a direct conversation, sign_in_required, rate_limited,
    bad_request.
    """
    room = frames_in.parse_private_room(request.fields)
    connection = counted(context, request, rate_limit.CHANGES)
    store = context.store.private_rooms
    for _ in range(_MAX_TRIES):
        role = admit(context, connection, room).role
        if role is None or is_direct(room):
            raise errors.not_allowed()
        if store.remove(room, role, by=None):
            return end_membership(context, connection, room, role)
        if role.role == OWNER and store.end(room, role):
            context.concurrently(lambda: store.forget_bans(room), lambda: context.store.log.forget_beginning(room))
            return end_membership(context, connection, room, role)
        _require_other_owner(context, room, role, alone=False)
    raise errors.contended()


def unban(context: "Context", request: Request) -> Reply:
    """Lift a ban. Raises FrameError: no_such_room, not_allowed, sign_in_required, rate_limited, bad_request."""
    frame = frames_in.parse_unban(request.fields)
    connection = counted(context, request, rate_limit.CHANGES)
    require_moderator(admit(context, connection, frame.room))
    context.store.private_rooms.unban(frame.room, frame.user_id)
    return answer_members(context, connection, frame.room)


def end_membership(context: "Context", connection: "Connection", room: str, role: Role) -> Reply:
    """Notify an account and its former room after its role was deleted, wait, and acknowledge with `removed`."""
    by, own = require_account(context, connection), connection.connection_id
    quiet_at = context.clock.monotonic() + WAIT_SECONDS
    context.store.listings.remove(role.user_id, room, role.at_ms)
    notify_removed(context, room, role.user_id, exclude=own, until=quiet_at)
    change = _change(context, room, role, None, by)
    context.broadcast.to_private_room(room, change, exclude={own})
    wait_until(context, quiet_at)
    context.broadcast.answer(own, frames_out.removed(room, role.user_id))
    if by != role.user_id:
        _tell_requester(context, connection, room, change)
    context.broadcast.clean_up()
    return OK


def notify_removed(context: "Context", room: str, user_id: str, *, exclude: str, until: float) -> None:
    """Post `removed` to an account's connections, until a time of the monotonic clock."""
    context.broadcast.to_account(user_id, frames_out.removed(room, user_id), exclude={exclude}, until=until)


def wait_until(context: "Context", quiet_at: float) -> None:
    """Wait until a time of the monotonic clock."""
    context.clock.sleep(max(0.0, quiet_at - context.clock.monotonic()))


def _tell_requester(context: "Context", connection: "Connection", room: str, change: frames_out.Frame) -> None:
    """Post `membership` to the requester too, after its answer, unless it has been removed itself."""
    try:
        admission = admit(context, connection, room)
    except FrameError:
        return
    if context.clock.monotonic() < admission.valid_until:
        context.broadcast.answer(connection.connection_id, change, until=admission.valid_until)


def _members(context: "Context", connection: "Connection", room: str) -> frames_out.Frame:
    admission = admit(context, connection, room)
    store = context.store
    if admission.role is None or admission.role.role == MEMBER:
        return _listed(context, room, store.private_rooms.roles(room), None, None)
    roles, bans, links = context.concurrently(
        lambda: store.private_rooms.roles(room),
        lambda: store.private_rooms.bans(room),
        lambda: store.invitations.list(room),
    )
    current = names(context, bans) if bans else {}
    banned = [(ban.user_id, current[ban.user_id]) for ban in bans]
    inviters = {role.user_id for role in roles if role.role != MEMBER}  # the links of others admit nobody
    invites = [
        frames_out.listed_invite(link.invite_id, link.uses, link.expires_at, link.by)
        for link in links
        if link.by in inviters
    ]
    return _listed(context, room, roles, banned, invites)


def _listed(
    context: "Context",
    room: str,
    roles: Sequence[Role],
    banned: Sequence[tuple[str, str]] | None,
    invites: Sequence[frames_out.Frame] | None,
) -> frames_out.Frame:
    listed = [(person, role.role) for person, role in zip(people(context, roles), roles, strict=True)]
    return frames_out.members(room, listed, banned, invites)


def _roles(context: "Context", connection: "Connection", room: str, user_id: str) -> tuple[Role, Role | None]:
    """Return the requester's role and another account's. Raises FrameError `no_such_room`."""
    admission, target = context.concurrently(
        lambda: admit(context, connection, room),
        lambda: context.store.private_rooms.role(room, user_id),
    )
    return admission.role, target


def _remove_absent(context: "Context", connection: "Connection", acting: Role, frame: frames_in.Remove) -> Reply:
    """Answer the removal of an account that is not a member: another removal may be under way, so wait as long."""
    store = context.store
    profile = store.accounts.profile(frame.user_id) if frame.ban else None
    if profile is not None:
        store.private_rooms.ban(frame.room, frame.user_id, profile.name, acting.user_id)
        if store.private_rooms.role(frame.room, frame.user_id) is not None:  # admitted before the ban
            raise errors.contended()
    wait_until(context, context.clock.monotonic() + WAIT_SECONDS)
    if profile is None:
        raise errors.not_a_member()
    context.broadcast.answer(connection.connection_id, frames_out.removed(frame.room, frame.user_id))
    context.broadcast.clean_up()
    return OK


def _require_other_owner(context: "Context", room: str, role: Role, *, alone: bool) -> None:
    """Raise FrameError `last_owner` if a change failed because it would have left the room without an owner.

    `alone` says whether that also holds for an owner who is the only member.
    """
    settings = context.store.private_rooms.settings(room)
    if settings is not None and settings.owners == {role.user_id} and (alone or settings.members > 1):
        raise errors.last_owner()


def _change(context: "Context", room: str, member: Role, role: str | None, by: str) -> frames_out.Frame:
    name = names(context, [(member.user_id, member.name)])[member.user_id]
    return frames_out.membership(room, member.user_id, name, role, by)

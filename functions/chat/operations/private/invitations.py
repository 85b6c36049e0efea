"""`createinvite`, `revokeinvite`, `invite`, `accept` and `decline`: how an account becomes a member.

An outsider gets one answer for an invitation that is wrong, expired, used up or revoked, for a ban, and for a room that
does not exist, after the same calls. A moderator gets one answer for a name, whether or not somebody has it.
"""

import hashlib
from typing import TYPE_CHECKING

from chat.operations.membership import admit, counted, renewed, require_account
from chat.operations.private.members import answer_members, require_moderator
from chat.operations.private.rooms import answer_room, answer_rooms, random_bytes
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.events import OK, Reply, Request, reply
from chat.store import rate_limit
from chat.store.errors import TransactionFailedError
from chat.store.listings import MAX_PRIVATE_ROOMS
from chat.store.private_rooms import MAX_MEMBERS

if TYPE_CHECKING:
    from chat.protocol.frames_out import Person
    from chat.runtime.context import Context
    from chat.store.private_rooms import Settings

_ROLE, _SETTINGS, _BAN, _USE = range(4)
"""The writes of PrivateRooms.admit, by their numbers in TransactionFailedError."""

_HOUR_SECONDS = 3600


def create_invite(context: "Context", request: Request) -> Reply:
    """Create a link and return `invite`, the only frame that contains its token.

    Raises FrameError: no_such_room, not_allowed, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_create_invite(request.fields)
    connection = counted(context, request, rate_limit.INVITATIONS)
    admission = admit(context, connection, frame.room)
    role = require_moderator(admission)
    link = context.store.invitations.create(
        frame.room,
        random_bytes(context),
        uses=frame.uses,
        hours=frame.hours,
        by=role.user_id,
    )
    made = link.invitation
    answer = frames_out.invite(frame.room, made.invite_id, link.token, uses=made.uses, expires_at=made.expires_at)
    renewed(context, connection, admission)
    return reply(answer)


def revoke_invite(context: "Context", request: Request) -> Reply:
    """End a link, and return `members`; it is no error if there is none any more.

    Raises FrameError: no_such_room, not_allowed, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_revoke_invite(request.fields)
    connection = counted(context, request, rate_limit.CHANGES)
    require_moderator(admit(context, connection, frame.room))
    context.store.invitations.revoke(frame.room, frame.invite_id)
    return answer_members(context, connection, frame.room)


def invite(context: "Context", request: Request) -> Reply:
    """Invite an account by name, and post `invitation` to its connections.

    The answer and the calls before it are the same if nobody has the name, or if the account is a member, banned, or
    has blocked the requester: the invitation is then stored where nobody looks, and expires. Raises FrameError:
    no_such_room, not_allowed, invalid_name, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_invite(request.fields)
    connection = counted(context, request, rate_limit.INVITATIONS)
    user_id, store, room = require_account(context, connection), context.store, frame.room
    admission = admit(context, connection, room)
    require_moderator(admission)
    found = store.accounts.find(frame.name)
    if found == user_id:
        raise errors.bad_request("You cannot invite yourself; you are a member")
    nobody = "nobody." + hashlib.sha256(frame.name.encode()).hexdigest()  # no account has such an id
    asked = found or nobody
    role, is_banned, has_blocked = context.concurrently(
        lambda: store.private_rooms.role(room, asked),
        lambda: store.private_rooms.is_banned(room, asked),
        lambda: store.listings.has_blocked(asked, user_id),
    )
    invited = nobody if role is not None or is_banned or has_blocked else asked
    expires_at = context.clock.now_ms() // 1000 + frames_in.DEFAULT_INVITATION_HOURS * _HOUR_SECONDS
    by = (user_id, connection.name)
    store.listings.invite(invited, room, by, expires_at=expires_at)
    admission = renewed(context, connection, admission)
    answer = frames_out.invited(room, frame.name)
    context.broadcast.answer(connection.connection_id, answer, until=admission.valid_until)
    context.broadcast.to_account(invited, frames_out.invitation(room, by, expires_at))
    context.broadcast.clean_up()
    return OK


def accept(context: "Context", request: Request) -> Reply:
    """Become a member by a link or an invitation by name, and post `room`; the members get `membership`.

    One transaction counts the use, refuses the banned and the 101st, and makes the member; a member spends no use.
    Raises FrameError: no_such_invitation, room_full, too_many_rooms, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_accept(request.fields)
    connection = counted(context, request, rate_limit.ACCEPTANCES)
    user_id, store, room = require_account(context, connection), context.store, frame.room
    role, settings, end, listed = context.concurrently(
        lambda: store.private_rooms.role(room, user_id),
        lambda: store.private_rooms.settings(room),
        lambda: store.log.end(room),
        lambda: store.listings.of(user_id),
    )
    if role is not None:
        return answer_room(context, connection, room)
    if listed.is_full:
        raise errors.too_many_private_rooms(MAX_PRIVATE_ROOMS)
    is_new = _enter(context, frame, connection.person, user_id, settings, end.seq)
    if not is_new:
        return answer_room(context, connection, room)
    answer_room(context, connection, room)
    change = frames_out.membership(room, user_id, connection.name, "member", user_id)
    context.broadcast.to_private_room(room, change, exclude={connection.connection_id})
    context.broadcast.clean_up()
    return OK


def decline(context: "Context", request: Request) -> Reply:
    """Delete an invitation by name, if there is one, and return `rooms`.

    Raises FrameError: sign_in_required, rate_limited, bad_request.
    """
    room = frames_in.parse_private_room(request.fields)
    connection = counted(context, request, rate_limit.CHANGES)
    context.store.listings.withdraw_invitation(require_account(context, connection), room)
    return answer_rooms(context, connection)


def _enter(  # noqa: PLR0913, PLR0917 - what was read
    context: "Context", frame: frames_in.Accept, who: "Person", user_id: str, settings: "Settings | None", last_seq: int
) -> bool:
    """Make the account a member; return False if it has become one meanwhile.

    Raises FrameError: no_such_invitation, room_full.
    """
    store, room = context.store, frame.room
    since = 0 if settings is not None and settings.shares_history else last_seq
    use = (
        store.invitations.using(room, frame.token)
        if frame.token is not None
        else store.listings.using_invitation(user_id, room)
    )
    listing = store.listings.putting(user_id, room, read=last_seq)
    try:
        store.private_rooms.admit(room, who, since, use, listing)
    except TransactionFailedError as failed:
        if _ROLE in failed.failed:
            return False
        is_full = failed.failed.get(_SETTINGS, {}).get("members", 0) >= MAX_MEMBERS
        if is_full and not failed.failed.keys() & {_BAN, _USE}:
            raise errors.room_full(MAX_MEMBERS) from None
        raise errors.no_such_invitation() from None
    return True

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
from chat.store.invitations import MAX_LINKS
from chat.store.listings import MAX_PRIVATE_ROOMS
from chat.store.private_rooms import MAX_MEMBERS

if TYPE_CHECKING:
    from chat.protocol.frames_out import Person
    from chat.runtime.context import Context
    from chat.store.private_rooms import Settings

_ROLE, _SETTINGS, _BAN, _INVITER, _USE = range(5)
"""The writes of PrivateRooms.admit, by their numbers in TransactionFailedError."""

_NOBODY = "nobody."
"""Begins the ids that stand for no account: none has a dot in its id."""

_MAX_TRIES = 5

_HOUR_SECONDS = 3600


def create_invite(context: "Context", request: Request) -> Reply:
    """Create a link and return `invite`, the only frame that contains its token.

    Raises FrameError: no_such_room, not_allowed, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_create_invite(request.fields)
    connection = counted(context, request, rate_limit.INVITATIONS)
    admission = admit(context, connection, frame.room)
    role = require_moderator(admission)
    if len(context.store.invitations.list(frame.room)) >= MAX_LINKS:
        raise errors.bad_request(f"This room has {MAX_LINKS} links; revoke one first")
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

    The answer and the calls before it are the same if nobody has the name, or if the account is a member, banned, has
    blocked the requester or has too many invitations: the invitation is then stored where nobody looks, and expires.
    Raises FrameError: no_such_room, not_allowed, invalid_name, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_invite(request.fields)
    connection = counted(context, request, rate_limit.INVITATIONS)
    user_id, store, room = require_account(context, connection), context.store, frame.room
    admission = admit(context, connection, room)
    require_moderator(admission)
    found = store.accounts.find(frame.name)
    if found == user_id:
        raise errors.bad_request("You cannot invite yourself; you are a member")
    nobody = _NOBODY + hashlib.sha256(frame.name.encode()).hexdigest()
    asked = found or nobody
    role, is_banned, has_blocked, has_space = context.concurrently(
        lambda: store.private_rooms.role(room, asked),
        lambda: store.private_rooms.is_banned(room, asked),
        lambda: store.listings.has_blocked(asked, user_id),
        lambda: store.listings.may_be_invited(asked, room, user_id),
    )
    invited = nobody if role is not None or is_banned or has_blocked or not has_space else asked
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

    One transaction counts the use, refuses the banned, the 101st and an invitation of an account that is not an owner
    or moderator any more, and makes the member; a member spends no use.
    Raises FrameError: no_such_invitation, room_full, too_many_rooms, busy, sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_accept(request.fields)
    connection = counted(context, request, rate_limit.ACCEPTANCES)
    user_id, store, room = require_account(context, connection), context.store, frame.room
    for _ in range(_MAX_TRIES):
        role, settings, end, listed, inviter = context.concurrently(
            lambda: store.private_rooms.role(room, user_id),
            lambda: store.private_rooms.settings(room),
            lambda: store.log.end(room),
            lambda: store.listings.of(user_id),
            lambda: _inviter(context, frame, user_id),
        )
        if role is not None:
            return answer_room(context, connection, room)
        if listed.is_full:
            raise errors.too_many_private_rooms(MAX_PRIVATE_ROOMS)
        if _has_entered(context, frame, connection.person, settings, end.seq, inviter):
            break
    else:
        raise errors.contended()
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
    connection = counted(context, request, rate_limit.ROOM_LISTS)
    context.store.listings.withdraw_invitation(require_account(context, connection), room)
    return answer_rooms(context, connection)


def _inviter(context: "Context", frame: frames_in.Accept, user_id: str) -> str:
    """Return the account that has made an invitation; an id of nobody if it is none, or the invited account itself."""
    store, room = context.store, frame.room
    found = (
        store.invitations.maker(room, frame.token) if frame.token is not None else store.listings.inviter(user_id, room)
    )
    return _NOBODY if found is None or found == user_id else found


def _has_entered(  # noqa: PLR0913, PLR0917 - what was read
    context: "Context", frame: frames_in.Accept, who: "Person", settings: "Settings | None", last_seq: int, inviter: str
) -> bool:
    """Make the account a member; return False if it has become one, or the room's settings have changed, meanwhile.

    Raises FrameError: no_such_invitation, room_full.
    """
    store, room, user_id = context.store, frame.room, who.user_id or ""
    shares_history = settings is not None and settings.shares_history
    since = 0 if shares_history else last_seq
    use = (
        store.invitations.using(room, frame.token)
        if frame.token is not None
        else store.listings.using_invitation(user_id, room)
    )
    listing = store.listings.putting(user_id, room, read=last_seq)
    try:
        store.private_rooms.admit(room, who, since, use, listing, shares_history=shares_history, inviter=inviter)
    except TransactionFailedError as failed:
        if _ROLE in failed.failed:
            return False
        now = failed.failed.get(_SETTINGS, {})
        if now and not failed.failed.keys() & {_BAN, _INVITER, _USE}:
            if now.get("members", 0) >= MAX_MEMBERS:
                raise errors.room_full(MAX_MEMBERS) from None
            return False
        raise errors.no_such_invitation() from None
    return True

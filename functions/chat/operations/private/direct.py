"""`direct` and `block`: conversations of two accounts, and accounts that one does not want to hear from."""

from typing import TYPE_CHECKING, NamedTuple

from chat.delivery.audience import WAIT_SECONDS
from chat.operations.membership import counted, require_account, timely
from chat.operations.private.describing import describe_one
from chat.operations.private.members import notify_removed, wait_until
from chat.operations.private.rooms import answer_room, answer_rooms
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.errors import FrameError
from chat.protocol.events import OK, Reply, Request
from chat.protocol.frames_out import Person
from chat.store import rate_limit
from chat.store.listings import MAX_BLOCKED, MAX_PRIVATE_ROOMS, Blocked
from chat.store.private_rooms import Role, Settings, direct_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat.runtime.context import Context
    from chat.store.accounts import Profile
    from chat.store.dynamodb import Write

_MAX_TRIES = 5


def direct(context: "Context", request: Request) -> Reply:
    """Open the direct conversation with an account, the same whoever opens it first, and post `room`.

    The other account gets `room` too if the conversation is new. Whoever was blocked, or names nobody's id, gets
    no_such_room. Raises FrameError: no_such_room, too_many_rooms, sign_in_required, rate_limited, bad_request.
    """
    partner_id = frames_in.parse_user_id(request.fields)
    connection = counted(context, request, rate_limit.CREATIONS)
    user_id, store = require_account(context, connection), context.store
    if partner_id == user_id:
        raise errors.bad_request("You cannot open a conversation with yourself")
    room = direct_key(user_id, partner_id)
    for _ in range(_MAX_TRIES):
        known = _read(context, room, user_id, partner_id)
        if known.partner is None or known.is_blocked:
            raise errors.no_such_room()
        if known.own_role is None and store.listings.of(user_id).is_full:
            raise errors.too_many_private_rooms(MAX_PRIVATE_ROOMS)
        if _is_open(context, room, known, connection.person, known.partner.person(partner_id)):
            break
    else:
        raise errors.contended()
    partner = (partner_id, known.partner.name)
    lists: list[Callable[[], object]] = [lambda: store.listings.list_direct(user_id, room, partner, is_opened=True)]
    if not known.has_blocked:
        own = (user_id, connection.name)
        lists.append(lambda: store.listings.list_direct(partner_id, room, own, is_opened=False))
    if known.settings is None:
        lists.append(lambda: store.log.begin(room))
    context.concurrently(*lists)
    answer_room(context, connection, room)
    if known.settings is None:
        _notify_partner(context, room, partner_id)
    return OK


def block(context: "Context", request: Request) -> Reply:
    """Block an account, or unblock it, and return `rooms`.

    A blocked account loses its role in the direct conversation, and gets it back when it is unblocked. Like a removal,
    this is answered once the account hears nothing of the conversation any more.
    Raises FrameError: sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_block(request.fields)
    connection = counted(context, request, rate_limit.ROOM_LISTS)
    user_id, store, other_id = require_account(context, connection), context.store, frame.user_id
    if other_id == user_id:
        raise errors.bad_request("You cannot block yourself")
    room = direct_key(user_id, other_id)
    known = _read(context, room, user_id, other_id)
    if frame.blocked:
        if not store.listings.may_block(user_id, other_id):
            raise errors.bad_request(f"You have blocked {MAX_BLOCKED} people; unblock one first")
        name = known.partner.name if known.partner is not None else other_id[:8]
        store.listings.block(user_id, Blocked(other_id, name))
        role = store.private_rooms.role(room, other_id)
        if role is not None:
            store.private_rooms.close_direct(room, role)
        quiet_at = context.clock.monotonic() + WAIT_SECONDS
        if role is not None:
            notify_removed(context, room, other_id, exclude=connection.connection_id, until=quiet_at)
        wait_until(context, quiet_at)
    else:
        store.listings.unblock(user_id, other_id)
        if known.settings is not None and known.partner is not None and known.partner_role is None:
            unblocked = store.listings.checking_not_blocked(user_id, other_id)
            store.private_rooms.open_direct(room, [known.partner.person(other_id)], unblocked, is_new=False)
            store.listings.list_direct(other_id, room, (user_id, connection.name), is_opened=False)
    answer = answer_rooms(context, connection)
    context.broadcast.clean_up()
    return answer


class _Known(NamedTuple):
    """What was read of two accounts and their conversation."""

    partner: "Profile | None"
    is_blocked: bool
    """Whether the partner has blocked the requester."""
    has_blocked: bool
    """Whether the requester has blocked the partner."""
    own_role: Role | None
    partner_role: Role | None
    settings: Settings | None


def _read(context: "Context", room: str, user_id: str, partner_id: str) -> _Known:
    store = context.store
    return _Known(
        *context.concurrently(
            lambda: store.accounts.profile(partner_id),
            lambda: store.listings.has_blocked(partner_id, user_id),
            lambda: store.listings.has_blocked(user_id, partner_id),
            lambda: store.private_rooms.role(room, user_id),
            lambda: store.private_rooms.role(room, partner_id),
            lambda: store.private_rooms.settings(room),
        )
    )


def _is_open(context: "Context", room: str, known: _Known, own: Person, partner: Person) -> bool:
    """Give both accounts their roles unless they are blocked; return False if something has changed meanwhile."""
    admitted, checks = [], []
    if known.own_role is None:
        admitted.append(own)
        checks.append(_checking_not_blocked(context, by=partner, other=own))
    if known.partner_role is None and not known.has_blocked:
        admitted.append(partner)
        checks.append(_checking_not_blocked(context, by=own, other=partner))
    if not admitted:
        return True
    return context.store.private_rooms.open_direct(room, admitted, *checks, is_new=known.settings is None)


def _checking_not_blocked(context: "Context", *, by: Person, other: Person) -> "Write":
    return context.store.listings.checking_not_blocked(by.user_id or "", other.user_id or "")


def _notify_partner(context: "Context", room: str, partner_id: str) -> None:
    """Post `room` to the connections of the other account, unless it has been blocked by now."""
    try:
        description, valid_until = timely(context, lambda: describe_one(context, partner_id, room))
    except FrameError:
        return
    context.broadcast.to_account(partner_id, frames_out.room(description), until=valid_until)
    context.broadcast.clean_up()

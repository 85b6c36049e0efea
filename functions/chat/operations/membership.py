"""The gate: whether a connection may use the room that a frame names."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from chat.delivery.audience import WINDOW_SECONDS
from chat.protocol import errors, frames_in
from chat.store.allowances import account_actor
from chat.store.connections import Connection

if TYPE_CHECKING:
    from chat.protocol.events import Request
    from chat.runtime.context import Context
    from chat.store.private_rooms import Role
    from chat.store.rate_limit import RateLimit

_Read = TypeVar("_Read")

_MAX_READS = 5


class Admission(NamedTuple):
    """Permission to use a room, until `valid_until` (seconds of the monotonic clock)."""

    room: str
    role: "Role | None" = None
    """The account's role in a private room."""
    valid_until: float = math.inf

    @property
    def since(self) -> int:
        """The place after which the room's messages are visible."""
        return self.role.since if self.role is not None else 0


def require_private_rooms(context: "Context", room: str | None) -> None:
    """Raise FrameError `invalid_room` for the key of a private room in a chat without accounts."""
    if room is not None and context.config.sign_in is None and frames_in.is_private(room):
        raise errors.invalid_room()


def require_sign_in(context: "Context", connection: Connection) -> None:
    """Raise FrameError `sign_in_required` if the connection's sign-in has expired, or is missing and required."""
    settings = context.config.sign_in
    if settings is None:
        return
    if connection.user_id is None:
        if settings.is_required:
            raise errors.sign_in_required()
    elif connection.until <= context.clock.now_ms() // 1000:
        raise errors.sign_in_required()


def require_account(context: "Context", connection: Connection) -> str:
    """Return the account that is signed in. Raises FrameError `sign_in_required`."""
    require_sign_in(context, connection)
    if connection.user_id is None:
        raise errors.sign_in_required()
    return connection.user_id


def require_room(context: "Context", connection: Connection, named: str | None) -> str:
    """Return the named room, or the current one if none is named.

    A private room is only admitted by `admit`. Raises FrameError: sign_in_required, not_in_room.
    """
    require_sign_in(context, connection)
    room = named if named is not None else connection.room
    if room is not None and frames_in.is_private(room):
        require_account(context, connection)
        return room
    if room is None or room not in connection.rooms:
        raise errors.not_in_room()
    return room


def counted(context: "Context", request: "Request", limit: "RateLimit") -> Connection:
    """Return the connection of a frame for accounts, after counting the frame against its account.

    These frames read much more than others, and an account is harder to get than an address.
    Raises FrameError: rate_limited, sign_in_required.
    """
    connection = context.store.connections.load(request.connection_id, request.connected_ms)
    user_id = require_account(context, connection)
    context.store.allowances.count(account_actor(user_id, connection.connection_id), limit)
    return connection


def admit(context: "Context", connection: Connection, room: str) -> Admission:
    """Return the admission to a room: for a private one by one consistent read of the account's role.

    Raises FrameError: sign_in_required, no_such_room.
    """
    if not frames_in.is_private(room):
        return Admission(room)
    user_id = require_account(context, connection)
    valid_until = context.clock.monotonic() + WINDOW_SECONDS
    role = context.store.private_rooms.role(room, user_id)
    if role is None:
        raise errors.no_such_room()
    return Admission(room, role, valid_until)


def renewed(context: "Context", connection: Connection, admission: Admission) -> Admission:
    """Return an admission that is valid now: the given one, or a new one of the same membership if its time is up.

    Call it immediately before an answer. Raises FrameError: no_such_room, also if the account has left and come back;
    busy if the reads take longer than they are valid.
    """
    first = admission
    for _ in range(_MAX_READS):
        if context.clock.monotonic() < admission.valid_until:
            return admission
        admission = admit(context, connection, first.room)
        if admission.role is not None and first.role is not None and admission.role.at_ms != first.role.at_ms:
            raise errors.no_such_room()
    raise errors.contended()


def timely(context: "Context", read: Callable[[], _Read]) -> tuple[_Read, float]:
    """Return what reads roles consistently, and until when it may be answered (seconds of the monotonic clock).

    Reads again if that took too long. Raises FrameError busy, and any error of `read`.
    """
    for _ in range(_MAX_READS):
        valid_until = context.clock.monotonic() + WINDOW_SECONDS
        found = read()
        if context.clock.monotonic() < valid_until:
            return found, valid_until
    raise errors.contended()

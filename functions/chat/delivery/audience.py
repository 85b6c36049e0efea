"""Whom the frames of a private room reach: all connections of its members, as read at one moment."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from chat.delivery.broadcast import Clock
    from chat.store.tables import Store

WINDOW_SECONDS = 1.0
"""How long one may rely on a read of a private room's members: what is posted or answered goes out within it."""

WAIT_SECONDS = 1.5
"""How long a removal waits before it is acknowledged: every frame that an earlier read allowed has arrived by then."""


class Audience(NamedTuple):
    """Connections with their accounts, to which one may post until `valid_until` (seconds of the monotonic clock)."""

    accounts: Mapping[str, str]
    valid_until: float


class Audiences:
    """Reads the audiences of private rooms."""

    def __init__(self, store: "Store", clock: "Clock") -> None:
        self._store = store
        self._clock = clock

    def of_room(self, room: str) -> Audience:
        """Return the connections of a room's members: one query, and one request for their connections."""
        read_at = self._clock.monotonic()
        accounts = self._of(self._store.private_rooms.member_ids(room))
        return Audience(accounts, read_at + WINDOW_SECONDS)

    def of_account(self, user_id: str) -> Audience:
        """Return an account's connections, for frames that are about the account itself."""
        return Audience(self._of([user_id]), float("inf"))

    def forget(self, user_id: str, connection_id: str) -> None:
        """Remove a connection that is gone from its account."""
        self._store.accounts.remove_socket(user_id, connection_id)

    def _of(self, user_ids: list[str]) -> Mapping[str, str]:
        found = self._store.accounts.sockets(user_ids) if user_ids else {}
        return {socket.connection_id: user_id for user_id, sockets in found.items() for socket in sockets}

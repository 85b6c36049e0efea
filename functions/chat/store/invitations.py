"""Invitations by link: a random token that admits a number of accounts to a private room until it expires.

Only the token's digest is stored, as part of the item's key: whoever reads the table cannot accept an invitation.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chat.store.dynamodb import EXPIRY, Expression, Item, Table, Write, updating

MAX_LINKS = 50
"""Links of a room that can still be accepted: few enough for `members` to list them."""

_PREFIX, _PAST_PREFIX = "invite#", "invite$"  # the character after #
_ID_CHARACTERS, _TOKEN_BYTES = 16, 24


class Invitation(NamedTuple):
    """An invitation by link. `uses` are left; `expires_at` is in seconds since 1970."""

    invite_id: str
    uses: int
    expires_at: int
    by: str
    """The account that created it."""


class NewLink(NamedTuple):
    """A new invitation with its token, which is not stored."""

    token: str
    invitation: Invitation


class Invitations:
    """The link items in the rooms' partitions. `now_ms` is the clock."""

    def __init__(self, table: Table, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._now_ms = now_ms

    def create(self, room: str, random: bytes, *, uses: int, hours: int, by: str) -> NewLink:
        """Create an invitation by an account, from 32 random bytes."""
        token = base64.urlsafe_b64encode(hashlib.sha256(b"token" + random).digest()[:_TOKEN_BYTES]).decode()
        invite_id = base64.b32encode(hashlib.sha256(b"id" + random).digest()).decode().lower()[:_ID_CHARACTERS]
        expires_at = self._now_ms() // 1000 + hours * 3600
        self._table.put(
            {
                **_key(room, token),
                "inviteId": invite_id,
                "uses": uses,
                "by": by,
                EXPIRY: expires_at,
            }
        )
        return NewLink(token, Invitation(invite_id, uses, expires_at, by))

    def list(self, room: str) -> Sequence[Invitation]:
        """Return the invitations that can still be accepted."""
        return [_invitation(item) for item in self._items(room) if self._is_valid(item)]

    def maker(self, room: str, token: str) -> str | None:
        """Return the account that has created an invitation; None if there is none."""
        return self._table.get(_key(room, token)).get("by")

    def revoke(self, room: str, invite_id: str) -> None:
        """Delete an invitation, if there is one with this id."""
        for item in self._items(room):
            if item.get("inviteId") == invite_id:
                self._table.delete({"room": room, "item": item["item"]})

    def using(self, room: str, token: str) -> Write:
        """Return the write of a transaction that uses an invitation once; it fails unless it can still be accepted."""
        expression = Expression()
        uses, expiry = expression.name("uses"), expression.name(EXPIRY)
        condition = (
            f"{uses} > {expression.value('none', 0)} AND {expiry} > {expression.value('now', self._now_ms() // 1000)}"
        )
        update = f"SET {uses} = {uses} + {expression.value('less', -1)}"
        return updating(_key(room, token), update, expression, condition=condition)

    def _items(self, room: str) -> Sequence[Item]:
        return list(self._table.query(("room", room), ("item", _PREFIX, _PAST_PREFIX)))

    def _is_valid(self, item: Item) -> bool:
        return item.get("uses", 0) > 0 and item.get(EXPIRY, 0) > self._now_ms() // 1000


def _key(room: str, token: str) -> Item:
    return {"room": room, "item": _PREFIX + hashlib.sha256(token.encode()).hexdigest()}


def _invitation(item: Item) -> Invitation:
    return Invitation(item["inviteId"], item["uses"], item[EXPIRY], item.get("by", ""))

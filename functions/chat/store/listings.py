"""What an account has: its private rooms with what it has read, invitations by name, and blocked accounts.

A listing gives no access: only a role does (store/private_rooms.py).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from chat.schema import ACCOUNT_PREFIX
from chat.store.dynamodb import EXPIRY, Expression, Item, Table, Write, checking, deleting, to_attributes
from chat.store.errors import ConditionFailedError
from chat.store.private_rooms import DIRECT, PRIVATE

MAX_PRIVATE_ROOMS = 100
"""Private rooms, and direct conversations that it has opened, of one account."""

MAX_BLOCKED = 100
"""Accounts that one account may block: all fit into `rooms`."""

MAX_INVITATIONS, MAX_INVITATIONS_BY_ONE = 100, 10
"""Invitations by name that an account has at once, in all and by the same account."""

_ROOM, _INVITED, _BLOCKED = "room#", "invited#", "blocked#"
_PAST_INVITED, _PAST_BLOCKED = "invited$", "blocked$"  # the character after #
_FIRST, _LAST = _BLOCKED, "room$"  # blocked#…, invited#…, profile, room#…
_FORGET_AFTER_MS = 60_000


class Listing(NamedTuple):
    """A private room of an account. `partner` is the other account of a direct conversation, and its name."""

    room: str
    kind: str
    read: int
    """The seq up to which the account has read the room."""
    partner: tuple[str, str] | None
    is_opened: bool
    """Whether the account has entered or opened it itself; only these count against its limit."""
    at_ms: int

    def is_old(self, now_ms: int) -> bool:
        """Return whether it was stored so long ago that a missing role is not about to be stored."""
        return now_ms - self.at_ms > _FORGET_AFTER_MS


class Invited(NamedTuple):
    """An invitation by name. `expires_at` is in seconds since 1970."""

    room: str
    by: str
    by_name: str
    expires_at: int


class Blocked(NamedTuple):
    """A blocked account."""

    user_id: str
    name: str


class Listed(NamedTuple):
    """All that an account has."""

    rooms: Sequence[Listing]
    invitations: Sequence[Invited]
    blocked: Sequence[Blocked]

    @property
    def is_full(self) -> bool:
        """Whether the account may enter no further private room."""
        return sum(room.is_opened for room in self.rooms) >= MAX_PRIVATE_ROOMS


class Listings:
    """These items in the accounts' partitions. `now_ms` is the clock."""

    def __init__(self, table: Table, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._now_ms = now_ms

    def of(self, user_id: str) -> Listed:
        """Return what an account has, by one query."""
        rooms, invitations, blocked = [], [], []
        now = self._now_ms() // 1000
        for item in self._table.query(("room", _partition(user_id)), ("item", _FIRST, _LAST)):
            kind, _, rest = item["item"].partition("#")
            if kind == "room":
                rooms.append(_listing(rest, item))
            elif kind == "invited" and item.get(EXPIRY, 0) > now:
                invitations.append(Invited(rest, item["by"], item.get("name", ""), item[EXPIRY]))
            elif kind == "blocked":
                blocked.append(Blocked(rest, item.get("name", "")))
        return Listed(rooms, invitations, blocked)

    def one(self, user_id: str, room: str) -> Listing:
        """Return an account's listing of a room; a new one if it has none."""
        return _listing(room, self._table.get(_key(user_id, _ROOM, room)))

    def of_members(self, user_ids: Sequence[str], room: str) -> dict[str, Listing]:
        """Return accounts' listings of a room, of those that have one."""
        found = self._table.batch_get(_key(user_id, _ROOM, room) for user_id in user_ids)
        return {item["room"].removeprefix(ACCOUNT_PREFIX): _listing(room, item) for item in found}

    def putting(self, user_id: str, room: str, *, read: int) -> Write:
        """Return the write of a transaction that lists a private room."""
        return Write("Put", {"Item": to_attributes(self._item(user_id, room, kind=PRIVATE, read=read))})

    def list_direct(self, user_id: str, room: str, partner: tuple[str, str], *, is_opened: bool) -> None:
        """List a direct conversation; what has been read of it, and that it was opened, stay."""
        expression = Expression()
        given: Item = {"kind": DIRECT, "with": partner[0], "name": partner[1], "at": self._now_ms()}
        kept: Item = {"read": 0}
        (given if is_opened else kept)["opened"] = is_opened
        sets = expression.assignments(given)
        sets += [
            f"{expression.name(field)} = if_not_exists({expression.name(field)}, {expression.value(field, value)})"
            for field, value in kept.items()
        ]
        self._table.update(_key(user_id, _ROOM, room), f"SET {', '.join(sets)}", expression)

    def mark_read(self, user_id: str, room: str, seq: int) -> None:
        """Mark a room as read up to a seq, never back."""
        expression = Expression()
        read, value = expression.name("read"), expression.value("seq", seq)
        try:
            self._table.update(
                _key(user_id, _ROOM, room),
                f"SET {read} = {value}",
                expression,
                condition=f"attribute_exists({expression.name('item')})"
                f" AND (attribute_not_exists({read}) OR {read} < {value})",
            )
        except ConditionFailedError:
            return

    def forget(self, user_id: str, listing: Listing) -> None:
        """Delete the listing that was read, of a room that the account is no longer in."""
        expression = Expression()
        condition = f"{expression.name('at')} = {expression.value('at', listing.at_ms)}"
        try:
            self._table.delete(_key(user_id, _ROOM, listing.room), condition=condition, expression=expression)
        except ConditionFailedError:
            return

    def remove(self, user_id: str, room: str, joined_ms: int) -> None:
        """Delete a listing, unless the account has become a member again since `joined_ms`."""
        expression = Expression()
        condition = f"{expression.name('at')} <= {expression.value('joined', joined_ms)}"
        try:
            self._table.delete(_key(user_id, _ROOM, room), condition=condition, expression=expression)
        except ConditionFailedError:
            return

    def invite(self, user_id: str, room: str, by: tuple[str, str], *, expires_at: int) -> None:
        """Store an invitation by name of an account (id and name), until a time in seconds."""
        self._table.put({**_key(user_id, _INVITED, room), "by": by[0], "name": by[1], EXPIRY: expires_at})

    def inviter(self, user_id: str, room: str) -> str | None:
        """Return who has invited an account to a room by name; None if nobody has."""
        return self._table.get(_key(user_id, _INVITED, room)).get("by")

    def may_be_invited(self, user_id: str, room: str, by: str) -> bool:
        """Return whether an account has space for another account's invitation; a repeated one takes none."""
        found = self._table.query(("room", _partition(user_id)), ("item", _INVITED, _PAST_INVITED))
        now = self._now_ms() // 1000
        others = [item for item in found if item["item"] != _INVITED + room and item.get(EXPIRY, 0) > now]
        by_one = sum(item["by"] == by for item in others)
        return len(others) < MAX_INVITATIONS and by_one < MAX_INVITATIONS_BY_ONE

    def using_invitation(self, user_id: str, room: str) -> Write:
        """Return the write of a transaction that uses up an invitation by name; it fails if there is none."""
        expression = Expression()
        expiry, now = expression.name(EXPIRY), expression.value("now", self._now_ms() // 1000)
        return deleting(_key(user_id, _INVITED, room), condition=f"{expiry} > {now}", expression=expression)

    def withdraw_invitation(self, user_id: str, room: str) -> None:
        """Delete an invitation by name."""
        self._table.delete(_key(user_id, _INVITED, room))

    def block(self, user_id: str, other: Blocked) -> None:
        """Block an account."""
        self._table.put({**_key(user_id, _BLOCKED, other.user_id), "name": other.name, "at": self._now_ms()})

    def may_block(self, user_id: str, other_id: str) -> bool:
        """Return whether an account may block another one: it has blocked it already, or fewer than 100 others."""
        found = self._table.query(("room", _partition(user_id)), ("item", _BLOCKED, _PAST_BLOCKED), only=("item",))
        others = [item for item in found if item["item"] != _BLOCKED + other_id]
        return len(others) < MAX_BLOCKED

    def unblock(self, user_id: str, other_id: str) -> None:
        """Unblock an account."""
        self._table.delete(_key(user_id, _BLOCKED, other_id))

    def has_blocked(self, user_id: str, other_id: str) -> bool:
        """Return whether an account has blocked another one."""
        return bool(self._table.get(_key(user_id, _BLOCKED, other_id)))

    @staticmethod
    def checking_not_blocked(user_id: str, other_id: str) -> Write:
        """Return the condition of a transaction that an account has not blocked another one."""
        expression = Expression()
        condition = f"attribute_not_exists({expression.name('item')})"
        return checking(_key(user_id, _BLOCKED, other_id), condition=condition, expression=expression)

    def _item(self, user_id: str, room: str, *, kind: str, read: int) -> Item:
        return {
            **_key(user_id, _ROOM, room),
            "kind": kind,
            "read": read,
            "opened": True,
            "at": self._now_ms(),
        }


def new_listing(room: str) -> Listing:
    """Return the listing of a private room that is not listed yet."""
    return _listing(room, {})


def _partition(user_id: str) -> str:
    return f"{ACCOUNT_PREFIX}{user_id}"


def _key(user_id: str, prefix: str, name: str) -> Item:
    return {"room": _partition(user_id), "item": prefix + name}


def _listing(room: str, item: Item) -> Listing:
    partner = (item["with"], item.get("name", "")) if "with" in item else None
    return Listing(
        room=room,
        kind=item.get("kind", PRIVATE),
        read=item.get("read", 0),
        partner=partner,
        is_opened=item.get("opened", True),
        at_ms=item.get("at", 0),
    )

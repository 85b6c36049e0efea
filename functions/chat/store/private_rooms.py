"""Private rooms and direct conversations: their settings, the roles of their members, and bans.

A role item is the only proof of membership; nothing caches it. Changes that concern several items are transactions:
`members` and `owners` in the settings always match the role items, so a room has at most 100 members and never loses
its last owner.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from chat.protocol.frames_in import ROLES
from chat.protocol.frames_out import Person
from chat.store.dynamodb import Expression, Item, Table, Write, checking, deleting, putting, to_attributes, updating
from chat.store.errors import ConditionFailedError, TransactionFailedError

MAX_MEMBERS = 100
"""Members of a private room: what one BatchGetItem of their connections takes (DynamoDB quotas)."""

PRIVATE, DIRECT = "private", "direct"
OWNER, MODERATOR, MEMBER = ROLES

_SETTINGS = "settings"
_ROLE, _PAST_ROLE = "role#", "role$"  # the character after #
_BAN, _PAST_BAN = "ban#", "ban$"
_KEY_CHARACTERS = 26


class Role(NamedTuple):
    """An account's membership of a private room."""

    user_id: str
    role: str
    name: str
    sender: str
    since: int
    """The place after which the room's messages are visible to it."""
    at_ms: int
    """When it became a member, in milliseconds since 1970."""

    @property
    def person(self) -> Person:
        """The account as a person of its room."""
        return Person(self.user_id, self.name, self.sender, self.user_id)


class Settings(NamedTuple):
    """A private room's settings."""

    kind: str
    title: str = ""
    shares_history: bool = False
    """Whether new members see the messages from before they joined."""
    owners: frozenset[str] = frozenset()
    members: int = 0


class Ban(NamedTuple):
    """An account that may not become a member."""

    user_id: str
    name: str


def private_key(random: bytes) -> str:
    """Return the key of a new private room, from at least 17 random bytes."""
    return "~" + _base32(random)


def direct_key(one: str, other: str) -> str:
    """Return the key of two accounts' conversation, the same for both."""
    return "@" + _base32(hashlib.sha256("\n".join(sorted((one, other))).encode()).digest())


def is_direct(room: str) -> bool:
    """Return whether a private key is a direct conversation's."""
    return room.startswith("@")


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().lower()[:_KEY_CHARACTERS]


class PrivateRooms:
    """The settings, roles and bans in ChatRooms. `now_ms` is the clock."""

    def __init__(self, table: Table, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._now_ms = now_ms

    def role(self, room: str, user_id: str) -> Role | None:
        """Return an account's role by one consistent read; None if it is not a member."""
        item = self._table.get(_role_key(room, user_id))
        return _role(item) if item else None

    def roles(self, room: str) -> list[Role]:
        """Return the members' roles, ordered by account."""
        return [_role(item) for item in self._table.query(("room", room), ("item", _ROLE, _PAST_ROLE))]

    def member_ids(self, room: str) -> list[str]:
        """Return the members' accounts, for delivery."""
        found = self._table.query(("room", room), ("item", _ROLE, _PAST_ROLE), only=("item",))
        return [item["item"].removeprefix(_ROLE) for item in found]

    def settings(self, room: str) -> Settings | None:
        """Return a room's settings; None if there is no such room, or not any more."""
        item = self._table.get(_settings_key(room))
        return _settings(item) if item else None

    def settings_of(self, rooms: Sequence[str]) -> dict[str, Settings]:
        """Return the settings of those rooms that have any."""
        if not rooms:
            return {}
        found = self._table.batch_get(_settings_key(room) for room in rooms)
        return {item["room"]: _settings(item) for item in found}

    def create(self, room: str, title: str, owner: Person, *, shares_history: bool, listing: Write) -> Role:
        """Create a room with its owner."""
        role = self._new_role(owner, OWNER, 0)
        settings = {
            "kind": PRIVATE,
            "title": title,
            "sharesHistory": shares_history,
            "owners": {role.user_id},
            "members": 1,
        }
        self._table.transact(self._putting_settings(room, settings), _putting_role(room, role), listing)
        return role

    def edit(self, room: str, *, title: str | None, shares_history: bool | None) -> Settings | None:
        """Change what is given; return the new settings, or None if the room has ended."""
        expression = Expression()
        sets = expression.assignments({"title": title, "sharesHistory": shares_history})
        condition = f"attribute_exists({expression.name('item')})"
        try:
            item = self._table.update(_settings_key(room), f"SET {', '.join(sets)}", expression, condition=condition)
        except ConditionFailedError:
            return None
        return _settings(item)

    def admit(self, room: str, who: Person, since: int, *further: Write, shares_history: bool, inviter: str) -> Role:
        """Make an account a member, together with further writes: the use of its invitation and its listing.

        `shares_history` is the setting that was read, `inviter` the other account that has made the invitation.
        Raises TransactionFailedError: 0 if it is a member already, 1 if the room has ended, is full or has another
        setting by now, 2 if the account is banned, 3 if the inviter is not an owner or a moderator, from 4 on for the
        further writes.
        """
        role = self._new_role(who, MEMBER, since)
        counted, unbanned = Expression(), Expression()
        members = counted.name("members")
        self._table.transact(
            _putting_role(room, role),
            updating(
                _settings_key(room),
                f"SET {members} = {members} + {counted.value('one', 1)}",
                counted,
                condition=f"{members} < {counted.value('most', MAX_MEMBERS)} AND "
                f"{counted.name('sharesHistory')} = {counted.value('read', shares_history)}",
            ),
            checking(
                _ban_key(room, role.user_id),
                condition=f"attribute_not_exists({unbanned.name('item')})",
                expression=unbanned,
            ),
            _checking_moderator(room, inviter),
            *further,
        )
        return role

    def remove(self, room: str, role: Role, *, by: Role | None, ban: bool = False) -> bool:
        """End a membership, and with `ban` for good. `by` is the role that removes it; None: the member itself.

        Returns False if one of the roles has changed since it was read, or if the member is the last owner.
        """
        expression, counted = Expression(), Expression()
        members = counted.name("members")
        update = f"SET {members} = {members} + {counted.value('less', -1)}"
        condition = f"attribute_exists({members})"
        if role.role == OWNER:
            owners = counted.name("owners")
            update += f" DELETE {owners} {counted.value('leaving', {role.user_id})}"
            condition += _not_the_last(counted, owners)
        writes = [
            deleting(_role_key(room, role.user_id), condition=_unchanged(role, expression), expression=expression),
            updating(_settings_key(room), update, counted, condition=condition),
        ]
        if by is not None:
            writes.append(_checking_role(room, by))
            if ban:
                banned = self._ban_item(room, role.user_id, role.name, by.user_id)
                writes.append(Write("Put", {"Item": to_attributes(banned)}))
        return self._happens(*writes)

    def set_role(self, room: str, role: Role, new: str, *, by: Role | None) -> bool:
        """Change a member's role. `by` is the role that changes it; None: the member itself.

        Returns False if one of the roles has changed since it was read, or if the member is the last owner.
        """
        expression, counted = Expression(), Expression()
        update = f"SET {expression.name('role')} = {expression.value('new', new)}"
        condition = _unchanged(role, expression)
        writes = [updating(_role_key(room, role.user_id), update, expression, condition=condition)]
        if OWNER in (role.role, new):
            owners = counted.name("owners")
            clause = "ADD" if new == OWNER else "DELETE"
            changed = f"{clause} {owners} {counted.value('changed', {role.user_id})}"
            guard = f"attribute_exists({owners})" + (_not_the_last(counted, owners) if new != OWNER else "")
            writes.append(updating(_settings_key(room), changed, counted, condition=guard))
        if by is not None:
            writes.append(_checking_role(room, by))
        return self._happens(*writes)

    def end(self, room: str, owner: Role) -> bool:
        """End a room with its only member, its owner. Returns False if somebody else is a member by now."""
        expression, alone = Expression(), Expression()
        return self._happens(
            deleting(_role_key(room, owner.user_id), condition=_unchanged(owner, expression), expression=expression),
            deleting(
                _settings_key(room),
                condition=f"{alone.name('members')} = {alone.value('one', 1)}",
                expression=alone,
            ),
        )

    def bans(self, room: str) -> list[Ban]:
        """Return the banned accounts, the latest first."""
        items = self._table.query(("room", room), ("item", _BAN, _PAST_BAN))
        found = sorted(items, key=lambda item: item.get("at", 0), reverse=True)
        return [Ban(item["item"].removeprefix(_BAN), item.get("name", "")) for item in found]

    def forget_bans(self, room: str) -> None:
        """Delete the bans of a room that has ended."""
        for ban in self.bans(room):
            self.unban(room, ban.user_id)

    def is_banned(self, room: str, user_id: str) -> bool:
        """Return whether an account is banned."""
        return bool(self._table.get(_ban_key(room, user_id)))

    def ban(self, room: str, user_id: str, name: str, by: str) -> None:
        """Ban an account that is not a member."""
        self._table.put(self._ban_item(room, user_id, name, by))

    def unban(self, room: str, user_id: str) -> None:
        """Lift a ban."""
        self._table.delete(_ban_key(room, user_id))

    def open_direct(self, room: str, admitted: Sequence[Person], *further: Write, is_new: bool) -> bool:
        """Give accounts their role in a direct conversation, together with further writes.

        `is_new` also puts its settings. Returns False if a condition failed: read again.
        """
        writes = [_putting_role(room, self._new_role(who, MEMBER, 0)) for who in admitted]
        if is_new:
            writes.append(self._putting_settings(room, {"kind": DIRECT, "sharesHistory": True, "members": 2}))
        return self._happens(*writes, *further)

    def close_direct(self, room: str, role: Role) -> None:
        """Delete a role in a direct conversation, unless it has been put again since it was read."""
        expression = Expression()
        try:
            self._table.delete(
                _role_key(room, role.user_id), condition=_unchanged(role, expression), expression=expression
            )
        except ConditionFailedError:
            return

    def _happens(self, *writes: Write) -> bool:
        """Carry out a transaction; return False if a condition failed."""
        try:
            self._table.transact(*writes)
        except TransactionFailedError:
            return False
        return True

    def _new_role(self, who: Person, role: str, since: int) -> Role:
        if who.user_id is None:
            raise ValueError("a guest has no role")
        return Role(who.user_id, role, who.name, who.sender, since, self._now_ms())

    def _putting_settings(self, room: str, settings: Item) -> Write:
        expression = Expression()
        return putting(
            {**_settings_key(room), **settings, "createdAt": self._now_ms()},
            condition=f"attribute_not_exists({expression.name('item')})",
            expression=expression,
        )

    def _ban_item(self, room: str, user_id: str, name: str, by: str) -> Item:
        return {**_ban_key(room, user_id), "name": name, "by": by, "at": self._now_ms()}


def _role_key(room: str, user_id: str) -> Item:
    return {"room": room, "item": f"{_ROLE}{user_id}"}


def _ban_key(room: str, user_id: str) -> Item:
    return {"room": room, "item": f"{_BAN}{user_id}"}


def _settings_key(room: str) -> Item:
    return {"room": room, "item": _SETTINGS}


def _putting_role(room: str, role: Role) -> Write:
    expression = Expression()
    item = {
        **_role_key(room, role.user_id),
        "role": role.role,
        "name": role.name,
        "sender": role.sender,
        "since": role.since,
        "at": role.at_ms,
    }
    condition = f"attribute_not_exists({expression.name('item')})"
    return putting(item, condition=condition, expression=expression)


def _unchanged(role: Role, expression: Expression) -> str:
    """Return the condition that a role is the one that was read: not deleted, put again or changed since."""
    at, kind = expression.name("at"), expression.name("role")
    return f"{at} = {expression.value('readAt', role.at_ms)} AND {kind} = {expression.value('readRole', role.role)}"


def _checking_role(room: str, role: Role) -> Write:
    expression = Expression()
    return checking(_role_key(room, role.user_id), condition=_unchanged(role, expression), expression=expression)


def _checking_moderator(room: str, user_id: str) -> Write:
    expression = Expression()
    owner, moderator = expression.value("owner", OWNER), expression.value("moderator", MODERATOR)
    role = expression.name("role")
    condition = f"({role} = {owner} OR {role} = {moderator})"
    return checking(_role_key(room, user_id), condition=condition, expression=expression)


def _not_the_last(expression: Expression, owners: str) -> str:
    return f" AND size({owners}) > {expression.value('one', 1)}"


def _role(item: Item) -> Role:
    user_id = item["item"].removeprefix(_ROLE)
    return Role(
        user_id=user_id,
        role=item.get("role", MEMBER),
        name=item.get("name", user_id[:8]),
        sender=item.get("sender", user_id),
        since=item.get("since", 0),
        at_ms=item.get("at", 0),
    )


def _settings(item: Item) -> Settings:
    return Settings(
        kind=item.get("kind", PRIVATE),
        title=item.get("title", ""),
        shares_history=item.get("sharesHistory", False),
        owners=item.get("owners", frozenset()),
        members=item.get("members", 0),
    )

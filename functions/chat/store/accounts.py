"""Accounts: their profiles, their unique names, the guests that they have taken over, and their sockets.

An account's name is reserved by the item `name#<folded name>`, and a guest's sender is claimed by `sender#<sender>`;
each says whose it is. A name and its reservation, or a sender and its claim, change in one transaction, so a function
that is killed at any moment leaves no name without an owner, and none with two. After a change the old name stays
reserved for as long as a connection may have it on its row (two hours), so nobody else has it beside a badge.

The item `sockets` has an attribute for each connection, and the time of the last sign-out everywhere. Adding a socket
is conditional on that time, and setting the time returns the sockets. So of a sign-in and a sign-out everywhere at
once, either the sign-in is refused or the sign-out sees its socket.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from chat.protocol import errors, text
from chat.protocol.frames_out import Person
from chat.schema import ACCOUNT_PREFIX
from chat.store.connections import CONNECTION_SECONDS
from chat.store.dynamodb import EXPIRY, Expression, Item, Table, Write, putting, updating
from chat.store.errors import ConditionFailedError, ConflictError, TransactionFailedError
from chat.store.members import Recipient

MAX_SENDERS = 20
"""Guests that an account takes over: one for each browser that it has been used in."""

MAX_SOCKETS = 30
"""Connections that an account may be signed in on at once."""

_PROFILE, _SOCKETS, _OWNER = "profile", "sockets", "account"
_SOCKET_PREFIX = "socket#"
_MAX_TRIES = 5
_MAX_REMOVED = 20
_DIGEST_BYTES = 16
_MARGIN_SECONDS = 60
"""For clock skew, and for a function that was late to store the name that it had read."""


class Profile(NamedTuple):
    """An account as others see it."""

    user_id: str
    name: str
    sender: str
    senders: frozenset[str]
    """All senders that stand for the account, its own included."""

    def person(self, connection_id: str) -> Person:
        """Return the account as the identity of a connection."""
        return Person(connection_id, self.name, self.sender, self.user_id)


class Entered(NamedTuple):
    """The profile of an account that has signed in, and whether that created the account."""

    profile: Profile
    is_new: bool = False


class Accounts:
    """The account items of ChatRooms. `now_ms` is the clock."""

    def __init__(self, table: Table, now_ms: Callable[[], int]) -> None:
        self._table = table
        self._now_ms = now_ms

    def profile(self, user_id: str) -> Profile | None:
        """Return an account's profile; None before its first sign-in."""
        return _profile(user_id, self._table.get(_key(user_id, _PROFILE)))

    def profiles(self, user_ids: Iterable[str]) -> dict[str, Profile]:
        """Return the profiles of those accounts that have one."""
        items = self._table.batch_get(_key(user_id, _PROFILE) for user_id in user_ids)
        found = [_profile(_user_id(item), item) for item in items]
        return {profile.user_id: profile for profile in found if profile is not None}

    def find(self, name: str) -> str | None:
        """Return the account that has a name, or one that looks the same, or had it within two hours."""
        item = self._table.get(_name_key(name))
        return item.get("userId") if item.get(EXPIRY, self._now() + 1) > self._now() else None

    def claim_of(self, sender: str) -> str | None:
        """Return the account that has taken over a guest's sender."""
        return self._table.get(_sender_key(sender)).get("userId")

    def enter(
        self, user_id: str, known: Profile | None, name: str | None, username: str, sender: str | None
    ) -> Entered:
        """Return the profile of an account that signs in, and create it at the first sign-in.

        `known` is the profile that was read. A new account is called `name`, or else as its token's `username`, or a
        variant if that is taken. It takes over the guest's `sender`, if given, and beyond 20 of them no more. Raises
        FrameError `secret_claimed` if the sender is another account's.
        """
        for _ in range(_MAX_TRIES):
            if known is not None:
                return Entered(known if sender is None else self._claim(known, sender))
            created = self._create(user_id, _possible_names(name or _public(username, user_id), user_id), sender)
            if created is not None:
                return Entered(created, is_new=True)
            known = self.profile(user_id)
        raise ConflictError

    def rename(self, user_id: str, name: str) -> Profile:
        """Change an account's name; its old one is free again in two hours. Raises FrameError `name_taken`."""
        for _ in range(_MAX_TRIES):
            known = self.profile(user_id)
            if known is None:
                raise errors.sign_in_required()
            if known.name == name:
                return known
            try:
                self._rename(known, name)
            except ConditionFailedError:
                continue  # another socket of the account has changed it
            except TransactionFailedError as failed:
                if 0 in failed.failed:
                    raise errors.name_taken() from None
                continue
            return known._replace(name=name)
        raise ConflictError

    def add_socket(self, user_id: str, connection_id: str, hears_until: int, *, authenticated_at: int) -> bool:
        """List a connection, or renew it, until a time in seconds since 1970; forget those that have lapsed.

        Returns False if the account has signed out everywhere since `authenticated_at` (s), or in that very second.
        Raises FrameError `rate_limited` if the account has 30 others.
        """
        expression = Expression()
        socket = expression.name(f"{_SOCKET_PREFIX}{connection_id}", "socket")
        signed_out_at = expression.name("signedOutAt")
        condition = (
            f"attribute_not_exists({signed_out_at}) OR "
            f"{signed_out_at} < {expression.value('authenticatedAt', authenticated_at)}"
        )
        update = f"SET {socket} = {expression.value('hearsUntil', hears_until)}"
        try:
            item = self._table.update(_key(user_id, _SOCKETS), update, expression, condition=condition)
        except ConditionFailedError:
            return False
        live = self._forget_lapsed(user_id, item)
        if len(live) > MAX_SOCKETS:
            self.remove_socket(user_id, connection_id)
            raise errors.rate_limited(min(live.values()) * 1000 - self._now_ms())
        return True

    def remove_socket(self, user_id: str, *connection_ids: str) -> None:
        """Forget one or more connections; it is no error if they are not listed."""
        expression = Expression()
        names = [expression.name(f"{_SOCKET_PREFIX}{each}", f"socket{n}") for n, each in enumerate(connection_ids)]
        self._table.update(_key(user_id, _SOCKETS), f"REMOVE {', '.join(names)}", expression)

    def sockets(self, user_ids: Iterable[str]) -> dict[str, list[Recipient]]:
        """Return the connections of accounts, except those whose sign-in has lapsed; accounts without any are left out.

        One request for 100 accounts. `expires_at` of each is when it stops to receive frames.
        """
        items = self._table.batch_get(_key(user_id, _SOCKETS) for user_id in user_ids)
        found = {_user_id(item): _recipients(self._live(item)) for item in items}
        return {user_id: recipients for user_id, recipients in found.items() if recipients}

    def sign_out_everywhere(self, user_id: str) -> list[Recipient]:
        """Refuse all tokens whose person signed in until now, and return the connections that were signed in."""
        expression = Expression()
        signed_out_at, now = expression.name("signedOutAt"), expression.value("now", self._now())
        condition = f"attribute_not_exists({signed_out_at}) OR {signed_out_at} <= {now}"
        key = _key(user_id, _SOCKETS)
        try:
            item = self._table.update(key, f"SET {signed_out_at} = {now}", expression, condition=condition)
        except ConditionFailedError as failed:  # a clock ahead of this one has set it
            item = failed.item
        return _recipients(self._live(item))

    def _create(self, user_id: str, names: Iterable[str], sender: str | None) -> Profile | None:
        """Create a profile with the first name that is free; None if there is one already."""
        own = sender or account_sender(user_id)
        for name in names:
            profile = Profile(user_id, name, own, frozenset({own}))
            expression = Expression()
            item = {**_key(user_id, _PROFILE), "name": name, "sender": own, "senders": profile.senders}
            is_new = f"attribute_not_exists({expression.name('name')})"
            claims = [self._taking(_sender_key(sender), user_id)] if sender is not None else []
            try:
                self._table.transact(
                    self._taking(_name_key(name), user_id),
                    putting(item, condition=is_new, expression=expression),
                    *claims,
                )
            except TransactionFailedError as failed:
                if 1 in failed.failed:
                    return None
                if 2 in failed.failed:  # noqa: PLR2004 - the third write
                    raise errors.secret_claimed() from None
                continue
            return profile
        raise ConflictError

    def _claim(self, known: Profile, sender: str) -> Profile:
        """Return the profile with a guest's sender. Raises FrameError `secret_claimed`."""
        if sender in known.senders:
            return known
        if len(known.senders) >= MAX_SENDERS:
            if self.claim_of(sender) not in (None, known.user_id):
                raise errors.secret_claimed()
            return known
        expression = Expression()
        update = f"ADD {expression.name('senders')} {expression.value('senders', {sender})}"
        exists = f"attribute_exists({expression.name('name')})"
        try:
            self._table.transact(
                self._taking(_sender_key(sender), known.user_id),
                updating(_key(known.user_id, _PROFILE), update, expression, condition=exists),
            )
        except TransactionFailedError:
            raise errors.secret_claimed() from None
        return known._replace(senders=known.senders | {sender})

    def _rename(self, known: Profile, name: str) -> None:
        expression = Expression()
        attribute = expression.name("name")
        update = f"SET {attribute} = {expression.value('new', name)}"
        unchanged = f"{attribute} = {expression.value('old', known.name)}"
        key = _key(known.user_id, _PROFILE)
        old_key, new_key = _name_key(known.name), _name_key(name)
        if old_key == new_key:
            self._table.update(key, update, expression, condition=unchanged)
            return
        self._table.transact(
            self._taking(new_key, known.user_id),
            updating(key, update, expression, condition=unchanged),
            self._releasing(old_key, known.user_id),
        )

    def _forget_lapsed(self, user_id: str, item: Item) -> Mapping[str, int]:
        """Remove some lapsed connections that an item lists, unless they have been renewed; return the others."""
        live = self._live(item)
        lapsed = [(name, value) for name, value in _listed(item) if name not in live][:_MAX_REMOVED]
        if lapsed:
            expression = Expression()
            names = [expression.name(f"{_SOCKET_PREFIX}{each}", f"lapsed{n}") for n, (each, _) in enumerate(lapsed)]
            are_unchanged = " AND ".join(
                f"{name} = {expression.value(f'lapsed{n}', lapsed[n][1])}" for n, name in enumerate(names)
            )
            key = _key(user_id, _SOCKETS)
            with suppress(ConditionFailedError):  # the next sign-in tries again
                self._table.update(key, f"REMOVE {', '.join(names)}", expression, condition=are_unchanged)
        return live

    def _live(self, item: Item) -> Mapping[str, int]:
        """Return the connections that an item lists and that have not lapsed, with the times until which they hear."""
        return {connection_id: until for connection_id, until in _listed(item) if until > self._now()}

    def _taking(self, key: Item, user_id: str) -> Write:
        """Return the write that makes a name or a sender an account's, unless it is another's."""
        expression = Expression()
        owner, expiry = expression.name("userId"), expression.name(EXPIRY)
        condition = (
            f"attribute_not_exists({owner}) OR {owner} = {expression.value('userId', user_id)} "
            f"OR {expiry} <= {expression.value('now', self._now())}"
        )
        return putting({**key, "userId": user_id}, condition=condition, expression=expression)

    def _releasing(self, key: Item, user_id: str) -> Write:
        """Return the write that frees an account's name once no connection can have it any more."""
        expression = Expression()
        own, expires_at = expression.value("userId", user_id), self._now() + CONNECTION_SECONDS + _MARGIN_SECONDS
        owner = expression.name("userId")
        update = f"SET {owner} = {own}, {expression.name(EXPIRY)} = {expression.value('expiry', expires_at)}"
        return updating(key, update, expression, condition=f"attribute_not_exists({owner}) OR {owner} = {own}")

    def _now(self) -> int:
        """Return the seconds since 1970."""
        return self._now_ms() // 1000


def account_sender(user_id: str) -> str:
    """Return the sender of an account that has taken over no guest."""
    digest = hashlib.sha256(b"serverless-chat account " + user_id.encode()).digest()[:_DIGEST_BYTES]
    return "account-" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _public(username: str, user_id: str) -> str | None:
    """Return a token's username as a name; None if it is an e-mail address, the account's id or no valid name."""
    if username == user_id or "@" in username:
        return None
    return text.clean_name(username[: text.MAX_NAME_CHARACTERS])


def _possible_names(chosen: str | None, user_id: str) -> Iterator[str]:
    """Yield names for a new account until one is free; the last one is its own."""
    digest = hashlib.sha256(user_id.encode()).hexdigest()
    parts = [digest[start : start + 4] for start in (0, 4, 8)]
    if chosen is not None:
        yield chosen
        for suffix in (" 2", " 3", *(f" {part}" for part in parts)):
            yield f"{chosen[: text.MAX_NAME_CHARACTERS - len(suffix)].rstrip()}{suffix}"
    for part in (*parts, digest[:32]):
        yield f"Person {part}"


def _key(user_id: str, item: str) -> Item:
    return {"room": f"{ACCOUNT_PREFIX}{user_id}", "item": item}


def _user_id(item: Item) -> str:
    return item["room"].removeprefix(ACCOUNT_PREFIX)


def _name_key(name: str) -> Item:
    return {"room": f"name#{text.fold_name(name)}", "item": _OWNER}


def _sender_key(sender: str) -> Item:
    return {"room": f"sender#{sender}", "item": _OWNER}


def _profile(user_id: str, item: Item) -> Profile | None:
    if "name" not in item:
        return None
    sender = item.get("sender", account_sender(user_id))
    return Profile(user_id, item["name"], sender, item.get("senders", frozenset()) | {sender})


def _listed(item: Item) -> Iterator[tuple[str, int]]:
    return (
        (name.removeprefix(_SOCKET_PREFIX), value) for name, value in item.items() if name.startswith(_SOCKET_PREFIX)
    )


def _recipients(live: Mapping[str, int]) -> list[Recipient]:
    return [Recipient(connection_id, until) for connection_id, until in sorted(live.items())]

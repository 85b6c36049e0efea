"""The members of private rooms as persons, with the names that their accounts have now."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from chat.protocol.frames_out import Person
from chat.store.private_rooms import Role

if TYPE_CHECKING:
    from chat.runtime.context import Context


def people(context: "Context", roles: Sequence[Role]) -> list[Person]:
    """Return members as persons, in the same order: `connectionId` is the account."""
    profiles = context.store.accounts.profiles([role.user_id for role in roles])
    return [profiles[role.user_id].person(role.user_id) if role.user_id in profiles else role.person for role in roles]


def names(context: "Context", known: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return the current names of accounts by id; `known` are ids with the names to use for accounts without one."""
    fallback = dict(known)
    profiles = context.store.accounts.profiles(fallback)
    return fallback | {user_id: profile.name for user_id, profile in profiles.items()}

"""Descriptions of private rooms and direct conversations, as one member sees them."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chat.operations.private.people import names
from chat.protocol import errors
from chat.protocol.frames_out import MAX_FACES, Description
from chat.store.listings import Listing, new_listing
from chat.store.private_rooms import Role, Settings
from chat.store.room_log import End

if TYPE_CHECKING:
    from chat.runtime.context import Context


def describe(context: "Context", user_id: str, listings: Sequence[Listing]) -> list[Description]:
    """Return an account's rooms, the one with the newest message first.

    Rooms that it is not in, by their consistently read roles, are left out; old listings of such rooms are deleted.
    """
    store = context.store
    rooms = [listing.room for listing in listings]
    calls: list[Callable[[], Any]] = [lambda room=room: store.private_rooms.roles(room) for room in rooms]
    calls += [lambda room=room: store.log.end(room) for room in rooms]
    settings, *found = context.concurrently(lambda: store.private_rooms.settings_of(rooms), *calls)
    roles, ends = found[: len(rooms)], found[len(rooms) :]
    own = [next((role for role in each if role.user_id == user_id), None) for each in roles]
    now = context.clock.now_ms()
    stale = [listing for listing, role in zip(listings, own, strict=True) if role is None and listing.is_old(now)]
    faces = [_faces(user_id, each) for each in roles]
    partners = [listing.partner for listing in listings if listing.partner is not None]
    shown = [(role.user_id, role.name) for each in faces for role in each] + partners
    current, *_ = context.concurrently(
        lambda: names(context, shown) if shown else {},
        *(lambda listing=listing: store.listings.forget(user_id, listing) for listing in stale),
    )
    described = [
        (end.at_ms, _description(listing, settings.get(listing.room), role, everyone, some, end, current))
        for listing, role, everyone, some, end in zip(listings, own, roles, faces, ends, strict=True)
        if role is not None
    ]
    described.sort(key=lambda each: each[0], reverse=True)
    return [description for _, description in described]


def describe_one(context: "Context", user_id: str, room: str) -> Description:
    """Return one of an account's rooms. Raises FrameError `no_such_room` if it is not a member."""
    found = describe(context, user_id, [context.store.listings.one(user_id, room)])
    if not found:
        raise errors.no_such_room()
    return found[0]


def describe_to_all(context: "Context", room: str) -> dict[str, Description]:
    """Return a private room as each of its members sees it, by account."""
    store = context.store
    settings, roles, end = context.concurrently(
        lambda: store.private_rooms.settings(room),
        lambda: store.private_rooms.roles(room),
        lambda: store.log.end(room),
    )
    members = [role.user_id for role in roles]
    listings, current = context.concurrently(
        lambda: store.listings.of_members(members, room),
        lambda: names(context, [(role.user_id, role.name) for role in roles]),
    )
    return {
        own.user_id: _description(
            listings.get(own.user_id) or new_listing(room),
            settings,
            own,
            roles,
            _faces(own.user_id, roles),
            end,
            current,
        )
        for own in roles
    }


def _faces(user_id: str, roles: Sequence[Role]) -> list[Role]:
    """Return a few members to show: the longest-standing ones, the account itself last."""
    return sorted(roles, key=lambda role: (role.user_id == user_id, role.at_ms))[:MAX_FACES]


def _description(  # noqa: PLR0913, PLR0917 - what was read of one room
    listing: Listing,
    settings: Settings | None,
    own: Role,
    roles: Sequence[Role],
    faces: Sequence[Role],
    end: End,
    current: Mapping[str, str],
) -> Description:
    partner = listing.partner
    return Description(
        room=listing.room,
        kind=settings.kind if settings is not None else listing.kind,
        title=settings.title if settings is not None else "",
        partner=(partner[0], current.get(partner[0], partner[1])) if partner is not None else None,
        role=own.role,
        shares_history=settings.shares_history if settings is not None else False,
        member_count=len(roles),
        last_seq=end.seq,
        unread=_unread(listing, own, end),
        since=own.since,
        members=[role.person._replace(name=current.get(role.user_id, role.name)) for role in faces],
    )


def _unread(listing: Listing, own: Role, end: End) -> int:
    """Return the number of messages that an account has not read: none if it wrote the newest one itself."""
    if end.entry is not None and end.entry.message.author.user_id == own.user_id:
        return 0
    return end.count_after(max(listing.read, own.since))

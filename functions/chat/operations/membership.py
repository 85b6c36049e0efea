"""Checks that a connection is in the room that a frame addresses."""

from chat.protocol import errors
from chat.store.connections import Connection


def require_room(connection: Connection, named: str | None) -> str:
    """Return the named room, or the current one if none is named. Raises FrameError `not_in_room`."""
    room = named if named is not None else connection.room
    if room is None or room not in connection.rooms:
        raise errors.not_in_room()
    return room

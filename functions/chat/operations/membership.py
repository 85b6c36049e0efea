"""The gate of a room: which room a frame means, and whether its connection is in it."""

from chat.protocol import errors
from chat.store.connections import Connection


def require_room(connection: Connection, named: str | None) -> str:
    """Return the room that is named, or else the current one. Raises FrameError `not_in_room`."""
    room = named if named is not None else connection.room
    if room is None or room not in connection.rooms:
        raise errors.not_in_room()
    return room

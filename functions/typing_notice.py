"""`typing`: tell the others that somebody writes. A file named typing.py would hide Python's own module."""

from chat import connections, limits, rooms
from chat.refusal import Refusal
from chat.request import OK, Reply, Request, handler
from chat.settings import QUIET_ABOVE_MEMBERS
from chat.start import prepare

prepare(posts=True)


@handler
def lambda_handler(request: Request) -> Reply:
    """Post `typing` to the others; a big room hears none, and one notice too many is dropped without a word."""
    _ = request.frame
    try:
        connection = connections.act(request.connection, limits.TYPING)
    except Refusal:
        return OK
    room = rooms.read(connection.room)
    members = list(rooms.members(room))
    if len(members) <= QUIET_ABOVE_MEMBERS:
        request.delivery.to_each(
            members,
            {
                "type": "typing",
                "room": room.name,
                "connectionId": connection.connection_id,
                "name": connection.name,
            },
            but=request.connection_id,
        )
        request.delivery.clear_up()
    return OK

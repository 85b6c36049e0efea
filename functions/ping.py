"""`ping`: answer at once, with the room's newest seq, by which a reader sees whether something was missed."""

from chat import connections, limits, rooms
from chat.request import Reply, Request, handler, reply
from chat.start import prepare

prepare()


@handler
def lambda_handler(request: Request) -> Reply:
    """Return `pong` to the requester alone. Refused: bad_request, rate_limited."""
    _ = request.frame
    connection = connections.act(request.connection, limits.PINGS)
    return reply(rooms.read(connection.room).pong())

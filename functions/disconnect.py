"""`$disconnect`: forget a socket, and tell its room. AWS calls it on best effort; a failed post does the same."""

from chat import connections, rooms
from chat.refusal import invalid_request
from chat.request import OK, Reply, Request, handler
from chat.start import prepare

prepare(posts=True)


@handler
def lambda_handler(request: Request) -> Reply:
    """Delete the connection; 200 also where it is gone already."""
    if request.event_type not in (None, "DISCONNECT"):  # a frame may name this route as its action
        raise invalid_request()
    left = connections.remove(request.connection_id)
    if left is not None:
        request.delivery.tell_presence(rooms.members_left(left.room, [left]), "leave", left)
        request.delivery.clear_up()
    return OK

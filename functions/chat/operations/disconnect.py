"""`$disconnect`: remove a connection and notify its rooms.

API Gateway delivers `$disconnect` at best effort; a post that returns 410 has the same effect.
"""

from typing import TYPE_CHECKING

from chat.protocol import errors
from chat.protocol.events import OK, Reply, Request

if TYPE_CHECKING:
    from chat.runtime.context import Context


def disconnect(context: "Context", request: Request) -> Reply:
    """Delete the connection; 200 even if it is already gone."""
    if request.event_type not in (None, "DISCONNECT"):  # a frame may have this route as its action
        raise errors.bad_request()
    for room, person in context.broadcast.remove(request.connection_id):
        context.broadcast.presence(room, "leave", person)
    context.broadcast.clean_up()
    return OK

"""`$connect`: let a socket in, unless a browser brings it from a foreign page."""

import os
from typing import Any

from chat import connections, log, rooms
from chat.refusal import invalid_request
from chat.request import OK, Reply, Request, handler
from chat.start import prepare

prepare()


@handler
def lambda_handler(request: Request) -> Reply:
    """Store the connection. The socket is not open yet, so nobody can be posted to; its first frame tells of it."""
    if request.event_type not in (None, "CONNECT"):
        raise invalid_request()
    origin = _origin(request.event)
    allowed = os.environ.get("ALLOWED_ORIGINS", "").lower().split(",")
    if origin == "" or (origin is not None and origin not in allowed):
        log.line("foreign_origin", refused=1)
        return {"statusCode": 403}
    connection = request.connection
    connections.put(connection)
    rooms.member_came(connection.room, connection)
    return OK


def _origin(event: dict[str, Any]) -> str | None:
    """Return the Origin that a browser sent, in lower case; a client that is no browser sends none."""
    headers = event.get("headers")
    if not isinstance(headers, dict):
        return None
    given = next((value for name, value in headers.items() if str(name).lower() == "origin"), None)
    return None if given is None else str(given).strip().lower()

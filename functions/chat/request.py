"""The edge: an API Gateway event in, a status and perhaps a frame out; nothing is ever raised. It knows no route."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from chat import frames, log
from chat.connections import Connection, newcomer, now_ms
from chat.delivery import Delivery, deadline_of
from chat.refusal import Refusal, internal, invalid_request

Reply = dict[str, Any]
OK: Reply = {"statusCode": 200}


class Request:
    """One event of a socket. Raises Refusal `bad_request` where it is none."""

    def __init__(self, event: object, context: object) -> None:
        detail = event.get("requestContext") if isinstance(event, dict) else None
        connection_id = detail.get("connectionId") if isinstance(detail, dict) else None
        if not isinstance(event, dict) or not isinstance(connection_id, str) or not connection_id:
            raise invalid_request()
        self.event: dict[str, Any] = event
        self.connection_id = connection_id
        connected_ms = detail.get("connectedAt") if isinstance(detail, dict) else None
        event_type = detail.get("eventType") if isinstance(detail, dict) else None
        self.event_type: str | None = event_type if isinstance(event_type, str) else None
        """CONNECT, DISCONNECT or MESSAGE; None where the gateway does not tell."""
        self._connected_ms = connected_ms if isinstance(connected_ms, int) else now_ms()
        self.delivery = Delivery(deadline_of(context))
        self._frame: dict[str, Any] | None = None

    @property
    def connection(self) -> Connection:
        """The connection as it is if it has no row: a newcomer in the lobby."""
        return newcomer(self.connection_id, self._connected_ms)

    @property
    def frame(self) -> dict[str, Any]:
        """The frame. Raises Refusal `bad_request` where the body holds none."""
        if self._frame is None:
            self._frame = frames.decode(self.event)
        return self._frame

    @property
    def given_message_id(self) -> str | None:
        """What the client called its message, for an error to name; None where it did not, or not in earnest."""
        given = (self._frame or {}).get("messageId")
        return given if isinstance(given, str) and len(given) <= 64 and frames.is_text(given) else None  # noqa: PLR2004


def handler(handle: Callable[[Request], Reply]) -> Callable[[object, object], Reply]:
    """Make an entry point of a function: each Refusal becomes its error frame, each fault of ours `internal`."""

    @wraps(handle)
    def lambda_handler(event: object, context: object) -> Reply:
        log.begin(event, context)
        request = None
        try:
            request = Request(event, context)
            return handle(request)
        except Refusal as refused:
            refusal = refused
            log.line("refused", code=refusal.code, refused=1)
        except Exception as error:  # noqa: BLE001 - the last line of defence; nothing of it is told to a peer
            log.fault(error)
            if request is not None and request.delivery.answered:
                return OK  # it has been told of the success; what failed concerns others, who look for what they miss
            refusal = internal()
        return reply(refusal.frame(request.given_message_id if request else None), refusal.status)

    return lambda_handler


def reply(frame: dict[str, Any], status: int = 200) -> Reply:
    """Return a frame to the requester alone (docs/decisions/0003)."""
    return {"statusCode": status, "body": frames.encode(frame)}

"""The events that API Gateway sends to a function, and the replies."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from chat.protocol import errors, frames_out

Reply: TypeAlias = dict[str, Any]
OK: Reply = {"statusCode": 200}

_FAR_FUTURE_MS = 2**42


class Request(NamedTuple):
    """An event. `fields` is the frame, empty for `$connect` and `$disconnect`."""

    connection_id: str
    connected_ms: int
    event_type: str | None
    """CONNECT, DISCONNECT or MESSAGE; None if the event lacks it."""
    domain_name: str | None
    """Host that the client connected to; None if the event lacks it."""
    source_address: str | None
    """IP address that the client connected from; None if the event lacks it."""
    headers: Mapping[str, str]
    """By lower-case name."""
    event: Mapping[str, Any]
    """The raw event."""
    fields: dict[str, Any]


def read_request(event: object, now_ms: int) -> Request:
    """Read an event. Raises FrameError `bad_request` if it is not a WebSocket event."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(context, dict):
        raise errors.bad_request()
    connection_id = context.get("connectionId")
    if not isinstance(connection_id, str) or not connection_id or not connection_id.isprintable():
        raise errors.bad_request()
    connected_ms = context.get("connectedAt")
    event_type, domain_name = context.get("eventType"), context.get("domainName")
    headers, identity = event.get("headers"), context.get("identity")
    address = identity.get("sourceIp") if isinstance(identity, dict) else None
    return Request(
        connection_id=connection_id,
        connected_ms=connected_ms if type(connected_ms) is int and 0 < connected_ms < _FAR_FUTURE_MS else now_ms,
        event_type=event_type if isinstance(event_type, str) else None,
        domain_name=domain_name.lower() if isinstance(domain_name, str) and domain_name else None,
        source_address=address if isinstance(address, str) and address else None,
        event=event,
        fields={},
        headers={str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {},
    )


def reply(frame: frames_out.Frame, status: int = 200) -> Reply:
    """Return a reply that sends a frame to the requester, as the route response (docs/decisions/0003)."""
    return {"statusCode": status, "body": frames_out.encode(frame)}

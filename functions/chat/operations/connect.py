"""`$connect`: accept a connection unless its origin or address is blocked."""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chat.protocol import errors
from chat.protocol.events import OK, Reply, Request
from chat.store import rate_limit
from chat.store.connections import LOBBY, new_connection

if TYPE_CHECKING:
    from chat.runtime.config import Config
    from chat.runtime.context import Context

_FORBIDDEN: Reply = {"statusCode": 403}


def connect(context: "Context", request: Request) -> Reply:
    """Store the connection as a member of the lobby, which it enters at its first sign-in where that is required.

    Nothing can be posted yet, because the socket opens only after this returns. Raises FrameError `rate_limited` if
    the address opens too many connections.
    """
    if request.event_type not in (None, "CONNECT"):  # a frame may have this route as its action
        raise errors.bad_request()
    if not _is_origin_allowed(request, context.config):
        context.log.event("foreign_origin", refused=1)
        return _FORBIDDEN
    if request.source_address is not None:
        if _is_blocked(request.source_address, context.config.blocked_addresses):
            context.log.event("blocked_address", refused=1)
            return _FORBIDDEN
        context.store.allowances.count(context.actor(request)._replace(connection_id=None), rate_limit.CONNECTS)
    connection = new_connection(request.connection_id, request.connected_ms)
    if context.config.sign_in is not None and context.config.sign_in.is_required:
        context.store.connections.add(connection)
        return OK
    context.concurrently(
        lambda: context.store.connections.add(connection),
        lambda: context.store.members.add(LOBBY, connection),
    )
    return OK


def _is_origin_allowed(request: Request, config: "Config") -> bool:
    """Return whether the request's Origin may connect.

    Browsers always send an Origin. Other clients may omit it, or send the API's own, which serves no page
    (docs/protocol.md).
    """
    header = request.headers.get("origin")
    if header is None:
        return True
    origin = header.strip().lower()
    own_hosts = {request.domain_name, urlsplit(config.callback_url).netloc} - {None, ""}
    return origin in config.allowed_origins or origin.partition("://")[2] in own_hosts


def _is_blocked(given: str, networks: Iterable[str]) -> bool:
    """Return whether an address is in one of the networks."""
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any(
        (mapped or address) in ipaddress.ip_network(network, strict=False)
        or address in ipaddress.ip_network(network, strict=False)
        for network in networks
    )

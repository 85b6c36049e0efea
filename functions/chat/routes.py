"""The routes of the API, each declared once: its key, its function, and what that function may do.

The Pulumi program makes the routes, functions and roles from this table; the functions check frames against it, and
tests compare it with the calls that the code really makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .schema import CONNECTIONS, MESSAGES, ROOMS  # relative: to the Pulumi program this package is functions.chat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Function:
    """A Lambda function: one file in functions/, one role."""

    name: str
    """Name in AWS, without the stack's suffix."""
    module: str
    """File in functions/, without its suffix; the entry point is its `lambda_handler`."""
    memory_mb: int
    """128 to 10,240 MB; CPU grows with it (docs/decisions/0006)."""
    access: Mapping[str, Sequence[str]]
    """Table → the DynamoDB operations that its role allows."""
    posts: bool = False
    """Whether it posts to connections."""


_CLEAN_UP = {CONNECTIONS: ("DeleteItem",), ROOMS: ("Query", "DeleteItem")}
"""What posting needs: list a room's members, and remove the connections that turn out to be gone."""


def _union(*grants: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    tables = dict.fromkeys(table for grant in grants for table in grant)
    return {table: sorted({one for grant in grants for one in grant.get(table, ())}) for table in tables}


CONNECT = Function(
    name="ChatAppConnect",
    module="connect",
    memory_mb=512,
    access={CONNECTIONS: ("PutItem",), ROOMS: ("UpdateItem",)},
)
DISCONNECT = Function(
    name="ChatAppDisconnect",
    module="disconnect",
    memory_mb=256,
    access=_CLEAN_UP,
    posts=True,
)
SEND_MESSAGE = Function(
    name="ChatAppSendMessage",
    module="sendmessage",
    memory_mb=1024,
    access=_union(
        {
            CONNECTIONS: ("GetItem", "PutItem"),
            MESSAGES: ("PutItem", "Query", "DeleteItem"),
            ROOMS: ("PutItem", "UpdateItem"),
        },
        _CLEAN_UP,
    ),
    posts=True,
)
ROOM = Function(
    name="ChatAppRoom",
    module="room",
    memory_mb=512,
    access=_union({CONNECTIONS: ("GetItem", "UpdateItem"), ROOMS: ("PutItem", "UpdateItem")}, _CLEAN_UP),
    posts=True,
)
DEFAULT = Function(name="ChatAppDefault", module="default", memory_mb=128, access={})

ROUTES: Mapping[str, Function] = {
    "$connect": CONNECT,
    "$disconnect": DISCONNECT,
    "sendmessage": SEND_MESSAGE,
    "join": ROOM,
    "leave": ROOM,
    "history": ROOM,
    "typing": ROOM,
    "ping": ROOM,
    "$default": DEFAULT,
}
"""Route key → function. A frame's `action` chooses its route."""

FUNCTIONS: Sequence[Function] = tuple(dict.fromkeys(ROUTES.values()))

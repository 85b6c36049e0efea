"""The API's routes, each declared once with its function and that function's permissions.

The Pulumi program creates routes, functions and roles from this table. Tests compare it with the calls that the code
makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .schema import CONNECTIONS, MESSAGES, ROOMS  # relative: the Pulumi program imports functions.chat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Function:
    """A Lambda function: one file in functions/, one role."""

    name: str
    """Name in AWS, without the stack suffix."""
    module: str
    """File in functions/, without `.py`; its entry point is `lambda_handler`."""
    memory_mb: int
    """128 to 10,240 MB; CPU scales with memory (docs/decisions/0006)."""
    access: Mapping[str, Sequence[str]]
    """DynamoDB operations that the role allows, by table."""
    posts: bool = False
    """Whether it posts to connections."""


_CLEAN_UP = {CONNECTIONS: ("DeleteItem",), ROOMS: ("Query", "DeleteItem")}
"""What posting needs: listing a room's members and removing gone connections."""


def _union(*grants: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    tables = dict.fromkeys(table for grant in grants for table in grant)
    return {table: sorted({operation for grant in grants for operation in grant.get(table, ())}) for table in tables}


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
"""Functions by route key. A frame's `action` selects its route."""

FUNCTIONS: Sequence[Function] = tuple(dict.fromkeys(ROUTES.values()))

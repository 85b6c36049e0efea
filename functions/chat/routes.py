"""The API's routes, each declared once with its function and that function's permissions.

The Pulumi program creates routes, functions and roles from this table. Tests compare it with the calls that the code
makes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    account_access: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """DynamoDB operations that the role allows besides, if people can sign in."""


_CLEAN_UP = {CONNECTIONS: ("DeleteItem",), ROOMS: ("Query", "DeleteItem")}
"""What posting needs: listing a room's members and removing gone connections."""

_PRIVATE_ROOMS = {ROOMS: ("GetItem", "BatchGetItem")}
"""What private rooms need besides: an account's role, and the members' connections and names."""

_FORGET_SOCKET = {ROOMS: ("UpdateItem",)}
"""What removing a connection needs besides: it is taken off the list of its account's."""


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
    account_access=_FORGET_SOCKET,
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
    account_access=_union(_PRIVATE_ROOMS, _FORGET_SOCKET),
)
ROOM = Function(
    name="ChatAppRoom",
    module="room",
    memory_mb=512,
    access=_union({CONNECTIONS: ("GetItem", "UpdateItem"), ROOMS: ("PutItem", "UpdateItem")}, _CLEAN_UP),
    posts=True,
    account_access=_union(_PRIVATE_ROOMS, _FORGET_SOCKET),
)
DEFAULT = Function(name="ChatAppDefault", module="default", memory_mb=128, access={})

SIGN_IN = Function(
    name="ChatAppSignIn",
    module="signin",
    memory_mb=512,
    access=_union(
        {
            CONNECTIONS: ("GetItem", "UpdateItem"),
            ROOMS: ("GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
        },
        _CLEAN_UP,
    ),
    posts=True,
)
PRIVATE_ROOM = Function(
    name="ChatAppPrivateRoom",
    module="privateroom",
    memory_mb=512,
    access=_union(
        {
            CONNECTIONS: ("GetItem",),
            ROOMS: ("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "ConditionCheckItem"),
        },
        _CLEAN_UP,
    ),
    posts=True,
)

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

ACCOUNT_ROUTES: Mapping[str, Function] = {
    **ROUTES,
    "signin": SIGN_IN,
    "signout": SIGN_IN,
    "profile": SIGN_IN,
    "block": PRIVATE_ROOM,
    "rooms": PRIVATE_ROOM,
    "read": PRIVATE_ROOM,
    "createroom": PRIVATE_ROOM,
    "direct": PRIVATE_ROOM,
    "editroom": PRIVATE_ROOM,
    "members": PRIVATE_ROOM,
    "createinvite": PRIVATE_ROOM,
    "revokeinvite": PRIVATE_ROOM,
    "invite": PRIVATE_ROOM,
    "accept": PRIVATE_ROOM,
    "decline": PRIVATE_ROOM,
    "setrole": PRIVATE_ROOM,
    "remove": PRIVATE_ROOM,
    "unban": PRIVATE_ROOM,
    "quit": PRIVATE_ROOM,
}
"""Functions by route key in a chat with accounts."""


def routes(*, accounts: bool) -> Mapping[str, Function]:
    """Return the functions by route key, with or without accounts."""
    return ACCOUNT_ROUTES if accounts else ROUTES


def access(function: Function, *, accounts: bool) -> Mapping[str, Sequence[str]]:
    """Return the DynamoDB operations that a function's role allows, by table."""
    return _union(function.access, function.account_access) if accounts else function.access

"""ChatAppPrivateRoom: the routes of private rooms and direct conversations."""

from chat.operations.private.direct import block, direct
from chat.operations.private.invitations import accept, create_invite, decline, invite, revoke_invite
from chat.operations.private.members import leave_for_good, members, remove, set_role, unban
from chat.operations.private.rooms import create_room, edit_room, read, rooms
from chat.runtime.handler import EntryPoint

lambda_handler = EntryPoint(
    {
        "rooms": rooms,
        "read": read,
        "createroom": create_room,
        "editroom": edit_room,
        "direct": direct,
        "block": block,
        "members": members,
        "setrole": set_role,
        "remove": remove,
        "unban": unban,
        "quit": leave_for_good,
        "createinvite": create_invite,
        "revokeinvite": revoke_invite,
        "invite": invite,
        "accept": accept,
        "decline": decline,
    },
    posts=True,
)

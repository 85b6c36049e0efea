"""`profile`: change an account's name."""

from typing import TYPE_CHECKING

from chat.operations.membership import counted, require_account
from chat.operations.sign_in import notify_renamed, update_members
from chat.protocol import frames_in, frames_out
from chat.protocol.events import OK, Reply, Request
from chat.store import rate_limit
from chat.store.errors import ConflictError
from chat.store.members import Recipient

if TYPE_CHECKING:
    from chat.runtime.context import Context
    from chat.store.accounts import Profile

_MAX_TRIES = 5


def profile(context: "Context", request: Request) -> Reply:
    """Change the name, post `signedin` to all connections of the account, and notify their rooms.

    A repeat with the same name continues where an interrupted one has stopped.
    Raises FrameError: sign_in_required, name_taken, invalid_name, rate_limited.
    """
    frame = frames_in.parse_profile(request.fields)
    store = context.store
    connection = counted(context, request, rate_limit.RENAMES)
    user_id = require_account(context, connection)
    changed = store.accounts.rename(user_id, frame.name)
    own = Recipient(connection.connection_id, connection.hears_until)
    for _ in range(_MAX_TRIES):
        others = store.accounts.sockets([user_id]).get(user_id, [])
        _rename_sockets(context, changed, [own, *(each for each in others if each.connection_id != own.connection_id)])
        now = store.accounts.profile(user_id)
        if now is None or now.name == changed.name:
            context.broadcast.clean_up()
            return OK
        changed = now  # renamed again meanwhile: the rows may have either name
    raise ConflictError


def _rename_sockets(context: "Context", changed: "Profile", sockets: list[Recipient]) -> None:
    """Give connections of the account its new name; the first is the requester's.

    Those that are not reached before the deadline have the name from their next renewal on.
    """
    for recipient in sockets:
        if not context.broadcast.has_time():
            return
        known = context.store.connections.load(recipient.connection_id, 0)
        connection = context.store.connections.rename(known, changed.person(recipient.connection_id))
        if not connection.stored or connection.user_id != changed.user_id:
            continue  # removed, or its sign-in has not got so far and will read the new name
        before = update_members(context, connection)
        answer = frames_out.signed_in(connection.person, until=connection.until, senders=changed.senders)
        context.broadcast.answer(recipient.connection_id, answer)
        notify_renamed(context, connection.person, before)

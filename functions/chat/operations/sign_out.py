"""`signout`: end the sign-in of a connection, or of all the account's connections."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chat.protocol import errors, frames_in, frames_out
from chat.protocol.events import OK, Reply, Request
from chat.store import rate_limit
from chat.store.errors import ConflictError

if TYPE_CHECKING:
    from chat.runtime.context import Context

_BATCH = 10
"""Connections removed concurrently."""


def sign_out(context: "Context", request: Request) -> Reply:
    """Post `signedout`, remove the connection as `$disconnect` does, and close it.

    `everywhere` first refuses every token of the account until its person signs in again, then does the same to the
    account's other connections, so the requester's answer says that it is done. A repeat continues where an
    interrupted one has stopped. Works after the sign-in has expired, too.
    Raises FrameError: sign_in_required, rate_limited, bad_request.
    """
    frame = frames_in.parse_sign_out(request.fields)
    connection, _ = context.concurrently(
        lambda: context.store.connections.load(request.connection_id, request.connected_ms),
        lambda: context.store.allowances.count(context.actor(request), rate_limit.SIGN_INS),
    )
    if connection.user_id is None:
        raise errors.sign_in_required()
    own_id = connection.connection_id
    if frame.everywhere:
        listed = context.store.accounts.sign_out_everywhere(connection.user_id)
        context.broadcast.to_account(connection.user_id, frames_out.signed_out(everywhere=True), exclude=[own_id])
        others = [recipient.connection_id for recipient in listed if recipient.connection_id != own_id]
        _end(context, others)
        if others:  # those whose rows an interrupted sign-out has removed are still listed
            context.store.accounts.remove_socket(connection.user_id, *others)
    context.broadcast.answer(own_id, frames_out.signed_out(everywhere=frame.everywhere))
    _end(context, [own_id])
    context.broadcast.clean_up()
    return OK


def _end(context: "Context", connection_ids: Sequence[str]) -> None:
    """Remove connections, notify their rooms and close them."""
    for start in range(0, len(connection_ids), _BATCH):
        if not context.broadcast.has_time():
            raise ConflictError  # the client repeats it
        batch = connection_ids[start : start + _BATCH]
        removed = context.concurrently(*(lambda each=each: context.broadcast.remove(each) for each in batch))
        for room, person in (left for rooms in removed for left in rooms):
            context.broadcast.presence(room, "leave", person)
    if connection_ids:
        context.close_sockets(connection_ids)

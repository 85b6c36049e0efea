"""`signin`: make a connection an account's, or renew its sign-in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chat.identity import tokens
from chat.identity.keys import KeysUnavailableError
from chat.operations.join import guest_sender
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.events import OK, Reply, Request
from chat.protocol.frames_out import Person
from chat.store import rate_limit
from chat.store.accounts import Profile
from chat.store.connections import LOBBY, Connection, other_account
from chat.store.errors import ConflictError

if TYPE_CHECKING:
    from chat.runtime.context import Context

_MAX_TRIES = 5
_SEEN_AFTER_MS = 5000


def sign_in(context: "Context", request: Request) -> Reply:
    """Post `signedin`, and notify the connection's rooms if its name or badge has changed.

    The connection is listed among the account's before its row says that it is signed in, and the listing is refused
    to a token from before a sign-out everywhere. So whoever signs out everywhere finds every connection.
    Raises FrameError: invalid_token, secret_claimed, invalid_secret, invalid_name, rate_limited, busy, bad_request.
    """
    frame = frames_in.parse_sign_in(request.fields)
    sender = guest_sender(frame.secret) if frame.secret is not None else None
    connections, accounts = context.store.connections, context.store.accounts
    known, _ = context.concurrently(
        lambda: connections.load(request.connection_id, request.connected_ms),
        lambda: context.store.allowances.count(context.actor(request), rate_limit.SIGN_INS),
    )
    claims = _verified(context, frame.token)
    user_id = claims.user_id
    if known.user_id not in (None, user_id):
        raise other_account()
    hears_until = known._replace(user_id=user_id, until=claims.expires_at).hears_until
    is_current, profile = context.concurrently(
        lambda: accounts.add_socket(
            user_id, known.connection_id, hears_until, authenticated_at=claims.authenticated_at
        ),
        lambda: accounts.profile(user_id),
    )
    if not is_current:
        context.log.event("token_refused", reason="signed_out")
        raise errors.invalid_token()
    try:
        profile, is_new = accounts.enter(user_id, profile, frame.name, claims.username, sender)
        entered = _enter(context, known, profile, claims.expires_at)
    except errors.FrameError:  # the secret is claimed, or another account has signed in meanwhile
        if known.user_id is None:
            accounts.remove_socket(user_id, known.connection_id)
        raise
    if entered is None:
        accounts.remove_socket(user_id, known.connection_id)
        context.close_sockets([known.connection_id])
        return OK
    connection, profile, before = entered
    context.log.event("signed_in", signed_in=1)
    person = connection.person
    answer = frames_out.signed_in(person, until=claims.expires_at, senders=profile.senders, is_new=is_new)
    if context.broadcast.answer(known.connection_id, answer) and _was_seen(context, connection):
        notify_renamed(context, person, before)
    context.broadcast.clean_up()
    return OK


def update_members(context: "Context", connection: Connection) -> dict[str, Person]:
    """Update a connection's identity in its rooms; return its previous one by room.

    A room that does not list it is left out: it is just being left, or `ping` lists it again.
    """
    rooms = sorted(connection.rooms)
    if not rooms:
        return {}
    listed = context.concurrently(*(lambda room=room: context.store.members.update(room, connection) for room in rooms))
    return {room: person for room, person in zip(rooms, listed, strict=True) if person is not None}


def notify_renamed(context: "Context", person: Person, before: Mapping[str, Person]) -> None:
    """Notify the rooms that knew a connection by another identity; `before` is the previous one by room."""
    for room, listed in before.items():
        if listed != person:
            context.broadcast.presence(room, "rename", person)


def _verified(context: "Context", token: str) -> tokens.Claims:
    """Return what a token says. Raises FrameError: invalid_token, busy."""
    settings = context.config.sign_in
    if settings is None:
        raise errors.bad_request()
    now = context.clock.now_ms() / 1000
    try:
        return tokens.verify(token, keys=context.keys, issuer=settings.issuer, client_id=settings.client_id, now=now)
    except tokens.InvalidTokenError as refused:
        context.log.event("token_refused", reason=refused.reason)
        raise errors.invalid_token() from None
    except KeysUnavailableError as failed:
        context.log.event("keys_unavailable", reason=failed.reason, faults=1)
        raise errors.sign_in_unavailable(failed.retry_after_ms) from None


def _enter(
    context: "Context", known: Connection, profile: Profile, until: int
) -> tuple[Connection, Profile, dict[str, Person]] | None:
    """Store the account on the connection's row and in its rooms; return its previous identity by room.

    None if the row has been removed. A rename writes the profile, then reads the account's connections. This reads the
    profile again after the connection has been listed and its row written, so one of the two sees the other.
    """
    before: dict[str, Person] = {}
    for _ in range(_MAX_TRIES):
        connection = context.store.connections.sign_in(known, profile.person(known.connection_id), until)
        if not connection.stored:
            return None
        _enter_lobby(context, connection)
        before = {**update_members(context, connection), **before}
        now = context.store.accounts.profile(profile.user_id)
        if now is None or now.name == profile.name:
            return connection, now or profile, before
        known, profile = connection, now
    raise ConflictError


def _enter_lobby(context: "Context", connection: Connection) -> None:
    """List a connection in the lobby at its first sign-in, where `$connect` has not done so.

    The row is read again, because a concurrent `join` may have taken the connection out of the lobby.
    """
    settings = context.config.sign_in
    if settings is None or not settings.is_required or connection.joined:
        return
    connections, members = context.store.connections, context.store.members
    if members.add(LOBBY, connection).before is None:
        now = connections.load(connection.connection_id, connection.connected_ms)
        if not now.stored or LOBBY not in now.rooms:
            members.remove(LOBBY, connection.connection_id)


def _was_seen(context: "Context", connection: Connection) -> bool:
    """Return whether others may already list the connection: not in the lobby that it has just entered by default."""
    return connection.joined or context.clock.now_ms() - connection.connected_ms > _SEEN_AFTER_MS

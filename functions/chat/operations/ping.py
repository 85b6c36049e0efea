"""`ping`: return the newest seq of each room and, on request, a room's members."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chat.operations.membership import (
    Admission,
    admit,
    renewed,
    require_private_rooms,
    require_room,
    require_sign_in,
)
from chat.protocol import errors, frames_in, frames_out
from chat.protocol.errors import FrameError
from chat.protocol.events import Reply, Request, reply
from chat.store import rate_limit
from chat.store.connections import Connection
from chat.store.members import Member

if TYPE_CHECKING:
    from chat.runtime.context import Context

_MAX_PROBES = 8
"""Members probed concurrently."""


def ping(context: "Context", request: Request) -> Reply:
    """Return `pong`; if the client sends a `roster` checksum that is out of date, also list the room's members.

    A private room that is the current one counts only for its members. Raises FrameError: rate_limited, not_in_room,
    no_such_room, sign_in_required, invalid_room, bad_request.
    """
    frame = frames_in.parse_ping(request.fields)
    require_private_rooms(context, frame.room)
    store = context.store
    connection, _ = context.concurrently(
        lambda: store.connections.load(request.connection_id, request.connected_ms),
        lambda: store.allowances.count(context.actor(request), rate_limit.PINGS),
    )
    require_sign_in(context, connection)
    admissions = _admissions(context, connection, frame.room)
    if connection.room is not None and frames_in.is_private(connection.room) and connection.room not in admissions:
        connection = connection._replace(room=None)
    room = require_room(context, connection, frame.room) if (frame.room, frame.roster) != (None, None) else None
    asked = room if frame.roster is not None else None
    rooms = sorted(connection.rooms | admissions.keys())
    public = asked if asked not in admissions else None
    members, *ends = context.concurrently(
        lambda: list(store.members.list(public)) if public is not None else [],
        *(lambda room=room: store.log.end(room) for room in rooms),
    )
    newest = {room: end.seq for room, end in zip(rooms, ends, strict=True)}
    roster = None
    if asked is not None and frame.roster is not None:
        if asked in admissions:
            from chat.operations.private.people import people  # noqa: PLC0415 - a chat without accounts does without

            persons = people(context, store.private_rooms.roles(asked))
        else:
            if connection.stored:
                members = _with_requester(context, asked, connection, members)
                members = _without_ghosts(context, asked, connection.connection_id, members, newest[asked])
            persons = [member.person for member in members]
        roster = frames_out.roster(asked, persons, frame.roster)
    answer = reply(frames_out.pong(connection.room, context.clock.now_ms(), newest, roster))
    for admission in admissions.values():
        renewed(context, connection, admission)
    return answer


def _admissions(context: "Context", connection: Connection, named: str | None) -> Mapping[str, Admission]:
    """Return the admissions to the private rooms that a ping is about: the named one and the current one.

    Raises FrameError for the named one; the current one is left out if the account is not its member.
    """
    admissions: dict[str, Admission] = {}
    if named is not None and frames_in.is_private(named):
        admissions[named] = admit(context, connection, named)
    current = connection.room
    if current is not None and frames_in.is_private(current) and current not in admissions:
        try:
            admissions[current] = admit(context, connection, current)
        except FrameError as refused:
            if refused.code not in {errors.no_such_room().code, errors.sign_in_required().code}:
                raise
    return admissions


def _with_requester(context: "Context", room: str, connection: Connection, members: list[Member]) -> list[Member]:
    """Return the members including the requester, whose item is put again if a `join` was interrupted.

    `leave` changes the row before it removes the member, so the row is read again: a concurrent `leave` wins.
    """
    store = context.store
    if any(member.connection_id == connection.connection_id for member in members):
        return members
    store.members.add(room, connection)
    now = store.connections.load(connection.connection_id, connection.connected_ms)
    if now.stored and room in now.rooms:
        # It may just have signed in or changed its name.
        if context.config.sign_in is not None and now.person != connection.person:
            store.members.add(room, now)
        return list(store.members.list(room))
    store.members.remove(room, connection.connection_id)
    return members


def _without_ghosts(context: "Context", room: str, own_id: str, members: Sequence[Member], newest: int) -> list[Member]:
    """Return the members without those that are gone; remove the gone ones and notify the room.

    Each requester probes the next member by id with an unsolicited `pong`, and further ones while they are gone. So
    every gone member is found once all others have sent a ping, whatever notifications were lost. A member whose
    connection is open but whose row no longer has the room is removed too.
    """
    now_ms = context.clock.now_ms()
    settled = [member for member in members if not member.recipient.may_be_opening(now_ms)]
    following = [member for member in settled if member.connection_id > own_id]
    following += [member for member in settled if member.connection_id < own_id]
    frame = frames_out.pong(room, now_ms, {room: newest})
    ghosts: set[str] = set()
    size = 1
    while following and context.broadcast.has_time():
        probed, following = following[:size], following[size:]
        found = _probe(context, room, probed, frame)
        ghosts |= found
        if len(found) < len(probed):
            break
        size = min(2 * size, _MAX_PROBES)
    context.broadcast.clean_up()
    return [member for member in members if member.connection_id not in ghosts]


def _probe(context: "Context", room: str, probed: Sequence[Member], frame: frames_out.Frame) -> set[str]:
    """Return which members are gone or whose rows no longer have the room; remove the latter at once."""
    ids = [member.connection_id for member in probed]
    gone, *rows = context.concurrently(
        lambda: context.broadcast.probe(room, ids, frame),
        *(lambda connection_id=each: context.store.connections.load(connection_id, 0) for each in ids),
    )
    found = set(gone)
    for member, row in zip(probed, rows, strict=True):
        if member.connection_id not in found and member.joined_ms and not (row.stored and room in row.rooms):
            context.broadcast.remove_stale(room, member)
            found.add(member.connection_id)
    return found

"""Posting frames to a room, and what follows from a peer that is gone. It knows no route."""

import os
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chat import connections, log, rooms
from chat.connections import Connection, Member
from chat.frames import encode
from chat.rooms import Room
from chat.settings import QUIET_ABOVE_MEMBERS, settings

if TYPE_CHECKING:
    from chat.fan_out import FanOut, Outcome

MAX_POSTING_SECONDS = 25.0
"""An integration has 29 s (API Gateway quotas); the rest is for what follows the posts."""

_MAX_ROUNDS = 3


@lru_cache(maxsize=2)
def _engine(callback_url: str, posts_per_second: float, _region: str | None) -> "FanOut":
    from chat.fan_out import FanOut  # noqa: PLC0415 - a refused frame needs no engine

    return FanOut(callback_url, posts_per_second=posts_per_second)


def deadline_of(context: object) -> float:
    """Return until when an invocation may post, in seconds of the monotonic clock."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    seconds = MAX_POSTING_SECONDS if remaining is None else min(MAX_POSTING_SECONDS, remaining() / 1000 - 2)
    return time.monotonic() + max(0.5, seconds)


class Delivery:
    """The posts of one invocation, until its deadline (seconds of the monotonic clock)."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._gone: list[str] = []

    def to_one(self, connection_id: str, frame: dict[str, Any]) -> None:
        """Post a frame to one connection."""
        self._post([connection_id], frame)

    def to_each(self, members: Iterable[Member], frame: dict[str, Any], *, but: str) -> None:
        """Post a frame to members, the first while the rest of their list is still being read, except to one."""
        self._post((member.connection_id for member in members if member.connection_id != but), frame)

    def tell_presence(self, room: Room, event: str, who: Connection) -> None:
        """Tell the others in a room that somebody joined, left or has a new name; a big one only its count."""
        members = list(rooms.members(room))
        frame: dict[str, Any] = {"type": "presence", "room": room.name, "event": event}
        if len(members) <= QUIET_ABOVE_MEMBERS:
            frame |= {"connectionId": who.connection_id, "name": who.name}
        elif event != "rename" and rooms.may_tell_count(room.name):
            frame["event"] = "count"
        else:
            return
        frame["memberCount"] = len(members)
        self.to_each(members, frame, but=who.connection_id)

    def clear_up(self) -> None:
        """Delete the connections that proved to be gone, and tell their rooms, which may show more of them."""
        for _ in range(_MAX_ROUNDS):
            gone, self._gone = self._gone, []
            left = list(_remove(gone))
            for name in {connection.room for connection in left}:
                room = rooms.members_changed(name)
                for connection in (one for one in left if one.room == name):
                    self.tell_presence(room, "leave", connection)
            if not self._gone:
                return

    def _post(self, connection_ids: Iterable[str], frame: dict[str, Any]) -> None:
        at = settings()
        engine = _engine(at.callback_url, at.posts_per_second, os.environ.get("AWS_REGION"))
        outcome: Outcome = engine.post(connection_ids, encode(frame).encode(), deadline=self._deadline)
        self._gone += outcome.gone
        log.line(
            "posted",
            frame=frame["type"],
            posts=outcome.delivered,
            gone=len(outcome.gone),
            throttled=len(outcome.throttled),
            failed=len(outcome.failed),
        )


def _remove(connection_ids: list[str]) -> Iterator[Connection]:
    for connection_id in connection_ids:
        connection = connections.remove(connection_id)
        if connection is not None:
            yield connection


def listed(room: Room, budget_bytes: int) -> tuple[list[dict[str, str]], int]:
    """Return what a frame lists of a room's members (at most 100, as many as fit) and how many they are."""
    members: list[Member] = list(rooms.members(room))
    shown: list[dict[str, str]] = []
    for member in members[:QUIET_ABOVE_MEMBERS]:
        one = {"connectionId": member.connection_id, "name": member.name}
        budget_bytes -= len(encode(one).encode()) + 1
        if budget_bytes < 0:
            break
        shown.append(one)
    return shown, len(members)

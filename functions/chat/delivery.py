"""Posting frames to a room, and what follows from a peer that is gone. It knows no route."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from chat import connections, log, rooms
from chat.connections import Connection, Member
from chat.frames import encode, fitting
from chat.rooms import Room
from chat.settings import QUIET_ABOVE_MEMBERS, settings

if TYPE_CHECKING:
    from chat.fan_out import FanOut, Outcome

MAX_POSTING_SECONDS = 25.0
"""An integration has 29 s (API Gateway quotas); the rest is for what follows the posts."""

OPENING_SECONDS = 0.3
"""How long a socket that may not be open yet is given before a second 410 is believed."""

_MAX_ROUNDS = 3


@lru_cache(maxsize=16)
def _engine(callback_url: str, posts_per_second: float, _region: str | None, _thread: int) -> "FanOut":
    from chat.fan_out import FanOut  # noqa: PLC0415 - a refused frame needs no engine

    return FanOut(callback_url, posts_per_second=posts_per_second)


def engine() -> "FanOut":
    """Return the container's poster: one for each thread that invokes functions, since it serves one at a time.

    Lambda has one such thread; an emulator or a test may have many.
    """
    at = settings()
    return _engine(at.callback_url, at.posts_per_second, os.environ.get("AWS_REGION"), threading.get_ident())


def deadline_of(context: object) -> float:
    """Return until when an invocation may post, in seconds of the monotonic clock."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    seconds = MAX_POSTING_SECONDS if remaining is None else min(MAX_POSTING_SECONDS, remaining() / 1000 - 2)
    return time.monotonic() + max(0.5, seconds)


class Delivery:
    """The posts of one invocation, until its deadline (seconds of the monotonic clock)."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._gone: dict[str, None] = {}  # in their order
        self._early: list[tuple[str, dict[str, Any]]] = []
        self.answered = False
        """Whether the requester has been posted its answer."""

    def answer(self, connection_id: str, frame: dict[str, Any]) -> None:
        """Post the requester its answer."""
        self._gone |= dict.fromkeys(self._post([connection_id], frame))
        self.answered = True

    def to_each(self, members: Iterable[Member], frame: dict[str, Any], *, but: str) -> None:
        """Post a frame to members, the first while the rest of their list is still being read, except to one."""
        opening: set[str] = set()

        def ids() -> Iterator[str]:
            for member in members:
                if member.connection_id != but:
                    if member.may_be_opening:
                        opening.add(member.connection_id)
                    yield member.connection_id

        for connection_id in self._post(ids(), frame):
            if connection_id in opening:
                self._early.append((connection_id, frame))
            else:
                self._gone[connection_id] = None

    def tell_presence(self, room: Room, event: str, who: Connection) -> None:
        """Tell the others in a room that somebody joined, left or has a new name; a big one only its count."""
        self._tell(room, list(rooms.members(room)), event, who)

    def _tell(self, room: Room, members: list[Member], event: str, who: Connection) -> None:
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
        """Delete the connections that proved to be gone, and tell their rooms, which may show more of them.

        Those that there is no time for are found gone again by the next post to them.
        """
        for _ in range(_MAX_ROUNDS):
            self._post_again()
            gone, self._gone = self._gone, {}
            in_time = takewhile(lambda _: time.monotonic() < self._deadline, gone)
            left = [one for one in map(connections.remove, in_time) if one is not None]
            for name in dict.fromkeys(connection.room for connection in left):
                leavers = [one for one in left if one.room == name]
                room = rooms.members_left(name, leavers)
                members = list(rooms.members(room))
                # A big room hears no single leave, only its count: once for all of them.
                for connection in leavers if len(members) <= QUIET_ABOVE_MEMBERS else leavers[:1]:
                    self._tell(room, members, "leave", connection)
            if not self._gone and not self._early:
                return

    def _post_again(self) -> None:
        """Post once more to sockets that may not have been open yet: in `$connect` a post is answered by 410."""
        early, self._early = self._early, []
        if early:
            time.sleep(max(0.0, min(OPENING_SECONDS, self._deadline - time.monotonic())))
        for connection_id, frame in early:
            if connection_id not in self._gone:
                self._gone |= dict.fromkeys(self._post([connection_id], frame))

    def _post(self, connection_ids: Iterable[str], frame: dict[str, Any]) -> list[str]:
        """Post a frame; return the connections that are gone."""
        outcome: Outcome = engine().post(connection_ids, encode(frame).encode(), deadline=self._deadline)
        log.line(
            "posted",
            frame=frame["type"],
            posts=outcome.delivered,
            gone=len(outcome.gone),
            throttled=len(outcome.throttled),
            failed=len(outcome.failed),
            cut_short=int(outcome.cut_short),
        )
        return outcome.gone


def listed(room: Room, budget_bytes: int) -> tuple[list[dict[str, str]], int]:
    """Return what a frame lists of a room's members (at most 100, as many as fit) and how many they are."""
    members: list[Member] = list(rooms.members(room))
    first = ({"connectionId": one.connection_id, "name": one.name} for one in members[:QUIET_ABOVE_MEMBERS])
    return fitting(first, budget_bytes), len(members)

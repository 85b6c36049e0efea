"""Posting frames to connections, and removing those that turn out to be gone."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from zlib import crc32

from chat.protocol import frames_out
from chat.protocol.frames_out import Frame, Person, PresenceEvent
from chat.store.connections import Connections
from chat.store.members import Member, Members, Recipient

if TYPE_CHECKING:
    from chat.push.poster import Outcome

OPENING_SECONDS = 0.3
"""How long a socket that may not be open yet is given before a second 410 is believed."""

QUIET_ABOVE_MEMBERS = 20
"""Rooms with more members are told of several joins together."""

TOGETHER_MS = 1000
"""Joins within such a period are told together."""

_SETTLE_MS = 100
"""How long after the end of a period its joins are read: by so much clocks may differ, and writes be under way."""

_MAX_ROUNDS = 3
_LIST_PAUSE_SECONDS, _MAX_LIST_PAUSE_SECONDS = 0.2, 3.2

_Listed = TypeVar("_Listed", Recipient, Member)


class Poster(Protocol):
    """Posts a frame to many connections; chat.push.poster has the real one."""

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> "Outcome":
        """Post until `deadline` (seconds of the monotonic clock)."""
        ...


class Clock(Protocol):
    """The clocks that an invocation reads."""

    def now_ms(self) -> int:
        """Return the milliseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return the seconds of the monotonic clock."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Broadcast:
    """The posts of one invocation, until its deadline (seconds of the monotonic clock)."""

    def __init__(  # noqa: PLR0913 - what an invocation has
        self,
        *,
        poster: Callable[[], Poster],
        connections: Connections,
        members: Members,
        clock: Clock,
        log: Callable[..., None],
        deadline: float,
    ) -> None:
        self._poster = poster
        self._connections = connections
        self._members = members
        self._clock = clock
        self._log = log
        self._deadline = deadline
        self._gone: dict[str, str | None] = {}  # connection → the room it was found in
        self._early: list[tuple[str, str, Frame]] = []
        self.has_answered = False
        """Whether the requester was posted its answer."""

    def answer(self, connection_id: str, frame: Frame) -> bool:
        """Post the requester its answer; return whether it is still there."""
        gone = self._post([connection_id], frame)
        self._gone |= dict.fromkeys(gone)
        self.has_answered = True
        return not gone

    def to_room(
        self,
        room: str,
        frame: Frame,
        *,
        first: str | None = None,
        exclude: str | None = None,
        members: Iterable[Recipient] | None = None,
    ) -> None:
        """Post a frame to the members of a room, read while the first posts are under way, except to `exclude`.

        `first` is posted to before the members are read: the sender, whose copy is the acknowledgement.
        """
        opening: set[str] = set()
        now_ms = self._clock.now_ms()

        def recipients() -> Iterator[str]:
            if first is not None:
                yield first
            for member in members if members is not None else self._list(room, self._members.recipients):
                if member.connection_id in (first, exclude):
                    continue
                if member.may_be_opening(now_ms):
                    opening.add(member.connection_id)
                yield member.connection_id

        for connection_id in self._post(recipients(), frame):
            if connection_id in opening:
                self._early.append((connection_id, room, frame))
            else:
                self._gone[connection_id] = room
        if first is not None:
            self.has_answered = True

    def presence(
        self, room: str, event: PresenceEvent, who: Person, members: Sequence[Recipient] | None = None
    ) -> None:
        """Tell the others in a room that a connection joined, left or has a new name.

        In a room above 100 members only the count is told, and not at each change, so that a change costs about 20
        posts however large the room is; its members ask with `ping` who is there. `members` saves reading them again.
        """
        if members is None:
            members = list(self._list(room, self._members.recipients))
        count = len(members)
        if count <= frames_out.MAX_LISTED_MEMBERS:
            frame = frames_out.presence(room, event, who, count)
        elif event != "rename" and _is_drawn(who, self._clock.now_ms(), 1, count):
            frame = frames_out.member_count(room, [], count)
        else:
            return
        self.to_room(room, frame, exclude=who.connection_id, members=members)

    def arrival(self, room: str, who: Person, joined_ms: int, members: Sequence[Member]) -> None:
        """Tell the others in a room that a connection joined.

        In a room above 20 members, those who join within one second are told together, by the last of them: a
        hundred who come at once cost a hundred posts, not ten thousand. The member items say who was the last. One who
        sees a later one is done; the others wait until the second is over and look again. Should the last one fail,
        the members find out by their next `ping`.
        """
        if len(members) > QUIET_ABOVE_MEMBERS:
            period = joined_ms // TOGETHER_MS
            if not _is_last(who, _joined_in(period, members)):
                return
            wait_ms = (period + 1) * TOGETHER_MS + _SETTLE_MS - self._clock.now_ms()
            self._clock.sleep(max(0, min(wait_ms, TOGETHER_MS + _SETTLE_MS)) / 1000)
            members = list(self._list(room, self._members.list))
            together = _joined_in(period, members)
            if not _is_last(who, together):
                return
            if len(together) > 1:
                count = len(members)
                if count <= frames_out.MAX_LISTED_MEMBERS or _is_drawn(who, self._clock.now_ms(), len(together), count):
                    frame = frames_out.member_count(room, [member.person for member in members], count)
                    self.to_room(room, frame, members=[member.recipient for member in members])
                return
        self.presence(room, "join", who, [member.recipient for member in members])

    def probe(self, room: str, connection_ids: Sequence[str], frame: Frame) -> list[str]:
        """Post a frame to some members of a room; return those that are gone, which `clean_up` removes."""
        gone = self._post(connection_ids, frame)
        self._gone |= dict.fromkeys(gone, room)
        return gone

    def dismiss(self, room: str, member: Member) -> None:
        """Remove a member that is not in the room by its own row any more, and tell the others."""
        person = self._members.remove(room, member.connection_id, member.joined_ms)
        if person is not None:
            self.presence(room, "leave", person)

    def has_time(self) -> bool:
        """Tell whether the invocation may still post."""
        return self._clock.monotonic() < self._deadline

    def clean_up(self) -> None:
        """Remove the connections that turned out to be gone, and tell their rooms, which may show more of them.

        Those that there is no time for are found again by the next post to them.
        """
        for _ in range(_MAX_ROUNDS):
            self._post_again()
            gone, self._gone = self._gone, {}
            left: dict[str, list[Person]] = {}
            for connection_id, found_in in itertools.takewhile(lambda _: self.has_time(), gone.items()):
                for room, person in self.remove(connection_id, found_in=found_in):
                    left.setdefault(room, []).append(person)
            for room, leavers in left.items():
                members = list(self._list(room, self._members.recipients))
                # A large room is told the count once, not each single leave.
                for person in leavers if len(members) <= frames_out.MAX_LISTED_MEMBERS else leavers[:1]:
                    self.presence(room, "leave", person, members)
            if not self._gone and not self._early:
                return

    def remove(self, connection_id: str, *, found_in: str | None = None) -> list[tuple[str, Person]]:
        """Delete a connection with its memberships; return its rooms, each with the person that it listed.

        `found_in` is a room that listed it; its row may be gone, since an earlier removal may have been cut short. The
        caller that deletes a member item announces it, so each room hears of it once.
        """
        connection = self._connections.remove(connection_id)
        rooms = connection.rooms if connection is not None else frozenset()
        listed = (
            (room, self._members.remove(room, connection_id))
            for room in sorted(rooms | ({found_in} if found_in is not None else set()))
        )
        return [(room, person) for room, person in listed if person is not None]

    def _list(self, room: str, read: Callable[[str], Iterator[_Listed]]) -> Iterator[_Listed]:
        """Yield a room's members; a read that fails is repeated while there is time, and goes on where it stopped."""
        seen: set[str] = set()
        pause = _LIST_PAUSE_SECONDS
        for attempt in itertools.count(1):
            try:
                for member in read(room):
                    if member.connection_id not in seen:
                        seen.add(member.connection_id)
                        yield member
            except Exception as error:  # noqa: BLE001 - whatever the read raises; the message is stored by now
                self._log("members_unread", error=type(error).__name__, attempts=attempt)
                if self._clock.monotonic() + pause >= self._deadline:
                    return
                self._clock.sleep(pause)
                pause = min(2 * pause, _MAX_LIST_PAUSE_SECONDS)
            else:
                return

    def _post_again(self) -> None:
        """Post once more to sockets that may not have been open yet: in `$connect` a post is answered by 410."""
        early, self._early = self._early, []
        if early:
            self._clock.sleep(max(0.0, min(OPENING_SECONDS, self._deadline - self._clock.monotonic())))
        for connection_id, room, frame in early:
            if connection_id not in self._gone:
                self._gone |= dict.fromkeys(self._post([connection_id], frame), room)

    def _post(self, connection_ids: Iterable[str], frame: Frame) -> list[str]:
        """Post a frame; return the connections that are gone."""
        body = frames_out.encode(frame).encode()
        outcome = self._poster().post(connection_ids, body, deadline=self._deadline)
        counts: dict[str, Any] = {
            "posts": outcome.delivered,
            "gone": len(outcome.gone),
            "throttled": len(outcome.throttled),
            "failed": len(outcome.failed),
            "cut_short": int(outcome.cut_short),
        }
        self._log("posted", frame=frame["type"], **counts)
        return outcome.gone


def _joined_in(period: int, members: Iterable[Member]) -> list[Member]:
    """Return the members that came into the room within a period."""
    return [member for member in members if member.joined_ms // TOGETHER_MS == period]


def _is_last(who: Person, members: Iterable[Member]) -> bool:
    """Tell whether one of these members was the last of them to come."""
    last = max(members, key=lambda member: (member.joined_ms, member.connection_id), default=None)
    return last is not None and last.connection_id == who.connection_id


def _is_drawn(who: Person, now_ms: int, changes: int, count: int) -> bool:
    """Tell, as if at random, whether changes are told to a room of so many: about 20 of `count` changes are."""
    return crc32(f"{who.connection_id} {now_ms}".encode()) % count < QUIET_ABOVE_MEMBERS * changes

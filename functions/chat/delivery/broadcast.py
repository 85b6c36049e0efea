"""Posts frames to connections and removes the ones that are gone."""

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from zlib import crc32

from chat.protocol import frames_out
from chat.protocol.frames_out import Frame, Person, PresenceEvent
from chat.store.connections import Connections
from chat.store.members import Member, Members, Recipient

if TYPE_CHECKING:
    from chat.delivery.audience import Audience, Audiences
    from chat.push.poster import Outcome

OPENING_SECONDS = 0.3
"""Pause before a second try for a connection that may still be opening; a second 410 is final."""

BATCH_ABOVE_MEMBERS = 20
"""In rooms with more members, joins are announced in batches."""

JOIN_WINDOW_MS = 1000
"""Joins within one such window are announced together."""

_SETTLE_MS = 100
"""Wait after the end of a window before its joins are read, for clock skew and writes in flight."""

_MAX_ROUNDS = 3
_MAX_AUDIENCES = 3
"""Reads of a private room's members for one frame."""

_LIST_PAUSE_SECONDS, _MAX_LIST_PAUSE_SECONDS = 0.2, 3.2

_Listed = TypeVar("_Listed", Recipient, Member)


class Poster(Protocol):
    """Posts a frame to many connections; implemented by chat.push.poster."""

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> "Outcome":
        """Post until `deadline` (seconds of the monotonic clock)."""
        ...


class Clock(Protocol):
    """The clocks of an invocation."""

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

    def __init__(  # noqa: PLR0913 - the services of an invocation
        self,
        *,
        poster: Callable[[], Poster],
        connections: Connections,
        members: Members,
        audiences: "Audiences",
        clock: Clock,
        log: Callable[..., None],
        deadline: float,
    ) -> None:
        self._poster = poster
        self._connections = connections
        self._members = members
        self._audiences = audiences
        self._clock = clock
        self._log = log
        self._deadline = deadline
        self._gone: dict[str, str | None] = {}  # connection id → room that listed it
        self._accounts_of_gone: dict[str, str] = {}
        self._maybe_opening: list[tuple[str, str, Frame]] = []
        self.has_answered = False
        """Whether the requester's answer has been posted."""

    def answer(self, connection_id: str, frame: Frame, *, until: float = math.inf) -> bool:
        """Post the requester its answer; return False if the requester is gone.

        `until` is how long the answer is allowed, in seconds of the monotonic clock.
        """
        gone = self._post([connection_id], frame, until=until).gone
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
        """Post a frame to the members of a room except `exclude`, while their list is still being read.

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

        for connection_id in self._post(recipients(), frame).gone:
            if connection_id in opening:
                self._maybe_opening.append((connection_id, room, frame))
            else:
                self._gone[connection_id] = room
        if first is not None:
            self.has_answered = True

    def audience(self, room: str) -> "Audience | None":
        """Return the audience of a private room, or None if it cannot be read until the deadline."""
        return self._read_audience(lambda: self._audiences.of_room(room))

    def to_private_room(
        self, room: str, frame: Frame, *, exclude: Collection[str] = (), audience: "Audience | None" = None
    ) -> None:
        """Post a frame to all connections of a private room's members except `exclude`.

        A post is made only within a second of reading the members. Those that are not served by then are posted to
        after another read, so a removed member hears nothing. `audience` saves the first read.
        """
        served = set(exclude)
        for _ in range(_MAX_AUDIENCES):
            if audience is None:
                audience = self.audience(room)
            if audience is None or not self.has_time():
                return
            waiting = [connection_id for connection_id in audience.accounts if connection_id not in served]
            if waiting and self._clock.monotonic() < audience.valid_until:
                served |= self._serve(waiting, frame, audience)
            if served.issuperset(waiting):
                return
            audience = None

    def to_each_member(self, room: str, frames: Mapping[str, Frame], *, exclude: Collection[str] = ()) -> None:
        """Post each account's own frame to its connections, as long as it is a member of a private room."""
        served = set(exclude)
        for _ in range(_MAX_AUDIENCES):
            audience = self.audience(room)
            if audience is None:
                return
            waiting: dict[str, list[str]] = {}
            for connection_id, user_id in audience.accounts.items():
                if connection_id not in served and user_id in frames:
                    waiting.setdefault(user_id, []).append(connection_id)
            for user_id, connection_ids in waiting.items():
                if self._clock.monotonic() < min(audience.valid_until, self._deadline):
                    served |= self._serve(connection_ids, frames[user_id], audience)
            if served.issuperset(itertools.chain.from_iterable(waiting.values())):
                return

    def to_account(self, user_id: str, frame: Frame, *, exclude: Collection[str] = (), until: float = math.inf) -> None:
        """Post a frame to all connections of an account except `exclude`, until a time of the monotonic clock."""
        audience = self._read_audience(lambda: self._audiences.of_account(user_id))
        if audience is None or self._clock.monotonic() >= min(self._deadline, until):
            return
        waiting = [connection_id for connection_id in audience.accounts if connection_id not in exclude]
        if waiting:
            self._serve(waiting, frame, audience._replace(valid_until=until))

    def presence(
        self, room: str, event: PresenceEvent, who: Person, members: Sequence[Recipient] | None = None
    ) -> None:
        """Notify the others in a room that a connection joined, left or was renamed.

        In a room above 100 members only the count is posted, for a sample of the changes: on average a change costs
        about 20 posts in a room of any size. Those members refresh their list with `ping`. `members` saves a read.
        """
        if members is None:
            members = list(self._list(room, self._members.recipients))
        count = len(members)
        if count <= frames_out.MAX_LISTED_MEMBERS:
            frame = frames_out.presence(room, event, who, count)
        elif event != "rename" and _is_sampled(who, self._clock.now_ms(), 1, count):
            frame = frames_out.member_count(room, [], count)
        else:
            return
        self.to_room(room, frame, exclude=who.connection_id, members=members)

    def arrival(self, room: str, who: Person, joined_ms: int, members: Sequence[Member]) -> None:
        """Notify the others in a room that a connection joined.

        In a room above 20 members, the last of those who join within one second announces all of them, so a hundred
        simultaneous joins cost a hundred posts instead of ten thousand. The member items show who was last: an
        invocation that sees a later join returns, the others wait for the second to end and check again. If the last
        one fails, the members learn of the joins with their next `ping`.
        """
        if len(members) > BATCH_ABOVE_MEMBERS:
            window = joined_ms // JOIN_WINDOW_MS
            if not _is_last(who, _joined_within(window, members)):
                return
            wait_ms = (window + 1) * JOIN_WINDOW_MS + _SETTLE_MS - self._clock.now_ms()
            self._clock.sleep(max(0, min(wait_ms, JOIN_WINDOW_MS + _SETTLE_MS)) / 1000)
            members = list(self._list(room, self._members.list))
            joined = _joined_within(window, members)
            if not _is_last(who, joined):
                return
            if len(joined) > 1:
                count = len(members)
                if count <= frames_out.MAX_LISTED_MEMBERS or _is_sampled(who, self._clock.now_ms(), len(joined), count):
                    frame = frames_out.member_count(room, [member.person for member in members], count)
                    self.to_room(room, frame, members=[member.recipient for member in members])
                return
        self.presence(room, "join", who, [member.recipient for member in members])

    def probe(self, room: str, connection_ids: Sequence[str], frame: Frame) -> list[str]:
        """Post a frame to some members of a room; return the gone ones, which `clean_up` removes."""
        gone = self._post(connection_ids, frame).gone
        self._gone |= dict.fromkeys(gone, room)
        return gone

    def remove_stale(self, room: str, member: Member) -> None:
        """Remove a member whose row no longer has the room, and notify the others."""
        person = self._members.remove(room, member.connection_id, member.joined_ms)
        if person is not None:
            self.presence(room, "leave", person)

    def has_time(self) -> bool:
        """Return whether the invocation may still post."""
        return self._clock.monotonic() < self._deadline

    def clean_up(self) -> None:
        """Remove gone connections and notify their rooms, which may reveal more gone connections.

        Those left over at the deadline are found again by the next post to them.
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
                # A large room gets the count once, not every leave.
                for person in leavers if len(members) <= frames_out.MAX_LISTED_MEMBERS else leavers[:1]:
                    self.presence(room, "leave", person, members)
            if not self._gone and not self._maybe_opening:
                return

    def remove(self, connection_id: str, *, found_in: str | None = None) -> list[tuple[str, Person]]:
        """Delete a connection and its member items; return the rooms that listed it, with the listed person.

        `found_in` is a room that listed it; its row may be gone after an interrupted removal. Only the caller that
        deletes a member item gets its room, so each room is notified once.
        """
        connection = self._connections.remove(connection_id)
        user_id = connection.user_id if connection is not None else None
        user_id = user_id or self._accounts_of_gone.get(connection_id)
        if user_id is not None:
            self._audiences.forget(user_id, connection_id)
        rooms = connection.rooms if connection is not None else frozenset()
        listed = (
            (room, self._members.remove(room, connection_id))
            for room in sorted(rooms | ({found_in} if found_in is not None else set()))
        )
        return [(room, person) for room, person in listed if person is not None]

    def _list(self, room: str, read: Callable[[str], Iterator[_Listed]]) -> Iterator[_Listed]:
        """Yield a room's members once each; retry failed reads until the deadline."""
        seen: set[str] = set()
        for attempt in itertools.count(1):
            try:
                for member in read(room):
                    if member.connection_id not in seen:
                        seen.add(member.connection_id)
                        yield member
            except Exception as error:  # noqa: BLE001 - any failed read; the message is already stored
                if not self._may_read_again(error, attempt):
                    return
            else:
                return

    def _serve(self, waiting: Iterable[str], frame: Frame, audience: "Audience") -> set[str]:
        """Post a frame to connections of an audience; return those that need no further post."""
        begun: list[str] = []

        def recipients() -> Iterator[str]:
            for connection_id in waiting:
                begun.append(connection_id)
                yield connection_id

        outcome = self._post(recipients(), frame, until=audience.valid_until)
        self._gone = dict.fromkeys(outcome.gone) | self._gone
        self._accounts_of_gone |= {connection_id: audience.accounts[connection_id] for connection_id in outcome.gone}
        return set(begun).difference(outcome.throttled, outcome.failed)

    def _read_audience(self, read: "Callable[[], Audience]") -> "Audience | None":
        """Return an audience; retry failed reads until the deadline."""
        for attempt in itertools.count(1):
            try:
                return read()
            except Exception as error:  # noqa: BLE001 - any failed read; the message is already stored
                if not self._may_read_again(error, attempt):
                    break
        return None

    def _may_read_again(self, error: Exception, attempt: int) -> bool:
        """Log a failed read of members and wait before the next; return False if the deadline comes first."""
        self._log("members_read_failed", error=type(error).__name__, attempts=attempt)
        pause = min(_LIST_PAUSE_SECONDS * 2 ** (attempt - 1), _MAX_LIST_PAUSE_SECONDS)
        if self._clock.monotonic() + pause >= self._deadline:
            return False
        self._clock.sleep(pause)
        return True

    def _post_again(self) -> None:
        """Post again to connections that may have been opening: API Gateway returns 410 until `$connect` is done."""
        opening, self._maybe_opening = self._maybe_opening, []
        if opening:
            self._clock.sleep(max(0.0, min(OPENING_SECONDS, self._deadline - self._clock.monotonic())))
        for connection_id, room, frame in opening:
            if connection_id not in self._gone:
                self._gone |= dict.fromkeys(self._post([connection_id], frame).gone, room)

    def _post(self, connection_ids: Iterable[str], frame: Frame, *, until: float = math.inf) -> "Outcome":
        """Post a frame until the deadline, or `until` if that is earlier."""
        body = frames_out.encode(frame).encode()
        outcome = self._poster().post(connection_ids, body, deadline=min(self._deadline, until))
        counts: dict[str, Any] = {
            "posts": outcome.delivered,
            "gone": len(outcome.gone),
            "throttled": len(outcome.throttled),
            "failed": len(outcome.failed),
            "cut_short": int(outcome.cut_short),
        }
        self._log("posted", frame=frame["type"], **counts)
        return outcome


def _joined_within(window: int, members: Iterable[Member]) -> list[Member]:
    """Return the members that joined within a window."""
    return [member for member in members if member.joined_ms // JOIN_WINDOW_MS == window]


def _is_last(who: Person, members: Iterable[Member]) -> bool:
    """Return whether a person was the last of these members to join."""
    last = max(members, key=lambda member: (member.joined_ms, member.connection_id), default=None)
    return last is not None and last.connection_id == who.connection_id


def _is_sampled(who: Person, now_ms: int, changes: int, count: int) -> bool:
    """Return whether to announce changes in a room of `count` members: pseudo-randomly, 20 times in `count` changes."""
    return crc32(f"{who.connection_id} {now_ms}".encode()) % count < BATCH_ABOVE_MEMBERS * changes

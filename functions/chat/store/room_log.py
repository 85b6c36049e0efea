"""The log of a room: its messages at places 1, 2, 3 … of one partition, without gaps.

Place n + 1 is put only after place n, by a conditional put. Place 0 is a separate item with the number above which the
log begins; the first `join` writes it, and it moves when the log restarts after all messages have expired
(docs/decisions/0010). store/append.py keeps a message from being stored twice.
"""

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from chat.protocol.frames_in import MAX_FRAME_BYTES, MAX_PAGE
from chat.protocol.frames_out import Message, Page, encode
from chat.protocol.timestamps import to_milliseconds
from chat.store import person
from chat.store.dynamodb import EXPIRY, Expression, Item, Table
from chat.store.errors import ConditionFailedError

_PREFIX = "log#"
_DIGITS = 16
_EXTENDABLE_SECONDS = 3600
"""An end that expires sooner than this is renewed before a message is put after it; see RoomLog.renew_end."""

_RENEWABLE_SECONDS = 1800
"""An end that expires later than this is certainly still the log's end. The two bounds are much further apart than the
time a function may hold an end (30 s) plus clock skew."""

_STEP_IF_CLOCK_IS_BEHIND = 10**9
_MAX_SEQ = 10**_DIGITS - 1
_MOST_UNREAD = 10**7
"""A restart skips more places than this: the milliseconds of a day at least, or `_STEP_IF_CLOCK_IS_BEHIND`."""

_SPARE = 2
"""Messages that may have been sent since the log's end was read."""

_FRAME_BYTES = 512
"""Approximate size of a frame without its messages."""

_SIZE_UNIT, _SIZE_BASE = 64, 33
_SEARCH_MARGIN_MS = 60_000


class Entry(NamedTuple):
    """A message in the log. `put_by` is the id of the invocation that put it."""

    message: Message
    put_by: str
    at_ms: int
    """When it was put, which never decreases along the log. The message's timestamp is when it was first sent."""
    sizes: str
    """Sizes of this message and up to 100 before it, newest first; see `_size`."""
    expires_at: int | None


class Beginning(NamedTuple):
    """Place 0: the log begins above `base`. `until` is when a message put immediately after it could expire."""

    base: int = 0
    at_ms: int = 0
    until: int | None = None
    stored: bool = False


class End(NamedTuple):
    """The end of a log: its newest entry, or its beginning if it has no entries."""

    entry: Entry | None
    beginning: Beginning | None

    @property
    def seq(self) -> int:
        """The newest seq; 0 in a room without any message ever."""
        if self.entry is not None:
            return self.entry.message.seq
        return self.beginning.base if self.beginning is not None else 0

    @property
    def until(self) -> int | None:
        """Earliest expiry of a message put after it; None for never, or if there is no end."""
        if self.entry is not None:
            return self.entry.expires_at
        return self.beginning.until if self.beginning is not None else None

    def count_after(self, seq: int) -> int:
        """Return how many messages follow a place, without the places that a restart of the log has skipped.

        After a restart that skipped places, exact up to 101 messages: as many as the newest one has the sizes of.
        """
        if self.entry is None:
            return 0
        ahead, known = max(0, self.seq - seq), len(self.entry.sizes)
        return min(ahead, known) if known <= MAX_PAGE or ahead > _MOST_UNREAD else ahead

    @property
    def at_ms(self) -> int:
        """When it was put, in milliseconds since 1970."""
        if self.entry is not None:
            return self.entry.at_ms
        return self.beginning.at_ms if self.beginning is not None else 0


def _place(seq: int) -> str:
    return f"{_PREFIX}{seq:0{_DIGITS}d}"


_FIRST, _LAST = _place(1), _place(_MAX_SEQ)


class RoomLog:
    """The log items of ChatRooms. `now_ms` is the clock; `retention_seconds` 0 keeps messages for ever."""

    def __init__(self, table: Table, now_ms: Callable[[], int], retention_seconds: int) -> None:
        self._table = table
        self._now_ms = now_ms
        self._retention_seconds = retention_seconds

    def end(self, room: str) -> End:
        """Return the end of a room's log, expired or not."""
        item = next(self._table.query(("room", room), ("item", _place(0), _LAST), forward=False, limit=1), None)
        return End(None, None) if item is None else _end(room, item)

    def newest(self, room: str, limit: int, end: End | None = None) -> Page:
        """Return the newest messages, no more than fit into a frame.

        `end` is the log's end if the caller has just read it.
        """
        return self._read_backward(room, _LAST, limit, end.entry if end is not None else None)

    def before(self, room: str, seq: int, limit: int) -> Page:
        """Return the newest messages below `seq`, no more than fit into a frame."""
        return self._read_backward(room, _place(seq - 1), limit) if seq > 1 else Page([], complete=True)

    def after(self, room: str, seq: int, before: int | None, limit: int, end: End | None = None) -> Page:
        """Return the oldest messages above `seq` and below `before`, no more than fit into a frame.

        `end` is the log's end if the caller has just read it. The last message that the page can contain is read
        first, because it holds the sizes of those before it.
        """
        if before is not None and before <= seq + 1:
            return Page([], complete=True)
        last = before - 1 if before is not None else _MAX_SEQ
        reach = min(last, seq + limit + 1)
        if end is not None and end.seq <= seq:
            return self._after_expired(room, seq, before, limit)
        entry = end.entry if end is not None and end.seq <= reach else self._last_between(room, seq, reach)
        if entry is None or self._is_expired(entry.expires_at):
            return self._after_expired(room, seq, before, limit)
        ahead = entry.message.seq - seq
        count = max(1, min(limit, _fitting(entry.sizes[:ahead][::-1]))) if len(entry.sizes) >= ahead else limit
        if count < ahead:
            bounds, wanted = (_place(seq + 1), _place(seq + count)), count
        else:  # include messages sent since
            bounds, wanted = (_place(seq + 1), _place(last)), min(limit, ahead + _SPARE) + 1
        found, lost, known = [], False, seq
        items = list(islice(self._table.query(("room", room), ("item", *bounds), limit=wanted), wanted))
        for item in items:
            read = _entry(room, item)
            lost = lost or read.message.seq != known + 1 or self._is_expired(read.expires_at)
            known = read.message.seq
            if not self._is_expired(read.expires_at):
                found.append(read.message)
        if not found:
            return self._after_expired(room, seq, before, limit)
        return Page(found[:limit], complete=count >= ahead and len(items) < wanted, lost=lost)

    def _after_expired(self, room: str, seq: int, before: int | None, limit: int) -> Page:
        """Return the same page if nothing follows `seq`, or if messages after it have expired.

        The log has no gaps, so a place missing after `seq` has expired, which makes the page `lost`. The read includes
        `seq`: if nothing follows it, the item there shows whether anything can have.
        """
        last = _LAST if before is None else _place(before - 1)
        found: list[Message] = []
        complete, lost, known, end = True, False, seq, None
        for item in self._table.query(("room", room), ("item", _place(seq), last), limit=limit + 2):
            place = _seq(item)
            if place == seq:
                end = _end(room, item)
                continue
            entry = _entry(room, item)
            lost = lost or place != known + 1 or self._is_expired(entry.expires_at)
            known = place
            if self._is_expired(entry.expires_at):
                continue
            if len(found) == limit:
                complete = False
                break
            found.append(entry.message)
        if known == seq:
            if end is None or before is not None:
                end = self.end(room)
            lost = end.seq != seq or self._is_expired(end.until)
        return Page(found, complete=complete, lost=lost)

    def _last_between(self, room: str, after: int, last: int) -> Entry | None:
        """Return the last entry above `after` up to `last`."""
        bounds = ("item", _place(after + 1), _place(last))
        item = next(self._table.query(("room", room), bounds, forward=False, limit=1), None)
        return _entry(room, item) if item is not None else None

    def between(self, room: str, after: int, last: int) -> list[Entry]:
        """Return the entries above `after` up to `last`, expired or not."""
        if last <= after:
            return []
        found = self._table.query(("room", room), ("item", _place(after + 1), _place(last)))
        return [_entry(room, item) for item in found]

    def expiry_after(self, previous: End) -> int | None:
        """Return when a message that is put after `previous` now expires; None for never.

        That is never before the expiry of `previous`, so a log loses its oldest messages first even after the retention
        was shortened.
        """
        expires_at = self._expiry()
        return expires_at if expires_at is None else max(expires_at, previous.until or 0)

    def put(self, room: str, message: Message, previous: End, put_by: str) -> Entry:
        """Put a message after `previous`. Raises ConditionFailedError with the occupant; see `occupant`."""
        expires_at = self.expiry_after(previous)
        at_ms = max(self._now_ms(), previous.at_ms)
        sizes = (_size(message) + (previous.entry.sizes if previous.entry is not None else ""))[: MAX_PAGE + 1]
        expression = Expression()
        self._table.put(
            {
                "room": room,
                "item": _place(message.seq),
                "messageId": message.message_id,
                "timestamp": message.timestamp,
                "message": message.text,
                **person.to_item(message.author),
                "put": put_by,
                "at": at_ms,
                "sizes": sizes,
                EXPIRY: expires_at,
            },
            condition=f"attribute_not_exists({expression.name('item')})",
            expression=expression,
        )
        return Entry(message, put_by, at_ms, sizes, expires_at)

    def occupant(self, room: str, failed: ConditionFailedError) -> Entry:
        """Return the entry that already has the place."""
        return _entry(room, failed.item)

    def begin(self, room: str) -> Beginning:
        """Put place 0 unless it exists; return it."""
        expression = Expression()
        beginning = Beginning(0, self._now_ms(), self._expiry(), stored=True)
        condition = f"attribute_not_exists({expression.name('item')})"
        try:
            self._table.put(_beginning_item(room, beginning), condition=condition, expression=expression)
        except ConditionFailedError as failed:
            return _beginning(failed.item)
        return beginning

    def forget_beginning(self, room: str) -> None:
        """Delete place 0 of a private room that has ended; nothing else would, while its messages expire."""
        self._table.delete({"room": room, "item": _place(0)})

    def is_extendable(self, end: End) -> bool:
        """Return whether a message may be put after an end: nothing above the end can have expired.

        A message never expires before the end it was put after, except an end that never expires: that one may be
        extended only while the deployment keeps messages for ever.
        """
        if end.entry is None and end.beginning is None:
            return False
        return self._expires_later(end, _EXTENDABLE_SECONDS) if end.until is not None else not self._retention_seconds

    def renew_end(self, room: str, end: End) -> End:
        """Return an extendable end, in place of one that is not.

        The first of several concurrent writes to place 0 decides. The log continues after the end if that is still
        certain, otherwise above every number it can have used. The clock in milliseconds is such a number, because a
        partition takes at most one write a millisecond (1,000 write units a second, DynamoDB quotas).
        """
        known = end.beginning if end.beginning is not None else self.begin(room)
        while True:
            last = End(None, known) if end.entry is None or known.base >= end.seq else end
            if last.entry is None and self.is_extendable(last):
                return last
            now = self._now_ms()
            if self._expires_later(last, _RENEWABLE_SECONDS):
                base = last.seq
            else:
                highest = max(known.base, end.seq)
                base = now if now > highest else highest + _STEP_IF_CLOCK_IS_BEHIND
            beginning = Beginning(base, max(now, last.at_ms), self._expiry(), stored=True)
            expression = Expression()
            condition = (
                f"{expression.name('base')} = {expression.value('base', known.base)}"
                f" AND {expression.name('at')} = {expression.value('at', known.at_ms)}"
            )
            try:
                self._table.put(_beginning_item(room, beginning), condition=condition, expression=expression)
            except ConditionFailedError as failed:
                known = _beginning(failed.item)
            else:
                return End(None, beginning)

    def place_before(self, room: str, sent_at: str, end_seq: int) -> int:
        """Return a place below every message sent at `sent_at` or later, found by bisection.

        A message is put after it was sent, and `at` never decreases along the log. A minute covers clock skew.
        """
        bound_ms = to_milliseconds(sent_at) - _SEARCH_MARGIN_MS
        low, high = 0, end_seq + 1  # up to low all were put before the bound, from high on after it
        while high - low > 1:
            middle = (low + high) // 2
            bounds = ("item", _place(middle), _place(high - 1))
            item = next(self._table.query(("room", room), bounds, limit=1), None)
            if item is not None and item["at"] < bound_ms:
                low = _seq(item)
            else:
                high = middle
        return low

    def _read_backward(self, room: str, last: str, limit: int, known: Entry | None = None) -> Page:
        """Return the newest messages up to a place. `known` is the last one if the caller has just read it.

        The last one is read first, because it holds the sizes of those before it. So at most one unused message is
        read, to see whether there are more, and only if it is small.
        """
        found: list[Message] = []
        newest = known
        if newest is None:
            item = next(self._table.query(("room", room), ("item", _FIRST, last), forward=False, limit=1), None)
            newest = _entry(room, item) if item is not None else None
            if newest is None or self._is_expired(newest.expires_at):
                return Page([], complete=True)
            found, last = [newest.message], _place(newest.message.seq - 1)
        fitting = _fitting(newest.sizes)
        is_cut = fitting < min(limit + 1, len(newest.sizes))
        count = min(limit, max(1, fitting)) if is_cut else limit
        wanted = count - len(found) + (0 if is_cut else 1)
        if not wanted or last < _FIRST:
            return Page(found, complete=not is_cut)
        for item in islice(
            self._table.query(("room", room), ("item", _FIRST, last), forward=False, limit=wanted), wanted
        ):
            entry = _entry(room, item)
            if self._is_expired(entry.expires_at):
                return Page(found[::-1], complete=True)  # all earlier ones have expired too
            if len(found) == limit:
                return Page(found[::-1], complete=False)
            found.append(entry.message)
        return Page(found[::-1], complete=not is_cut)

    def _is_expired(self, expires_at: int | None) -> bool:
        return expires_at is not None and expires_at <= self._now_ms() // 1000

    def _expires_later(self, end: End, seconds: int) -> bool:
        return end.until is not None and end.until - seconds > self._now_ms() // 1000

    def _expiry(self) -> int | None:
        return self._now_ms() // 1000 + self._retention_seconds if self._retention_seconds else None


def _size(message: Message) -> str:
    """Return the size of a message in a frame as one character; up to 6 KB it takes one byte."""
    return chr(_SIZE_BASE + -(-(len(encode(message.fields()).encode()) + 1) // _SIZE_UNIT))


def _fitting(sizes: str) -> int:
    """Return how many leading messages of these sizes fit into a frame."""
    spare = MAX_FRAME_BYTES - _FRAME_BYTES
    for number, size in enumerate(sizes):
        spare -= (ord(size) - _SIZE_BASE) * _SIZE_UNIT
        if spare < 0:
            return number
    return len(sizes)


def _seq(item: Item) -> int:
    return int(item["item"].removeprefix(_PREFIX))


def _end(room: str, item: Item) -> End:
    return End(_entry(room, item), None) if _seq(item) else End(None, _beginning(item))


def _entry(room: str, item: Item) -> Entry:
    message = Message(
        message_id=item["messageId"],
        room=room,
        seq=_seq(item),
        timestamp=item["timestamp"],
        text=item["message"],
        author=person.from_item(item.get("connectionId", ""), item),
    )
    return Entry(message, item.get("put", ""), item.get("at", 0), item.get("sizes", ""), item.get(EXPIRY))


def _beginning(item: Item) -> Beginning:
    return Beginning(item.get("base", 0), item.get("at", 0), item.get("until"), stored=True)


def _beginning_item(room: str, beginning: Beginning) -> Item:
    return {"room": room, "item": _place(0), "base": beginning.base, "at": beginning.at_ms, "until": beginning.until}

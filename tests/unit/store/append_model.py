"""A model of the append protocol (chat/store/append.py): every interaction of a few copies of messages.

A copy is one invocation that stores a message; copies of one message have the same letter. Every interleaving of their
reads and writes is tried. A process that dies is a copy that takes no further step, so it needs no separate step. The
copies of one message start in the order of their numbers, which is the order of their timestamps. A message of a single
copy finds no other copy, so it only takes a place.

`Model(copies, without).check()` raises BrokenError if a message is stored twice, if an entry has no row with its
content, if a later body wins over an earlier one, or if a stored message disappears. `without` removes one safeguard.
Sets of copies are bit masks: copy n is 1 << n.
"""

from collections.abc import Iterable, Iterator
from enum import Enum, IntEnum, auto
from typing import NamedTuple


class Safeguard(Enum):
    """The protocol's safeguards."""

    LOOK_UP = auto()
    """Look for rows of the same id."""
    LOOK_UP_AFTER_END = auto()
    """Read the end of the log before looking."""
    ROW_BEFORE_PUT = auto()
    """Put the row before the message."""
    LEAST_AFTER = auto()
    """Read the log from the lowest `after` found, not from its own end."""
    FIRST_BODY = auto()
    """Take the content of the first row."""
    CONDITION = auto()
    """Put a message only at a free place."""
    EXAMINE_OCCUPANT = auto()
    """Compare the occupant of a taken place."""
    CLAIM_ROW = auto()
    """Rely on another copy's row only after putting it again under its own id."""
    CONDITIONAL_WITHDRAWAL = auto()
    """Delete its own row only if no other copy relies on it."""
    STANDING_ROW_STAYS = auto()
    """Delete the rows that the message does not refer to, rather than all rows of other copies."""
    REMOVE_AFTER_PUT = auto()
    """Delete spare rows only once the message is stored."""


class BrokenError(Exception):
    """A guarantee does not hold."""


class Stage(IntEnum):
    """The stage of a copy."""

    NEW = auto()
    LOOKED_EARLY = auto()
    """It has looked for rows but not read the end: LOOK_UP_AFTER_END is off."""
    WRITING = auto()
    """It has read the end. Its row and its look-up are in progress."""
    TAKING_BACK = auto()
    """The rate limit has refused it, and it is about to delete its row."""
    PUTTING = auto()
    """It has examined the log up to `end`."""
    ROW_LAST = auto()
    """It has put its message but not its row: ROW_BEFORE_PUT is off."""
    REMOVING = auto()
    """Its message is stored, and it deletes spare rows."""
    ENDED = auto()
    REFUSED = auto()


class Copy(NamedTuple):
    """The state of a copy; fields that its stage does not need have their defaults."""

    stage: Stage
    wrote: bool = False
    looked: bool = False
    known: int = 0
    """The copies whose rows it has found; later, those whose rows are spare."""
    end: int = 0
    first: int = 0
    """The copy whose row provides the content."""
    is_claimed: bool = False


class State(NamedTuple):
    """A state of the whole model."""

    log: tuple[int, ...]
    """By place: the copy whose row provides the content stored there."""
    rows: int
    """The copies whose rows are in MessageHistory."""
    claimed: int
    """Those of them that another copy relies on, while their own copy may still delete them."""
    ends: tuple[int, ...]
    """By copy: the end that it read, which is its row's `after`."""
    before: tuple[int, ...]
    """By copy: the rows of its id that existed when it started, until its message is stored."""
    copies: tuple[Copy, ...]


_ENDED, _REFUSED, _TAKING_BACK = Copy(Stage.ENDED), Copy(Stage.REFUSED), Copy(Stage.TAKING_BACK)


class Model:
    """The steps of some copies; each message is a letter."""

    def __init__(self, copies: str, without: Safeguard | None = None) -> None:
        self._without = without
        self._numbers = range(len(copies))
        self._same = [sum(1 << other for other in self._numbers if copies[other] == message) for message in copies]
        self._earlier = [self._begins_earlier(copies, number) for number in self._numbers]

    @staticmethod
    def _begins_earlier(copies: str, number: int) -> int | None:
        """Return the copy that starts before another one; any order would do, as they are alike."""
        first = copies.index(copies[number])
        if number > first:
            return number - 1
        is_alike = number > 0 and copies.count(copies[number - 1]) == copies.count(copies[number])
        return copies.index(copies[number - 1]) if is_alike else None

    def check(self) -> int:
        """Try every interleaving; return the number of states. Raises BrokenError."""
        count = len(self._numbers)
        todo = [State((), 0, 0, (0,) * count, (0,) * count, (Copy(Stage.NEW),) * count)]
        seen = set(todo)
        while todo:
            state = todo.pop()
            for number in self._movers(state):
                for moved in self._steps(state, number):
                    following = self._relevant(moved)
                    if following not in seen:
                        self._verify(state, following)
                        seen.add(following)
                        todo.append(following)
        return len(seen)

    def _is_same(self, number: int, other: int) -> bool:
        return bool(self._same[number] >> other & 1)

    def _has(self, safeguard: Safeguard) -> bool:
        return self._without is not safeguard

    def _movers(self, state: State) -> Iterable[int]:
        """Return the copies whose steps must be tried: a single one if its step commutes with all others."""
        for number, copy in enumerate(state.copies):
            is_examining = copy.stage is Stage.PUTTING and copy.is_claimed and copy.end < len(state.log)
            if is_examining and self._has(Safeguard.CONDITION):
                return (number,)  # an occupant does not change
            changes_rows = copy.stage is Stage.REMOVING or (copy.stage is Stage.WRITING and not copy.wrote)
            if changes_rows and not self._is_watched(state, number):
                return (number,)
        return self._numbers

    def _is_watched(self, state: State, number: int) -> bool:
        """Return whether another copy will still look for rows of this copy's message."""
        others = (state.copies[other] for other in self._numbers if other != number and self._is_same(other, number))
        return any(self._will_look(other) for other in others)

    @staticmethod
    def _will_look(copy: Copy) -> bool:
        return copy.stage in (Stage.NEW, Stage.LOOKED_EARLY) or (copy.stage is Stage.WRITING and not copy.looked)

    def _steps(self, state: State, number: int) -> Iterator[State]:
        """Yield the possible next steps of a copy."""
        copy = state.copies[number]
        if copy.stage is Stage.NEW:
            earlier = self._earlier[number]
            if earlier is None or state.copies[earlier].stage is not Stage.NEW:
                yield self._begin(state, number)
        elif copy.stage is Stage.LOOKED_EARLY:
            yield self._read_end(state, number, copy._replace(stage=Stage.WRITING, looked=True))
        elif copy.stage is Stage.WRITING:
            yield from self._write_or_look(state, number, copy)
        elif copy.stage is Stage.TAKING_BACK:
            is_claimed = state.claimed >> number & 1 and self._has(Safeguard.CONDITIONAL_WITHDRAWAL)
            rows = state.rows if is_claimed else state.rows & ~(1 << number)
            yield _moved(state._replace(rows=rows, claimed=state.claimed & ~(1 << number)), number, _REFUSED)
        elif copy.stage is Stage.PUTTING:
            yield self._put(state, number, copy)
        elif copy.stage is Stage.ROW_LAST:
            yield _moved(state._replace(rows=state.rows | 1 << copy.first), number, self._stood(state, number, copy))
        elif copy.stage is Stage.REMOVING:
            left = copy.known & (copy.known - 1)
            rows = state.rows & ~(copy.known ^ left)
            yield _moved(state._replace(rows=rows), number, copy._replace(known=left) if left else _ENDED)

    def _relevant(self, state: State) -> State:
        """Return a state without details that no longer matter, so equivalent states are equal."""
        is_over = [copy.stage in (Stage.ENDED, Stage.REFUSED) for copy in state.copies]
        if not state.log and not any(is_over):
            return state
        reachable = state.rows
        for copy in state.copies:
            reachable |= copy.known
        standing = 0
        for owner in state.log:
            standing |= self._same[owner]
        ends, before, copies = list(state.ends), list(state.before), list(state.copies)
        for number in self._numbers:
            if standing >> number & 1:
                before[number] = 0
            if is_over[number] and not reachable >> number & 1:
                ends[number], before[number], copies[number] = 0, 0, _ENDED
        return state._replace(ends=tuple(ends), before=tuple(before), copies=tuple(copies))

    def _begin(self, state: State, number: int) -> State:
        if self._same[number] == 1 << number:
            return _moved(state._replace(log=(*state.log, number)), number, _ENDED)
        if not self._has(Safeguard.LOOK_UP_AFTER_END):
            return _moved(state, number, Copy(Stage.LOOKED_EARLY, known=state.rows & self._same[number]))
        return self._read_end(state, number, Copy(Stage.WRITING))

    def _read_end(self, state: State, number: int, copy: Copy) -> State:
        before = 0 if self._place(state.log, number) is not None else state.rows & self._same[number]
        state = state._replace(
            ends=_changed(state.ends, number, len(state.log)), before=_changed(state.before, number, before)
        )
        return _moved(state, number, copy)

    def _write_or_look(self, state: State, number: int, copy: Copy) -> Iterator[State]:
        if not copy.wrote:
            rows = state.rows | 1 << number if self._has(Safeguard.ROW_BEFORE_PUT) else state.rows
            written = state._replace(rows=rows)
            yield _moved(written, number, _TAKING_BACK)
            yield _moved(written, number, self._examine(written, number, copy._replace(wrote=True)))
        if not copy.looked:
            known = state.rows & self._same[number] if self._has(Safeguard.LOOK_UP) else 0
            yield _moved(state, number, self._examine(state, number, copy._replace(looked=True, known=known)))

    def _examine(self, state: State, number: int, copy: Copy) -> Copy:
        """Read the log up to the known end, once row and look-up are done; that part no longer changes."""
        if not (copy.wrote and copy.looked):
            return copy
        own, known = state.ends[number], copy.known | 1 << number
        after, first = min((state.ends[other], other) for other in self._numbers if known >> other & 1)
        start = after if self._has(Safeguard.LEAST_AFTER) else own
        if any(self._is_same(owner, number) for owner in state.log[start:own]):
            return self._stood(state, number, Copy(Stage.REMOVING, known=known))
        first = first if self._has(Safeguard.FIRST_BODY) else number
        is_claimed = first == number or not self._has(Safeguard.CLAIM_ROW)
        return Copy(Stage.PUTTING, known=known, end=own, first=first, is_claimed=is_claimed)

    def _put(self, state: State, number: int, copy: Copy) -> State:
        spare = copy.known & ~(1 << copy.first)
        if spare and not self._has(Safeguard.REMOVE_AFTER_PUT):
            return _moved(state._replace(rows=state.rows & ~spare), number, copy._replace(known=copy.known ^ spare))
        if not copy.is_claimed:
            may_be_taken = state.copies[copy.first].stage is Stage.TAKING_BACK
            claimed = state.claimed | 1 << copy.first if may_be_taken else state.claimed
            state = state._replace(rows=state.rows | 1 << copy.first, claimed=claimed)
            return _moved(state, number, copy._replace(is_claimed=True))
        if copy.end == len(state.log) or not self._has(Safeguard.CONDITION):
            earlier = state.before[copy.first] & state.rows
            refused = (Stage.TAKING_BACK, Stage.REFUSED)
            if any(earlier >> other & 1 and state.copies[other].stage not in refused for other in self._numbers):
                raise BrokenError("a later body won")
            log = (*state.log[: copy.end], copy.first, *state.log[copy.end + 1 :])
            state = state._replace(log=log)
            is_row_last = not self._has(Safeguard.ROW_BEFORE_PUT)
            return _moved(
                state, number, copy._replace(stage=Stage.ROW_LAST) if is_row_last else self._stood(state, number, copy)
            )
        if self._is_same(state.log[copy.end], number) and self._has(Safeguard.EXAMINE_OCCUPANT):
            return _moved(state, number, self._stood(state, number, copy))
        return _moved(state, number, copy._replace(end=copy.end + 1))

    def _stood(self, state: State, number: int, copy: Copy) -> Copy:
        """Return a copy whose message is stored and that now deletes spare rows."""
        named = self._place(state.log, number) if self._has(Safeguard.STANDING_ROW_STAYS) else number
        spare = copy.known & ~(1 << (named or 0))
        return Copy(Stage.REMOVING, known=spare) if spare else _ENDED

    def _place(self, log: tuple[int, ...], number: int) -> int | None:
        """Return the copy whose content is stored for a copy's message."""
        return next((owner for owner in log if self._is_same(owner, number)), None)

    def _verify(self, before: State, state: State) -> None:
        """Raise BrokenError if a step has broken a guarantee."""
        if state.log[: len(before.log)] != before.log:
            raise BrokenError("a stored message has disappeared")
        messages = [self._same[owner] for owner in state.log]
        if len(set(messages)) < len(messages):
            raise BrokenError("a message is stored twice")
        for place, owner in enumerate(state.log, start=1):
            if self._same[owner] == 1 << owner:
                continue
            if not state.rows >> owner & 1:
                raise BrokenError("an entry has no row")
            if state.ends[owner] >= place:
                raise BrokenError("a row would not lead to its entry")


def _changed(values: tuple[int, ...], number: int, value: int) -> tuple[int, ...]:
    return (*values[:number], value, *values[number + 1 :])


def _moved(state: State, number: int, copy: Copy) -> State:
    return state._replace(copies=(*state.copies[:number], copy, *state.copies[number + 1 :]))

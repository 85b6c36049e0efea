"""Runs concurrent code in virtual time: threads run one at a time, in the order of a simulated clock."""

import heapq
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any


class VirtualTime:
    """A clock and a scheduler: `sleep` switches to the next task that is due and takes no real time.

    Code that runs in it uses its `now_ms`, `monotonic`, `sleep` and `concurrently`. `epoch_ms` is the start time in
    milliseconds since 1970.
    """

    def __init__(self, epoch_ms: int = 1_750_000_000_000) -> None:
        self._epoch_ms = epoch_ms
        self._now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._ended = threading.Event()

    def now_ms(self) -> int:
        """Return the milliseconds since 1970."""
        return self._epoch_ms + int(self._now * 1000)

    def monotonic(self) -> float:
        """Return the seconds since the start."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let other tasks run for `seconds`."""
        turn = threading.Lock()
        turn.acquire()
        self._push(self._now + max(0.0, seconds), turn.release)
        self._resume_next()
        turn.acquire()

    def start(self, at: float, task: Callable[[], object]) -> None:
        """Schedule a task, at seconds since the start."""

        def run() -> None:
            try:
                task()
            finally:
                self._resume_next()

        self._push(at, threading.Thread(target=run).start)

    def concurrently(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Run calls concurrently; return the results, or raise the error of the first call that failed."""
        results: dict[int, Any] = {}
        errors: dict[int, Exception] = {}
        turn = threading.Lock()
        turn.acquire()

        def run(number: int) -> None:
            try:
                results[number] = calls[number]()
            except Exception as error:  # noqa: BLE001 - raised below, after the other calls
                errors[number] = error
            if len(results) + len(errors) == len(calls):
                self._push(self._now, turn.release)

        for number in range(len(calls)):
            self.start(self._now, lambda number=number: run(number))
        self._resume_next()
        turn.acquire()
        if errors:
            raise errors[min(errors)]
        return [results[number] for number in range(len(calls))]

    def run(self) -> None:
        """Run all scheduled tasks to their ends."""
        self._resume_next()
        self._ended.wait()

    def _push(self, at: float, resume: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), resume))

    def _resume_next(self) -> None:
        """Resume the next task; the caller must then end or wait for its turn."""
        if not self._due:
            self._ended.set()
            return
        self._now, _, resume = heapq.heappop(self._due)
        resume()

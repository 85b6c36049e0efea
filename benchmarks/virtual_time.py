"""Concurrent code in virtual time: threads that run one at a time, in the order of a simulated clock."""

import heapq
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any


class VirtualTime:
    """A clock and a scheduler: `sleep` passes control to the task that is due next, and takes no real time.

    It is the clock (`now_ms`, `monotonic`, `sleep`) and the `concurrently` of the code that runs in it. `epoch_ms` is
    the time at which it begins, in milliseconds since 1970.
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
        """Return the seconds since it began."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Wait, while others run."""
        turn = threading.Lock()
        turn.acquire()
        self._push(self._now + max(0.0, seconds), turn.release)
        self._pass_on()
        turn.acquire()

    def start(self, at: float, task: Callable[[], object]) -> None:
        """Start a task at a time, in seconds since the beginning."""

        def run() -> None:
            try:
                task()
            finally:
                self._pass_on()

        self._push(at, threading.Thread(target=run).start)

    def concurrently(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Run calls at the same time; return what each returned, or raise what the first of them raised."""
        results: dict[int, Any] = {}
        errors: dict[int, Exception] = {}
        turn = threading.Lock()
        turn.acquire()

        def run(number: int) -> None:
            try:
                results[number] = calls[number]()
            except Exception as error:  # noqa: BLE001 - raised below, once all have ended
                errors[number] = error
            if len(results) + len(errors) == len(calls):
                self._push(self._now, turn.release)

        for number in range(len(calls)):
            self.start(self._now, lambda number=number: run(number))
        self._pass_on()
        turn.acquire()
        if errors:
            raise errors[min(errors)]
        return [results[number] for number in range(len(calls))]

    def run(self) -> None:
        """Run everything that was started, to its end."""
        self._pass_on()
        self._ended.wait()

    def _push(self, at: float, resume: Callable[[], None]) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), resume))

    def _pass_on(self) -> None:
        """Let the next task go on; the caller does nothing more until it is its turn again."""
        if not self._due:
            self._ended.set()
            return
        self._now, _, resume = heapq.heappop(self._due)
        resume()

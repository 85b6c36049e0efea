"""Virtual time: tasks take turns by a seed's draw. Minutes go by in seconds, and a seed repeats its run exactly."""

import heapq
import itertools
import random
from collections.abc import Callable
from typing import Any

from greenlet import greenlet

BEGUN = 1_800_000_000.0


class Simulation:
    """A clock and what is due on it. A task runs until it sleeps; tasks due at the same time take turns by lot.

    It stands in for the module `time` as well, wherever a task looks at the clock.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a run that can be repeated
        self.now = BEGUN
        self.broken: list[BaseException] = []
        self._due: list[tuple[float, float, int, Callable[[], Any]]] = []
        self._count = itertools.count()
        self._hub = greenlet.getcurrent()

    def after(self, seconds: float, act: Callable[[], Any]) -> None:
        """Run a task of its own after so many seconds."""
        self._at(self.now + seconds, lambda: greenlet(act, self._hub).switch())

    def _at(self, when: float, go_on: Callable[[], Any]) -> None:
        heapq.heappush(self._due, (when, self.random.random(), next(self._count), go_on))

    def sleep(self, seconds: float) -> None:
        """Let the others go on for so long."""
        self._at(self.now + max(0.0, seconds), greenlet.getcurrent().switch)
        self._hub.switch()

    def run(self, seconds: float) -> None:
        """Let so much time go by."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            when, _, _, go_on = heapq.heappop(self._due)
            self.now = max(self.now, when)
            go_on()
        self.now = until

    def time(self) -> float:
        """Return the seconds since 1970."""
        return self.now

    monotonic = time

    def time_ns(self) -> int:
        """Return the nanoseconds since 1970."""
        return int(self.now * 1e9)

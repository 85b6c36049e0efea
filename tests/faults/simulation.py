"""Virtual time: tasks run in an order drawn from a seed, which reproduces the run exactly."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

from greenlet import GreenletExit, greenlet

from tests.fakes.clock import START_SECONDS
from tests.fakes.dynamodb import KilledError


class Simulation:
    """A clock and a scheduler. A task runs until it sleeps; tasks due at the same time run in random order.

    It is the clock of functions, tables and clients, and runs the concurrent calls of an invocation.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._now = 0.0
        self._due: list[tuple[float, float, int, Callable[[], Any]]] = []
        self._count = itertools.count()
        self._hub = greenlet.getcurrent()

    def now_ms(self) -> int:
        """Return the milliseconds since 1970."""
        return START_SECONDS * 1000 + round(self._now * 1000)

    def monotonic(self) -> float:
        """Return the seconds since the run began."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Run other tasks for `seconds`."""
        self._at(self._now + max(0.0, seconds), greenlet.getcurrent().switch)
        self._hub.switch()

    def after(self, seconds: float, act: Callable[[], Any]) -> None:
        """Start a task after `seconds`."""
        self._at(self._now + seconds, lambda: greenlet(act, self._hub).switch())

    def run(self, seconds: float) -> None:
        """Run the tasks due within `seconds`."""
        until = self._now + seconds
        while self._due and self._due[0][0] <= until:
            when, _, _, resume = heapq.heappop(self._due)
            self._now = max(self._now, when)
            resume()
        self._now = until

    def concurrently(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Run calls as tasks; return the results, or raise the error of the first call that failed.

        KilledError in one call kills the others and the caller, once.
        """
        caller, results, errors = greenlet.getcurrent(), dict[int, Any](), dict[int, Exception]()
        tasks: list[greenlet] = []
        is_killed = False

        def run(number: int) -> None:
            nonlocal is_killed
            try:
                results[number] = calls[number]()
            except Exception as error:  # noqa: BLE001 - raised below, after the other calls
                errors[number] = error
            except KilledError:
                if is_killed:
                    return
                is_killed = True
                for task in tasks:
                    self._at(self._now, lambda task=task: None if task.dead else task.throw(GreenletExit))
                self._at(self._now, lambda: None if caller.dead else caller.throw(KilledError))
                return
            if len(results) + len(errors) == len(calls):
                self._at(self._now, caller.switch)

        for number in range(len(calls)):
            tasks.append(greenlet(lambda number=number: run(number), self._hub))
            self._at(self._now, tasks[-1].switch)
        self._hub.switch()
        if errors:
            raise errors[min(errors)]
        return [results[number] for number in range(len(calls))]

    def _at(self, when: float, resume: Callable[[], Any]) -> None:
        heapq.heappush(self._due, (when, self.random.random(), next(self._count), resume))

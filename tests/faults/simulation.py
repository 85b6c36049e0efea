"""Virtual time: tasks take turns by a seed's draw. Minutes go by in seconds, and a seed repeats its run exactly."""

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

from greenlet import GreenletExit, greenlet

from tests.fakes.clock import START_SECONDS
from tests.fakes.dynamodb import KilledError


class Simulation:
    """A clock and what is due on it. A task runs until it sleeps; tasks due at the same time take turns by lot.

    It is the clock of the functions, of the tables and of the clients, and runs what an invocation does concurrently.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a run that can be repeated
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
        """Let the others go on for so long."""
        self._at(self._now + max(0.0, seconds), greenlet.getcurrent().switch)
        self._hub.switch()

    def after(self, seconds: float, act: Callable[[], Any]) -> None:
        """Run a task of its own after so many seconds."""
        self._at(self._now + seconds, lambda: greenlet(act, self._hub).switch())

    def run(self, seconds: float) -> None:
        """Let so much time go by."""
        until = self._now + seconds
        while self._due and self._due[0][0] <= until:
            when, _, _, go_on = heapq.heappop(self._due)
            self._now = max(self._now, when)
            go_on()
        self._now = until

    def concurrently(self, *calls: Callable[[], Any]) -> Sequence[Any]:
        """Run calls as tasks; return what each returned, once all have ended, or raise what the first of them raised.

        A process that is killed in one of them is dead in all of them.
        """
        caller, results, errors = greenlet.getcurrent(), dict[int, Any](), dict[int, Exception]()
        tasks: list[greenlet] = []

        def run(number: int) -> None:
            try:
                results[number] = calls[number]()
            except Exception as error:  # noqa: BLE001 - raised below, once the others have ended
                errors[number] = error
            except KilledError:
                for task in tasks:
                    self._at(self._now, lambda task=task: None if task.dead else task.throw(GreenletExit))
                self._at(self._now, lambda: caller.throw(KilledError))
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

    def _at(self, when: float, go_on: Callable[[], Any]) -> None:
        heapq.heappush(self._due, (when, self.random.random(), next(self._count), go_on))

"""Runs real code in every order of its tasks' DynamoDB calls, each schedule once.

def scenario(scheduler):                  # creates its own tables; tasks pause before each call
    ...
    scheduler.run()

count = every_schedule(scenario)
"""

from collections.abc import Callable, Sequence
from typing import Any

from greenlet import greenlet


class Scheduler:
    """Decides which paused task continues: according to `decisions`, then always the first."""

    def __init__(self, decisions: Sequence[int] = ()) -> None:
        self._decisions = decisions
        self._hub = greenlet.getcurrent()
        self._paused: list[Callable[[], Any]] = []
        self._going: list[Callable[[], Any]] = []
        self.is_running = False
        self.taken: list[tuple[int, int]] = []
        """Each decision and the number of choices."""

    def add(self, task: Callable[[], Any]) -> None:
        """Add a task, which runs to its first pause. An exception in it ends the run."""
        self._going.append(greenlet(task, self._hub).switch)

    def pause(self) -> None:
        """Pause the current task and let any task continue."""
        self._paused.append(greenlet.getcurrent().switch)
        self._hub.switch()

    def concurrently(self, *calls: Callable[[], Any]) -> list[Any]:
        """Run calls as tasks; return their results, or raise the error of the first one that failed."""
        if not self.is_running:
            return [call() for call in calls]
        caller, results, errors = greenlet.getcurrent(), dict[int, Any](), dict[int, Exception]()

        def run(number: int, call: Callable[[], Any]) -> None:
            try:
                results[number] = call()
            except Exception as error:  # noqa: BLE001 - raised below, after the other calls
                errors[number] = error
            if len(results) + len(errors) == len(calls):
                self._going.append(caller.switch)

        for number, call in enumerate(calls):
            self.add(lambda number=number, call=call: run(number, call))
        self._hub.switch()
        if errors:
            raise errors[min(errors)]
        return [results[number] for number in range(len(calls))]

    def run(self) -> None:
        """Run until no task is left."""
        self.is_running = True
        while self._going or self._paused:
            if self._going:
                self._going.pop()()
                continue
            choices, step = len(self._paused), len(self.taken)
            decision = self._decisions[step] if step < len(self._decisions) else 0
            self.taken.append((decision, choices))
            self._paused.pop(decision)()
        self.is_running = False


def every_schedule(scenario: Callable[[Scheduler], None]) -> int:
    """Run a scenario under every schedule; return the number of schedules."""
    decisions: list[int] = []
    count = 0
    while True:
        scheduler = Scheduler(decisions)
        scenario(scheduler)
        count += 1
        taken = scheduler.taken
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return count
        decisions = [decision for decision, _ in taken[:-1]] + [taken[-1][0] + 1]

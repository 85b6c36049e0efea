"""Runs tasks in every order of their DynamoDB calls: real code, one schedule after another, none twice.

def scenario(scheduler):                  # makes its own tables; tasks pause before each call
    ...
    scheduler.run()

count = every_schedule(scenario)
"""

from collections.abc import Callable, Sequence
from typing import Any

from greenlet import greenlet


class Scheduler:
    """Decides which of the paused tasks goes on: as `decisions` say, and the first where they end."""

    def __init__(self, decisions: Sequence[int] = ()) -> None:
        self._decisions = decisions
        self._hub = greenlet.getcurrent()
        self._paused: list[Callable[[], Any]] = []
        self._going: list[Callable[[], Any]] = []
        self.is_running = False
        self.taken: list[tuple[int, int]] = []
        """Each decision, and of how many."""

    def add(self, task: Callable[[], Any]) -> None:
        """Add a task, which goes on by itself to its first pause; an exception that leaves it ends the run."""
        self._going.append(greenlet(task, self._hub).switch)

    def pause(self) -> None:
        """Let any task go on; called by the tasks."""
        self._paused.append(greenlet.getcurrent().switch)
        self._hub.switch()

    def concurrently(self, *calls: Callable[[], Any]) -> list[Any]:
        """Run calls as tasks; return what each returned, or raise what the first of them raised."""
        if not self.is_running:
            return [call() for call in calls]
        caller, results, errors = greenlet.getcurrent(), dict[int, Any](), dict[int, Exception]()

        def run(number: int, call: Callable[[], Any]) -> None:
            try:
                results[number] = call()
            except Exception as error:  # noqa: BLE001 - raised below, once the others have ended
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
    """Run a scenario under every schedule; return how many there are."""
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

"""When a failed post is tried again: exponential backoff with jitter, bounded in tries and in time."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Pure but for `rng`, from which the jitter is drawn."""

    rng: Random
    max_tries: int = 6
    first_delay_seconds: float = 0.05
    budget_seconds: float = 4.0
    """How long after its first failure a post is still tried again."""

    def next_try(self, failures: int, *, first_failed_at: float, now: float, deadline: float) -> float | None:
        """Return when to try again after the given number of failures (from 1), or None to give up.

        The delay is between half and the whole of `first_delay_seconds`, doubled for each failure after the first.
        """
        if failures >= self.max_tries:
            return None
        at = now + self.rng.uniform(0.5, 1) * self.first_delay_seconds * 2 ** (failures - 1)
        return at if at <= min(deadline, first_failed_at + self.budget_seconds) else None

"""Retry policy of posts: exponential backoff with jitter, bounded in tries and time."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Stateless except for `rng`, the source of the jitter."""

    rng: Random
    max_tries: int = 6
    first_delay_seconds: float = 0.05
    budget_seconds: float = 4.0
    """How long after its first failure a post may be retried."""

    def next_try(self, failures: int, *, first_failed_at: float, now: float, deadline: float) -> float | None:
        """Return the time of the next try after `failures` (at least 1), or None to give up.

        The delay is between half and all of `first_delay_seconds`, doubled for each failure after the first.
        """
        if failures >= self.max_tries:
            return None
        at = now + self.rng.uniform(0.5, 1) * self.first_delay_seconds * 2 ** (failures - 1)
        return at if at <= min(deadline, first_failed_at + self.budget_seconds) else None

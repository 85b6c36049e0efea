"""How fast posts may leave: a token bucket on a given clock. It knows no socket."""


class Pace:
    """At most `per_second` for long, and `burst` at once. Times are seconds of one monotonic clock."""

    def __init__(self, per_second: float, burst: float) -> None:
        self.per_second = per_second
        self._burst = max(1.0, burst)
        self._tokens = self._burst
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take one if there is one."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self.per_second)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait(self) -> float:
        """Return how many seconds after the last `take` the next one succeeds."""
        return max(0.0, (1 - self._tokens) / self.per_second)

"""A token bucket that limits the rate of posts."""


class TokenBucket:
    """Allows a sustained rate of `per_second` and bursts of `burst`; times are seconds of the monotonic clock."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = max(1.0, burst)
        self._tokens = self._burst
        self._updated_at = 0.0

    def take(self, now: float) -> bool:
        """Take a token if one is available; return whether it was."""
        if now > self._updated_at:
            self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._per_second)
            self._updated_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait_seconds(self) -> float:
        """Return how long after the last `take` the next one will succeed, in seconds."""
        return max(0.0, (1 - self._tokens) / self._per_second)

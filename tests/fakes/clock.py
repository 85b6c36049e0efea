"""A virtual clock for tests: it advances only when code sleeps or a test moves it.

clock = VirtualClock()
clock.now_ms()        # 1_800_000_000_000: 2027-01-15T08:00:00Z
clock.sleep(0.2)      # called by the code under test; returns at once
clock.advance(3600)   # called by a test
clock.set_back(60)    # corrects the wall clock only, not the monotonic clock
clock.rewind(start)   # to run concurrent calls one after another: see tests/fakes/services.py
"""

START_SECONDS = 1_800_000_000


class VirtualClock:
    """Stands in for chat.runtime.context.SystemClock. The wall clock differs from the monotonic one by `set_back`."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._offset = 0.0

    def now_ms(self) -> int:
        """Return the wall clock, in milliseconds since 1970."""
        return START_SECONDS * 1000 + round((self._elapsed + self._offset) * 1000)

    def monotonic(self) -> float:
        """Return the seconds since the clock was created."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Advance both clocks."""
        self._elapsed += max(0.0, seconds)

    def advance(self, seconds: float) -> None:
        """Advance both clocks."""
        self.sleep(seconds)

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back."""
        self._offset -= seconds

    def rewind(self, elapsed: float) -> None:
        """Return to an earlier value of `monotonic`."""
        self._elapsed = elapsed

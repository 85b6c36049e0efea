"""A clock for tests that moves only when somebody sleeps or a test moves it.

clock = VirtualClock()
clock.now_ms()        # 1_800_000_000_000: 2027-01-15T08:00:00Z
clock.sleep(0.2)      # what the code under test calls: takes no time
clock.advance(3600)   # what a test calls
clock.set_back(60)    # the wall clock is corrected; the monotonic clock goes on
clock.rewind(begun)   # for concurrent calls that are run one after another: see tests/fakes/services.py
"""

START_SECONDS = 1_800_000_000


class VirtualClock:
    """Stands in for chat.runtime.context.SystemClock. Its clocks agree except for what `set_back` did."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._offset = 0.0

    def now_ms(self) -> int:
        """Return the milliseconds since 1970."""
        return START_SECONDS * 1000 + round((self._elapsed + self._offset) * 1000)

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += max(0.0, seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.sleep(seconds)

    def set_back(self, seconds: float) -> None:
        """Set the wall clock back."""
        self._offset -= seconds

    def rewind(self, elapsed: float) -> None:
        """Go to a time, as `monotonic` returned it."""
        self._elapsed = elapsed

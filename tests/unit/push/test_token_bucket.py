"""The token bucket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.push.token_bucket import TokenBucket


def test_the_burst_is_allowed_at_once_and_then_the_rate() -> None:
    bucket = TokenBucket(100, 5)
    assert [bucket.take(1000.0) for _ in range(6)] == [True] * 5 + [False]
    assert bucket.wait_seconds() == pytest.approx(0.01)
    assert not bucket.take(1000.009)
    assert bucket.take(1000.011)
    assert [bucket.take(2000.0) for _ in range(6)] == [True] * 5 + [False]


@given(
    st.floats(0.5, 10_000),
    st.floats(0, 5_000),
    st.lists(st.floats(-1, 1), min_size=1, max_size=60),
)
def test_no_clock_makes_it_exceed_the_burst_and_the_rate(per_second: float, burst: float, steps: list[float]) -> None:
    """A clock that is set back and forward again yields no tokens."""
    bucket = TokenBucket(per_second, burst)
    now = latest = 1000.0
    taken = int(bucket.take(now))
    for step in steps:
        now += step
        latest = max(latest, now)
        while taken < 20_000 and bucket.take(now):
            taken += 1
    assert taken <= max(1, burst) + per_second * (latest - 1000) + 1e-6 * taken

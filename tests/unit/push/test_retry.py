"""The retry policy."""

from random import Random

import pytest

from chat.push.retry import RetryPolicy


@pytest.fixture
def policy() -> RetryPolicy:
    return RetryPolicy(Random(3))


@pytest.mark.parametrize("failures", range(1, 6))
def test_the_delay_doubles_and_half_of_it_is_jitter(policy: RetryPolicy, failures: int) -> None:
    whole = 0.05 * 2 ** (failures - 1)
    tries = [policy.next_try(failures, first_failed_at=100, now=100, deadline=1000) for _ in range(500)]
    delays = sorted(at - 100 for at in tries if at is not None)
    assert len(delays) == 500
    assert whole / 2 <= delays[0] < whole * 0.51
    assert whole * 0.99 < delays[-1] <= whole


@pytest.mark.parametrize(
    ("failures", "first_failed_at", "deadline"),
    [(6, 100, 1000), (1, 100, 100.02), (5, 96.1, 1000)],
    ids=["tries", "deadline", "budget"],
)
def test_it_gives_up_when_tries_or_time_run_out(
    policy: RetryPolicy, failures: int, first_failed_at: float, deadline: float
) -> None:
    assert policy.next_try(failures, first_failed_at=first_failed_at, now=100, deadline=deadline) is None

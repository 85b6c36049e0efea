"""How often a connection may act."""

from hypothesis import given
from hypothesis import strategies as st

from chat import limits
from chat.limits import Limit


def spend(limit: Limit, tat: int, now: int) -> int | None:
    """Act once: return the new state, or None where it was too soon."""
    return None if limit.wait_ms(tat, now) else max(tat, now) + limit.interval_ms


@given(st.integers(1, 20), st.integers(1, 2000), st.lists(st.integers(0, 5000), max_size=60))
def test_no_window_of_time_holds_more_than_its_burst_and_its_rate(burst: int, interval: int, gaps: list[int]) -> None:
    limit = Limit("tat", burst, interval)
    now, tat, acted = 10**12, 0, []
    for gap in gaps:
        now += gap
        after = spend(limit, tat, now)
        if after is not None:
            tat = after
            acted.append(now)
    for first in range(len(acted)):
        for last in range(first, len(acted)):
            assert last - first + 1 <= burst + (acted[last] - acted[first]) / interval


@given(st.integers(1, 20), st.integers(1, 2000), st.integers(0, 10**6))
def test_after_the_wait_that_is_told_the_next_action_is_taken(burst: int, interval: int, ahead: int) -> None:
    limit = Limit("tat", burst, interval)
    now = 10**12
    wait = limit.wait_ms(now + ahead, now)
    assert spend(limit, now + ahead, now + wait) is not None


def test_by_default_ten_messages_go_at_once_then_two_a_second() -> None:
    limit = limits.messages(10, 2)
    tat, now = 0, 10**12
    for _ in range(10):
        state = spend(limit, tat, now)
        assert state is not None
        tat = state
    assert limit.wait_ms(tat, now) == 500

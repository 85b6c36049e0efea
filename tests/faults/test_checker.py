"""The seeded run holds the guarantees, and its checker sees each of them broken on purpose."""

from collections.abc import Callable

import pytest

from tests.faults import defects
from tests.faults.checker import Verdict, World, run


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_acknowledged_is_read_by_all_once_and_in_one_order(seed: int) -> None:
    verdict = run(seed)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["acknowledged"] == verdict.figures["sent"] > 700
    assert verdict.figures["faults"] > 500


def test_a_run_with_three_times_the_faults_holds_too() -> None:
    verdict = run(4, actions=600, share=3)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["faults"] > 1000


def test_where_nothing_fails_everything_is_posted() -> None:
    verdict = run(5, share=0)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["acknowledged"] == verdict.figures["sent"] > 700


def test_a_seed_repeats_its_run_exactly() -> None:
    one, other = (run(5, actions=150) for _ in range(2))
    assert (one.figures, one.faults) == (other.figures, other.faults)


def found(defect: Callable[[World], None], *, share: float, seeds: int = 8) -> Verdict:
    """Return the first run that sees a defect."""
    for seed in range(1, seeds + 1):
        verdict = run(seed, actions=600, share=share, prepare=defect)
        if verdict.broken:
            print(verdict, *verdict.broken[:5], sep="\n")
            return verdict
    raise AssertionError(f"{seeds} runs did not see the defect")


@pytest.mark.parametrize(
    ("defect", "share", "seen_as"),
    [
        (defects.no_condition_on_the_put, 1, {"lost", "misordered", "differs from a fresh reading"}),
        (defects.no_look_up, 1, {"doubled", "broken log"}),
        (defects.row_after_the_message, 1, {"broken log"}),
        (defects.posted_before_it_is_stored, 1, {"lost", "differs from a fresh reading"}),
        (defects.members_read_before_the_put, 0, {"missed"}),
        (defects.member_put_after_the_log_is_read, 0, {"missed"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_checker_sees_a_defect_made_on_purpose(
    defect: Callable[[World], None], share: float, seen_as: set[str]
) -> None:
    assert found(defect, share=share).figures.keys() & seen_as

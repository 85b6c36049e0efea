"""Seeded runs keep the guarantees, and the checker detects planted defects."""

from collections.abc import Callable

import pytest

from tests.faults import defects
from tests.faults.checker import Verdict, World, run


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_acknowledged_message_is_read_by_all_once_and_in_one_order(seed: int) -> None:
    verdict = run(seed)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["acknowledged"] == verdict.figures["sent"] > 700
    assert verdict.figures["faults"] > 500


def test_the_guarantees_hold_with_three_times_the_faults() -> None:
    verdict = run(4, actions=600, share=3)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["faults"] > 1000


def test_without_faults_every_message_is_posted() -> None:
    verdict = run(5, share=0)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["acknowledged"] == verdict.figures["sent"] > 700


def test_a_seed_reproduces_its_run_exactly() -> None:
    one, other = (run(5, actions=150) for _ in range(2))
    assert (one.figures, one.faults) == (other.figures, other.faults)


def detect(defect: Callable[[World], None], *, share: float, seeds: int = 8) -> Verdict:
    """Return the first run that detects a defect."""
    for seed in range(1, seeds + 1):
        verdict = run(seed, actions=600, share=share, prepare=defect)
        if verdict.broken:
            print(verdict, *verdict.broken[:5], sep="\n")
            return verdict
    raise AssertionError(f"{seeds} runs did not detect the defect")


@pytest.mark.parametrize(
    ("defect", "share", "violations"),
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
def test_the_checker_detects_a_planted_defect(
    defect: Callable[[World], None], share: float, violations: set[str]
) -> None:
    assert detect(defect, share=share).figures.keys() & violations

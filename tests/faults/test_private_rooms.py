"""Seeded runs of private rooms keep guarantee 7, and the checker detects planted defects."""

from collections.abc import Callable

import pytest

from tests.faults import defects
from tests.faults.private_rooms import Verdict, World, run


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_guarantee_7_a_removed_account_hears_nothing_after_the_acknowledgement(seed: int) -> None:
    verdict = run(seed)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["acknowledged removals"] > 40
    assert verdict.figures["got message"] > 300
    assert sum(verdict.faults.values()) > 300


def test_guarantee_7_holds_with_three_times_the_faults() -> None:
    verdict = run(4, share=3)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["acknowledged removals"] > 10


def test_a_seed_reproduces_its_run_exactly() -> None:
    one, other = (run(5, actions=150) for _ in range(2))
    assert (one.figures, one.faults) == (other.figures, other.faults)


def detect(defect: Callable[[World], None], seeds: int = 8) -> Verdict:
    """Return the first run that detects a defect."""
    for seed in range(1, seeds + 1):
        verdict = run(seed, prepare=defect)
        if verdict.broken:
            return verdict
    raise AssertionError(f"{seeds} runs did not detect the defect")


@pytest.mark.parametrize(
    "defect",
    [
        defects.removal_that_does_not_wait,
        defects.members_remembered_for_a_while,
        defects.role_remembered_for_a_while,
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_checker_detects_a_planted_defect(defect: Callable[[World], None]) -> None:
    assert "after the removal" in " ".join(detect(defect).broken)

"""The seeded run holds the guarantees, and its checker sees each of them broken on purpose."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from chat import history, messages
from tests.faults.checker import Verdict, World, run
from tests.faults.plan import Injected, Killed

Defect = Callable[[World], Any]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_acknowledged_is_read_by_all_once_and_in_one_order(seed: int) -> None:
    verdict = run(seed)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["acknowledged"] == verdict.figures["sent"] > 700
    assert verdict.figures["faults"] > 300


def test_a_run_with_three_times_the_faults_holds_too() -> None:
    verdict = run(4, actions=600, share=3)
    print(verdict)
    assert verdict.broken == []
    assert verdict.figures["faults"] > 500


def test_a_seed_repeats_its_run_exactly() -> None:
    one, other = (run(5, actions=150) for _ in range(2))
    assert (one.figures, one.faults) == (other.figures, other.faults)


def _without_condition(part: int) -> Defect:
    @contextmanager
    def defect(world: World) -> Iterator[None]:
        def altered(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [
                {"Put": {key: value for key, value in one["Put"].items() if key != "ConditionExpression"}}
                if place == part
                else one
                for place, one in enumerate(parts)
            ]

        world.store.altered = altered
        yield

    return defect


def _hole_check_skipped(world: World) -> Any:
    return mock.patch.object(history, "_close", return_value=history.Page([], complete=True))


def _holes_left_open(world: World) -> Any:
    return mock.patch.object(history, "_put_closed", return_value={"closed": True})


def _posted_before_it_is_stored(world: World) -> Any:
    write = messages._write

    def later(*given: Any, **named: Any) -> list[dict[str, Any]]:
        def writes() -> None:
            with suppress(Killed, Injected, ClientError):
                write(*given, **named)

        world.simulation.after(0.05, writes)
        return []

    return mock.patch.object(messages, "_write", later)


def found(defect: Defect, *, seeds: int = 8) -> Verdict:
    """Return the first run that sees a defect."""
    for seed in range(1, seeds + 1):
        verdict = run(seed, actions=600, defect=defect)
        if verdict.broken:
            print(verdict, *verdict.broken[:5], sep="\n")
            return verdict
    raise AssertionError(f"{seeds} runs did not see the defect")


@pytest.mark.parametrize(
    ("defect", "seen_as"),
    [
        (_without_condition(1), {"doubled"}),
        (_without_condition(2), {"lost", "misordered", "differs from a fresh reading"}),
        (_hole_check_skipped, {"lost"}),
        (_holes_left_open, {"lost"}),
        (_posted_before_it_is_stored, {"lost", "differs from a fresh reading"}),
    ],
    ids=[
        "no condition on the id",
        "no condition on the place",
        "hole check skipped",
        "holes left open",
        "posted before it is stored",
    ],
)
def test_the_checker_sees_a_defect_made_on_purpose(defect: Defect, seen_as: set[str]) -> None:
    assert found(defect).figures.keys() & seen_as

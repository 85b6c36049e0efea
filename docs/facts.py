"""Figures from where they are made: the results of the benchmarks, and the tests as pytest collects them."""

import json
import re
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


class FactMissingError(Exception):
    """A figure is not there; the text says what makes it."""


@lru_cache
def rows(name: str) -> list[dict[str, Any]]:
    """Return a benchmark's rows as they were saved. Raises FactMissingError where it was not run, or not whole."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        raise FactMissingError(f"{path.relative_to(ROOT)} is missing: python -m benchmarks --save makes it.")
    saved = json.loads(path.read_text(encoding="utf-8"))
    if saved["quick"]:
        raise FactMissingError(
            f"{path.relative_to(ROOT)} is of a quick run: python -m benchmarks --save makes it anew."
        )
    return saved["rows"]


@lru_cache
def tests_by_layer() -> dict[str, int]:
    """Return the number of tests in each folder of tests/, as pytest collects them, the largest first."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:randomly"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    counts = Counter(re.findall(r"^tests/(\w+)/", run.stdout, re.MULTILINE))
    if run.returncode or not counts:
        raise FactMissingError(f"pytest could not collect the tests:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return dict(sorted(counts.items(), key=lambda item: -item[1]))

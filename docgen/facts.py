"""Figures for tables and slides: saved benchmark results, and the tests that pytest collects."""

import json
import re
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from typing import Any

from docgen import ROOT

RESULTS = ROOT / "benchmarks" / "results"


class FactMissingError(Exception):
    """A figure is missing; the text names the command that makes it."""


@lru_cache
def rows(name: str) -> list[dict[str, Any]]:
    """Return a benchmark's saved rows. Raises FactMissingError without a full run of it."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        raise FactMissingError(f"{path.relative_to(ROOT)} is missing: python -m benchmarks --save makes it.")
    saved = json.loads(path.read_text(encoding="utf-8"))
    if saved["quick"]:
        raise FactMissingError(
            f"{path.relative_to(ROOT)} is from a quick run: python -m benchmarks --save replaces it."
        )
    return saved["rows"]


@lru_cache
def tests_by_layer() -> dict[str, int]:
    """Return the number of tests in each folder of tests/, largest first."""
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

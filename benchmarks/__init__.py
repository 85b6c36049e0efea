"""Benchmarks of the functions against a naive baseline."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"

sys.path.insert(0, str(FUNCTIONS))  # where Lambda imports `chat` from

"""Benchmarks of the functions, beside the naive way."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"

sys.path.insert(0, str(FUNCTIONS))  # `chat` is imported from there, as on Lambda

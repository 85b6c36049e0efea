"""Generates the tables, pictures, diagrams, film and presentation in docs/."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"

sys.path.append(str(ROOT / "functions"))  # where Lambda imports `chat` from

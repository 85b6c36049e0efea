"""The documents, and their prose and code."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^( *)```.*?^\1```", re.DOTALL | re.MULTILINE)


def prose(path: Path) -> str:
    """Return a document without code blocks."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def code_of(path: Path) -> list[str]:
    """Return a document's code spans and code blocks."""
    text = path.read_text(encoding="utf-8")
    return [*CODE.findall(text), *(block.group() for block in FENCE.finditer(text))]


def named(path: Path) -> str:
    """Return a document's path in the repository."""
    return str(path.relative_to(ROOT))

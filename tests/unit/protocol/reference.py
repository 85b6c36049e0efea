"""Reads docs/protocol.md: its tables as data, and its examples."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class DocumentedField:
    """A row of a field table. `frame` is an action or a type."""

    frame: str
    name: str
    type: str
    last: str
    """The last cell: the answer or the meaning."""

    @property
    def is_optional(self) -> bool:
        return "optional" in self.type

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The characters allowed in a string."""
        found = re.search(r"(\d+) to ([\d,]+) characters", self.type)
        return (int(found[1]), int(found[2].replace(",", ""))) if found else None


def extract(pattern: str, text: str) -> str:
    """Return the first group of a pattern that the text must match."""
    match = re.search(pattern, text)
    assert match, f"no {pattern!r} in {text!r}"
    return match[1]


def section(title: str) -> str:
    """Return the text below a heading, without its subsections."""
    found = re.search(rf"\n##+ {re.escape(title)}\n(.*?)(?=\n##|\Z)", PAGE, re.DOTALL)
    assert found, f"no section {title!r}"
    return found[1]


def table(title: str) -> list[list[str]]:
    """Return the rows of a section's tables, without the headers."""
    tables = re.findall(r"(?:^\|.*\n?)+", section(title), re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for each in tables for line in each.splitlines()[2:]]


def fields(title: str) -> list[DocumentedField]:
    """Return the rows of a field table; a row without a field is a frame without fields."""
    found: list[DocumentedField] = []
    frame = ""
    for first, name, type_, last in table(title):
        frame = first.strip("`") or frame
        found.append(DocumentedField(frame, name.strip("`"), type_, last))
    return found


def examples(number: int) -> list[tuple[str, str, str]]:
    """Return the lines of one of the conversations under "Examples": who, → or ←, and the frame."""
    block = section("Examples").split("```")[2 * number + 1]
    found = [tuple(line.split(" ", 2)) for line in block.strip().splitlines()]
    return [(who, arrow, frame) for who, arrow, frame in found]

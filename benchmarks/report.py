"""Writes results as tables, lines of JSON, and files for the docs."""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Columns = Mapping[str, Callable[[Row], Any]]
_LARGE = 100
"""From here on figures have no decimals; below, three significant digits."""


def table(columns: Columns, rows: Iterable[Row]) -> str:
    """Return a Markdown table; values missing in a row are left empty."""
    cells = [list(columns)] + [[_text(column, row) for column in columns.values()] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _text(column: Callable[[Row], Any], row: Row) -> str:
    try:
        value = column(row)
    except (KeyError, TypeError):
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:,.3g}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> Row:
    """Return a description of this machine and its current load."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
    }


def sentence(machine: Row) -> str:
    """Describe the machine in a sentence."""
    return (
        f"Measured with {machine['cpus']} CPUs ({machine['machine']}), Python {machine['python']}; load average "
        f"before the run: {machine['load_before']}."
    )


def show(title: str, columns: Columns, rows: list[Row]) -> None:
    """Print a table, then its rows as lines of JSON."""
    sys.stdout.write(f"\n## {title}\n\n{table(columns, rows)}\n\n")
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def save(folder: Path, name: str, rows: list[Row], machine: Row, *, quick: bool) -> None:
    """Write a benchmark's rows to a file."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "quick": quick, "rows": rows}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def fill(document: Path, name: str, text: str) -> None:
    """Replace the text between `<!-- name -->` and `<!-- /name -->` in a document. Raises ValueError without them."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    if not found or end not in rest:
        raise ValueError(f"{document.name} has no place for {name}")
    document.write_text(f"{before}{begin}{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")

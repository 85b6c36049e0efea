"""Results as tables, as lines of JSON, and as files that the docs are made from."""

import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Columns = Mapping[str, Callable[[Row], Any]]


def table(columns: Columns, rows: Iterable[Row]) -> str:
    """Return a table in Markdown; a column that a row lacks is left empty."""
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
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"  # noqa: PLR2004 - three digits are enough
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> Row:
    """Return what the figures are measured with, and how busy it is with other things."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
    }


def sentence(machine: Row) -> str:
    """Return the same for a person."""
    return (
        f"Measured with {machine['cpus']} CPUs ({machine['machine']}), Python {machine['python']}; load of the machine "
        f"just before: {machine['load_before']}."
    )


def show(title: str, columns: Columns, rows: list[Row]) -> None:
    """Print a table, then each row as a line of JSON."""
    sys.stdout.write(f"\n## {title}\n\n{table(columns, rows)}\n\n")
    for row in rows:
        sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def save(folder: Path, name: str, rows: list[Row], machine: Row, *, quick: bool) -> None:
    """Write a benchmark's rows to a file."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "quick": quick, "rows": rows}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(folder: Path, name: str) -> list[Row]:
    """Return a benchmark's rows as they were saved."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["rows"]


def fill(document: Path, name: str, text: str) -> None:
    """Put a table into a document, between the comments that bear its name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = document.read_text(encoding="utf-8").partition(begin)
    if not found or end not in rest:
        raise ValueError(f"{document.name} has no place for {name}")
    document.write_text(f"{before}{begin}{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")

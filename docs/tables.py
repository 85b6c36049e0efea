"""The Markdown tables that are made from the program, each between `<!-- name -->` and `<!-- /name -->`."""

import re
from collections.abc import Callable
from pathlib import Path

import yaml

from docs.facts import ROOT, rows


def configuration() -> str:
    """Return the table of the config keys, as Pulumi.yaml has them."""
    rows = [
        f"| `{key}` | {_default(entry['default'])} | {entry['description']} |"
        for key, entry in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"].items()
        if "type" in entry
    ]
    return "\n".join(["| key | default | what it is |", "|---|---|---|", *rows])


def _default(value: object) -> str:
    return "" if value in ("", []) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def benchmarks() -> str:
    """Return how long a message takes to reach a room, ours and the usual ways."""
    lines = [
        f"| {row['size']:,} | {_ms(row['ours']['last_ms'])} | {_ms(row['specified']['last_ms'])} "
        f"| {_ms(row['threads']['last_ms'])} | {row['times_sooner']:,.0f} | {row['ours']['cpu_us_each']:,.0f} µs "
        f"| {row['specified']['cpu_us_each']:,.0f} µs | {row['ours']['peak_mb']:,.0f} MB |"
        for row in rows("rooms")
    ]
    head = (
        "| readers | this | one after the other, boto3 | in 32 threads | times sooner | CPU a reader | with boto3 "
        "| peak memory |"
    )
    return "\n".join([head, "|--:|--:|--:|--:|--:|--:|--:|--:|", *lines])


def _ms(value: float) -> str:
    return f"{value / 1000:,.2f} s" if value >= 1000 else f"{value:,.0f} ms"  # noqa: PLR2004 - from a second on


def costs() -> str:
    """Return what messages cost in rooms of several sizes, ours and the specified way."""
    lines = [
        f"| {row['size']:,} | {row['ours']['free_messages_a_month']:,} | ${row['ours']['usd_a_million']:,.2f} "
        f"| {row['specified']['free_messages_a_month']:,} | ${row['specified']['usd_a_million']:,.2f} |"
        for row in rows("costs")
    ]
    head = "| people in the room | free messages a month | each further million | one after the other: free | million |"
    return "\n".join([head, "|--:|--:|--:|--:|--:|", *lines])


def costs_by_service() -> str:
    """Return the parts of what a million messages cost."""
    services = ("API Gateway", "Lambda", "DynamoDB")
    lines = [
        f"| {row['size']:,} | "
        + " | ".join(f"${row['ours']['usd_a_million_by_service'][name]:,.2f}" for name in services)
        + f" | {row['ours']['read_units']:g} | {row['ours']['write_units']:g} | {row['ours']['free_bound_by']} |"
        for row in rows("costs")
    ]
    head = f"| people in the room | {' | '.join(services)} | units read | units written | the free part ends by |"
    return "\n".join([head, "|--:|--:|--:|--:|--:|--:|---|", *lines])


def costs_by_memory() -> str:
    """Return what a function's memory does to its time and price, in each size of room."""
    by_memory = [(row["size"], one) for row in rows("costs") for one in row["ours_by_memory"]]
    lines = [
        f"| {size:,} | {one['memory_mb']:,} MB | {one['ms']:,.0f} ms | ${one['lambda_usd_a_million']:,.2f} |"
        for size, one in by_memory
    ]
    return "\n".join(
        ["| people in the room | memory | time of a message | Lambda, a million |", "|--:|--:|--:|--:|", *lines]
    )


def prices() -> str:
    """Return where the prices come from."""
    (source,) = {row["prices"] for row in rows("costs")}
    return source + "."


SECTIONS: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "README.md": {"configuration": configuration, "benchmarks": benchmarks, "costs": costs},
    ROOT / "docs" / "cost.md": {
        "costs": costs,
        "costs by service": costs_by_service,
        "costs by memory": costs_by_memory,
        "prices": prices,
    },
}
"""File → name of a section → what makes it."""


def section(text: str, name: str) -> str:
    """Return what stands in a section. Raises LookupError where there is none."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", text, re.DOTALL)
    if not found:
        raise LookupError(f"there is no section {name}")
    return found.group(1)


def write_tables() -> None:
    """Put every table into its file anew."""
    for path, sections in SECTIONS.items():
        text = path.read_text()
        for name, make in sections.items():
            old = section(text, name)
            text = text.replace(f"<!-- {name} -->\n{old}", f"<!-- {name} -->\n{make()}" + ("" if old else "\n"), 1)
        path.write_text(text)

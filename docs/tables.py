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
        for key, entry in yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"].items()
        if "type" in entry
    ]
    return "\n".join(["| key | default | what it is |", "|---|---|---|", *rows])


def _default(value: object) -> str:
    return "" if value in ("", []) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def costs() -> str:
    """Return what messages cost in rooms of several sizes, ours and the naive way."""
    lines = [
        f"| {row['size']:,} | {row['ours']['free_messages_a_month']:,} | ${row['ours']['usd_a_million']:,.2f} "
        f"| {row['naive']['free_messages_a_month']:,} | ${row['naive']['usd_a_million']:,.2f} |"
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


def worst_hour() -> str:
    """Return the most that a flood costs, before and after each defence, by service."""
    services = ("API Gateway", "transfer", "DynamoDB", "Lambda")
    lines = [
        f"| {row['case']} | "
        + " | ".join(f"${row['usd'][name]:,.2f}" for name in services)
        + f" | **${row['usd_an_hour']:,.2f}** | {_soon(row['minutes_to_5_usd'])} |"
        for row in rows("worst_hour")
    ]
    head = f"| defences | {' | '.join(services)} | in an hour | $5 after |"
    return "\n".join([head, "|---|--:|--:|--:|--:|--:|--:|", *lines])


def _soon(minutes: float | None) -> str:
    return "never" if minutes is None else f"{minutes:,.1f} min"


def visible_page() -> str:
    """Return what a visible page costs while nobody says anything."""
    lines = [
        f"| {row['members']:,} | {row['messages_an_hour']:,} | ${row['usd_an_hour']:.4f} "
        f"| {row['free_hours_a_month']:,} | {row['free_bound_by']} |"
        for row in rows("visible_page")
    ]
    head = "| people in the room | messages an hour | an hour | free hours a month | the free part ends by |"
    return "\n".join([head, "|--:|--:|--:|--:|---|", *lines])


def prices() -> str:
    """Return where the prices come from."""
    (source,) = {row["prices"] for row in rows("costs")}
    return source + "."


SECTIONS: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "docs" / "configuration.md": {"configuration": configuration},
    ROOT / "docs" / "cost.md": {
        "costs": costs,
        "costs by service": costs_by_service,
        "costs by memory": costs_by_memory,
        "worst hour": worst_hour,
        "visible page": visible_page,
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
        text = path.read_text(encoding="utf-8")
        for name, make in sections.items():
            old = section(text, name)
            text = text.replace(f"<!-- {name} -->\n{old}", f"<!-- {name} -->\n{make()}" + ("" if old else "\n"), 1)
        path.write_text(text, encoding="utf-8")

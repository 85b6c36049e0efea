"""Markdown tables generated from the config and the benchmarks, each between `<!-- name -->` and `<!-- /name -->`."""

import re
from collections.abc import Callable
from pathlib import Path

import yaml

from docgen import DOCS, ROOT, account_costs
from docgen.facts import rows


def configuration() -> str:
    """Return the config keys in Pulumi.yaml, with defaults and descriptions."""
    rows = [
        f"| `{key}` | {_default(entry['default'])} | {entry['description']} |"
        for key, entry in yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"].items()
        if "type" in entry
    ]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])


def _default(value: object) -> str:
    return "" if value in ("", []) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def costs() -> str:
    """Return the cost of messages by room size, for this chat and the naive one."""
    lines = [
        f"| {row['size']:,} | {row['ours']['free_messages_a_month']:,} | ${row['ours']['usd_a_million']:,.2f} "
        f"| {row['naive']['free_messages_a_month']:,} | ${row['naive']['usd_a_million']:,.2f} |"
        for row in rows("costs")
    ]
    head = "| people in the room | free messages a month | each further million | naive: free | naive: million |"
    return "\n".join([head, "|--:|--:|--:|--:|--:|", *lines])


def costs_by_service() -> str:
    """Return the cost of a million messages by service, and the DynamoDB units of one."""
    services = ("API Gateway", "Lambda", "DynamoDB")
    lines = [
        f"| {row['size']:,} | "
        + " | ".join(f"${row['ours']['usd_a_million_by_service'][name]:,.2f}" for name in services)
        + f" | {row['ours']['read_units']:g} | {row['ours']['write_units']:g} | {row['ours']['free_bound_by']} |"
        for row in rows("costs")
    ]
    head = f"| people in the room | {' | '.join(services)} | read units | write units | free messages limited by |"
    return "\n".join([head, "|--:|--:|--:|--:|--:|--:|---|", *lines])


def costs_by_memory() -> str:
    """Return a message's duration and Lambda cost by memory and room size."""
    by_memory = [(row["size"], one) for row in rows("costs") for one in row["ours_by_memory"]]
    lines = [
        f"| {size:,} | {one['memory_mb']:,} MB | {one['ms']:,.0f} ms | ${one['lambda_usd_a_million']:,.2f} |"
        for size, one in by_memory
    ]
    return "\n".join(
        ["| people in the room | memory | duration of a message | Lambda, per million |", "|--:|--:|--:|--:|", *lines]
    )


def worst_hour() -> str:
    """Return the maximum cost of an hour of flooding, by service, as each defence is added."""
    services = ("API Gateway", "transfer", "DynamoDB", "Lambda")
    lines = [
        f"| {row['case']} | "
        + " | ".join(f"${row['usd'][name]:,.2f}" for name in services)
        + f" | **${row['usd_an_hour']:,.2f}** | {_soon(row['minutes_to_5_usd'])} |"
        for row in rows("worst_hour")
    ]
    head = f"| defences | {' | '.join(services)} | total per hour | $5 reached after |"
    return "\n".join([head, "|---|--:|--:|--:|--:|--:|--:|", *lines])


def _soon(minutes: float | None) -> str:
    return "never" if minutes is None else f"{minutes:,.1f} min"


def visible_page() -> str:
    """Return the cost of a visible page in a quiet room."""
    lines = [
        f"| {row['members']:,} | {row['messages_an_hour']:,} | ${row['usd_an_hour']:.4f} "
        f"| {row['free_hours_a_month']:,} | {row['free_bound_by']} |"
        for row in rows("visible_page")
    ]
    head = "| people in the room | messages per hour | cost per hour | free hours a month | limited by |"
    return "\n".join([head, "|--:|--:|--:|--:|---|", *lines])


def prices() -> str:
    """Return the source of the prices."""
    (source,) = {row["prices"] for row in rows("costs")}
    return source + "."


SECTIONS: dict[Path, dict[str, Callable[[], str]]] = {
    DOCS / "configuration.md": {"configuration": configuration},
    DOCS / "cost.md": {
        "costs": costs,
        "costs by service": costs_by_service,
        "costs by memory": costs_by_memory,
        "worst hour": worst_hour,
        "visible page": visible_page,
        "accounts": account_costs.table,
        "accounts of a class": account_costs.class_table,
        "prices": prices,
    },
}
"""File → section → function that generates its table."""


def section(text: str, name: str) -> str:
    """Return the content of a section. Raises LookupError if it is missing."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", text, re.DOTALL)
    if not found:
        raise LookupError(f"there is no section {name}")
    return found.group(1)


def write_tables() -> None:
    """Replace every table in its file."""
    for path, sections in SECTIONS.items():
        text = path.read_text(encoding="utf-8")
        for name, make in sections.items():
            old = section(text, name)
            text = text.replace(f"<!-- {name} -->\n{old}", f"<!-- {name} -->\n{make()}" + ("" if old else "\n"), 1)
        path.write_text(text, encoding="utf-8")

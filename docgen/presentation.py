"""The presentation, one self-contained HTML file: its text is in slides.html, its figures come from this module."""

import base64
import io
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from docgen import DOCS, PICTURES
from docgen.diagram import ARCHITECTURE
from docgen.facts import rows, tests_by_layer
from docgen.send_diagram import SEND
from docgen.tables import prices
from local.plan import Plan, plan

SLIDES = Path(__file__).parent / "slides.html"
PRESENTATION = DOCS / "presentation.html"
PICTURE_WIDTH = 1200


def make_presentation() -> None:
    """Write docs/presentation.html. Raises FactMissingError if a figure is missing."""
    PRESENTATION.write_text(filled(plan()), encoding="utf-8")


def filled(planned: Plan) -> str:
    """Return the slides with figures of a program."""
    places: dict[str, Callable[[], str]] = {
        "architecture": lambda: embedded(ARCHITECTURE.read_bytes(), "svg+xml", "The architecture"),
        "send": lambda: embedded(SEND.read_bytes(), "svg+xml", "One send in time"),
        "routes": lambda: str(len(planned.all("Route"))),
        "objects": lambda: str(len(planned.all("BucketObjectv2"))),
        "resources": lambda: str(sum(one.custom for one in planned.resources)),
        "components": lambda: str(sum(not one.custom for one in planned.resources)),
        "tests": _tests,
        "rooms": _rooms,
        "time to all": lambda: bars(_measured("last_ms", lambda value: f"{value / 1000:,.2f} s")),
        "cpu per reader": lambda: bars(_measured("cpu_us_each", lambda value: f"{value:,.0f} µs")),
        "largest room": lambda: f"{_largest()['size']:,}",
        "costs": _costs,
        "flood without limits": lambda: f"${_worst_hours()[0]:,.0f}",
        "flood with the breaker": lambda: f"${_worst_hours()[1]:,.0f}",
        "prices": prices,
    }

    def fill(place: re.Match[str]) -> str:
        name, _, about = place.group(1).partition(": ")
        return picture(name, about) if about else places[name]()

    return re.sub(r"\{\{(.+?)\}\}", fill, SLIDES.read_text(encoding="utf-8"))


def picture(name: str, about: str) -> str:
    """Return a picture from docs/pictures/, embedded and scaled down."""
    with Image.open(PICTURES / name) as image:
        shown = image.convert("RGB")
        shown.thumbnail((PICTURE_WIDTH, PICTURE_WIDTH), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        shown.save(buffer, "WEBP", quality=86)
    return embedded(buffer.getvalue(), "webp", about)


def embedded(data: bytes, kind: str, about: str) -> str:
    """Return an image whose data is in its URL."""
    return f'<img alt="{escape(about)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


def table(head: Sequence[str], lines: Iterable[Sequence[str]], numbers: tuple[int, ...] = ()) -> str:
    """Return a table; columns in `numbers` are aligned right."""

    def cells(tag: str, values: Sequence[str]) -> str:
        kinds = [" class=number" if index in numbers else "" for index in range(len(values))]
        return "".join(f"<{tag}{kind}>{escape(value)}</{tag}>" for kind, value in zip(kinds, values, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in lines)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"


def bars(lines: Sequence[tuple[str, float, str]]) -> str:
    """Return a bar chart of (label, value, value as text)."""
    most = max(value for _, value, _ in lines)
    drawn = [
        f'<span>{escape(label)}</span><span class="bar" style="width:{value / most:.2%}"></span><b>{escape(words)}</b>'
        for label, value, words in lines
    ]
    return f'<div class="bars">{"".join(drawn)}</div>'


def layers() -> dict[str, str]:
    """Return the folders of tests/ and what they test, from docs/testing.md."""
    return dict(
        re.findall(r"^\| `tests/(\w+)` \| (.+) \|$", (DOCS / "testing.md").read_text(encoding="utf-8"), re.MULTILINE)
    )


def _tests() -> str:
    counts, described = tests_by_layer(), layers()
    lines = [(f"tests/{layer}", described[layer].replace("`", ""), f"{count:,}") for layer, count in counts.items()]
    return table(("folder", "tests", "number"), [*lines, ("all", "", f"{sum(counts.values()):,}")], (2,))


def _largest() -> dict[str, Any]:
    return max(rows("rooms"), key=lambda row: row["size"])


def _measured(column: str, words: Callable[[float], str]) -> list[tuple[str, float, str]]:
    """Return a figure for the largest room, for each way of posting."""
    ways = {"naive": "boto3, one by one", "threads": "boto3, 32 threads", "ours": "our engine"}
    return [(label, _largest()[way][column], words(_largest()[way][column])) for way, label in ways.items()]


def _rooms() -> str:
    head = ("readers", "ours: last reader", "naive: last reader", "times faster", "ours: CPU per reader", "peak memory")
    body = [
        (
            f"{row['size']:,}",
            f"{row['ours']['last_ms']:,.0f} ms",
            f"{row['naive']['last_ms']:,.0f} ms",
            f"{row['times_sooner']:,.0f}",
            f"{row['ours']['cpu_us_each']:,.0f} µs",
            f"{row['ours']['peak_mb']:,.0f} MB",
        )
        for row in rows("rooms")
    ]
    return table(head, body, tuple(range(len(head))))


def _worst_hours() -> tuple[float, float]:
    """Return the cost of an hour of flooding with the default config, without the limits and with all of them."""
    hours = [row for row in rows("worst_hour") if not row["case"].startswith("accounts")]
    return hours[0]["usd_an_hour"], max(row["usd_an_hour"] for row in hours if "breaker" in row["case"])


def _costs() -> str:
    head = ("people in the room", "free messages a month", "each further million", "naive: free", "naive: million")
    body = [
        (
            f"{row['size']:,}",
            f"{row['ours']['free_messages_a_month']:,}",
            f"${row['ours']['usd_a_million']:,.2f}",
            f"{row['naive']['free_messages_a_month']:,}",
            f"${row['naive']['usd_a_million']:,.2f}",
        )
        for row in rows("costs")
    ]
    return table(head, body, tuple(range(len(head))))

"""The presentation: one HTML file that needs nothing else. docs/slides.html has its words, this module its figures."""

import base64
import io
import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

from docs.diagram import ARCHITECTURE
from docs.facts import rows, tests_by_layer
from docs.pictures import PICTURES
from docs.tables import prices
from local.plan import plan

HERE = Path(__file__).resolve().parent
PRESENTATION = HERE / "presentation.html"
PICTURE_WIDTH = 1200
LAYERS = {
    "unit": "the functions: frames, limits, guarantees, failing stores, the fan-out",
    "stack": "the program under Pulumi's mocks: resources, policies, what emulators hide",
    "local": "the local run: taken ports, Ctrl-C, saved files, syntax errors",
    "end_to_end": "real sockets against the deployed program, IAM enforced",
    "faults": "links cut, stalled, doubled; failing stores and posts; a checker over all that was said",
    "smoke": "the check of a deployed stack, against a local one",
    "benchmarks": "the benchmarks' own arithmetic",
    "browser": "the page in a real Chromium",
    "docs": "links, commands, paths and names in the documents",
}


def make_presentation() -> None:
    """Write docs/presentation.html. Raises FactMissingError where a figure is not there."""
    planned = plan()
    places: dict[str, Callable[[], str]] = {
        "architecture": lambda: embedded(ARCHITECTURE.read_bytes(), "svg+xml", "The architecture"),
        "routes": lambda: str(len(planned.all("Route"))),
        "objects": lambda: str(len(planned.all("BucketObjectv2"))),
        "resources": lambda: str(sum(one.custom for one in planned.resources)),
        "components": lambda: str(sum(not one.custom for one in planned.resources)),
        "tests": _tests,
        "rooms": _rooms,
        "time to all": lambda: bars(_measured("last_ms", lambda value: f"{value / 1000:,.2f} s")),
        "work for a reader": lambda: bars(_measured("cpu_us_each", lambda value: f"{value:,.0f} µs")),
        "largest room": lambda: f"{_largest()['size']:,}",
        "costs": _costs,
        "prices": prices,
    }

    def fill(place: re.Match[str]) -> str:
        name, _, about = place.group(1).partition(": ")
        return picture(name, about) if about else places[name]()

    PRESENTATION.write_text(
        re.sub(r"\{\{(.+?)\}\}", fill, (HERE / "slides.html").read_text(encoding="utf-8")), encoding="utf-8"
    )


def picture(name: str, about: str) -> str:
    """Return a picture of docs/pictures/, in the page itself."""
    with Image.open(PICTURES / name) as image:
        shown = image.convert("RGB")
        shown.thumbnail((PICTURE_WIDTH, PICTURE_WIDTH), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        shown.save(buffer, "WEBP", quality=86)
    return embedded(buffer.getvalue(), "webp", about)


def embedded(data: bytes, kind: str, about: str) -> str:
    """Return an image that lies in the page itself."""
    return f'<img alt="{escape(about)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


def table(head: Sequence[str], lines: Iterable[Sequence[str]], numbers: tuple[int, ...] = ()) -> str:
    """Return a table; the columns in `numbers` stand to the right."""

    def cells(tag: str, values: Sequence[str]) -> str:
        kinds = [" class=number" if index in numbers else "" for index in range(len(values))]
        return "".join(f"<{tag}{kind}>{escape(value)}</{tag}>" for kind, value in zip(kinds, values, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in lines)
    return f"<table><thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"


def bars(lines: Sequence[tuple[str, float, str]]) -> str:
    """Return a bar chart of label, value, and the value in words; its bars are on one scale."""
    most = max(value for _, value, _ in lines)
    drawn = [
        f'<span>{escape(label)}</span><span class="bar" style="width:{value / most:.2%}"></span><b>{escape(words)}</b>'
        for label, value, words in lines
    ]
    return f'<div class="bars">{"".join(drawn)}</div>'


def _tests() -> str:
    counts = tests_by_layer()
    lines = [(f"tests/{layer}", LAYERS[layer], f"{count:,}") for layer, count in counts.items()]
    return table(("layer", "what it catches", "tests"), [*lines, ("all", "", f"{sum(counts.values()):,}")], (2,))


def _largest() -> dict[str, Any]:
    return max(rows("rooms"), key=lambda row: row["size"])


def _measured(column: str, words: Callable[[float], str]) -> list[tuple[str, float, str]]:
    """Return a figure of the largest room, for each way of posting to it."""
    ways = {"naive": "boto3, one by one", "threads": "boto3, 32 threads", "ours": "this engine"}
    return [(label, _largest()[way][column], words(_largest()[way][column])) for way, label in ways.items()]


def _rooms() -> str:
    head = ("readers", "this: last reader", "one by one", "times sooner", "CPU each", "peak memory")
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


def _costs() -> str:
    head = ("people in the room", "free messages a month", "each further million", "one by one: free", "million")
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

"""Draws the figures of the benchmarks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

mpl.use("Agg")  # files only, no display
from matplotlib import pyplot as plt

OURS, THREADS, NAIVE = "#667eea", "#e0a458", "#b0b4bf"


def plot_rooms(rows: list[dict[str, Any]], target: Path) -> None:
    """Draw time to the last reader and CPU by room size, on logarithmic axes."""
    sizes = [row["size"] for row in rows]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for axis, measure, scale, label in (
        (axes[0], "last_ms", 1e-3, "seconds to the last reader"),
        (axes[1], "cpu_us_each", 1e-3, "milliseconds of CPU per reader"),
    ):
        for way, name, color in (
            ("naive", "scan + boto3, one by one", NAIVE),
            ("threads", "scan + boto3, 32 threads", THREADS),
            ("ours", "this chat", OURS),
        ):
            values = [row[way][measure] * scale for row in rows]
            axis.plot(sizes, values, marker="o", color=color, label=name, linewidth=2.2)
            axis.annotate(f"{values[-1]:.3g}", (sizes[-1], values[-1]), textcoords="offset points", xytext=(6, -3))
        axis.set(xscale="log", yscale="log", xlabel="readers in the room", ylabel=label)
        axis.grid(visible=True, which="major", alpha=0.25)
        axis.margins(x=0.12)
    axes[0].legend(frameon=False, loc="upper left")
    figure.suptitle("One message to a whole room: 10,000 connected, TLS, 10 ms per post")
    _save(figure, target)


def plot_latencies(seconds: Sequence[float], marks_ms: Mapping[str, float], title: str, target: Path) -> None:
    """Draw the cumulative distribution of latencies, with marked percentiles, on a logarithmic axis."""
    ordered = sorted(seconds)
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    shares = [(rank + 1) / len(ordered) * 100 for rank in range(len(ordered))]
    axis.plot([one * 1e3 for one in ordered], shares, color=OURS)
    for name, at in marks_ms.items():
        axis.axvline(at, color=NAIVE, linewidth=0.8)
        axis.annotate(f"{name} {at:.0f} ms", (at, int(name[1:])), textcoords="offset points", xytext=(5, -10))
    axis.set(xscale="log", xlabel="ms from sending to being shown", ylabel="% of copies", ylim=(0, 101))
    axis.set_title(title)
    _save(figure, target)


def _save(figure: Figure, target: Path) -> None:
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=130, metadata={"Software": None})
    plt.close(figure)

"""The picture for the README: time to the last reader, ours and the usual ways."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no window
from matplotlib import pyplot as plt

OURS, THREADS, NAIVE = "#667eea", "#e0a458", "#b0b4bf"


def plot_rooms(rows: list[dict[str, Any]], target: Path) -> None:
    """Draw the rooms' times and CPU, both axes logarithmic."""
    sizes = [row["size"] for row in rows]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for axis, measure, scale, label in (
        (axes[0], "last_ms", 1e-3, "seconds to the last reader"),
        (axes[1], "cpu_us_each", 1e-3, "milliseconds of CPU a reader"),
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
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.12)
    axes[0].legend(frameon=False, loc="upper left")
    figure.suptitle("One message to a whole room: 10,000 connected, TLS, 10 ms a post")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=130, metadata={"Software": None})
    plt.close(figure)

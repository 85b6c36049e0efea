"""A container's start, its first event and a later one: CPU and wall time, beside the specified functions'."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.costs import MEMORY_SIZES_MB, lambda_usd, seconds_with
from benchmarks.scene import LATENCY, Scene, event, message, room

SENDER = room(5)[0]
ROUTES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "$connect": ("connect", "connect_handler", event("$connect", SENDER)),
    "$disconnect": ("disconnect", "disconnect_handler", event("$disconnect", SENDER)),
    "sendmessage": ("sendmessage", "lambda_handler", message(SENDER)),
    "join": ("join", "", event("join", SENDER, {"action": "join", "room": "room-one"})),
    "history": ("history", "", event("history", SENDER, {"action": "history"})),
    "typing": ("typing_notice", "", event("typing", SENDER, {"action": "typing"})),
    "ping": ("ping", "", event("ping", SENDER, {"action": "ping"})),
    "$default": ("default", "default_handler", event("nonsense", SENDER, {"action": "nonsense"})),
}


WARM_EVENTS = 8


def cold_starts(repeats: int) -> Iterator[dict[str, Any]]:
    """Start each function anew, among five in a room."""
    with Scene() as scene:
        scene.fill(room(5))
        for route, (module, specified, frame) in ROUTES.items():
            row: dict[str, Any] = {"benchmark": f"cold start of {route}", "route": route}
            row["ours"] = _started(scene, module, "lambda_handler", frame, repeats)
            row["by_memory"] = [_with_memory(row["ours"], memory) for memory in MEMORY_SIZES_MB]
            if specified:
                row["specified"] = _started(scene, "benchmarks.baseline", specified, frame, repeats)
                row["times_less_cpu"] = round(_cpu(row["specified"]) / _cpu(row["ours"]), 1)
            yield row


def _cpu(row: dict[str, float]) -> float:
    return row["import_cpu_ms"] + row["event_cpu_ms"]


def _with_memory(row: dict[str, float], memory_mb: int) -> dict[str, float]:
    warm = seconds_with(memory_mb, row["warm_wall_ms"], row["warm_cpu_ms"])
    return {
        "memory_mb": memory_mb,
        "first_ms": round(seconds_with(memory_mb, row["event_wall_ms"], row["event_cpu_ms"]), 1),
        "warm_ms": round(warm, 1),
        "usd_a_million": round(lambda_usd(memory_mb, warm / 1e3) * 1e6, 2),
    }


def _started(scene: Scene, module: str, handler: str, frame: dict[str, Any], repeats: int) -> dict[str, float]:
    starts, firsts, later = [], [], []
    for _ in range(repeats):
        scene.connections.ask({"latency": LATENCY})
        with scene.container(module, handler) as container:
            starts.append(container.started)
            firsts.append(container.ask({"event": frame}))
            later += [container.ask({"event": frame}) for _ in range(WARM_EVENTS)]
    return {
        "import_cpu_ms": _median_ms(starts, "cpu"),
        "import_wall_ms": _median_ms(starts, "wall"),
        "event_cpu_ms": _median_ms(firsts, "cpu"),
        "event_wall_ms": _median_ms(firsts, "wall"),
        "warm_cpu_ms": _median_ms(later, "cpu"),
        "warm_wall_ms": _median_ms(later, "wall"),
        "peak_mb": round(max(run["peak_mb"] for run in later), 1),
    }


def _median_ms(runs: list[dict[str, Any]], of: str) -> float:
    return round(median(run[of] for run in runs) * 1e3, 1)

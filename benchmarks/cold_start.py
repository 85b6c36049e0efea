"""The first event of a container: CPU and wall time of its import and of the event, beside the specified functions'."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.scene import Scene, event, message, room

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


def cold_starts(repeats: int) -> Iterator[dict[str, Any]]:
    """Start each function anew, among five in a room."""
    with Scene() as scene:
        scene.fill(room(5))
        for route, (module, specified, frame) in ROUTES.items():
            row: dict[str, Any] = {"benchmark": f"cold start of {route}", "route": route}
            row["ours"] = _started(scene, module, "lambda_handler", frame, repeats)
            if specified:
                row["specified"] = _started(scene, "benchmarks.baseline", specified, frame, repeats)
                row["times_less_cpu"] = round(_cpu(row["specified"]) / _cpu(row["ours"]), 1)
            yield row


def _cpu(row: dict[str, float]) -> float:
    return row["import_cpu_ms"] + row["event_cpu_ms"]


def _started(scene: Scene, module: str, handler: str, frame: dict[str, Any], repeats: int) -> dict[str, float]:
    runs = []
    for _ in range(repeats):
        scene.connections.ask({"latency": 0.01})
        with scene.container(module, handler) as container:
            runs.append((container.started, container.ask({"event": frame})))
    return {
        "import_cpu_ms": round(median(start["cpu"] for start, _ in runs) * 1e3, 1),
        "import_wall_ms": round(median(start["wall"] for start, _ in runs) * 1e3, 1),
        "event_cpu_ms": round(median(first["cpu"] for _, first in runs) * 1e3, 1),
        "event_wall_ms": round(median(first["wall"] for _, first in runs) * 1e3, 1),
        "peak_mb": round(max(first["peak_mb"] for _, first in runs), 1),
    }

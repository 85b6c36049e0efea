"""Measures cold starts, against the naive baseline and in the first minute of a new user."""

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.costs import MEMORY_SIZES_MB, lambda_usd, seconds_with
from benchmarks.scene import LATENCY, Scene, event, message, room
from benchmarks.store_stub import ROOM
from chat.routes import ROUTES

if TYPE_CHECKING:
    from benchmarks.processes import Process

SENDER = room(5)[0]
FRAMES: dict[str, dict[str, Any]] = {
    "join": {"action": "join", "room": ROOM},
    "leave": {"action": "leave", "room": ROOM},
    "$default": {"action": "nonsense"},
}
"""Route → its frame, if that has more than the action."""

EVENTS = {route: event(route, SENDER, FRAMES.get(route, {"action": route})) for route in ROUTES} | {
    "$connect": event("$connect", SENDER),
    "$disconnect": event("$disconnect", SENDER),
    "sendmessage": message(SENDER),
}
NAIVE = {
    "$connect": "connect_handler",
    "$disconnect": "disconnect_handler",
    "sendmessage": "lambda_handler",
    "$default": "default_handler",
}
"""Route → handler of benchmarks/baseline.py."""

FIRST_MINUTE = ("$connect", "join", "typing", "sendmessage", "ping", "history")
WARM_EVENTS = 5


def cold_starts(repeats: int) -> Iterator[dict[str, Any]]:
    """Measure a cold start of each route's function, in a room of five."""
    with Scene() as scene:
        scene.fill(room(5))
        for route, function in ROUTES.items():
            row: dict[str, Any] = {"benchmark": f"cold start of {route}", "route": route, "function": function.name}
            row["ours"] = _started(scene, function.module, "lambda_handler", EVENTS[route], repeats)
            row["by_memory"] = [_with_memory(row["ours"], memory) for memory in MEMORY_SIZES_MB]
            if route in NAIVE:
                row["naive"] = _started(scene, "benchmarks.baseline", NAIVE[route], EVENTS[route], repeats)
                row["times_less_cpu"] = round(_cpu(row["naive"]) / _cpu(row["ours"]), 1)
            yield row


def first_minutes(repeats: int) -> Iterator[dict[str, Any]]:
    """Connect, join, type, send, ping and page back as a new user, with all functions cold."""
    with Scene() as scene:
        scene.fill(room(5))
        runs = [_first_minute(scene) for _ in range(repeats)]
    steps = [
        {
            "route": route,
            "function": ROUTES[route].name,
            "is_cold": runs[0][number]["is_cold"],
            "ms": round(median(run[number]["seconds"] for run in runs) * 1e3, 1),
        }
        for number, route in enumerate(FIRST_MINUTE)
    ]
    yield {
        "benchmark": "first minute of a new user",
        "cold_functions": sum(step["is_cold"] for step in steps),
        "ms": round(sum(step["ms"] for step in steps), 1),
        "steps": steps,
    }


def _first_minute(scene: Scene) -> list[dict[str, Any]]:
    """Return for each step whether its function was cold, and the seconds it took with the function's memory."""
    scene.connections.ask({"latency": LATENCY})
    steps = []
    with ExitStack() as stack:
        containers: dict[str, Process] = {}
        for route in FIRST_MINUTE:
            function = ROUTES[route]
            is_cold = function.module not in containers
            if is_cold:
                containers[function.module] = stack.enter_context(scene.container(function.module))
            container = containers[function.module]
            done = container.ask({"event": EVENTS[route]})
            seconds = seconds_with(function.memory_mb, done["wall"], done["cpu"])
            steps.append({"is_cold": is_cold, "seconds": seconds + container.started["wall"] * is_cold})
    return steps


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

"""Applies the cost model to measured messages, ours and the naive baseline's, by room size and memory."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks import costs
from benchmarks.costs import MEMORY_SIZES_MB, Message
from benchmarks.rooms import Row, naive, ours
from benchmarks.scene import Scene, room
from chat.routes import SEND_MESSAGE

SIZES = (5, 50, 500)
CONNECTED = 1_000
"""Total connections, all of which the naive baseline reads for each message."""
NAIVE_MB = 256


def bills(repeats: int, most_serial: int) -> Iterator[dict[str, Any]]:
    """Measure a message in each room and compute its cost."""
    with Scene() as scene:
        for size in SIZES:
            scene.fill(room(size), CONNECTED)
            fast = _message(ours(scene, size, repeats, 8000), size, SEND_MESSAGE.memory_mb)
            usual = _message(naive(scene, size, "lambda_handler", most_serial), size, NAIVE_MB)
            bill, naive_bill = _bill(fast), _bill(usual)
            yield {
                "benchmark": f"cost of a message in a room of {size}",
                "size": size,
                "connected": CONNECTED,
                "prices": costs.PRICES_SOURCE,
                "ours": bill,
                "naive": naive_bill,
                "times_naive": round(bill["usd_a_million"] / naive_bill["usd_a_million"], 2),
                "ours_by_memory": [_memory(replace(fast, memory_mb=memory)) for memory in MEMORY_SIZES_MB],
            }


def _message(row: Row, size: int, memory_mb: int) -> Message:
    return Message(
        recipients=size,
        wall=row["wall_ms"] / 1e3,
        cpu=row["cpu_ms"] / 1e3,
        memory_mb=memory_mb,
        read_units=row["read_units"],
        write_units=row["write_units"],
    )


def _bill(message: Message) -> dict[str, Any]:
    usd = message.usd()
    free = message.free_a_month()
    bound = min(free, key=lambda name: free[name])
    return {
        "memory_mb": message.memory_mb,
        "seconds": round(message.seconds, 4),
        "read_units": message.read_units,
        "write_units": message.write_units,
        "free_messages_a_month": free[bound],
        "free_bound_by": bound,
        "usd_a_million": round(sum(usd.values()) * 1e6, 2),
        "usd_a_million_by_service": {name: round(one * 1e6, 2) for name, one in usd.items()},
    }


def _memory(message: Message) -> dict[str, float]:
    return {
        "memory_mb": message.memory_mb,
        "ms": round(message.seconds * 1e3, 1),
        "lambda_usd_a_million": round(message.usd()["Lambda"] * 1e6, 2),
    }

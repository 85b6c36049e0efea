"""Measures how long a message takes to reach a whole room, and its resources, against the naive baseline."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from benchmarks.scene import Measured, Scene, room

Row = dict[str, Any]
NO_CEILING = 1_000_000


@dataclass(frozen=True)
class Extent:
    """The amount of work to run."""

    sizes: tuple[int, ...] = (10, 100, 1_000, 10_000)
    repeats: int = 5
    most_serial: int = 200
    """Maximum of posts run by the naive baseline; the rest is extrapolated."""
    most_threads: int = 3_000
    """The same with 32 threads."""
    contended: int = 1_000
    """Messages at each rate of the contention benchmark."""


QUICK = Extent(sizes=(10, 1_000), repeats=2, most_serial=60, most_threads=300, contended=300)


def ours(scene: Scene, size: int, repeats: int, posts_per_second: float) -> Row:
    """Return the cold message and the median warm one of our function."""
    with scene.container("sendmessage", posts_per_second=posts_per_second) as container:
        cold, *warm = [scene.send(container) for _ in range(1 + repeats)]
    return {"cold": figures(cold, size), **medians(warm, size)}


def medians(runs: list[Measured], size: int) -> Row:
    """Return the medians of warm messages, and the fastest; counts are those of the last message."""
    middle = replace(
        runs[-1],
        first=median(run.first for run in runs),
        last=median(run.last for run in runs),
        wall=median(run.wall for run in runs),
        cpu=median(run.cpu for run in runs),
        new_sockets=sum(run.new_sockets for run in runs),
    )
    return figures(middle, size) | {"fastest_ms": round(min(run.last for run in runs) * 1e3, 1)}


def figures(run: Measured, size: int) -> Row:
    """Return a message's figures in readable units."""
    return {
        "first_ms": round(run.first * 1e3, 1),
        "last_ms": round(run.last * 1e3, 1),
        "wall_ms": round(run.wall * 1e3, 1),
        "cpu_ms": round(run.cpu * 1e3, 1),
        "cpu_us_each": round(run.cpu / size * 1e6, 1),
        "delivered": run.delivered,
        "limited": run.limited,
        "read_units": run.read_units,
        "write_units": run.write_units,
        "requests": run.requests,
        "peak_mb": round(run.peak_mb, 1),
        "new_sockets": run.new_sockets,
    }


def naive(scene: Scene, size: int, handler: str, most: int, repeats: int = 1) -> Row:
    """Return a message of the naive baseline, extrapolated from `most` posts if the room is larger.

    Its posts are sequential and take equal time. An event without posts measures the work before them.
    """
    posts = min(size, most)
    with scene.container("benchmarks.baseline", handler) as container:
        scene.send(container, most_posts=min(posts, 40))  # creates its clients and opens its sockets
        none = scene.send(container, most_posts=0)
        runs = [scene.send(container, most_posts=posts) for _ in range(repeats)]
    return figures(extrapolated(none, sorted(runs, key=lambda run: run.last)[len(runs) // 2], size), size) | {
        "extrapolated_from": posts if posts < size else None
    }


def extrapolated(none: Measured, run: Measured, size: int) -> Measured:
    """Extrapolate a message to `size` posts, given one without posts and one with some."""
    if run.delivered >= size or run.delivered <= 1:
        return run
    each = (run.last - run.first) / (run.delivered - 1)
    cpu_each = (run.cpu - none.cpu) / run.delivered
    last = run.first + each * (size - 1)
    return replace(run, last=last, wall=last + run.wall - run.last, cpu=none.cpu + cpu_each * size, delivered=size)


def rooms(extent: Extent) -> Iterator[Row]:
    """Measure rooms with 10,000 connected and TLS, against the naive baseline, also with 32 threads."""
    with Scene() as scene:
        for size in extent.sizes:
            scene.fill(room(size))
            fast = ours(scene, size, extent.repeats, 8000)
            serial = naive(scene, size, "lambda_handler", extent.most_serial)
            threads = naive(scene, size, "threads_handler", extent.most_threads)
            yield {
                "benchmark": f"room of {size:,}",
                "size": size,
                "tls": True,
                "ours": fast,
                "naive": serial,
                "threads": threads,
                "times_sooner": round(serial["last_ms"] / fast["last_ms"], 1),
                "times_sooner_than_threads": round(threads["last_ms"] / fast["last_ms"], 1),
                "times_less_cpu": round(serial["cpu_us_each"] / fast["cpu_us_each"], 1),
            }


def variants(extent: Extent) -> Iterator[Row]:
    """Measure the largest room unchanged, without the ceiling, and without TLS."""
    size = extent.sizes[-1]
    for name, tls, ceiling in (
        ("with the ceiling of 8,000 a second", True, 8000),
        ("without the ceiling", True, NO_CEILING),
        ("without TLS", False, 8000),
    ):
        with Scene(tls=tls) as scene:
            scene.fill(room(size))
            row = ours(scene, size, extent.repeats, ceiling)
        yield {"benchmark": f"room of {size:,} {name}", "size": size, "tls": tls, "ours": row}


MOST_FAULTY = 3
"""Maximum of warm messages to rooms with bad peers, because cleaning up after one takes seconds."""

PEERS: dict[str, dict[str, float]] = {
    "all healthy": {},
    "5 % gone and 5 % slow": {"gone": 0.05, "slow": 0.05},
    "5 % throttled": {"throttled": 0.05},
}


def faults(extent: Extent) -> Iterator[Row]:
    """Measure when the last healthy reader of the largest room gets its copy, with bad peers in the room.

    The rooms take turns, so other load on the machine affects them equally.
    """
    size = extent.sizes[-1]
    with ExitStack() as stack:
        scenes = {name: stack.enter_context(Scene()) for name in PEERS}
        for name, scene in scenes.items():
            scene.fill(room(size, **PEERS[name]))
        containers = {name: stack.enter_context(scene.container("sendmessage")) for name, scene in scenes.items()}
        turns = [
            {name: scene.send(containers[name]) for name, scene in scenes.items()}
            for _ in range(1 + min(extent.repeats, MOST_FAULTY))
        ]
    healthy = next(iter(PEERS))
    for name in PEERS:
        cold, *warm = [turn[name] for turn in turns]
        later = [turn[name].last / turn[healthy].last for turn in turns]
        yield {
            "benchmark": f"room of {size:,}: {name}",
            "size": size,
            "ours": {"cold": figures(cold, size), **medians(warm, size)},
            "times_later": round(median(later[1:]), 2),
            "times_later_cold": round(later[0], 2),
        }

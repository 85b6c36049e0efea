"""`python -m benchmarks`: run the benchmarks; print each as a table, followed by its rows as lines of JSON."""

import argparse
import select
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from benchmarks import ROOT, report
from benchmarks.bills import bills
from benchmarks.ceiling import stub_ceiling
from benchmarks.cold_start import cold_starts, first_minutes
from benchmarks.contention import contention
from benchmarks.hot_spots import hot_spots
from benchmarks.plot import plot_rooms
from benchmarks.report import Columns, Row
from benchmarks.rooms import QUICK, Extent, faults, rooms, variants

RESULTS = ROOT / "benchmarks" / "results"
PICTURE = ROOT / "docs" / "pictures" / "fan-out.png"
DOCUMENT = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Benchmark:
    """One benchmark and its table."""

    title: str
    run: Callable[[Extent], Iterable[Row]]
    columns: Columns


def _ours(column: str) -> Callable[[Row], object]:
    return lambda row: row["ours"][column]


def _of(way: str, column: str) -> Callable[[Row], object]:
    return lambda row: row[way][column]


OF_A_ROOM: Columns = {
    "": lambda row: row["benchmark"],
    "last, ms": _ours("last_ms"),
    "fastest, ms": _ours("fastest_ms"),
    "last (cold), ms": lambda row: row["ours"]["cold"]["last_ms"],
    "CPU per reader, µs": _ours("cpu_us_each"),
    "CPU per reader (cold), µs": lambda row: row["ours"]["cold"]["cpu_us_each"],
    "sockets": lambda row: row["ours"]["cold"]["new_sockets"] + row["ours"]["new_sockets"],
    "429s": _ours("limited"),
    "peak memory, MB": _ours("peak_mb"),
    "read units": _ours("read_units"),
    "DynamoDB requests": _ours("requests"),
}

BENCHMARKS = {
    "stub": Benchmark(
        "Ceiling of the stub",
        lambda extent: stub_ceiling(extent.sizes[-1] * 2),
        {
            "": lambda row: row["benchmark"],
            "posts per second from one engine": lambda row: row["posts_per_second"],
            "ceiling of the stub per second": lambda row: row["stub_ceiling_per_second"],
            "stub: CPU per post, µs": lambda row: row["stub_cpu_us_each"],
            "engine: CPU per post, µs": lambda row: row["engine_cpu_us_each"],
        },
    ),
    "rooms": Benchmark(
        "One message to a room, 10,000 connected (warm containers, TLS, 10 ms per post, 5 ms per DynamoDB request)",
        rooms,
        {
            "readers": lambda row: row["size"],
            "ours: last, ms": _ours("last_ms"),
            "ours: fastest, ms": _ours("fastest_ms"),
            "naive: last, ms": _of("naive", "last_ms"),
            "measured posts": _of("naive", "extrapolated_from"),
            "32 threads: last, ms": _of("threads", "last_ms"),
            "times faster": lambda row: row["times_sooner"],
            "ours: CPU per reader, µs": _ours("cpu_us_each"),
            "naive: CPU per reader, µs": _of("naive", "cpu_us_each"),
            "times less CPU": lambda row: row["times_less_cpu"],
            "ours: peak memory, MB": _ours("peak_mb"),
            "ours: units read, written": lambda row: f"{row['ours']['read_units']:g}, {row['ours']['write_units']:g}",
            "naive: units read, written": lambda row: (
                f"{row['naive']['read_units']:g}, {row['naive']['write_units']:g}"
            ),
        },
    ),
    "variants": Benchmark("The largest room, with one thing changed at a time", variants, OF_A_ROOM),
    "contention": Benchmark(
        "Many people write to one room at once (virtual time, 5 ms per DynamoDB request)",
        lambda extent: contention(extent.contended),
        {
            "messages per second": lambda row: row["per_second"],
            "puts per message": lambda row: row["puts_a_message"],
            "write units per message": lambda row: row["write_units"],
            "writes to the partition per second": lambda row: row["partition_writes_per_second"],
            "acknowledgement p50, ms": lambda row: row["p50_ms"],
            "acknowledgement p99, ms": lambda row: row["p99_ms"],
            "`busy` errors": lambda row: f"{row['busy_share']:.1%}",
        },
    ),
    "faults": Benchmark(
        "The largest room with bad peers",
        faults,
        {
            **OF_A_ROOM,
            "slowdown": lambda row: row["times_later"],
            "slowdown (cold)": lambda row: row["times_later_cold"],
        },
    ),
    "cold_start": Benchmark(
        "Cold start: import and first event",
        lambda extent: cold_starts(extent.repeats),
        {
            "": lambda row: row["route"],
            "ours: import, ms of CPU": _ours("import_cpu_ms"),
            "ours: event, ms of CPU": _ours("event_cpu_ms"),
            "ours: event, ms": _ours("event_wall_ms"),
            "ours: later events, ms": _ours("warm_wall_ms"),
            "naive: import, ms of CPU": _of("naive", "import_cpu_ms"),
            "naive: event, ms of CPU": _of("naive", "event_cpu_ms"),
            "naive: event, ms": _of("naive", "event_wall_ms"),
            "naive: later events, ms": _of("naive", "warm_wall_ms"),
            "times less CPU": lambda row: row["times_less_cpu"],
            "ours: memory, MB": _ours("peak_mb"),
            "naive: memory, MB": _of("naive", "peak_mb"),
        },
    ),
    "first_minute": Benchmark(
        "The first minute of a new user, with all functions cold",
        lambda extent: first_minutes(extent.repeats),
        {
            "cold functions": lambda row: row["cold_functions"],
            "total wait, ms": lambda row: row["ms"],
            "steps, ms": lambda row: ", ".join(
                f"{step['route']} {step['ms']:.0f}{' (cold)' if step['is_cold'] else ''}" for step in row["steps"]
            ),
        },
    ),
    "costs": Benchmark(
        "What a message costs (1,000 connected)",
        lambda extent: bills(extent.repeats, extent.most_serial),
        {
            "readers": lambda row: row["size"],
            "ours: free messages a month": _ours("free_messages_a_month"),
            "limited by": _ours("free_bound_by"),
            "ours: $ per further million": _ours("usd_a_million"),
            "of which API Gateway": lambda row: row["ours"]["usd_a_million_by_service"]["API Gateway"],
            "Lambda": lambda row: row["ours"]["usd_a_million_by_service"]["Lambda"],
            "DynamoDB": lambda row: row["ours"]["usd_a_million_by_service"]["DynamoDB"],
            "naive: free messages a month": _of("naive", "free_messages_a_month"),
            "naive: limited by": _of("naive", "free_bound_by"),
            "naive: $ per further million": _of("naive", "usd_a_million"),
            "ratio to naive": lambda row: row["times_naive"],
        },
    ),
    "profile": Benchmark(
        "Where the CPU time goes",
        lambda extent: hot_spots(extent.sizes[-1]),
        {
            "": lambda row: row["benchmark"],
            "shares": lambda row: ", ".join(f"{name} {share:.0%}" for name, share in row["parts"].items()),
        },
    ),
}


def main() -> int:
    """Run the benchmarks; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Run the benchmarks; print each as a table and as lines of JSON.",
    )
    parser.add_argument("--quick", action="store_true", help="smaller rooms and fewer repeats: about two minutes")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=list(BENCHMARKS),
        default=list(BENCHMARKS),
        metavar="NAME",
        help=f"run only these, of {', '.join(BENCHMARKS)}",
    )
    parser.add_argument("--repeats", type=int, help="warm messages per row, of which the median is reported")
    parser.add_argument(
        "--save", action="store_true", help="update benchmarks/results, docs/benchmarks.md and its picture"
    )
    chosen = parser.parse_args()
    extent = QUICK if chosen.quick else Extent()
    if chosen.repeats:
        extent = replace(extent, repeats=chosen.repeats)
    if not hasattr(select, "epoll"):
        sys.stderr.write("The benchmarks need Linux, for epoll.\n")
        return 2
    for name in chosen.only:
        benchmark = BENCHMARKS[name]
        machine = report.machine()
        sys.stderr.write(f"Running {name} …\n")
        rows = list(benchmark.run(extent))
        report.show(f"{benchmark.title}\n\n{report.sentence(machine)}", benchmark.columns, rows)
        if chosen.save:
            report.save(RESULTS, name, rows, machine, quick=chosen.quick)
            report.fill(DOCUMENT, name, f"{report.table(benchmark.columns, rows)}\n\n{report.sentence(machine)}")
            if name == "rooms":
                plot_rooms(rows, PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())

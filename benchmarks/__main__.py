"""`python -m benchmarks`: run the benchmarks; print tables, and one line of JSON for each row."""

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
    """One table."""

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
    "the fastest, ms": _ours("fastest_ms"),
    "last when cold, ms": lambda row: row["ours"]["cold"]["last_ms"],
    "CPU each, µs": _ours("cpu_us_each"),
    "CPU each when cold, µs": lambda row: row["ours"]["cold"]["cpu_us_each"],
    "sockets": lambda row: row["ours"]["cold"]["new_sockets"] + row["ours"]["new_sockets"],
    "429s": _ours("limited"),
    "peak, MB": _ours("peak_mb"),
    "read units": _ours("read_units"),
    "requests to DynamoDB": _ours("requests"),
}

BENCHMARKS = {
    "stub": Benchmark(
        "The stub's own ceiling",
        lambda extent: stub_ceiling(extent.sizes[-1] * 2),
        {
            "": lambda row: row["benchmark"],
            "posts a second by one engine": lambda row: row["posts_per_second"],
            "the stub's ceiling a second": lambda row: row["stub_ceiling_per_second"],
            "stub's CPU each, µs": lambda row: row["stub_cpu_us_each"],
            "engine's CPU each, µs": lambda row: row["engine_cpu_us_each"],
        },
    ),
    "rooms": Benchmark(
        "One message to a room, 10,000 connected (warm containers, TLS, 10 ms a post, 5 ms a DynamoDB request)",
        rooms,
        {
            "readers": lambda row: row["size"],
            "ours: last, ms": _ours("last_ms"),
            "the fastest, ms": _ours("fastest_ms"),
            "naive: last, ms": _of("naive", "last_ms"),
            "from posts": _of("naive", "extrapolated_from"),
            "32 threads: last, ms": _of("threads", "last_ms"),
            "times sooner": lambda row: row["times_sooner"],
            "ours: CPU each, µs": _ours("cpu_us_each"),
            "naive: CPU each, µs": _of("naive", "cpu_us_each"),
            "times less CPU": lambda row: row["times_less_cpu"],
            "ours: peak, MB": _ours("peak_mb"),
            "ours: units read, written": lambda row: f"{row['ours']['read_units']:g}, {row['ours']['write_units']:g}",
            "naive: units read, written": lambda row: (
                f"{row['naive']['read_units']:g}, {row['naive']['write_units']:g}"
            ),
        },
    ),
    "variants": Benchmark("The largest room, one thing changed at a time", variants, OF_A_ROOM),
    "contention": Benchmark(
        "Many people write to one room at once (virtual time, 5 ms a DynamoDB request)",
        lambda extent: contention(extent.contended),
        {
            "messages a second": lambda row: row["per_second"],
            "puts a message": lambda row: row["puts_a_message"],
            "units written a message": lambda row: row["write_units"],
            "writes of the partition a second": lambda row: row["partition_writes_per_second"],
            "acknowledged, p50, ms": lambda row: row["p50_ms"],
            "p99, ms": lambda row: row["p99_ms"],
            "told busy": lambda row: f"{row['busy_share']:.1%}",
        },
    ),
    "faults": Benchmark(
        "The largest room with bad peers",
        faults,
        {
            **OF_A_ROOM,
            "times later": lambda row: row["times_later"],
            "times later when cold": lambda row: row["times_later_cold"],
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
            "ours: later ones, ms": _ours("warm_wall_ms"),
            "naive: import, ms of CPU": _of("naive", "import_cpu_ms"),
            "naive: event, ms of CPU": _of("naive", "event_cpu_ms"),
            "naive: event, ms": _of("naive", "event_wall_ms"),
            "naive: later ones, ms": _of("naive", "warm_wall_ms"),
            "times less CPU": lambda row: row["times_less_cpu"],
            "ours: MB": _ours("peak_mb"),
            "naive: MB": _of("naive", "peak_mb"),
        },
    ),
    "first_minute": Benchmark(
        "A newcomer's first minute, nothing warm",
        lambda extent: first_minutes(extent.repeats),
        {
            "cold functions": lambda row: row["cold_functions"],
            "waited in all, ms": lambda row: row["ms"],
            "each step, ms (cold ones marked)": lambda row: ", ".join(
                f"{step['route']} {step['ms']:.0f}{' (cold)' if step['is_cold'] else ''}" for step in row["steps"]
            ),
        },
    ),
    "costs": Benchmark(
        "What a message costs (1,000 connected)",
        lambda extent: bills(extent.repeats, extent.most_serial),
        {
            "readers": lambda row: row["size"],
            "ours: free a month": _ours("free_messages_a_month"),
            "bound by": _ours("free_bound_by"),
            "ours: $ a further million": _ours("usd_a_million"),
            "of it API Gateway": lambda row: row["ours"]["usd_a_million_by_service"]["API Gateway"],
            "Lambda": lambda row: row["ours"]["usd_a_million_by_service"]["Lambda"],
            "DynamoDB": lambda row: row["ours"]["usd_a_million_by_service"]["DynamoDB"],
            "naive: free a month": _of("naive", "free_messages_a_month"),
            "naive: bound by": _of("naive", "free_bound_by"),
            "naive: $ a further million": _of("naive", "usd_a_million"),
            "times the naive way's": lambda row: row["times_naive"],
        },
    ),
    "profile": Benchmark(
        "Where the rest of the time goes",
        lambda extent: hot_spots(extent.sizes[-1]),
        {
            "": lambda row: row["benchmark"],
            "shares": lambda row: ", ".join(f"{name} {share:.0%}" for name, share in row["parts"].items()),
        },
    ),
}


def main() -> int:
    """Run the benchmarks; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller rooms, fewer repeats: some two minutes")
    parser.add_argument("--only", nargs="+", choices=list(BENCHMARKS), default=list(BENCHMARKS), help="just these")
    parser.add_argument("--repeats", type=int, help="warm messages measured a row; the median counts")
    parser.add_argument(
        "--save", action="store_true", help="write benchmarks/results, docs/benchmarks.md and its picture anew"
    )
    chosen = parser.parse_args()
    extent = QUICK if chosen.quick else Extent()
    if chosen.repeats:
        extent = replace(extent, repeats=chosen.repeats)
    if not hasattr(select, "epoll"):
        sys.stderr.write("The benchmarks' stubs need Linux (epoll).\n")
        return 2
    for name in chosen.only:
        benchmark = BENCHMARKS[name]
        machine = report.machine()
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

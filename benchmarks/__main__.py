"""`python -m benchmarks`: everything that is measured, as tables and as one line of JSON a benchmark."""

import argparse
import select
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report
from benchmarks.bills import bills
from benchmarks.ceiling import stub_ceiling
from benchmarks.cold_start import cold_starts
from benchmarks.hot_spots import hot_spots
from benchmarks.plot import plot_rooms
from benchmarks.report import Columns, Row
from benchmarks.rooms import QUICK, Extent, faults, rooms, variants

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PICTURE = HERE.parent / "docs" / "pictures" / "fan-out.png"
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"


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
    "round trips": _ours("round_trips"),
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
            "specified: last, ms": _of("specified", "last_ms"),
            "from posts": _of("specified", "extrapolated_from"),
            "32 threads: last, ms": _of("threads", "last_ms"),
            "times sooner": lambda row: row["times_sooner"],
            "ours: CPU each, µs": _ours("cpu_us_each"),
            "specified: CPU each, µs": _of("specified", "cpu_us_each"),
            "times less CPU": lambda row: row["times_less_cpu"],
            "ours: peak, MB": _ours("peak_mb"),
            "ours: units (read when warm/cold, written)": lambda row: (
                f"{row['ours']['read_units']:g}/{row['ours']['cold']['read_units']:g}, {row['ours']['write_units']:g}"
            ),
            "specified: units": lambda row: f"{row['specified']['read_units']:g}, {row['specified']['write_units']:g}",
            "round trips (warm/cold)": lambda row: f"{row['ours']['round_trips']}/{row['ours']['cold']['round_trips']}",
        },
    ),
    "variants": Benchmark("The largest room, one thing changed at a time", variants, OF_A_ROOM),
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
            "specified: import, ms of CPU": _of("specified", "import_cpu_ms"),
            "specified: event, ms of CPU": _of("specified", "event_cpu_ms"),
            "specified: event, ms": _of("specified", "event_wall_ms"),
            "specified: later ones, ms": _of("specified", "warm_wall_ms"),
            "times less CPU": lambda row: row["times_less_cpu"],
            "ours: MB": _ours("peak_mb"),
            "specified: MB": _of("specified", "peak_mb"),
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
            "specified: free a month": _of("specified", "free_messages_a_month"),
            "specified: bound by": _of("specified", "free_bound_by"),
            "specified: $ a further million": _of("specified", "usd_a_million"),
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
        "--save", action="store_true", help="renew benchmarks/results, docs/benchmarks.md and its picture"
    )
    chosen = parser.parse_args()
    extent = QUICK if chosen.quick else Extent()
    if chosen.repeats:
        extent = Extent(extent.sizes, chosen.repeats, extent.most_serial, extent.most_threads)
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

"""Runs a function in its own process, as a Lambda container does: imports a handler and passes it events.

Measures CPU and wall time of the import and of each event, and peak memory.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


class LambdaContext:
    """The part of Lambda's context that the functions use."""

    aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """Return 30 s."""
        return 30_000


def peak_mb() -> float:
    """Return this process's peak memory in MB (10^6 bytes)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _timed(call: Any, *arguments: Any) -> dict[str, Any]:
    wall, cpu = time.monotonic(), time.process_time()
    result = call(*arguments)
    return {
        "result": result,
        "started": wall,
        "wall": time.monotonic() - wall,
        "cpu": time.process_time() - cpu,
    }


def _profiled(call: Any, *arguments: Any) -> dict[str, Any]:
    import cProfile  # noqa: PLC0415 - kept out of measured containers
    import pstats  # noqa: PLC0415

    profile = cProfile.Profile()
    profile.runcall(call, *arguments)
    rows: list[dict[str, Any]] = []
    stats: Any = pstats.Stats(profile)
    for (file, _, name), (_, calls, own, _, _) in stats.stats.items():
        rows.append({"file": file, "name": name, "calls": calls, "seconds": own})
    return {"profile": sorted(rows, key=lambda row: -row["seconds"])}


def main() -> None:
    """Import `module` from `functions`, then handle one event per line of standard input."""
    start = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - discards the functions' log
    sys.path.insert(0, start["functions"])
    loaded = _timed(__import__, start["module"])
    for part in start["module"].split(".")[1:]:
        loaded["result"] = getattr(loaded["result"], part)
    handler = getattr(loaded.pop("result"), start["handler"])

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    say(loaded)
    for line in sys.stdin:
        order = json.loads(line)
        measured = _profiled if order.get("profile") else _timed
        say(measured(handler, order["event"], LambdaContext()) | {"peak_mb": peak_mb()})


if __name__ == "__main__":
    main()

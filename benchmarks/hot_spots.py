"""Profiles a warm message to a large room. Python's profiler overstates the cost of calls."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from benchmarks.scene import Scene, message, room

BUILT_IN = "~"
PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "TLS and sockets": (("ssl.py", "network.py"), ("send", "recv", "read", "write", "do_handshake", "socket")),
    "waiting and events (epoll)": (("selectors.py",), ("poll", "epoll")),
    "signature": (("sigv4.py", "request.py", "parse.py"), ("hmac_digest", "hexdigest", "openssl_sha256", "hex")),
    "response": (("response.py",), ()),
    "list of the room": (("members.py", "broadcast.py", "dynamodb.py", "client.py", "decoder.py"), ("raw_decode",)),
    "engine": (("poster.py", "pool.py", "connection.py", "backlog.py", "token_bucket.py", "retry.py"), ()),
}
"""Part → its files, and substrings of the names of its built-in functions."""


def hot_spots(size: int) -> Iterator[dict[str, Any]]:
    """Profile one warm message without the rate limit's waits."""
    ids = room(size)
    with Scene() as scene, scene.container("sendmessage", posts_per_second=1e9) as container:
        scene.fill(ids)
        for _ in range(2):
            scene.send(container, per_second=0)
        rows = container.ask({"event": message(ids[0]), "profile": True})["profile"]
    rows = [row for row in rows if "poll" not in row["name"] or "epoll" not in row["name"]]
    total = sum(row["seconds"] for row in rows)
    parts: dict[str, float] = defaultdict(float)
    for row in rows:
        parts[_part(PurePath(row["file"]), row["name"])] += row["seconds"]
    yield {
        "benchmark": f"profile of a room of {size:,}",
        "size": size,
        "parts": {name: round(seconds / total, 3) for name, seconds in sorted(parts.items(), key=lambda one: -one[1])},
        "functions": [
            {
                "name": row["name"] if row["file"] == BUILT_IN else f"{PurePath(row['file']).name}:{row['name']}",
                "calls": row["calls"],
                "share": round(row["seconds"] / total, 3),
            }
            for row in rows[:12]
        ],
    }


def _part(file: PurePath, name: str) -> str:
    is_foreign = "site-packages" in file.parts  # botocore has files with the same names
    for part, (files, built_ins) in PARTS.items():
        if file.name in files and not is_foreign:
            return part
        if str(file) == BUILT_IN and any(mark in name for mark in built_ins):
            return part
    return "the rest"

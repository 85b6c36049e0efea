"""Where the time of a warm message to a large room goes, by Python's profiler, which makes calls look dearer."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from benchmarks.scene import Scene, message, room

PARTS = {
    "TLS and sockets": ("send", "recv", "read", "write", "do_handshake", "ssl.py", "wrap_socket", "connect", "socket"),
    "waiting and events (epoll)": ("poll", "epoll", "selectors.py", "modify", "register", "unregister"),
    "signature": ("signing.py", "hmac_digest", "hexdigest", "openssl_sha256", "parse.py", "hex"),
    "response": ("http_response.py",),
    "list of the room": ("rooms.py", "connections.py", "delivery.py"),
    "engine": ("fan_out.py", "link.py", "pace.py"),
}


def hot_spots(size: int) -> Iterator[dict[str, Any]]:
    """Profile one warm message, without the ceiling's waits."""
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
        parts[_part(row["file"], row["name"])] += row["seconds"]
    yield {
        "benchmark": f"profile of a room of {size:,}",
        "size": size,
        "parts": {name: round(seconds / total, 3) for name, seconds in sorted(parts.items(), key=lambda one: -one[1])},
        "functions": [
            {
                "name": f"{row['file']}:{row['name']}" if row["file"] != "~" else row["name"],
                "calls": row["calls"],
                "share": round(row["seconds"] / total, 3),
            }
            for row in rows[:12]
        ],
    }


def _part(file: str, name: str) -> str:
    for part, marks in PARTS.items():
        if any(mark == file or (file == "~" and mark in name) for mark in marks):
            return part
    return "the rest"

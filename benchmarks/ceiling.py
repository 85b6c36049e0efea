"""The stub's own ceiling: what it answers in a second when it has nothing to wait for."""

import os
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.scene import Scene

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))
from chat.fan_out import FanOut


def stub_ceiling(posts: int) -> Iterator[dict[str, Any]]:
    """Flood the stub by the engine, without limit and latency, over TLS and without."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "ASIAEXAMPLEEXAMPLE00")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "example")
    frame = b'{"type":"message","message":"' + b"x" * 300 + b'"}'
    ids = [f"h{number:014d}=" for number in range(posts)]
    for tls in (True, False):
        with Scene(tls=tls) as scene:
            context = ssl.create_default_context(cafile=scene.certificate[0]) if scene.certificate else None
            engine = FanOut(scene.callback_url, posts_per_second=1e9, tls=context)
            for _ in range(2):  # the second time over sockets that stand
                before = scene.connections.ask({"latency": 0})
                wall, cpu = time.monotonic(), time.process_time()
                outcome = engine.post(ids, frame, deadline=time.monotonic() + 60)
                wall, cpu = time.monotonic() - wall, time.process_time() - cpu
                after = scene.connections.ask({})
            engine.close()
        yield {
            "benchmark": f"stub alone, {'TLS' if tls else 'no TLS'}",
            "tls": tls,
            "delivered": outcome.delivered,
            "posts_per_second": round(posts / wall),
            "stub_ceiling_per_second": round(posts / (after["cpu"] - before["cpu"])),
            "stub_cpu_us_each": round((after["cpu"] - before["cpu"]) / posts * 1e6, 1),
            "engine_cpu_us_each": round(cpu / posts * 1e6, 1),
        }

"""Measures the ceiling of the stub: how many posts it can answer per second without latency."""

import ssl
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.scene import CREDENTIALS, Scene
from chat.push.poster import Poster
from chat.push.sigv4 import Credentials


def stub_ceiling(posts: int) -> Iterator[dict[str, Any]]:
    """Flood the stub with the posting engine, without limits or latency, with TLS and without."""
    frame = b'{"type":"message","message":"' + b"x" * 300 + b'"}'
    ids = [f"h{number:014d}=" for number in range(posts)]
    for tls in (True, False):
        with Scene(tls=tls) as scene:
            context = ssl.create_default_context(cafile=scene.certificate[0]) if scene.certificate else None
            engine = Poster(
                scene.callback_url,
                credentials=lambda: Credentials(*CREDENTIALS.values()),
                region="us-east-1",
                posts_per_second=1e9,
                tls=context,
            )
            for _ in range(2):  # the second time over open sockets
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

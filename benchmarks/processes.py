"""Child processes that answer lines of JSON with lines of JSON."""

import json
import os
import subprocess
import sys
from typing import Any, Self

from benchmarks import ROOT


class Process:
    """A running `python -m module START`; its first line of output is `started`."""

    def __init__(self, module: str, start: dict[str, Any], env: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module, json.dumps(start)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
        )
        self.started = self._read()

    def ask(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send an order and return the answer."""
        pipe = self._process.stdin
        if pipe is None:
            raise BrokenPipeError
        pipe.write(json.dumps(order).encode() + b"\n")
        pipe.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        pipe = self._process.stdout
        line = pipe.readline() if pipe else b""
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait(10)

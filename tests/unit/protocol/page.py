"""Runs a module of the page in Node, to compare the page with the server."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")

_SCRIPT = """
import { readFileSync } from "node:fs";
const { source, given } = JSON.parse(readFileSync(0, "utf8"));
const page = await import("data:text/javascript;base64," + Buffer.from(source).toString("base64"));
process.stdout.write(JSON.stringify(%s));
"""


def evaluate(module: str, expression: str, given: Any = None) -> Any:
    """Return the value of an expression over `page`, a module without imports, and the value `given`."""
    source = (FRONTEND / module).read_text(encoding="utf-8")
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", _SCRIPT % expression],  # noqa: S607 - whichever Node is installed
        input=json.dumps({"source": source, "given": given}),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(done.stdout)

"""A stack's outputs, read from Pulumi, from a file, or from standard input."""

import json
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from smoke.errors import OutputsError

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (
    "websocket_url",
    "site_url",
    "api_id",
    "stage",
    "region",
    "connections_table",
    "messages_table",
    "site_bucket",
    "function_names",
    "resources",
)


def add_options(parser: ArgumentParser) -> None:
    """Add the options for the source of the outputs."""
    parser.add_argument("--stack", default="dev", help="a Pulumi stack of this project (default: dev)")
    parser.add_argument("--outputs", metavar="FILE", help="its `pulumi stack output --json` in a file; - reads stdin")


def read(options: Namespace) -> dict[str, Any]:
    """Return the outputs from the given source. Raises OutputsError."""
    if options.outputs is None:
        text, source = _of_stack(options.stack), f"the stack {options.stack}"
    else:
        text, source = _of_file(options.outputs), "standard input" if options.outputs == "-" else options.outputs
    try:
        outputs = json.loads(text)
    except ValueError:
        raise OutputsError(f"{source} is not JSON: it must be the output of `pulumi stack output --json`.") from None
    missing = [name for name in NEEDED if not isinstance(outputs, dict) or not outputs.get(name)]
    if missing:
        raise OutputsError(f"{source} lacks {', '.join(missing)}: has `pulumi up` finished?")
    return outputs


def _of_file(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OutputsError(f"{name} cannot be read: {error}.") from None


def _of_stack(stack: str) -> str:
    command = ["pulumi", "stack", "output", "--json", "--stack", stack]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    except FileNotFoundError:
        raise OutputsError(
            "The Pulumi CLI is not installed (https://www.pulumi.com/docs/install). Without it, pass the outputs:"
            " make smoke OUTPUTS=file.json",
        ) from None
    if answer.returncode:
        why = next((line for line in answer.stderr.splitlines() if line.startswith("error:")), answer.stderr.strip())
        raise OutputsError(f"Pulumi cannot read the outputs of the stack {stack}. {why}")
    return answer.stdout

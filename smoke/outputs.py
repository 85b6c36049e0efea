"""A stack's outputs: from Pulumi, from a file, or from standard input. It knows nothing of what they are used for."""

import json
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

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


class NoOutputs(Exception):  # noqa: N818 - said to a person, in one sentence
    """There are no outputs; the text says why, and what to do."""


def add_options(parser: ArgumentParser) -> None:
    """Add the options that say where the outputs come from."""
    parser.add_argument("--stack", default="dev", help="a Pulumi stack of this project (default: dev)")
    parser.add_argument("--outputs", metavar="FILE", help="its `pulumi stack output --json` in a file; - reads stdin")


def read(options: Namespace) -> dict[str, Any]:
    """Return the outputs that the options name. Raises NoOutputs."""
    if options.outputs is None:
        text, source = _of_stack(options.stack), f"the stack {options.stack}"
    else:
        text, source = _of_file(options.outputs), "standard input" if options.outputs == "-" else options.outputs
    try:
        outputs = json.loads(text)
    except ValueError:
        raise NoOutputs(f"{source} holds no JSON: it takes what `pulumi stack output --json` prints.") from None
    missing = [name for name in NEEDED if not isinstance(outputs, dict) or not outputs.get(name)]
    if missing:
        raise NoOutputs(f"{source} lacks {', '.join(missing)}: has `pulumi up` come to its end?")
    return outputs


def _of_file(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise NoOutputs(f"{name} cannot be read: {error}.") from None


def _of_stack(stack: str) -> str:
    command = ["pulumi", "stack", "output", "--json", "--stack", stack]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoOutputs(
            "The Pulumi CLI is not installed (https://www.pulumi.com/docs/install). Without it, give the outputs:"
            " make smoke OUTPUTS=file.json",
        ) from None
    if answer.returncode:
        why = next((line for line in answer.stderr.splitlines() if line.startswith("error:")), answer.stderr.strip())
        raise NoOutputs(f"Pulumi does not tell the outputs of the stack {stack}. {why}")
    return answer.stdout

"""What the person at the terminal is told."""

import io
import json
import sys
from typing import Any, TextIO


def say(text: str) -> None:
    """Print on standard error: with --json, standard output is for the outputs alone."""
    _print(text, sys.stderr)


def say_ready(outputs: dict[str, Any], seconds: float) -> None:
    """Print where the chat is, how long it took to start, and how the AWS CLI is used with the emulator."""
    emulator = outputs["emulator"]
    _print(
        f"\n  The chat is ready ({seconds:.1f} s):  {outputs['site_url']}\n"
        f"\n  Open it in two tabs. The WebSocket:  {outputs['websocket_url']}"
        "\n  A file saved under functions/ or frontend/ is live at once. Ctrl-C stops everything.\n"
        "\n  The AWS CLI, in another terminal (these credentials are this run's):\n"
        f"    export AWS_ENDPOINT_URL={emulator['endpoint_url']} AWS_DEFAULT_REGION={emulator['region']}"
        f" AWS_ACCESS_KEY_ID={emulator['access_key_id']} AWS_SECRET_ACCESS_KEY={emulator['secret_access_key']}\n"
        f"    aws logs tail /aws/lambda/{outputs['function_names'][0]} --follow\n",
        sys.stdout,
    )


def print_outputs(outputs: dict[str, Any]) -> None:
    """Print the outputs as one line of JSON."""
    _print(json.dumps(outputs), sys.stdout)


def _print(text: str, stream: TextIO | None) -> None:
    try:
        if stream is not None:
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # not every locale has every character
            print(text, file=stream, flush=True)
    except (OSError, ValueError):
        return  # nobody is reading any more, which is no reason to stop

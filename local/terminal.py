"""Prints to the terminal."""

import io
import json
import sys
from typing import Any, TextIO


def say(text: str) -> None:
    """Print to standard error: with --json, standard output is only for the outputs."""
    _print(text, sys.stderr)


def say_ready(outputs: dict[str, Any], seconds: float, *, watch: bool) -> None:
    """Print the chat's addresses, how long it took to start, and how to use the AWS CLI with the emulator."""
    emulator = outputs["emulator"]
    saved = "  Changes saved under functions/ or frontend/ go live at once.\n" if watch else ""
    _print(
        f"\n  The chat is ready ({seconds:.1f} s). Open it in two tabs:\n"
        f"\n    {outputs['site_url']}\n"
        f"\n  WebSocket: {outputs['websocket_url']}\n"
        f"{_sign_in_hint(outputs)}"
        f"{saved}"
        "  Press Ctrl-C to stop.\n"
        "\n  To use the AWS CLI in another terminal, with this run's credentials:\n"
        f"\n    export AWS_ENDPOINT_URL={emulator['endpoint_url']} AWS_DEFAULT_REGION={emulator['region']}\n"
        f"    export AWS_ACCESS_KEY_ID={emulator['access_key_id']}\n"
        f"    export AWS_SECRET_ACCESS_KEY={emulator['secret_access_key']}\n"
        f"    aws logs tail /aws/lambda/{outputs['function_names'][0]} --follow\n",
        sys.stdout,
    )


def _sign_in_hint(outputs: dict[str, Any]) -> str:
    """Return how to sign in; "" without accounts."""
    if "accounts" not in outputs:
        return ""
    accounts = "".join(f"    {one['username']}  {one['password']}\n" for one in outputs["accounts"])
    pool = outputs["user_pool_id"]
    return (
        "\n  Sign in as one of these, in each tab as another (e-mail address, password):\n"
        f"\n{accounts}"
        "\n  The emulator's login pages have no sign-up. Another account, with the AWS CLI below:\n"
        f"\n    aws cognito-idp admin-create-user --user-pool-id {pool} --username cy@example.org\n"
        f"    aws cognito-idp admin-set-user-password --user-pool-id {pool} --username cy@example.org \\\n"
        "        --password twelve-or-more --permanent\n\n"
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
        return  # the reader has gone; keep running

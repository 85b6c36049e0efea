"""What the person at the terminal reads."""

import contextlib
import io
from typing import Any

import pytest

from local.terminal import say, say_ready

OUTPUTS: dict[str, Any] = {
    "function_names": ["SomeFunction"],
    "site_url": "http://127.0.0.1:5566",
    "websocket_url": "ws://127.0.0.1:4566/chat",
    "emulator": {
        "endpoint_url": "http://127.0.0.1:4566",
        "region": "us-east-1",
        "access_key_id": "AKIADRAWN",
        "secret_access_key": "drawn",
    },
}


def test_how_the_aws_cli_is_used_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    say_ready(OUTPUTS, 4.2)
    said = capsys.readouterr().out
    for part in (
        "AWS_ENDPOINT_URL=http://127.0.0.1:4566 ",
        "AWS_DEFAULT_REGION=us-east-1 ",
        "AWS_ACCESS_KEY_ID=AKIADRAWN ",
        "AWS_SECRET_ACCESS_KEY=drawn\n",
        "aws logs tail /aws/lambda/SomeFunction --follow\n",
    ):
        assert part in said


def test_a_terminal_that_lacks_a_character_shows_the_rest() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    with contextlib.redirect_stderr(stream):
        say("functions/grüße.py, line 1")
    assert written.getvalue() == b"functions/gr\\xfc\\xdfe.py, line 1\n"

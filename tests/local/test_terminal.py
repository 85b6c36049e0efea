"""Terminal output of the local run."""

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
        "access_key_id": "AKIARANDOM",
        "secret_access_key": "random",
    },
}


def test_the_commands_for_the_aws_cli_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    say_ready(OUTPUTS, 4.2, watch=True)
    said = capsys.readouterr().out
    for part in (
        "AWS_ENDPOINT_URL=http://127.0.0.1:4566 ",
        "AWS_DEFAULT_REGION=us-east-1\n",
        "AWS_ACCESS_KEY_ID=AKIARANDOM\n",
        "AWS_SECRET_ACCESS_KEY=random\n",
        "aws logs tail /aws/lambda/SomeFunction --follow\n",
    ):
        assert part in said


def test_accounts_are_shown_only_if_there_are_any(capsys: pytest.CaptureFixture[str]) -> None:
    passwords = {"ada@example.org": "drawn", "ben@example.org": "too"}
    accounts = [{"username": address, "password": password} for address, password in passwords.items()]
    say_ready({**OUTPUTS, "accounts": accounts, "user_pool_id": "us-east-1_Abc"}, 4.2, watch=True)
    said = capsys.readouterr().out
    assert "    ada@example.org  drawn\n    ben@example.org  too\n" in said
    assert "aws cognito-idp admin-create-user --user-pool-id us-east-1_Abc --username cy@example.org\n" in said
    say_ready(OUTPUTS, 4.2, watch=True)
    assert "Sign in" not in capsys.readouterr().out


def test_saved_files_are_mentioned_only_if_they_are_deployed(capsys: pytest.CaptureFixture[str]) -> None:
    say_ready(OUTPUTS, 4.2, watch=True)
    say_ready(OUTPUTS, 4.2, watch=False)
    assert capsys.readouterr().out.count("Changes saved under") == 1


def test_a_character_the_terminal_cannot_show_is_escaped() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    with contextlib.redirect_stderr(stream):
        say("functions/grüße.py, line 1")
    assert written.getvalue() == b"functions/gr\\xfc\\xdfe.py, line 1\n"

"""`make smoke` and `make resources` on the running stack: all checks pass, and each fault fails its own check."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from smoke.account import AccountChecks
from smoke.check import FAILED, PASSED, outcome
from smoke.page import PageChecks
from tests.conftest import ROOT, Stack


def run(module: str, *options: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *options],
        cwd=ROOT,
        input=given,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def credentials_of(stack: Stack) -> dict[str, str]:
    """Return the emulator's credentials as the AWS SDKs' environment variables."""
    wanted = ("aws_access_key_id", "aws_secret_access_key")
    return {name.upper(): stack.credentials[name] for name in wanted}


def failures(ran: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.removeprefix(FAILED).strip() for line in ran.stdout.splitlines() if line.startswith(FAILED)]


def account_of(stack: Stack, **changed: Any) -> AccountChecks:
    """Return the account checks for the stack's outputs with some changed."""
    session = boto3.Session(**stack.credentials)
    return AccountChecks({**stack.outputs, **changed}, session, endpoint_url=stack.endpoint_url, retention_days=7)


def test_every_check_passes_on_a_working_stack(stack: Stack) -> None:
    ran = run(
        "smoke", "--outputs", "-", "--endpoint-url", stack.endpoint_url,
        given=json.dumps(stack.outputs), **credentials_of(stack),
    )  # fmt: skip
    assert (ran.returncode, failures(ran), ran.stderr) == (0, [], "")
    assert ran.stdout.splitlines()[-1] == "20 passed, 0 failed, 1 skipped"
    assert "-     the budgets exist: skipped: none were made, which takes the config alert_email" in ran.stdout


def test_each_check_that_needs_it_reports_a_wrong_websocket_url(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({**stack.outputs, "websocket_url": "ws://127.0.0.1:9/production"}), encoding="utf-8")
    ran = run("smoke", "--outputs", str(file), "--outside-only")
    assert ran.returncode == 1
    lines = failures(ran)
    assert lines[0].startswith("the page has its WebSocket URL: config.json names ws://127.0.0.1:")
    assert lines[1].startswith("a foreign page is refused: not reached: ")
    assert "the page loads" not in "".join(lines)
    assert "a reconnecting client gets the messages it missed: skipped: no message was exchanged" in ran.stdout


def test_a_deleted_log_group_fails_only_its_own_check(stack: Stack) -> None:
    logs, name = stack.client("logs"), "/aws/lambda/ChatAppConnect"
    logs.delete_log_group(logGroupName=name)
    try:
        ran = run(
            "smoke", "--outputs", "-", given=json.dumps(stack.outputs),
            AWS_ENDPOINT_URL=stack.endpoint_url, **credentials_of(stack),
        )  # fmt: skip
    finally:
        found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        if not found:  # unless a function has created it again, without a retention
            logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    assert ran.returncode == 1
    (line,) = failures(ran)
    assert line.startswith(f"their log groups expire: {name} ")
    assert "pulumi up" in line


@contextmanager
def logs_kept_for_ever(stack: Stack) -> Iterator[None]:
    logs, name = stack.client("logs"), "/aws/lambda/ChatAppRoom"
    logs.delete_retention_policy(logGroupName=name)
    yield
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)


@contextmanager
def shorter_timeout(stack: Stack) -> Iterator[None]:
    functions = stack.client("lambda")
    functions.update_function_configuration(FunctionName="ChatAppRoom", Timeout=3)
    yield
    functions.update_function_configuration(FunctionName="ChatAppRoom", Timeout=30)


@contextmanager
def closed_stage(stack: Stack) -> Iterator[None]:
    gateway = stack.client("apigatewayv2")
    stage = {"ApiId": stack.outputs["api_id"], "StageName": stack.outputs["stage"]}
    before = gateway.get_stage(**stage)["DefaultRouteSettings"]
    limits = {name: before[name] for name in ("ThrottlingRateLimit", "ThrottlingBurstLimit")}
    gateway.update_stage(**stage, DefaultRouteSettings={"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0})
    yield
    gateway.update_stage(**stage, DefaultRouteSettings=limits)


@pytest.mark.parametrize(
    ("damage", "check", "sentence"),
    [
        (logs_kept_for_ever, "log_groups", "/aws/lambda/ChatAppRoom keeps its events for ever"),
        (shorter_timeout, "functions", "ChatAppRoom has Timeout 3 instead of 30: run `pulumi up --refresh`"),
        (closed_stage, "stage", "its limits are 0"),
    ],
)
def test_a_manual_change_is_reported(stack: Stack, damage: Any, check: str, sentence: str) -> None:
    checked: Callable[[], str] = getattr(account_of(stack), check)
    with damage(stack):
        result, detail = outcome(checked)
    assert (result, detail[: len(sentence)]) == (FAILED, sentence)
    assert outcome(checked).result == PASSED


@pytest.mark.parametrize(
    ("change", "check", "sentence"),
    [
        ({"messages_table": "Elsewhere"}, "functions", "has HISTORY_TABLE_NAME MessageHistory instead of Elsewhere"),
        ({"resources": {"B": "arn:aws:budgets::000000000000:budget/Gone"}}, "budgets", "Gone cannot be read"),
        ({"api_id": "nosuchapi"}, "routes", "AWS refused: "),
    ],
)
def test_outputs_of_another_stack_are_reported(stack: Stack, change: dict[str, Any], check: str, sentence: str) -> None:
    result, detail = outcome(getattr(account_of(stack, **change), check))
    assert (result, sentence in detail) == (FAILED, True), detail


def test_an_unreachable_page_is_reported(stack: Stack) -> None:
    result, detail = outcome(PageChecks({**stack.outputs, "site_url": "http://127.0.0.1:9"}).page)
    assert (result, detail.partition(": ")[0]) == (FAILED, "not reached")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [("not JSON", "standard input is not JSON"), ("[]", "standard input lacks websocket_url")],
)
@pytest.mark.parametrize("module", ["smoke", "smoke.resources"])
def test_invalid_outputs_are_reported_in_one_sentence(module: str, given: str, sentence: str) -> None:
    ran = run(module, "--outputs", "-", given=given)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(sentence)
    assert len(ran.stderr.splitlines()) == 1


def test_without_the_pulumi_cli_the_alternative_is_explained(tmp_path: Path) -> None:
    ran = run("smoke", PATH=str(tmp_path))
    assert ran.returncode == 1
    assert ran.stderr.startswith("The Pulumi CLI is not installed")
    assert "OUTPUTS=file.json" in ran.stderr


def test_outputs_and_errors_of_the_pulumi_cli_are_passed_on(stack: Stack, tmp_path: Path) -> None:
    cli, path = tmp_path / "pulumi", f"{tmp_path}:{os.environ['PATH']}"
    cli.write_text("#!/bin/sh\necho \"error: no stack named '$5' found\" >&2\nexit 255\n", encoding="utf-8")
    cli.chmod(0o755)
    ran = run("smoke", "--stack", "mine", PATH=path)
    assert ran.returncode == 1
    assert "the stack mine. error: no stack named 'mine' found" in ran.stderr

    (tmp_path / "outputs.json").write_text(json.dumps(stack.outputs), encoding="utf-8")
    cli.write_text(f"#!/bin/sh\ncat {tmp_path}/outputs.json\n", encoding="utf-8")
    listed = tmp_path / "list.md"
    ran = run("smoke.resources", "--to", str(listed), PATH=path)
    assert (ran.returncode, ran.stderr) == (0, "")
    for name, arn in stack.outputs["resources"].items():
        assert f"| {name} | `{arn}` |" in listed.read_text(encoding="utf-8")


def test_outputs_of_a_local_run_are_never_checked_in_a_real_account(stack: Stack) -> None:
    ran = run("smoke", "--outputs", "-", given=json.dumps(stack.outputs))
    assert ran.returncode == 1
    (line,) = failures(ran)
    assert line.startswith(
        "AWS answers: these are a local run's outputs: name its emulator, ENDPOINT_URL=http://127.0.0.1:"
    )
    assert "15 passed, 1 failed" in ran.stdout


def test_missing_credentials_are_reported_once(stack: Stack, tmp_path: Path) -> None:
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
    places = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_CONFIG_FILE": str(tmp_path / "none")}
    deployed = {**stack.outputs, "websocket_url": "wss://127.0.0.1:9/production"}
    lines = [
        line
        for line in failures(run("smoke", "--outputs", "-", given=json.dumps(deployed), **nothing, **places))
        if "let this shell in" in line
    ]
    assert len(lines) == 1
    assert lines[0].startswith("AWS answers: AWS does not let this shell in (Unable to locate credentials).")

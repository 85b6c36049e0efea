"""`make smoke` and `make resources` against the running stack: all passes, and what is broken is said by its line."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smoke.account import Account
from smoke.checks import Checks, outcome
from tests.conftest import ROOT, Stack


def run(module: str, *options: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *options],
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


def failed(ran: subprocess.CompletedProcess[str]) -> list[str]:
    return [line.removeprefix("FAIL").strip() for line in ran.stdout.splitlines() if line.startswith("FAIL")]


@pytest.fixture
def account(stack: Stack) -> Account:
    return Account(stack.outputs, endpoint_url=stack.endpoint_url, retention_days=7)


def test_all_checks_pass_on_a_good_stack(stack: Stack) -> None:
    ran = run("smoke", "--outputs", "-", "--endpoint-url", stack.endpoint_url, given=json.dumps(stack.outputs))
    assert (ran.returncode, failed(ran), ran.stderr) == (0, [], "")
    assert ran.stdout.splitlines()[-1] == "16 passed, 0 failed, 1 left out"
    assert "-     the budgets stand: left out: none was made: it takes the config alert_email" in ran.stdout


def test_a_wrong_address_is_said_line_by_line(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({**stack.outputs, "websocket_url": "ws://127.0.0.1:9/production"}))
    ran = run("smoke", "--outputs", str(file), "--outside-only")
    assert ran.returncode == 1
    lines = failed(ran)
    assert lines[0].startswith("the page knows its socket: config.json names ws://127.0.0.1:")
    assert lines[1].startswith("a foreign page is refused: not reached: ")
    assert "the page loads" not in "".join(lines)
    assert "who comes back gets what was missed: left out: no message was exchanged" in ran.stdout


def test_a_deleted_log_group_fails_the_one_line_that_it_concerns(stack: Stack) -> None:
    logs, name = stack.client("logs"), "/aws/lambda/ChatAppConnect"
    logs.delete_log_group(logGroupName=name)
    try:
        ran = run("smoke", "--outputs", "-", given=json.dumps(stack.outputs), AWS_ENDPOINT_URL=stack.endpoint_url)
    finally:
        if not log_group(logs, name):  # a function may have made it again, but then it keeps its lines for ever
            logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    assert ran.returncode == 1
    (line,) = failed(ran)
    assert line.startswith(f"their log groups expire: {name} ")
    assert "pulumi up" in line


def log_group(logs: Any, name: str) -> bool:
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(one["logGroupName"] == name for one in found)


def test_logs_that_are_kept_for_ever_are_told(stack: Stack, account: Account) -> None:
    logs, name = stack.client("logs"), "/aws/lambda/ChatAppPing"
    logs.delete_retention_policy(logGroupName=name)
    try:
        assert outcome(account.log_groups)[0] == "FAIL"
        assert f"{name} keeps its lines for ever" in outcome(account.log_groups)[1]
    finally:
        logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    assert outcome(account.log_groups)[0] == "ok"


def test_a_function_that_was_changed_by_hand_is_told(stack: Stack, account: Account) -> None:
    functions = stack.client("lambda")
    functions.update_function_configuration(FunctionName="ChatAppHistory", Timeout=3)
    try:
        assert outcome(account.functions) == (
            "FAIL",
            "ChatAppHistory has Timeout 3 instead of 30: run `pulumi up --refresh`",
        )
    finally:
        functions.update_function_configuration(FunctionName="ChatAppHistory", Timeout=30)


def test_a_stage_that_refuses_all_is_told(stack: Stack, account: Account) -> None:
    gateway = stack.client("apigatewayv2")
    stage = {"ApiId": stack.outputs["api_id"], "StageName": stack.outputs["stage"]}
    before = gateway.get_stage(**stage)["DefaultRouteSettings"]
    gateway.update_stage(**stage, DefaultRouteSettings={"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0})
    try:
        assert outcome(account.stage)[1].startswith("its limits are 0")
    finally:
        gateway.update_stage(
            **stage,
            DefaultRouteSettings={key: before[key] for key in ("ThrottlingRateLimit", "ThrottlingBurstLimit")},
        )
    assert outcome(account.stage)[0] == "ok"


@pytest.mark.parametrize(
    ("change", "check", "sentence"),
    [
        ({"site_url": "http://127.0.0.1:9"}, "page", "not reached: "),
        ({"messages_table": "Elsewhere"}, "functions", "has HISTORY_TABLE_NAME MessageHistory instead of Elsewhere"),
        ({"resources": {"B": "arn:aws:budgets::000000000000:budget/Gone"}}, "budgets", "Gone cannot be read"),
        ({"api_id": "nosuchapi"}, "routes", "AWS does not tell: "),
    ],
)
def test_outputs_of_another_stack_are_told(stack: Stack, change: dict[str, Any], check: str, sentence: str) -> None:
    outputs = {**stack.outputs, **change}
    asked = Account(outputs, endpoint_url=stack.endpoint_url, retention_days=7)
    checked: Callable[[], str] = getattr(Checks(outputs, asked) if check == "page" else asked, check)
    result, said = outcome(checked)
    assert (result, sentence in said) == ("FAIL", True), said


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("no JSON", "standard input holds no JSON"),
        ("{}", "standard input lacks websocket_url"),
        ("[]", "standard input lacks websocket_url"),
    ],
)
@pytest.mark.parametrize("module", ["smoke", "smoke.resources"])
def test_what_holds_no_outputs_is_refused_in_one_sentence(module: str, given: str, sentence: str) -> None:
    ran = run(module, "--outputs", "-", given=given)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(sentence)
    assert len(ran.stderr.splitlines()) == 1


def test_without_the_pulumi_cli_it_is_said_how_to_go_on(tmp_path: Path) -> None:
    ran = run("smoke", PATH=str(tmp_path))
    assert ran.returncode == 1
    assert ran.stderr.startswith("The Pulumi CLI is not installed")
    assert "OUTPUTS=file.json" in ran.stderr


def test_what_the_pulumi_cli_says_is_passed_on(stack: Stack, tmp_path: Path) -> None:
    cli = tmp_path / "pulumi"
    cli.write_text("#!/bin/sh\necho \"error: no stack named '$5' found\" >&2\nexit 255\n")
    cli.chmod(0o755)
    ran = run("smoke", "--stack", "mine", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert ran.returncode == 1
    assert "the stack mine. error: no stack named 'mine' found" in ran.stderr
    (tmp_path / "outputs.json").write_text(json.dumps(stack.outputs))
    cli.write_text(f"#!/bin/sh\ncat {tmp_path}/outputs.json\n")
    ran = run("smoke.resources", "--to", str(tmp_path / "list.md"), PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert ran.returncode == 0
    assert (
        f"| DynamoDB | ActiveConnections | `{stack.outputs['resources']['ActiveConnections']}` |"
        in (tmp_path / "list.md").read_text()
    )


def test_a_local_run_is_not_looked_for_in_aws_and_the_rest_is_checked(stack: Stack) -> None:
    ran = run("smoke", "--outputs", "-", given=json.dumps(stack.outputs))
    assert ran.returncode == 1
    (line,) = failed(ran)
    assert line.startswith(
        "AWS answers: these are a local run's outputs: name its emulator, ENDPOINT_URL=http://127.0.0.1:"
    )
    assert "11 passed, 1 failed" in ran.stdout


def test_credentials_that_are_missing_are_said_once(stack: Stack, tmp_path: Path) -> None:
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"}
    places = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"), "AWS_CONFIG_FILE": str(tmp_path / "none")}
    deployed = {**stack.outputs, "websocket_url": "wss://127.0.0.1:9/production"}
    ran = run("smoke", "--outputs", "-", given=json.dumps(deployed), **nothing, **places)
    lines = [line for line in failed(ran) if "let this shell in" in line]
    assert len(lines) == 1
    assert lines[0].startswith("AWS answers: AWS does not let this shell in (Unable to locate credentials).")


def test_the_list_of_resources_names_each_arn(stack: Stack, tmp_path: Path) -> None:
    listed = tmp_path / "resources.md"
    ran = run("smoke.resources", "--outputs", "-", "--to", str(listed), given=json.dumps(stack.outputs))
    assert (ran.returncode, ran.stderr) == (0, "")
    text = listed.read_text()
    for name, arn in stack.outputs["resources"].items():
        assert f"| {name} | `{arn}` |" in text

"""`make smoke` and `make resources` on running stacks: all checks pass, and each fault fails its own check."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from websockets.sync.server import ServerConnection, serve

from smoke.account import AccountChecks
from smoke.check import FAILED, PASSED, SKIPPED, Outcome, outcome
from smoke.page import PageChecks
from smoke.sign_in import AccountChatChecks, SignInPageChecks, TokenSource, read_account
from tests.conftest import ROOT, Stack, running_stack


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


def smoke(stack: Stack, **changed: Any) -> subprocess.CompletedProcess[str]:
    """Run all checks with the stack's outputs, of which those that are None are left out."""
    outputs = {name: value for name, value in {**stack.outputs, **changed}.items() if value is not None}
    return run("smoke", "--outputs", "-", "--endpoint-url", stack.endpoint_url, given=json.dumps(outputs))


def test_accounts_are_checked_with_one_that_is_given(accounts_stack: Stack) -> None:
    ran = smoke(accounts_stack)
    assert (ran.returncode, failures(ran), ran.stderr) == (0, [], "")
    assert ran.stdout.splitlines()[-1] == "26 passed, 0 failed, 1 skipped"
    assert "a private room is closed to others: sign_in_required for a guest" in ran.stdout
    assert not [one for one in accounts_stack.outputs["accounts"] if one["password"] in ran.stdout]


def sign_in_of(stack: Stack, environment: dict[str, str], *, has_credentials: bool = True) -> Outcome:
    """Return the result of signing in with the account that an environment gives."""
    cognito = stack.client("cognito-idp") if has_credentials else None
    token = TokenSource(stack.outputs, read_account(environment, stack.outputs), cognito)
    with AccountChatChecks(stack.outputs, "optional", token) as checks:
        return outcome(checks.account)


def test_the_account_in_the_environment_takes_precedence_and_its_password_is_never_shown(accounts_stack: Stack) -> None:
    assert sign_in_of(accounts_stack, {}).result == PASSED, "a local run's own account"
    given = {"SMOKE_USERNAME": "ada@example.org", "SMOKE_PASSWORD": "not-hers-but-mine"}
    assert sign_in_of(accounts_stack, given) == Outcome(
        FAILED, "Cognito refused the test account: NotAuthorizedException, Incorrect username or password."
    )
    assert given["SMOKE_PASSWORD"] not in repr(read_account(given, {}))


def test_signing_in_without_aws_credentials_is_skipped(accounts_stack: Stack) -> None:
    seen = sign_in_of(accounts_stack, {}, has_credentials=False)
    assert seen == Outcome(SKIPPED, "skipped: signing in with a password takes AWS credentials")


@pytest.mark.parametrize(
    ("change", "check", "sentence"),
    [
        ({"login_url": "https://elsewhere.example"}, "page", "config.json has signIn {"),
        ({"sign_in_client_id": "another"}, "login_page", "/oauth2/authorize returned 400: is http://127.0.0.1:"),
    ],
)
def test_a_login_page_of_another_stack_is_reported(
    accounts_stack: Stack, change: dict[str, Any], check: str, sentence: str
) -> None:
    checks = SignInPageChecks({**accounts_stack.outputs, **change}, "optional")
    result, detail = outcome(getattr(checks, check))
    assert (result, detail[: len(sentence)]) == (FAILED, sentence)


def test_a_function_that_does_not_know_who_must_sign_in_is_reported(accounts_stack: Stack) -> None:
    with AccountChatChecks(accounts_stack.outputs, "required", str) as checks:
        result, detail = outcome(checks.guest)
    assert (result, detail) == (FAILED, "sign_in is required, but a guest's `history` gets history: run `pulumi up`")


def test_a_token_that_the_functions_do_not_accept_is_reported(accounts_stack: Stack) -> None:
    with AccountChatChecks(accounts_stack.outputs, "optional", lambda: "of.another.issuer") as checks:
        result, detail = outcome(checks.account)
    assert (result, detail.partition(":")[0]) == (FAILED, "invalid_token")


@contextmanager
def leaking_chat(joins: Callable[[str], dict[str, Any]]) -> Iterator[str]:
    """Serve a chat with one private room that accepts every token, and answers a guest's `join` with a mistake."""
    room, clients = f"~{'b' * 26}", []

    def converse(client: ServerConnection) -> None:
        clients.append(client)
        for data in client:
            frame = json.loads(data)
            answers: dict[str, dict[str, Any]] = {
                "signin": {"type": "signedin", "userId": "u-1", "name": "Ada", "until": "2030-01-01T00:00:00.000Z"},
                "createroom": {"type": "room", "room": room},
                "sendmessage": {"type": "message", "messageId": frame.get("messageId"), "room": room},
                "join": joins(frame.get("room", "")),
                "quit": {"type": "removed", "room": room},
            }
            answer = json.dumps(answers[frame["action"]])
            for each in clients if frame["action"] == "sendmessage" else [client]:
                each.send(answer)

    with serve(converse, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()


def refused(room: str, sentence: str = "There is no such room", code: str = "no_such_room") -> dict[str, Any]:
    return {"type": "error", "action": "join", "code": code, "error": sentence, "room": room}


@pytest.mark.parametrize(
    ("joins", "sentence"),
    [
        (lambda room: {"type": "joined", "room": room, "connectionId": "c"}, "a guest who knows its key gets joined"),
        (lambda room: refused(room, code="not_allowed"), "a guest who knows its key gets not_allowed"),
        (
            lambda room: refused(room, "Members only" if "bbb" in room else "There is no such room"),
            "a guest gets different answers for a private room and for none",
        ),
    ],
    ids=["let in", "another code", "another sentence"],
)
def test_a_private_room_that_a_guest_can_find_is_reported(
    joins: Callable[[str], dict[str, Any]], sentence: str
) -> None:
    with leaking_chat(joins) as url, AccountChatChecks({"websocket_url": url}, "optional", lambda: "a.b.c") as checks:
        assert outcome(checks.private_room) == Outcome(FAILED, sentence)


@pytest.fixture(scope="module")
def closed_stack() -> Iterator[Stack]:
    """A stack in which everybody must sign in."""
    with running_stack("--no-watch", "--config", "sign_in=required") as running:
        yield running


def test_where_everybody_must_sign_in_the_conversation_is_that_of_the_account(closed_stack: Stack) -> None:
    ran = smoke(closed_stack)
    assert (ran.returncode, failures(ran), ran.stderr) == (0, [], "")
    assert ran.stdout.splitlines()[-1] == "25 passed, 0 failed, 2 skipped"
    assert "a guest is the same sender on every connection: skipped: nobody is a guest here" in ran.stdout


def test_where_everybody_must_sign_in_nothing_fails_for_want_of_an_account(closed_stack: Stack) -> None:
    ran = smoke(closed_stack, accounts=None)
    assert (ran.returncode, failures(ran)) == (0, [])
    assert "two clients exchange a message: skipped: no account is given: set SMOKE_USERNAME" in ran.stdout
    assert "the tables can be scanned and hold the conversation: skipped: no message was exchanged" in ran.stdout
    assert "a guest may do what the mode says: nothing" in ran.stdout


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

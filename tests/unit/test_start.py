"""What a function loads and makes, and when."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chat import clients, delivery, start
from chat.fan_out import Outcome
from tests.unit.callback_server import OK, CallbackServer, Received

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
HEAVY = ["boto3", "botocore", "urllib3", "ssl", "chat.fan_out"]


def loaded_by(module: str) -> list[str]:
    """Return which of the heavy modules a function's import brings, in an interpreter of its own."""
    script = f"import json, sys, {module}; print(json.dumps([one for one in {HEAVY} if one in sys.modules]))"
    command = [sys.executable, "-B", "-c", script]
    done = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True, env={})
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", ["sendmessage", "default"])
def test_importing_a_function_loads_no_client_and_no_engine(module: str) -> None:
    assert loaded_by(module) == []


def test_the_client_comes_without_boto3(tables: None) -> None:
    script = (
        "import json, sys; from chat.clients import dynamodb; dynamodb();"
        f"print(json.dumps([one for one in {HEAVY} if one in sys.modules]))"
    )
    env = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    command = [sys.executable, "-B", "-c", script]
    done = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, text=True, check=True, env=env)
    assert json.loads(done.stdout) == ["botocore", "urllib3", "ssl"]


@pytest.mark.parametrize("posts", [False, True])
def test_on_lambda_what_is_needed_is_made_while_the_container_starts(
    tables: None, monkeypatch: pytest.MonkeyPatch, *, posts: bool
) -> None:
    made: list[str] = []
    monkeypatch.setattr(start, "dynamodb", lambda: made.append("client"))
    monkeypatch.setattr(start, "engine", lambda: made.append("engine"))
    start.prepare(posts=posts)
    assert made == [], "not on Lambda: a test or the local run makes things when they are needed"
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    start.prepare(posts=posts)
    assert made == (["client", "engine"] if posts else ["client"])


def test_client_and_engine_are_made_once(tables: None) -> None:
    assert clients.dynamodb() is clients.dynamodb()
    assert delivery.engine() is delivery.engine()


def test_threads_that_invoke_functions_at_once_disturb_each_others_posts_in_nothing(tables: None) -> None:
    def slowly(_: Received) -> bytes:
        together.wait(10)
        return OK

    def post(name: str) -> Outcome:
        return delivery.engine().post([name], b"{}", deadline=time.monotonic() + 10)

    together = threading.Barrier(3)
    with CallbackServer(slowly) as server, pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as pool:
        patch.setenv("CALLBACK_URL", server.url)
        assert list(pool.map(post, ["anna", "ben", "cleo"])) == [Outcome(1, [], [], [])] * 3
        delivery._engine.cache_clear()

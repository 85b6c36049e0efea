"""What a container loads, creates and keeps, and when."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chat.runtime.context import Container, Threads
from tests.fakes.services import config

FUNCTIONS = Path(__file__).resolve().parents[3] / "functions"
HEAVY = ["boto3", "botocore", "urllib3", "ssl", "chat.push.poster"]
ENVIRONMENT = {
    "TABLE_NAME": "ActiveConnections",
    "HISTORY_TABLE_NAME": "MessageHistory",
    "ROOMS_TABLE_NAME": "ChatRooms",
    "CALLBACK_URL": "https://api.example/production",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}
ON_LAMBDA = {**ENVIRONMENT, "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}


def loaded_by(module: str, environment: dict[str, str]) -> list[str]:
    """Return which heavy modules a function imports, in a separate interpreter."""
    script = f"import json, sys, {module}; print(json.dumps([one for one in {HEAVY} if one in sys.modules]))"
    command = [sys.executable, "-B", "-c", script]
    done = subprocess.run(command, cwd=FUNCTIONS, capture_output=True, encoding="utf-8", check=True, env=environment)
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", ["sendmessage", "default"])
def test_importing_a_function_loads_no_client_and_no_engine(module: str) -> None:
    assert loaded_by(module, ENVIRONMENT) == []


@pytest.mark.parametrize(
    ("module", "loaded"),
    [
        ("sendmessage", ["botocore", "urllib3", "ssl", "chat.push.poster"]),
        ("connect", ["botocore", "urllib3", "ssl"]),
        ("default", []),
    ],
)
def test_on_lambda_a_function_creates_its_clients_during_init(module: str, loaded: list[str]) -> None:
    assert loaded_by(module, ON_LAMBDA) == loaded


def test_there_is_one_client_and_one_poster_per_thread() -> None:
    """An emulator invokes functions on many threads, and a poster serves one at a time."""
    container = Container(config())
    with ThreadPoolExecutor(1) as pool:
        other_client, other_poster = pool.submit(lambda: (container.client, container.poster)).result()
    assert container.client is other_client
    assert container.poster is container.poster
    assert container.poster is not other_poster


def test_calls_run_concurrently() -> None:
    meeting = threading.Barrier(3, timeout=5)
    assert sorted(Threads()(meeting.wait, meeting.wait, meeting.wait)) == [0, 1, 2]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_an_error_of_a_concurrent_call_is_raised_once_all_have_ended(failing: int) -> None:
    meeting = threading.Barrier(3, timeout=5)
    ended: list[int] = []

    def call(number: int) -> Callable[[], None]:
        def run() -> None:
            meeting.wait()
            if number == failing:
                raise LookupError
            ended.append(number)

        return run

    with pytest.raises(LookupError):
        Threads()(*(call(number) for number in range(3)))
    assert len(ended) == 2


def test_the_issuers_keys_are_kept_for_the_containers_life_and_not_fetched_before_a_token_needs_one() -> None:
    container = Container(config(sign_in="optional"))  # its issuer does not exist
    assert container.keys is container.keys
    assert Container(config()).keys("any") is None

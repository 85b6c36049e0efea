"""The emulator restarts with its data and serves only this machine."""

import hashlib
import json
import os
import resource
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from chat_client.websocket import ChatSocket
from local.emulator import Emulator
from local.errors import EmulatorError
from local.invocations import Invocation
from local.resources import Aws, open_session
from tests.conftest import Stack, free_port, fresh_room, running_stack, wait_until
from tests.local.conftest import emulator_of, processes_in

LISTENING = "0A"  # /proc/net/tcp


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tmp")


@pytest.fixture(scope="module")
def mortal(temporary: Path) -> Iterator[Stack]:
    """A run whose emulator tests may kill."""
    options = ("--no-watch", "--config", 'allowed_origins=["https://friend.example"]')
    with running_stack(*options, port=free_port(), temporary=temporary) as run:
        yield run


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
def test_a_killed_emulator_restarts_with_every_acknowledged_message(
    mortal: Stack, temporary: Path, how: signal.Signals
) -> None:
    room = fresh_room()
    with ChatSocket(mortal.websocket_url) as ada:
        ada.join(room, name="Ada")
        sent = [ada.send_message(f"number {number}") for number in range(5)]
        os.kill(emulator_of(temporary), how)
        ada.wait_until_closed()
    with ChatSocket(mortal.websocket_url) as again:  # immediately: a client that connects before the restart waits
        assert again.join(room, name="Ada", after=0)["lastSeq"] == sent[-1]["seq"]
        assert [one["messageId"] for one in again.history_since(0)] == [one["messageId"] for one in sent]
        assert again.send_message("after")["seq"] == sent[-1]["seq"] + 1
    mortal.wait_for_output("The emulator is running again")
    with urllib.request.urlopen(f"{mortal.site_url}/config.json", timeout=10) as page:
        assert mortal.websocket_url in page.read().decode()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_page_works_at_127_0_0_1_and_localhost(mortal: Stack, host: str) -> None:
    origin = mortal.site_url.replace("127.0.0.1", host)
    with ChatSocket(mortal.websocket_url, origin=origin) as page:
        assert page.ping()["type"] == "pong"


def test_configured_origins_may_connect(mortal: Stack) -> None:
    with ChatSocket(mortal.websocket_url, origin="https://friend.example") as friend:
        assert friend.ping()["type"] == "pong"


def test_the_pages_port_is_derived_from_the_emulators(mortal: Stack) -> None:
    """Browsers key a page's storage by its origin, which must not change between runs."""
    port = int(mortal.endpoint_url.rpartition(":")[2])
    assert mortal.site_url == f"http://127.0.0.1:{port + 1000 if port + 1000 <= 65535 else port - 1000}"


def test_nothing_listens_on_the_network(mortal: Stack, temporary: Path) -> None:
    wait_until(lambda: processes_in(temporary), "the emulator runs")
    ours = set()
    for pid in (mortal.process.pid, *processes_in(temporary)):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            ours.add(str(descriptor.readlink()))
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="utf-8").splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and f"socket:[{fields[9]}]" in ours:
                listening.append(fields[1])
    loopback = socket.inet_aton("127.0.0.1")[::-1].hex().upper()
    assert len(listening) == 2, listening
    assert all(address.startswith(loopback) for address in listening), listening


MAX_FRAME = "x" * 32 * 1024


def test_as_on_aws_a_message_of_128_kb_reaches_its_function(stack: Stack) -> None:
    with connect(stack.websocket_url) as socket_:
        socket_.send([MAX_FRAME] * 4)
        assert json.loads(socket_.recv(10))["code"] == "bad_request"
        socket_.send([*[MAX_FRAME] * 4, "x"])
        with pytest.raises(ConnectionClosed) as closed:
            socket_.recv(10)
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("path", ["dev", "production/extra", ""])
def test_as_on_aws_only_the_stage_can_be_connected_to(stack: Stack, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        ChatSocket(stack.websocket_url.removesuffix("production") + path)
    assert refused.value.response.status_code == 403


def test_without_sign_in_there_are_no_accounts_and_no_login_pages(stack: Stack) -> None:
    assert not {"accounts", "user_pool_id", "login_url"} & set(stack.outputs)
    for path in ("/oauth2/authorize?client_id=a", "/oauth2/token", "/logout"):
        with pytest.raises(HTTPError, match="403"):
            urllib.request.urlopen(stack.endpoint_url + path, timeout=10)


def client_of(stack: Stack, service: str, key: str, secret: str, token: str | None = None) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=stack.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def test_the_key_id_is_useless_without_the_secret(stack: Stack) -> None:
    """MiniStack does not check signatures made with its root key."""
    key = stack.credentials["aws_access_key_id"]
    with pytest.raises(ClientError, match="signature"):
        client_of(stack, "dynamodb", key, "guessed").list_tables()
    with pytest.raises(ClientError, match="signature"):
        client_of(stack, "lambda", key, "guessed").list_functions()


def test_a_functions_credentials_cannot_be_derived_from_its_name(stack: Stack) -> None:
    """MiniStack derives them from the ARNs of the function and its role, which are not secret."""
    arns = stack.outputs["resources"]
    function, role = arns["ChatAppRoom"], arns["ChatAppRoomRole"]
    digest = hashlib.sha256(f"{function}:{role}".encode()).hexdigest()
    secret, token = (hashlib.sha256(f"{kind}:{digest}".encode()).hexdigest() for kind in ("secret", "token"))
    guess = client_of(stack, "dynamodb", f"ASIA{digest[:16].upper()}", secret, token)
    with pytest.raises(ClientError, match="security token"):
        guess.scan(TableName=stack.outputs["connections_table"])


def test_a_missing_temporary_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match=r"Cannot create temporary files: No such file or directory\. Set TMPDIR"):
        Emulator(0, temporary=tmp_path / "missing")


def test_a_failed_save_is_reported(tmp_path: Path) -> None:
    emulator = Emulator(0, temporary=tmp_path)
    try:
        emulator.start()
        emulator.save()
        (folder,) = tmp_path.iterdir()
        (folder / "state" / "dynamodb.json.tmp").mkdir()  # in the way of the saved file
        with pytest.raises(EmulatorError, match=r"could not save its data: .*dynamodb.*Is the disk full\?"):
            emulator.save()
    finally:
        emulator.close()


def test_a_disk_that_fills_up_during_the_run_is_reported(tmp_path: Path) -> None:
    reported: list[Invocation] = []
    emulator = Emulator(0, temporary=tmp_path, report=reported.append)
    try:
        emulator.start()
        dynamodb = Aws(emulator.url, open_session(emulator.credentials)).client("dynamodb")
        key = {"AttributeName": "id", "AttributeType": "S"}
        dynamodb.create_table(
            TableName="rooms",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[key],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        resource.prlimit(emulator_of(tmp_path), resource.RLIMIT_FSIZE, (0, 0))  # no file may grow
        with pytest.raises(ClientError):
            dynamodb.put_item(TableName="rooms", Item={"id": {"S": "tea"}})
        wait_until(lambda: reported, "the failure is reported")
        assert reported[0].report(logs=False) == [
            "  The emulator failed: File too large; a write could not be made durable."
        ]
    finally:
        emulator.close()


def test_if_the_emulator_cannot_start_the_end_of_its_log_is_shown(tmp_path: Path) -> None:
    emulator = Emulator(0, environment={**os.environ, "PYTHONHOME": str(tmp_path)})  # Python cannot start with this
    try:
        with pytest.raises(EmulatorError, match="ended at once. The end of its log:\n.*"):
            emulator.start()
    finally:
        emulator.close()


def test_a_closed_emulator_cannot_be_started_again() -> None:
    emulator = Emulator(0)
    emulator.close()
    with pytest.raises(EmulatorError, match="The emulator was closed"):
        emulator.begin()
    assert not emulator.wait_until_serving()

"""The stage that unit tests play on."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from moto import mock_aws

from chat import clients, delivery, rooms
from tests.unit.stage import TABLES, Chat, RecordedFanOut, make_tables


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a deployment sets. The limits are wide here: what they refuse has tests of its own."""
    for name, value in {
        **TABLES,
        "CALLBACK_URL": "https://api.example/production",
        "ALLOWED_ORIGINS": "https://chat.example",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "MESSAGE_BURST": "100000",
        "MESSAGES_PER_SECOND": "1000",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tables, empty, and a container that has kept nothing. One call at a time: moto's writes are not atomic."""
    base: Any = BaseClient
    call, turn = base._make_api_call, threading.RLock()

    def in_turn(client: BaseClient, *args: Any) -> Any:
        with turn:
            return call(client, *args)

    monkeypatch.setattr(BaseClient, "_make_api_call", in_turn)
    with mock_aws():
        rooms._rosters.clear()
        make_tables()
        yield


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> RecordedFanOut:
    recorded = RecordedFanOut()
    monkeypatch.setattr(delivery, "_engine", lambda *_: recorded)
    monkeypatch.setattr(delivery, "OPENING_SECONDS", 0)
    return recorded


@pytest.fixture
def chat(tables: None, posts: RecordedFanOut) -> Chat:
    return Chat(posts)


@pytest.fixture
def item() -> Callable[..., dict[str, Any]]:
    """Read one item of a table as it is."""

    def read(table: str, **key: str) -> dict[str, Any]:
        found = clients.dynamodb().get_item(TableName=table, Key=clients.to_attributes(key), ConsistentRead=True)
        return clients.from_attributes(found.get("Item", {}))

    return read

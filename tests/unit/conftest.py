"""The stage that unit tests play on."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
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
def tables() -> Iterator[None]:
    """The tables, empty, and a container that has kept nothing."""
    with mock_aws():
        clients._client.cache_clear()
        rooms._rosters.clear()
        make_tables()
        yield
    clients._client.cache_clear()


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> RecordedFanOut:
    recorded = RecordedFanOut()
    monkeypatch.setattr(delivery, "_engine", lambda *_: recorded)
    return recorded


@pytest.fixture
def chat(tables: None, posts: RecordedFanOut) -> Chat:
    return Chat(posts)


@pytest.fixture
def item() -> Callable[..., dict[str, Any]]:
    """Read one item of a table as it is."""

    def read(table: str, **key: str) -> dict[str, Any]:
        found = boto3.client("dynamodb").get_item(TableName=table, Key=clients.to_attributes(key), ConsistentRead=True)
        return clients.from_attributes(found.get("Item", {}))

    return read

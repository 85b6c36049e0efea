"""The DynamoDB client sends and parses the same as botocore, over its own connections."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.session import Session
from moto import mock_aws

from chat.store.client import new_client
from chat.store.dynamodb import Expression, Table, Write, from_attributes, putting
from chat.store.errors import TransactionFailedError
from chat.store.transport import Transport

KEY = {"connectionId": {"S": "anna"}}
ROW = {"connectionId": {"S": "anna"}, "expiresAt": {"N": "7"}, "joined": {"BOOL": True}, "rooms": {"SS": ["a", "b"]}}
REFUSED = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Item": ROW}


def answer(body: object, status: int = 200, *fields: str) -> bytes:
    content = json.dumps(body).encode()
    head = "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", *fields])
    return f"{head}\r\n\r\n".encode() + content


class Server:
    """Answers each request with the next answer: bytes, None for silence, or b"" to hang up."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.requests: list[bytes] = []
        self.accepted = 0
        self._opened = ExitStack()
        self._listener = self._opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._peers: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self._opened.enter_context(peer)
                self.accepted += 1
                self._peers.append(peer)
                threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while head := self._head(peer):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + (peer.recv(length, socket.MSG_WAITALL) if length else b""))
                given = self.answers.pop(0)
                if given is not None:
                    peer.sendall(given)
                if given == b"" or (given and b"content-length" not in given.lower() and b"chunked" not in given):
                    peer.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _head(peer: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = peer.recv(1)
            if not byte:
                return b""
            head += byte
        return head

    def hang_up(self) -> None:
        """Close the connections, like DynamoDB's idle time-out, and wait until the client has noticed."""
        for peer in self._peers:
            peer.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # ends `accept`
        self._opened.close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}.items():
        monkeypatch.setenv(name, value)


def request(server: Server) -> AWSPreparedRequest:
    return AWSRequest("POST", server.url + "/", headers={"X-Amz-Target": "T.GetItem"}, data=b"{}").prepare()


def transport() -> Transport:
    return Transport(None, connect_timeout=5, read_timeout=5)


def test_values_are_parsed_as_by_botocore(server: Server) -> None:
    server.answers = [answer({"Item": ROW})] * 2
    botocore: Any = Session().create_client("dynamodb", region_name="us-east-1", endpoint_url=server.url)
    ours, theirs = (
        client.get_item(TableName="t", Key=KEY) for client in (new_client("us-east-1", server.url), botocore)
    )
    assert ours["Item"] == theirs["Item"] == ROW
    assert ours["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_refused_write_returns_the_existing_item(server: Server) -> None:
    server.answers = [answer(REFUSED, 400)]
    with pytest.raises(ClientError) as raised:
        new_client("us-east-1", server.url).put_item(TableName="t", Item=ROW)
    assert raised.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert raised.value.response["Item"] == ROW  # type: ignore[typeddict-item]


def test_a_request_is_retried_when_its_connection_breaks(server: Server) -> None:
    server.answers = [b"", answer({"Item": ROW})]
    assert new_client("us-east-1", server.url).get_item(TableName="t", Key=KEY)["Item"] == ROW
    assert len(server.requests) == 2


def write(name: str) -> Write:
    expression = Expression()
    condition = f"attribute_not_exists({expression.name('userId')})"
    return putting({"room": name, "item": "account"}, condition=condition, expression=expression)


def test_a_retried_transaction_has_the_same_token_so_it_is_carried_out_once(server: Server) -> None:
    server.answers = [b"", answer({}), answer({})]
    table = Table(new_client("us-east-1", server.url), "t")
    table.transact(write("a"), write("b"))
    table.transact(write("a"), write("b"))
    first, again, other = (json.loads(each.partition(b"\r\n\r\n")[2])["ClientRequestToken"] for each in server.requests)
    assert first == again != other


def test_a_cancelled_transaction_returns_the_existing_items(server: Server) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": ROW}]
    cancelled = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    server.answers = [answer({"__type": cancelled, "CancellationReasons": reasons}, 400)]
    with pytest.raises(TransactionFailedError) as raised:
        Table(new_client("us-east-1", server.url), "t").transact(write("a"), write("b"))
    assert raised.value.failed == {1: from_attributes(ROW)}


def test_a_batch_is_parsed_as_the_items_of_its_table(server: Server) -> None:
    unprocessed = {"t": {"Keys": [{"connectionId": {"S": "ben"}}], "ConsistentRead": True}}
    server.answers = [
        answer({"Responses": {"t": [ROW]}, "UnprocessedKeys": unprocessed}),
        answer({"Responses": {"t": [{"connectionId": {"S": "ben"}}]}, "UnprocessedKeys": {}}),
    ]
    keys = [{"connectionId": "anna"}, {"connectionId": "ben"}]
    found = Table(new_client("us-east-1", server.url), "t").batch_get(keys)
    assert found == [from_attributes(ROW), {"connectionId": "ben"}]


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
def test_every_partition_has_its_own_endpoint_and_signature(region: str) -> None:
    def sent_by(client: Any) -> tuple[str, str]:
        caught: list[AWSPreparedRequest] = []

        def catch(request: AWSPreparedRequest, **_: object) -> None:
            caught.append(request)
            raise InterruptedError

        client.meta.events.register_first("before-send.dynamodb", catch)
        with suppress(InterruptedError):
            client.get_item(TableName="t", Key=KEY)
        return caught[0].url, str(caught[0].headers["Authorization"]).partition(", ")[0]

    assert sent_by(new_client(region)) == sent_by(Session().create_client("dynamodb", region_name=region))


def test_one_connection_serves_successive_requests(server: Server) -> None:
    server.answers = [answer(number) for number in range(3)]
    ours = transport()
    assert [ours.send(request(server)).content for _ in range(3)] == [b"0", b"1", b"2"]
    assert server.accepted == 1
    assert server.requests[0].startswith(b"POST / HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"X-Amz-Target: T.GetItem\r\n" in server.requests[0]
    assert server.requests[0].endswith(b"\r\n\r\n{}")


def test_a_connection_closed_by_the_server_is_not_reused(server: Server) -> None:
    server.answers = [answer(1), answer(2)]
    ours = transport()
    ours.send(request(server))
    server.hang_up()
    assert ours.send(request(server)).content == b"2"
    assert server.accepted == 2


@pytest.mark.parametrize(
    "given",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nabcdefg",
        b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nabcdefg",
    ],
)
def test_every_form_of_a_body_is_read_and_the_next_request_succeeds(server: Server, given: bytes) -> None:
    server.answers = [given, answer(2)]
    ours = transport()
    assert ours.send(request(server)).content == b"abcdefg"
    assert ours.send(request(server)).content == b"2"


def test_header_names_are_case_insensitive(server: Server) -> None:
    server.answers = [answer({}, 200, "X-AMZN-RequestId: abc")]
    assert transport().send(request(server)).headers["x-amzn-requestid"] == "abc"


@pytest.mark.parametrize("given", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"SSH-2.0-x\r\n\r\n"])
def test_a_broken_response_is_an_error_that_botocore_retries(server: Server, given: bytes) -> None:
    server.answers = [given]
    ours = Transport(None, connect_timeout=5, read_timeout=0.2)
    with pytest.raises((ConnectionClosedError, ReadTimeoutError)):
        ours.send(request(server))


def test_a_missing_response_is_a_timeout(server: Server) -> None:
    server.answers = [None]
    ours = Transport(None, connect_timeout=5, read_timeout=0.05)
    with pytest.raises(ReadTimeoutError):
        ours.send(request(server))


def test_an_endpoint_without_a_server_is_a_connection_error(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        server.url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(EndpointConnectionError):
        transport().send(request(server))


def test_each_thread_has_its_own_connection(server: Server) -> None:
    server.answers = [answer(number) for number in range(40)]
    ours = transport()
    seen: list[bytes] = []

    def ask(times: int) -> Callable[[], None]:
        return lambda: seen.extend(ours.send(request(server)).content for _ in range(times))

    threads = [threading.Thread(target=ask(10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(str(number).encode() for number in range(40))
    assert server.accepted <= 4


def test_moto_intercepts_it_like_any_botocore_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        client: Any = new_client("us-east-1")
        client.create_table(
            TableName="Connections",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "connectionId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "connectionId", "AttributeType": "S"}],
        )
        client.put_item(TableName="Connections", Item=ROW)
        assert client.get_item(TableName="Connections", Key=KEY)["Item"] == ROW

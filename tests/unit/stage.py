"""The functions on a stage: DynamoDB in this process, and a fan-out that only notes what it was given."""

import json
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from chat import clients
from chat.fan_out import Outcome

TABLES = {"TABLE_NAME": "ActiveConnections", "HISTORY_TABLE_NAME": "MessageHistory", "ROOMS_TABLE_NAME": "ChatRooms"}


def make_tables() -> None:
    """Make the three tables with the keys and indexes that the program gives them."""
    dynamodb: Any = clients.dynamodb()

    def create(name: str, keys: dict[str, str], index: tuple[str, dict[str, str]] | None = None) -> None:
        def schema(fields: dict[str, str]) -> list[Any]:
            return [
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(fields, ("HASH", "RANGE"), strict=False)
            ]

        indexed = {} if index is None else index[1]
        extra: dict[str, Any] = {}
        if index is not None:
            extra["GlobalSecondaryIndexes"] = [
                {"IndexName": index[0], "KeySchema": schema(indexed), "Projection": {"ProjectionType": "ALL"}}
            ]
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=schema(keys),
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind in {**keys, **indexed}.items()
            ],
            **extra,
        )

    create("ActiveConnections", {"connectionId": "S"}, ("by-room", {"room": "S", "connectionId": "S"}))
    create("MessageHistory", {"messageId": "S", "timestamp": "S"}, ("by-room-seq", {"room": "S", "seq": "N"}))
    create("ChatRooms", {"room": "S"})


@dataclass
class RecordedFanOut:
    """Stands in for the sockets: what each connection was posted, and which ones are gone."""

    frames: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    order: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def post(self, connection_ids: Iterable[str], frame: bytes, *, deadline: float) -> Outcome:
        assert deadline > time.monotonic()
        assert len(frame) <= 32 * 1024
        gone = []
        delivered = 0
        for connection_id in connection_ids:
            if connection_id in self.gone:
                gone.append(connection_id)
                continue
            decoded = json.loads(frame)
            self.frames[connection_id].append(decoded)
            self.order.append((connection_id, decoded))
            delivered += 1
        return Outcome(delivered, gone, [], [])

    def of_type(self, connection_id: str, kind: str) -> list[dict[str, Any]]:
        """Return the frames of one type that a connection was posted."""
        return [frame for frame in self.frames[connection_id] if frame["type"] == kind]


class Chat:
    """The functions, called as API Gateway calls them."""

    def __init__(self, posts: RecordedFanOut) -> None:
        self.posts = posts

    def call(self, module: ModuleType, connection_id: str, frame: object = None, **event: Any) -> dict[str, Any]:
        """Call a function with a frame, or with a whole body of text."""
        body = frame if isinstance(frame, str) or frame is None else json.dumps(frame)
        context = {"connectionId": connection_id, "connectedAt": int(time.time() * 1000), **event.pop("context", {})}
        return module.lambda_handler({"requestContext": context, "body": body, **event}, None)

    def connect(self, connection_id: str) -> None:
        import connect  # noqa: PLC0415

        assert self.call(connect, connection_id)["statusCode"] == 200

    def disconnect(self, connection_id: str) -> None:
        import disconnect  # noqa: PLC0415

        assert self.call(disconnect, connection_id)["statusCode"] == 200

    def join(self, connection_id: str, room: str, **fields: Any) -> dict[str, Any]:
        import join  # noqa: PLC0415

        answer = self.call(join, connection_id, {"action": "join", "room": room, **fields})
        assert answer == {"statusCode": 200}, answer
        return self.posts.of_type(connection_id, "joined")[-1]

    def send(self, connection_id: str, text: str, message_id: str | None = None) -> dict[str, Any]:
        import sendmessage  # noqa: PLC0415

        message_id = message_id or str(uuid.uuid4())
        frame = {"action": "sendmessage", "message": text, "messageId": message_id}
        answer = self.call(sendmessage, connection_id, frame)
        assert answer == {"statusCode": 200}, answer
        return next(frame for frame in self.posts.frames[connection_id][::-1] if frame.get("messageId") == message_id)

    def history(self, connection_id: str, **fields: Any) -> dict[str, Any]:
        import history  # noqa: PLC0415

        answer = self.call(history, connection_id, {"action": "history", **fields})
        assert answer["statusCode"] == 200, answer
        return json.loads(answer["body"])

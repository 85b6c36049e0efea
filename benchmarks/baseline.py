"""The naive baseline, as usually written: a scan, then boto3 posts, one by one or with 32 threads.

It is better than usual in two ways: the scan filters by room, so fewer connections are posted to, and gone connections
are recognized. `mostPosts` in an event limits the posts; longer times are extrapolated.
"""

import json
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.conditions import Attr
from botocore.config import Config
from botocore.exceptions import ClientError

THREADS = 32

_dynamodb: Any = boto3.resource("dynamodb")
connections = _dynamodb.Table(os.environ["TABLE_NAME"])
history = _dynamodb.Table(os.environ["HISTORY_TABLE_NAME"])
api: Any = boto3.client(
    "apigatewaymanagementapi",
    endpoint_url=os.environ["CALLBACK_URL"],
    config=Config(max_pool_connections=THREADS),
)


def connect_handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Store the connection."""
    connection_id = event["requestContext"]["connectionId"]
    connections.put_item(Item={"connectionId": connection_id, "timestamp": datetime.now(UTC).isoformat()})
    return {"statusCode": 200}


def disconnect_handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Delete the connection."""
    connections.delete_item(Key={"connectionId": event["requestContext"]["connectionId"]})
    return {"statusCode": 200}


def default_handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Reject the frame."""
    return {"statusCode": 400, "body": json.dumps({"error": "Invalid request"})}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Store the message and post it to the connections one by one."""
    ids, frame = _store_and_list(event)
    for connection_id in ids:
        _post(connection_id, frame)
    return {"statusCode": 200}


def threads_handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Store the message and post it with 32 threads."""
    ids, frame = _store_and_list(event)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda connection_id: _post(connection_id, frame), ids))
    return {"statusCode": 200}


def _store_and_list(event: dict[str, Any]) -> tuple[list[str], bytes]:
    message = {
        "messageId": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).isoformat(),
        "connectionId": event["requestContext"]["connectionId"],
        "message": json.loads(event["body"])["message"],
    }
    history.put_item(Item=message)
    found: list[str] = []
    page: dict[str, Any] = {"FilterExpression": Attr("room").eq("room-one")}
    while True:
        answer = connections.scan(**page)
        found += [row["connectionId"] for row in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            break
        page["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    frame = {"type": "message", **{name: message[name] for name in ("timestamp", "message", "connectionId")}}
    return found[: event.get("mostPosts", len(found))], json.dumps(frame, separators=(",", ":")).encode()


def _post(connection_id: str, frame: bytes) -> None:
    try:
        api.post_to_connection(ConnectionId=connection_id, Data=frame)
    except ClientError as error:
        if error.response["Error"]["Code"] != "GoneException":
            return
        connections.delete_item(Key={"connectionId": connection_id})

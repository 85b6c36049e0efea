"""One JSON line for what happened: request ids and counts, never a message's text or a name. It knows no store."""

import json
import os
import sys
import time
import traceback
from typing import Any

_request: dict[str, str] = {}


def begin(event: object, context: object) -> None:
    """Note whose lines the next ones are."""
    _request.clear()
    _request["requestId"] = str(getattr(context, "aws_request_id", ""))
    detail = event.get("requestContext") if isinstance(event, dict) else None
    if isinstance(detail, dict):
        for field in ("routeKey", "connectionId", "requestId"):
            if isinstance(detail.get(field), str):
                _request["apiRequestId" if field == "requestId" else field] = detail[field]


def line(what: str, **counts: object) -> None:
    """Write a line; numbers become metrics too where the deployment names a namespace (embedded metric format)."""
    record: dict[str, Any] = {"event": what, **_request, **counts}
    namespace = os.environ.get("METRICS_NAMESPACE")
    metrics = [name for name, value in counts.items() if isinstance(value, int)]
    if namespace and metrics:
        record["_aws"] = {
            "Timestamp": int(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [[]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in metrics],
                },
            ],
        }
    sys.stdout.write(json.dumps(record) + "\n")


def fault(error: BaseException) -> None:
    """Write where an unexpected error came from: its type and place, since its text may hold a message's."""
    places = [f"{at.filename.rpartition(os.sep)[2]}:{at.lineno}" for at in traceback.extract_tb(error.__traceback__)]
    code = getattr(error, "response", {}).get("Error", {}).get("Code") if hasattr(error, "response") else None
    line("fault", error=type(error).__name__, code=code, at=places[-4:], faults=1)

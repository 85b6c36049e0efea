"""Log events as JSON lines: ids and counts, never message text, names or secrets."""

import json
import os
import traceback
from collections.abc import Callable
from typing import Any, TextIO


class Log:
    """Writes the log events of one invocation, each with the request's ids."""

    def __init__(self, stream: Callable[[], TextIO], now_ms: Callable[[], int], namespace: str = "") -> None:
        self._stream = stream
        self._now_ms = now_ms
        self._namespace = namespace
        self._bound: dict[str, str] = {}

    def bind(self, event: object, lambda_context: object) -> None:
        """Bind the request's ids to subsequent log events."""
        self._bound = {"requestId": str(getattr(lambda_context, "aws_request_id", ""))}
        request = event.get("requestContext") if isinstance(event, dict) else None
        if isinstance(request, dict):
            for field, name in (("routeKey",) * 2, ("connectionId",) * 2, ("requestId", "apiRequestId")):
                if isinstance(request.get(field), str):
                    self._bound[name] = request[field]

    def event(self, name: str, **fields: object) -> None:
        """Write an event; with a namespace, its integers become metrics (embedded metric format)."""
        record: dict[str, Any] = {"event": name, **self._bound, **fields}
        metrics = [field for field, value in fields.items() if isinstance(value, int)]
        if self._namespace and metrics:
            record["_aws"] = {
                "Timestamp": self._now_ms(),
                "CloudWatchMetrics": [
                    {
                        "Namespace": self._namespace,
                        "Dimensions": [[]],
                        "Metrics": [{"Name": metric, "Unit": "Count"} for metric in metrics],
                    },
                ],
            }
        self._stream().write(json.dumps(record) + "\n")

    def fault(self, error: BaseException) -> None:
        """Log an unexpected error by type and location; its text may contain a message."""
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{frame.filename.rpartition(os.sep)[2]}:{frame.lineno}" for frame in frames]
        response = getattr(error, "response", None)
        code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
        self.event("fault", error=type(error).__name__, code=code, at=places[-4:], faults=1)

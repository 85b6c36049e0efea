"""Tables and logs of the local stack, as the AWS CLI prints them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from local.process import Stack


def scan(stack: Stack, table: str, columns: Sequence[str]) -> list[list[str]]:
    """Return the items of a table, with string values in columns, sorted by the first."""
    items = stack.client("dynamodb").scan(TableName=table)["Items"]
    return sorted([item.get(column, {}).get("S", "None") for column in columns] for item in items)


def scan_command(stack: Stack, table: str, columns: Sequence[str]) -> str:
    """Return a scan command and its output."""
    query = ",".join(f"{column}.S" for column in columns)
    found = scan(stack, table, columns)
    widths = [max(len(row[index]) for row in found) for index in range(len(columns))]
    lines = ["  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)) for row in found]
    command = f"$ aws dynamodb scan --table-name {table} --query 'Items[].[{query}]' --output text"
    return "\n".join([command, *lines])


def logs_command(stack: Stack, function: str, limit: int) -> str:
    """Return a command that shows the events in a function's log, and the last lines of its output."""
    found = stack.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}", startTime=0)
    events = [event for event in found["events"] if event["message"].startswith('{"event"')]
    lines = [
        f"{datetime.fromtimestamp(event['timestamp'] / 1000, UTC):%Y-%m-%dT%H:%M:%S} {event['message'].strip()}"
        for event in events
    ]
    return "\n".join(
        [f"$ aws logs tail /aws/lambda/{function} --format short --filter-pattern '{{ $.event = * }}'", *lines[-limit:]]
    )

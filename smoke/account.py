"""Checks of a stack's resources in the AWS account. Read-only."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from smoke.check import Check
from smoke.conversation import Conversation
from smoke.errors import AccountError, CheckFailedError, CheckSkippedError

TIMEOUT_SECONDS = 30

ROUTES = {"$connect", "$disconnect", "$default", "sendmessage"}
_SILENT_ROUTES = ("$connect", "$disconnect")
_REFRESH = "run `pulumi up --refresh`"
_ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

CONNECTION_KEY = {"connectionId": "HASH"}
MESSAGE_KEY = {"messageId": "HASH", "timestamp": "RANGE"}


def open_session(outputs: dict[str, Any], endpoint_url: str | None) -> boto3.Session:
    """Return a session with this shell's credentials, after checking that AWS accepts them. Raises AccountError.

    A local run's outputs bring the credentials of its emulator.
    """
    websocket = urlsplit(outputs["websocket_url"])
    if websocket.scheme == "ws" and not endpoint_url:  # a real account may have resources with the same names
        raise AccountError(
            f"these are a local run's outputs: name its emulator, ENDPOINT_URL=http://{websocket.netloc};"
            " or skip these checks with --outside-only",
        )
    emulator = outputs.get("emulator", {}) if endpoint_url else {}
    session = boto3.Session(
        emulator.get("access_key_id"), emulator.get("secret_access_key"), region_name=outputs["region"]
    )
    try:
        make_client(session, "sts", endpoint_url).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise AccountError(
            f"AWS does not let this shell in ({error}). `aws sts get-caller-identity` must answer;"
            " or skip these checks with --outside-only",
        ) from None
    return session


class AccountChecks:
    """The checks of a stack in AWS, or in the emulator at `endpoint_url`."""

    def __init__(
        self, outputs: dict[str, Any], session: boto3.Session, *, endpoint_url: str | None, retention_days: int
    ) -> None:
        self._outputs = outputs
        self._session = session
        self._endpoint_url = endpoint_url
        self._retention_days = retention_days

    def all(self, conversation: Callable[[], Conversation]) -> Iterator[Check]:
        """Yield the checks. `conversation` returns the conversation, or raises CheckSkippedError."""
        yield Check("the tables can be scanned and hold the conversation", lambda: self.tables(conversation()))
        yield Check("the functions are as specified", self.functions)
        yield Check("their log groups expire", self.log_groups)
        yield Check("the stage accepts frames", self.stage)
        yield Check("each route can answer", self.routes)
        yield Check("the budgets exist", self.budgets)

    def tables(self, conversation: Conversation) -> str:
        """Scan both tables for their keys and attributes, and look for the conversation's own rows."""
        message = {name: conversation.stored[0][name] for name in ("messageId", "timestamp", "connectionId", "message")}
        connections, messages = self._outputs["connections_table"], self._outputs["messages_table"]
        seen = [
            self._scan(connections, CONNECTION_KEY, ("timestamp",)),
            self._scan(messages, MESSAGE_KEY, ("timestamp", "connectionId", "message")),
        ]
        self._find(connections, CONNECTION_KEY, {"connectionId": conversation.ada.connection_id})
        self._find(messages, MESSAGE_KEY, message)
        return f"{seen[0]} rows of {connections}, {seen[1]} of {messages}"

    def _scan(self, table: str, key: Mapping[str, str], attributes: tuple[str, ...]) -> int:
        """Check a table's key and its first page of rows; return their number."""
        client = self._client("dynamodb")
        schema = client.describe_table(TableName=table)["Table"]["KeySchema"]
        found = {part["AttributeName"]: part["KeyType"] for part in schema}
        if found != key:
            raise CheckFailedError(f"{table} has the key {found} instead of {dict(key)}")
        rows = client.scan(TableName=table)["Items"]
        for row in rows:
            lacking = [name for name in attributes if "S" not in row.get(name, {})]
            if lacking or not _ISO_8601.fullmatch(row["timestamp"]["S"]):
                which = {name: row[name]["S"] for name in key}
                raise CheckFailedError(f"{table} has a row without {lacking or 'an ISO 8601 timestamp'}: {which}")
        return len(rows)

    def _find(self, table: str, key: Mapping[str, str], row: Mapping[str, str]) -> None:
        """Check that a table has a row."""
        stored = self._client("dynamodb").get_item(
            TableName=table,
            Key={name: {"S": row[name]} for name in key},
            ConsistentRead=True,
        )
        if any(stored.get("Item", {}).get(name) != {"S": value} for name, value in row.items()):
            raise CheckFailedError(
                f"{table} lacks the row of this conversation: does websocket_url belong to this stack?"
            )

    def functions(self) -> str:
        """Compare each function's runtime, time-out and tables."""
        client = self._client("lambda")
        for name in self._outputs["function_names"]:
            seen = client.get_function_configuration(FunctionName=name)
            expected = {
                "Timeout": 30,
                "Architectures": ["arm64"],
                "Handler": f"{seen['Handler'].rpartition('.')[0]}.lambda_handler",
            }
            for key, value in expected.items():
                if seen.get(key) != value:
                    raise CheckFailedError(f"{name} has {key} {seen.get(key)} instead of {value}: {_REFRESH}")
            if not seen["Runtime"].startswith("python3."):
                raise CheckFailedError(f"{name} runs on {seen['Runtime']}")
            variables = seen["Environment"]["Variables"]
            for variable, output in (("TABLE_NAME", "connections_table"), ("HISTORY_TABLE_NAME", "messages_table")):
                found, table = variables.get(variable), self._outputs[output]
                if found != table:
                    raise CheckFailedError(f"{name} has {variable} {found} instead of {table}: {_REFRESH}")
        return f"all {len(self._outputs['function_names'])}"

    def log_groups(self) -> str:
        """Compare the retention of each function's log group."""
        client = self._client("logs")
        for name in self._outputs["function_names"]:
            log_group = f"/aws/lambda/{name}"
            found = client.describe_log_groups(logGroupNamePrefix=log_group)["logGroups"]
            group = next((one for one in found if one["logGroupName"] == log_group), None)
            if group is None:
                raise CheckFailedError(f"{log_group} is missing: {_REFRESH}")
            days = group.get("retentionInDays")
            if days != self._retention_days:
                raise CheckFailedError(
                    f"{log_group} keeps its events {f'for {days} days' if days else 'for ever'} instead of for"
                    f" {self._retention_days} days: {_REFRESH}, or pass the days with --retention-days",
                )
        return f"after {self._retention_days} days, all {len(self._outputs['function_names'])}"

    def stage(self) -> str:
        """Look for both throttling values, without which AWS uses 0, and for automatic deployment."""
        client = self._client("apigatewayv2")
        seen = client.get_stage(ApiId=self._outputs["api_id"], StageName=self._outputs["stage"])
        settings = seen.get("DefaultRouteSettings", {})
        rate, burst = settings.get("ThrottlingRateLimit", 0), settings.get("ThrottlingBurstLimit", 0)
        if not rate or not burst:
            raise CheckFailedError(f"its limits are {rate} a second and {burst} at once: {_REFRESH}")
        if not seen.get("AutoDeploy"):
            raise CheckFailedError(f"it is not deployed automatically: {_REFRESH}")
        return f"{rate:.0f} a second, {burst} at once"

    def routes(self) -> str:
        """Look for the specified routes, and for the route responses that let a function's reply reach the client."""
        client = self._client("apigatewayv2")
        found = client.get_routes(ApiId=self._outputs["api_id"], MaxResults="100")["Items"]
        missing = ROUTES - {route["RouteKey"] for route in found}
        if missing:
            raise CheckFailedError(f"{', '.join(sorted(missing))} is missing: {_REFRESH}")
        for route in found:
            if route["RouteKey"] not in _SILENT_ROUTES and not route.get("RouteResponseSelectionExpression"):
                raise CheckFailedError(f"{route['RouteKey']} has no route response: {_REFRESH}")
        return f"all {len(found)}"

    def budgets(self) -> str:
        """Look for the stack's budgets. Raises CheckSkippedError if it has none."""
        arns = [arn for arn in self._outputs["resources"].values() if ":budget/" in arn]
        if not arns:
            raise CheckSkippedError("none were made, which takes the config alert_email")
        for arn in arns:
            account, name = arn.split(":")[4], arn.partition(":budget/")[2]
            try:
                self._client("budgets").describe_budget(AccountId=account, BudgetName=name)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                raise CheckFailedError(f"{name} cannot be read ({code}): run `pulumi up`") from None
        return ", ".join(arn.partition(":budget/")[2] for arn in arns)

    def _client(self, service: str) -> Any:
        return make_client(self._session, service, self._endpoint_url)


def make_client(session: Any, service: str, endpoint_url: str | None) -> Any:
    """Return a client of a service, or of its stand-in at `endpoint_url`."""
    config = Config(connect_timeout=5, read_timeout=TIMEOUT_SECONDS, retries={"total_max_attempts": 3})
    return session.client(service, endpoint_url=endpoint_url, config=config)

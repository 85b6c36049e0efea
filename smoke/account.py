"""What the account's owner sees of a stack in AWS. It only reads, and knows no socket."""

from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TIMEOUT_SECONDS = 30
ROUTES = {"$connect", "$disconnect", "$default", "sendmessage"}
_SILENT_ROUTES = ("$connect", "$disconnect")


class Wrong(Exception):  # noqa: N818 - what happened
    """It is not as it should be; the text says how, and what to do."""


class NoAccount(Exception):  # noqa: N818 - said to a person
    """AWS does not answer; the text says why, and what to do."""


class Account:
    """The AWS account of a stack, asked with the credentials of this shell. Raises NoAccount."""

    def __init__(self, outputs: dict[str, Any], *, endpoint_url: str | None, retention_days: int) -> None:
        self._outputs = outputs
        self._endpoint_url = endpoint_url
        self._retention_days = retention_days
        socket = urlsplit(outputs["websocket_url"])
        if socket.scheme == "ws" and not endpoint_url:  # its names may stand in a real account as well
            raise NoAccount(
                f"these are a local run's outputs: name its emulator, ENDPOINT_URL=http://{socket.netloc};"
                " or leave these checks out with --outside-only",
            )
        self._session: Any = boto3.Session(region_name=outputs["region"])
        try:
            if endpoint_url and self._session.get_credentials() is None:  # an emulator takes any
                self._session = boto3.Session("test", "test", region_name=outputs["region"])
            self._client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise NoAccount(
                f"AWS does not let this shell in ({error}). `aws sts get-caller-identity` must answer;"
                " or leave these checks out with --outside-only",
            ) from None

    def _client(self, service: str) -> Any:
        config = Config(connect_timeout=5, read_timeout=TIMEOUT_SECONDS, retries={"total_max_attempts": 3})
        return self._session.client(service, endpoint_url=self._endpoint_url, config=config)

    def has_row(self, table: str, key: dict[str, str]) -> bool:
        """Tell whether a table holds a row."""
        typed = {name: {"S": value} for name, value in key.items()}
        return "Item" in self._client("dynamodb").get_item(TableName=table, Key=typed, ConsistentRead=True)

    def functions(self) -> str:
        """Compare each function's runtime, time-out and tables."""
        client = self._client("lambda")
        for name in self._outputs["function_names"]:
            seen = client.get_function_configuration(FunctionName=name)
            wanted = {
                "Timeout": 30,
                "Architectures": ["arm64"],
                "Handler": f"{seen['Handler'].rpartition('.')[0]}.lambda_handler",
            }
            for key, value in wanted.items():
                if seen.get(key) != value:
                    raise Wrong(f"{name} has {key} {seen.get(key)} instead of {value}: run `pulumi up --refresh`")
            if not seen["Runtime"].startswith("python3."):
                raise Wrong(f"{name} runs on {seen['Runtime']}")
            variables = seen["Environment"]["Variables"]
            for variable, output in (("TABLE_NAME", "connections_table"), ("HISTORY_TABLE_NAME", "messages_table")):
                if variables.get(variable) != self._outputs[output]:
                    raise Wrong(f"{name} has {variable} {variables.get(variable)} instead of {self._outputs[output]}")
        return f"{len(self._outputs['function_names'])} of them"

    def log_groups(self) -> str:
        """Look for each function's log group, and at its retention."""
        client = self._client("logs")
        for name in self._outputs["function_names"]:
            wanted = f"/aws/lambda/{name}"
            found = client.describe_log_groups(logGroupNamePrefix=wanted)["logGroups"]
            group = next((one for one in found if one["logGroupName"] == wanted), None)
            if group is None:
                raise Wrong(f"{wanted} is missing: run `pulumi up --refresh`")
            if group.get("retentionInDays") != self._retention_days:
                raise Wrong(
                    f"{wanted} keeps its lines for {group.get('retentionInDays', 'ever,')} days instead of"
                    f" {self._retention_days}: run `pulumi up --refresh`, or tell the days with --retention-days",
                )
        return f"after {self._retention_days} days, {len(self._outputs['function_names'])} of them"

    def stage(self) -> str:
        """Look for both throttling values, without which AWS takes 0, and for deployment by itself."""
        client = self._client("apigatewayv2")
        seen = client.get_stage(ApiId=self._outputs["api_id"], StageName=self._outputs["stage"])
        settings = seen.get("DefaultRouteSettings", {})
        rate, burst = settings.get("ThrottlingRateLimit", 0), settings.get("ThrottlingBurstLimit", 0)
        if not rate or not burst:
            raise Wrong(f"its limits are {rate} a second and {burst} at once: run `pulumi up --refresh`")
        if not seen.get("AutoDeploy"):
            raise Wrong("it is not deployed by itself: run `pulumi up --refresh`")
        return f"{rate:.0f} a second, {burst} at once"

    def routes(self) -> str:
        """Look for the routes, and for what lets a function's reply reach the client."""
        client = self._client("apigatewayv2")
        found = client.get_routes(ApiId=self._outputs["api_id"], MaxResults="100")["Items"]
        missing = ROUTES - {route["RouteKey"] for route in found}
        if missing:
            raise Wrong(f"{', '.join(sorted(missing))} is missing: run `pulumi up --refresh`")
        for route in found:
            if route["RouteKey"] not in _SILENT_ROUTES and not route.get("RouteResponseSelectionExpression"):
                raise Wrong(f"{route['RouteKey']} has no route response: run `pulumi up --refresh`")
        return f"{len(found)} of them"

    def budgets(self) -> str | None:
        """Look for the budgets that the stack made; None: it made none."""
        arns = [arn for arn in self._outputs["resources"].values() if ":budget/" in arn]
        for arn in arns:
            account, name = arn.split(":")[4], arn.partition(":budget/")[2]
            try:
                self._client("budgets").describe_budget(AccountId=account, BudgetName=name)
            except ClientError as error:
                raise Wrong(f"{name} cannot be read ({error.response['Error']['Code']}): run `pulumi up`") from None
        return ", ".join(arn.partition(":budget/")[2] for arn in arns) or None

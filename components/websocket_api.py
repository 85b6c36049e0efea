"""A WebSocket API on API Gateway, backed by Lambda functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.domain import DomainArgs, alias_record
from components.lambda_function import LambdaFunction, LambdaFunctionArgs, joined, merged
from components.stage_access_log import StageAccessLog, StageAccessLogArgs

FUNCTION_TIMEOUT_SECONDS = 30
"""One second more than the integration timeout (API Gateway quotas), so API Gateway times out first."""

_ROUTES_WITHOUT_RESPONSE = ("$connect", "$disconnect")
"""Routes whose functions return only a status."""


@dataclass(frozen=True, kw_only=True)
class ApiFunctionArgs:
    """A function that serves one or more routes."""

    function_name: str
    """Physical name, at most 64 characters."""
    role_name: str
    """Physical name of the role, at most 64 characters."""
    handler: str
    """Entry point in the archive, `module.function`."""
    environment: pulumi.Input[Mapping[str, pulumi.Input[str]]] = field(default_factory=dict)
    """Environment variables of this function, in addition to those of every function."""
    statements: pulumi.Input[Sequence[Mapping[str, Any]]] = ()
    """IAM statements of the role; their values may be outputs."""
    posts: bool = False
    """Whether the role may post to this API's connections."""
    memory_mb: int = 256
    """128 to 10,240 MB."""


@dataclass(frozen=True, kw_only=True)
class WebSocketApiArgs:
    """Arguments of a WebSocketApi."""

    api_name: str
    """Physical name, at most 128 characters."""
    code: pulumi.Archive
    """Archive with all handlers."""
    functions: Mapping[str, ApiFunctionArgs]
    """Functions by key. The key is part of the resources' logical names."""
    routes: Mapping[str, str]
    """Keys of functions by route key (`$connect`, `$disconnect`, `$default` or a value of `route_selection`).
    Routes may share a function."""
    route_selection: str = "$request.body.action"
    """Expression that selects a frame's route."""
    stage_name: str = "production"
    """Name of the stage, which ends the URL."""
    environment: pulumi.Input[Mapping[str, pulumi.Input[str]]] = field(default_factory=dict)
    """Environment variables of every function, in addition to CALLBACK_URL."""
    throttle_rate_limit: int = 50
    """Requests per second that the stage accepts."""
    throttle_burst_limit: int = 100
    """Concurrent requests that the stage accepts."""
    log_retention_days: int = 7
    """Days to keep the logs, one of the values that CloudWatch Logs allows."""
    access_logs: bool = False
    """Whether the stage logs each request. This sets the account's CloudWatch role for API Gateway."""
    domain: DomainArgs | None = None
    """Custom domain for clients."""
    endpoint_url: str = ""
    """Emulator URL; empty for AWS."""


class WebSocketApi(pulumi.ComponentResource):
    """A WebSocket API with its functions, routes and an automatically deployed stage."""

    api_id: pulumi.Output[str]
    """Id of the API."""
    stage_name: pulumi.Output[str]
    """Name of the stage."""
    stage_arn: pulumi.Output[str]
    """ARN of the stage."""
    websocket_url: pulumi.Output[str]
    """URL that clients connect to, wss://…."""
    callback_url: pulumi.Output[str]
    """Endpoint of @connections without the connection id. Never uses the custom domain, whose path differs."""
    function_names: dict[str, pulumi.Output[str]]
    """Physical names of the functions by key."""
    arns: dict[str, pulumi.Output[str]]
    """ARNs by name: the API, stage, domain, access log, and the functions with their roles and log groups."""

    def __init__(self, name: str, args: WebSocketApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:WebSocketApi", name, None, opts)
        _check_routes(args)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._api = aws.apigatewayv2.Api(
            f"{name}-api",
            name=args.api_name,
            protocol_type="WEBSOCKET",
            route_selection_expression=args.route_selection,
            opts=self._child,
        )
        self.callback_url, self.websocket_url = self._urls()
        self.arns = {args.api_name: self._api.arn}
        functions = {key: self._create_function(key, function) for key, function in args.functions.items()}
        integrations = {key: self._create_integration(key, function) for key, function in functions.items()}
        served: list[pulumi.Resource] = []
        for route_key, key in args.routes.items():
            served += self._create_route(route_key, functions[key], integrations[key])
        stage = self._create_stage(served)
        if args.domain is not None:
            self._create_domain(args.domain, stage)
        self.api_id, self.stage_name, self.stage_arn = self._api.id, stage.name, stage.arn
        self.function_names = {key: function.name for key, function in functions.items()}
        self.register_outputs({"api_id": self.api_id, "websocket_url": self.websocket_url})

    def _urls(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Return the callback URL and the WebSocket URL."""
        args = self._args
        if args.endpoint_url:
            path = pulumi.Output.format("{}/_aws/execute-api/{}/{}", args.endpoint_url, self._api.id, args.stage_name)
            return path, path.apply(lambda url: url.replace("http", "ws", 1))
        invoked = pulumi.InvokeOutputOptions(parent=self)  # uses the component's provider and region
        path = pulumi.Output.format(
            "{}.execute-api.{}.{}/{}",
            self._api.id,
            aws.get_region_output(opts=invoked).region,
            aws.get_partition_output(opts=invoked).dns_suffix,
            args.stage_name,
        )
        clients = path if args.domain is None else args.domain.name
        return pulumi.Output.format("https://{}", path), pulumi.Output.format("wss://{}", clients)

    def _create_function(self, key: str, function: ApiFunctionArgs) -> LambdaFunction:
        args = self._args
        post = {
            "Sid": "PostToConnections",
            "Effect": "Allow",
            "Action": ["execute-api:ManageConnections"],
            "Resource": pulumi.Output.format("{}/{}/POST/@connections/*", self._api.execution_arn, args.stage_name),
        }
        created = LambdaFunction(
            f"{self._name}-{key}",
            LambdaFunctionArgs(
                function_name=function.function_name,
                role_name=function.role_name,
                handler=function.handler,
                code=args.code,
                environment=merged(args.environment, function.environment, {"CALLBACK_URL": self.callback_url}),
                statements=joined(function.statements, [post] if function.posts else []),
                memory_mb=function.memory_mb,
                timeout_seconds=FUNCTION_TIMEOUT_SECONDS,
                log_retention_days=args.log_retention_days,
            ),
            self._child,
        )
        self.arns |= created.arns
        return created

    def _create_integration(self, key: str, function: LambdaFunction) -> aws.apigatewayv2.Integration:
        return aws.apigatewayv2.Integration(
            f"{self._name}-{key}-integration",
            api_id=self._api.id,
            integration_type="AWS_PROXY",
            integration_method="POST",
            integration_uri=function.invoke_arn,
            opts=self._child,
        )

    def _create_route(
        self, route_key: str, function: LambdaFunction, integration: aws.apigatewayv2.Integration
    ) -> list[pulumi.Resource]:
        """Create a route with its permission and response; return the resources that the stage depends on."""
        name = f"{self._name}-{route_key.removeprefix('$')}"
        responds = route_key not in _ROUTES_WITHOUT_RESPONSE
        route = aws.apigatewayv2.Route(
            f"{name}-route",
            api_id=self._api.id,
            route_key=route_key,
            target=pulumi.Output.format("integrations/{}", integration.id),
            authorization_type="NONE",
            route_response_selection_expression="$default" if responds else None,
            opts=self._child,
        )
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            function=function.name,
            action="lambda:InvokeFunction",
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.format("{}/{}/{}", self._api.execution_arn, self._args.stage_name, route_key),
            opts=self._child,
        )
        if not responds:
            return [route, permission]
        response = aws.apigatewayv2.RouteResponse(  # without it API Gateway drops the body that the function returns
            f"{name}-response",
            api_id=self._api.id,
            route_id=route.id,
            route_response_key="$default",
            opts=self._child,
        )
        return [route, permission, response]

    def _create_stage(self, served: list[pulumi.Resource]) -> aws.apigatewayv2.Stage:
        args = self._args
        waits_for = list(served)  # a deployment is a snapshot of the routes
        access_log_settings = None
        if args.access_logs:
            access_log = StageAccessLog(
                f"{self._name}-access-log",
                StageAccessLogArgs(
                    log_group_name=f"/aws/apigateway/{args.api_name}", log_retention_days=args.log_retention_days
                ),
                self._child,
            )
            self.arns |= access_log.arns
            waits_for.append(access_log)  # without the account's role, API Gateway rejects a stage that logs
            access_log_settings = aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=access_log.log_group_arn, format=access_log.line_format
            )
        stage = aws.apigatewayv2.Stage(
            f"{self._name}-stage",
            api_id=self._api.id,
            name=args.stage_name,
            auto_deploy=True,
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=args.throttle_rate_limit,  # an omitted value means 0: every request gets a 429
                throttling_burst_limit=args.throttle_burst_limit,
            ),
            access_log_settings=access_log_settings,
            opts=pulumi.ResourceOptions(parent=self, depends_on=waits_for),
        )
        self.arns[f"{args.api_name}/{args.stage_name}"] = stage.arn
        return stage

    def _create_domain(self, domain: DomainArgs, stage: aws.apigatewayv2.Stage) -> None:
        created = aws.apigatewayv2.DomainName(
            f"{self._name}-domain",
            domain_name=domain.name,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=domain.certificate_arn,
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
            ),
            opts=self._child,
        )
        self.arns[domain.name] = created.arn
        aws.apigatewayv2.ApiMapping(
            f"{self._name}-mapping",
            api_id=self._api.id,
            domain_name=created.id,
            stage=stage.name,
            opts=self._child,
        )
        alias_record(
            f"{self._name}-record",
            domain,
            kind="A",
            target=created.domain_name_configuration.target_domain_name,
            target_zone_id=created.domain_name_configuration.hosted_zone_id,
            opts=self._child,
        )


def _check_routes(args: WebSocketApiArgs) -> None:
    """Raise pulumi.RunError if a route has no function, or a function no route."""
    for route_key, key in args.routes.items():
        if key not in args.functions:
            raise pulumi.RunError(f"The route {route_key} has no function {key}.")
    if unused := args.functions.keys() - args.routes.values():
        raise pulumi.RunError(f"No route uses the function {min(unused)}.")

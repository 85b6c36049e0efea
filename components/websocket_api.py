"""A WebSocket API whose routes are functions. It serves any application: the routes are given as a map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.lambda_function import LambdaFunction, LambdaFunctionArgs

_NO_REPLY_ROUTES = ("$connect", "$disconnect")
"""Routes that answer by a status alone: they take no route response."""


@dataclass(frozen=True, kw_only=True)
class RouteArgs:
    """The function behind a route key."""

    function_name: str
    """Physical name of the function, at most 64 characters."""
    role_name: str
    """Physical name of its role, at most 64 characters."""
    handler: str
    """`module.function` in the archive."""
    statements: Sequence[Mapping[str, Any]] = ()
    """IAM statements that the function needs."""
    posts: bool = False
    """Whether it posts to connections."""
    memory_mb: int = 256
    """128 to 10,240 MB."""


@dataclass(frozen=True, kw_only=True)
class SocketDomainArgs:
    """A domain of one's own for the socket."""

    domain: str
    """Such as ws.example.org."""
    certificate_arn: str
    """Its ACM certificate, in the API's region."""
    zone_id: str | None = None
    """The Route 53 zone for its record; without it the record is made elsewhere, by hand."""


@dataclass(frozen=True, kw_only=True)
class WebSocketApiArgs:
    """What the API is to be."""

    api_name: str
    """Physical name, at most 128 characters."""
    code: pulumi.Archive
    """The archive with every handler."""
    routes: Mapping[str, RouteArgs]
    """Route key (`$connect`, `$disconnect`, `$default`, or a value of `route_selection`) → function."""
    route_selection: str = "$request.body.action"
    """What of a frame chooses its route."""
    stage_name: str = "production"
    """The last part of the address."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Environment variables of every function; CALLBACK_URL is added."""
    throttle_rate_limit: int = 500
    """Frames a second. Left out, AWS takes 0 and refuses all."""
    throttle_burst_limit: int = 1000
    """Frames at once. Left out, AWS takes 0 and refuses all."""
    log_retention_days: int = 7
    """How long the functions' logs are kept."""
    access_logs: bool = False
    """Whether the stage logs each request. The account's CloudWatch role is set for it, and stays when it is gone."""
    domain: SocketDomainArgs | None = None
    """A domain of one's own."""
    endpoint_url: str = ""
    """The address of an emulator that stands in for AWS."""


class WebSocketApi(pulumi.ComponentResource):
    """The API, a function for each route, and a stage that is deployed by itself."""

    api_id: pulumi.Output[str]
    """The API's id."""
    api_arn: pulumi.Output[str]
    """The API's ARN."""
    stage_name: str
    """The stage's name."""
    stage_arn: pulumi.Output[str]
    """The stage's ARN."""
    websocket_url: pulumi.Output[str]
    """Where clients connect: wss://…/stage."""
    callback_url: pulumi.Output[str]
    """The @connections endpoint without the id; what the functions post to. Never the custom domain."""
    functions: dict[str, LambdaFunction]
    """Route key → function."""
    arns: dict[str, pulumi.Output[str]]
    """Name → ARN of the API, its stage, and what its functions are made of."""

    def __init__(self, name: str, args: WebSocketApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-chat:index:WebSocketApi", name, None, opts)
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
        self.api_id, self.api_arn, self.stage_name = self._api.id, self._api.arn, args.stage_name
        self.callback_url, self.websocket_url = self._addresses()
        self.functions = {}
        self.arns = {args.api_name: self._api.arn}
        routed: list[pulumi.Resource] = []
        for route_key, route in args.routes.items():
            routed += self._create_route(route_key, route)
        stage = self._create_stage(routed)
        self.stage_arn = stage.arn
        self.arns[f"{args.api_name}/{args.stage_name}"] = stage.arn
        if args.domain is not None:
            self._create_domain(args.domain, stage)
        self.register_outputs({"api_id": self.api_id, "websocket_url": self.websocket_url})

    def _addresses(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """Return the callback and the socket address; `domainName/stage` would break with a custom domain."""
        args = self._args
        if args.endpoint_url:
            place = pulumi.Output.format("{}/_aws/execute-api/{}/{}", args.endpoint_url, self._api.id, args.stage_name)
            return place, place.apply(lambda url: url.replace("http", "ws", 1))
        place = pulumi.Output.format(
            "{}.execute-api.{}.{}/{}",
            self._api.id,
            aws.get_region_output().region,
            aws.get_partition_output().dns_suffix,
            args.stage_name,
        )
        socket = place if args.domain is None else args.domain.domain
        return pulumi.Output.format("https://{}", place), pulumi.Output.format("wss://{}", socket)

    def _create_route(self, route_key: str, route: RouteArgs) -> list[pulumi.Resource]:
        """Make a function and its route; return what the stage has to wait for."""
        name = f"{self._name}-{route_key.removeprefix('$')}"
        function = self._create_function(name, route)
        self.functions[route_key] = function
        self.arns |= function.arns
        replies = route_key not in _NO_REPLY_ROUTES
        integration = aws.apigatewayv2.Integration(
            f"{name}-integration",
            api_id=self._api.id,
            integration_type="AWS_PROXY",
            integration_method="POST",
            integration_uri=function.invoke_arn,
            opts=self._child,
        )
        aws_route = aws.apigatewayv2.Route(
            f"{name}-route",
            api_id=self._api.id,
            route_key=route_key,
            target=pulumi.Output.format("integrations/{}", integration.id),
            authorization_type="NONE",
            route_response_selection_expression="$default" if replies else None,
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
        made: list[pulumi.Resource] = [aws_route, permission]
        if replies:  # without it the function's returned body reaches nobody
            made.append(
                aws.apigatewayv2.RouteResponse(
                    f"{name}-response",
                    api_id=self._api.id,
                    route_id=aws_route.id,
                    route_response_key="$default",
                    opts=self._child,
                ),
            )
        return made

    def _create_function(self, name: str, route: RouteArgs) -> LambdaFunction:
        args = self._args
        post = {
            "Sid": "PostToConnections",
            "Effect": "Allow",
            "Action": ["execute-api:ManageConnections"],
            "Resource": pulumi.Output.format("{}/{}/POST/@connections/*", self._api.execution_arn, args.stage_name),
        }
        return LambdaFunction(
            name,
            LambdaFunctionArgs(
                function_name=route.function_name,
                role_name=route.role_name,
                handler=route.handler,
                code=args.code,
                environment={**args.environment, "CALLBACK_URL": self.callback_url},
                statements=[*route.statements, *([post] if route.posts else [])],
                memory_mb=route.memory_mb,
                log_retention_days=args.log_retention_days,
            ),
            self._child,
        )

    def _create_stage(self, routed: list[pulumi.Resource]) -> aws.apigatewayv2.Stage:
        args = self._args
        log_settings = None
        waits_for = list(routed)
        if args.access_logs:
            log_group, account = self._create_access_log()
            waits_for.append(account)
            fields = ("requestId", "connectionId", "routeKey", "eventType", "status", "requestTime", "error.message")
            log_settings = aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=log_group.arn,
                format=pulumi.Output.json_dumps({field: f"$context.{field}" for field in fields}),
            )
        return aws.apigatewayv2.Stage(
            f"{self._name}-stage",
            api_id=self._api.id,
            name=args.stage_name,
            auto_deploy=True,
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=args.throttle_rate_limit,
                throttling_burst_limit=args.throttle_burst_limit,
            ),
            access_log_settings=log_settings,
            opts=pulumi.ResourceOptions(parent=self, depends_on=waits_for),
        )

    def _create_access_log(self) -> tuple[aws.cloudwatch.LogGroup, aws.apigateway.Account]:
        """Make the access log, and the account's role, which is one for the whole account and region."""
        args = self._args
        log_group = aws.cloudwatch.LogGroup(
            f"{self._name}-access-log",
            name=f"/aws/apigateway/{args.api_name}",
            retention_in_days=args.log_retention_days,
            opts=self._child,
        )
        self.arns[f"/aws/apigateway/{args.api_name}"] = log_group.arn
        stays = pulumi.ResourceOptions(parent=self, retain_on_delete=True)  # others in the account may use it by then
        role = aws.iam.Role(
            f"{self._name}-access-log-role",
            assume_role_policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "apigateway.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                        },
                    ],
                },
            ),
            opts=stays,
        )
        policy = aws.iam.RolePolicyAttachment(
            f"{self._name}-access-log-policy",
            role=role.name,
            policy_arn=pulumi.Output.format(
                "arn:{}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
                aws.get_partition_output().partition,
            ),
            opts=stays,
        )
        self.arns[f"{self._name}-access-log-role"] = role.arn
        account = aws.apigateway.Account(
            f"{self._name}-account",
            cloudwatch_role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True, depends_on=[policy]),
        )
        return log_group, account

    def _create_domain(self, args: SocketDomainArgs, stage: aws.apigatewayv2.Stage) -> None:
        domain = aws.apigatewayv2.DomainName(
            f"{self._name}-domain",
            domain_name=args.domain,
            domain_name_configuration=aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
                certificate_arn=args.certificate_arn,
                endpoint_type="REGIONAL",
                security_policy="TLS_1_2",
            ),
            opts=self._child,
        )
        self.arns[args.domain] = domain.arn
        aws.apigatewayv2.ApiMapping(
            f"{self._name}-mapping",
            api_id=self._api.id,
            domain_name=domain.id,
            stage=stage.name,
            opts=self._child,
        )
        if args.zone_id:
            target = domain.domain_name_configuration
            aws.route53.Record(
                f"{self._name}-record",
                zone_id=args.zone_id,
                name=args.domain,
                type="A",
                aliases=[
                    aws.route53.RecordAliasArgs(
                        name=target.target_domain_name,
                        zone_id=target.hosted_zone_id,
                        evaluate_target_health=False,
                    ),
                ],
                opts=self._child,
            )

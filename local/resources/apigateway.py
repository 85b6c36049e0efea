"""API Gateway WebSocket APIs and account settings."""

from typing import Any

from local.emulator import ACCOUNT, REGION
from local.resources.resource import Aws, Created, Resource, capitalized, given


def _create_api(aws: Aws, *, name: str, protocolType: str, routeSelectionExpression: str) -> Created:
    created = aws.client("apigatewayv2").create_api(
        Name=name,
        ProtocolType=protocolType,
        RouteSelectionExpression=routeSelectionExpression,
    )
    id_ = created["ApiId"]
    return Created(
        id_,
        {
            "id": id_,
            "arn": f"arn:aws:apigateway:{REGION}::/apis/{id_}",
            "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{id_}",
            "apiEndpoint": created["ApiEndpoint"],
        },
    )


def _create_integration(
    aws: Aws, *, apiId: str, integrationType: str, integrationMethod: str, integrationUri: str
) -> Created:
    created = aws.client("apigatewayv2").create_integration(
        ApiId=apiId,
        IntegrationType=integrationType,
        IntegrationMethod=integrationMethod,
        IntegrationUri=integrationUri,
    )
    return Created(created["IntegrationId"], {})


def _delete_integration(aws: Aws, id_: str, inputs: dict[str, Any]) -> None:
    aws.client("apigatewayv2").delete_integration(ApiId=inputs["apiId"], IntegrationId=id_)


def _create_route(
    aws: Aws,
    *,
    apiId: str,
    routeKey: str,
    target: str,
    authorizationType: str,
    routeResponseSelectionExpression: str | None = None,
) -> Created:
    created = aws.client("apigatewayv2").create_route(
        ApiId=apiId,
        RouteKey=routeKey,
        Target=target,
        AuthorizationType=authorizationType,
        **given(RouteResponseSelectionExpression=routeResponseSelectionExpression),
    )
    return Created(created["RouteId"], {})


def _delete_route(aws: Aws, id_: str, inputs: dict[str, Any]) -> None:
    aws.client("apigatewayv2").delete_route(ApiId=inputs["apiId"], RouteId=id_)


def _create_route_response(aws: Aws, *, apiId: str, routeId: str, routeResponseKey: str) -> Created:
    created = aws.client("apigatewayv2").create_route_response(
        ApiId=apiId,
        RouteId=routeId,
        RouteResponseKey=routeResponseKey,
    )
    return Created(created["RouteResponseId"], {})


def _delete_route_response(_aws: Aws, _id: str, _inputs: dict[str, Any]) -> None:
    """Do nothing: deleting the route deletes it."""


def _create_stage(
    aws: Aws,
    *,
    apiId: str,
    name: str,
    autoDeploy: bool,
    defaultRouteSettings: dict[str, Any],
    accessLogSettings: dict[str, str] | None = None,
) -> Created:
    aws.client("apigatewayv2").create_stage(
        ApiId=apiId,
        StageName=name,
        AutoDeploy=autoDeploy,
        DefaultRouteSettings={
            "ThrottlingRateLimit": float(defaultRouteSettings["throttlingRateLimit"]),
            "ThrottlingBurstLimit": defaultRouteSettings["throttlingBurstLimit"],
        },
        **given(AccessLogSettings=capitalized(accessLogSettings)),
    )
    return Created(name, {"arn": f"arn:aws:apigateway:{REGION}::/apis/{apiId}/stages/{name}", "name": name})


def _update_account(aws: Aws, *, cloudwatchRoleArn: str) -> Created:
    aws.client("apigateway").update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": cloudwatchRoleArn}],
    )
    return Created("api-gateway-account", {})


RESOURCES = {
    "aws:apigatewayv2/api:Api": Resource(_create_api),
    "aws:apigatewayv2/integration:Integration": Resource(_create_integration, delete=_delete_integration),
    "aws:apigatewayv2/route:Route": Resource(_create_route, delete=_delete_route),
    "aws:apigatewayv2/routeResponse:RouteResponse": Resource(_create_route_response, delete=_delete_route_response),
    "aws:apigatewayv2/stage:Stage": Resource(_create_stage),
    "aws:apigateway/account:Account": Resource(_update_account),
}

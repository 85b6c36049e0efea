"""The chat's WebSocket API, with the functions, routes and permissions of functions/chat/routes.py."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from chat_stack.settings import Settings
from chat_stack.sign_in import function_variables
from components.chat_tables import ChatTables
from components.domain import DomainArgs
from components.naming import physical_name
from components.sign_in import SignIn
from components.websocket_api import ApiFunctionArgs, WebSocketApiArgs
from functions.chat.routes import CONNECT, Function, access, routes
from functions.chat.schema import CONNECTIONS, MESSAGES, ROOMS


def api_args(  # noqa: PLR0913 - what the API is made of
    settings: Settings,
    stack: str,
    *,
    code: pulumi.Archive,
    tables: ChatTables,
    page_origin: pulumi.Output[str],
    sign_in: SignIn | None,
) -> WebSocketApiArgs:
    """Return the arguments of the chat's API. Pages of `page_origin` and `allowed_origins` may connect."""
    served = routes(accounts=sign_in is not None)
    table_arns = {CONNECTIONS: tables.connections_arn, MESSAGES: tables.messages_arn, ROOMS: tables.rooms_arn}
    return WebSocketApiArgs(
        api_name=physical_name("ChatAppWebSocket", stack),
        code=code,
        functions={
            function.module: _function(
                function, settings, stack, access(function, accounts=sign_in is not None), table_arns
            )
            for function in dict.fromkeys(served.values())
        },
        routes={route_key: function.module for route_key, function in served.items()},
        environment={
            "TABLE_NAME": tables.connections_name,
            "HISTORY_TABLE_NAME": tables.messages_name,
            "ROOMS_TABLE_NAME": tables.rooms_name,
            "ALLOWED_ORIGINS": page_origin.apply(lambda own: ",".join([own, *settings.allowed_origins])),
            "ADDRESS_ALLOWANCES": str(settings.address_allowances),
            "MESSAGE_BURST": str(settings.message_burst),
            "MESSAGES_PER_SECOND": str(settings.messages_per_second),
            "MESSAGE_RETENTION_DAYS": str(settings.message_retention_days),
            "POSTS_PER_SECOND": str(settings.posts_per_second),
            **({"METRICS_NAMESPACE": metrics_namespace(stack)} if settings.monitoring else {}),
            **function_variables(settings, sign_in),
        },
        throttle_rate_limit=settings.throttle_rate_limit,
        throttle_burst_limit=settings.throttle_burst_limit,
        log_retention_days=settings.log_retention_days,
        access_logs=settings.access_logs,
        domain=_domain(settings),
        endpoint_url=settings.endpoint_url,
    )


def metrics_namespace(stack: str) -> str:
    """Return the CloudWatch namespace of the functions' custom metrics."""
    return physical_name("ChatApp", stack, 255)


def _function(
    function: Function,
    settings: Settings,
    stack: str,
    operations_by_table: Mapping[str, Sequence[str]],
    table_arns: Mapping[str, pulumi.Input[str]],
) -> ApiFunctionArgs:
    blocked = {"BLOCKED_ADDRESSES": ",".join(settings.blocked_addresses)} if settings.blocked_addresses else {}
    return ApiFunctionArgs(
        function_name=physical_name(function.name, stack),
        role_name=physical_name(f"{function.name}Role", stack),
        handler=f"{function.module}.lambda_handler",
        environment=blocked if function is CONNECT else {},
        statements=[_allow(table, operations, table_arns[table]) for table, operations in operations_by_table.items()],
        posts=function.posts,
        memory_mb=function.memory_mb,
    )


def _allow(table: str, operations: Sequence[str], arn: pulumi.Input[str]) -> dict[str, Any]:
    return {
        "Sid": f"Use{table}",
        "Effect": "Allow",
        "Action": [f"dynamodb:{operation}" for operation in operations],
        "Resource": arn,
    }


def _domain(settings: Settings) -> DomainArgs | None:
    if not settings.socket_domain:
        return None
    return DomainArgs(
        name=settings.socket_domain,
        certificate_arn=settings.socket_certificate_arn,
        zone_id=settings.zone_id or None,
    )

"""The chat as one Pulumi program: it reads the config, composes the components and exports. It makes no resource."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.access import FunctionAccess
from components.chat_tables import ChatTables, ChatTablesArgs
from components.cost_guards import CostGuards, CostGuardsArgs
from components.monitoring import Monitoring, MonitoringArgs
from components.naming import bucket_prefix, physical_name
from components.promise import promised_output
from components.settings import read_settings
from components.sources import sources_archive
from components.static_site import PageDomainArgs, StaticSite, StaticSiteArgs
from components.websocket_api import RouteArgs, SocketDomainArgs, WebSocketApi, WebSocketApiArgs

HERE = Path(__file__).resolve().parent
settings = read_settings(HERE / "Pulumi.yaml")
stack = pulumi.get_stack()
LOCAL_SOCKETS = {"connect-src 'self' wss:": "connect-src 'self' wss: ws:"}
METRICS_NAMESPACE = physical_name("ChatApp", stack, 255)


def named(name: str) -> str:
    """Return the physical name of a resource in this stack."""
    return physical_name(name, stack)


code = sources_archive(HERE / "functions", HERE / ".build" / "functions")  # what may be refused comes first

tables = ChatTables(
    "chat-tables",
    ChatTablesArgs(
        connections_name=named("ActiveConnections"),
        messages_name=named("MessageHistory"),
        rooms_name=named("ChatRooms"),
        provisioned=settings.capacity == "provisioned",
        protect_messages=settings.protect_messages,
    ),
)
access = FunctionAccess(tables)


def route(function: str, module: str, may: list, *, posts: bool = False, memory_mb: int = 256) -> RouteArgs:
    """Return a route's function as this stack names it."""
    return RouteArgs(
        function_name=named(function),
        role_name=named(f"{function}Role"),
        handler=f"{module}.lambda_handler",
        statements=may,
        posts=posts,
        memory_mb=memory_mb,
    )


routes = {
    "$connect": route("ChatAppConnect", "connect", access.connect, memory_mb=512),
    "$disconnect": route("ChatAppDisconnect", "disconnect", access.disconnect, posts=True),
    "sendmessage": route("ChatAppSendMessage", "sendmessage", access.send, posts=True, memory_mb=1024),
    "join": route("ChatAppJoin", "join", access.join, posts=True, memory_mb=512),
    "history": route("ChatAppHistory", "history", access.history, memory_mb=512),
    "typing": route("ChatAppTyping", "typing_notice", access.typing, posts=True),
    "ping": route("ChatAppPing", "ping", access.ping),
    "$default": route("ChatAppDefault", "default", [], memory_mb=128),
}

# The page's address is known only once the site is made, and the site tells the page the API's: the second is promised.
with promised_output() as (websocket_url, keep_promise):
    site = StaticSite(
        "static-site",
        StaticSiteArgs(
            bucket_prefix=bucket_prefix("chatapp-site", stack),
            folder=HERE / "frontend",
            config={"websocketUrl": websocket_url},
            delivery="cdn" if settings.site_delivery == "cdn" else "website",
            replacements=LOCAL_SOCKETS if settings.endpoint_url else {},
            domain=PageDomainArgs(
                domain=settings.page_domain,
                certificate_arn=settings.page_certificate_arn,
                zone_id=settings.zone_id or None,
            )
            if settings.page_domain
            else None,
            endpoint_url=settings.endpoint_url,
            url=settings.local_site_url or None,
        ),
    )

    api = WebSocketApi(
        "websocket-api",
        WebSocketApiArgs(
            api_name=named("ChatAppWebSocket"),
            code=code,
            routes=routes,
            environment={
                "TABLE_NAME": tables.connections_name,
                "HISTORY_TABLE_NAME": tables.messages_name,
                "ROOMS_TABLE_NAME": tables.rooms_name,
                "ALLOWED_ORIGINS": site.origin.apply(lambda own: ",".join([own, *settings.allowed_origins])),
                "MESSAGE_BURST": str(settings.message_burst),
                "MESSAGES_PER_SECOND": str(settings.messages_per_second),
                "MESSAGE_RETENTION_DAYS": str(settings.message_retention_days),
                "POSTS_PER_SECOND": str(settings.posts_per_second),
                **({"METRICS_NAMESPACE": METRICS_NAMESPACE} if settings.monitoring else {}),
            },
            throttle_rate_limit=settings.throttle_rate_limit,
            throttle_burst_limit=settings.throttle_burst_limit,
            log_retention_days=settings.log_retention_days,
            access_logs=settings.access_logs,
            domain=SocketDomainArgs(
                domain=settings.socket_domain,
                certificate_arn=settings.socket_certificate_arn,
                zone_id=settings.zone_id or None,
            )
            if settings.socket_domain
            else None,
            endpoint_url=settings.endpoint_url,
        ),
    )
    keep_promise(api.websocket_url)

resources = {**tables.arns, **api.arns, **site.arns}
if settings.alert_email:
    guards = CostGuards(
        "cost-guards",
        CostGuardsArgs(
            budget_name=named("ChatAppBudget"),
            email=settings.alert_email,
            monthly_usd=settings.monthly_budget_usd,
        ),
    )
    resources |= guards.arns
if settings.monitoring:
    monitoring = Monitoring(
        "monitoring",
        MonitoringArgs(
            name=named("ChatApp"),
            metrics_namespace=METRICS_NAMESPACE,
            function_names=[function.name for function in api.functions.values()],
            slow_function=api.functions["sendmessage"].name,
            table_names=[tables.connections_name, tables.messages_name, tables.rooms_name],
            api_id=api.api_id,
            stage_name=api.stage_name,
            email=settings.alert_email,
        ),
    )
    resources |= monitoring.arns

pulumi.export("websocket_url", api.websocket_url)
pulumi.export("site_url", site.url)
pulumi.export("api_id", api.api_id)
pulumi.export("stage", api.stage_name)
pulumi.export("region", aws.get_region_output().region)
pulumi.export("connections_table", tables.connections_name)
pulumi.export("messages_table", tables.messages_name)
pulumi.export("site_bucket", site.bucket_name)
pulumi.export("function_names", [function.name for function in api.functions.values()])
pulumi.export("resources", resources)
pulumi.export("readme", (HERE / "README.md").read_text())

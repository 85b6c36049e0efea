"""The chat on AWS: tables, page, WebSocket API, and optionally sign-in, breaker, budgets and monitoring."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

from chat_stack.api import api_args
from chat_stack.breaker import breaker_args
from chat_stack.monitoring import Monitoring, monitoring_args
from chat_stack.page import page_args
from chat_stack.settings import read_settings
from chat_stack.sign_in import page_values, sign_in_args
from chat_stack.tables import tables_args
from components.chat_tables import ChatTables
from components.cost_guards import CostGuards, CostGuardsArgs
from components.naming import physical_name
from components.sign_in import SignIn
from components.sources import sources_archive
from components.stage_breaker import StageBreaker
from components.static_site import SiteConfig, SiteConfigArgs, StaticSite
from components.websocket_api import WebSocketApi

HERE = Path(__file__).resolve().parent
settings = read_settings(HERE / "Pulumi.yaml")
stack = pulumi.get_stack()
code = sources_archive(HERE / "functions", HERE / ".build" / "functions")

tables = ChatTables("chat-tables", tables_args(settings, stack))
page = StaticSite("static-site", page_args(settings, stack, HERE / "frontend"))
accounts = sign_in_args(settings, stack, page_url=page.url)
sign_in = SignIn("sign-in", accounts) if accounts else None
api = WebSocketApi(
    "websocket-api", api_args(settings, stack, code=code, tables=tables, page_origin=page.origin, sign_in=sign_in)
)
SiteConfig(
    "site-config",
    SiteConfigArgs(
        bucket_name=page.bucket_name, values={"websocketUrl": api.websocket_url, **page_values(settings, sign_in)}
    ),
)
resources = {**tables.arns, **api.arns, **page.arns}
if sign_in:
    resources |= sign_in.arns

if breaker := breaker_args(settings, stack, code=code, api=api):
    resources |= StageBreaker("stage-breaker", breaker).arns
if settings.alert_email:
    budgets = CostGuards(
        "cost-guards",
        CostGuardsArgs(
            budget_name=physical_name("ChatAppBudget", stack),
            email=settings.alert_email,
            monthly_usd=settings.monthly_budget_usd,
        ),
    )
    resources |= budgets.arns
if settings.monitoring:
    monitoring = Monitoring("monitoring", monitoring_args(settings, stack, api=api, tables=tables))
    resources |= monitoring.arns

pulumi.export("websocket_url", api.websocket_url)
pulumi.export("site_url", page.url)
pulumi.export("api_id", api.api_id)
pulumi.export("stage", api.stage_name)
pulumi.export("region", aws.get_region_output().region)
pulumi.export("connections_table", tables.connections_name)
pulumi.export("messages_table", tables.messages_name)
pulumi.export("site_bucket", page.bucket_name)
pulumi.export("function_names", list(api.function_names.values()))
if sign_in:
    pulumi.export("user_pool_id", sign_in.user_pool_id)
    pulumi.export("sign_in_client_id", sign_in.client_id)
    pulumi.export("login_url", sign_in.login_url)
pulumi.export("resources", resources)

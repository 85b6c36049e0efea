"""The chat's circuit breaker, which closes the stage above a number of messages or connections a minute."""

import pulumi

from chat_stack.settings import Settings
from components.naming import physical_name
from components.stage_breaker import BreakerLimit, StageBreakerArgs
from components.websocket_api import WebSocketApi

_ADVICE = """\
`pulumi up --refresh --stack {stack}` reopens it too; a plain `pulumi up` does not detect that it is closed.
If this was not an attack, first raise breaker_messages_per_minute or breaker_connects_per_minute with
`pulumi config set`. If it was, find the address in the access log and add it to blocked_addresses.
For more, see "The chat is closed (429): the breaker" in docs/troubleshooting.md."""


def breaker_args(settings: Settings, stack: str, *, code: pulumi.Archive, api: WebSocketApi) -> StageBreakerArgs | None:
    """Return the arguments of the chat's breaker, or None if both of its limits are 0."""
    per_minute = {
        "MessageCount": settings.breaker_messages_per_minute,
        "ConnectCount": settings.breaker_connects_per_minute,
    }
    limits = [BreakerLimit(metric=metric, per_minute=limit) for metric, limit in per_minute.items() if limit]
    if not limits:
        return None
    return StageBreakerArgs(
        function_name=physical_name("ChatAppBreaker", stack),
        role_name=physical_name("ChatAppBreakerRole", stack),
        code=code,
        api_id=api.api_id,
        stage_name=api.stage_name,
        stage_arn=api.stage_arn,
        throttle_rate_limit=settings.throttle_rate_limit,
        throttle_burst_limit=settings.throttle_burst_limit,
        limits=limits,
        email=settings.alert_email,
        advice=_ADVICE.format(stack=stack),
        log_retention_days=settings.log_retention_days,
    )

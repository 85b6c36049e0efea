"""The chat's circuit breaker: more messages or connections in a minute than config allows close its stage."""

import pulumi

from chat_stack.settings import Settings
from components.naming import physical_name
from components.stage_breaker import BreakerLimit, StageBreakerArgs
from components.websocket_api import WebSocketApi

_ADVICE = """\
`pulumi up --refresh --stack {stack}` opens it too; a plain `pulumi up` does not notice that it is closed.
If it was no attack, raise the limit first: pulumi config set breaker_messages_per_minute (or
breaker_connects_per_minute). If it was, look for its address in the access log and set blocked_addresses.
docs/troubleshooting.md has more: "The chat is closed (429): the breaker"."""


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

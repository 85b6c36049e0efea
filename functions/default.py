"""`$default`: whatever no route knows."""

from chat.refusal import invalid_request
from chat.request import Reply, Request, handler


@handler
def lambda_handler(request: Request) -> Reply:
    """Refuse with `Invalid request`."""
    _ = request.frame  # for the messageId that it may name
    raise invalid_request()

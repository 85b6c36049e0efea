"""What a container makes while it starts: then Lambda gives it a whole CPU, whatever its memory. It knows no route.

Made in the first invocation instead, with the 0.15 CPU of 256 MB, the client alone would take a second
(docs/decisions/0006).
"""

import os

from chat.clients import dynamodb
from chat.delivery import engine


def prepare(*, posts: bool = False) -> None:
    """Make the DynamoDB client, and the fan-out engine where the function posts; on Lambda only."""
    if "AWS_LAMBDA_INITIALIZATION_TYPE" in os.environ:
        dynamodb()
        if posts:
            engine()

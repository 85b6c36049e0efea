"""Physical names: exactly as specified in the stack `dev`, with the stack's name in any other. It knows no resource."""

import hashlib
import re

PLAIN_STACK = "dev"


def physical_name(name: str, stack: str, max_length: int = 64) -> str:
    """Return a resource's name in a stack, of at most `max_length` characters, different for different stacks.

    64 is the length of a Lambda function's and an IAM role's name (their API references).
    """
    if stack == PLAIN_STACK:
        return name
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", stack)
    full = f"{name}-{plain}"
    if plain == stack and len(full) <= max_length:
        return full
    digest = hashlib.sha256(stack.encode()).hexdigest()[:8]
    return f"{full[: max_length - 9]}-{digest}"


def bucket_prefix(name: str, stack: str) -> str:
    """Return a prefix for a bucket's name, to which the provider adds what makes it unique.

    At most 37 characters, lower case (S3's bucket naming rules, the provider's suffix of 26).
    """
    return f"{re.sub(r'[^a-z0-9-]', '-', f'{name}-{stack}'.lower())[:36].rstrip('-')}-"

"""Physical names that differ by stack, so several stacks can share an account."""

import hashlib
import re

PLAIN_STACK = "dev"
"""The stack whose resource names have no suffix."""


def physical_name(name: str, stack: str, max_length: int = 64) -> str:
    """Return a resource's name in a stack, at most `max_length` characters and unique to the stack.

    64 is the limit for names of Lambda functions and IAM roles (their API references).
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
    """Return a prefix for a bucket name; the provider appends a unique suffix.

    Lower case and at most 37 characters (S3's bucket naming rules, less the provider's suffix of 26).
    """
    return f"{re.sub(r'[^a-z0-9-]', '-', f'{name}-{stack}'.lower())[:36].rstrip('-')}-"

"""Config of the functions, read from the environment."""

from collections.abc import Mapping
from typing import NamedTuple


class SignIn(NamedTuple):
    """Which sign-ins are accepted."""

    is_required: bool
    """Whether only accounts may chat."""
    issuer: str
    """The `iss` of access tokens."""
    client_id: str
    keys_url: str
    """URL of the issuer's key set (JWKS, RFC 7517)."""


class Config(NamedTuple):
    """A deployment's settings."""

    connections_table: str
    messages_table: str
    rooms_table: str
    callback_url: str
    allowed_origins: frozenset[str]
    """Origins of pages that may connect, in lower case."""
    message_burst: int
    """Messages that a connection may send in a burst."""
    messages_per_second: float
    """Sustained messages per second of a connection."""
    retention_seconds: int
    """How long a message is kept; 0 for ever."""
    posts_per_second: float
    """Ceiling for one invocation, so a busy room leaves other rooms a share of the account's limit."""
    metrics_namespace: str
    """CloudWatch namespace of the metrics in the log; empty for no metrics."""
    address_allowances: int
    """Allowance of one source address, in multiples of one connection's."""
    blocked_addresses: tuple[str, ...]
    """Networks (CIDR) that may not connect."""
    region: str
    endpoint_url: str | None
    """Emulator URL; None for AWS."""
    sign_in: SignIn | None = None
    """How accounts sign in; None for a chat without accounts."""


def read_config(environment: Mapping[str, str]) -> Config:
    """Return the config. Raises KeyError if a table or the callback URL is missing: the deployment is broken."""
    return Config(
        connections_table=environment["TABLE_NAME"],
        messages_table=environment["HISTORY_TABLE_NAME"],
        rooms_table=environment["ROOMS_TABLE_NAME"],
        callback_url=environment["CALLBACK_URL"],
        allowed_origins=frozenset(filter(None, environment.get("ALLOWED_ORIGINS", "").lower().split(","))),
        message_burst=int(environment.get("MESSAGE_BURST", "10")),
        messages_per_second=float(environment.get("MESSAGES_PER_SECOND", "2")),
        retention_seconds=int(environment.get("MESSAGE_RETENTION_DAYS", "30")) * 86400,
        posts_per_second=float(environment.get("POSTS_PER_SECOND", "8000")),
        metrics_namespace=environment.get("METRICS_NAMESPACE", ""),
        address_allowances=int(environment.get("ADDRESS_ALLOWANCES", "5")),
        blocked_addresses=tuple(filter(None, environment.get("BLOCKED_ADDRESSES", "").replace(" ", "").split(","))),
        region=environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
        endpoint_url=environment.get("AWS_ENDPOINT_URL"),
        sign_in=_read_sign_in(environment),
    )


def _read_sign_in(environment: Mapping[str, str]) -> SignIn | None:
    mode = environment.get("SIGN_IN", "off")
    if mode == "off":
        return None
    return SignIn(
        is_required=mode == "required",
        issuer=environment["SIGN_IN_ISSUER"],
        client_id=environment["SIGN_IN_CLIENT_ID"],
        keys_url=environment["SIGN_IN_KEYS_URL"],
    )

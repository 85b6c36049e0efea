"""Plans of the program that the stack's tests share."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from local.plan import ACCOUNT, FakeCloud, Plan, Registered, plan

ROOT = Path(__file__).resolve().parent.parent.parent
WITH_EVERYTHING = {
    "access_logs": "true",
    "alert_email": "you@example.org",
    "capacity": "provisioned",
    "monitoring": "true",
    "protect_messages": "true",
    "sign_in": "optional",
    "site_delivery": "cdn",
}
WITH_DOMAINS = {
    **WITH_EVERYTHING,
    "page_domain": "chat.example.org",
    "page_certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/0a1b2c3d",
    "socket_domain": "ws.example.org",
    "socket_certificate_arn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/4e5f6a7b",
    "zone_id": "Z0123456789",
}
VARIANTS: dict[str, dict[str, str]] = {"plain": {}, "everything": WITH_EVERYTHING, "domains": WITH_DOMAINS}
"""Configs that together cover the whole program; only `make local` sets the other keys."""


@lru_cache
def program(stack: str = "dev", region: str = "us-east-1", **config: str) -> Plan:
    """Return the program's plan for a config. Tests share it and must not change it."""
    return plan(config=config, stack=stack, cloud=FakeCloud(region))


def api_functions(plan: Plan) -> list[Registered]:
    """Return the functions behind the API's routes."""
    return [one for one in plan.all("Function") if one.name.startswith("websocket-api-")]


def statements(policy: Registered) -> dict[str, dict[str, Any]]:
    """Return a policy's statements by their Sid."""
    document = policy.json("policy")
    assert document["Version"] == "2012-10-17"
    by_sid = {one["Sid"]: one for one in document["Statement"]}
    assert len(by_sid) == len(document["Statement"])
    return by_sid


def trust(role: Registered) -> str:
    """Return the service that may assume a role."""
    (statement,) = role.json("assumeRolePolicy")["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    return statement["Principal"]["Service"]

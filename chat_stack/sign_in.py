"""The chat's sign-in: its user pool, the functions' variables and the page's values."""

import hashlib
from typing import Any
from urllib.parse import urljoin

import pulumi
import pulumi_aws as aws

from chat_stack.settings import Settings
from components.naming import physical_name
from components.sign_in import SignIn, SignInArgs, login_host


def sign_in_args(settings: Settings, stack: str, *, page_url: pulumi.Output[str]) -> SignInArgs | None:
    """Return the arguments of the chat's sign-in, or None if it is off."""
    if settings.sign_in == "off":
        return None
    return SignInArgs(
        pool_name=physical_name("ChatAppUsers", stack, 128),
        domain_prefix=_domain_prefix(stack),
        callback_urls=_callback_urls(settings, page_url),
        protect=settings.protect_messages,
        endpoint_url=settings.endpoint_url,
    )


def login_origin(settings: Settings, stack: str) -> str | None:
    """Return the origin of the login pages, or None if sign-in is off. Known before anything is created."""
    if settings.sign_in == "off":
        return None
    return settings.endpoint_url or f"https://{login_host(_domain_prefix(stack), aws.get_region().region)}"


def function_variables(settings: Settings, sign_in: SignIn | None) -> dict[str, pulumi.Input[str]]:
    """Return the functions' environment variables about sign-in."""
    if sign_in is None:
        return {}
    return {
        "SIGN_IN": settings.sign_in,
        "SIGN_IN_ISSUER": sign_in.issuer,
        "SIGN_IN_CLIENT_ID": sign_in.client_id,
        "SIGN_IN_KEYS_URL": sign_in.keys_url,
    }


def page_values(settings: Settings, sign_in: SignIn | None) -> dict[str, Any]:
    """Return the values of the page's config.json about sign-in."""
    if sign_in is None:
        return {}
    return {
        "signIn": {"mode": settings.sign_in, "clientId": sign_in.client_id, "loginUrl": sign_in.login_url},
    }


def _domain_prefix(stack: str) -> str:
    """Return the same prefix for the same account and stack. A hash cannot contain the words that Cognito refuses."""
    account = aws.get_caller_identity().account_id
    return f"chat-{hashlib.sha256(f'{account}/{stack}'.encode()).hexdigest()[:16]}"


def _callback_urls(settings: Settings, page_url: pulumi.Output[str]) -> list[pulumi.Input[str]]:
    """Return the page's URLs, which end with `/`: `new URL("./", location.href)` in the page."""
    if not settings.local_site_url.startswith("http://127.0.0.1:"):
        return [page_url.apply(lambda url: urljoin(url, "./"))]
    local = f"{settings.local_site_url}/"
    return [local, local.replace("127.0.0.1", "localhost")]

"""Sign-in for a page: an Amazon Cognito user pool with managed login pages, passkeys and a public client."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

TOKEN_MINUTES = 60
"""Life of an access token and of an ID token. Cognito allows 5 minutes to 1 day."""
REFRESH_TOKEN_DAYS = 30
"""Life of a refresh token. Cognito allows 1 hour to 10 years."""

_LOGIN_HOSTS = {
    "us-gov-": "{prefix}.auth-fips.{region}.amazoncognito.com",
    "cn-": "{prefix}.auth.{region}.amazoncognito.com.cn",
}
"""Hosts of prefix domains outside the commercial regions, by the start of the region's name."""
_LOGIN_HOST = "{prefix}.auth.{region}.amazoncognito.com"
_BACKGROUND = """\
<svg width="1600" height="1000" viewBox="0 0 1600 1000" fill="none" xmlns="http://www.w3.org/2000/svg">
<path d="M0 0H1600V1000H0V0Z" fill="url(#gradient)"/>
<defs><linearGradient id="gradient" x1="0" y1="0" x2="1600" y2="1000" gradientUnits="userSpaceOnUse">
<stop stop-color="{start}"/><stop offset="1" stop-color="{end}"/>
</linearGradient></defs>
</svg>
"""
_GRADIENTS = {"LIGHT": ("#667eea", "#764ba2"), "DARK": ("#2d3263", "#33224a")}
"""The page's colors behind the form, by color mode."""


@dataclass(frozen=True, kw_only=True)
class SignInArgs:
    """Arguments of SignIn."""

    pool_name: str
    """Physical name of the user pool, at most 128 characters."""
    domain_prefix: str
    """First label of the login pages' host: 1 to 63 lower-case letters, digits and hyphens, without `aws`, `amazon` and
    `cognito`. It must be unique in the region over all accounts."""
    callback_urls: Sequence[pulumi.Input[str]]
    """URLs of the page, to which people return after signing in or out, exactly as the page gives them. https, or http
    on this machine (localhost, 127.0.0.1)."""
    protect: bool = False
    """Whether the user pool, and with it the accounts, refuses to be deleted."""
    endpoint_url: str = ""
    """URL of an emulator that stands in for AWS, and serves the login pages itself."""


class SignIn(pulumi.ComponentResource):
    """A user pool, its login pages, and the page's client: authorization code with PKCE, no secret."""

    user_pool_id: pulumi.Output[str]
    """Id of the user pool."""
    client_id: pulumi.Output[str]
    """Id of the page's client."""
    issuer: pulumi.Output[str]
    """The tokens' `iss`, https://…."""
    keys_url: pulumi.Output[str]
    """URL of the keys that the tokens are signed with (JWKS)."""
    login_url: pulumi.Output[str]
    """URL that /oauth2/authorize, /oauth2/token, /oauth2/revoke and /logout are below."""
    arns: dict[str, pulumi.Output[str]]
    """ARN of the user pool by its physical name."""

    def __init__(self, name: str, args: SignInArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:SignIn", name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        invoked = pulumi.InvokeOutputOptions(parent=self)  # uses the component's provider and region
        host = aws.get_region_output(opts=invoked).region.apply(lambda region: login_host(args.domain_prefix, region))
        pool = self._create_pool(host)
        client = self._create_client(pool)
        self._create_login_pages(pool, client)
        self.user_pool_id, self.client_id = pool.id, client.id
        self.issuer = pulumi.Output.format("https://{}", pool.endpoint)
        keys_at = pulumi.Output.format("{}/{}", args.endpoint_url, pool.id) if args.endpoint_url else self.issuer
        self.keys_url = pulumi.Output.format("{}/.well-known/jwks.json", keys_at)
        self.login_url = (
            pulumi.Output.from_input(args.endpoint_url)
            if args.endpoint_url
            else pulumi.Output.format("https://{}", host)
        )
        self.arns = {args.pool_name: pool.arn}
        self.register_outputs({"client_id": self.client_id, "issuer": self.issuer, "login_url": self.login_url})

    def _create_pool(self, host: pulumi.Output[str]) -> aws.cognito.UserPool:
        args = self._args
        return aws.cognito.UserPool(
            f"{self._name}-pool",
            name=args.pool_name,
            user_pool_tier="ESSENTIALS",  # the free tier's largest; passkeys and managed login need it
            username_configuration=aws.cognito.UserPoolUsernameConfigurationArgs(case_sensitive=False),
            # People sign up with their address, so the sign-up page asks for one although no schema requires it. A
            # change of the schema would replace the pool, with everybody in it.
            username_attributes=["email"],
            auto_verified_attributes=["email"],
            user_attribute_update_settings=aws.cognito.UserPoolUserAttributeUpdateSettingsArgs(
                attributes_require_verification_before_updates=["email"]
            ),
            account_recovery_setting=aws.cognito.UserPoolAccountRecoverySettingArgs(
                recovery_mechanisms=[
                    aws.cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs(name="verified_email", priority=1)
                ]
            ),
            # Length, not kinds of characters (NIST SP 800-63B).
            password_policy=aws.cognito.UserPoolPasswordPolicyArgs(
                minimum_length=12,
                require_lowercase=False,
                require_numbers=False,
                require_symbols=False,
                require_uppercase=False,
                temporary_password_validity_days=7,
            ),
            sign_in_policy=aws.cognito.UserPoolSignInPolicyArgs(allowed_first_auth_factors=["PASSWORD", "WEB_AUTHN"]),
            web_authn_configuration=aws.cognito.UserPoolWebAuthnConfigurationArgs(
                relying_party_id=host, user_verification="required"
            ),
            # Optional codes would be useless: managed login offers to set them up only where they are mandatory. A
            # passkey with user verification is the second factor, and costs no text messages.
            mfa_configuration="OFF",
            deletion_protection="ACTIVE" if args.protect else "INACTIVE",
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )

    def _create_client(self, pool: aws.cognito.UserPool) -> aws.cognito.UserPoolClient:
        return aws.cognito.UserPoolClient(
            f"{self._name}-client",
            user_pool_id=pool.id,
            name="page",
            generate_secret=False,  # a page cannot keep one
            allowed_oauth_flows_user_pool_client=True,
            allowed_oauth_flows=["code"],
            allowed_oauth_scopes=["openid"],
            supported_identity_providers=["COGNITO"],
            callback_urls=self._args.callback_urls,
            logout_urls=self._args.callback_urls,
            # USER_AUTH is what passkeys need. ADMIN_USER_PASSWORD_AUTH is for `make smoke`: only with AWS credentials.
            explicit_auth_flows=["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"],
            access_token_validity=TOKEN_MINUTES,
            id_token_validity=TOKEN_MINUTES,
            refresh_token_validity=REFRESH_TOKEN_DAYS,
            token_validity_units=aws.cognito.UserPoolClientTokenValidityUnitsArgs(
                access_token="minutes",  # noqa: S106 - a unit
                id_token="minutes",  # noqa: S106
                refresh_token="days",  # noqa: S106
            ),
            enable_token_revocation=True,
            prevent_user_existence_errors="ENABLED",
            read_attributes=["email", "email_verified"],
            write_attributes=["email"],  # signing up writes the address
            opts=self._child,
        )

    def _create_login_pages(self, pool: aws.cognito.UserPool, client: aws.cognito.UserPoolClient) -> None:
        aws.cognito.UserPoolDomain(
            f"{self._name}-domain",
            domain=self._args.domain_prefix,
            user_pool_id=pool.id,
            managed_login_version=2,
            opts=self._child,
        )
        aws.cognito.ManagedLoginBranding(  # without one, version 2 shows "Login pages unavailable"
            f"{self._name}-branding",
            user_pool_id=pool.id,
            client_id=client.id,
            settings=json.dumps(_SETTINGS),
            assets=[
                aws.cognito.ManagedLoginBrandingAssetArgs(
                    category="PAGE_BACKGROUND",
                    color_mode=mode,
                    extension="SVG",
                    bytes=base64.b64encode(_BACKGROUND.format(start=start, end=end).encode()).decode(),
                )
                for mode, (start, end) in _GRADIENTS.items()
            ],
            opts=self._child,
        )


def login_host(domain_prefix: str, region: str) -> str:
    """Return the host of a user pool's login pages (Amazon Cognito endpoints, AWS General Reference)."""
    template = next((host for start, host in _LOGIN_HOSTS.items() if region.startswith(start)), _LOGIN_HOST)
    return template.format(prefix=domain_prefix, region=region)


def _button(background: str, pressed: str) -> dict[str, Any]:
    return {
        state: {"backgroundColor": color, "textColor": "ffffffff"}
        for state, color in (("defaults", background), ("hover", pressed), ("active", pressed))
    }


_SETTINGS: dict[str, Any] = {
    "categories": {"global": {"colorSchemeMode": "DYNAMIC"}},
    "componentClasses": {
        "buttons": {"borderRadius": 10},
        "input": {"borderRadius": 10},
        "focusState": {"lightMode": {"borderColor": "5446b8ff"}, "darkMode": {"borderColor": "b6b3ffff"}},
        "link": {
            "lightMode": {"defaults": {"textColor": "5446b8ff"}, "hover": {"textColor": "4d41b0ff"}},
            "darkMode": {"defaults": {"textColor": "b6b3ffff"}, "hover": {"textColor": "ffffffff"}},
        },
    },
    "components": {
        "form": {
            "borderRadius": 16,
            "lightMode": {"backgroundColor": "ffffffff", "borderColor": "e2e2eeff"},
            "darkMode": {"backgroundColor": "222230ff", "borderColor": "2f2f42ff"},
        },
        "pageBackground": {
            "image": {"enabled": True},
            "lightMode": {"color": "667eeaff"},
            "darkMode": {"color": "2d3263ff"},
        },
        "primaryButton": {
            "lightMode": _button("5b4fc4ff", "4d41b0ff"),
            "darkMode": _button("6258ccff", "7066daff"),
        },
    },
}
"""The page's colors, RRGGBBAA (API reference, CreateManagedLoginBranding). Cognito keeps its own for the rest."""

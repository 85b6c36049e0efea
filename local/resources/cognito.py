"""Cognito user pools, their clients and login pages, and accounts to sign in with."""

import secrets
from dataclasses import dataclass
from typing import Any

from local.emulator import REGION
from local.resources.resource import Aws, Created, Resource, capitalized

ACCOUNTS = ("ada@example.org", "ben@example.org")
"""Addresses with which the accounts of a local run sign in."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account that anybody at this machine may use."""

    username: str
    password: str


def create_accounts(aws: Aws, user_pool_id: str) -> list[Account]:
    """Create an account for each of ACCOUNTS, with new passwords, and confirm it."""
    client = aws.client("cognito-idp")
    accounts = [Account(address, secrets.token_hex(6)) for address in ACCOUNTS]
    for account in accounts:
        client.admin_create_user(
            UserPoolId=user_pool_id,
            Username=account.username,
            UserAttributes=[{"Name": "email_verified", "Value": "true"}],
            MessageAction="SUPPRESS",
        )
        client.admin_set_user_password(
            UserPoolId=user_pool_id, Username=account.username, Password=account.password, Permanent=True
        )
    return accounts


def _create_pool(
    aws: Aws,
    *,
    name: str,
    userPoolTier: str,
    usernameConfiguration: dict[str, bool],
    usernameAttributes: list[str],
    autoVerifiedAttributes: list[str],
    userAttributeUpdateSettings: dict[str, list[str]],
    accountRecoverySetting: dict[str, Any],
    passwordPolicy: dict[str, Any],
    signInPolicy: dict[str, list[str]],
    mfaConfiguration: str,
    deletionProtection: str,
) -> Created:
    created = aws.client("cognito-idp").create_user_pool(
        PoolName=name,
        UserPoolTier=userPoolTier,
        UsernameConfiguration=capitalized(usernameConfiguration),
        UsernameAttributes=usernameAttributes,
        AutoVerifiedAttributes=autoVerifiedAttributes,
        UserAttributeUpdateSettings={
            "AttributesRequireVerificationBeforeUpdate": userAttributeUpdateSettings[
                "attributesRequireVerificationBeforeUpdates"
            ]
        },
        AccountRecoverySetting=capitalized(accountRecoverySetting),
        Policies={"PasswordPolicy": capitalized(passwordPolicy), "SignInPolicy": capitalized(signInPolicy)},
        MfaConfiguration=mfaConfiguration,
        DeletionProtection=deletionProtection,
    )["UserPool"]
    id_ = created["Id"]
    return Created(id_, {"arn": created["Arn"], "endpoint": f"cognito-idp.{REGION}.amazonaws.com/{id_}"})


def _create_client(
    aws: Aws,
    *,
    userPoolId: str,
    name: str,
    generateSecret: bool,
    allowedOauthFlowsUserPoolClient: bool,
    allowedOauthFlows: list[str],
    allowedOauthScopes: list[str],
    supportedIdentityProviders: list[str],
    callbackUrls: list[str],
    logoutUrls: list[str],
    explicitAuthFlows: list[str],
    accessTokenValidity: int,
    idTokenValidity: int,
    refreshTokenValidity: int,
    tokenValidityUnits: dict[str, str],
    enableTokenRevocation: bool,
    preventUserExistenceErrors: str,
    readAttributes: list[str],
    writeAttributes: list[str],
) -> Created:
    created = aws.client("cognito-idp").create_user_pool_client(
        UserPoolId=userPoolId,
        ClientName=name,
        GenerateSecret=generateSecret,
        AllowedOAuthFlowsUserPoolClient=allowedOauthFlowsUserPoolClient,
        AllowedOAuthFlows=allowedOauthFlows,
        AllowedOAuthScopes=allowedOauthScopes,
        SupportedIdentityProviders=supportedIdentityProviders,
        CallbackURLs=callbackUrls,
        LogoutURLs=logoutUrls,
        ExplicitAuthFlows=explicitAuthFlows,
        AccessTokenValidity=accessTokenValidity,
        IdTokenValidity=idTokenValidity,
        RefreshTokenValidity=refreshTokenValidity,
        TokenValidityUnits=capitalized(tokenValidityUnits),
        EnableTokenRevocation=enableTokenRevocation,
        PreventUserExistenceErrors=preventUserExistenceErrors,
        ReadAttributes=readAttributes,
        WriteAttributes=writeAttributes,
    )["UserPoolClient"]
    return Created(created["ClientId"], {})


def _create_domain(aws: Aws, *, domain: str, userPoolId: str, managedLoginVersion: int) -> Created:
    aws.client("cognito-idp").create_user_pool_domain(
        Domain=domain, UserPoolId=userPoolId, ManagedLoginVersion=managedLoginVersion
    )
    return Created(domain, {})


RESOURCES = {
    "aws:cognito/userPool:UserPool": Resource(_create_pool),
    "aws:cognito/userPoolClient:UserPoolClient": Resource(_create_client),
    "aws:cognito/userPoolDomain:UserPoolDomain": Resource(_create_domain),
}

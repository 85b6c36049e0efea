"""Sign-in: what it creates, what AWS would get wrong about it, and that nothing of it exists while it is off."""

import base64
import json
import re
from typing import Any

import pulumi
import pytest

from chat_stack.settings import parse_settings
from components.sign_in import login_host
from functions.chat.routes import ACCOUNT_ROUTES, FUNCTIONS, PRIVATE_ROOM, ROUTES, SIGN_IN, access
from local.plan import ACCOUNT, FakeCloud, Plan, plan
from tests.stack.program import ROOT, WITH_DOMAINS, api_functions, program, statements

pytestmark = pytest.mark.slow

ON = {"sign_in": "optional", "site_delivery": "cdn"}
LOCAL = {"sign_in": "optional", "endpoint_url": "http://127.0.0.1:4566", "local_site_url": "http://127.0.0.1:5566"}
PAGE = "https://d111111abcdef8.cloudfront.net/"


@pytest.fixture(scope="module")
def on() -> Plan:
    return program(**ON)


def one(planned: Plan, kind: str) -> dict[str, Any]:
    return planned.one(kind).inputs


def page_config(planned: Plan) -> dict[str, Any]:
    return planned.one("BucketObjectv2", "config.json").json("content")


# Off


def test_while_it_is_off_nothing_of_it_exists() -> None:
    off = program()
    assert not [one for one in off.resources if "cognito" in one.type or one.name.startswith("sign-in")]
    assert {one.inputs["name"] for one in api_functions(off)} == {function.name for function in FUNCTIONS}
    assert {one.inputs["routeKey"] for one in off.all("Route")} == set(ROUTES)
    assert not [name for one in api_functions(off) for name in one.inputs["environment"]["variables"] if "SIGN" in name]
    assert set(page_config(off)) == {"websocketUrl"}
    assert not {SIGN_IN, PRIVATE_ROOM} & set(FUNCTIONS)


def test_off_is_the_same_program_as_no_config() -> None:
    def compared(planned: Plan) -> dict[str, Any]:
        files = ("Function", "BucketObjectv2")  # assets compare by identity
        return {one.urn: None if one.kind in files else one.inputs for one in planned.resources}

    assert compared(program(sign_in="off")) == compared(program())
    assert program(sign_in="off").outputs == program().outputs


def test_the_account_is_asked_for_only_if_people_can_sign_in() -> None:
    class NoAccount(FakeCloud):
        def call(self, args: Any) -> dict[str, Any]:
            assert "CallerIdentity" not in args.token
            return super().call(args)

    plan(cloud=NoAccount("us-east-1"))


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_without_https_it_is_refused_before_anything_is_created(mode: str) -> None:
    registered = Plan()
    with pytest.raises(pulumi.RunError, match=r"^Config sign_in needs site_delivery cdn, [^\n.]*\.$"):
        plan(config={"sign_in": mode}, into=registered)
    assert registered.resources == []


def test_an_emulator_needs_no_https() -> None:
    given = parse_settings(ROOT / "Pulumi.yaml", {key: str(value) for key, value in LOCAL.items()}, "us-east-1")
    assert given.sign_in == "optional"


# The user pool


def test_people_sign_up_with_an_address_that_they_confirm(on: Plan) -> None:
    given = one(on, "UserPool")
    assert given["usernameAttributes"] == given["autoVerifiedAttributes"] == ["email"]
    assert given["usernameConfiguration"] == {"caseSensitive": False}
    assert given["accountRecoverySetting"] == {"recoveryMechanisms": [{"name": "verified_email", "priority": 1}]}
    assert "email" in one(on, "UserPoolClient")["writeAttributes"]  # else nobody could sign up
    assert "adminCreateUserConfig" not in given  # people may sign up


def test_the_pool_has_no_schema_whose_change_would_replace_it(on: Plan) -> None:
    """Nor aliases: Cognito takes these or username attributes, and none of them can be changed later."""
    assert not {"schemas", "aliasAttributes"} & set(one(on, "UserPool"))


def test_only_passkeys_need_a_flow_that_takes_no_aws_credentials(on: Plan) -> None:
    """USER_PASSWORD_AUTH would let anybody guess passwords past the login pages."""
    flows = one(on, "UserPoolClient")["explicitAuthFlows"]
    assert set(flows) == {"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"}


def test_passkeys_belong_to_the_login_pages_host(on: Plan) -> None:
    given = one(on, "UserPool")
    assert given["userPoolTier"] == "ESSENTIALS"
    assert given["signInPolicy"] == {"allowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}
    assert f"https://{given['webAuthnConfiguration']['relyingPartyId']}" == on.outputs["login_url"]
    assert "ALLOW_USER_AUTH" in one(on, "UserPoolClient")["explicitAuthFlows"]
    assert "smsConfiguration" not in given  # text messages cost money


def test_the_accounts_are_protected_together_with_the_messages() -> None:
    plain, protected = program(**ON).one("UserPool"), program(**ON, protect_messages="true").one("UserPool")
    assert (plain.inputs["deletionProtection"], plain.protect) == ("INACTIVE", False)
    assert (protected.inputs["deletionProtection"], protected.protect) == ("ACTIVE", True)


# The client


def test_the_client_is_public_and_gets_tokens_only_for_codes(on: Plan) -> None:
    given = one(on, "UserPoolClient")
    assert given["generateSecret"] is False
    assert given["allowedOauthFlowsUserPoolClient"] is True
    assert given["allowedOauthFlows"] == ["code"]
    assert given["allowedOauthScopes"] == ["openid"]
    assert given["supportedIdentityProviders"] == ["COGNITO"]
    assert given["enableTokenRevocation"] is True
    assert given["preventUserExistenceErrors"] == "ENABLED"
    assert "refreshTokenRotation" not in given  # /oauth2/token refuses refresh tokens that rotate


def test_tokens_live_as_long_as_cognito_allows(on: Plan) -> None:
    """An omitted unit would make 60 hours of 60, which Cognito refuses."""
    given = one(on, "UserPoolClient")
    assert given["tokenValidityUnits"] == {"accessToken": "minutes", "idToken": "minutes", "refreshToken": "days"}
    assert 5 <= given["accessTokenValidity"] <= 24 * 60
    assert 5 <= given["idTokenValidity"] <= 24 * 60
    assert 1 <= given["refreshTokenValidity"] <= 3650


@pytest.mark.parametrize(
    ("config", "urls"),
    [
        (ON, [PAGE]),
        ({**WITH_DOMAINS, "sign_in": "required"}, ["https://chat.example.org/"]),
        (LOCAL, ["http://127.0.0.1:5566/", "http://localhost:5566/"]),
        ({**LOCAL, "local_site_url": ""}, ["http://127.0.0.1:4566/chatapp-site-dev-0123456789/"]),
    ],
    ids=["cdn", "domain", "local", "read from an emulator"],
)
def test_people_return_to_exactly_the_pages_url(config: dict[str, str], urls: list[str]) -> None:
    """`new URL("./", location.href)`; Cognito compares every character."""
    given = one(program(**config), "UserPoolClient")
    assert given["callbackUrls"] == given["logoutUrls"] == urls


# The login pages


def test_the_login_pages_have_a_look(on: Plan) -> None:
    """Managed login without one shows "Login pages unavailable"."""
    assert one(on, "UserPoolDomain")["managedLoginVersion"] == 2
    branding = one(on, "ManagedLoginBranding")
    assert branding["clientId"] == on.outputs["sign_in_client_id"]
    assert branding["userPoolId"] == on.outputs["user_pool_id"]
    assert "useCognitoProvidedValues" not in branding  # it excludes settings and assets
    colors = re.findall(r'olor": "([^"]*)"', branding["settings"])
    assert len(colors) > 10
    assert all(re.fullmatch("[0-9a-f]{8}", color) for color in colors)
    assert json.loads(branding["settings"])["components"]["pageBackground"]["image"]["enabled"] is True
    pictures = {one["colorMode"]: base64.b64decode(one["bytes"]).decode() for one in branding["assets"]}
    assert "#667eea" in pictures["LIGHT"]
    assert set(pictures) == {"LIGHT", "DARK"}


def test_the_domain_is_deleted_before_the_pool(on: Plan) -> None:
    pool = on.one("UserPool")
    for kind in ("UserPoolDomain", "UserPoolClient", "ManagedLoginBranding"):
        assert pool.urn in on.waits_for(on.one(kind))


def test_the_prefix_belongs_to_one_stack_of_one_account() -> None:
    """Prefixes are unique in a region over all accounts."""

    class Elsewhere(FakeCloud):
        def call(self, args: Any) -> dict[str, Any]:
            return {**super().call(args), **({"accountId": "210987654321"} if "Caller" in args.token else {})}

    def prefix(planned: Plan) -> str:
        return one(planned, "UserPoolDomain")["domain"]

    here = prefix(program(**ON))
    assert re.fullmatch("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", here)
    assert prefix(program(**ON, monitoring="true", protect_messages="true")) == here
    others = {prefix(program("team", **ON)), prefix(plan(config=ON, cloud=Elsewhere("us-east-1")))}
    assert len({here, *others}) == 3
    assert not re.search("aws|amazon|cognito|team", " ".join({here, *others}))
    assert ACCOUNT not in here


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "chat-1.auth.eu-central-1.amazoncognito.com"),
        ("us-gov-west-1", "chat-1.auth-fips.us-gov-west-1.amazoncognito.com"),
        ("cn-north-1", "chat-1.auth.cn-north-1.amazoncognito.com.cn"),
    ],
)
def test_the_login_host_is_that_of_the_region(region: str, host: str) -> None:
    assert login_host("chat-1", region) == host


# Who is told


def test_the_functions_know_whose_tokens_to_accept(on: Plan) -> None:
    issuer = "https://cognito-idp.us-east-1.amazonaws.com/sign-in-pool-id"
    for function in api_functions(on):
        variables = function.inputs["environment"]["variables"]
        assert {name: value for name, value in variables.items() if "SIGN" in name} == {
            "SIGN_IN": "optional",
            "SIGN_IN_ISSUER": issuer,
            "SIGN_IN_CLIENT_ID": on.outputs["sign_in_client_id"],
            "SIGN_IN_KEYS_URL": f"{issuer}/.well-known/jwks.json",
        }


def test_an_emulator_has_the_keys_and_the_login_pages_but_aws_is_the_issuer() -> None:
    local = program(**LOCAL)
    variables = local.one("Function", "ChatAppSignIn").inputs["environment"]["variables"]
    assert variables["SIGN_IN_ISSUER"] == "https://cognito-idp.us-east-1.amazonaws.com/sign-in-pool-id"
    assert variables["SIGN_IN_KEYS_URL"] == "http://127.0.0.1:4566/sign-in-pool-id/.well-known/jwks.json"
    assert local.outputs["login_url"] == page_config(local)["signIn"]["loginUrl"] == "http://127.0.0.1:4566"
    page = local.one("BucketObjectv2", "index.html").inputs["content"]
    assert "connect-src 'self' wss: ws: http://127.0.0.1:4566;" in page


@pytest.mark.parametrize("mode", ["optional", "required"])
def test_the_page_knows_where_to_sign_in(mode: str) -> None:
    planned = program(**{**ON, "sign_in": mode})
    assert page_config(planned)["signIn"] == {
        "mode": mode,
        "clientId": planned.outputs["sign_in_client_id"],
        "loginUrl": planned.outputs["login_url"],
    }


def test_the_page_may_connect_to_the_login_host_and_nowhere_else(on: Plan) -> None:
    def policy(planned: Plan) -> str:
        found = re.search('Content-Security-Policy" content="([^"]*)"', one_page(planned))
        assert found
        return found[1]

    def one_page(planned: Plan) -> str:
        return planned.one("BucketObjectv2", "index.html").inputs["content"]

    without = program(site_delivery="cdn")
    added = f" {on.outputs['login_url']}"
    assert policy(on).count(added) == 1
    assert policy(on).replace(added, "") == policy(without)
    assert one_page(on).replace(added, "") == one_page(without)


def test_accounts_have_their_own_routes_and_functions(on: Plan) -> None:
    assert {one.inputs["routeKey"] for one in on.all("Route")} == set(ACCOUNT_ROUTES)
    assert {one.inputs["name"] for one in api_functions(on)} == {one.name for one in ACCOUNT_ROUTES.values()}


@pytest.mark.parametrize("function", dict.fromkeys(ACCOUNT_ROUTES.values()), ids=lambda function: function.name)
def test_a_role_allows_exactly_what_the_routes_declare_for_accounts(on: Plan, function: Any) -> None:
    (policy,) = [one for one in on.all("RolePolicy") if one.inputs["role"] == f"{function.name}Role"]
    found = statements(policy)
    allowed = {
        sid.removeprefix("Use"): {action.removeprefix("dynamodb:") for action in statement["Action"]}
        for sid, statement in found.items()
        if sid.startswith("Use")
    }
    assert allowed == {table: set(names) for table, names in access(function, accounts=True).items()}
    assert ("PostToConnections" in found) == function.posts

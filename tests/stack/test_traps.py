"""Pitfalls of AWS that an emulator hides, checked in the resources that the program registers."""

import pytest

from local.plan import ACCOUNT, Plan
from tests.stack.program import VARIANTS, WITH_DOMAINS, WITH_EVERYTHING, api_functions, program, statements, trust

SILENT_ROUTES = {"$connect", "$disconnect"}


@pytest.fixture(params=VARIANTS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return program(**VARIANTS[request.param])


def test_a_returned_body_reaches_the_client(plan: Plan) -> None:
    """Without the response and the expression AWS drops the body; an emulator sends it."""
    responses = {one.inputs["routeId"]: one.inputs for one in plan.all("RouteResponse")}
    for route in plan.all("Route"):
        if route.inputs["routeKey"] in SILENT_ROUTES:
            assert "routeResponseSelectionExpression" not in route.inputs
            assert f"{route.name}-id" not in responses
        else:
            assert route.inputs["routeResponseSelectionExpression"] == "$default"
            response = responses.pop(f"{route.name}-id")
            assert response["routeResponseKey"] == "$default"
            assert response["apiId"] == route.inputs["apiId"]
    assert len(plan.all("RouteResponse")) == len(plan.all("Route")) - len(SILENT_ROUTES)


def test_the_stage_sets_both_throttling_values(plan: Plan) -> None:
    """An omitted value means 0, and every frame gets a 429."""
    assert plan.one("Stage").inputs["defaultRouteSettings"] == {"throttlingRateLimit": 50, "throttlingBurstLimit": 100}


def test_the_stage_depends_on_everything_that_a_frame_needs(plan: Plan) -> None:
    """A deployment is a snapshot: one made before a route fails or lacks the route."""
    stage = plan.one("Stage")
    assert stage.inputs["autoDeploy"] is True
    assert "deploymentId" not in stage.inputs
    assert not plan.all("Deployment")
    needed = [
        one
        for kind in ("Route", "RouteResponse", "Permission", "Integration", "RolePolicy")
        for one in plan.all(kind)
        if one.name.startswith("websocket-api-")
    ]
    assert {one.urn for one in needed} <= plan.waits_for(stage)


@pytest.mark.parametrize(
    ("region", "suffix", "partition"),
    [
        ("us-east-1", "amazonaws.com", "aws"),
        ("eu-central-1", "amazonaws.com", "aws"),
        ("us-gov-west-1", "amazonaws.com", "aws-us-gov"),
        ("cn-north-1", "amazonaws.com.cn", "aws-cn"),
    ],
)
def test_urls_and_arns_use_the_region_and_its_partition(region: str, suffix: str, partition: str) -> None:
    plan = program(region=region, access_logs="true")
    place = f"websocket-api-api-id.execute-api.{region}.{suffix}/production"
    assert plan.outputs["websocket_url"] == f"wss://{place}"
    assert plan.outputs["region"] == region
    assert plan.one("BucketObjectv2", "config.json").json("content") == {"websocketUrl": f"wss://{place}"}
    for function in api_functions(plan):
        assert function.inputs["environment"]["variables"]["CALLBACK_URL"] == f"https://{place}"
    texts = [str(one.inputs) for one in plan.resources] + [str(plan.outputs["resources"])]
    assert [text for text in texts if "arn:" in text.replace(f"arn:{partition}:", "")] == []


@pytest.mark.parametrize(
    ("region", "host"), [("eu-west-1", "s3-website-eu-west-1"), ("eu-north-1", "s3-website.eu-north-1")]
)
def test_the_page_uses_the_website_host_of_its_region(region: str, host: str) -> None:
    """S3's website hosts have two forms; with the wrong one the page's Origin would be rejected."""
    plan = program(region=region)
    page = f"http://chatapp-site-dev-0123456789.{host}.amazonaws.com"
    assert plan.outputs["site_url"] == page
    assert plan.one("Function", "ChatAppConnect").inputs["environment"]["variables"]["ALLOWED_ORIGINS"] == page


def test_functions_post_to_the_api_even_if_clients_use_a_domain() -> None:
    """A custom domain has no path for the stage."""
    plan = program(**WITH_DOMAINS)
    assert plan.outputs["websocket_url"] == "wss://ws.example.org"
    for function in api_functions(plan):
        address = function.inputs["environment"]["variables"]["CALLBACK_URL"]
        assert address == "https://websocket-api-api-id.execute-api.us-east-1.amazonaws.com/production"
    mapping, domain = plan.one("ApiMapping"), plan.one("aws:apigatewayv2/domainName:DomainName")
    assert mapping.inputs["stage"] == "production"
    assert "apiMappingKey" not in mapping.inputs
    assert {domain.urn, plan.one("Stage").urn} <= plan.waits_for(mapping)
    assert domain.inputs["domainNameConfiguration"] == {
        "certificateArn": WITH_DOMAINS["socket_certificate_arn"],
        "endpointType": "REGIONAL",
        "securityPolicy": "TLS_1_2",
    }


def test_domain_records_are_created_only_in_the_configured_zone() -> None:
    records = program(**WITH_DOMAINS).all("Record")
    assert {(one.inputs["name"], one.inputs["type"]) for one in records} == {
        ("ws.example.org", "A"),
        ("chat.example.org", "A"),
        ("chat.example.org", "AAAA"),
    }
    assert {one.inputs["zoneId"] for one in records} == {"Z0123456789"}
    targets = {one.inputs["name"]: one.inputs["aliases"][0] for one in records}
    assert targets["chat.example.org"]["zoneId"] == "Z2FDTNDATAQYW2"
    assert targets["ws.example.org"]["name"].startswith("d-")
    by_hand = program(**{key: value for key, value in WITH_DOMAINS.items() if key != "zone_id"})
    assert not by_hand.all("Record")
    assert by_hand.outputs["site_url"] == "https://chat.example.org"


def test_the_accounts_role_is_unchanged_unless_access_logs_are_on() -> None:
    """There is one per account and region."""
    plan = program()
    assert not plan.all("Account")
    assert "accessLogSettings" not in plan.one("Stage").inputs


def test_the_accounts_role_is_set_before_the_stage_and_outlives_the_stack() -> None:
    plan = program(**WITH_EVERYTHING)
    account, stage = plan.one("Account"), plan.one("Stage")
    role = plan.one("Role", "websocket-api-access-log-role")
    attached = plan.one("RolePolicyAttachment")
    assert account.inputs == {"cloudwatchRoleArn": role.state["arn"]}
    assert attached.inputs["policyArn"].endswith(":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
    assert trust(role) == "apigateway.amazonaws.com"
    assert {role.urn, attached.urn} <= plan.waits_for(account)
    assert account.urn in plan.waits_for(stage)
    assert all(one.retain_on_delete for one in (account, role, attached))


def test_the_access_log_has_the_source_address_but_no_frame_content() -> None:
    plan = program(**WITH_EVERYTHING)
    log = plan.one("LogGroup", "/aws/apigateway/ChatAppWebSocket")
    given = plan.one("Stage").inputs["accessLogSettings"]
    assert given["destinationArn"] == log.state["arn"]
    assert log.inputs["retentionInDays"] == 7
    assert '"requestId": "$context.requestId"' in given["format"]
    assert '"identity.sourceIp": "$context.identity.sourceIp"' in given["format"]
    assert "body" not in given["format"]
    assert "\n" not in given["format"]


def test_public_access_is_unblocked_before_the_public_policy_is_set() -> None:
    """Block Public Access is on for new buckets, so the policy alone would be rejected."""
    plan = program()
    access, policy = plan.one("BucketPublicAccessBlock"), plan.one("BucketPolicy")
    assert access.urn in plan.waits_for(policy)
    assert access.inputs["blockPublicPolicy"] is False
    assert access.inputs["restrictPublicBuckets"] is False
    assert access.inputs["blockPublicAcls"] is True
    assert access.inputs["ignorePublicAcls"] is True


def test_only_the_sites_objects_are_public_and_only_for_reading() -> None:
    plan = program()
    bucket = plan.one("Bucket").state["arn"]
    assert statements(plan.one("BucketPolicy")) == {
        "ReadObjects": {
            "Sid": "ReadObjects",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"{bucket}/*",
        },
    }
    assert not plan.all("FunctionUrl")
    assert not plan.all("BucketAcl")
    assert all("acl" not in one.inputs for one in plan.resources)


def test_behind_the_cdn_nothing_is_public() -> None:
    plan = program(**WITH_EVERYTHING)
    access = plan.one("BucketPublicAccessBlock").inputs
    assert all(access[one] for one in access if one != "bucket")
    bucket, distribution = plan.one("Bucket").state["arn"], plan.one("Distribution").state["arn"]
    found = statements(plan.one("BucketPolicy"))
    assert found["ReadObjectsByThisDistribution"] == {
        "Sid": "ReadObjectsByThisDistribution",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"{bucket}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": distribution}},
    }
    assert found["OnlyByTls"]["Effect"] == "Deny"
    assert len(found) == 2
    assert not plan.all("BucketWebsiteConfiguration")


def test_a_permission_is_for_one_account(plan: Plan) -> None:
    for one in plan.all("Permission"):
        assert f":{ACCOUNT}:" in one.inputs["sourceArn"]


def test_destroying_the_stack_leaves_only_the_accounts_role(plan: Plan) -> None:
    retained = {one.name for one in plan.resources if one.retain_on_delete}
    account = {"websocket-api-access-log-account", "websocket-api-access-log-role", "websocket-api-access-log-policy"}
    assert retained == (account if plan.all("Account") else set())
    assert plan.one("Bucket").inputs["forceDestroy"] is True
    logs = {one.inputs["name"] for one in plan.all("LogGroup")}
    assert {f"/aws/lambda/{one.inputs['name']}" for one in plan.all("Function")} <= logs
    assert not any(one.inputs.get("skipDestroy") for one in plan.resources)

"""What an emulator is kinder about than AWS: each such trap is looked for in what the program registers."""

import pytest

from tests.stack.program import ACCOUNT, VARIANTS, WITH_DOMAINS, WITH_EVERYTHING, Run, program, statements, trust

SILENT_ROUTES = {"$connect", "$disconnect"}


@pytest.fixture(params=VARIANTS)
def run(request: pytest.FixtureRequest) -> Run:
    return program(**VARIANTS[request.param])


def test_a_returned_body_has_a_way_to_the_client(run: Run) -> None:
    """Without the response and the expression AWS drops the body, and an emulator sends it."""
    responses = {one.inputs["routeId"]: one.inputs for one in run.all("RouteResponse")}
    for route in run.all("Route"):
        if route.inputs["routeKey"] in SILENT_ROUTES:
            assert "routeResponseSelectionExpression" not in route.inputs
            assert f"{route.name}-id" not in responses
        else:
            assert route.inputs["routeResponseSelectionExpression"] == "$default"
            response = responses.pop(f"{route.name}-id")
            assert response["routeResponseKey"] == "$default"
            assert response["apiId"] == route.inputs["apiId"]
    assert len(run.all("RouteResponse")) == len(run.all("Route")) - len(SILENT_ROUTES)


def test_the_stage_names_both_throttling_values(run: Run) -> None:
    """Left out, AWS takes 0 and answers every frame with 429."""
    assert run.one("Stage").inputs["defaultRouteSettings"] == {
        "throttlingRateLimit": 500,
        "throttlingBurstLimit": 1000,
    }


def test_the_stage_comes_after_whatever_a_frame_needs(run: Run) -> None:
    """A deployment made before its routes fails, or leaves them out."""
    stage = run.one("Stage")
    assert stage.inputs["autoDeploy"] is True
    assert "deploymentId" not in stage.inputs
    assert not run.all("Deployment")
    needed = [
        one for kind in ("Route", "RouteResponse", "Permission", "Integration", "RolePolicy") for one in run.all(kind)
    ]
    assert {one.urn for one in needed} <= run.waits_for(stage)


@pytest.mark.parametrize(
    ("region", "suffix", "partition"),
    [
        ("us-east-1", "amazonaws.com", "aws"),
        ("eu-central-1", "amazonaws.com", "aws"),
        ("us-gov-west-1", "amazonaws.com", "aws-us-gov"),
        ("cn-north-1", "amazonaws.com.cn", "aws-cn"),
    ],
)
def test_addresses_and_arns_are_those_of_the_region_and_its_partition(region: str, suffix: str, partition: str) -> None:
    run = program(region=region, access_logs="true")
    place = f"websocket-api-api-id.execute-api.{region}.{suffix}/production"
    assert run.outputs["websocket_url"] == f"wss://{place}"
    assert run.outputs["region"] == region
    assert run.one("BucketObjectv2", "config.json").json("content") == {"websocketUrl": f"wss://{place}"}
    for function in run.all("Function"):
        assert function.inputs["environment"]["variables"]["CALLBACK_URL"] == f"https://{place}"
    written = [str(one.inputs) for one in run.resources] + [str(run.outputs["resources"])]
    assert [text for text in written if "arn:" in text.replace(f"arn:{partition}:", "")] == []


@pytest.mark.parametrize(
    ("region", "host"), [("eu-west-1", "s3-website-eu-west-1"), ("eu-north-1", "s3-website.eu-north-1")]
)
def test_the_page_has_the_website_host_that_its_region_has(region: str, host: str) -> None:
    """S3's website hosts come in two forms; a foreign one would be refused as Origin."""
    run = program(region=region)
    page = f"http://chatapp-site-dev-0123456789.{host}.amazonaws.com"
    assert run.outputs["site_url"] == page
    assert run.one("Function", "ChatAppConnect").inputs["environment"]["variables"]["ALLOWED_ORIGINS"] == page


def test_functions_post_to_the_api_itself_when_clients_use_a_domain() -> None:
    """A path of domain and stage is none with a custom domain."""
    run = program(**WITH_DOMAINS)
    assert run.outputs["websocket_url"] == "wss://ws.example.org"
    for function in run.all("Function"):
        address = function.inputs["environment"]["variables"]["CALLBACK_URL"]
        assert address == "https://websocket-api-api-id.execute-api.us-east-1.amazonaws.com/production"
    mapping, domain = run.one("ApiMapping"), run.one("aws:apigatewayv2/domainName:DomainName")
    assert mapping.inputs["stage"] == "production"
    assert "apiMappingKey" not in mapping.inputs
    assert {domain.urn, run.one("Stage").urn} <= run.waits_for(mapping)
    assert domain.inputs["domainNameConfiguration"] == {
        "certificateArn": WITH_DOMAINS["socket_certificate_arn"],
        "endpointType": "REGIONAL",
        "securityPolicy": "TLS_1_2",
    }


def test_domains_get_their_records_only_in_a_zone_that_is_given() -> None:
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


def test_the_accounts_role_is_left_alone_unless_access_logs_are_wanted() -> None:
    """It is one for the whole account and region."""
    run = program()
    assert not run.all("Account")
    assert "accessLogSettings" not in run.one("Stage").inputs


def test_the_accounts_role_comes_before_the_stage_and_stays_when_the_stack_goes() -> None:
    run = program(**WITH_EVERYTHING)
    account, stage = run.one("Account"), run.one("Stage")
    role = run.one("Role", "websocket-api-access-log-role")
    attached = run.one("RolePolicyAttachment")
    assert account.inputs == {"cloudwatchRoleArn": role.state["arn"]}
    assert attached.inputs["policyArn"].endswith(":iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
    assert trust(role) == "apigateway.amazonaws.com"
    assert {role.urn, attached.urn} <= run.waits_for(account)
    assert account.urn in run.waits_for(stage)
    assert all(one.retain_on_delete for one in (account, role, attached))


def test_the_access_log_says_who_and_what_and_never_what_was_said() -> None:
    run = program(**WITH_EVERYTHING)
    log = run.one("LogGroup", "/aws/apigateway/ChatAppWebSocket")
    given = run.one("Stage").inputs["accessLogSettings"]
    assert given["destinationArn"] == log.state["arn"]
    assert log.inputs["retentionInDays"] == 7
    assert '"requestId": "$context.requestId"' in given["format"]
    assert "body" not in given["format"]
    assert "\n" not in given["format"]


def test_public_access_is_unblocked_before_the_public_policy_is_put() -> None:
    """Block Public Access is on for new buckets: the policy alone would be refused."""
    run = program()
    access, policy = run.one("BucketPublicAccessBlock"), run.one("BucketPolicy")
    assert access.urn in run.waits_for(policy)
    assert access.inputs["blockPublicPolicy"] is False
    assert access.inputs["restrictPublicBuckets"] is False
    assert access.inputs["blockPublicAcls"] is True
    assert access.inputs["ignorePublicAcls"] is True


def test_only_the_sites_objects_are_public_and_only_to_be_read() -> None:
    run = program()
    bucket = run.one("Bucket").state["arn"]
    assert statements(run.one("BucketPolicy")) == {
        "ReadObjects": {
            "Sid": "ReadObjects",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"{bucket}/*",
        },
    }
    assert not run.all("FunctionUrl")
    assert not run.all("BucketAcl")
    assert all("acl" not in one.inputs for one in run.resources)


def test_behind_the_cdn_nothing_is_public() -> None:
    run = program(**WITH_EVERYTHING)
    access = run.one("BucketPublicAccessBlock").inputs
    assert all(access[one] for one in access if one != "bucket")
    bucket, distribution = run.one("Bucket").state["arn"], run.one("Distribution").state["arn"]
    found = statements(run.one("BucketPolicy"))
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
    assert not run.all("BucketWebsiteConfiguration")


def test_an_arn_names_one_account(run: Run) -> None:
    for one in run.all("Permission"):
        assert f":{ACCOUNT}:" in one.inputs["sourceArn"]


def test_destroying_the_stack_leaves_nothing_but_the_accounts_role(run: Run) -> None:
    retained = {one.name for one in run.resources if one.retain_on_delete}
    account = {"websocket-api-account", "websocket-api-access-log-role", "websocket-api-access-log-policy"}
    assert retained == (account if run.all("Account") else set())
    assert run.one("Bucket").inputs["forceDestroy"] is True
    logs = {one.inputs["name"] for one in run.all("LogGroup")}
    assert {f"/aws/lambda/{one.inputs['name']}" for one in run.all("Function")} <= logs
    assert not any(one.inputs.get("skipDestroy") for one in run.resources)

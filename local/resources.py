"""How each resource type that the program registers is made through boto3. It knows nothing of the program.

A function's parameters are the properties that it knows: Pulumi's names. Any other is an error, and so is any other
type, except what LEFT_OUT names with its reason.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pulumi
from botocore.config import Config

from local.emulator import CREDENTIALS, REGION

ACCOUNT = "000000000000"

Made = tuple[str, dict[str, Any]]


class Aws:
    """The emulator's clients, each made once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session: Any = boto3.Session(**CREDENTIALS)
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the client of a service; its requests are checked against AWS's own models."""
        if service not in self._clients:
            config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}, read_timeout=10)
            self._clients[service] = self._session.client(service, endpoint_url=self.url, config=config)
        return self._clients[service]


@dataclass(frozen=True, slots=True)
class Resource:
    """How a type is made, changed in place (None: not), and removed."""

    create: Callable[..., Made]
    update: Callable[..., Made] | None = None
    remove: Callable[[Aws, str, dict[str, Any]], None] = lambda _aws, _id, _inputs: None


LEFT_OUT: dict[tuple[str, str], str] = {
    ("aws:s3/bucket:Bucket", "forceDestroy"): "a wish for `pulumi destroy`; here the data goes with the emulator",
    ("aws:dynamodb/table:Table", "pointInTimeRecovery"): "made by a call of its own, which the emulator need not keep",
    ("aws:cloudfront/distribution:Distribution", "isIpv6Enabled"): "there is no edge network here",
}
"""What is left out on purpose: (type, property) → why."""


def call(aws: Aws, token: str) -> dict[str, Any]:
    """Answer the program's questions about where it runs."""
    answers: dict[str, dict[str, Any]] = {
        "aws:index/getRegion:getRegion": {"region": REGION, "name": REGION, "id": REGION},
        "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"},
    }
    if token == "aws:index/getCallerIdentity:getCallerIdentity":  # noqa: S105 - a Pulumi token
        identity = aws.client("sts").get_caller_identity()
        return {"accountId": identity["Account"], "arn": identity["Arn"], "userId": identity["UserId"], "id": ACCOUNT}
    if token not in answers:
        raise NotImplementedError(f"The local deployer does not know the function {token}.")
    return answers[token]


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _capitalised(value: Any) -> Any:
    """Return nested inputs with the initial capitals of AWS's own APIs."""
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: _capitalised(inner) for name, inner in value.items()}
    return [_capitalised(inner) for inner in value] if isinstance(value, list) else value


# DynamoDB


def _table(
    aws: Aws,
    *,
    name: str,
    billingMode: str,
    hashKey: str,
    attributes: list[dict[str, str]],
    ttl: dict[str, Any],
    deletionProtectionEnabled: bool,
    rangeKey: str | None = None,
    globalSecondaryIndexes: list[dict[str, Any]] | None = None,
    readCapacity: int | None = None,
    writeCapacity: int | None = None,
    serverSideEncryption: dict[str, Any] | None = None,
) -> Made:
    def keys(of_hash: str, of_range: str | None) -> list[dict[str, str]]:
        kinds = {"HASH": of_hash, "RANGE": of_range}
        return [{"AttributeName": key, "KeyType": kind} for kind, key in kinds.items() if key]

    def throughput(read: int | None, write: int | None) -> dict[str, Any]:
        return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}} if read else {}

    indexes = [
        {
            "IndexName": index["name"],
            "KeySchema": [
                {"AttributeName": key["attributeName"], "KeyType": key["keyType"]} for key in index["keySchemas"]
            ],
            "Projection": _given(
                ProjectionType=index["projectionType"], NonKeyAttributes=index.get("nonKeyAttributes")
            ),
            **throughput(index.get("readCapacity"), index.get("writeCapacity")),
        }
        for index in globalSecondaryIndexes or []
    ]
    client = aws.client("dynamodb")
    made = client.create_table(
        TableName=name,
        BillingMode=billingMode,
        AttributeDefinitions=[{"AttributeName": one["name"], "AttributeType": one["type"]} for one in attributes],
        KeySchema=keys(hashKey, rangeKey),
        DeletionProtectionEnabled=deletionProtectionEnabled,
        **({"SSESpecification": {"Enabled": serverSideEncryption["enabled"]}} if serverSideEncryption else {}),
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        **throughput(readCapacity, writeCapacity),
    )
    client.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": ttl["enabled"], "AttributeName": ttl["attributeName"]},
    )
    return name, {"arn": made["TableDescription"]["TableArn"], "name": name}


# IAM, logs, Lambda


def _role(aws: Aws, *, assumeRolePolicy: str, name: str | None = None) -> Made:
    name = name or f"role-{uuid.uuid4().hex[:8]}"
    made = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=assumeRolePolicy)
    return name, {"arn": made["Role"]["Arn"], "name": name}


def _role_policy(aws: Aws, *, role: str, policy: str) -> Made:
    aws.client("iam").put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=policy)
    return f"{role}:{role}", {"name": role}


def _changed_role_policy(aws: Aws, *, id_: str, outputs: dict[str, Any], role: str, policy: str) -> Made:  # noqa: ARG001
    return _role_policy(aws, role=role, policy=policy)


def _role_policy_attachment(aws: Aws, *, role: str, policyArn: str) -> Made:
    aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=policyArn)
    return f"{role}-{policyArn}", {}


def _log_group(aws: Aws, *, name: str, retentionInDays: int) -> Made:
    client = aws.client("logs")
    client.create_log_group(logGroupName=name)
    client.put_retention_policy(logGroupName=name, retentionInDays=retentionInDays)
    return name, {"arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}", "name": name}


def _zipped(archive: pulumi.FileArchive) -> bytes:
    folder = Path(archive.path)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                entry.external_attr = 0o644 << 16
                packed.writestr(entry, path.read_bytes())
    return content.getvalue()


def _function_configuration(
    *,
    name: str,
    runtime: str,
    handler: str,
    role: str,
    timeout: float,
    memorySize: float,
    environment: dict[str, Any],
    loggingConfig: dict[str, str],
) -> dict[str, Any]:
    return {
        "FunctionName": name,
        "Runtime": runtime,
        "Handler": handler,
        "Role": role,
        "Timeout": int(timeout),
        "MemorySize": int(memorySize),
        "Environment": {"Variables": environment["variables"]},
        "LoggingConfig": {"LogFormat": loggingConfig["logFormat"], "LogGroup": loggingConfig["logGroup"]},
    }


def _function(aws: Aws, *, code: pulumi.FileArchive, architectures: list[str], **configuration: Any) -> Made:
    made = aws.client("lambda").create_function(
        **_function_configuration(**configuration), Architectures=architectures, Code={"ZipFile": _zipped(code)}
    )
    arn = made["FunctionArn"]
    path = f"/2015-03-31/functions/{arn}/invocations"
    return configuration["name"], {
        "arn": arn,
        "name": configuration["name"],
        "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path{path}",
    }


def _changed_function(
    aws: Aws,
    *,
    id_: str,
    outputs: dict[str, Any],
    code: pulumi.FileArchive,
    architectures: list[str],
    **configuration: Any,
) -> Made:
    client = aws.client("lambda")
    changed = _function_configuration(**configuration)
    client.update_function_configuration(**changed)
    client.update_function_code(
        FunctionName=changed["FunctionName"], Architectures=architectures, ZipFile=_zipped(code)
    )
    return id_, {key: outputs[key] for key in ("arn", "name", "invokeArn")}


def _permission(aws: Aws, *, function: str, action: str, principal: str, sourceArn: str) -> Made:
    statement = f"s{uuid.uuid4().hex}"
    aws.client("lambda").add_permission(
        FunctionName=function,
        StatementId=statement,
        Action=action,
        Principal=principal,
        SourceArn=sourceArn,
    )
    return statement, {}


# API Gateway


def _api(aws: Aws, *, name: str, protocolType: str, routeSelectionExpression: str) -> Made:
    made = aws.client("apigatewayv2").create_api(
        Name=name,
        ProtocolType=protocolType,
        RouteSelectionExpression=routeSelectionExpression,
    )
    id_ = made["ApiId"]
    return id_, {
        "id": id_,
        "arn": f"arn:aws:apigateway:{REGION}::/apis/{id_}",
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{id_}",
        "apiEndpoint": made["ApiEndpoint"],
    }


def _integration(aws: Aws, *, apiId: str, integrationType: str, integrationMethod: str, integrationUri: str) -> Made:
    made = aws.client("apigatewayv2").create_integration(
        ApiId=apiId,
        IntegrationType=integrationType,
        IntegrationMethod=integrationMethod,
        IntegrationUri=integrationUri,
    )
    return made["IntegrationId"], {}


def _route(
    aws: Aws,
    *,
    apiId: str,
    routeKey: str,
    target: str,
    authorizationType: str,
    routeResponseSelectionExpression: str | None = None,
) -> Made:
    made = aws.client("apigatewayv2").create_route(
        ApiId=apiId,
        RouteKey=routeKey,
        Target=target,
        AuthorizationType=authorizationType,
        **_given(RouteResponseSelectionExpression=routeResponseSelectionExpression),
    )
    return made["RouteId"], {}


def _route_response(aws: Aws, *, apiId: str, routeId: str, routeResponseKey: str) -> Made:
    made = aws.client("apigatewayv2").create_route_response(
        ApiId=apiId,
        RouteId=routeId,
        RouteResponseKey=routeResponseKey,
    )
    return made["RouteResponseId"], {}


def _stage(
    aws: Aws,
    *,
    apiId: str,
    name: str,
    autoDeploy: bool,
    defaultRouteSettings: dict[str, Any],
    accessLogSettings: dict[str, str] | None = None,
) -> Made:
    aws.client("apigatewayv2").create_stage(
        ApiId=apiId,
        StageName=name,
        AutoDeploy=autoDeploy,
        DefaultRouteSettings={
            "ThrottlingRateLimit": float(defaultRouteSettings["throttlingRateLimit"]),
            "ThrottlingBurstLimit": int(defaultRouteSettings["throttlingBurstLimit"]),
        },
        **_given(AccessLogSettings=_capitalised(accessLogSettings) if accessLogSettings else None),
    )
    return name, {"arn": f"arn:aws:apigateway:{REGION}::/apis/{apiId}/stages/{name}", "name": name}


def _account(aws: Aws, *, cloudwatchRoleArn: str) -> Made:
    aws.client("apigateway").update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": cloudwatchRoleArn}],
    )
    return "api-gateway-account", {}


# S3


def _bucket(aws: Aws, *, bucketPrefix: str) -> Made:
    name = f"{bucketPrefix}{uuid.uuid4().hex[:20]}"
    aws.client("s3").create_bucket(Bucket=name)
    return name, {
        "bucket": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucketRegionalDomainName": f"{name}.s3.{REGION}.amazonaws.com",
    }


def _ownership(aws: Aws, *, bucket: str, rule: dict[str, str]) -> Made:
    aws.client("s3").put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [_capitalised(rule)]})
    return bucket, {}


def _encryption(aws: Aws, *, bucket: str, rules: list[dict[str, Any]]) -> Made:
    chosen = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"],
            },
        }
        for rule in rules
    ]
    aws.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": chosen})
    return bucket, {}


def _public_access(
    aws: Aws,
    *,
    bucket: str,
    blockPublicAcls: bool,
    ignorePublicAcls: bool,
    blockPublicPolicy: bool,
    restrictPublicBuckets: bool,
) -> Made:
    aws.client("s3").put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": blockPublicAcls,
            "IgnorePublicAcls": ignorePublicAcls,
            "BlockPublicPolicy": blockPublicPolicy,
            "RestrictPublicBuckets": restrictPublicBuckets,
        },
    )
    return bucket, {}


def _bucket_policy(aws: Aws, *, bucket: str, policy: str) -> Made:
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    return bucket, {}


def _website(aws: Aws, *, bucket: str, indexDocument: dict[str, str], errorDocument: dict[str, str]) -> Made:
    aws.client("s3").put_bucket_website(
        Bucket=bucket,
        WebsiteConfiguration={
            "IndexDocument": {"Suffix": indexDocument["suffix"]},
            "ErrorDocument": {"Key": errorDocument["key"]},
        },
    )
    return bucket, {"websiteEndpoint": f"{bucket}.s3-website-{REGION}.amazonaws.com"}


def _object(
    aws: Aws,
    *,
    bucket: str,
    key: str,
    contentType: str,
    cacheControl: str,
    source: pulumi.FileAsset | None = None,
    content: str | None = None,
) -> Made:
    body = Path(source.path).read_bytes() if source is not None else (content or "").encode()
    aws.client("s3").put_object(
        Bucket=bucket,
        Key=key,
        Body=body,
        ContentType=contentType,
        CacheControl=cacheControl,
    )
    return key, {}


def _changed_object(aws: Aws, *, id_: str, outputs: dict[str, Any], **inputs: Any) -> Made:  # noqa: ARG001
    return _object(aws, **inputs)


def _remove_object(aws: Aws, id_: str, inputs: dict[str, Any]) -> None:
    aws.client("s3").delete_object(Bucket=inputs["bucket"], Key=id_)


# CloudFront


def _access_control(
    aws: Aws,
    *,
    originAccessControlOriginType: str,
    signingBehavior: str,
    signingProtocol: str,
    name: str | None = None,
) -> Made:
    made = aws.client("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={
            "Name": name or f"access-control-{uuid.uuid4().hex[:8]}",
            "OriginAccessControlOriginType": originAccessControlOriginType,
            "SigningBehavior": signingBehavior,
            "SigningProtocol": signingProtocol,
        },
    )
    id_ = made["OriginAccessControl"]["Id"]
    return id_, {"arn": f"arn:aws:cloudfront::{ACCOUNT}:origin-access-control/{id_}"}


def _headers_policy(
    aws: Aws,
    *,
    securityHeadersConfig: dict[str, Any],
    customHeadersConfig: dict[str, Any],
    name: str | None = None,
) -> Made:
    items = _capitalised(customHeadersConfig["items"])
    made = aws.client("cloudfront").create_response_headers_policy(
        ResponseHeadersPolicyConfig={
            "Name": name or f"headers-{uuid.uuid4().hex[:8]}",
            "SecurityHeadersConfig": _capitalised(securityHeadersConfig),
            "CustomHeadersConfig": {"Quantity": len(items), "Items": items},
        },
    )
    id_ = made["ResponseHeadersPolicy"]["Id"]
    return id_, {"arn": f"arn:aws:cloudfront::{ACCOUNT}:response-headers-policy/{id_}"}


def _distribution(
    aws: Aws,
    *,
    enabled: bool,
    httpVersion: str,
    defaultRootObject: str,
    priceClass: str,
    origins: list[dict[str, Any]],
    defaultCacheBehavior: dict[str, Any],
    restrictions: dict[str, Any],
    viewerCertificate: dict[str, Any],
    customErrorResponses: list[dict[str, Any]],
) -> Made:
    behaviour = defaultCacheBehavior
    made = aws.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": uuid.uuid4().hex,
            "Comment": "",
            "Enabled": enabled,
            "HttpVersion": httpVersion,
            "DefaultRootObject": defaultRootObject,
            "PriceClass": priceClass,
            "Origins": {
                "Quantity": len(origins),
                "Items": [
                    {
                        "Id": origin["originId"],
                        "DomainName": origin["domainName"],
                        "OriginAccessControlId": origin["originAccessControlId"],
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                    for origin in origins
                ],
            },
            "DefaultCacheBehavior": {
                "TargetOriginId": behaviour["targetOriginId"],
                "ViewerProtocolPolicy": behaviour["viewerProtocolPolicy"],
                "Compress": behaviour["compress"],
                "CachePolicyId": behaviour["cachePolicyId"],
                "ResponseHeadersPolicyId": behaviour["responseHeadersPolicyId"],
                "AllowedMethods": {
                    "Quantity": len(behaviour["allowedMethods"]),
                    "Items": behaviour["allowedMethods"],
                    "CachedMethods": {
                        "Quantity": len(behaviour["cachedMethods"]),
                        "Items": behaviour["cachedMethods"],
                    },
                },
            },
            "CustomErrorResponses": {
                "Quantity": len(customErrorResponses),
                "Items": [
                    {
                        "ErrorCode": int(one["errorCode"]),
                        "ResponseCode": str(int(one["responseCode"])),
                        "ResponsePagePath": one["responsePagePath"],
                    }
                    for one in customErrorResponses
                ],
            },
            "Restrictions": {
                "GeoRestriction": {"RestrictionType": restrictions["geoRestriction"]["restrictionType"], "Quantity": 0},
            },
            "ViewerCertificate": {
                "CloudFrontDefaultCertificate": viewerCertificate["cloudfrontDefaultCertificate"],
            },
        },
    )["Distribution"]
    return made["Id"], {
        "arn": made["ARN"],
        "domainName": made["DomainName"],
        "hostedZoneId": "Z2FDTNDATAQYW2",  # CloudFront's own zone, the same for all distributions
    }


# Cost guards and monitoring


def _budget(
    aws: Aws,
    *,
    name: str,
    budgetType: str,
    limitAmount: str,
    limitUnit: str,
    timeUnit: str,
    notifications: list[dict[str, Any]],
) -> Made:
    aws.client("budgets").create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": name,
            "BudgetType": budgetType,
            "TimeUnit": timeUnit,
            "BudgetLimit": {"Amount": limitAmount, "Unit": limitUnit},
        },
        NotificationsWithSubscribers=[
            {
                "Notification": {
                    "NotificationType": one["notificationType"],
                    "ComparisonOperator": one["comparisonOperator"],
                    "Threshold": float(one["threshold"]),
                    "ThresholdType": one["thresholdType"],
                },
                "Subscribers": [
                    {"SubscriptionType": "EMAIL", "Address": address} for address in one["subscriberEmailAddresses"]
                ],
            }
            for one in notifications
        ],
    )
    return f"{ACCOUNT}:{name}", {"arn": f"arn:aws:budgets::{ACCOUNT}:budget/{name}", "name": name}


def _topic(aws: Aws, *, name: str) -> Made:
    arn = aws.client("sns").create_topic(Name=name)["TopicArn"]
    return arn, {"arn": arn}


def _subscription(aws: Aws, *, topic: str, protocol: str, endpoint: str) -> Made:
    made = aws.client("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, ReturnSubscriptionArn=True)
    return made["SubscriptionArn"], {"arn": made["SubscriptionArn"]}


def _alarm(
    aws: Aws,
    *,
    name: str,
    alarmDescription: str,
    namespace: str,
    metricName: str,
    period: float,
    evaluationPeriods: float,
    threshold: float,
    comparisonOperator: str,
    treatMissingData: str,
    alarmActions: list[str],
    dimensions: dict[str, str] | None = None,
    statistic: str | None = None,
    extendedStatistic: str | None = None,
) -> Made:
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        AlarmDescription=alarmDescription,
        Namespace=namespace,
        MetricName=metricName,
        Period=int(period),
        EvaluationPeriods=int(evaluationPeriods),
        Threshold=float(threshold),
        ComparisonOperator=comparisonOperator,
        TreatMissingData=treatMissingData,
        AlarmActions=alarmActions,
        Dimensions=[{"Name": key, "Value": value} for key, value in (dimensions or {}).items()],
        **_given(Statistic=statistic, ExtendedStatistic=extendedStatistic),
    )
    return name, {"arn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"}


def _dashboard(aws: Aws, *, dashboardName: str, dashboardBody: str) -> Made:
    json.loads(dashboardBody)
    aws.client("cloudwatch").put_dashboard(DashboardName=dashboardName, DashboardBody=dashboardBody)
    return dashboardName, {"dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{dashboardName}"}


RESOURCES: dict[str, Resource] = {
    "aws:dynamodb/table:Table": Resource(_table),
    "aws:iam/role:Role": Resource(_role),
    "aws:iam/rolePolicy:RolePolicy": Resource(_role_policy, _changed_role_policy),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Resource(_role_policy_attachment),
    "aws:cloudwatch/logGroup:LogGroup": Resource(_log_group),
    "aws:lambda/function:Function": Resource(_function, _changed_function),
    "aws:lambda/permission:Permission": Resource(_permission),
    "aws:apigatewayv2/api:Api": Resource(_api),
    "aws:apigatewayv2/integration:Integration": Resource(_integration),
    "aws:apigatewayv2/route:Route": Resource(_route),
    "aws:apigatewayv2/routeResponse:RouteResponse": Resource(_route_response),
    "aws:apigatewayv2/stage:Stage": Resource(_stage),
    "aws:apigateway/account:Account": Resource(_account),
    "aws:s3/bucket:Bucket": Resource(_bucket),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Resource(_ownership),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Resource(_encryption),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Resource(_public_access),
    "aws:s3/bucketPolicy:BucketPolicy": Resource(_bucket_policy),
    "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration": Resource(_website),
    "aws:s3/bucketObjectv2:BucketObjectv2": Resource(_object, _changed_object, _remove_object),
    "aws:cloudfront/originAccessControl:OriginAccessControl": Resource(_access_control),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": Resource(_headers_policy),
    "aws:cloudfront/distribution:Distribution": Resource(_distribution),
    "aws:budgets/budget:Budget": Resource(_budget),
    "aws:sns/topic:Topic": Resource(_topic),
    "aws:sns/topicSubscription:TopicSubscription": Resource(_subscription),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Resource(_alarm),
    "aws:cloudwatch/dashboard:Dashboard": Resource(_dashboard),
}

"""CloudFront distributions, origin access controls and response headers policies."""

import uuid
from typing import Any

from local.emulator import ACCOUNT
from local.resources.resource import Aws, Created, Resource, capitalized


def _create_access_control(
    aws: Aws,
    *,
    originAccessControlOriginType: str,
    signingBehavior: str,
    signingProtocol: str,
    name: str | None = None,
) -> Created:
    created = aws.client("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={
            "Name": name or f"access-control-{uuid.uuid4().hex[:8]}",
            "OriginAccessControlOriginType": originAccessControlOriginType,
            "SigningBehavior": signingBehavior,
            "SigningProtocol": signingProtocol,
        },
    )
    id_ = created["OriginAccessControl"]["Id"]
    return Created(id_, {"arn": f"arn:aws:cloudfront::{ACCOUNT}:origin-access-control/{id_}"})


def _create_headers_policy(
    aws: Aws,
    *,
    securityHeadersConfig: dict[str, Any],
    customHeadersConfig: dict[str, Any],
    name: str | None = None,
) -> Created:
    items = capitalized(customHeadersConfig["items"])
    created = aws.client("cloudfront").create_response_headers_policy(
        ResponseHeadersPolicyConfig={
            "Name": name or f"headers-{uuid.uuid4().hex[:8]}",
            "SecurityHeadersConfig": capitalized(securityHeadersConfig),
            "CustomHeadersConfig": {"Quantity": len(items), "Items": items},
        },
    )
    id_ = created["ResponseHeadersPolicy"]["Id"]
    return Created(id_, {"arn": f"arn:aws:cloudfront::{ACCOUNT}:response-headers-policy/{id_}"})


def _create_distribution(
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
) -> Created:
    behavior = defaultCacheBehavior
    created = aws.client("cloudfront").create_distribution(
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
                "TargetOriginId": behavior["targetOriginId"],
                "ViewerProtocolPolicy": behavior["viewerProtocolPolicy"],
                "Compress": behavior["compress"],
                "CachePolicyId": behavior["cachePolicyId"],
                "ResponseHeadersPolicyId": behavior["responseHeadersPolicyId"],
                "AllowedMethods": {
                    "Quantity": len(behavior["allowedMethods"]),
                    "Items": behavior["allowedMethods"],
                    "CachedMethods": {
                        "Quantity": len(behavior["cachedMethods"]),
                        "Items": behavior["cachedMethods"],
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
    return Created(
        created["Id"],
        {
            "arn": created["ARN"],
            "domainName": created["DomainName"],
            "hostedZoneId": "Z2FDTNDATAQYW2",  # the same for all distributions
        },
    )


RESOURCES = {
    "aws:cloudfront/originAccessControl:OriginAccessControl": Resource(_create_access_control),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": Resource(_create_headers_policy),
    "aws:cloudfront/distribution:Distribution": Resource(_create_distribution),
}

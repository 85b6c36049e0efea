"""S3 buckets, their settings and objects."""

import uuid
from pathlib import Path
from typing import Any

import pulumi

from local.emulator import REGION
from local.resources.resource import Aws, Created, Resource, capitalized


def _create_bucket(aws: Aws, *, bucketPrefix: str) -> Created:
    name = f"{bucketPrefix}{uuid.uuid4().hex[:20]}"
    aws.client("s3").create_bucket(Bucket=name)
    return Created(
        name,
        {
            "bucket": name,
            "arn": f"arn:aws:s3:::{name}",
            "bucketRegionalDomainName": f"{name}.s3.{REGION}.amazonaws.com",
        },
    )


def _put_ownership(aws: Aws, *, bucket: str, rule: dict[str, str]) -> Created:
    aws.client("s3").put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [capitalized(rule)]})
    return Created(bucket, {})


def _put_encryption(aws: Aws, *, bucket: str, rules: list[dict[str, Any]]) -> Created:
    chosen = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"],
            },
        }
        for rule in rules
    ]
    aws.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": chosen})
    return Created(bucket, {})


def _put_public_access_block(
    aws: Aws,
    *,
    bucket: str,
    blockPublicAcls: bool,
    ignorePublicAcls: bool,
    blockPublicPolicy: bool,
    restrictPublicBuckets: bool,
) -> Created:
    aws.client("s3").put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": blockPublicAcls,
            "IgnorePublicAcls": ignorePublicAcls,
            "BlockPublicPolicy": blockPublicPolicy,
            "RestrictPublicBuckets": restrictPublicBuckets,
        },
    )
    return Created(bucket, {})


def _put_policy(aws: Aws, *, bucket: str, policy: str) -> Created:
    aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    return Created(bucket, {})


def _put_website(aws: Aws, *, bucket: str, indexDocument: dict[str, str], errorDocument: dict[str, str]) -> Created:
    aws.client("s3").put_bucket_website(
        Bucket=bucket,
        WebsiteConfiguration=capitalized({"indexDocument": indexDocument, "errorDocument": errorDocument}),
    )
    return Created(bucket, {"websiteEndpoint": f"{bucket}.s3-website-{REGION}.amazonaws.com"})


def _put_object(
    aws: Aws,
    *,
    bucket: str,
    key: str,
    contentType: str,
    cacheControl: str,
    source: pulumi.FileAsset | None = None,
    content: str | None = None,
) -> Created:
    body = Path(source.path).read_bytes() if source is not None else (content or "").encode()
    aws.client("s3").put_object(
        Bucket=bucket,
        Key=key,
        Body=body,
        ContentType=contentType,
        CacheControl=cacheControl,
    )
    return Created(key, {})


def _delete_object(aws: Aws, id_: str, inputs: dict[str, Any]) -> None:
    aws.client("s3").delete_object(Bucket=inputs["bucket"], Key=id_)


RESOURCES = {
    "aws:s3/bucket:Bucket": Resource(_create_bucket),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Resource(_put_ownership),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Resource(_put_encryption),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Resource(_put_public_access_block),
    "aws:s3/bucketPolicy:BucketPolicy": Resource(_put_policy),
    "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration": Resource(_put_website),
    "aws:s3/bucketObjectv2:BucketObjectv2": Resource(_put_object, _put_object, _delete_object),
}

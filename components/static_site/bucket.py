"""A site's bucket, with an object for each file."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import pulumi
import pulumi_aws as aws

from components.static_site.files import SiteFile


@dataclass(frozen=True, kw_only=True)
class SiteBucketArgs:
    """Arguments of a SiteBucket."""

    bucket_prefix: str
    """Prefix of the bucket's name, at most 37 characters; the provider makes the name unique."""
    files: Sequence[SiteFile]
    """Files to store, by rank."""


class SiteBucket(pulumi.ComponentResource):
    """An encrypted bucket without ACLs, containing a site's files. Its policy is created elsewhere."""

    bucket_name: pulumi.Output[str]
    """Name of the bucket."""
    bucket_arn: pulumi.Output[str]
    """ARN of the bucket."""
    regional_domain_name: pulumi.Output[str]
    """Host name of the bucket's REST endpoint."""

    def __init__(self, name: str, args: SiteBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:SiteBucket", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket_prefix=args.bucket_prefix,
            force_destroy=True,  # everything in it is uploaded by the program
            opts=child,
        )
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=child,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="AES256",
                        )
                    ),
                ),
            ],
            opts=child,
        )
        self._store(name, bucket, args.files)
        self.bucket_name, self.bucket_arn = bucket.bucket, bucket.arn
        self.regional_domain_name = bucket.bucket_regional_domain_name
        self.register_outputs({"bucket_name": self.bucket_name})

    def _store(self, name: str, bucket: aws.s3.Bucket, files: Sequence[SiteFile]) -> None:
        """Create an object for each file, by rank, so no visitor gets a page before its files."""
        before: list[pulumi.Resource] = []
        for _, group in groupby(files, key=lambda file: file.rank):
            options = pulumi.ResourceOptions(parent=self, depends_on=before)
            before = [
                *before,
                *(
                    aws.s3.BucketObjectv2(
                        f"{name}-{file.key}",
                        bucket=bucket.bucket,
                        key=file.key,
                        content=file.text,
                        source=pulumi.FileAsset(str(file.path)) if file.text is None else None,
                        content_type=file.content_type,
                        cache_control=file.cache_control,
                        opts=options,
                    )
                    for file in group
                ),
            ]

"""An S3 website: a public bucket, served over HTTP."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class S3WebsiteArgs:
    """Arguments of an S3Website."""

    bucket_name: pulumi.Input[str]
    """Name of the bucket to serve."""
    bucket_arn: pulumi.Input[str]
    """ARN of the bucket."""


class S3Website(pulumi.ComponentResource):
    """Public read access to a bucket's objects, with index.html as index and error document."""

    url: pulumi.Output[str]
    """URL of the website, http://…."""

    def __init__(self, name: str, args: S3WebsiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-websocket:index:S3Website", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        public_access = aws.s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=args.bucket_name,
            block_public_acls=True,
            ignore_public_acls=True,
            block_public_policy=False,
            restrict_public_buckets=False,
            opts=child,
        )
        website = aws.s3.BucketWebsiteConfiguration(
            f"{name}-configuration",
            bucket=args.bucket_name,
            index_document=aws.s3.BucketWebsiteConfigurationIndexDocumentArgs(suffix="index.html"),
            error_document=aws.s3.BucketWebsiteConfigurationErrorDocumentArgs(key="index.html"),
            opts=child,
        )
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=args.bucket_name,
            policy=pulumi.Output.json_dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "ReadObjects",
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "s3:GetObject",
                            "Resource": pulumi.Output.format("{}/*", args.bucket_arn),
                        },
                    ],
                },
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[public_access]),  # new buckets refuse public policies
        )
        self.url = pulumi.Output.format("http://{}", website.website_endpoint)
        self.register_outputs({"url": self.url})

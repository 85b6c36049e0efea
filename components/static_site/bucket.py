"""The bucket of a site, with an object for each file of a folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

import pulumi
import pulumi_aws as aws

CONFIG_KEY = "config.json"
"""Key of the object that SiteConfig creates; a file of this name in the folder is not uploaded."""

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".xml": "application/xml",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
"""Suffix, in lower case → content type."""

_LEFTOVERS = ("*~", "#*#")
"""Names of what editors leave beside a file. Hidden files are left out too."""

REVALIDATE = "no-cache"
"""Cache-Control of every object: browsers check the ETag on each load, so a new version shows at once."""


@dataclass(frozen=True, kw_only=True)
class SiteBucketArgs:
    """Arguments of a SiteBucket."""

    bucket_prefix: str
    """Prefix of the bucket's name, at most 37 characters; the provider makes the name unique."""
    folder: str
    """Folder to upload; it holds index.html."""
    exclude: Sequence[str] = ()
    """Patterns of files to leave out, such as `*.ts` or `drafts/*`, matched against the path below the folder."""
    content_types: Mapping[str, str] = field(default_factory=dict)
    """Suffix → content type, for files that the site would not know."""
    replacements: Mapping[str, str] = field(default_factory=dict)
    """Text → what replaces it in HTML files. Each must occur in index.html."""


class SiteBucket(pulumi.ComponentResource):
    """A bucket without ACLs, encrypted, with a folder's files. Who may read it is not decided here."""

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
        folder = Path(args.folder)
        for path, content_type in _files(args).items():
            key = path.relative_to(folder).as_posix()
            text = replaced(path, args.replacements) if path.suffix.lower() == ".html" and args.replacements else None
            aws.s3.BucketObjectv2(
                f"{name}-{key}",
                bucket=bucket.bucket,
                key=key,
                content=text,
                source=pulumi.FileAsset(str(path)) if text is None else None,
                content_type=content_type,
                cache_control=REVALIDATE,
                opts=child,
            )
        self.bucket_name, self.bucket_arn = bucket.bucket, bucket.arn
        self.regional_domain_name = bucket.bucket_regional_domain_name
        self.register_outputs({"bucket_name": self.bucket_name})


def replaced(path: Path, replacements: Mapping[str, str]) -> str:
    """Return a file's text with replacements. Raises pulumi.RunError if index.html lacks a text to replace."""
    text = path.read_text(encoding="utf-8")
    for old, new in replacements.items():
        if path.name == "index.html" and old not in text:
            raise pulumi.RunError(f"{path.name} does not contain {old!r}, which is to be replaced.")
        text = text.replace(old, new)
    return text


def _files(args: SiteBucketArgs) -> dict[Path, str]:
    """Return the files to upload, with their content types.

    Raises pulumi.RunError if there is no index.html, or for a file whose type is unknown: a site that lacks a file
    without a word is found out by its visitors.
    """
    folder = Path(args.folder)
    if not (folder / "index.html").is_file():
        raise pulumi.RunError(f"There is no index.html in {folder}.")
    types = {**CONTENT_TYPES, **args.content_types}
    files = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if not path.is_file() or path == folder / CONFIG_KEY or _is_left_out(inside, args.exclude):
            continue
        suffix = path.suffix.lower()
        if suffix not in types:
            raise pulumi.RunError(
                f"The content type of {inside.as_posix()} is unknown: name it in content_types, or exclude the file."
            )
        files[path] = types[suffix]
    return files


def _is_left_out(inside: PurePath, exclude: Sequence[str]) -> bool:
    return (
        any(part.startswith(".") for part in inside.parts)
        or any(fnmatchcase(inside.name, pattern) for pattern in _LEFTOVERS)
        or any(fnmatchcase(inside.as_posix(), pattern) for pattern in exclude)
    )

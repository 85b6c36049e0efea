"""`python -m smoke.resources`: every resource's ARN as a Markdown table, from the stack's outputs."""

import argparse
import sys
from pathlib import Path
from typing import Any

from smoke import outputs
from smoke.errors import OutputsError

SERVICES = {
    "dynamodb": "DynamoDB",
    "lambda": "Lambda",
    "apigateway": "API Gateway",
    "iam": "IAM",
    "logs": "CloudWatch Logs",
    "cloudwatch": "CloudWatch",
    "s3": "S3",
    "cloudfront": "CloudFront",
    "budgets": "Budgets",
    "sns": "SNS",
    "cognito-idp": "Cognito",
}


def table(stack: dict[str, Any]) -> str:
    """Return the list, by service, then by name."""
    rows = sorted((_service(arn), name, arn) for name, arn in stack["resources"].items())
    lines = [
        f"# Resources in {stack['region']}",
        "",
        f"Page: <{stack['site_url']}>  ",
        f"WebSocket: `{stack['websocket_url']}`",
        "",
        "| service | name | ARN |",
        "|---|---|---|",
        *(f"| {service} | {name} | `{arn}` |" for service, name, arn in rows),
    ]
    return "\n".join(lines) + "\n"


def _service(arn: str) -> str:
    name = arn.split(":")[2]
    return SERVICES.get(name, name)


def main() -> int:
    """Write the list to the given file."""
    parser = argparse.ArgumentParser(prog="python -m smoke.resources", description="Every resource's ARN.")
    outputs.add_options(parser)
    parser.add_argument("--to", type=Path, default=Path("resources.md"), help="where the list goes (default: here)")
    options = parser.parse_args()
    try:
        stack = outputs.read(options)
        options.to.write_text(table(stack), encoding="utf-8")
    except (OutputsError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(stack['resources'])} resources listed in {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m smoke.resources`: the hand-in list of every resource's ARN, as a Markdown table, from the outputs."""

import argparse
import sys
from pathlib import Path
from typing import Any

from smoke import outputs

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
}


def table(known: dict[str, Any]) -> str:
    """Return the list: by service, then by name."""
    rows = sorted((_service(arn), name, arn) for name, arn in known["resources"].items())
    lines = [
        f"# Resources in {known['region']}",
        "",
        f"Page: <{known['site_url']}>  ",
        f"WebSocket: `{known['websocket_url']}`",
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
    """Write the list to a file."""
    parser = argparse.ArgumentParser(prog="python -m smoke.resources", description="Every resource's ARN.")
    outputs.add_options(parser)
    parser.add_argument("--to", type=Path, default=Path("resources.md"), help="where the list goes (default: here)")
    options = parser.parse_args()
    try:
        known = outputs.read(options)
        options.to.write_text(table(known))
    except (outputs.NoOutputs, OSError) as failed:
        print(failed, file=sys.stderr)
        return 1
    print(f"{len(known['resources'])} resources are listed in {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

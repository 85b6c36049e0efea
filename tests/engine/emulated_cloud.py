"""Inspects the emulator that the Pulumi CLI deploys to."""

import json
import os
import subprocess
import sys
from typing import Any

import boto3

from local.emulator import REGION, Emulator
from tests.engine.pulumi_cli import ROOT, EngineError


class EmulatedCloud:
    """A running emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._url = emulator.url
        self._credentials = {
            "aws_access_key_id": emulator.credentials.access_key_id,
            "aws_secret_access_key": emulator.credentials.secret_access_key,
        }

    def smoke(self, outputs: dict[str, Any]) -> str:
        """Run `python -m smoke`; return its last line. Raises EngineError with its output if a check fails."""
        credentials = {name.upper(): value for name, value in self._credentials.items()}
        ended = subprocess.run(
            [sys.executable, "-m", "smoke", "--outputs", "-", "--endpoint-url", self._url],
            cwd=ROOT,
            env={**os.environ, **credentials, "AWS_DEFAULT_REGION": REGION},
            input=json.dumps(outputs),
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if ended.returncode:
            raise EngineError(f"smoke failed:\n{ended.stdout}{ended.stderr}")
        return ended.stdout.splitlines()[-1]

    def code(self) -> dict[str, str]:
        """Return function name → digest of its code."""
        functions = self._client("lambda").list_functions()["Functions"]
        return {one["FunctionName"]: one["CodeSha256"] for one in functions}

    def names(self) -> list[str]:
        """Return the names of all resources, of the types listed here."""
        return sorted(
            [
                *self.code(),
                *self._client("dynamodb").list_tables()["TableNames"],
                *(one["Name"] for one in self._client("s3").list_buckets()["Buckets"]),
                *(one["RoleName"] for one in self._client("iam").list_roles()["Roles"]),
                *(one["Name"] for one in self._client("apigatewayv2").get_apis()["Items"]),
                *(one["logGroupName"] for one in self._client("logs").describe_log_groups()["logGroups"]),
                *(one["TopicArn"] for one in self._client("sns").list_topics()["Topics"]),
                *(one["AlarmName"] for one in self._client("cloudwatch").describe_alarms()["MetricAlarms"]),
            ]
        )

    def _client(self, service: str) -> Any:
        make: Any = boto3.client
        return make(service, endpoint_url=self._url, region_name=REGION, **self._credentials)

"""Runs the Pulumi CLI on a copy of the program, with its own backend, home and config."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.emulator import ACCOUNT, REGION, Credentials

ROOT = Path(__file__).resolve().parent.parent.parent
STACK = "engine"
SERVICES = (
    *("apigateway", "apigatewayv2", "budgets", "cloudfront", "cloudwatch", "cloudwatchlogs", "dynamodb", "iam", "kms"),
    *("lambda", "route53", "s3", "sns", "sts"),
)
"""Services that the provider calls for this program. Calls to any other service would go to AWS."""
_PROGRAM = ("__main__.py", "Pulumi.yaml", "requirements.txt", "chat_stack", "components", "functions", "frontend")
_ABOUT_PLUGINS = ("PULUMI_DEBUG_PROVIDERS", "PULUMI_IGNORE_AMBIENT_PLUGINS")
"""Variables of the developer that select the provider plugin."""
_LAST_LINES = 40
_UNRESOLVED = (
    f"This machine does not resolve subdomains of localhost: add `127.0.0.1 {ACCOUNT}.localhost` to /etc/hosts."
)


class EngineError(Exception):
    """A step failed."""


def stack_config(url: str, credentials: Credentials) -> dict[str, Any]:
    """Return the config of a stack that uses the emulator at `url` as AWS."""
    endpoints = dict.fromkeys(SERVICES, url)
    endpoints["s3control"] = url.replace("127.0.0.1", "localhost")  # the SDK prefixes the host with the account id
    return {
        "aws:region": REGION,
        "aws:accessKey": credentials.access_key_id,
        "aws:secretKey": credentials.secret_access_key,
        "aws:skipCredentialsValidation": "true",
        "aws:skipMetadataApiCheck": "true",
        "aws:s3UsePathStyle": "true",
        "aws:endpoints": [endpoints],
        "serverless-chat:endpoint_url": url,
        "serverless-chat:address_allowances": "1000",
    }


class PulumiCli:
    """The CLI on the PATH, working in a folder that the caller deletes."""

    def __init__(self, folder: Path, config: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> None:
        """Copy the program and write the stack's config."""
        self.program = folder / "program"
        """Folder with the copy of the program, which steps may change."""
        home, state = folder / "home", folder / "state"
        for new in (self.program, home, state):
            new.mkdir()
        for name in _PROGRAM:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
            copy(ROOT / name, self.program / name)
        (self.program / ".venv").symlink_to(ROOT / ".venv")
        plugins = Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
        if plugins.is_dir():
            (home / "plugins").symlink_to(plugins)
        (self.program / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": dict(config)}), encoding="utf-8")
        self._environment = {
            **{name: value for name, value in environment.items() if not name.startswith(("AWS_", "PULUMI_"))},
            **{name: environment[name] for name in _ABOUT_PLUGINS if name in environment},
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost,.localhost",
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": state.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "of one run",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def __call__(self, *arguments: str) -> str:
        """Run a command; return its standard output. Raises EngineError with the end of its output."""
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        ended = subprocess.run(
            command,
            cwd=self.program,
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if ended.returncode:
            said = "\n".join(f"{ended.stdout}\n{ended.stderr}".strip().splitlines()[-_LAST_LINES:])
            hint = f"\n{_UNRESOLVED}" if f"lookup {ACCOUNT}.localhost" in said else ""
            raise EngineError(f"`{' '.join(command)}` exited with status {ended.returncode}:\n{said}{hint}")
        return ended.stdout

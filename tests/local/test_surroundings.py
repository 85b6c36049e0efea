"""The local run ignores the developer's settings for AWS and other tools, and contacts only itself."""

import os
from pathlib import Path

import pytest

from chat_client.websocket import ChatSocket
from local.environment import clean
from tests.conftest import fresh_room, running_stack

NOWHERE = "http://127.0.0.1:9"
DEVELOPERS = {
    "AWS_PROFILE": "missing",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "example",
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": NOWHERE,
    "AWS_ENDPOINT_URL_DYNAMODB": NOWHERE,
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_CA_BUNDLE": "/nowhere",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "USE_SSL": "1",
    "MINISTACK_ACCOUNT_ID": "123456789012",
    "MINISTACK_LAMBDA_PROXY_ChatAppRoom": NOWHERE,
    "LAMBDA_EXECUTOR": "docker",
    "LAMBDA_STRICT": "1",
    "DOCKER_HOST": NOWHERE,
    "PULUMI_CONFIG": "{",
    "PULUMI_ORGANIZATION": "somebody",
    "http_proxy": NOWHERE,
    "https_proxy": NOWHERE,
    "ALL_PROXY": NOWHERE,
}
CONFIGS = {
    "broken": "[default\nregion",
    "with another endpoint": f"[default]\nignore_configured_endpoint_urls = true\nendpoint_url = {NOWHERE}\n",
    "with a credential process": "[default]\ncredential_process = /bin/false\nregion = eu-west-1\n",
}


@pytest.mark.parametrize("config", CONFIGS)
def test_the_chat_works_despite_the_developers_settings(tmp_path: Path, config: str) -> None:
    (tmp_path / ".aws" / "models").mkdir(parents=True)
    for name in ("config", "credentials"):
        (tmp_path / ".aws" / name).write_text(CONFIGS[config], encoding="utf-8")
    surroundings = {**os.environ, **DEVELOPERS, "HOME": str(tmp_path), "LC_ALL": "C"}
    with running_stack("--no-watch", environment=surroundings) as stack, ChatSocket(stack.websocket_url) as client:
        client.join(fresh_room(), name="Zoë")
        assert client.send_message("grüß dich")["message"] == "grüß dich"
        assert stack.outputs["region"] == "us-east-1"


def test_the_developers_settings_do_not_reach_the_emulator_and_functions() -> None:
    given = clean({**DEVELOPERS, "HOME": "/home/person", "PATH": "/bin", "TMPDIR": "/mine"})
    assert (given["PATH"], given["TMPDIR"]) == ("/bin", "/mine")
    assert not DEVELOPERS.items() & given.items()
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert "/home/person" not in given.values()

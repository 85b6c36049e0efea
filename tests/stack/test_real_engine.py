"""`make test-engine`: the commands and config that it passes to the Pulumi CLI, here a script."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest
import yaml

from local.emulator import Credentials
from tests.engine.__main__ import NO_CLI
from tests.engine.pulumi_cli import STACK, EngineError, PulumiCli, stack_config
from tests.engine.steps import steps
from tests.stack.program import ROOT, WITH_DOMAINS, program

URL = "http://127.0.0.1:4999"
FAKE = """#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    seen = {{name: value for name, value in os.environ.items() if name.startswith(("AWS_", "PULUMI_"))}}
    log.write(json.dumps([sys.argv[1:], os.getcwd(), seen]) + "\\n")
if sys.argv[1] in {failing!r}:
    sys.exit("error: no such thing")
print('{{"api_id": "a1"}}' if sys.argv[1:3] == ["stack", "output"] else "done")
"""


class FakeCloud:
    """Functions with the code of the program's copy, until they are destroyed."""

    def __init__(self, cli: PulumiCli, log: Path, *, keeps: tuple[str, ...] = (), updates: bool = True) -> None:
        self.cli, self.log, self.keeps, self.updates = cli, log, keeps, updates
        self.outputs: dict[str, Any] = {}

    def smoke(self, outputs: dict[str, Any]) -> str:
        self.outputs = outputs
        return "16 passed"

    def code(self) -> dict[str, str]:
        return {
            "ChatAppDefault": (self.cli.program / "functions" / "default.py").read_text(encoding="utf-8")
            if self.updates
            else ""
        }

    def names(self) -> list[str]:
        destroyed = '["destroy"' in self.log.read_text(encoding="utf-8")
        return [*self.keeps] if destroyed else ["ChatAppDefault"]


class Run:
    """A run with a script instead of the CLI."""

    def __init__(self, folder: Path, failing: tuple[str, ...] = (), **cloud: Any) -> None:
        self.log = folder / "calls"
        programs, place = folder / "bin", folder / "place"
        programs.mkdir()
        place.mkdir()
        script = programs / "pulumi"
        script.write_text(FAKE.format(python=sys.executable, log=str(self.log), failing=failing), encoding="utf-8")
        script.chmod(0o755)
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
        person = {**os.environ, "AWS_PROFILE": "mine", "PULUMI_ACCESS_TOKEN": "secret", "PULUMI_HOME": str(folder)}
        (folder / "plugins").mkdir()
        self.cli = PulumiCli(place, stack_config(URL, Credentials()), person)
        self.cloud = FakeCloud(self.cli, self.log, **cloud)

    def all(self) -> list[str]:
        return [claim for claim, run in steps(self.cli, self.cloud) if run() or True]

    def calls(self) -> list[tuple[list[str], str, dict[str, str]]]:
        return [tuple(json.loads(line)) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def restored_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])


@pytest.mark.usefixtures("restored_path")
def test_the_stack_is_deployed_twice_previewed_checked_changed_and_destroyed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert len(run.all()) == 6
    up = ["up", "--yes", "--skip-preview"]
    assert [arguments[: arguments.index("--non-interactive")] for arguments, _, _ in run.calls()] == [
        ["stack", "init", STACK],
        up,
        [*up, "--expect-no-changes"],
        ["preview", "--expect-no-changes"],
        ["stack", "output", "--json"],
        up,
        ["destroy", "--yes", "--skip-preview"],
        ["stack", "rm", STACK, "--yes"],
    ]
    assert run.cloud.outputs == {"api_id": "a1"}


@pytest.mark.usefixtures("restored_path")
def test_the_cli_uses_none_of_the_users_state_except_plugins(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.all()
    for _, folder, environment in run.calls():
        assert Path(folder) == run.cli.program.resolve()
        assert not {"AWS_PROFILE", "PULUMI_ACCESS_TOKEN"} & set(environment)
        assert environment["PULUMI_BACKEND_URL"].startswith(f"file://{tmp_path}/place/")
        home = Path(environment["PULUMI_HOME"])
        assert home.parent == tmp_path / "place"
        assert (home / "plugins").resolve() == tmp_path / "plugins"
    assert not (ROOT / f"Pulumi.{STACK}.yaml").exists()
    assert "# changed" not in (ROOT / "functions" / "default.py").read_text(encoding="utf-8")


@pytest.mark.usefixtures("restored_path")
@pytest.mark.parametrize(
    ("defect", "sentence"),
    [
        ({"failing": ("preview",)}, r"`pulumi preview .*` exited with status 1:\n(.*\n)*error: no such thing"),
        ({"updates": False}, "Functions that still have the old code: ChatAppDefault"),
        ({"keeps": ("/aws/lambda/ChatAppRoom",)}, "Left behind: /aws/lambda/ChatAppRoom"),
    ],
)
def test_a_failed_step_reports_its_reason(tmp_path: Path, defect: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        Run(tmp_path, **defect).all()


def test_without_a_cli_one_sentence_explains_how_to_install_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.engine"],
        cwd=ROOT,
        env={"PATH": "/nowhere", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, f"{NO_CLI}\n", "")


def test_the_stack_uses_the_emulator_for_each_service_of_the_program() -> None:
    config = stack_config(URL, Credentials())
    (endpoints,) = config["aws:endpoints"]
    assert endpoints.pop("s3control") == "http://localhost:4999"
    assert set(endpoints.values()) == {config["serverless-chat:endpoint_url"]} == {URL}
    services = {
        one.type.partition("/")[0].removeprefix("aws:") for one in program(**WITH_DOMAINS).resources if one.custom
    }
    services -= {"cognito"}  # the emulator has no branding calls, so this stack has no sign-in
    assert services | {"cloudwatchlogs", "kms", "sts"} == set(endpoints)
    known = set(aws.config.outputs.Endpoints.__annotations__) | set(aws.ProviderEndpointArgs.__init__.__annotations__)
    assert {*endpoints, "s3control"} <= {name.rstrip("_") for name in known}


def test_the_program_accepts_the_stacks_config() -> None:
    own = {key.partition(":")[2]: value for key, value in stack_config(URL, Credentials()).items() if "chat:" in key}
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    assert set(own) <= set(project)
    assert program(**own).outputs["websocket_url"].startswith("ws://127.0.0.1:4999/")

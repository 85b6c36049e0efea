"""Checks that the real engine makes and mocks do not: unknown values, failures, deprecations, conflicting arguments."""

import importlib
import logging
import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.mocks import MockResourceArgs

from local.plan import FakeCloud, Plan, Registered, plan
from local.program import execute_file
from tests.stack.program import ROOT, VARIANTS, program


class NothingCreatedYet(FakeCloud):
    """The cloud in a first preview: no id, ARN or URL is known."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return None, dict(args.inputs)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_first_preview_shows_everything_that_up_creates(variant: str) -> None:
    """A resource created inside an apply, on a value that is unknown in a preview, would be missing from it."""
    config = VARIANTS[variant]
    previewed = plan(config=config, cloud=NothingCreatedYet("us-east-1"), preview=True)
    created = program(**config)
    assert {one.urn: one.dependencies for one in previewed.resources} == {
        one.urn: one.dependencies for one in created.resources
    }
    for one in previewed.resources:
        known = {name: value for name, value in one.inputs.items() if isinstance(value, (bool, int))}
        assert known.items() <= created.by_urn(one.urn).inputs.items()


def test_the_program_uses_nothing_deprecated(caplog: pytest.LogCaptureFixture) -> None:
    program()  # the provider's modules warn when imported
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error", DeprecationWarning)
        for config in VARIANTS.values():
            plan(config=config)
    assert [record.message for record in caplog.records] == []


def args_documentation(one: Registered) -> str:
    module = one.type.split(":")[1].partition("/")[0]
    package = importlib.import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}")
    return getattr(package, f"{one.kind}Args").__init__.__doc__ or ""


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def conflicts(documentation: str) -> set[frozenset[str]]:
    """Return the conflicting arguments that the provider documents."""
    found = set()
    for entry in re.split(r"\n\s*:param ", documentation):
        name = re.match(r"(?:.* )?(\w+): ", entry)
        for others in re.findall(r"(?:[Cc]onflicts with|[Mm]utually exclusive with) ([^.]*)", entry):
            if name:
                found |= {frozenset((name.group(1), other)) for other in re.findall(r"`(\w+)`", others)}
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_arguments_conflict(variant: str) -> None:
    for one in program(**VARIANTS[variant]).resources:
        if one.custom:
            given = {snake(name) for name in one.inputs}
            assert not [pair for pair in conflicts(args_documentation(one)) if pair <= given], one.name


def test_the_documentation_lists_conflicting_arguments() -> None:
    bucket = program().one("Bucket")
    assert frozenset(("bucket_prefix", "bucket")) in conflicts(args_documentation(bucket))


def test_a_bucket_object_has_one_content() -> None:
    for variant in VARIANTS.values():
        for one in program(**variant).all("BucketObjectv2"):
            assert ("content" in one.inputs) != ("source" in one.inputs)


@pytest.mark.parametrize("type_", [":Api", ":Bucket", ":Function", ":Distribution"])
def test_a_resource_that_aws_rejects_ends_the_run_with_its_error(type_: str) -> None:
    class Refusing(FakeCloud):
        def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            if args.typ.endswith(type_):
                raise PermissionError("AccessDenied")
            return super().new_resource(args)

    with pytest.raises(Exception, match="AccessDenied"):
        plan(config={"site_delivery": "cdn"}, cloud=Refusing("us-east-1"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the program without its functions and page."""
    for name in ("__main__.py", "Pulumi.yaml", "README.md"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def test_missing_sources_are_reported_before_anything_is_created(checkout: Path) -> None:
    registered = Plan()
    with pytest.raises(pulumi.RunError, match="There are no sources in .*functions"):
        plan(lambda: execute_file(checkout / "__main__.py"), into=registered)
    assert registered.resources == []


def test_a_program_that_fails_halfway_reports_its_error(checkout: Path) -> None:
    (checkout / "functions").mkdir()
    (checkout / "functions" / "connect.py").write_text("", encoding="utf-8")
    registered = Plan()
    with pytest.raises(pulumi.RunError, match="There is no index.html in "):
        plan(lambda: execute_file(checkout / "__main__.py"), into=registered)
    assert "ChatTables" in {one.kind for one in registered.resources}


def test_the_project_runs_with_the_locked_packages() -> None:
    """`pulumi up` installs requirements.txt, where every version has its hash."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert project["name"] == "serverless-chat"
    assert project["runtime"]["name"] == "python"
    assert project["runtime"]["options"] == {"toolchain": "pip", "virtualenv": ".venv"}
    locked = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for package in ("pulumi", "pulumi-aws", "pyyaml"):
        assert re.search(rf"^{package}==[\d.]+ \\$", locked, re.MULTILINE), package
    assert locked.count("--hash=sha256:") > 20


def test_logical_names_are_plain_strings() -> None:
    for variant in VARIANTS.values():
        for one in program(**variant).resources:
            assert re.fullmatch(r"[A-Za-z0-9._/-]{1,100}", one.name)

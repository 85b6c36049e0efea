"""What mocks are kinder about than the real engine: unknown values, refusals half-way, deprecations, conflicts."""

import importlib
import logging
import re
import warnings
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.mocks import MockResourceArgs

from components import sources
from components.websocket_api import WebSocketApi
from tests.stack import program as mocked
from tests.stack.program import ROOT, VARIANTS, FakeCloud, Run, program, run_program, run_under_mocks


class NothingMadeYet(FakeCloud):
    """A cloud of which a preview knows nothing: no id, no ARN, no address."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return None, dict(args.inputs)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_first_preview_plans_all_that_up_makes(variant: str) -> None:
    """No resource may depend on a value that only a made one has: a preview would not show it."""
    config = VARIANTS[variant]
    planned = run_under_mocks(mocked._execute, config=config, mocks=NothingMadeYet("us-east-1"), preview=True)
    made = program(**config)
    assert {one.urn for one in planned.resources} == {one.urn for one in made.resources}
    assert {one.urn: one.dependencies for one in planned.resources} == {
        one.urn: one.dependencies for one in made.resources
    }
    for one in planned.resources:
        known = {name: value for name, value in one.inputs.items() if isinstance(value, (bool, int))}
        assert known.items() <= made.by_urn(one.urn).inputs.items()


def test_the_program_uses_nothing_deprecated(caplog: pytest.LogCaptureFixture) -> None:
    """A stranger's first `pulumi up` begins without a warning."""
    program()  # what the provider's own modules warn of as they load is theirs
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error", DeprecationWarning)
        for config in VARIANTS.values():
            run_program(config=config)
    assert [record.message for record in caplog.records] == []


def args_documentation(one: mocked.Registered) -> str:
    module = one.type.split(":")[1].partition("/")[0]
    package = importlib.import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}")
    return getattr(package, f"{one.kind}Args").__init__.__doc__ or ""


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def conflicts(documentation: str) -> set[frozenset[str]]:
    """Read which arguments a provider's documentation says exclude each other."""
    found = set()
    for entry in re.split(r"\n\s*:param ", documentation):
        name = re.match(r"(?:.* )?(\w+): ", entry)
        for others in re.findall(r"(?:[Cc]onflicts with|[Mm]utually exclusive with) ([^.]*)", entry):
            if name:
                found |= {frozenset((name.group(1), other)) for other in re.findall(r"`(\w+)`", others)}
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_two_arguments_exclude_each_other(variant: str) -> None:
    for one in program(**VARIANTS[variant]).resources:
        if one.custom:
            given = {snake(name) for name in one.inputs}
            assert not [pair for pair in conflicts(args_documentation(one)) if pair <= given], one.name


def test_the_documentation_is_read_for_what_excludes_each_other() -> None:
    bucket = program().one("Bucket")
    assert frozenset(("bucket_prefix", "bucket")) in conflicts(args_documentation(bucket))


def test_an_index_names_its_keys_in_one_way() -> None:
    for variant in VARIANTS.values():
        for table in program(**variant).all("Table"):
            for index in table.inputs.get("globalSecondaryIndexes", []):
                assert not {"hashKey", "rangeKey"} & index.keys()


def test_a_bucket_object_has_one_content() -> None:
    for variant in VARIANTS.values():
        for one in program(**variant).all("BucketObjectv2"):
            assert ("content" in one.inputs) != ("source" in one.inputs)


@pytest.mark.parametrize("type_", [":Api", ":Bucket", ":Function", ":Distribution"])
def test_a_resource_that_aws_refuses_ends_the_run_with_its_reason(type_: str) -> None:
    """The page waits for the socket's address, which never comes then: it must not wait for ever."""

    class Refusing(FakeCloud):
        def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            if args.typ.endswith(type_):
                raise PermissionError("AccessDenied")
            return super().new_resource(args)

    with pytest.raises(Exception, match="AccessDenied"):
        run_under_mocks(mocked._execute, config={"site_delivery": "cdn"}, mocks=Refusing("us-east-1"))


def test_sources_that_are_missing_are_told_of_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise pulumi.RunError("There are no sources.")

    monkeypatch.setattr(sources, "sources_archive", refuse)
    registered = Run()
    with pytest.raises(pulumi.RunError, match="There are no sources."):
        run_program(into=registered)
    assert registered.resources == []


def test_a_program_that_fails_halfway_ends_with_its_error_and_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("halfway")

    monkeypatch.setattr(WebSocketApi, "_create_stage", broken)
    with pytest.raises(ZeroDivisionError, match="halfway"):
        run_program()


def test_the_project_is_run_by_the_locked_packages() -> None:
    """`pulumi up` makes its environment from requirements.txt, where every version has its hash."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    assert project["name"] == "serverless-chat"
    assert project["runtime"]["name"] == "python"
    assert project["runtime"]["options"] == {"toolchain": "pip", "virtualenv": ".venv"}
    locked = (ROOT / "requirements.txt").read_text()
    for package in ("pulumi", "pulumi-aws", "pyyaml"):
        assert re.search(rf"^{package}==[\d.]+ \\$", locked, re.MULTILINE), package
    assert locked.count("--hash=sha256:") > 20


def test_a_name_of_a_resource_is_one_that_an_urn_can_bear() -> None:
    for variant in VARIANTS.values():
        for one in program(**variant).resources:
            assert re.fullmatch(r"[A-Za-z0-9._-]{1,100}", one.name)

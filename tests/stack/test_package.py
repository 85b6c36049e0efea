"""The components as a Pulumi package: the schema, and the resources of programs in other languages."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import MISSING, fields
from inspect import get_annotations
from pathlib import Path
from typing import Any

import grpc
import pulumi
import pytest
import yaml
from google.protobuf import empty_pb2
from pulumi.provider.experimental.util import camel_case
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from components.package import COMPONENTS, NAME, ComponentPackage
from components.websocket_api import ApiFunctionArgs, WebSocketApi, WebSocketApiArgs
from local.plan import Plan, plan
from tests.stack.program import ROOT, statements

DOCUMENT = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
SCHEMA: dict[str, Any] = json.loads(ComponentPackage().schema or "")
# As the engine sends them: numbers are floats, and names come from the schema.
ECHO: dict[str, Any] = {
    "apiName": "Echo",
    "functions": {
        "echo": {"functionName": "Echo", "roleName": "EchoRole", "handler": "main.handler", "memoryMb": 512.0}
    },
    "routes": {"$connect": "echo", "$default": "echo"},
    "throttleRateLimit": 20.0,
}


def code() -> pulumi.Archive:
    return pulumi.AssetArchive({"main.py": pulumi.StringAsset("")})


def construct(type_: str, inputs: dict[str, Any] | Callable[[], dict[str, Any]]) -> Plan:
    """Return the resources that the package registers for a program in another language."""
    return plan(
        lambda: ComponentPackage().construct(
            "echo", f"{NAME}:index:{type_}", inputs() if callable(inputs) else dict(inputs)
        )
    )


def described(component: type[pulumi.ComponentResource]) -> dict[str, Any]:
    return SCHEMA["resources"][f"{NAME}:index:{component.__name__}"]


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_schema_requires_the_fields_without_a_default_and_describes_all(
    component: type[pulumi.ComponentResource],
) -> None:
    args: Any = get_annotations(component.__init__)["args"]
    names = {camel_case(one.name): one for one in fields(args)}
    inputs = described(component)["inputProperties"]
    assert set(inputs) == set(names)
    assert set(described(component).get("requiredInputs", [])) == {
        name for name, one in names.items() if one.default is MISSING and one.default_factory is MISSING
    }
    public = [name for name in get_annotations(component) if not name.startswith("_")]
    assert set(described(component).get("properties", {})) == {camel_case(name) for name in public}
    texts = [*inputs.values(), *described(component)["properties"].values()]
    assert [one for one in texts if not one["description"].endswith(".")] == []


def test_the_schema_documents_the_defaults() -> None:
    inputs = described(WebSocketApi)["inputProperties"]
    assert inputs["stageName"]["description"].endswith(' Default: "production".')
    assert inputs["throttleRateLimit"]["description"].endswith(" Default: 50.")


def test_the_schema_defines_every_type_that_it_refers_to() -> None:
    referred = set(re.findall(r'"#/types/([^"]+)"', json.dumps(SCHEMA)))
    assert referred == set(SCHEMA["types"])
    assert {one.rpartition(":")[2] for one in referred} == {"ApiFunction", "Domain", "SiteDelivery"}


def test_a_program_in_another_language_gets_the_same_resources() -> None:
    function = ApiFunctionArgs(function_name="Echo", role_name="EchoRole", handler="main.handler", memory_mb=512)
    args = WebSocketApiArgs(
        api_name="Echo",
        code=code(),
        functions={"echo": function},
        routes={"$connect": "echo", "$default": "echo"},
        throttle_rate_limit=20,
    )
    in_python = plan(lambda: WebSocketApi("echo", args))
    elsewhere = construct("WebSocketApi", {**ECHO, "code": code()})

    def registered(one: Plan) -> dict[str, Any]:
        return {
            each.urn: {name: value for name, value in each.inputs.items() if name != "code"} for each in one.resources
        }

    assert registered(elsewhere) == registered(in_python)


def echo_with(**of_function: Any) -> dict[str, Any]:
    return {**ECHO, "code": code(), "functions": {"echo": {**ECHO["functions"]["echo"], **of_function}}}


def test_environment_and_statements_may_be_outputs_as_a_whole_or_in_part() -> None:
    def given() -> dict[str, Any]:
        table = pulumi.Output.from_input("arn:aws:dynamodb:us-east-1:123456789012:table/t")
        allow = {"Sid": "Read", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": table}
        function = {"environment": pulumi.Output.from_input({"A": "1"}), "statements": pulumi.Output.all(allow)}
        return {**echo_with(**function), "environment": {"TABLE": table}}

    planned = construct("WebSocketApi", given)
    variables = planned.one("Function").inputs["environment"]["variables"]
    assert set(variables) == {"A", "TABLE", "CALLBACK_URL"}
    assert statements(planned.one("RolePolicy"))["Read"]["Resource"].endswith(":table/t")


def test_an_output_in_place_of_a_plain_value_is_rejected_in_one_sentence() -> None:
    def given() -> dict[str, Any]:
        return echo_with(functionName=pulumi.Output.from_input("Echo"))

    with pytest.raises(pulumi.InputPropertyError) as refused:
        construct("WebSocketApi", given)
    assert refused.value.property_path == "functions.echo.functionName"
    assert refused.value.reason == "It must be a plain value because resource names depend on it."


def test_an_enumerated_value_arrives_as_text(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    given = {"bucketPrefix": "page-", "folder": str(tmp_path), "delivery": "cdn"}
    assert construct("StaticSite", given).all("Distribution")
    with pytest.raises(Exception, match="Invalid value s3 .* for enum 'SiteDelivery'"):
        construct("StaticSite", {**given, "delivery": "s3"})


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return found


def test_the_example_in_yaml_passes_each_component_valid_inputs(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    found = yaml.safe_load(example("yaml"))
    assert set(found["packages"]) == {NAME}
    values: dict[str, Any] = {"${pulumi.cwd}/page": str(tmp_path), "${page.bucketName}": "page-0123456789"}
    types = set()
    for resource in found["resources"].values():
        package, _, type_ = resource["type"].partition(":")
        given = {
            name: code() if name == "code" else values.get(value, value) if isinstance(value, str) else value
            for name, value in resource["properties"].items()
        }
        assert set(given) <= set(SCHEMA["resources"][f"{package}:index:{type_}"]["inputProperties"])
        assert construct(type_, given).resources
        types.add(type_)
    assert types == {"WebSocketApi", "StaticSite", "SiteConfig"}
    for place in found["outputs"].values():
        name, _, output = place.strip("${}").partition(".")
        type_ = found["resources"][name]["type"].partition(":")[2]
        assert output in SCHEMA["resources"][f"{NAME}:index:{type_}"]["properties"]


def test_the_example_in_typescript_has_the_names_of_the_schema() -> None:
    found = example("typescript")
    arguments = found[found.index("{\n") : found.index("});")]
    given = set(re.findall(r"^ {4}(\w+):", arguments, re.MULTILINE))
    api = described(WebSocketApi)
    assert set(api["requiredInputs"]) <= given <= set(api["inputProperties"])
    (function,) = re.findall(r"echo: \{ (.*?) \}", arguments)
    assert set(re.findall(r"(\w+): ", function)) <= set(SCHEMA["types"][f"{NAME}:index:ApiFunction"]["properties"])
    assert set(re.findall(r"api\.(\w+)", found)) <= set(api["properties"])


def test_the_package_uses_the_locked_versions() -> None:
    locked = re.findall(
        r"^(pulumi(?:-aws)?==[\d.]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert (ROOT / "components" / "requirements.txt").read_text(encoding="utf-8").split() == locked
    plugin = yaml.safe_load((ROOT / "components" / "PulumiPlugin.yaml").read_text(encoding="utf-8"))
    assert plugin["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}


@pytest.mark.slow
def test_the_package_can_be_served_from_any_folder(tmp_path: Path) -> None:
    folder = tmp_path / "github.com_owner_chat.git"
    shutil.copytree(ROOT / "components", folder, ignore=shutil.ignore_patterns("__pycache__", "venv"))
    command = [sys.executable, str(folder), "127.0.0.1:1"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, encoding="utf-8") as served:
        try:
            assert served.stdout is not None
            port = int(served.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = provider_pb2_grpc.ResourceProviderStub(channel)
                assert stub.GetPluginInfo(empty_pb2.Empty(), timeout=30).version
                answer = stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=30)
        finally:
            served.kill()
    assert json.loads(answer.schema) == SCHEMA

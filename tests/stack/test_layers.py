"""Who may import whom: `__main__` → components; functions know no Pulumi; local knows the program by running it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.program import ROOT

FUNCTIONS = ROOT / "functions"
ENTRY_POINTS = {path.stem for path in FUNCTIONS.glob("*.py")}
HOUSE = {"__main__", "components", "local", "smoke", "benchmarks", "tests", "chat", *ENTRY_POINTS}
MAY: dict[str, set[str]] = {
    "__main__.py": {"components", "pulumi", "pulumi_aws"},
    "components": {"components", "pulumi", "pulumi_aws", "yaml"},
    "functions": {"chat", "botocore", "types_boto3_dynamodb"},
}
"""Place → what it may import beyond Python's own library."""
APART = ("local", "smoke")
"""What knows the program only by running it, or by its outputs."""


def sources(place: str) -> list[Path]:
    return [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("place", MAY)
def test_a_layer_imports_what_it_may_and_nothing_else(place: str) -> None:
    for path in sources(place):
        others = {name.partition(".")[0] for name in imported(path)} - sys.stdlib_module_names
        assert others <= MAY[place], path


@pytest.mark.parametrize("place", APART)
def test_what_runs_the_program_imports_nothing_of_it(place: str) -> None:
    for path in sources(place):
        assert {name.partition(".")[0] for name in imported(path)} & HOUSE <= {place}, path


def test_the_layers_are_where_this_test_looks_for_them() -> None:
    assert {"connect", "disconnect", "sendmessage", "default"} <= ENTRY_POINTS
    for place in ("__main__.py", "components", "functions", "local"):
        assert sources(place)
        assert all(path.is_file() for path in sources(place))


def test_no_file_of_the_functions_hides_a_module_of_python() -> None:
    """The archive's root comes first in the path: a file named typing.py would be everybody's typing."""
    assert ENTRY_POINTS.isdisjoint(sys.stdlib_module_names)


@pytest.mark.parametrize("entry_point", sorted(ENTRY_POINTS))
def test_an_entry_point_knows_neither_dynamodb_nor_sockets(entry_point: str) -> None:
    names = set(imported(FUNCTIONS / f"{entry_point}.py"))
    below = ("chat.clients", "chat.fan_out", "chat.link", "chat.signing", "chat.http_response", "botocore")
    assert not [name for name in names if name.startswith(below)]
    assert not {name.partition(".")[0] for name in names} & (ENTRY_POINTS | {"socket", "ssl"})


@pytest.mark.parametrize("path", sorted((FUNCTIONS / "chat").glob("*.py")), ids=lambda path: path.name)
def test_what_the_functions_share_imports_no_entry_point(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imported(path)} & ENTRY_POINTS


def test_what_posts_knows_no_room_and_no_table() -> None:
    for name in ("fan_out", "link", "signing", "pace", "http_response"):
        used = {one.split(".")[1] for one in imported(FUNCTIONS / "chat" / f"{name}.py") if one.startswith("chat.")}
        assert used <= {"link", "pace", "signing", "http_response"}, name


def test_the_deployer_reaches_the_program_by_its_path_alone() -> None:
    text = (ROOT / "local" / "deployer.py").read_text()
    assert "__main__.py" in text
    for name in ("ChatTables", "WebSocketApi", "StaticSite", "ActiveConnections", "ChatApp"):
        for path in sources("local"):
            assert name not in path.read_text(), path


def test_the_main_program_hands_folders_on_and_reads_no_code() -> None:
    assert not {name.partition(".")[0] for name in imported(ROOT / "__main__.py")} & (HOUSE - {"components"})

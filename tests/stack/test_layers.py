"""The direction of imports, between the packages and within functions/chat."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.program import ROOT

FUNCTIONS = ROOT / "functions"
ENTRY_POINTS = {path.stem for path in FUNCTIONS.glob("*.py")}
BREAKER = "breaker"
"""The one function that serves no route: it imports nothing of the chat."""
PACKAGES: dict[str, set[str]] = {
    "__main__.py": {"chat_stack", "components"},
    "chat_stack": {"components", "functions"},
    "components": set(),
    "functions": set(),
    "local": set(),
    "chat_client": set(),
    "smoke": {"chat_client"},
    "benchmarks": {"chat_client", "functions"},
    "docs": {"chat_client", "local", "smoke"},
    "tests": {"chat_client", "chat_stack", "components", "functions", "local", "smoke"},
}
"""Package → which others it may import. `local` runs the program and the functions, and imports neither."""
OWN_TESTS = {"tests/docs": "docs", "tests/benchmarks": "benchmarks", "tests/unit/test_benchmarks.py": "benchmarks"}
"""Tests → the package that they test, and that no other test may import."""
THIRD_PARTY: dict[str, set[str]] = {
    "__main__.py": {"pulumi", "pulumi_aws"},
    "chat_stack": {"pulumi", "pulumi_aws", "yaml"},
    "components": {"pulumi", "pulumi_aws"},
    "functions": {"botocore"},
}
"""Package → the packages that are installed where it runs."""
CHAT: dict[str, set[str]] = {
    "runtime": {"operations", "delivery", "store", "push", "protocol", "schema"},
    "operations": {"delivery", "store", "protocol"},
    "delivery": {"store", "protocol"},
    "store": {"protocol", "schema"},
    "push": set(),
    "protocol": set(),
    "routes": {"schema"},
    "schema": set(),
}
"""Part of functions/chat → which others it may import."""


def sources(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports when it runs, functions.chat as chat."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(path.relative_to(ROOT).parts[: -node.level]) + "." if node.level else ""
            names = [f"{package}{node.module}.{alias.name}" for alias in node.names]
        if node not in for_types:
            yield from (
                name.removeprefix("functions.") if name.startswith("functions.chat") else name for name in names
            )


def package_of(name: str) -> str:
    """Return the package of the project, or the other package, that an imported name belongs to."""
    top = name.partition(".")[0]
    return "functions" if top == "chat" or top in ENTRY_POINTS else top


def violations(place: str, allowed: set[str]) -> list[str]:
    """Return which files of a package import a package of the project that they may not."""
    house = {name.removesuffix(".py") for name in PACKAGES}
    return sorted(
        {
            f"{path.relative_to(ROOT)} imports {package}"
            for path in sources(place)
            for package in map(package_of, imported(path))
            if package in house - allowed - {place} and not is_own_test(path, package)
        }
    )


def is_own_test(path: Path, package: str) -> bool:
    return any(path.is_relative_to(ROOT / place) and package == tested for place, tested in OWN_TESTS.items())


@pytest.mark.parametrize("place", PACKAGES)
def test_a_package_imports_only_those_below_it(place: str) -> None:
    assert violations(place, PACKAGES[place]) == []


def test_every_package_has_its_place_in_this_order() -> None:
    found = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert found - {"scripts"} == {name for name in PACKAGES if not name.endswith(".py")}


@pytest.mark.parametrize("place", THIRD_PARTY)
def test_what_is_deployed_imports_only_what_is_installed_there(place: str) -> None:
    for path in sources(place):
        others = {name.partition(".")[0] for name in imported(path)} - sys.stdlib_module_names
        assert others - {"chat", "functions", "chat_stack", "components"} <= THIRD_PARTY[place], path


def test_the_program_reads_only_declarations_of_the_functions() -> None:
    used = {name for path in sources("chat_stack") for name in imported(path) if package_of(name) == "functions"}
    assert {".".join(name.split(".")[:2]) for name in used} == {"chat.routes", "chat.schema"}


@pytest.mark.parametrize("part", CHAT)
def test_a_part_of_the_chat_imports_only_those_below_it(part: str) -> None:
    place = f"functions/chat/{part}"
    for path in sources(place if (ROOT / place).is_dir() else f"{place}.py"):
        used = {name.split(".")[1] for name in imported(path) if name.startswith("chat.")}
        assert used - {part} <= CHAT[part], path


def test_every_part_of_the_chat_has_its_place_in_this_order() -> None:
    found = {path.stem for path in (FUNCTIONS / "chat").iterdir()}
    assert found - {"__init__", "__pycache__"} == set(CHAT)


@pytest.mark.parametrize("entry_point", sorted(ENTRY_POINTS - {BREAKER}))
def test_an_entry_point_joins_the_handler_to_operations(entry_point: str) -> None:
    used = {name.rpartition(".")[0] for name in imported(FUNCTIONS / f"{entry_point}.py")}
    assert {name for name in used if not name.startswith("chat.operations.")} == {"chat.runtime.handler"}


def test_the_breaker_imports_nothing_of_the_chat() -> None:
    assert not [name for name in imported(FUNCTIONS / f"{BREAKER}.py") if package_of(name) == "functions"]


def test_no_entry_point_hides_a_module_of_python() -> None:
    """The archive's root comes first in the path: a file named typing.py would be everybody's typing."""
    assert ENTRY_POINTS.isdisjoint(sys.stdlib_module_names)


def test_the_deployer_does_not_depend_on_what_it_deploys() -> None:
    for path in sources("local"):
        for name in ("ChatTables", "WebSocketApi", "StaticSite", "ActiveConnections", "ChatApp"):
            assert name not in path.read_text(encoding="utf-8"), path

"""The direction of imports between packages and within functions/chat."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.program import ROOT

FUNCTIONS = ROOT / "functions"
ENTRY_POINTS = {path.stem for path in FUNCTIONS.glob("*.py")}
BREAKER = "breaker"
"""The one function without a route; it imports nothing from the chat."""
PACKAGES: dict[str, set[str]] = {
    "__main__.py": {"chat_stack", "components"},
    "chat_stack": {"components", "functions"},
    "components": set(),
    "functions": set(),
    "local": set(),
    "chat_client": set(),
    "smoke": {"chat_client"},
    "benchmarks": {"chat_client", "functions", "local"},
    "docgen": {"benchmarks", "chat_client", "functions", "local", "smoke", "tests"},
    "tests": {"chat_client", "chat_stack", "components", "functions", "local", "smoke"},
}
"""Packages that each package may import. `local` runs the program and the functions but imports neither."""
OWN_TESTS = {"tests/docs": "docgen", "tests/benchmarks": "benchmarks", "tests/unit/test_benchmarks.py": "benchmarks"}
"""Packages that only their own tests may import."""
THIRD_PARTY: dict[str, set[str]] = {
    "__main__.py": {"pulumi", "pulumi_aws"},
    "chat_stack": {"pulumi", "pulumi_aws", "yaml"},
    "components": {"pulumi", "pulumi_aws"},
    "functions": {"botocore"},
}
"""Third-party packages that are installed where each package runs."""
CHAT: dict[str, set[str]] = {
    "runtime": {"operations", "delivery", "store", "push", "identity", "protocol", "schema"},
    "operations": {"delivery", "store", "identity", "protocol"},
    "delivery": {"store", "protocol"},
    "store": {"protocol", "schema"},
    "push": set(),
    "protocol": set(),
    "identity": set(),
    "routes": {"schema"},
    "schema": set(),
}
"""Parts of functions/chat that each part may import."""


def sources(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports at run time, with functions.chat as chat."""
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
    """Return the project's or third-party package of an imported name."""
    top = name.partition(".")[0]
    return "functions" if top == "chat" or top in ENTRY_POINTS else top


def violations(place: str, allowed: set[str]) -> list[str]:
    """Return the files of a package that import a package of the project without permission."""
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


def test_every_package_is_listed() -> None:
    found = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert found - {"scripts"} == {name for name in PACKAGES if not name.endswith(".py")}


@pytest.mark.parametrize("place", THIRD_PARTY)
def test_deployed_code_imports_only_what_is_installed_there(place: str) -> None:
    for path in sources(place):
        others = {name.partition(".")[0] for name in imported(path)} - sys.stdlib_module_names
        assert others - {"chat", "functions", "chat_stack", "components"} <= THIRD_PARTY[place], path


def test_the_program_imports_only_the_functions_declarations() -> None:
    used = {name for path in sources("chat_stack") for name in imported(path) if package_of(name) == "functions"}
    assert {".".join(name.split(".")[:2]) for name in used} == {"chat.routes", "chat.schema"}


@pytest.mark.parametrize("part", CHAT)
def test_a_part_of_the_chat_imports_only_those_below_it(part: str) -> None:
    place = f"functions/chat/{part}"
    for path in sources(place if (ROOT / place).is_dir() else f"{place}.py"):
        used = {name.split(".")[1] for name in imported(path) if name.startswith("chat.")}
        assert used - {part} <= CHAT[part], path


def test_every_part_of_the_chat_is_listed() -> None:
    found = {path.stem for path in (FUNCTIONS / "chat").iterdir()}
    assert found - {"__init__", "__pycache__"} == set(CHAT)


@pytest.mark.parametrize("entry_point", sorted(ENTRY_POINTS - {BREAKER}))
def test_an_entry_point_connects_the_handler_to_operations(entry_point: str) -> None:
    used = {name.rpartition(".")[0] for name in imported(FUNCTIONS / f"{entry_point}.py")}
    assert {name for name in used if not name.startswith("chat.operations.")} == {"chat.runtime.handler"}


def test_the_breaker_imports_nothing_of_the_chat() -> None:
    assert not [name for name in imported(FUNCTIONS / f"{BREAKER}.py") if package_of(name) == "functions"]


def test_no_entry_point_shadows_a_standard_module() -> None:
    """The archive's root is first on the path, so a file named typing.py would shadow typing everywhere."""
    assert ENTRY_POINTS.isdisjoint(sys.stdlib_module_names)


def test_the_deployer_does_not_depend_on_what_it_deploys() -> None:
    for path in sources("local"):
        for name in ("ChatTables", "WebSocketApi", "StaticSite", "ActiveConnections", "ChatApp"):
            assert name not in path.read_text(encoding="utf-8"), path

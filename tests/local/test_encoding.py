"""Text files and processes are read and written as UTF-8, whatever the locale."""

import ast
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

FOLDERS = ("benchmarks", "chat_client", "chat_stack", "components", "docgen", "functions", "local", "smoke", "tests")
BINARY = {"Image", "os"}
"""Names whose `open` takes no encoding."""


def unencoded(source: str) -> Iterator[ast.Call]:
    """Find the calls that read or write text in the locale's encoding."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or any(given.arg == "encoding" for given in call.keywords):
            continue
        if _is_text(call) or _is_process(call) or _opens(call):
            yield call


def _is_text(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("read_text", "write_text")


def _is_process(call: ast.Call) -> bool:
    is_text = any(given.arg in ("text", "universal_newlines") for given in call.keywords)
    return is_text and isinstance(call.func, ast.Attribute) and call.func.attr in ("run", "Popen", "check_output")


def _opens(call: ast.Call) -> bool:
    given = [value.value for value in ast.walk(call) if isinstance(value, ast.Constant)]
    if any(isinstance(mode, str) and "b" in mode and len(mode) <= len("rb+") for mode in given):
        return False
    if isinstance(call.func, ast.Name):
        return call.func.id == "open"
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("open", "fdopen"):
        return False
    name = call.func.value.id if isinstance(call.func.value, ast.Name) else ""
    first = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    is_mode = isinstance(first, str) and set(first) <= set("rwax+t")
    return call.func.attr == "fdopen" or (name not in BINARY and is_mode)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_file_is_read_and_written_as_utf_8(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for call in unencoded(path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    "code",
    [
        "path.read_text()", "path.write_text(text)", "open(name)", "path.open('w')", "os.fdopen(1, 'w')",
        "subprocess.run(command, text=True)",
    ],
)  # fmt: skip
def test_calls_without_an_encoding_are_found(code: str) -> None:
    assert list(unencoded(code))


@pytest.mark.parametrize(
    "code",
    ["path.read_text(encoding='utf-8')", "path.open('rb')", "socket.open()", "Image.open(path)", "os.open(a, 0)"],
)
def test_other_calls_are_not_found(code: str) -> None:
    assert not list(unencoded(code))

"""The map of the code in docs/architecture.md."""

import re

import pytest

from tests.docs.documents import ROOT

MAP = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Map of the code")[2]
NOT_MAPPED = {"docs", "node_modules", "scripts", "tests"}
PAGE = ("controllers", "views", "model", "client")
"""Folders of the page's modules; each imports only from itself and the folders after it."""


def mapped(after: str, before: str) -> set[str]:
    """Return the names in the first column of a table in the map."""
    table = MAP.partition(after)[2].partition(before)[0]
    first_cells = re.findall(r"^\| ((?:`[^`|]+`(?:, )?)+) \|", table, re.MULTILINE)
    return {name.strip("/") for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_folder_is_in_the_map() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/*") if not path.parent.name.startswith(".")}
    assert mapped("| folder |", "`functions/chat`, each") == (folders - NOT_MAPPED) | {"__main__.py"}


def test_every_package_of_the_functions_is_in_the_map() -> None:
    packages = {path.parent.name for path in (ROOT / "functions" / "chat").glob("*/__init__.py")}
    assert mapped("`functions/chat`, each", "`frontend/`, likewise") == packages


def test_every_folder_of_the_page_is_in_the_map() -> None:
    folders = {path.name for path in (ROOT / "frontend").iterdir() if path.is_dir()}
    assert mapped("`frontend/`, likewise", "## Invariants") == folders | {"app.js", "styles.css", "sw.js"}


@pytest.mark.parametrize("folder", PAGE)
def test_a_folder_of_the_page_imports_only_from_those_below_it(folder: str) -> None:
    allowed = set(PAGE[PAGE.index(folder) :])
    for path in (ROOT / "frontend" / folder).glob("*.js"):
        imported = re.findall(r'(?:from|import)\s*\(?"\.\./([\w-]+)', path.read_text(encoding="utf-8"))
        assert set(imported) <= allowed, path

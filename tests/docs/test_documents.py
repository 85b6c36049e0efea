"""The documents against the repository: what they name exists, and what exists is documented."""

import importlib.util
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from components.package import COMPONENTS
from docgen.__main__ import FROM_A_STACK, FROM_FILES
from docgen.tables import SECTIONS, section
from tests.docs.documents import CODE, DOCUMENTS, ROOT, code_of, named, prose

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"(?<!\\)\]\(([^()\s]+(?:\([^()\s]*\))?)\)")
PICTURE = re.compile(r'(?:src|srcset)="([^"]+)"')
FOLDERS = {path.parent.name for path in ROOT.glob("*/*") if not path.parent.name.startswith(".")} - {"node_modules"}
"""First part of a path in a document."""
ROOT_FILES = re.compile(r"[A-Z]\w*\.(?:md|yaml)|Makefile|pyproject\.toml|__main__\.py")
CREATED_BY_THE_READER = {"functions/chat/operations/wave.py"}
"""Paths that a document asks its reader to create."""

SAME_WORDS = 14
"""Words in a row that count as a repeated sentence."""


@lru_cache
def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub derives them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@lru_cache
def all_tests() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_and_anchor_has_a_target(path: Path) -> None:
    broken = []
    for target in [*LINK.findall(prose(path)), *PICTURE.findall(prose(path))]:
        if "://" in target:
            continue
        file, _, anchor = unquote(target).partition("#")
        other = (path.parent / file).resolve() if file else path
        if not other.exists() or (anchor and anchor not in anchors(other)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_named_path_exists(path: Path) -> None:
    missing = []
    for code in CODE.findall(prose(path)):
        is_path = ROOT_FILES.fullmatch(code) or (
            code.partition("/")[0] in FOLDERS and re.fullmatch(r"[\w.\-/*]+", code)
        )
        if is_path and code not in CREATED_BY_THE_READER and not list(ROOT.glob(code.rstrip("/"))):
            missing.append(code)
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_named_make_target_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = {target for code in code_of(path) for target in re.findall(r"(?:^|[\s$(])make ([a-z-]+)", code)}
    assert used <= targets


def test_every_make_target_is_documented() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = {target for path in DOCUMENTS for code in code_of(path) for target in re.findall(r"\bmake ([a-z-]+)", code)}
    assert targets - used == {"help", "format", "clean"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_named_python_command_exists(path: Path) -> None:
    commands = [found for code in code_of(path) for found in re.findall(r"python -m ([\w.]+)((?: [a-z]+)*)", code)]
    for module, arguments in commands:
        assert importlib.util.find_spec(module), module
        if module == "docgen":
            assert set(arguments.split()) <= {*FROM_A_STACK, *FROM_FILES}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_named_test_exists(path: Path) -> None:
    wanted = set(re.findall(r"`(test_[a-z0-9_]+)`", path.read_text(encoding="utf-8")))
    assert {name for name in wanted if f"def {name}(" not in all_tests()} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_documents_contain_no_paths_of_the_authors_machine(path: Path) -> None:
    assert re.findall(r"(?:^|[\s`'\"(])(/(?:root|home|Users|work)/[^\s`)]*)", path.read_text(encoding="utf-8")) == []


def test_each_guarantee_names_its_tests() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert [number for number, _, _ in rows] == [str(number + 1) for number in range(len(rows))]
    for number, _, names in rows:
        assert re.findall(r"`(test_guarantee_\d)", names) == [f"test_guarantee_{number}"] * names.count("`test_")
        assert names.count("`test_") >= 2


@pytest.mark.parametrize(
    ("path", "name"),
    [(path, name) for path, sections in SECTIONS.items() for name in sections],
    ids=lambda value: value if isinstance(value, str) else named(value),
)
def test_generated_tables_are_up_to_date(path: Path, name: str) -> None:
    made = SECTIONS[path][name]()
    assert section(path.read_text(encoding="utf-8"), name) == made, "run python -m docgen tables"


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_config_key_in_a_command_exists(path: Path) -> None:
    keys = set(yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"])
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"pulumi config set (?:--path )?'?([a-z_:A-Z]+)", text)
    assert set(used) <= {*keys, "aws:region"}


def test_the_readme_lists_every_output() -> None:
    exported = set(re.findall(r"pulumi\.export\(\"([a-z_]+)\"", (ROOT / "__main__.py").read_text(encoding="utf-8")))
    assert exported
    assert {name for name in exported if f"`{name}`" not in README} == set()


def test_every_picture_is_used() -> None:
    shown = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    files = sorted(path.name for path in (ROOT / "docs" / "pictures").iterdir())
    assert [name for name in files if f"pictures/{name}" not in shown] == []


def test_each_picture_in_the_readme_is_below_3_mb() -> None:
    shown = [ROOT / target for target in re.findall(r"docs/pictures/[\w.-]+\.(?:gif|png|svg)", README)]
    assert len(shown) >= 3
    assert all(path.stat().st_size < 3_000_000 for path in shown)


def test_the_readme_opens_with_the_two_commands_and_a_picture() -> None:
    opening = README[: README.index("\n## ")]
    assert opening.index("make local") < opening.index("make test") < opening.index("docs/pictures/page-light.png")


def test_every_document_is_reachable_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        links = [
            target.partition("#")[0] for target in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in target
        ]
        waiting += [(path.parent / unquote(target)).resolve() for target in links if target]
    assert [named(path) for path in DOCUMENTS if path not in seen] == []


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    written = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [path.name for path in written if f"({path.name})" not in index] == []


def test_the_folder_of_documents_contains_no_programs() -> None:
    suffixes = {path.suffix for path in (ROOT / "docs").rglob("*") if path.is_file() and "pictures" not in path.parts}
    assert suffixes == {".md", ".html"}


def test_no_page_repeats_a_sentence_of_another() -> None:
    pages: dict[tuple[str, ...], set[str]] = {}
    for path in DOCUMENTS:
        if path.name == "CHANGELOG.md":
            continue
        text = re.sub(r"<!-- (.+?) -->.*?<!-- /\1 -->", "", prose(path), flags=re.DOTALL)
        words = re.findall(r"[\w'-]+", re.sub(r"\]\([^)]*\)", "]", text).lower())
        for index in range(len(words) - SAME_WORDS + 1):
            pages.setdefault(tuple(words[index : index + SAME_WORDS]), set()).add(named(path))
    assert {" ".join(run): found for run, found in pages.items() if len(found) > 1} == {}


def test_every_document_named_in_the_code_exists() -> None:
    sources = [
        path
        for folder in FOLDERS - {"docs"}
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".html", ".js", ".py", ".sh", ".ts", ".yaml"}
    ]
    missing = {
        f"{named(path)}: {document}"
        for path in sources
        for document in re.findall(r"(?<![\w/])docs/[\w./-]*\w", path.read_text(encoding="utf-8"))
        if not list(ROOT.glob(document)) and not list(ROOT.glob(f"{document}-*.md"))
    }
    assert missing == set()


@pytest.mark.parametrize("name", ["testing.md", "troubleshooting.md"])
def test_every_quoted_text_of_the_page_or_a_mail_exists(name: str) -> None:
    folders = (ROOT / "frontend", ROOT / "functions")
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".html", ".js", ".py"}]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    quoted = re.findall(r"(?<![\w*])\*(\w[^*|\n]+)\*(?!\*)", prose(ROOT / "docs" / name))
    assert quoted
    assert [text for text in quoted if text not in source] == []


def test_the_components_of_the_package_are_the_promised_ones() -> None:
    versions = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
    promised, _, others = versions.partition("## What is not promised")
    (row,) = re.findall(r"^\| \[components\].+", promised, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == {component.__name__ for component in COMPONENTS}
    listed = (ROOT / "docs" / "components.md").read_text(encoding="utf-8").partition("## Other components")[2]
    first_cells = " ".join(re.findall(r"^\| (`[^|]+) \|", listed, re.MULTILINE))
    (sentence,) = re.findall(r"the other components: ([^.]+)\.", others)
    assert set(re.findall(r"`(\w+)`", sentence)) == set(re.findall(r"`(\w+)`", first_cells)) - {"CostGuards"}

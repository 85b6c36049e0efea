"""The documents against the repository: what they name exists, and what must be named is."""

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from docs.tables import SECTIONS, section
from tests.docs.documents import DOCUMENTS, FENCE, ROOT, named, prose

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"(?<!\\)\]\(([^()\s]+(?:\([^()\s]*\))?)\)")
PICTURE = re.compile(r'(?:src|srcset)="([^"]+)"')
CODE = re.compile(r"`([^`\n]+)`")
FOLDERS = {"components", "docs", "frontend", "functions", "local", "smoke", "tests", "benchmarks", "scripts"}
"""What a path in a document begins with."""
ROOT_FILES = re.compile(r"[A-Z]\w*\.(?:md|yaml)|Makefile|pyproject\.toml|__main__\.py")
MADE_WHERE_IT_IS_USED = {"functions/chat/operations/wave.py"}
"""Paths that a document tells its reader to make."""


@lru_cache
def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub gives to a document's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@lru_cache
def all_tests() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_link_and_anchor_leads_somewhere(path: Path) -> None:
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
def test_every_path_that_is_named_exists(path: Path) -> None:
    missing = []
    for code in CODE.findall(prose(path)):
        is_path = ROOT_FILES.fullmatch(code) or (
            code.partition("/")[0] in FOLDERS and re.fullmatch(r"[\w.\-/*]+", code)
        )
        if is_path and code not in MADE_WHERE_IT_IS_USED and not list(ROOT.glob(code.rstrip("/"))):
            missing.append(code)
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = [
        *CODE.findall(path.read_text(encoding="utf-8")),
        *(block.group() for block in FENCE.finditer(path.read_text(encoding="utf-8"))),
    ]
    used = {target for each in code for target in re.findall(r"(?:^|[\s$(])make ([a-z]+)", each)}
    assert used <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_test_that_is_named_exists(path: Path) -> None:
    wanted = set(re.findall(r"`(test_[a-z0-9_]+)`", path.read_text(encoding="utf-8")))
    assert {name for name in wanted if f"def {name}(" not in all_tests()} == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_no_document_knows_the_machine_it_was_written_on(path: Path) -> None:
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
def test_tables_made_from_the_program_are_up_to_date(path: Path, name: str) -> None:
    made = SECTIONS[path][name]()
    assert section(path.read_text(encoding="utf-8"), name) == made, "python -m docs tables writes it anew"


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_config_key_that_is_set_in_a_command_exists(path: Path) -> None:
    keys = set(yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"])
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"pulumi config set (?:--path )?'?([a-z_:A-Z]+)", text)
    assert set(used) <= {*keys, "aws:region"}


def test_every_output_is_described_in_the_readme() -> None:
    exported = set(re.findall(r"pulumi\.export\(\"([a-z_]+)\"", (ROOT / "__main__.py").read_text(encoding="utf-8")))
    assert exported
    assert {name for name in exported if f"`{name}`" not in README} == set()


def test_every_picture_is_shown_somewhere() -> None:
    shown = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    kept = sorted(path.name for path in (ROOT / "docs" / "pictures").iterdir())
    assert [name for name in kept if f"pictures/{name}" not in shown] == []


def test_what_is_shown_in_the_readme_loads_fast() -> None:
    shown = [ROOT / target for target in re.findall(r"docs/pictures/[\w.-]+\.(?:gif|png|svg)", README)]
    assert len(shown) >= 3
    assert all(path.stat().st_size < 3_000_000 for path in shown)


def test_the_page_of_the_readme_opens_with_the_two_commands_and_the_picture() -> None:
    opening = README[: README.index("\n## ")]
    assert opening.index("make local") < opening.index("make test") < opening.index("docs/pictures/page-light.png")


def test_every_document_is_reached_from_the_readme() -> None:
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


def test_the_decisions_are_all_listed_in_their_index() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    written = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert [path.name for path in written if f"({path.name})" not in index] == []

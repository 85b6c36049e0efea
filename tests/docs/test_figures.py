"""Figures in tables, slides and text come from full benchmark runs, the config and the page's budgets."""

import json
import re
from pathlib import Path

import pytest
import yaml

from docgen import ROOT, facts, presentation, tables
from tests.docs.documents import DOCUMENTS
from tests.stack.program import program

BUDGETS = ("MAX_COMPRESSED_BYTES", "MAX_REQUESTS")


@pytest.mark.parametrize("saved", [None, {"quick": True, "rows": []}], ids=["missing", "of a quick run"])
def test_a_table_requires_a_full_benchmark_run(
    saved: dict[str, object] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "RESULTS", tmp_path)
    monkeypatch.setattr(facts, "ROOT", tmp_path)
    if saved is not None:
        (tmp_path / "costs.json").write_text(json.dumps(saved), encoding="utf-8")
    facts.rows.cache_clear()
    try:
        for make in (tables.costs, tables.costs_by_memory, tables.prices):
            with pytest.raises(facts.FactMissingError, match=r"python -m benchmarks --save"):
                make()
    finally:
        facts.rows.cache_clear()


def test_every_folder_of_tests_is_described() -> None:
    folders = {path.parent.relative_to(ROOT / "tests").parts[0] for path in ROOT.glob("tests/*/**/test_*.py")}
    assert folders <= set(presentation.layers())


def test_every_place_in_the_slides_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presentation, "tests_by_layer", lambda: {"unit": 1})
    text = presentation.filled(program())
    assert "{{" not in text
    assert text.count("<img ") == presentation.SLIDES.read_text(encoding="utf-8").count(".png: ") + 2


def test_the_readmes_figures_are_those_of_the_benchmarks() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    five = next(row["ours"] for row in facts.rows("costs") if row["size"] == 5)
    assert f"covers {five['free_messages_a_month']:,} messages a month" in readme
    assert f"further million costs ${five['usd_a_million']:.2f}" in readme
    largest = max(facts.rows("rooms"), key=lambda row: row["size"])
    assert f"{largest['size']:,} readers in {largest['ours']['last_ms'] / 1000:.1f} s" in readme


def test_the_pages_documented_size_is_its_budget() -> None:
    budgets = (ROOT / "tests" / "browser" / "test_budgets.py").read_text(encoding="utf-8")
    size, requests = (re.search(rf"^{name} = (\d+)", budgets, re.MULTILINE)[1] for name in BUDGETS)  # type: ignore[index]
    readme, decision = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/decisions/0009-no-framework.md")
    )
    assert re.findall(r"(\d+) KB", readme) == re.findall(r"(\d+) KB", decision) == [size]
    assert re.findall(r"(\d+)\s+requests", decision) == [requests]


def test_documented_defaults_are_those_of_the_config() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    for path in DOCUMENTS:
        for key, value in re.findall(r"`(\w+)`\s+\(([\d,]+)\b", path.read_text(encoding="utf-8")):
            assert key not in config or config[key]["default"] == int(value.replace(",", "")), (path.name, key)

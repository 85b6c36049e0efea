"""The setup scripts on a bare machine report what they do, or what is missing and how to get it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

TOOLS = ("sh", "dirname", "id", "env", "grep", "tail", "timeout", "rm", "cat")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH without Python, Node, a browser or a package manager."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    return folder


def script(name: str, path: Path, cwd: Path = ROOT, **environment: str) -> tuple[int, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHON", "CHROMIUM", "NO_COLOR")}
    ran = subprocess.run(
        ["/bin/sh", str(ROOT / name)],
        cwd=cwd,
        env={**kept, "PATH": str(path), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_without_node_the_javascript_checks_are_skipped_with_a_notice(bare: Path) -> None:
    status, said = script("scripts/check_javascript.sh", bare)
    assert status == 0
    assert "Node 20" in said


def test_without_a_supported_python_the_supported_versions_are_named(bare: Path, tmp_path: Path) -> None:
    python = bare / "python3"
    python.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    python.chmod(0o755)
    status, said = script("scripts/install.sh", bare, cwd=tmp_path)
    assert status == 1
    assert all(part in said for part in ("Python 3.11", "3.14", "PYTHON=/path/to/python"))


def test_a_supported_python_with_another_name_is_found(bare: Path, tmp_path: Path) -> None:
    for name, works in (("python3", 1), ("python3.13", 0)):
        python = bare / name
        python.write_text(
            f'#!/bin/sh\n[ "$1" = -m ] && exit 1\n[ "$1" = -c ] && exit {works}\necho {name}\n', encoding="utf-8"
        )
        python.chmod(0o755)
    status, said = script("scripts/install.sh", bare, cwd=tmp_path)
    assert status == 1
    assert "python3.13" in said
    assert "apt-get install python3-venv" in said


def test_a_configured_browser_that_does_not_exist_is_reported(bare: Path) -> None:
    status, said = script("scripts/browser.sh", bare, CHROMIUM="/nowhere/chromium")
    assert status == 1
    assert "CHROMIUM=/nowhere/chromium" in said
    assert len(said.splitlines()) == 1


def test_a_browser_that_cannot_be_installed_is_reported_in_time(bare: Path, tmp_path: Path) -> None:
    unreachable = {"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "none"), "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:9"}
    status, said = script("scripts/browser.sh", bare, BROWSER_SECONDS="3", **unreachable)
    assert status == 1
    assert "150 MB" in said.splitlines()[0]
    assert "CHROMIUM=/path/to/chromium" in said.splitlines()[-1]


def test_ci_reports_a_missing_make(bare: Path) -> None:
    status, said = script(".ci/run", bare)
    assert status == 1
    assert said.startswith("make is missing")


def test_make_lists_its_targets() -> None:
    make = shutil.which("make")
    assert make
    said = subprocess.run([make], cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    for target in ("local", "test", "check", "bench", "smoke", "resources"):
        assert f"make {target} " in said

"""What a bare machine is told: each script says what it does, or what is missing and how to get it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

TOOLS = ("sh", "dirname", "id", "env", "grep", "tail", "timeout", "rm", "cat")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder of programs that lacks Python, Node, a browser and a package manager."""
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
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_without_node_the_javascript_checks_are_left_out_and_said_so(bare: Path) -> None:
    status, said = script("scripts/check_javascript.sh", bare)
    assert status == 0
    assert "Left out: the JavaScript checks, which take Node 20" in said


def test_no_python_that_the_locks_are_made_for_is_said(bare: Path, tmp_path: Path) -> None:
    python = bare / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    assert script("scripts/install.sh", bare, cwd=tmp_path) == (
        1,
        "Python 3.11 to 3.14 is needed: install one, or name it: PYTHON=/path/to/python make …\n",
    )


def test_another_python_that_fits_is_found(bare: Path, tmp_path: Path) -> None:
    for name, works in (("python3", 1), ("python3.13", 0)):
        python = bare / name
        python.write_text(f'#!/bin/sh\n[ "$1" = -m ] && exit 1\n[ "$1" = -c ] && exit {works}\necho {name}\n')
        python.chmod(0o755)
    status, said = script("scripts/install.sh", bare, cwd=tmp_path)
    assert status == 1
    assert (
        said == "Making .venv with python3.13 …\nPython's venv module is missing: sudo apt-get install python3-venv\n"
    )


def test_a_browser_that_is_named_and_not_there_is_said(bare: Path) -> None:
    assert script("scripts/browser.sh", bare, CHROMIUM="/nowhere/chromium") == (
        1,
        "CHROMIUM=/nowhere/chromium is no program that can be run.\n",
    )


def test_a_browser_that_cannot_be_had_is_said_and_not_waited_for(bare: Path, tmp_path: Path) -> None:
    unreachable = {"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "none"), "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:9"}
    status, said = script("scripts/browser.sh", bare, BROWSER_SECONDS="3", **unreachable)
    assert status == 1
    lines = said.splitlines()
    assert lines[0] == "There is no Chromium. Playwright's is downloaded (about 150 MB) …"
    assert lines[1].startswith("  That failed (")
    assert lines[-1].startswith("There is no Chromium, and none could be installed: install one")


def test_without_make_the_whole_check_says_so(bare: Path) -> None:
    assert script(".ci/run", bare) == (1, "make is missing: install it, then run this again.\n")


def test_make_lists_what_there_is() -> None:
    make = shutil.which("make")
    assert make
    said = subprocess.run([make], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("local", "test", "check", "bench", "smoke", "resources"):
        assert f"make {target} " in said

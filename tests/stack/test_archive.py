"""The deployed archive: sources alone, so that running the tests and deploying again changes nothing."""

import hashlib
import py_compile
import shutil
import threading
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.sources import sources_archive
from tests.stack.program import ROOT, Run, program, run_program

FUNCTIONS = ROOT / "functions"


def archive_of(run: Run) -> Path:
    (path,) = {one.inputs["code"].path for one in run.all("Function")}
    return Path(path)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def deployed(run: Run) -> dict[str, str]:
    """Every input of every resource, assets by what they hold."""

    def plain(value: Any) -> Any:
        if isinstance(value, pulumi.FileArchive):
            return sorted(
                (name, hashlib.sha256(data).hexdigest()) for name, data in content_of(Path(value.path)).items()
            )
        if isinstance(value, pulumi.FileAsset):
            return hashlib.sha256(Path(value.path).read_bytes()).hexdigest()
        if isinstance(value, dict):
            return sorted((name, plain(inner)) for name, inner in value.items())
        return [plain(inner) for inner in value] if isinstance(value, list) else value

    return {one.urn: str(plain(one.inputs)) for one in run.resources}


def test_the_archive_holds_the_functions_sources_and_nothing_else() -> None:
    expected = {
        path.relative_to(FUNCTIONS).as_posix(): path.read_bytes()
        for path in FUNCTIONS.rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert content_of(archive_of(program())) == expected
    assert {"sendmessage.py", "chat/fan_out.py", "chat/__init__.py"} <= set(expected)


def test_each_handler_is_in_the_archive() -> None:
    run = program()
    for function in run.all("Function"):
        module, _, name = function.inputs["handler"].partition(".")
        assert f"def {name}(" in (archive_of(run) / f"{module}.py").read_text()


def test_deploying_again_after_the_tests_have_run_changes_nothing(tmp_path: Path) -> None:
    """What a run of the tests leaves in the folder is bytecode; here it is made for certain, and taken away again."""
    before = program()
    left = FUNCTIONS / "__pycache__"
    was_there = left.exists()
    compiled = Path(py_compile.compile(str(FUNCTIONS / "connect.py"), str(left / "connect.left-by-a-test.pyc")) or "")
    try:
        after = run_program()
    finally:
        compiled.unlink()
        if not was_there:
            left.rmdir()
    assert deployed(after) == deployed(before)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "functions"
    shutil.copytree(FUNCTIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_what_is_no_source_changes_no_archive(sources: Path, tmp_path: Path) -> None:
    first = sources_archive(sources, tmp_path / "build").path
    for name in ("__pycache__/a.cpython-313.pyc", "chat/__pycache__/b.py", ".coverage", "notes.md", "a.py.swp"):
        path = sources / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x = 1")
    assert sources_archive(sources, tmp_path / "build").path == first


@pytest.mark.parametrize("change", ["edited", "added", "removed", "renamed", "moved"])
def test_a_changed_source_makes_another_archive(sources: Path, tmp_path: Path, change: str) -> None:
    first = sources_archive(sources, tmp_path / "build").path
    if change == "edited":
        (sources / "ping.py").write_text((sources / "ping.py").read_text() + "\n")
    elif change == "added":
        (sources / "wave.py").write_text("")
    elif change == "removed":
        (sources / "ping.py").unlink()
    elif change == "renamed":
        (sources / "ping.py").rename(sources / "pong.py")
    else:
        (sources / "ping.py").rename(sources / "chat" / "ping.py")
    second = Path(sources_archive(sources, tmp_path / "build").path)
    assert str(second) != first
    assert content_of(second) == content_of(sources)


def test_two_programs_that_stage_at_once_find_it_whole(sources: Path, tmp_path: Path) -> None:
    found: list[dict[str, bytes]] = []
    together = threading.Barrier(8)

    def stage() -> None:
        together.wait(10)
        found.append(content_of(Path(sources_archive(sources, tmp_path / "build").path)))

    threads = [threading.Thread(target=stage) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [content_of(sources)] * 8
    assert len(list((tmp_path / "build").iterdir())) == 1, "nothing half made is left"


def test_a_folder_without_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="There are no sources in "):
        sources_archive(tmp_path, tmp_path / "build")


def test_what_is_staged_is_no_part_of_the_repository() -> None:
    assert ".build/" in (ROOT / ".gitignore").read_text().splitlines()

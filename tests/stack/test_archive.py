"""The deployed archive contains only sources, so running the tests does not change a deployment."""

import hashlib
import py_compile
import shutil
import threading
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.sources import sources_archive
from local.plan import Plan, plan
from tests.stack.program import ROOT, program

FUNCTIONS = ROOT / "functions"


def archive_of(planned: Plan) -> Path:
    (path,) = {one.inputs["code"].path for one in planned.all("Function")}
    return Path(path)


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def deployed(planned: Plan) -> dict[str, str]:
    """Return the inputs of every resource, with digests of files."""

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

    return {one.urn: str(plain(one.inputs)) for one in planned.resources}


def test_the_archive_contains_only_the_functions_sources() -> None:
    expected = {
        path.relative_to(FUNCTIONS).as_posix(): path.read_bytes()
        for path in FUNCTIONS.rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert content_of(archive_of(program())) == expected
    assert {"sendmessage.py", "chat/routes.py", "chat/__init__.py"} <= set(expected)


def test_each_handler_is_in_the_archive() -> None:
    planned = program()
    for function in planned.all("Function"):
        module, _, name = function.inputs["handler"].partition(".")
        assert f"\n{name} = " in (archive_of(planned) / f"{module}.py").read_text(encoding="utf-8")


def test_deploying_again_after_the_tests_have_run_changes_nothing() -> None:
    """Running tests leaves bytecode in the folder; this test creates it explicitly and deletes it."""
    before = program()
    left = FUNCTIONS / "__pycache__"
    was_there = left.exists()
    compiled = Path(py_compile.compile(str(FUNCTIONS / "connect.py"), str(left / "connect.left-by-a-test.pyc")) or "")
    try:
        after = plan()
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


def test_other_files_do_not_change_the_archive(sources: Path, tmp_path: Path) -> None:
    first = sources_archive(sources, tmp_path / "build").path
    for name in ("__pycache__/a.cpython-313.pyc", "chat/__pycache__/b.py", ".coverage", "notes.md", "a.py.swp"):
        path = sources / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x = 1", encoding="utf-8")
    assert sources_archive(sources, tmp_path / "build").path == first


@pytest.mark.parametrize("change", ["edited", "added", "removed", "renamed", "moved"])
def test_a_changed_source_changes_the_archive(sources: Path, tmp_path: Path, change: str) -> None:
    first = sources_archive(sources, tmp_path / "build").path
    if change == "edited":
        (sources / "room.py").write_text((sources / "room.py").read_text(encoding="utf-8") + "\n", encoding="utf-8")
    elif change == "added":
        (sources / "wave.py").write_text("", encoding="utf-8")
    elif change == "removed":
        (sources / "room.py").unlink()
    elif change == "renamed":
        (sources / "room.py").rename(sources / "rooms.py")
    else:
        (sources / "room.py").rename(sources / "chat" / "room.py")
    second = Path(sources_archive(sources, tmp_path / "build").path)
    assert str(second) != first
    assert content_of(second) == content_of(sources)


def test_concurrent_staging_never_exposes_a_partial_archive(sources: Path, tmp_path: Path) -> None:
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
    assert len(list((tmp_path / "build").iterdir())) == 1, "no incomplete copy is left"


def test_a_file_saved_during_staging_is_staged_as_hashed(sources: Path, tmp_path: Path) -> None:
    """Otherwise the archive under that hash would have the wrong content permanently."""
    room = (sources / "room.py").read_bytes()
    saving = threading.Event()

    def save() -> None:
        while not saving.is_set():
            (sources / "room.py").write_bytes(b"")
            (sources / "room.py").write_bytes(room)

    thread = threading.Thread(target=save)
    thread.start()
    try:
        for number in range(20):
            staged = Path(sources_archive(sources, tmp_path / str(number)).path)
            assert Path(sources_archive(staged, tmp_path / "again").path).name == staged.name
    finally:
        saving.set()
        thread.join(10)


def test_a_folder_without_sources_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="There are no sources in "):
        sources_archive(tmp_path, tmp_path / "build")


def test_staged_sources_are_not_committed() -> None:
    assert ".build/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

"""The archive that is deployed: a folder's sources alone, so that running the tests changes no deployment."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pulumi


def sources_archive(folder: Path, build_folder: Path, suffixes: tuple[str, ...] = (".py",)) -> pulumi.FileArchive:
    """Return an archive of a folder's sources, staged under a name made from their content.

    A FileArchive takes every file of its folder, bytecode caches too; so it is given a clean copy. Two programs that
    stage at once do not disturb each other: the copy appears whole or not at all.
    """
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
    )
    if not files:
        raise pulumi.RunError(f"There are no sources in {folder}.")
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    staged = build_folder / digest.hexdigest()[:16]
    if not staged.is_dir():
        build_folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=build_folder))
        for path in files:
            target = fresh / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        try:
            os.rename(fresh, staged)  # noqa: PTH104 - fails where another has staged the same
        except OSError:
            shutil.rmtree(fresh)
    return pulumi.FileArchive(str(staged))

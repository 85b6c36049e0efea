"""An archive of source files only, so bytecode caches do not change a deployment."""

import hashlib
import shutil
import tempfile
from pathlib import Path

import pulumi


def sources_archive(folder: Path, build_folder: Path, suffixes: tuple[str, ...] = (".py",)) -> pulumi.FileArchive:
    """Return an archive of a folder's sources, staged in `build_folder` under a hash of their content.

    A FileArchive includes every file of its folder, so it gets a clean copy. Staging is atomic, because several
    programs may stage the same sources at once. Raises pulumi.RunError if there are no sources.
    """
    contents = {
        path.relative_to(folder).as_posix(): path.read_bytes()  # read once, so the staged content is what was hashed
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in suffixes and "__pycache__" not in path.parts
    }
    if not contents:
        raise pulumi.RunError(f"There are no sources in {folder}.")
    digest = hashlib.sha256()
    for name, content in contents.items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    staged = build_folder / digest.hexdigest()[:16]
    if not staged.is_dir():
        build_folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=build_folder))
        for name, content in contents.items():
            target = fresh / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        try:
            fresh.rename(staged)  # fails if the target exists
        except OSError:
            shutil.rmtree(fresh)  # another program has just staged the same sources
    return pulumi.FileArchive(str(staged))

"""Which files were saved, and whether the functions can be loaded."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import watch

_SUFFIXES = (".py", ".html", ".css", ".js", ".svg")
_LOAD_SECONDS = 10


class Changes:
    """The files saved, created or deleted in some folders."""

    def __init__(self, folders: Sequence[Path], say: Callable[[str], None]) -> None:
        self._saved: queue.Queue[list[Path]] = queue.Queue()
        threading.Thread(target=self._watch, args=(folders, say), daemon=True).start()

    def next(self) -> list[Path]:
        """Wait for the next change; return its files."""
        return self._saved.get()

    def _watch(self, folders: Sequence[Path], say: Callable[[str], None]) -> None:
        try:
            self._follow(folders, polling=None)
        except (OSError, RuntimeError):
            say("  The system cannot report saved files (out of inotify watches?); polling for them instead.")
            self._follow(folders, polling=True)

    def _follow(self, folders: Sequence[Path], *, polling: bool | None) -> None:
        for changes in watch(*folders, debounce=200, step=50, force_polling=polling):
            paths = sorted({Path(path) for _, path in changes if path.endswith(_SUFFIXES)})
            if paths:
                self._saved.put(paths)


def problem_of_functions(folder: Path, handlers: Sequence[str]) -> str | None:
    """Return why one of the handlers (`module.function`) cannot be loaded, in one sentence, or None."""
    try:
        loaded = subprocess.run(
            [sys.executable, "-B", "-m", "local.load_functions", str(folder), *handlers],
            cwd=Path(__file__).resolve().parent.parent,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"The functions do not finish loading within {_LOAD_SECONDS} s."
    return loaded.stdout.decode(errors="replace").strip() or None

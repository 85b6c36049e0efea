"""Watches the sources and checks whether the functions load."""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import watch

from local import ROOT

_SUFFIXES = (".py", ".html", ".css", ".js", ".svg", ".png", ".webmanifest")
_LOAD_SECONDS = 10


class Changes:
    """Files saved, created or deleted in some folders."""

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
            say("  File notifications are not available (out of inotify watches?); polling instead.")
            self._follow(folders, polling=True)

    def _follow(self, folders: Sequence[Path], *, polling: bool | None) -> None:
        for changes in watch(*folders, debounce=200, step=50, force_polling=polling):
            paths = sorted({Path(path) for _, path in changes if path.endswith(_SUFFIXES)})
            if paths:
                self._saved.put(paths)


def load_problem(folder: Path, handlers: Sequence[str]) -> str | None:
    """Return in one sentence why one of the handlers (`module.function`) cannot be loaded, or None."""
    try:
        loaded = subprocess.run(
            [sys.executable, "-B", "-m", "local.load_functions", str(folder), *handlers],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"The functions did not load within {_LOAD_SECONDS} s."
    return loaded.stdout.decode(errors="replace").strip() or None

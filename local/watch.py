"""Which files were saved, and whether they can run. It knows nothing of how they are deployed."""

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from watchfiles import DefaultFilter, watch

_SUFFIXES = (".py", ".html", ".css", ".js", ".svg")


class Changes:
    """The files saved under some folders since they were last asked for."""

    def __init__(self, folders: Sequence[Path], stopped: threading.Event) -> None:
        self._saved: deque[Path] = deque()
        self._due = False
        thread = threading.Thread(target=self._watch, args=(folders, stopped), daemon=True)
        thread.start()

    def _watch(self, folders: Sequence[Path], stopped: threading.Event) -> None:
        for changes in watch(*folders, watch_filter=DefaultFilter(), stop_event=stopped, debounce=200, step=50):
            self._saved.extend(Path(path) for _, path in changes if path.endswith(_SUFFIXES))

    def taken(self) -> list[Path]:
        """Return what was saved, each file once, and forget it."""
        paths: dict[Path, None] = {}
        while self._saved:
            paths[self._saved.popleft()] = None
        self._due = bool(paths)
        return list(paths)

    def due(self) -> bool:
        """Tell whether the last `taken` found anything."""
        return self._due

    @staticmethod
    def problem(path: Path) -> str | None:
        """Return what is wrong with a Python file, in one sentence, or None."""
        if path.suffix != ".py" or not path.exists():
            return None
        try:
            compile(path.read_text(), str(path), "exec")
        except (SyntaxError, ValueError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            return f"{path.name}{line}: {reason}."
        return None

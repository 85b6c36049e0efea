"""`python -m local.load_functions`: load handlers and print why one cannot be loaded."""

import importlib
import sys
import traceback
from pathlib import Path


def problem(folder: Path, handler: str) -> str | None:
    """Return in one sentence why a handler (`module.function`) in a folder cannot be loaded, or None."""
    module, _, name = handler.rpartition(".")
    try:
        loaded = importlib.import_module(module)
    except SyntaxError as error:
        return f"{_place(folder, error.filename, error.lineno)}: {error.msg}."
    except BaseException as error:  # noqa: BLE001 - a module may raise anything
        if isinstance(error, ModuleNotFoundError) and error.name == module:
            return f"{folder.name}/{module}.py is missing but a route needs it."
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(folder))
        ]
        place = _place(folder, frames[-1].filename, frames[-1].lineno) if frames else module
        return f"{place}: {type(error).__name__}: {error}."
    return None if callable(getattr(loaded, name, None)) else f"{folder.name}/{module}.py has no function {name}."


def _place(folder: Path, filename: str | None, line: int | None) -> str:
    path = Path(filename or "?")
    return f"{path.relative_to(folder.parent) if path.is_relative_to(folder) else path}, line {line}"


def main() -> None:
    """Print the first problem, if any. Arguments: the folder and the handlers."""
    folder = Path(sys.argv[1])
    sys.path[0] = str(folder)  # as on Lambda, where the archive's root comes first
    sys.stdout = sys.stderr  # standard output is only for the problem, not for what modules print
    found = next(filter(None, (problem(folder, handler) for handler in sys.argv[2:])), None)
    if found and sys.__stdout__ is not None:
        sys.__stdout__.write(found)


if __name__ == "__main__":
    main()

"""`python -m docs`: make everything in docs/ that is made, or only what is named."""

import sys
import time
from collections.abc import Callable

from docs.demo_stack import DemoStack, demo_stack
from docs.demonstration import make_film, make_gif
from docs.diagram import make_diagram
from docs.facts import FactMissingError
from docs.pictures import make_pictures
from docs.presentation import make_presentation
from docs.resource_list import make_resource_list
from docs.tables import write_tables

ON_A_STACK: dict[str, Callable[[DemoStack], None]] = {
    "pictures": make_pictures,
    "gif": make_gif,
    "film": make_film,
    "resources": make_resource_list,
}
FROM_FILES: dict[str, Callable[[], None]] = {
    "diagram": make_diagram,
    "tables": write_tables,
    "presentation": make_presentation,
}


def main(wanted: list[str]) -> int:
    """Make what is wanted, or all; return the exit status."""
    every = [*ON_A_STACK, *FROM_FILES]
    if unknown := [name for name in wanted if name not in every]:
        print(f"There is no {unknown[0]}; there are {', '.join(every)}.", file=sys.stderr)
        return 2
    try:
        for name in wanted or every:
            begun = time.monotonic()
            if name in ON_A_STACK:
                with demo_stack() as running:  # each begins with empty rooms
                    ON_A_STACK[name](running)
            else:
                FROM_FILES[name]()
            print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    except FactMissingError as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

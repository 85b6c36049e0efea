"""`python -m docgen`: regenerate everything in docs/, or only the named parts."""

import sys
import time
from collections.abc import Callable

from docgen.accounts import OPTIONS as WITH_ACCOUNTS
from docgen.accounts import make_account_pictures
from docgen.demo_stack import DemoStack, demo_stack
from docgen.demonstration import make_film, make_gif
from docgen.diagram import make_diagram
from docgen.facts import FactMissingError
from docgen.icons import make_icons
from docgen.pictures import make_pictures
from docgen.presentation import make_presentation
from docgen.resource_list import make_resource_list
from docgen.send_diagram import make_send_diagram
from docgen.tables import write_tables

FROM_A_STACK: dict[str, Callable[[DemoStack], None]] = {
    "pictures": make_pictures,
    "accounts": make_account_pictures,
    "gif": make_gif,
    "film": make_film,
    "resources": make_resource_list,
}
STACK_OPTIONS: dict[str, tuple[str, ...]] = {"accounts": WITH_ACCOUNTS}
FROM_FILES: dict[str, Callable[[], None]] = {
    "icons": make_icons,
    "diagram": make_diagram,
    "send": make_send_diagram,
    "tables": write_tables,
    "presentation": make_presentation,
}


def main(wanted: list[str]) -> int:
    """Generate the named parts, or all; return the exit status."""
    every = [*FROM_A_STACK, *FROM_FILES]
    if unknown := [name for name in wanted if name not in every]:
        print(f"Unknown part: {unknown[0]}. Parts: {', '.join(every)}.", file=sys.stderr)
        return 2
    try:
        for name in wanted or every:
            begun = time.monotonic()
            if name in FROM_A_STACK:
                with demo_stack(
                    *STACK_OPTIONS.get(name, ())
                ) as running:  # a new one each time: the rooms must be empty
                    FROM_A_STACK[name](running)
            else:
                FROM_FILES[name]()
            print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    except FactMissingError as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

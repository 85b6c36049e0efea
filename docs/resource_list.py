"""A sample of the list that `make resources` writes, of a stack on the emulator."""

from pathlib import Path

from docs.demo_stack import DemoStack
from smoke.resources import table

RESOURCE_LIST = Path(__file__).resolve().parent / "resources.md"
NOTE = (
    "A sample: the stack `dev` on the emulator of `make local`, whose account is 000000000000. "
    "`make resources` writes the list of yours."
)


def make_resource_list(demo: DemoStack) -> None:
    """Write docs/resources.md."""
    head, _, rest = table(demo.stack.outputs).partition("\n")
    RESOURCE_LIST.write_text(f"{head}\n{NOTE}\n{rest}", encoding="utf-8")

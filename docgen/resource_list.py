"""The sample resource list: the output of `make resources` for a stack on the emulator."""

from docgen import DOCS
from docgen.demo_stack import DemoStack
from smoke.resources import table

RESOURCE_LIST = DOCS / "resources.md"
NOTE = (
    "A sample: the stack `dev` on the emulator of `make local`, in account 000000000000. "
    "`make resources` lists the resources of your stack."
)


def make_resource_list(demo: DemoStack) -> None:
    """Write docs/resources.md."""
    head, _, rest = table(demo.stack.outputs).partition("\n")
    RESOURCE_LIST.write_text(f"{head}\n\n{NOTE}\n{rest}", encoding="utf-8")

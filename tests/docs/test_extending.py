"""What docs/extending.md tells a newcomer to do, done in a copy of the project."""

import re
import shutil
from pathlib import Path
from textwrap import dedent

from tests.conftest import ROOT, start_stack
from tests.end_to_end.chatter import Chatter

NEEDED = ("__main__.py", "Pulumi.yaml", "README.md", "components", "frontend", "functions", "local")


def test_the_route_of_the_guide_can_be_added_as_it_says(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "extending.md").read_text()
    function, line = (dedent(block) for block in re.findall(r" {3}```python\n(.*?) {3}```", guide, re.DOTALL))
    for name in NEEDED:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    (tmp_path / "functions" / "wave.py").write_text(function)
    program = (tmp_path / "__main__.py").read_text()
    last = '    "$default": route('
    assert last in program
    (tmp_path / "__main__.py").write_text(program.replace(last, f"    {line.strip()}\n{last}"))

    stack = start_stack("--no-watch", cwd=tmp_path)
    try:
        with Chatter(stack.websocket_url) as ada, Chatter(stack.websocket_url) as bo:
            for chatter, name in ((ada, "Ada"), (bo, "Bo")):
                chatter.joins("tea-time", name)
            ada.say({"action": "wave"})
            heard = bo.hears("wave")
            assert (heard["room"], heard["name"]) == ("tea-time", "Ada")
    finally:
        stack.stop()
        stack.log.unlink()

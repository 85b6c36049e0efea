"""The steps in docs/extending.md add a route to a copy of the project."""

import re
import shutil
from pathlib import Path
from textwrap import dedent

from chat_client.websocket import ChatSocket
from tests.conftest import ROOT, running_stack

NEEDED = ("__main__.py", "Pulumi.yaml", "README.md", "chat_stack", "components", "frontend", "functions", "local")


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_guides_steps_add_a_working_route(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = [dedent(block) for block in re.findall(r" {3}```python\n(.*?) {3}```", guide, re.DOTALL)]
    operation, import_line, entry, route = blocks
    for name in NEEDED:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    functions = tmp_path / "functions"
    (functions / "chat" / "operations" / "wave.py").write_text(operation, encoding="utf-8")
    replace_in(functions / "room.py", "from chat.runtime.handler", f"{import_line}from chat.runtime.handler")
    replace_in(functions / "room.py", '{"join"', f'{{{entry.strip()} "join"')
    replace_in(functions / "chat" / "routes.py", '    "$default": ', f'    {route.strip()}\n    "$default": ')

    with (
        running_stack("--no-watch", cwd=tmp_path) as stack,
        ChatSocket(stack.websocket_url) as ada,
        ChatSocket(stack.websocket_url) as bo,
    ):
        ada.join("tea-time", name="Ada")
        bo.join("tea-time", name="Bo")
        ada.send("wave")
        heard = bo.wait_for("wave")
        assert (heard["room"], heard["name"]) == ("tea-time", "Ada")

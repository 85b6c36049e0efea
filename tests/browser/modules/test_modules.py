"""The page's modules that know no DOM, in a real browser without a network. The claims are in the *.test.js files."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FILES = sorted(Path(__file__).parent.glob("*.test.js"))
CLAIMS = [
    pytest.param(file.name, claim, id=f"{file.name.removesuffix('.test.js')}: {claim}")
    for file in FILES
    for claim in re.findall(r'^claim\(\s*"([^"]+)",', file.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize(("file", "claim"), CLAIMS)
def test_claim(modules: Page, file: str, claim: str) -> None:
    modules.evaluate(
        """async ([file, claim]) => {
            await import(`/${file}`);
            const { tryClaim } = await import("/claims.js");
            await tryClaim(claim);
        }""",
        [file, claim],
    )


def test_every_claim_is_tried(modules: Page) -> None:
    made = modules.evaluate(
        """async files => {
            for (const file of files) await import(`/${file}`);
            return [...(await import("/claims.js")).claims.keys()];
        }""",
        [file.name for file in FILES],
    )
    assert set(made) == {param.values[1] for param in CLAIMS}

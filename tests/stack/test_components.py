"""docs/components.md: its examples are whole programs, run from the page under Pulumi's mocks."""

import ast
import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.static_site import StaticSite, StaticSiteArgs
from tests.stack.program import ACCOUNT, ROOT, Run, run_under_mocks, statements

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "components.md").read_text(), re.DOTALL)


def code_lines(example: str) -> int:
    return sum(bool(line.strip()) and not line.startswith(("import", "from")) for line in example.splitlines())


def run_example(example: str) -> tuple[Run, dict[str, Any]]:
    scope: dict[str, Any] = {"__name__": "__main__"}
    run = run_under_mocks(lambda: exec(compile(example, "docs/components.md", "exec"), scope), stack="mine")  # noqa: S102 - our own page
    return run, scope


def test_there_are_two_examples_and_they_are_short() -> None:
    echo, site = EXAMPLES
    assert code_lines(echo) <= 20
    assert code_lines(site) <= 5


def test_the_echo_is_a_whole_api_of_two_routes() -> None:
    run, scope = run_example(EXAMPLES[0])
    assert {one.inputs["routeKey"] for one in run.all("Route")} == {"$connect", "$default"}
    (response,) = run.all("RouteResponse")
    assert response.inputs["routeResponseKey"] == "$default"
    assert {one.inputs["name"] for one in run.all("Function")} == {"EchoConnect", "Echo"}
    assert run.one("Stage").inputs["defaultRouteSettings"]["throttlingRateLimit"] > 0
    assert run.outputs["url"] == "wss://echo-api-id.execute-api.us-east-1.amazonaws.com/production"
    for policy in run.all("RolePolicy"):
        assert set(statements(policy)) == {"WriteLog"}
    functions: dict[str, Any] = {}
    exec(scope["ECHO"], functions)  # noqa: S102 - our own page
    ast.parse(scope["ECHO"])
    assert functions["connect"]({}, None) == {"statusCode": 200}
    assert functions["echo"]({"body": "hi"}, None) == {"statusCode": 200, "body": "hi"}


def test_the_site_is_a_folder_and_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page"
    (page / "parts").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>hello</title>")
    (page / "parts" / "a.js").write_text("export {};")
    (page / "notes.md").write_text("not for readers")
    (page / ".hidden.html").write_text("")
    monkeypatch.chdir(tmp_path)
    run, _ = run_example(EXAMPLES[1])
    assert {one.inputs["key"] for one in run.all("BucketObjectv2")} == {"index.html", "parts/a.js", "config.json"}
    assert run.one("BucketObjectv2", "config.json").json("content") == {"greeting": "hello"}
    assert run.outputs["url"] == "http://page-0123456789.s3-website-us-east-1.amazonaws.com"


def test_a_folder_without_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="There is no index.html in "):
        run_under_mocks(lambda: StaticSite("page", StaticSiteArgs(bucket_prefix="page-", folder=tmp_path)))


def test_a_replacement_that_finds_nothing_is_refused(tmp_path: Path) -> None:
    """Else a policy that was reworded would silently stay as it is."""
    (tmp_path / "index.html").write_text("<!doctype html>")
    args = StaticSiteArgs(bucket_prefix="page-", folder=tmp_path, replacements={"old": "new"})
    with pytest.raises(pulumi.RunError, match="does not hold 'old', which is to be replaced"):
        run_under_mocks(lambda: StaticSite("page", args))


def test_a_page_without_a_policy_of_its_own_gets_one_from_the_cdn(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    args = StaticSiteArgs(bucket_prefix="page-", folder=tmp_path, delivery="cdn")
    run = run_under_mocks(lambda: StaticSite("page", args))
    security = run.one("ResponseHeadersPolicy").inputs["securityHeadersConfig"]
    policy = security["contentSecurityPolicy"]["contentSecurityPolicy"]
    assert policy == "default-src 'self'; frame-ancestors 'none'"


def test_two_of_a_component_live_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")

    def both() -> None:
        for name in ("one", "other"):
            StaticSite(name, StaticSiteArgs(bucket_prefix=f"{name}-", folder=tmp_path))

    run = run_under_mocks(both)
    assert len({one.urn for one in run.resources}) == len(run.resources)
    assert len(run.all("Bucket")) == 2
    assert ACCOUNT not in str([one.inputs for one in run.resources])

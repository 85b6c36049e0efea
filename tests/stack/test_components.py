"""docs/components.md: its examples are complete programs, run from the page under Pulumi's mocks."""

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.static_site import SiteDelivery, StaticSite, StaticSiteArgs
from components.websocket_api import ApiFunctionArgs, WebSocketApi, WebSocketApiArgs
from local.plan import ACCOUNT, Plan, plan
from tests.stack.program import ROOT, statements

ECHO, SITE = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "components.md").read_text(encoding="utf-8"), re.DOTALL
)


def run_example(example: str) -> tuple[Plan, dict[str, Any]]:
    scope: dict[str, Any] = {"__name__": "__main__"}
    planned = plan(lambda: exec(compile(example, "docs/components.md", "exec"), scope), stack="mine")  # noqa: S102 - our own page
    return planned, scope


def test_the_echo_is_a_complete_api_whose_routes_share_a_function() -> None:
    planned, scope = run_example(ECHO)
    assert {one.inputs["routeKey"] for one in planned.all("Route")} == {"$connect", "$default"}
    (response,) = planned.all("RouteResponse")
    assert response.inputs["routeResponseKey"] == "$default"
    assert planned.one("Function").inputs["name"] == "Echo"
    assert {one.inputs["target"] for one in planned.all("Route")} == {"integrations/echo-echo-integration-id"}
    assert planned.one("Stage").inputs["defaultRouteSettings"]["throttlingRateLimit"] > 0
    assert planned.outputs["url"] == "wss://echo-api-id.execute-api.us-east-1.amazonaws.com/production"
    assert set(statements(planned.one("RolePolicy"))) == {"WriteLog"}
    function: dict[str, Any] = {}
    exec(scope["ECHO"], function)  # noqa: S102 - our own page
    assert function["handler"]({"body": "hi"}, None) == {"statusCode": 200, "body": "hi"}


@pytest.mark.parametrize(
    ("routes", "sentence"),
    [
        ({"$default": "echo", "shout": "loud"}, "The route shout has no function loud."),
        ({}, "No route uses the function echo."),
    ],
)
def test_mismatched_routes_and_functions_are_rejected(routes: dict[str, str], sentence: str) -> None:
    args = WebSocketApiArgs(
        api_name="Echo",
        code=pulumi.AssetArchive({}),
        functions={"echo": ApiFunctionArgs(function_name="Echo", role_name="EchoRole", handler="main.handler")},
        routes=routes,
    )
    with pytest.raises(pulumi.RunError, match=sentence):
        plan(lambda: WebSocketApi("echo", args))


def test_the_site_is_a_folder_and_its_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page"
    (page / "parts").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>hello</title>", encoding="utf-8")
    (page / "parts" / "a.js").write_text("export {};", encoding="utf-8")
    for not_served in (".hidden.html", "index.html~", "config.json"):
        (page / not_served).write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    planned, _ = run_example(SITE)
    assert {one.inputs["key"] for one in planned.all("BucketObjectv2")} == {"index.html", "parts/a.js", "config.json"}
    assert planned.one("BucketObjectv2", "config.json").json("content") == {"greeting": "hello"}
    assert planned.outputs["url"] == "http://page-0123456789.s3-website-us-east-1.amazonaws.com"


def site(folder: Path, **args: Any) -> dict[str, str]:
    """Return the content types by key of a site's uploads, except index.html."""
    (folder / "index.html").write_text("<!doctype html>", encoding="utf-8")
    planned = plan(lambda: StaticSite("page", StaticSiteArgs(bucket_prefix="page-", folder=str(folder), **args)))
    objects = {one.inputs["key"]: one.inputs["contentType"] for one in planned.all("BucketObjectv2")}
    assert objects.pop("index.html") == "text/html; charset=utf-8"
    return objects


def test_file_suffixes_are_case_insensitive(tmp_path: Path) -> None:
    (tmp_path / "PHOTO.JPG").write_bytes(b"")
    (tmp_path / "data.json").write_bytes(b"{}")
    assert site(tmp_path) == {"PHOTO.JPG": "image/jpeg", "data.json": "application/json"}


@pytest.mark.parametrize("name", ["model.glb", "LICENSE", "parts/app.ts"])
def test_a_file_of_an_unknown_type_is_rejected_unless_declared_or_excluded(tmp_path: Path, name: str) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / name).write_text("", encoding="utf-8")
    with pytest.raises(pulumi.RunError, match=f"^The content type of {name} is unknown: add its suffix"):
        site(tmp_path)
    assert site(tmp_path, content_types={Path(name).suffix: "model/gltf-binary"}) == {name: "model/gltf-binary"}
    assert site(tmp_path, exclude=[f"*{name[-4:]}"]) == {}


def test_a_folder_without_a_page_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError, match="There is no index.html in "):
        plan(lambda: StaticSite("page", StaticSiteArgs(bucket_prefix="page-", folder=str(tmp_path))))


def test_a_replacement_that_matches_nothing_is_rejected(tmp_path: Path) -> None:
    """Otherwise a reworded policy would silently remain unreplaced."""
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    args = StaticSiteArgs(bucket_prefix="page-", folder=str(tmp_path), replacements={"old": "new"})
    with pytest.raises(pulumi.RunError, match="does not contain the text to replace, 'old'"):
        plan(lambda: StaticSite("page", args))


def test_a_page_without_a_policy_gets_one_from_the_cdn(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    args = StaticSiteArgs(bucket_prefix="page-", folder=str(tmp_path), delivery=SiteDelivery.CDN)
    security = plan(lambda: StaticSite("page", args)).one("ResponseHeadersPolicy").inputs["securityHeadersConfig"]
    policy = security["contentSecurityPolicy"]["contentSecurityPolicy"]
    assert policy == "default-src 'self'; frame-ancestors 'none'"


def test_two_instances_of_a_component_can_coexist(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")

    def both() -> None:
        for name in ("one", "other"):
            StaticSite(name, StaticSiteArgs(bucket_prefix=f"{name}-", folder=str(tmp_path)))

    planned = plan(both)
    assert len({one.urn for one in planned.resources}) == len(planned.resources)
    assert len(planned.all("Bucket")) == 2
    assert ACCOUNT not in str([one.inputs for one in planned.resources])

"""A site's files as they are stored: versioned folder, links, caching, and what is refused."""

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.static_site import SiteFile, SiteFolder, StaticSite, StaticSiteArgs, site_files
from local.plan import plan

VERSION = re.compile(r"^v-[0-9a-f]{12}/")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path,
        {
            "index.html": '<link rel="stylesheet" href="styles.css"><script type="module" src="app.js"></script>',
            "styles.css": "body { margin: 0 }",
            "app.js": 'import "./parts/list.js";',
            "parts/list.js": "export {};",
            "sw.js": "",
        },
    )
    return tmp_path


def write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def stored(folder: Path, **options: Any) -> dict[str, SiteFile]:
    return {file.key: file for file in site_files(SiteFolder(path=folder, versioned=True, **options))}


def version(folder: Path, **options: Any) -> str:
    """Return the one folder in which the versioned files are."""
    (found,) = {match[0] for key in stored(folder, **options) if (match := VERSION.match(key))}
    return found


def test_all_files_but_html_and_the_fixed_are_in_one_folder_and_kept_by_browsers(folder: Path) -> None:
    files = stored(folder, fixed=["sw.js"])
    inside = version(folder, fixed=["sw.js"])
    assert set(files) == {
        "index.html",
        "sw.js",
        *(inside + name for name in ("app.js", "parts/list.js", "styles.css")),
    }
    for key, file in files.items():
        expected = "public, max-age=31536000, immutable" if key.startswith(inside) else "no-cache"
        assert file.cache_control == expected
        if key != "index.html":
            assert file.text is None
            assert file.content() == (folder / key.removeprefix(inside)).read_bytes()


def test_the_pages_links_lead_into_the_folder(folder: Path) -> None:
    inside = version(folder)
    assert stored(folder)["index.html"].content().decode() == (
        f'<link rel="stylesheet" href="{inside}styles.css"><script type="module" src="{inside}app.js"></script>'
    )


def test_without_versions_each_file_keeps_its_path_and_is_revalidated(folder: Path) -> None:
    files = site_files(SiteFolder(path=folder))
    assert {file.key for file in files} == {"index.html", "styles.css", "app.js", "parts/list.js", "sw.js"}
    assert {(file.cache_control, file.text) for file in files} == {("no-cache", None)}


@pytest.mark.parametrize(
    ("name", "text"),
    [("parts/list.js", "export { };"), ("parts/new.js", ""), ("app.js", "")],
    ids=["changed", "added", "emptied"],
)
def test_a_change_of_any_versioned_file_makes_a_new_folder(folder: Path, name: str, text: str) -> None:
    before = version(folder)
    write(folder, {name: text})
    assert version(folder) != before


def test_a_moved_boundary_between_files_makes_a_new_folder(folder: Path) -> None:
    write(folder, {"a.txt": "one", "b.txt": "two"})
    before = version(folder)
    write(folder, {"a.txt": "onetw", "b.txt": "o"})
    assert version(folder) != before


def test_another_content_type_makes_a_new_folder(folder: Path) -> None:
    """Browsers keep it together with the content."""
    assert version(folder, content_types={".js": "application/javascript"}) != version(folder)


def test_a_change_of_a_page_or_of_a_fixed_file_does_not(folder: Path) -> None:
    before = version(folder, fixed=["sw.js"])
    write(folder, {"index.html": "<p>", "sw.js": "// changed", "about.html": "<p>"})
    assert version(folder, fixed=["sw.js"]) == before


def test_the_same_files_make_the_same_folder_anywhere(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("copy")
    write(copy, {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.*")})
    assert version(copy) == version(folder)


MOVED = {
    'href="app.js"': 'href="{}app.js"',
    "src='app.js'": "src='{}app.js'",
    'SRC = "app.js"': 'SRC = "{}app.js"',
    'src="./app.js"': 'src="{}app.js"',
    'src="parts/../app.js"': 'src="{}app.js"',
    'src="/app.js"': 'src="/{}app.js"',
    'src="app.js?debug=1&amp;x"': 'src="{}app.js?debug=1&amp;x"',
    'href="picture.svg#part"': 'href="{}picture.svg#part"',
    'href="parts/list.js"': 'href="{}parts/list.js"',
    'src="two%20words.js"': 'src="{}two%20words.js"',
    'href="app.js" src="styles.css"': 'href="{0}app.js" src="{0}styles.css"',
}
STAYING = [
    'href=""',
    'href="/"',
    'href="#app.js"',
    'href="?app.js"',
    'href="about.html"',
    'href="sw.js"',
    'href="missing.js"',
    'href="my-app.js"',
    'href="app.js.map"',
    'href="app"',
    'href="../app.js"',
    'href="parts"',
    'href="config.json"',
    'src="https://cdn.example/app.js"',
    'src="//cdn.example/app.js"',
    'src="data:text/javascript,app.js"',
    'href="mailto:app.js"',
    'data-src="app.js"',
    'title="app.js"',
]


@pytest.fixture
def rich(folder: Path) -> Path:
    write(folder, {"picture.svg": "<svg/>", "two words.js": "", "about.html": "<p>"})
    return folder


@pytest.mark.parametrize("link", MOVED)
def test_a_link_to_a_versioned_file_is_rewritten(rich: Path, link: str) -> None:
    write(rich, {"index.html": f"<a {link}>"})
    assert (
        stored(rich, fixed=["sw.js"])["index.html"].text == f"<a {MOVED[link].format(version(rich, fixed=['sw.js']))}>"
    )


@pytest.mark.parametrize("link", STAYING)
def test_links_to_other_files_are_unchanged(rich: Path, link: str) -> None:
    write(rich, {"index.html": f"<a {link}>app.js</a>"})
    assert stored(rich, fixed=["sw.js"])["index.html"].text == f"<a {link}>app.js</a>"


def test_a_page_in_a_folder_is_rewritten_relative_to_it(folder: Path) -> None:
    write(folder, {"help/index.html": '<link href="../styles.css"><img src="a.svg"><img src="/help/a.svg">'})
    write(folder, {"help/a.svg": "<svg/>"})
    inside = version(folder)
    assert stored(folder)["help/index.html"].text == (
        f'<link href="../{inside}styles.css"><img src="../{inside}help/a.svg"><img src="/{inside}help/a.svg">'
    )


def test_the_icons_of_a_fixed_manifest_are_rewritten_too(folder: Path) -> None:
    """They are relative to the manifest, which browsers know by its URL."""
    write(folder, {"app.webmanifest": '{"start_url": "./", "icons": [{"src": "icon.svg"}, {"src":"https://x/y.png"}]}'})
    write(folder, {"icon.svg": "<svg/>"})
    fixed = ["*.webmanifest"]
    assert stored(folder, fixed=fixed)["app.webmanifest"].text == (
        f'{{"start_url": "./", "icons": [{{"src": "{version(folder, fixed=fixed)}icon.svg"}}, {{"src":"https://x/y.png"}}]}}'
    )


def test_links_and_replacements_go_together(folder: Path) -> None:
    files = stored(folder, replacements={'rel="stylesheet"': 'rel="icon"'})
    assert f'rel="icon" href="{version(folder)}styles.css"' in str(files["index.html"].text)


def test_a_pattern_of_fixed_that_matches_no_file_is_refused(folder: Path) -> None:
    """Most likely it is misspelt, and the file would change its URL."""
    with pytest.raises(pulumi.RunError, match="^No file matches the pattern worker.js in fixed.$"):
        stored(folder, fixed=["sw.js", "worker.js"])


def test_a_left_out_file_does_not_count(folder: Path) -> None:
    before = version(folder, exclude=["*.ts"])
    write(folder, {"types.d.ts": "", ".hidden.js": "", "app.js~": "", "config.json": "{}"})
    assert version(folder, exclude=["*.ts"]) == before
    with pytest.raises(pulumi.RunError, match=r"No file matches the pattern \*\.ts"):
        stored(folder, exclude=["*.ts"], fixed=["*.ts"])


def test_pages_come_last_and_manifests_before_them(folder: Path) -> None:
    write(folder, {"zoo.webmanifest": "{}", "about.html": "<p>"})
    keys = [file.key for file in site_files(SiteFolder(path=folder))]
    assert keys[-3:] == ["zoo.webmanifest", "about.html", "index.html"]


@pytest.mark.parametrize("versioned", [True, False])
def test_objects_are_created_by_rank_and_not_one_by_one(folder: Path, *, versioned: bool) -> None:
    write(folder, {"zoo.webmanifest": "{}", "about.html": "<p>"})
    args = StaticSiteArgs(bucket_prefix="page-", folder=str(folder), versioned=versioned)
    planned = plan(lambda: StaticSite("page", args))
    objects = {VERSION.sub("", one.inputs["key"]): one for one in planned.all("BucketObjectv2")}
    bucket = planned.one("Bucket").urn
    files = {one.urn for name, one in objects.items() if not name.endswith((".html", ".webmanifest"))}
    for name, one in objects.items():
        if one.urn in files:
            assert one.dependencies == {bucket}
        elif name == "zoo.webmanifest":
            assert one.dependencies == {bucket, *files}
        else:
            assert one.dependencies == {bucket, *files, objects["zoo.webmanifest"].urn}

"""The files of a site as stored: keys, content types and caching."""

import hashlib
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from urllib.parse import quote, unquote

import pulumi

CONFIG_KEY = "config.json"
"""Key of the object that SiteConfig creates; a file of this name in the folder is not uploaded."""

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".xml": "application/xml",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".ico": "image/x-icon",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
"""Suffix, in lower case → content type."""

REVALIDATE = "no-cache"
"""Cache-Control of files with a fixed URL: browsers check the ETag on each load, so a new version shows at once."""
IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of files whose URL changes with their content: browsers need not revalidate."""

_LEFTOVERS = ("*~", "#*#")
"""Editors' backup files. Hidden files are excluded too."""
_HASH_LENGTH = 12
_LINKS = {
    ".html": re.compile(r"""(?P<before>\s(?:href|src)\s*=\s*(?P<quote>["']))(?P<link>.*?)(?P=quote)""", re.IGNORECASE),
    ".webmanifest": re.compile(r"""(?P<before>"src"\s*:\s*(?P<quote>"))(?P<link>.*?)(?P=quote)"""),
}
"""Suffixes of files whose links are rewritten → the pattern of a link."""
_RANKS = {".webmanifest": 1, ".html": 2}
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
"""The start of a link to another host or to no file: `https:`, `data:`, `//cdn.example`."""


@dataclass(frozen=True, kw_only=True)
class SiteFolder:
    """A site's source folder; StaticSiteArgs describes the fields."""

    path: Path
    exclude: Sequence[str] = ()
    content_types: Mapping[str, str] = field(default_factory=dict)
    replacements: Mapping[str, str] = field(default_factory=dict)
    versioned: bool = False
    fixed: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class SiteFile:
    """A file as stored."""

    key: str
    """Key of its object, and its path below the site's URL."""
    path: Path
    """Its path on this machine."""
    content_type: str
    """Value of its Content-Type header."""
    cache_control: str
    """Value of its Cache-Control header."""
    text: str | None = None
    """The text to store instead of the file's content, if it is changed."""

    @property
    def rank(self) -> int:
        """Upload order: a file refers only to files of lower ranks, and to other pages."""
        return _RANKS.get(self.path.suffix.lower(), 0)

    def content(self) -> bytes:
        """Return the content to store."""
        return self.path.read_bytes() if self.text is None else self.text.encode()


def site_files(folder: SiteFolder) -> list[SiteFile]:
    """Return the files of a site, by rank.

    Raises pulumi.RunError without an index.html, for a file of unknown type, for a pattern in `fixed` that matches no
    file, and for a replacement whose text index.html lacks: otherwise visitors would be the first to notice.
    """
    types = _types(folder)
    for pattern in folder.fixed:
        if not any(fnmatchcase(name, pattern) for name in types):
            raise pulumi.RunError(f"No file matches the pattern {pattern} in fixed.")
    moving = [name for name in types if folder.versioned and not _keeps_url(name, folder.fixed)]
    version = _version(folder.path, {name: types[name] for name in moving})
    keys = {name: f"{version}/{name}" if name in moving else name for name in types}
    files = [
        SiteFile(
            key=key,
            path=folder.path / name,
            content_type=types[name],
            cache_control=REVALIDATE if key == name else IMMUTABLE,
            text=_changed_text(folder, name, keys) if key == name else None,
        )
        for name, key in keys.items()
    ]
    return sorted(files, key=lambda file: file.rank)


def replaced(path: Path, replacements: Mapping[str, str]) -> str:
    """Return a file's text with replacements. Raises pulumi.RunError if index.html lacks a text to replace."""
    text = path.read_text(encoding="utf-8")
    for old, new in replacements.items():
        if path.name == "index.html" and old not in text:
            raise pulumi.RunError(f"{path.name} does not contain the text to replace, {old!r}.")
        text = text.replace(old, new)
    return text


def _types(folder: SiteFolder) -> dict[str, str]:
    """Return the content type of each file to store, by path within the folder."""
    if not (folder.path / "index.html").is_file():
        raise pulumi.RunError(f"There is no index.html in {folder.path}.")
    known = {**CONTENT_TYPES, **folder.content_types}
    types = {}
    for path in sorted(folder.path.rglob("*")):
        inside = path.relative_to(folder.path)
        name = inside.as_posix()
        if not path.is_file() or name == CONFIG_KEY or _is_left_out(inside, folder.exclude):
            continue
        suffix = path.suffix.lower()
        if suffix not in known:
            raise pulumi.RunError(
                f"The content type of {name} is unknown: add its suffix to content_types, or exclude the file."
            )
        types[name] = known[suffix]
    return types


def _is_left_out(inside: PurePath, exclude: Sequence[str]) -> bool:
    return (
        any(part.startswith(".") for part in inside.parts)
        or any(fnmatchcase(inside.name, pattern) for pattern in _LEFTOVERS)
        or any(fnmatchcase(inside.as_posix(), pattern) for pattern in exclude)
    )


def _keeps_url(name: str, fixed: Sequence[str]) -> bool:
    return name.lower().endswith(".html") or any(fnmatchcase(name, pattern) for pattern in fixed)


def _version(folder: Path, types: Mapping[str, str]) -> str:
    """Return the name of a versioned folder: a hash of everything that browsers cache of its files."""
    digest = hashlib.sha256()
    for name, content_type in types.items():
        content = (folder / name).read_bytes()
        digest.update(f"{name} {content_type} {len(content)}\n".encode() + content)
    return f"v-{digest.hexdigest()[:_HASH_LENGTH]}"


def _changed_text(folder: SiteFolder, name: str, keys: Mapping[str, str]) -> str | None:
    """Return a file's text with replacements and rewritten links; None if it is unchanged."""
    path = folder.path / name
    suffix = path.suffix.lower()
    replacements = folder.replacements if suffix == ".html" else {}
    if not replacements and (suffix not in _LINKS or not folder.versioned):
        return None
    text = replaced(path, replacements)
    if suffix not in _LINKS:
        return text
    return _LINKS[suffix].sub(
        lambda found: found["before"] + _moved(found["link"], name, keys) + found["quote"],
        text,
    )


def _moved(link: str, document: str, keys: Mapping[str, str]) -> str:
    """Return a document's link, rewritten to the file's key. Links to other things are unchanged."""
    if _ELSEWHERE.match(link):
        return link
    path, rest = re.fullmatch(r"([^?#]*)(.*)", link, re.DOTALL).groups()  # type: ignore[union-attr] - always matches
    here = "" if path.startswith("/") else posixpath.dirname(document)
    name = posixpath.normpath(posixpath.join(here, unquote(path).lstrip("/")))
    key = keys.get(name, name)
    if key == name:
        return link
    return ("/" + quote(key) if path.startswith("/") else quote(posixpath.relpath(key, here or "."))) + rest

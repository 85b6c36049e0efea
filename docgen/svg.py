"""Parts of an SVG that follows the reader's light or dark theme."""

from collections.abc import Iterable
from html import escape

_STYLE = """
  :root { --ground: #ffffff; --box: #f6f6fc; --card: #ffffff; --line: #c9cbe0; --text: #1f2036; --muted: #5a5e7a;
    --accent: #5b45a8; --t0: #2f6fd0; --t1: #9a4fb8; --t2: #12857c; }
  @media (prefers-color-scheme: dark) {
    :root { --ground: #14141f; --box: #1c1c2b; --card: #26263a; --line: #45466a; --text: #ececf6; --muted: #a9abc6;
      --accent: #b7bdff; --t0: #7fb0ff; --t1: #d79bf0; --t2: #5fd3c6; }
  }
  text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--text); }
  .head { font-weight: 700; font-size: 15px; }
  .small { font-size: 12px; fill: var(--muted); }
  .mono { font: 13px ui-monospace, Menlo, Consolas, monospace; }
  .box { fill: var(--box); stroke: var(--line); }
  .card { fill: var(--card); stroke: var(--line); }
  .flow { fill: none; stroke: var(--accent); stroke-width: 2; marker-end: url(#arrow); }
  .link { fill: none; stroke: var(--line); stroke-width: 1.5; }
"""


def document(size: tuple[int, int], title: str, about: str, parts: Iterable[str], style: str = "") -> str:
    """Return an SVG of a width and height; `style` adds rules to the shared ones."""
    width, height = size
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
                'aria-labelledby="title about">'
            ),
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="about">{escape(about)}</desc>',
            f"<style>{_STYLE}{style}</style>",
            (
                '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
                'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="var(--accent)"/></marker></defs>'
            ),
            f'<rect width="{width}" height="{height}" fill="var(--ground)" rx="12"/>',
            *parts,
            "</svg>\n",
        ],
    )


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """Return a line of text; `y` is its baseline."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def box(corner: tuple[float, float], size: tuple[float, float], kind: str = "box", radius: int = 10) -> str:
    """Return a rectangle from its upper left corner and its width and height."""
    (x, y), (width, height) = corner, size
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius}" class="{kind}"/>'


def path(points: str, kind: str, extra: str = "") -> str:
    """Return a path; `extra` holds further attributes."""
    return f'<path d="{points}" class="{kind}"{extra}/>'

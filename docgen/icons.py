"""The page's PNG icons, drawn from its SVG icons, for systems without SVG icons (iOS)."""

from docgen import ROOT
from docgen.browser import chromium

FRONTEND = ROOT / "frontend"
ICONS = {
    "apple-touch-icon.png": ("icon-maskable.svg", 180),  # iOS rounds the corners itself
    "icon-192.png": ("icon.svg", 192),
}
"""File → source SVG, and width and height in pixels."""


def make_icons() -> None:
    """Write the icons in frontend/."""
    with chromium() as browser:
        for name, (source, size) in ICONS.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            svg = (FRONTEND / source).read_text(encoding="utf-8")
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block; width: 100vw }}</style>{svg}")
            page.screenshot(path=FRONTEND / name, omit_background=True)
            page.close()

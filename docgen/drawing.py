"""Composite pictures: tabs in window frames, captions, terminals and title cards."""

import textwrap
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

FILM_SIZE = (1280, 720)
GROUND = "#e9e9f4"
TERMINAL = "#1b1b29"
BAR = "#d9daea"
INK = "#2a2b45"
BAR_HEIGHT = 30
GAP = 16
_LINE_HEIGHT = 21
_EXACT_COLOURS = 96
_AS_IS: Any = {"replace_whitespace": False, "drop_whitespace": False}


@lru_cache
def font(size: int, kind: str = "") -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, or its `-Bold` or `Mono` face; matplotlib ships it, so every machine has it."""
    name = f"DejaVuSans{kind}.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)


def in_window(picture: Image.Image, title: str) -> Image.Image:
    """Return a picture with a window's title bar above it."""
    framed = Image.new("RGB", (picture.width, picture.height + BAR_HEIGHT), BAR)
    draw = ImageDraw.Draw(framed)
    for index, colour in enumerate(("#e0726c", "#e0b45c", "#71b878")):
        draw.circle((18 + 18 * index, BAR_HEIGHT // 2), 5, fill=colour)
    draw.text((framed.width // 2, BAR_HEIGHT // 2), title, INK, font(13), anchor="mm")
    framed.paste(picture, (0, BAR_HEIGHT))
    return framed


def side_by_side(pictures: Sequence[Image.Image], titles: Sequence[str]) -> Image.Image:
    """Return pictures in windows, side by side."""
    windows = [in_window(picture, title) for picture, title in zip(pictures, titles, strict=True)]
    width = sum(window.width for window in windows) + GAP * (len(windows) + 1)
    joined = Image.new("RGB", (width, max(window.height for window in windows) + 2 * GAP), GROUND)
    left = GAP
    for window in windows:
        joined.paste(window, (left, GAP))
        left += window.width + GAP
    return joined


def captioned(picture: Image.Image, caption: str) -> Image.Image:
    """Return a picture at the film's size, with a caption below it."""
    width, height = FILM_SIZE
    framed = Image.new("RGB", FILM_SIZE, GROUND)
    framed.paste(picture, ((width - picture.width) // 2, 0))
    draw = ImageDraw.Draw(framed)
    room = height - picture.height
    draw.multiline_text((width // 2, height - room // 2 - 6), caption, INK, font(21), anchor="mm", align="center")
    return framed


def terminal(size: tuple[int, int], text: str) -> Image.Image:
    """Return a terminal showing a text; lines that begin with a prompt have the colour of input."""
    picture = Image.new("RGB", size, TERMINAL)
    draw = ImageDraw.Draw(picture)
    lines = _wrapped(text, size[0])
    for index, line in enumerate(lines[-(size[1] - 32) // _LINE_HEIGHT :]):
        typed = line.startswith(("$ ", "> "))
        draw.text((20, 18 + _LINE_HEIGHT * index), line, "#b7bdff" if typed else "#ececf6", font(15, "Mono"))
    return picture


def terminal_height(width: int, text: str) -> int:
    """Return the height of a terminal that shows the whole text."""
    return _LINE_HEIGHT * len(_wrapped(text, width)) + 32


def _wrapped(text: str, width: int) -> list[str]:
    columns = int((width - 40) / font(15, "Mono").getlength("x"))
    return [piece for line in text.splitlines() for piece in (textwrap.wrap(line, columns, **_AS_IS) or [""])]


def in_palette(picture: Image.Image) -> Image.Image:
    """Return a picture in 256 colours: surfaces and text keep theirs, gradients are dithered."""
    counted: Any = picture.getcolors(picture.width * picture.height)
    exact = [colour for _, colour in sorted(counted, reverse=True)[:_EXACT_COLOURS]]
    others = picture.quantize(256 - len(exact), method=Image.Quantize.MAXCOVERAGE, kmeans=3)
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in exact for value in colour] + (others.getpalette() or []))
    dithered = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    place_values = np.array((1 << 16, 1 << 8, 1))
    pixels, indexes = np.asarray(picture) @ place_values, np.array(dithered)
    for index, colour in enumerate(exact):  # Pillow's search for the nearest colour is approximate
        indexes[pixels == np.dot(colour, place_values)] = index
    dithered.frombytes(indexes.tobytes())
    return dithered


def title_card(head: str, lines: Sequence[str]) -> Image.Image:
    """Return a title with a few lines below it, at the film's size."""
    width, height = FILM_SIZE
    strip = Image.new("RGB", (width, 1))
    start, end = ImageColor.getrgb("#667eea"), ImageColor.getrgb("#764ba2")
    for x in range(width):
        strip.putpixel((x, 0), tuple(round(a + (b - a) * x / width) for a, b in zip(start, end, strict=True)))
    card = strip.resize(FILM_SIZE)
    draw = ImageDraw.Draw(card)
    draw.text((width // 2, height // 2 - 90), head, "white", font(46, "-Bold"), anchor="mm")
    for index, line in enumerate(lines):
        draw.text((width // 2, height // 2 + 38 * index), line, "white", font(22), anchor="mm")
    return card

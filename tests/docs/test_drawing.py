"""Pictures in 256 colours look like the screenshots that they are made of."""

from PIL import Image, ImageStat

from docgen.drawing import in_palette

WHITE, NEARLY_WHITE = (255, 255, 255), (253, 252, 255)


def picture() -> Image.Image:
    """Return a gradient of thousands of colours above two surfaces that are nearly the same."""
    made = Image.new("RGB", (240, 200), WHITE)
    made.paste(NEARLY_WHITE, (120, 60, 240, 200))
    for x in range(240):
        for y in range(60):
            made.putpixel((x, y), (x, 2 * y, 255 - (x + y) // 2))
    return made


def test_a_picture_in_256_colours_keeps_the_colours_of_its_surfaces() -> None:
    drawn = in_palette(picture())
    colours = drawn.getcolors()
    assert drawn.mode == "P"
    assert colours is not None
    assert len(colours) <= 256
    shown = drawn.convert("RGB")
    assert shown.crop((0, 60, 120, 200)).getcolors() == [(120 * 140, WHITE)]
    assert shown.crop((120, 60, 240, 200)).getcolors() == [(120 * 140, NEARLY_WHITE)]


def test_a_gradient_in_256_colours_is_as_bright_everywhere() -> None:
    made = picture()
    drawn = in_palette(made).convert("RGB")
    for left in range(0, 240, 40):
        part = (left, 0, left + 40, 60)
        wanted, found = (ImageStat.Stat(each.crop(part)).mean for each in (made, drawn))
        assert all(abs(one - other) < 3 for one, other in zip(wanted, found, strict=True)), (wanted, found)

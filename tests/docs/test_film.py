"""GIFs and films show each frame for its duration."""

import base64
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from docgen.film import Frame, write_gif, write_webm

COLOURS = ("#667eea", "#764ba2", "#12804a")
SECONDS = (0.4, 0.8, 0.4)


@pytest.fixture
def frames() -> list[Frame]:
    return [
        Frame.of(Image.new("RGB", (320, 180), colour), length) for colour, length in zip(COLOURS, SECONDS, strict=True)
    ]


def test_a_gif_shows_each_frame_for_its_duration(frames: list[Frame], tmp_path: Path) -> None:
    write_gif(frames, tmp_path / "made.gif", 160)
    with Image.open(tmp_path / "made.gif") as made:
        assert made.size == (160, 90)
        lengths = []
        for index in range(3):
            made.seek(index)
            lengths.append(made.info["duration"] / 1000)
    assert tuple(lengths) == SECONDS


@pytest.mark.browser
def test_a_film_is_a_webm_that_lasts_as_long_as_its_frames(
    browser: Browser, frames: list[Frame], tmp_path: Path
) -> None:
    write_webm(frames, tmp_path / "made.webm", browser)
    data = base64.b64encode((tmp_path / "made.webm").read_bytes()).decode()
    page = browser.new_page()
    length, width = page.evaluate(
        """async (url) => {
            const video = document.createElement("video");
            await new Promise((done, fail) => {
                video.onloadedmetadata = done;
                video.onerror = () => fail(new Error(video.error.message));
                video.src = url;
            });
            return [video.duration, video.videoWidth];
        }""",
        f"data:video/webm;base64,{data}",
    )
    page.close()
    assert length == pytest.approx(sum(SECONDS), abs=0.6)
    assert width == 320

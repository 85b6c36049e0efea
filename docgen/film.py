"""Writes frames as an animated GIF (Pillow) or a WebM (the browser's MediaRecorder)."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from PIL import Image
from playwright.sync_api import Browser

BITS_PER_SECOND = 500_000
FRAMES_PER_SECOND = 10

# MediaRecorder works in real time, so each frame is drawn for as long as it is shown.
_RECORDER = """
window.start = (width, height, fps, bits) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    window.draw = canvas.getContext("2d");
    window.recorder = new MediaRecorder(canvas.captureStream(fps),
        { mimeType: "video/webm;codecs=vp9", videoBitsPerSecond: bits });
    window.parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    window.whole = performance.now();
    recorder.start();
};
window.show = async (url, ms, share) => {
    const picture = await createImageBitmap(await (await fetch(url)).blob());
    const { width, height } = draw.canvas;
    const until = (window.whole += ms);
    do {
        draw.drawImage(picture, 0, 0);
        draw.fillStyle = "#667eea";
        draw.fillRect(0, height - 4, width * share, 4);
        await new Promise((done) => setTimeout(done, 50));
    } while (performance.now() < until);
};
window.finish = async () => {
    await new Promise((done) => { recorder.onstop = done; recorder.stop(); });
    const reader = new FileReader();
    reader.readAsDataURL(new Blob(parts, { type: "video/webm" }));
    await new Promise((done) => { reader.onload = done; });
    return reader.result;
};
"""


@dataclass(frozen=True)
class Frame:
    """A picture and how long it is shown. It is kept as PNG because a film has hundreds."""

    png: bytes
    seconds: float

    @classmethod
    def of(cls, picture: Image.Image, seconds: float) -> Self:
        """Return a frame of a picture."""
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", compress_level=1)
        return cls(buffer.getvalue(), seconds)

    @property
    def picture(self) -> Image.Image:
        """The picture."""
        return Image.open(io.BytesIO(self.png)).convert("RGB")


def write_gif(frames: list[Frame], path: Path, width: int) -> None:
    """Write a looping animation, `width` pixels wide; one palette for all frames avoids flicker."""
    scale = width / frames[0].picture.width
    size = (width, round(frames[0].picture.height * scale))
    small = [frame.picture.resize(size, Image.Resampling.LANCZOS) for frame in frames]
    sample = Image.new("RGB", (size[0], size[1] * 3))
    for index, picture in enumerate((small[0], small[len(small) // 2], small[-1])):
        sample.paste(picture, (0, index * size[1]))
    palette = sample.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    flat = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in small]
    flat[0].save(
        path,
        save_all=True,
        append_images=flat[1:],
        duration=[round(frame.seconds * 1000) for frame in frames],
        loop=0,
        optimize=False,
    )


def write_webm(frames: list[Frame], path: Path, browser: Browser) -> None:
    """Record the frames in a page, in real time."""
    page = browser.new_page()
    page.add_script_tag(content=_RECORDER)
    picture = frames[0].picture
    page.evaluate(
        "([width, height, fps, bits]) => start(width, height, fps, bits)",
        [picture.width, picture.height, FRAMES_PER_SECOND, BITS_PER_SECOND],
    )
    total = sum(frame.seconds for frame in frames)
    passed = 0.0
    for frame in frames:
        passed += frame.seconds
        url = "data:image/png;base64," + base64.b64encode(frame.png).decode()
        page.evaluate(
            "([url, ms, share]) => show(url, ms, share)",
            [url, frame.seconds * 1000, passed / total],
        )
    data = page.evaluate("finish()")
    path.write_bytes(base64.b64decode(data.partition(",")[2]))
    page.close()

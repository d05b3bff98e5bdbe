"""What is drawn can be seen: grounds, unset alpha, depths above 8 bits, pages; and what decoding may cost."""

import io
import itertools
import os
import re
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, TiffImagePlugin

from engine.media.attachment import inspect_attachment, load_picture
from engine.media.jpeg import num_scans
from engine.media.limits import MAX_PIXELS, MAX_SIDE, most_pixels
from engine.preprocess.image import plan_image, resize
from engine.preprocess.pictures import fit_picture, fit_video, hear_file, look_at_file, small_picture
from engine.preprocess.sound import hear_sound, load_sound
from engine.preprocess.video import read_frames
from engine.process import limited_process
from engine.protocol.errors import AttachmentError
from tests.media_files import tone, write_sound, write_video

DATA = Path(__file__).parents[1] / "data"


def saved(picture: Image.Image, path: Path, **options: object) -> Image.Image:
    """The picture after a way through a file."""
    picture.save(path, **options)
    return load_picture(path)


def contrast(picture: Image.Image) -> int:
    low, high = picture.convert("L").getextrema()
    return int(high) - int(low)  # type: ignore[arg-type]


def drawing(ink: tuple[int, ...], mode: str = "RGBA", size: int = 64) -> Image.Image:
    """A bar of ink on nothing."""
    picture = Image.new(mode, (size, size), (0,) * len(mode))
    ImageDraw.Draw(picture).rectangle((size // 4, size // 3, size // 2, size // 2), fill=ink)
    return picture


WHITE = (255, 255, 255)
INKS = [WHITE, (255, 255, 0), (0, 0, 0), (200, 0, 0), (128, 128, 128)]


@pytest.mark.parametrize(("ink", "size"), [*itertools.product(INKS, [16, 64]), (WHITE, 3000)])
@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
def test_what_is_drawn_on_nothing_stands_out(tmp_path: Path, ink: tuple[int, ...], size: int, suffix: str) -> None:
    loaded = saved(drawing((*ink, 255), size=size), tmp_path / f"a.{suffix}")
    assert contrast(loaded) > 70
    assert loaded.getpixel((size // 3, size * 2 // 5)) == pytest.approx(ink, abs=12)


@pytest.mark.parametrize("colour", ["white", "black"])
def test_the_edges_tell_the_ground_and_not_what_lies_inside(tmp_path: Path, colour: str) -> None:
    """A badge of the other colour with an outline."""
    picture = drawing((0, 0, 0, 0))
    other = "black" if colour == "white" else "white"
    ImageDraw.Draw(picture).rectangle((8, 8, 56, 56), fill=other, outline=colour, width=3)
    expected = (0, 0, 0) if colour == "white" else (255, 255, 255)
    assert saved(picture, tmp_path / "a.png").getpixel((0, 0)) == expected


@pytest.mark.parametrize(("mode", "ink"), [("LA", (255, 255)), ("RGBA", (255, 255, 255, 255))])
def test_light_print_in_grey_lies_on_black(tmp_path: Path, mode: str, ink: tuple[int, ...]) -> None:
    assert contrast(saved(drawing(ink, mode), tmp_path / "a.png")) == 255


def test_alpha_that_is_zero_everywhere_means_opaque(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
    assert saved(picture, tmp_path / "a.png").getpixel((0, 0)) == (10, 20, 30)
    assert contrast(load_picture(DATA / "bmp-40-alpha-zero.bmp")) > 200
    header = struct.pack("<IiiHHIIiiII4I", 56, 8, -8, 1, 32, 3, 0, 0, 0, 0, 0, 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    body = bytes((30, 20, 10, 0)) * 64
    (tmp_path / "a.bmp").write_bytes(struct.pack("<2sIII", b"BM", 70 + len(body), 0, 70) + header + body)
    assert load_picture(tmp_path / "a.bmp").getpixel((0, 0)) == (10, 20, 30)


def test_print_that_people_sent_can_be_read() -> None:
    assert contrast(load_picture(DATA / "white-on-nothing.png")) == 255


def ramp(values: np.ndarray) -> np.ndarray:
    return values.reshape(1, -1)


def test_deep_greys_are_rounded_to_the_nearest_level(tmp_path: Path) -> None:
    values = np.arange(0, 65_536, 16, dtype=np.uint16)
    expected = np.floor(values / 257 + 0.5)
    for suffix in ("png", "tif"):
        loaded = np.asarray(saved(Image.fromarray(ramp(values)), tmp_path / f"a.{suffix}"))
        assert (loaded[0, :, 0] == expected).all()


@pytest.mark.parametrize(
    ("values", "tags", "expected"),
    [
        (np.array([0, 2048, 4095], np.uint16), {280: 0, 281: 4095}, [0, 128, 255]),
        (np.array([0, 32_768, 65_535], np.uint16), {262: 0}, [255, 127, 0]),
        (np.array([0.0, 0.5, 1.0], np.float32), {}, [0, 128, 255]),
        (np.array([0.0, 127.6, 255.0], np.float32), {}, [0, 128, 255]),
        (np.array([-100.0, 0.0, 100.0], np.float32), {}, [0, 128, 255]),
        (np.array([0.0, np.nan, np.inf, 1.0], np.float32), {}, [0, 0, 255, 255]),
        (np.array([0, 100, 255], np.int32), {}, [0, 100, 255]),
        (np.array([0, 32_768, 65_535], np.int32), {}, [0, 128, 255]),
        (np.array([-1000, 0, 1000], np.int32), {}, [0, 128, 255]),
        (np.array([7, 7], np.float32), {280: 7, 281: 7}, [7, 7]),
    ],
)
def test_deep_greys_are_scaled_by_their_tags_and_range(
    tmp_path: Path, values: np.ndarray, tags: dict[int, int], expected: list[int]
) -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[tag] = value
    picture = Image.fromarray(ramp(values))
    picture.save(tmp_path / "a.tif", tiffinfo=info)
    loaded = np.asarray(load_picture(tmp_path / "a.tif"))
    assert loaded[0, :, 0].tolist() == expected


def test_avif_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (64, 32), (200, 30, 30)).save(tmp_path / "a.avif", quality=95)
    assert load_picture(tmp_path / "a.avif").getpixel((10, 10)) == pytest.approx((200, 30, 30), abs=8)
    assert (inspect_attachment(tmp_path / "a.avif").width, inspect_attachment(tmp_path / "a.avif").height) == (64, 32)


# --- in the process that decodes


@pytest.mark.parametrize(("suffix", "words"), [("tif", "pages"), ("gif", "pictures"), ("webp", "pictures")])
def test_of_several_pages_it_is_said_that_one_was_read(tmp_path: Path, suffix: str, words: str) -> None:
    first, second = Image.new("RGB", (60, 60), "red"), Image.new("RGB", (60, 60), "blue")
    first.save(tmp_path / f"one.{suffix}")
    first.save(tmp_path / f"two.{suffix}", save_all=True, append_images=[second])
    assert fit_picture(tmp_path / f"one.{suffix}", 70).note == ""
    assert fit_picture(tmp_path / f"two.{suffix}", 70).note == f"Only the first of its {words} was read."


def test_the_fax_that_people_sent_says_that_it_has_more_pages() -> None:
    assert fit_picture(DATA / "two-pages.tif", 70).note == "Only the first of its pages was read."


@pytest.mark.parametrize("budget", [70, 280, 1120])
def test_what_comes_back_is_what_was_decoded_and_resized_here(tmp_path: Path, budget: int) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 500, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg")
    here, there = load_picture(tmp_path / "a.jpg"), fit_picture(tmp_path / "a.jpg", budget)
    plan = plan_image(*here.size, budget)
    assert there.plan == plan
    assert there.pixels.tobytes() == resize(here, plan).tobytes()
    small = small_picture(tmp_path / "a.jpg", 100)
    assert small.size == (100, 60)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def grey_png(width: int, height: int, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = zlib.compress(bytes((width + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


HOSTILE = {
    "1 x 149,999,999": (lambda: grey_png(1, 149_999_999), "too large"),
    "150,000 x 2": (lambda: grey_png(150_000, 2), "too large"),
    "text of gigabytes": (
        lambda: grey_png(1, 1, *[chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))] * 99),
        ".",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_cost_too_much_is_one_sentence(tmp_path: Path, name: str) -> None:
    make, words = HOSTILE[name]
    (tmp_path / "a.png").write_bytes(make())
    for read in (lambda path: fit_picture(path, 70), lambda path: small_picture(path, 480)):
        with pytest.raises(AttachmentError, match=words) as refused:
            read(tmp_path / "a.png")
        assert str(refused.value).startswith("“a.png” ")


def test_the_largest_picture_of_each_format_fits_into_the_memory() -> None:
    assert most_pixels("PNG") == MAX_PIXELS
    assert most_pixels("WEBP") < 12_200**2
    assert MAX_SIDE < 149_999_999


class Stopped(Exception):
    pass


def test_a_picture_that_takes_its_time_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(grey_png(12_000, 12_000))
    calls = 0

    def between() -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise Stopped

    with pytest.raises(Stopped):
        fit_picture(tmp_path / "a.png", 70, between)
    (tmp_path / "b.png").write_bytes(grey_png(60, 60))
    assert fit_picture(tmp_path / "b.png", 70).plan.num_soft_tokens > 0


def test_a_file_is_looked_at_there_as_it_would_be_here(tmp_path: Path) -> None:
    Image.new("RGB", (64, 32), "red").save(tmp_path / "a.png")
    write_video(tmp_path / "a.mp4", [np.zeros((48, 64, 3), np.uint8)] * 10, rate=10)
    write_sound(tmp_path / "a.m4a", tone(2, 48_000), 48_000, "aac", "ipod")
    for name in ("a.png", "a.mp4"):
        found, loudest = look_at_file(tmp_path / name, 48)
        assert (found, loudest.size) == (inspect_attachment(tmp_path / name), 0)
    found, loudest = look_at_file(tmp_path / "a.m4a", 48)
    samples = load_sound(tmp_path / "a.m4a")
    assert (found.kind, found.seconds, found.has_sound) == ("sound", len(samples) / 16_000, True)
    assert loudest.tolist() == [np.abs(piece).max() for piece in np.array_split(samples, 48)]


def test_what_cannot_be_read_is_refused_there_with_the_sentence_of_here(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.bin")  # no UTF-8
    (tmp_path / name).write_bytes(bytes(range(256)))
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "empty.wav").touch()
    for path in (tmp_path / name, tmp_path / "a.pdf", tmp_path / "empty.wav", tmp_path, tmp_path / "gone.png"):
        with pytest.raises(AttachmentError) as here:
            inspect_attachment(path)
        with pytest.raises(AttachmentError) as there:
            look_at_file(path, 48)
        assert str(there.value) == str(here.value)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import ctypes; ctypes.string_at(0)", "“a.mp4” is damaged and cannot be read."),
        ("import sys; sys.exit(70)", "“a.mp4” takes too much memory to decode. Scale it down first."),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)",
            "“a.mp4” takes more than 20 seconds to decode. Save it anew.",
        ),
    ],
)
def test_a_file_that_breaks_what_reads_it_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, sentence: str
) -> None:
    process = limited_process.LimitedProcess("", "")
    monkeypatch.setattr(
        limited_process, "_command", lambda *_: [sys.executable, "-c", f"import sys; sys.stdin.buffer.read(4); {code}"]
    )
    monkeypatch.setattr("engine.preprocess.pictures._process", process)
    with pytest.raises(AttachmentError) as refused:
        look_at_file(tmp_path / "a.mp4", 48)
    assert str(refused.value) == sentence


def many_scans(path: Path, num_more: int, *, side: int = 4_000) -> None:
    """Each scan is valid, a few bytes long, and goes over all blocks."""
    Image.new("RGB", (side, side), (90, 120, 200)).save(path, progressive=True)
    data = path.read_bytes()
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    path.write_bytes(data[:last] + data[last:end] * num_more + data[end:])


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    many_scans(tmp_path / "a.jpg", 2_000)
    for read in (look_at_file, lambda path: small_picture(path, 480), lambda path: fit_picture(path, 70)):
        with pytest.raises(AttachmentError, match=r"^“a.jpg” goes over its pixels more than 100 times.*as PNG\.$"):
            read(tmp_path / "a.jpg")


@pytest.mark.parametrize("progressive", [True, False])
def test_scans_are_counted_by_their_markers(tmp_path: Path, progressive: bool) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (300, 500, 3), dtype=np.uint8))
    thumbnail = io.BytesIO()
    noise.save(thumbnail, "JPEG")
    exif = Image.Exif()
    exif[0x927C] = b"\xff\xda\x00\x02" * 200 + thumbnail.getvalue()[:30_000]
    noise.save(tmp_path / "a.jpg", progressive=progressive, exif=exif, restart_marker_rows=1)
    with (tmp_path / "a.jpg").open("ab") as file:  # a phone's film behind the picture
        file.write(b"\xff\xda\x00\x02" * 1_000)
    with (tmp_path / "a.jpg").open("rb") as file:
        assert num_scans(file, 100) == (10 if progressive else 1)
    assert fit_picture(tmp_path / "a.jpg", 70).plan.num_soft_tokens > 0


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\xfe\x00\x02", b"\xff\x01", b"\xff\xd0", b"\xff\xda\x00\x00"])
def test_counting_scans_reads_a_file_once(tmp_path: Path, filling: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8" + filling * (4_000_000 // len(filling)))
    with (tmp_path / "a.jpg").open("rb") as file:
        num_scans(file, 10**9)  # quadratic, it would not end


def test_a_jpeg_whose_scans_take_their_time_ends_within_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many_scans(tmp_path / "a.jpg", 2_000)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r});"
        "from engine import run_picture_process; from engine.media import attachment;"
        "from engine.preprocess import pictures; from engine.process import limited_process;"
        "pictures.LIMITS = limited_process.Limits(cpu_s=1); attachment.MAX_SCANS = 10_000;"
        "sys.exit(run_picture_process())"
    )
    monkeypatch.setattr(limited_process, "_command", lambda *_: [sys.executable, "-c", code])
    monkeypatch.setattr("engine.preprocess.pictures._process", limited_process.LimitedProcess("", ""))
    with pytest.raises(AttachmentError, match=r"^“a.jpg” takes more than \d+ seconds to decode\. Save it anew"):
        fit_picture(tmp_path / "a.jpg", 70)


# --- videos and sounds


def test_a_video_comes_back_as_what_was_decoded_and_resized_here(tmp_path: Path) -> None:
    pictures = [np.full((48, 64 + 16, 3), 20 * index, np.uint8) for index in range(10)]
    write_video(tmp_path / "a.mp4", pictures, rate=2)
    here, there = list(read_frames(tmp_path / "a.mp4")), fit_video(tmp_path / "a.mp4", 70)
    assert [frame.seconds for frame in there] == [frame.seconds for frame in here] == [0, 1, 2, 3, 4]
    for mine, theirs in zip(here, there, strict=True):
        assert theirs.picture.tobytes() == resize(mine.picture, plan_image(*mine.picture.size, 70)).tobytes()


def test_a_sound_comes_back_as_it_was_decoded_here(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.m4a", tone(2, 48_000), 48_000, "aac", "ipod")
    (here, _), (there, note) = hear_sound(tmp_path / "a.m4a"), hear_file(tmp_path / "a.m4a")
    assert (there.tobytes(), there.dtype, note) == (here.tobytes(), here.dtype, "")


def test_videos_and_sounds_that_cannot_be_read_are_refused_with_the_sentence_of_here(tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(range(256)))
    write_video(tmp_path / "silent.mp4", [np.zeros((48, 64, 3), np.uint8)] * 3, rate=10)
    for name, here, there in (
        ("noise.mp4", lambda path: list(read_frames(path)), lambda path: fit_video(path, 70)),
        ("silent.mp4", hear_sound, hear_file),
        ("gone.wav", hear_sound, hear_file),
    ):
        with pytest.raises(AttachmentError) as mine:
            here(tmp_path / name)
        with pytest.raises(AttachmentError) as theirs:
            there(tmp_path / name)
        assert str(theirs.value) == str(mine.value)


def test_every_kind_of_reading_can_be_stopped(tmp_path: Path) -> None:
    """As when a disk does not answer."""
    calls = 0

    def between() -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise Stopped

    process = limited_process.LimitedProcess("", "")
    code = "import sys, time; sys.stdin.buffer.read(4); time.sleep(600)"
    for read in (
        lambda path: fit_picture(path, 70, between),
        lambda path: fit_video(path, 70, between),
        lambda path: hear_file(path, between),
        lambda path: look_at_file(path, 48, between),
    ):
        calls = 0
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(limited_process, "_command", lambda *_: [sys.executable, "-c", code])
            patched.setattr("engine.preprocess.pictures._process", process)
            with pytest.raises(Stopped):
                read(tmp_path / "a")


def test_neither_the_engine_nor_the_window_opens_a_decoder() -> None:
    """What decodes is named by nobody but by what runs in the process of its own."""
    root = Path(__file__).parents[2]
    decoders = ("load_picture", "load_first", "inspect_attachment", "read_frames", "load_sound", "hear_sound")
    named = {
        str(path.relative_to(root))
        for folder in ("app", "engine")
        for path in (root / folder).rglob("*.py")
        if any(re.search(rf"import .*\b{name}\b", path.read_text()) for name in decoders)
    }
    assert named == {"engine/preprocess/pictures.py"}

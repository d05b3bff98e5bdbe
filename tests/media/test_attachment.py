"""Files that people drop: pictures come out upright, in RGB, on white; everything else is one sentence."""

import io
import os
import random
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from engine.media import attachment
from engine.media.attachment import (
    PICTURE_SUFFIXES,
    SOUND_SUFFIXES,
    VIDEO_SUFFIXES,
    inspect_attachment,
    load_one,
    load_picture,
)
from engine.media.video import open_video
from engine.protocol.errors import AttachmentError, named
from tests.media_files import tone, write_picture, write_sound, write_video

RED, BLUE, WHITE, BLACK = (255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
ORIENTATION = 0x0112


def halves(width: int = 64, height: int = 32, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new(mode, (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture


def near(pixel: object, expected: tuple[int, int, int], tolerance: int = 8) -> bool:
    return bool(np.abs(np.subtract(pixel, expected)).max() <= tolerance)  # type: ignore[arg-type]


def stored_mode(path: Path) -> str:
    with Image.open(path) as picture:
        return picture.mode


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def png_header(width: int, height: int, depth: int = 8, kind: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "gif"])
def test_a_picture_of_each_format_loads_as_rgb(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"halves.{suffix}"
    halves().save(path)
    picture = load_picture(path)
    assert (picture.mode, picture.size) == ("RGB", (64, 32))
    assert near(picture.getpixel((10, 16)), RED)
    assert near(picture.getpixel((54, 16)), BLUE)


def test_VI_12_a_heic_photo_loads_as_rgb(tmp_path: Path) -> None:
    path = tmp_path / "photo.heic"
    write_picture(halves(), path, quality=95)
    picture = load_picture(path)
    assert (picture.mode, picture.size) == ("RGB", (64, 32))
    assert near(picture.getpixel((10, 16)), RED, 24)
    assert near(picture.getpixel((54, 16)), BLUE, 24)


def test_a_phones_jpeg_of_two_pictures_shows_the_first(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    halves().save(path, format="MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert inspect_attachment(path).width == 64
    assert near(load_picture(path).getpixel((10, 16)), RED)


def test_a_file_is_known_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.txt"
    halves().save(path, format="PNG")
    assert inspect_attachment(path).width == 64
    assert near(load_picture(path).getpixel((10, 16)), RED)


def test_VI_12_transparent_areas_of_rgba_lie_on_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (4, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 255))
    picture.putpixel((2, 0), (255, 0, 0, 128))
    picture.save(tmp_path / "a.png")
    loaded = load_picture(tmp_path / "a.png")
    assert loaded.getpixel((0, 0)) == WHITE
    assert loaded.getpixel((1, 0)) == BLACK
    assert near(loaded.getpixel((2, 0)), (255, 127, 127), 1)


def test_VI_12_transparent_areas_of_a_palette_lie_on_white(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.putpixel((1, 0), 1)
    picture.save(tmp_path / "a.png", transparency=0)
    assert stored_mode(tmp_path / "a.png") == "P"
    loaded = load_picture(tmp_path / "a.png")
    assert [loaded.getpixel((x, 0)) for x in (0, 1)] == [WHITE, RED]


def test_VI_12_transparent_areas_of_grey_lie_on_white(tmp_path: Path) -> None:
    picture = Image.new("LA", (2, 1), (0, 0))
    picture.putpixel((1, 0), (100, 255))
    picture.save(tmp_path / "a.png")
    loaded = load_picture(tmp_path / "a.png")
    assert [loaded.getpixel((x, 0)) for x in (0, 1)] == [WHITE, (100, 100, 100)]


def test_VI_12_a_transparent_colour_of_rgb_lies_on_white(tmp_path: Path) -> None:
    picture = Image.new("RGB", (2, 1), BLACK)
    picture.putpixel((1, 0), RED)
    picture.save(tmp_path / "a.png", transparency=BLACK)
    loaded = load_picture(tmp_path / "a.png")
    assert [loaded.getpixel((x, 0)) for x in (0, 1)] == [WHITE, RED]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_VI_12_grey_of_16_bits_keeps_its_shades(tmp_path: Path, suffix: str) -> None:
    shades = np.arange(256, dtype=np.uint16)[None] * 257
    Image.fromarray(shades).save(tmp_path / f"ramp.{suffix}")
    loaded = np.asarray(load_picture(tmp_path / f"ramp.{suffix}"))
    assert (loaded == np.arange(256)[None, :, None]).all()


def test_VI_12_cmyk_comes_out_in_its_colours(tmp_path: Path) -> None:
    halves().convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert stored_mode(tmp_path / "a.jpg") == "CMYK"
    loaded = load_picture(tmp_path / "a.jpg")
    assert near(loaded.getpixel((10, 16)), RED)
    assert near(loaded.getpixel((54, 16)), BLUE)


def test_VI_12_an_animated_gif_shows_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE, WHITE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.gif") as stored:
        assert stored.n_frames == 3
    assert load_picture(tmp_path / "a.gif").getpixel((4, 4)) == RED


# The left half of the stored picture is red: where a person sees red, for each orientation.
SEEN = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}
SIDES = {"left": (2, 0.5), "right": (-3, 0.5), "top": (0.5, 2), "bottom": (0.5, -3)}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", SEEN)
def test_VI_12_a_photo_taken_sideways_is_seen_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    halves().save(path, exif=exif)
    picture = load_picture(path)
    assert picture.size == ((32, 64) if orientation >= 5 else (64, 32))
    x, y = (
        int(at * side) if at == 0.5 else at % side
        for at, side in zip(SIDES[SEEN[orientation]], picture.size, strict=True)
    )
    assert near(picture.getpixel((int(x), int(y))), RED)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "bmp", "gif", "heic"])
@pytest.mark.parametrize("orientation", [None, 3, 6])
def test_inspecting_agrees_with_loading_on_the_size(tmp_path: Path, suffix: str, orientation: int | None) -> None:
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    write_picture(halves(), path, exif=exif.tobytes())
    found = inspect_attachment(path)
    assert (found.width, found.height) == load_picture(path).size
    assert (found.kind, found.path, found.size_bytes) == ("picture", path, path.stat().st_size)


def test_inspecting_does_not_decode_the_pixels(tmp_path: Path) -> None:
    halves().save(tmp_path / "whole.png")
    data = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: data.index(b"IDAT") + 6])
    assert inspect_attachment(tmp_path / "cut.png").width == 64
    with pytest.raises(AttachmentError, match=r"“cut\.png” is damaged"):
        load_picture(tmp_path / "cut.png")


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_a_tiff_that_was_cut_off_is_white_where_nothing_is_however_it_is_turned(
    tmp_path: Path, compression: str | None
) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 200, (300, 400, 3), np.uint8))
    missing = {}
    for orientation in range(1, 9):
        path, exif = tmp_path / f"{orientation}.tif", Image.Exif()
        exif[ORIENTATION] = orientation
        noise.save(path, exif=exif, compression=compression)
        content = bytearray(path.read_bytes())
        with Image.open(path) as picture:
            starts, lengths = picture.tag_v2[273], picture.tag_v2[279]
        if compression:
            for start, length in list(zip(starts, lengths, strict=True))[len(starts) // 2 :]:
                content[start : start + length] = b"\xff" * length
        path.write_bytes(content if compression else content[: len(content) * 6 // 10])
        found = load_one(path, 0)
        assert not found.is_whole
        drawn = found.picture
        middle = (drawn.width // 2, drawn.height // 2)
        edges = {"left": (0, middle[1]), "right": (drawn.width - 1, middle[1]), "top": (middle[0], 0),
                 "bottom": (middle[0], drawn.height - 1)}  # fmt: skip
        missing[orientation] = [edge for edge, place in edges.items() if drawn.getpixel(place) == WHITE]
    below, above, left, right = ["bottom"], ["top"], ["left"], ["right"]
    assert missing == {1: below, 2: below, 3: above, 4: above, 5: right, 6: left, 7: left, 8: right}


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "heic"])
@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x02\0\0\0\x36\0",
    ],
    ids=["garbage", "points-outside", "text-as-orientation"],
)
def test_damaged_metadata_costs_only_the_metadata(tmp_path: Path, suffix: str, exif: bytes) -> None:
    path = tmp_path / f"a.{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_picture(halves(), path, exif=exif)
    assert (inspect_attachment(path).width, inspect_attachment(path).height) == (64, 32)
    assert load_picture(path).size == (64, 32)


# --- refusals


def truncated_jpeg(path: Path) -> None:
    halves(256, 256).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:700])


def huge_png(path: Path) -> None:
    path.write_bytes(png(png_header(40_000, 40_000), (b"IDAT", b""), (b"IEND", b"")))


def large_png(path: Path) -> None:
    path.write_bytes(png(png_header(12_400, 12_400), (b"IDAT", b""), (b"IEND", b"")))


REFUSALS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "archive": ("things.zip", lambda path: path.write_bytes(b"PK\x03\x04" + bytes(60)), "not a picture"),
    "pdf": ("paper.pdf", lambda path: path.write_bytes(b"%PDF-1.7\n" + bytes(60)), "not a picture"),
    "text": ("notes.png", lambda path: path.write_text("just words, " * 20), "not a picture"),
    "empty": ("nothing.png", lambda path: path.write_bytes(b""), "is empty"),
    "folder": ("holiday", lambda path: path.mkdir(), "is a folder"),
    "missing": ("gone.jpg", lambda path: None, "is not there"),
    "inside-a-file": ("file/a.png", lambda path: path.parent.write_text("x"), "cannot be opened"),
    "endless-name": ("a" * 300 + ".png", lambda path: None, "cannot be opened"),
    "truncated": ("photo.jpg", truncated_jpeg, "damaged"),
    "over-40000-pixels-a-side": ("huge.png", huge_png, "too large"),
    "over-150-million-pixels": ("large.png", large_png, "too large"),
    "no-pixels": ("zero.png", lambda path: path.write_bytes(png(png_header(0, 10), (b"IEND", b""))), "picture"),
    "device": ("pipe.png", os.mkfifo, "not an ordinary file"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence_that_names_it(tmp_path: Path, case: str) -> None:
    name, make, says = REFUSALS[case]
    path = tmp_path / name
    make(path)
    with pytest.raises(AttachmentError) as refusal:
        load_picture(path)
    sentence = str(refusal.value)
    assert sentence.startswith(f"{named(path)} ")
    assert says in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Errno" not in sentence
    if case != "truncated":  # its size can still be read
        with pytest.raises(AttachmentError):
            inspect_attachment(path)


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Root may read everything: take its rights away for a moment. Other people have none to lose."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_one_may_not_read_is_refused_in_one_sentence(tmp_path: Path, what: str) -> None:
    inspect_attachment(saved(tmp_path / "open.png"))
    path = saved(tmp_path / "locked.png")
    closed = path if what == "file" else tmp_path
    closed.chmod(0)
    try:
        for read in (inspect_attachment, load_picture):
            with as_somebody_else(), pytest.raises(AttachmentError, match=r"“locked\.png” .* permission to read it\.$"):
                read(path)
    finally:
        closed.chmod(0o700)


def saved(path: Path) -> Path:
    halves().save(path)
    return path


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "gif", "heic"])
def test_a_damaged_file_is_a_picture_or_a_sentence_and_never_a_traceback(tmp_path: Path, suffix: str) -> None:
    path, chance = tmp_path / f"a.{suffix}", random.Random(suffix)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    write_picture(halves(), path, exif=exif.tobytes())
    whole, outcomes = path.read_bytes(), set()
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 3, 10))):
            data[chance.randrange(min(len(data), 400))] = chance.randrange(256)
        path.write_bytes(data[: chance.choice((len(data), chance.randrange(1, len(data))))])
        try:
            inspect_attachment(path)
            assert load_picture(path).mode == "RGB"
            outcomes.add("picture")
        except AttachmentError:
            outcomes.add("sentence")
    assert "sentence" in outcomes


# --- sounds and videos


def test_a_sound_says_how_long_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        soundfile.write(file, tone(2.5, 44_100), 44_100, format="FLAC")
    found = inspect_attachment(path)
    assert (found.kind, found.path, found.size_bytes) == ("sound", path, path.stat().st_size)
    assert (found.seconds, found.width, found.height, found.has_sound) == (2.5, 0, 0, True)


@pytest.mark.parametrize(("suffix", "codec", "container"), [("m4a", "aac", "ipod"), ("webm", "libopus", "webm")])
def test_a_sound_in_a_videos_container_is_a_sound(tmp_path: Path, suffix: str, codec: str, container: str) -> None:
    found = inspect_attachment(write_sound(tmp_path / f"a.{suffix}", tone(2, 48_000), 48_000, codec, container))
    assert found.kind == "sound"
    assert abs(found.seconds - 2) < 0.1


def test_a_video_says_its_size_as_it_is_seen_its_length_and_whether_it_has_sound(tmp_path: Path) -> None:
    pictures = [np.zeros((32, 64, 3), np.uint8)] * 20
    path = write_video(tmp_path / "a.txt", pictures, rate=10, turn=(90, False, False), samples=tone(2))
    found = inspect_attachment(path)
    assert (found.kind, found.path, found.size_bytes) == ("video", path, path.stat().st_size)
    assert (found.width, found.height, found.seconds, found.has_sound) == (32, 64, 2.0, True)
    silent = inspect_attachment(write_video(tmp_path / "b.mkv", pictures, container="matroska", rate=10))
    assert (silent.kind, silent.width, silent.height, silent.has_sound) == ("video", 64, 32, False)


@pytest.mark.parametrize(("orientation", "red"), [(1, "left"), (3, "right"), (6, "top"), (8, "bottom")])
def test_a_video_of_a_cameras_jpegs_is_seen_upright(tmp_path: Path, orientation: int, red: str) -> None:
    import av

    path, photo, exif = tmp_path / "a.avi", io.BytesIO(), Image.Exif()
    exif[ORIENTATION] = orientation
    halves().save(photo, "JPEG", exif=exif)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuvj420p"
        packet = av.Packet(photo.getvalue())
        packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 5)
        container.mux(packet)
    found = inspect_attachment(path)
    assert (found.kind, found.width, found.height) == ("video", *((32, 64) if orientation > 4 else (64, 32)))
    with open_video(path) as video:
        picture = video.upright(next(video.frames()).frame)
    x, y = {"left": (4, 16), "right": (60, 16), "top": (16, 4), "bottom": (16, 60)}[red]
    assert near(picture.getpixel((x, y)), RED, 16)


def test_an_animated_gif_is_a_picture(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE, WHITE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert inspect_attachment(tmp_path / "a.gif").kind == "picture"


def test_what_is_nothing_readable_is_told_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + bytes(60))
    with pytest.raises(AttachmentError, match=r"^“a\.zip” is not a picture, sound or video .* PNG, .* MP4 or MOV\.$"):
        inspect_attachment(tmp_path / "a.zip")


@pytest.mark.parametrize("suffix", [".png", ".heic", ".wav", ".m4a", ".mp4", ".mov"])
def test_file_dialogs_offer_what_can_be_read(suffix: str) -> None:
    assert suffix in PICTURE_SUFFIXES + SOUND_SUFFIXES + VIDEO_SUFFIXES


def test_importing_the_front_door_loads_no_decoder() -> None:
    code = "import sys, engine; print(sorted({'av', 'soundfile', 'soxr', 'pi_heif'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_file_that_goes_while_it_is_looked_at_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notes.bin"
    path.write_bytes(b"nothing that anybody knows")
    look = attachment._inspect_picture

    def look_and_lose(lost: Path) -> attachment.Attachment:
        try:
            return look(lost)
        finally:
            lost.unlink()

    monkeypatch.setattr(attachment, "_inspect_picture", look_and_lose)
    with pytest.raises(AttachmentError, match=r"notes\.bin"):
        inspect_attachment(path)


def test_a_pdf_is_refused_as_one(tmp_path: Path) -> None:
    path = tmp_path / "rent.pdf"
    path.write_bytes(b"%PDF-1.7 and more")
    with pytest.raises(AttachmentError, match="is a PDF: it is read as a document"):
        inspect_attachment(path)

"""Video files as frames: which times, what is shown at them, which way is up; everything else is one sentence."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.media.files import open_container
from engine.media.video import OpenVideo, ShownFrame
from engine.preprocess.sound import load_sound
from engine.preprocess.video import MAX_FRAMES, plan_frames, read_frames, time_stamp
from engine.protocol.errors import AttachmentError
from tests.media_files import tone, write_sound, write_video

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "video_frames.json").read_text())
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
FORMATS = [("mp4", "libx264", "mp4"), ("mp4", "libx265", "mp4"), ("mov", "mpeg4", "mov"),
           ("mkv", "libx264", "matroska"), ("webm", "libvpx-vp9", "webm"), ("avi", "mpeg4", "avi"),
           ("ts", "libx264", "mpegts")]  # fmt: skip


def counting(num_frames: int, width: int = 64, height: int = 48) -> Iterator[np.ndarray]:
    """Frames whose number can be read: eight stripes, white for 1 bits, the highest bit on the left."""
    for number in range(num_frames):
        bits = [(number >> bit) & 1 for bit in reversed(range(8))]
        row = np.repeat(np.array(bits, np.uint8) * 255, width // 8)
        yield np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def number_on(picture: Image.Image) -> int:
    """Read what `counting` wrote."""
    stripe = picture.width // 8
    grey = picture.convert("L")
    lit = ["1" if int(grey.getpixel((stripe * i + stripe // 2, 24))) > 127 else "0" for i in range(8)]  # type: ignore[arg-type]
    return int("".join(lit), 2)


def numbers(path: Path) -> list[tuple[float, int]]:
    return [(round(frame.seconds, 3), number_on(frame.picture)) for frame in read_frames(path)]


def corners(width: int = 96, height: int = 64) -> np.ndarray:
    """Red, green, blue and white corners."""
    picture = np.zeros((height, width, 3), np.uint8)
    top, left = slice(0, height // 2), slice(0, width // 2)
    bottom, right = slice(height // 2, None), slice(width // 2, None)
    picture[top, left], picture[top, right], picture[bottom, left], picture[bottom, right] = RED, GREEN, BLUE, WHITE
    return picture


def near(picture: Image.Image, x: float, y: float, colour: tuple[int, int, int]) -> bool:
    pixel = picture.getpixel((int(x * picture.width), int(y * picture.height)))
    return bool(np.abs(np.subtract(pixel, colour)).max() < 48)  # type: ignore[arg-type]


# --- which times


@pytest.mark.parametrize(
    ("duration_s", "num_frames"), [(0, 1), (0.04, 1), (1, 1), (1.5, 2), (10, 10), (59.5, 60), (60, 60)]
)
def test_one_frame_a_second_up_to_a_minute(duration_s: float, num_frames: int) -> None:
    assert plan_frames(duration_s) == tuple(range(num_frames))


@pytest.mark.parametrize("duration_s", [60.02, 61, 600, 7200, 1e6])
def test_60_frames_spread_evenly_beyond_a_minute(duration_s: float) -> None:
    times = plan_frames(duration_s)
    assert len(times) == MAX_FRAMES == 60
    assert times[0] == 0
    assert np.allclose(np.diff(times), duration_s / 60)
    assert times[-1] < duration_s


def test_the_plan_is_the_vendors_where_that_takes_a_frame_a_second() -> None:
    cases = [case for case in GOLDEN if case["target_fps"] == 1 and case["fps"] == 30]
    assert len(cases) > 1
    for case in cases:
        times = plan_frames(case["total_frames"] / case["fps"])
        assert [time * case["fps"] for time in times] == case["indices"]
        assert [time_stamp(time) for time in times] == case["timestamps"]


@pytest.mark.parametrize(
    ("seconds", "stamp"),
    [(0, "00:00"), (0.99, "00:00"), (61, "01:01"), (5999, "99:59"), (6000, "100:00")],
)
def test_time_stamps_are_minutes_and_seconds(seconds: float, stamp: str) -> None:
    assert time_stamp(seconds) == stamp


# --- what is shown at them


@pytest.mark.parametrize(("suffix", "codec", "container"), FORMATS)
def test_each_seconds_frame_comes_with_its_true_time(tmp_path: Path, suffix: str, codec: str, container: str) -> None:
    path = write_video(tmp_path / f"a.{suffix}", counting(75), codec, container=container, rate=25)
    assert numbers(path) == [(0.0, 0), (1.0, 25), (2.0, 50)]
    assert numbers(path.rename(tmp_path / "a.png")) == [(0.0, 0), (1.0, 25), (2.0, 50)]


def test_at_29_97_hz_a_second_begins_with_its_first_frame(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", counting(95), rate=Fraction(30_000, 1001))
    assert numbers(path) == [(0.0, 0), (1.001, 30), (2.002, 60), (3.003, 90)]
    assert [time_stamp(frame.seconds) for frame in read_frames(path)] == ["00:00", "00:01", "00:02", "00:03"]


def test_variable_frame_rates_show_what_was_on_screen(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", counting(6), container="matroska", rate=10, times=[0, 4, 18, 19, 52, 60])
    assert numbers(path) == [(0.0, 0), (0.4, 1), (1.9, 3), (6.0, 5)]


def test_a_video_of_one_frame_is_that_frame(tmp_path: Path) -> None:
    assert numbers(write_video(tmp_path / "a.mp4", counting(1))) == [(0.0, 0)]


def test_the_first_frame_is_second_0_whatever_the_clock_says(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", counting(50), container="mpegts", rate=25, times=range(2500, 2550))
    assert numbers(path) == [(0.0, 0), (1.0, 25)]


@pytest.mark.parametrize(("suffix", "container"), [("mp4", "mp4"), ("mkv", "matroska"), ("ts", "mpegts")])
@pytest.mark.parametrize("keys_every", [2, 25, 1000])
def test_a_long_video_gives_60_spread_frames(tmp_path: Path, suffix: str, container: str, keys_every: int) -> None:
    path = write_video(tmp_path / f"a.{suffix}", counting(240), container=container, rate=1,
                       key_frames_every=keys_every)  # fmt: skip
    found = numbers(path)
    assert len(found) == 60
    assert all(seconds == number for seconds, number in found)
    assert np.abs(np.subtract([seconds for seconds, _ in found], np.arange(60) * 4)).max() <= 2


def test_a_long_video_is_not_decoded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", counting(240 * 8), rate=8, key_frames_every=8)
    decoded, frames = [], OpenVideo.frames

    def counted(opened: OpenVideo) -> Iterator[ShownFrame]:
        for frame in frames(opened):
            decoded.append(frame.seconds)
            yield frame

    monkeypatch.setattr(OpenVideo, "frames", counted)
    assert len(numbers(path)) == 60
    assert len(decoded) < 300


def test_a_file_that_does_not_say_its_length_is_measured(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mkv", counting(75), container="matroska", container_options={"live": "1"}, rate=25)
    with open_container(tmp_path / "a.mkv") as container:
        assert container.duration is None
    assert numbers(tmp_path / "a.mkv") == [(0.0, 0), (1.0, 25), (2.0, 50)]


# --- how it looks


TURNED = {
    (0, False, False): (RED, GREEN, BLUE, WHITE),
    (90, False, False): (GREEN, WHITE, RED, BLUE),
    (180, False, False): (WHITE, BLUE, GREEN, RED),
    (-90, False, False): (BLUE, RED, WHITE, GREEN),
    (0, True, False): (GREEN, RED, WHITE, BLUE),
    (0, False, True): (BLUE, WHITE, RED, GREEN),
}


@pytest.mark.parametrize("turn", TURNED, ids=str)
def test_a_video_taken_sideways_is_seen_upright(tmp_path: Path, turn: tuple[float, bool, bool]) -> None:
    path = write_video(tmp_path / "a.mp4", [corners()] * 2, turn=turn)
    picture = next(read_frames(path)).picture
    assert picture.size == ((64, 96) if turn[0] in {90, -90} else (96, 64))
    for (x, y), colour in zip([(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)], TURNED[turn], strict=True):
        assert near(picture, x, y, colour), (x, y)


@pytest.mark.parametrize(("shape", "turn", "size"), [
    (Fraction(2), 0, (192, 64)), (Fraction(3, 4), 0, (72, 64)), (Fraction(2), 90, (64, 192)),
    (Fraction(1000), 0, (96, 64)),
])  # fmt: skip
def test_pixels_that_are_not_square_are_made_so(
    tmp_path: Path, shape: Fraction, turn: float, size: tuple[int, int]
) -> None:
    path = write_video(tmp_path / "a.mp4", [corners()] * 2, pixel_shape=shape, turn=(turn, False, False))
    assert next(read_frames(path)).picture.size == size


@pytest.mark.parametrize(("codec", "container", "pixels"), [
    ("libx264", "mp4", "yuv420p10le"), ("prores_ks", "mov", "yuv422p10le"),
    ("libx264", "mp4", "yuvj420p"), ("qtrle", "mov", "rgb24"),
])  # fmt: skip
def test_every_depth_and_layout_of_pixels_keeps_its_shades(
    tmp_path: Path, codec: str, container: str, pixels: str
) -> None:
    grey = np.broadcast_to(np.repeat(np.array([16, 128, 235, 80], np.uint8), 16)[None, :, None], (48, 64, 3)).copy()
    path = write_video(tmp_path / "a", [grey] * 2, codec, container=container, pixels=pixels)
    picture = next(read_frames(path)).picture
    assert picture.mode == "RGB"
    for x, shade in ((0.1, 16), (0.4, 128), (0.6, 235), (0.9, 80)):
        assert abs(picture.convert("L").getpixel((int(x * 64), 24)) - shade) < 8  # type: ignore[operator]


def test_transparent_areas_lie_on_white(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 4), np.uint8)
    picture[:, 32:] = (255, 0, 0, 255)
    path = write_video(tmp_path / "a.mov", [picture] * 2, "qtrle", container="mov", pixels="argb")
    shown = next(read_frames(path)).picture
    assert near(shown, 0.25, 0.5, WHITE)
    assert near(shown, 0.75, 0.5, RED)


def test_the_sound_of_a_video_is_a_sound(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", counting(30), samples=tone(1))
    samples = load_sound(path)
    assert abs(len(samples) - 16_000) < 2_000
    with pytest.raises(AttachmentError, match=r"^“b\.mp4” has no sound\.$"):
        load_sound(write_video(tmp_path / "b.mp4", counting(30)))


# --- refusals


def song_with_cover(path: Path) -> None:
    soundfile.write(path, tone(1), 16_000)
    cover = path.parent / "cover.png"
    Image.new("RGB", (32, 32), "red").save(cover)
    body = b"\0image/png\0\x03\0" + cover.read_bytes()
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\0\0" + size + frame + path.read_bytes())


def half_an_mp4(path: Path) -> None:
    write_video(path, counting(30))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def avif(path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(path, format="AVIF")


REFUSALS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "song-with-cover": ("song.mp3", song_with_cover, "no moving pictures"),
    "sound": ("a.m4a", lambda path: write_sound(path, tone(1), 16_000, "aac", "ipod"), "no moving pictures"),
    "picture": ("a.png", lambda path: Image.new("RGB", (64, 64)).save(path), "not a sound or video"),
    "avif": ("a.avif", avif, "not a sound or video"),
    "text": ("a.mp4", lambda path: path.write_text("just words, " * 20), "not a sound or video"),
    "empty": ("a.mp4", lambda path: path.write_bytes(b""), "is empty"),
    "folder": ("holiday", lambda path: path.mkdir(), "is a folder"),
    "missing": ("gone.mp4", lambda path: None, "is not there"),
    "half-an-mp4": ("half.mp4", half_an_mp4, "damaged"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_no_video_is_refused_in_one_sentence_that_names_it(tmp_path: Path, case: str) -> None:
    name, make, says = REFUSALS[case]
    make(tmp_path / name)
    with pytest.raises(AttachmentError) as refusal:
        list(read_frames(tmp_path / name))
    sentence = str(refusal.value)
    assert sentence.startswith(f"“{name}” ")
    assert says in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A short video in each format."""
    folder = tmp_path_factory.mktemp("whole")
    for suffix, codec, container in FORMATS:
        write_video(
            folder / f"{codec}.{suffix}", counting(20), codec, container=container, rate=10, key_frames_every=10
        )
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_file_is_frames_or_a_sentence_and_never_a_traceback(
    tmp_path: Path, whole: dict[str, bytes], data: st.DataObject
) -> None:
    content = bytearray(whole[data.draw(st.sampled_from(sorted(whole)))])
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12)):
        content[place % len(content)] = value
    path = tmp_path / "damaged"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))] if data.draw(st.booleans()) else content)
    with suppress(AttachmentError):
        frames = list(read_frames(path))
        assert 1 <= len(frames) <= MAX_FRAMES
        assert all(frame.picture.mode == "RGB" for frame in frames)


@settings(max_examples=60)
@given(magic=st.sampled_from([b"\0\0\0\x18ftypisom", b"\x1a\x45\xdf\xa3", b"RIFF\0\0\0\0AVI LIST", b"G" * 188]),
       noise=st.binary(min_size=1, max_size=2_000))  # fmt: skip
def test_noise_is_frames_or_a_sentence_and_never_a_traceback(tmp_path: Path, magic: bytes, noise: bytes) -> None:
    path = tmp_path / "noise"
    path.write_bytes(magic + noise)
    with suppress(AttachmentError):
        assert list(read_frames(path))

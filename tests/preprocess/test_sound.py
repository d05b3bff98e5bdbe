"""Sound files as samples: every format, rate and number of channels gives the same sound; the rest is one sentence."""

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.preprocess.sound import MAX_SECONDS, SAMPLE_RATE, SoundStream, hear_sound, load_sound
from engine.protocol.errors import AttachmentError
from tests.media_files import tone, write_sound

FULL = MAX_SECONDS * SAMPLE_RATE
ENCODED = [("m4a", "aac", "ipod"), ("m4a", "alac", "ipod"), ("aac", "aac", "adts"), ("mp4", "aac", "mp4"),
           ("mov", "pcm_s16le", "mov"), ("mkv", "flac", "matroska"), ("webm", "libopus", "webm"),
           ("mp3", "mp3", "mp3")]  # fmt: skip


def assert_is_tone(samples: np.ndarray, seconds: float = 1.0, tolerance_s: float = 0.1) -> None:
    """440 Hz at half the full scale, as long as it was made."""
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert abs(len(samples) / SAMPLE_RATE - seconds) <= tolerance_s
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(spectrum.argmax() * SAMPLE_RATE / len(middle) - 440) < 3
    assert abs(middle.std() * np.sqrt(2) - 0.5) < 0.05


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM"]
)
def test_AU_2_a_wav_of_each_width_loads(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1), SAMPLE_RATE, subtype=subtype)
    assert_is_tone(load_sound(tmp_path / "a.wav"))


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAVEX", "PCM_24"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16"), ("CAF", "ALAC_16"),
     ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")],
)  # fmt: skip
def test_AU_2_every_format_loads_whatever_its_name_says(tmp_path: Path, kind: str, subtype: str) -> None:
    path = tmp_path / "a.raw"
    with path.open("wb") as file:
        soundfile.write(file, np.stack([tone(1, 48_000)] * 2, axis=1), 48_000, format=kind, subtype=subtype)
    assert_is_tone(load_sound(path))


@pytest.mark.parametrize(("suffix", "codec", "container"), ENCODED)
def test_AU_2_sound_that_ffmpeg_reads_loads_from_files_and_videos(
    tmp_path: Path, suffix: str, codec: str, container: str
) -> None:
    path = write_sound(tmp_path / f"a.{suffix}", np.stack([tone(1, 48_000)] * 2, axis=1), 48_000, codec, container)
    assert_is_tone(load_sound(path))
    assert_is_tone(load_sound(path.rename(tmp_path / "a.png")))


@pytest.mark.parametrize("name", ["http:a.m4a", "concat:a|b?c#d%20.m4a", "-i.m4a", "später.m4a"])
def test_a_name_is_never_more_than_a_name(tmp_path: Path, name: str) -> None:
    assert_is_tone(load_sound(write_sound(tmp_path / "a.m4a", tone(1), 16_000, "aac", "ipod").rename(tmp_path / name)))


def test_a_damaged_codec_tag_does_no_harm(tmp_path: Path) -> None:
    tagged(b"m\xff?a")(tmp_path / "a.m4a")
    assert_is_tone(load_sound(tmp_path / "a.m4a"))


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_AU_2_every_sample_rate_gives_the_same_samples(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1, rate_hz), rate_hz, subtype="FLOAT")
    samples = load_sound(tmp_path / "a.wav")
    assert len(samples) == SAMPLE_RATE
    middle = slice(800, -800)  # away from the resampler's edges
    assert np.abs(samples - tone(1))[middle].max() < 1e-3


def test_resampling_lets_nothing_above_8_khz_fold_back(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1, 48_000, 10_000), 48_000, subtype="FLOAT")
    assert np.abs(load_sound(tmp_path / "a.wav"))[800:-800].max() < 1e-4


@pytest.mark.parametrize(
    ("num_channels", "place", "weight"),
    [(1, 0, 1), (2, 0, 0.5), (2, 1, 0.5), (6, 0, 0.5), (6, 2, 0.71), (6, 3, 0), (6, 5, 0.35), (8, 7, 0.35), (64, 9, 1)],
)
def test_a_channel_counts_for_where_it_stands(tmp_path: Path, num_channels: int, place: int, weight: float) -> None:
    samples = np.zeros((8_000, num_channels), np.float32)
    samples[:, place] = tone(0.5)
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    assert np.allclose(load_sound(tmp_path / "a.wav"), tone(0.5) * weight, atol=1e-6)


def test_the_middle_is_found_in_the_order_of_each_format(tmp_path: Path) -> None:
    speech, noise = tone(1, 48_000), tone(1, 48_000, 3000) * 0.05
    wav = np.stack([noise, noise, speech, noise, noise, noise], axis=1)
    soundfile.write(tmp_path / "a.flac", wav, 48_000)
    soundfile.write(tmp_path / "a.ogg", wav[:, [0, 2, 1, 4, 5, 3]], 48_000)
    path = write_sound(tmp_path / "a.m4a", wav, 48_000, "aac", "ipod", layout="5.1")
    for each in (tmp_path / "a.flac", tmp_path / "a.ogg", path):
        samples = load_sound(each)
        spectrum = np.abs(np.fft.rfft(samples[4000:12_000] * np.hanning(8000)))
        assert spectrum[220] > 5 * spectrum[1500]
        assert samples[4000:12_000].std() * np.sqrt(2) == pytest.approx(0.5 * 0.71, rel=0.1)


@pytest.mark.parametrize("other", [-1.0, -0.9])
def test_one_channel_is_heard_where_the_sum_cancels(tmp_path: Path, other: float) -> None:
    stereo = np.stack([tone(1, 44_100), other * tone(1, 44_100)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 44_100, subtype="FLOAT")
    assert_is_tone(load_sound(tmp_path / "a.wav"))
    assert np.array_equal(SoundStream(SAMPLE_RATE).take(stereo.astype(np.float32)), stereo[:, 0])


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
def test_a_stream_is_read_to_its_end_whatever_its_header_says(tmp_path: Path, kind: str, size: int) -> None:
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        soundfile.write(file, tone(1), SAMPLE_RATE, format=kind, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    place = data.index(b"data") + 4
    data[4:8] = data[place : place + 4] = struct.pack("<I", size)
    if kind == "RF64":
        data[20:36] = struct.pack("<QQ", *[size if size < 0xFFFFFFFF else (1 << 64) - 1] * 2)
    path.write_bytes(data)
    assert_is_tone(load_sound(path))


def test_an_empty_stream_is_too_short(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0), SAMPLE_RATE)
    with pytest.raises(AttachmentError, match="too short"):
        load_sound(tmp_path / "a.wav")


@pytest.mark.parametrize("chunks", [1, 2])
@pytest.mark.parametrize("text", [b"even", b"odd"])
def test_what_stands_behind_no_samples_is_no_sound(tmp_path: Path, chunks: int, text: bytes) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(0), SAMPLE_RATE)
    words = b"LIST" + struct.pack("<I", 12_000 + len(text)) + bytes(12_000) + text
    path.write_bytes(path.read_bytes() + words + (bytes(len(text) % 2) + words) * (chunks - 1))
    with pytest.raises(AttachmentError, match="too short"):
        load_sound(path)


@pytest.mark.parametrize("extra", [1, 160, 4000])
def test_what_is_a_little_longer_is_cut_with_a_word(tmp_path: Path, extra: int) -> None:
    soundfile.write(tmp_path / "a.wav", np.resize(tone(1), FULL + extra), SAMPLE_RATE)
    samples, note = hear_sound(tmp_path / "a.wav")
    assert len(samples) == FULL
    assert note == "Only its first 30 seconds were heard."
    soundfile.write(tmp_path / "b.wav", np.resize(tone(1), FULL), SAMPLE_RATE)
    assert hear_sound(tmp_path / "b.wav")[1] == ""


def test_samples_at_16_khz_come_through_unchanged(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, 5_000).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", noise, SAMPLE_RATE, subtype="FLOAT")
    assert np.array_equal(load_sound(tmp_path / "a.wav"), noise)


def test_samples_over_the_full_scale_are_clipped(tmp_path: Path) -> None:
    loud = tone(1, 44_100) * 40
    loud[100] = 3e38
    soundfile.write(tmp_path / "a.wav", loud, 44_100, subtype="FLOAT")
    samples = load_sound(tmp_path / "a.wav")
    assert samples.max() == 1
    assert samples.min() == -1


def test_AU_10_silence_is_a_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(8_000), 8_000)
    samples = load_sound(tmp_path / "a.wav")
    assert len(samples) == SAMPLE_RATE
    assert not samples.any()


def test_a_wav_that_was_streamed_does_not_know_its_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1), SAMPLE_RATE)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    data[4:8] = data[40:44] = b"\xff" * 4
    (tmp_path / "a.wav").write_bytes(data)
    assert_is_tone(load_sound(tmp_path / "a.wav"))


# --- the limit of 30 seconds


@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
@pytest.mark.parametrize(("suffix", "codec", "container"), [*ENCODED[:3], ENCODED[-1]])
def test_AU_3_30_seconds_pass_with_the_encoders_padding_cut_off(
    tmp_path: Path, rate_hz: int, suffix: str, codec: str, container: str
) -> None:
    path = write_sound(tmp_path / f"a.{suffix}", tone(MAX_SECONDS, rate_hz), rate_hz, codec, container)
    assert len(load_sound(path)) == FULL


def test_AU_3_30_seconds_of_wav_are_whole(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(MAX_SECONDS, 44_100), 44_100)
    assert len(load_sound(tmp_path / "a.wav")) == FULL


@pytest.mark.parametrize(("suffix", "codec", "container"), [*ENCODED[:1], ENCODED[-1]])
def test_AU_3_a_longer_sound_is_refused_with_its_length(
    tmp_path: Path, suffix: str, codec: str, container: str
) -> None:
    path = write_sound(tmp_path / f"a.{suffix}", tone(31, 8_000), 8_000, codec, container)
    with pytest.raises(AttachmentError, match=rf"^“a\.{suffix}” lasts 31\.\d seconds\. Cut out a piece of at most 30"):
        load_sound(path)


@pytest.mark.parametrize(("suffix", "seconds", "says"), [("wav", 30.6, "lasts 30.6"), ("flac", 30.7, "lasts 30.7")])
def test_AU_3_what_no_encoder_has_padded_loses_nothing_in_silence(
    tmp_path: Path, suffix: str, seconds: float, says: str
) -> None:
    soundfile.write(tmp_path / f"a.{suffix}", tone(seconds), SAMPLE_RATE)
    with pytest.raises(AttachmentError, match=rf"{says} .*at most 30 seconds"):
        load_sound(tmp_path / f"a.{suffix}")


def wav_header(num_samples: int, rate_hz: int = SAMPLE_RATE) -> bytes:
    """The header of a mono 16-bit WAV."""
    size = 2 * num_samples
    return struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVEfmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16,
                       b"data", size)  # fmt: skip


@pytest.mark.parametrize(("hours", "says"), [(10, "lasts 10 hours"), (0.2, "lasts 12 minutes")])
def test_AU_3_a_recording_of_hours_is_refused_without_decoding_it(tmp_path: Path, hours: float, says: str) -> None:
    num_samples = round(hours * 3600 * SAMPLE_RATE)
    with (tmp_path / "talk.wav").open("wb") as file:
        file.write(wav_header(num_samples))
        file.truncate(44 + 2 * num_samples)  # sparse: nothing is stored
    with pytest.raises(AttachmentError, match=says):
        load_sound(tmp_path / "talk.wav")


# --- refusals


def not_numbers(path: Path) -> None:
    samples = tone(1)
    samples[7] = np.nan
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")


def endless(path: Path) -> None:
    samples = tone(1)
    samples[7] = np.inf
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")


def half_a_flac(path: Path) -> None:
    soundfile.write(path, tone(5), SAMPLE_RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def half_an_m4a(path: Path) -> None:
    write_sound(path, tone(5), SAMPLE_RATE, "aac", "ipod")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def tagged(tag: bytes) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        write_sound(path, tone(1), SAMPLE_RATE, "aac", "ipod")
        path.write_bytes(path.read_bytes().replace(b"mp4a", tag))

    return make


def playlist(path: Path) -> None:
    """A list that names another file: nothing but what was dropped may be opened."""
    write_sound(path.parent / "other.aac", tone(1), SAMPLE_RATE, "aac", "adts")
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{path.parent / 'other.aac'}\n#EXT-X-ENDLIST\n")


REFUSALS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "archive": ("things.wav", lambda path: path.write_bytes(b"PK\x03\x04" + bytes(60)), "not a sound"),
    "text": ("notes.mp3", lambda path: path.write_text("just words, " * 20), "not a sound"),
    "picture": ("photo.png", lambda path: Image.new("RGB", (64, 64), "red").save(path), "not a sound"),
    "playlist": ("list.m3u8", playlist, "not a sound"),
    "empty": ("nothing.wav", lambda path: path.write_bytes(b""), "is empty"),
    "folder": ("album", lambda path: path.mkdir(), "is a folder"),
    "missing": ("gone.mp3", lambda path: None, "is not there"),
    "device": ("pipe.wav", os.mkfifo, "not an ordinary file"),
    "no-samples": ("none.wav", lambda path: soundfile.write(path, tone(0), SAMPLE_RATE), "too short"),
    "10-ms": ("tick.wav", lambda path: soundfile.write(path, tone(1)[:160], SAMPLE_RATE), "too short"),
    "not-numbers": ("nan.wav", not_numbers, "no numbers"),
    "infinite": ("inf.wav", endless, "no numbers"),
    "1-hz": ("slow.wav", lambda path: soundfile.write(path, tone(1), 1), "sample rate"),
    "200-mhz": ("fast.wav", lambda path: soundfile.write(path, tone(1), 200_000_000), "sample rate"),
    "half-a-flac": ("half.flac", half_a_flac, "damaged"),
    "half-an-m4a": ("half.m4a", half_an_m4a, "damaged"),
    "protected": ("song.m4a", tagged(b"drms"), "protected"),
    "encrypted": ("song.m4a", tagged(b"enca"), "protected"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_no_sound_is_refused_in_one_sentence_that_names_it(tmp_path: Path, case: str) -> None:
    name, make, says = REFUSALS[case]
    path = tmp_path / name
    make(path)
    with pytest.raises(AttachmentError) as refusal:
        load_sound(path)
    sentence = str(refusal.value)
    assert sentence.startswith(f"“{name}” ")
    assert says in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "Errno" not in sentence


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A short sound in each family of formats."""
    folder = tmp_path_factory.mktemp("whole")
    samples = tone(0.3, 44_100)
    for suffix in ("wav", "flac", "ogg", "mp3", "aiff", "caf"):
        soundfile.write(folder / f"a.{suffix}", samples, 44_100)
    for suffix, codec, container in (*ENCODED[:3], *ENCODED[5:7]):
        write_sound(folder / f"{codec}.{suffix}", tone(0.3, 48_000), 48_000, codec, container)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@settings(max_examples=150)
@given(data=st.data())
def test_a_damaged_file_is_a_sound_or_a_sentence_and_never_a_traceback(
    tmp_path: Path, whole: dict[str, bytes], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(whole)))
    content = bytearray(whole[name])
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=12)):
        content[place % len(content)] = value
    path = tmp_path / "damaged"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    with suppress(AttachmentError):
        samples = load_sound(path)
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() <= 1
        assert len(samples) <= FULL


@settings(max_examples=100)
@given(
    magic=st.sampled_from([b"", b"RIFF\0\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"ID3\4", b"\xff\xfb\x90", b"FORM", b"caff",
                           b"\0\0\0\x18ftypM4A ", b"\x1a\x45\xdf\xa3", b"\xff\xf1", b"riff"]),
    noise=st.binary(min_size=1, max_size=2_000),
)  # fmt: skip
def test_noise_is_a_sound_or_a_sentence_and_never_a_traceback(tmp_path: Path, magic: bytes, noise: bytes) -> None:
    path = tmp_path / "noise"
    path.write_bytes(magic + noise)
    with suppress(AttachmentError):
        assert load_sound(path).dtype == np.float32

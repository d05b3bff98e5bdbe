"""Sounds and videos that tests make themselves, and pictures as the model takes them."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pillow_heif
from PIL import Image

from engine.media.attachment import load_picture
from engine.preprocess.image import PATCH_SIZE, ImageInput, plan_image, prepare_image


def tone(seconds: float, rate_hz: int = 16_000, frequency_hz: float = 440.0) -> np.ndarray:
    """A sine of half the full scale, samples [n] float32."""
    n = np.arange(round(seconds * rate_hz))
    return (0.5 * np.sin(2 * np.pi * frequency_hz * n / rate_hz)).astype(np.float32)


def write_sound(path: Path, samples: np.ndarray, rate_hz: int, codec: str, container: str, layout: str = "") -> Path:
    """Encode samples [n] or [n, channels] with FFmpeg: what soundfile cannot write."""
    planes = np.ascontiguousarray(samples.reshape(len(samples), -1).T)
    layout = layout or ("mono" if len(planes) == 1 else "stereo")
    frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), 0
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.open()
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.format, stream.layout, rate_hz, frame_size=size)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            output.mux(stream.encode(piece))
    return path


def write_video(
    path: Path, pictures: Iterable[np.ndarray], codec: str = "libx264", *, container: str = "mp4",
    container_options: dict[str, str] | None = None, rate: Fraction | int = 30, times: Sequence[int] = (),
    pixels: str = "yuv420p", key_frames_every: int = 30, pixel_shape: Fraction | None = None,
    turn: tuple[float, bool, bool] = (0, False, False), samples: np.ndarray | None = None,
) -> Path:  # fmt: skip
    """Encode pictures [height, width, 3 or 4]; times are in 1 / rate seconds, turn is degrees and two flips."""
    with av.open(str(path), "w", format=container, container_options=container_options) as output:
        stream = output.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt, stream.gop_size = pixels, key_frames_every
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "bf": "2", "qp": "4", "x264-params": "scenecut=0"}
        if pixel_shape is not None:
            stream.codec_context.sample_aspect_ratio = pixel_shape
        if any(turn):
            stream.set_display_rotation(*turn)
        sound = None if samples is None else output.add_stream("aac", rate=16_000, layout="mono")
        for index, picture in enumerate(pictures):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24" if picture.shape[2] == 3 else "rgba")
            frame.pts = times[index] if times else index
            frame.time_base = 1 / Fraction(rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if samples is not None and isinstance(sound, av.AudioStream):
            for start in range(0, len(samples), 1024):
                piece = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
                piece.sample_rate, piece.pts = 16_000, start
                output.mux(sound.encode(piece))
            output.mux(sound.encode(None))
    return path


def image(path: Path, budget: int, patch_size: int = PATCH_SIZE) -> ImageInput:
    """A picture file as the engine makes it ready for the model, decoded here."""
    picture = load_picture(path)
    return prepare_image(picture, plan_image(*picture.size, budget), patch_size)


def write_picture(picture: Image.Image, path: Path, quality: int = 75, exif: bytes = b"") -> None:
    """A picture file of the kind that the suffix names; HEIC by a library of the tests, as the app's only reads it."""
    if path.suffix.lower() == ".heic":
        pillow_heif.from_pillow(picture).save(path, quality=quality, exif=exif or None)
    else:
        picture.save(path, quality=quality, exif=exif)

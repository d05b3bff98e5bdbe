"""Does this installation work? Loads the sample, reads pictures that it draws itself, and listens to a clip."""

import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path

import mlx.core as mx
from PIL import Image, ImageDraw, ImageFont

from engine import version
from engine.backend import backend_name, compute_dtype, metal_build, this_machine
from engine.blas import blas_name
from engine.checkpoint.sample import sample_checkpoint
from engine.engine import Engine
from engine.protocol.errors import EngineError
from engine.protocol.events import Event, TextDelta
from engine.protocol.messages import Sound, user
from engine.protocol.options import GREEDY, Options
from engine.tasks.ocr import default_budget, read_text

__all__ = ["SelfTestFailed", "SelfTestReport", "draw_line", "run_selftest"]

LINES = ("HELLO 2026", "Cabochon")
CLIP = "clip-0.wav"


class SelfTestFailed(EngineError):
    """The installation runs but gives wrong answers."""


@dataclass(frozen=True)
class SelfTestReport:
    """What ran and what it read."""

    versions: dict[str, str]
    backend: str
    compute_dtype: str
    multiplies_with: str
    """The library of matrix products."""
    gmac_per_second: float
    """Billions of multiplications and additions that it does in a second."""
    peak_memory_bytes: int
    read: dict[str, str]
    """What was drawn, and what was read."""
    heard: dict[str, str]
    """What was said, and what was heard."""
    advice: str = ""
    """What another build would do better on this machine."""


def run_selftest() -> SelfTestReport:
    """Raises EngineError when something does not work."""
    engine = Engine.load(sample_checkpoint())
    with tempfile.TemporaryDirectory(prefix="cabochon-") as folder:
        read = dict(_read_drawn_lines(engine, Path(folder)))
    heard = dict(_hear_clip(engine, sample_checkpoint() / "heldout"))
    wrong = [f"{drawn!r} was read as {text!r}" for drawn, text in read.items() if text != drawn]
    wrong += [f"{said!r} was heard as {text!r}" for said, text in heard.items() if text != said]
    if wrong:
        raise SelfTestFailed(f"The self-test failed: {'; '.join(wrong)}.")
    packages = ("mlx", "numpy", "pillow", "tokenizers", "safetensors", "msgspec")
    versions = {"cabochon": version.VERSION, "python": platform.python_version(), "system": _system()}
    versions |= {name: installed_version(name) for name in packages}
    if build := metal_build():
        versions["kernels"] = build
    peak_memory_bytes = mx.get_peak_memory()
    return SelfTestReport(
        versions=versions,
        backend=engine.info.backend,
        compute_dtype=engine.info.compute_dtype,
        multiplies_with="Metal" if backend_name() == "metal" else blas_name(),
        gmac_per_second=_gmac_per_second(),
        peak_memory_bytes=peak_memory_bytes,
        read=read,
        heard=heard,
        advice=this_machine().advice,
    )


def draw_line(text: str, size: tuple[int, int] = (640, 160)) -> Image.Image:
    """Dark print on white in Pillow's own font, so that no font of the system is needed."""
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(min(size[1] * 0.6, 1.5 * size[0] / len(text)))
    pen.text((size[0] / 2, size[1] / 2), text, fill="black", font=font, anchor="mm")
    return picture


def _read_drawn_lines(engine: Engine, folder: Path) -> Iterator[tuple[str, str]]:
    for index, line in enumerate(LINES):
        path = folder / f"{index}.png"
        draw_line(line).save(path)
        yield line, _text(read_text(engine, path, default_budget(engine)))


def _hear_clip(engine: Engine, folder: Path) -> Iterator[tuple[str, str]]:
    """Spoken digits that lie beside the sample."""
    said = json.loads((folder / "clips.json").read_text(encoding="utf-8"))[CLIP]
    yield said, _text(engine.respond([user("What do you hear?", Sound(str(folder / CLIP)))], Options(GREEDY)))


def _gmac_per_second(side: int = 1024, products: int = 4) -> float:
    """The speed of matrix products that are long enough to be divided among cores."""
    matrix = mx.ones((side, side), compute_dtype())
    mx.eval(matrix @ matrix)
    started = time.perf_counter()
    mx.eval([matrix @ matrix for _ in range(products)])
    return products * side**3 / (time.perf_counter() - started) / 1e9


def _text(events: Iterable[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def _system() -> str:
    return f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else f"{platform.system()} {platform.release()}"

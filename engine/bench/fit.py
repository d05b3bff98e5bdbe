"""Predicted against measured memory: one model, one use, one process, which prints the figures as a line of JSON.

Run as `python -m engine.bench.fit MODEL CONTEXT BUDGET HEARS`, or as `cabochon bench fit`, which starts a fresh process
for each use: the peak of one must not hide that of another.
"""

import json
import sys
import tempfile
import wave
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.checkpoint.fit import fit, in_words
from engine.protocol.models import Fit, Use

__all__ = ["SOUND", "fit_line", "fit_report", "measure_fit", "write_sound"]

NEW_TOKENS = 4

SOUND = bytes(range(256)) * (30 * 16_000 * 2 // 256)
"""Samples of 16 bits, 16,000 a second."""


def fit_report(models: list[Path], contexts: list[int]) -> Iterator[dict[str, object]]:
    """Figures of each model with text alone, at each context, then with a picture and with a sound if it takes them."""
    from engine.bench.run import run_apart
    from engine.checkpoint.contents import read_contents

    for model in models:
        config = read_contents(model).config
        uses = [Use(context, budget=0) for context in contexts]
        if config.vision is not None:
            uses += [Use(contexts[0], budget) for budget in (280, 1120)]
        if config.audio is not None:
            uses.append(Use(max(contexts[0], 1024), budget=0, hears=True))
        for use in uses:
            yield run_apart("fit", model.name, str(model), str(use.context), str(use.budget), str(int(use.hears)))


def fit_line(figures: Mapping[str, Any]) -> str:
    """The same for a person."""
    what = f"budget {figures['budget']}" if figures["budget"] else "sound" if figures["hears"] else "text"
    predicted, measured = (in_words(figures[key]) for key in ("predicted_bytes", "measured_bytes"))
    place = f"{figures['model']:24} {figures['context']:7,} tokens, {what:11}"
    return f"{place} predicted {predicted:>8}, measured {measured:>8}, ratio {figures['ratio']:.2f}"


def measure_fit(model: Path, use: Use) -> dict[str, object]:
    """Bytes that were predicted, and the peak of MLX's memory from the start of loading on."""
    import mlx.core as mx

    from engine.backend import this_machine
    from engine.engine import Engine
    from engine.protocol.messages import Media, Picture, Sound, user
    from engine.protocol.options import GREEDY, Options

    engine = Engine.load(model)
    media: list[Media] = []
    with tempfile.TemporaryDirectory(prefix="cabochon-") as folder:
        if use.budget:
            media.append(Picture(str(_picture(Path(folder) / "page.png")), use.budget))
        if use.hears:
            media.append(Sound(str(write_sound(Path(folder) / "clip.wav"))))
        text = _text(lambda words: len(engine.prepare([user(words, *media)])), use.context - NEW_TOKENS)
        prompt = engine.prepare([user(text, *media)])
        mx.clear_cache()
        list(engine.respond([user(text, *media)], Options(GREEDY, max_new_tokens=NEW_TOKENS)))
    shapes, measured = engine.info.shapes, mx.get_peak_memory()
    assert shapes is not None
    used = msgspec.structs.replace(use, context=len(prompt) + NEW_TOKENS)
    predicted = fit(shapes, this_machine(), used)
    return _figures(model.name, used, predicted, measured)


def _figures(name: str, use: Use, predicted: Fit, measured_bytes: int) -> dict[str, object]:
    return {
        "model": name,
        "context": use.context,
        "budget": use.budget,
        "hears": use.hears,
        "predicted_bytes": predicted.needed_bytes,
        "measured_bytes": measured_bytes,
        "ratio": round(predicted.needed_bytes / measured_bytes, 3),
        "parts": {
            "weights": predicted.weights_bytes,
            "context": predicted.context_bytes,
            "media": predicted.media_bytes,
            "work": predicted.work_bytes,
        },
    }


def _text(count_tokens: Callable[[str], int], num_tokens: int) -> str:
    """Words with which a message becomes a prompt of about so many tokens, and not of more."""
    least, more = count_tokens(""), count_tokens("word " * 100)
    return "word " * max(1, int((num_tokens - least) * 100 / (more - least)))


def _picture(path: Path) -> Path:
    """A page whose shape takes a whole budget."""
    from PIL import Image

    Image.effect_noise((1536, 1536), 64).convert("RGB").save(path)
    return path


def write_sound(path: Path) -> Path:
    """Thirty seconds, as long as a clip may be."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(SOUND)
    return path


if __name__ == "__main__":
    folder_name, context, budget, hears = sys.argv[1:]
    print(json.dumps(measure_fit(Path(folder_name), Use(int(context), int(budget), bool(int(hears))))))

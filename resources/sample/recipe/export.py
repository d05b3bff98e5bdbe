"""Write a training checkpoint as a model folder in the released Gemma 4 layout.

    SAMPLE_BANK=BANK_FOLDER python export.py WEIGHTS OUT_FOLDER

WEIGHTS is a checkpoint, whose running mean is taken, or a mean of several (see means.py). Measures the clip bounds of
the towers' linears on pictures at three budgets, on pieces of page lines and on clips (the widest values seen, times
1.5), and writes the folder. Its subfolder heldout/ gets some of the held-out lines, cards, pieces, clips and sums, for
tests.
"""

from __future__ import annotations

import io
import json
import sys
import wave
from pathlib import Path

import data
import model
import numpy as np
import pages
import speech
import tokenizer
import torch
from evaluate import (
    held_out_card,
    held_out_clip,
    held_out_line,
    held_out_piece,
    held_out_sum,
    load,
    picture_inputs,
)
from means import mean_of
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

MARGIN = 1.5
# As in the released files.
AUDIO_FRONT_END = {
    "feature_extractor_type": "Gemma4AudioFeatureExtractor",
    "dither": 0.0,
    "feature_size": 128,
    "fft_length": 512,
    "fft_overdrive": False,
    "frame_length": 320,
    "hop_length": 160,
    "input_scale_factor": 1.0,
    "max_frequency": 8000.0,
    "mel_floor": 0.001,
    "min_frequency": 0.0,
    "padding_side": "right",
    "padding_value": 0.0,
    "per_bin_mean": None,
    "per_bin_stddev": None,
    "preemphasis": 0.0,
    "preemphasis_htk_flavor": True,
    "return_attention_mask": True,
    "sampling_rate": 16000,
}
WITNESSES = {70: 48, 140: 16, 280: 16}  # pictures by budget; the same number of lines and cards
PIECES = 80
CLIPS = 80


def tensors(params: model.Params) -> dict[str, Tensor]:
    out = {n: p.to(torch.bfloat16).contiguous() for n, p in params.items()}
    for i in range(model.LAYERS):
        out[f"{model.LM}layers.{i}.layer_scalar"] = torch.tensor([model.LAYER_SCALAR], dtype=torch.bfloat16)
    return out


def bounds(folder: Path) -> dict[str, Tensor]:
    """Clip bounds from what the stock model's towers see and hear."""
    net = load(folder)
    extremes: dict[str, list[float]] = {}
    names = {m: n for n, m in net.named_modules() if type(m).__name__ == "Gemma4ClippableLinear"}

    def watch(module: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
        seen = extremes.setdefault(names[module], [0.0, 0.0, 0.0, 0.0])
        now = (args[0].min(), args[0].max(), out.min(), out.max())
        for i, v in enumerate(now):
            seen[i] = (min, max)[i % 2](seen[i], float(v))

    hooks = [m.register_forward_hook(watch) for m in names]
    with torch.no_grad():
        for budget, count in WITNESSES.items():
            for n in range(count):
                rng = np.random.default_rng([model.VISION["hidden_size"], budget, n])
                rows = 1 + n % 5
                text = data.card_text(rng, rows, 2, 10)
                width, height = data.everyday_size(rng) if rows == 1 else data.card_size(rng, rows)
                p = data.render(rng, text, width, height, data.pick_family(rng))
                net.model.get_image_features(**picture_inputs(p.image, budget))
        for n in range(PIECES):
            rng = np.random.default_rng([model.VISION["hidden_size"], n])
            p = data.draw_piece(rng, pages.target(rng, data.press(70).rule), 70)
            net.model.get_image_features(**picture_inputs(p.image, 70))
        for n in range(CLIPS):
            rng = np.random.default_rng([model.AUDIO["hidden_size"], n])
            clip = speech.make_clip(rng, speech.draw_length(rng, (1.0, 5.0)))
            mel = torch.from_numpy(speech.features(clip.samples))[None]
            net.model.get_audio_features(mel, torch.ones(mel.shape[:2], dtype=torch.bool))
    for h in hooks:
        h.remove()
    ends = ("input_min", "input_max", "output_min", "output_max")
    return {
        f"{n}.{e}": torch.tensor(MARGIN * v, dtype=torch.bfloat16)
        for n, four in extremes.items()
        for e, v in zip(ends, four, strict=True)
    }


def side_files(folder: Path) -> None:
    def put(name: str, content: dict) -> None:
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")

    put("config.json", model.config())
    put(
        "generation_config.json",
        {
            "bos_token_id": 2,
            "do_sample": False,
            "eos_token_id": [1, 106, 50],
            "pad_token_id": 0,
            "suppress_tokens": sorted(tokenizer.MEDIA.values()),
            "transformers_version": "5.23.0",
        },
    )
    picture: dict = {"do_convert_rgb": True, "do_rescale": True, "do_resize": True}
    picture |= {"image_mean": [0.0, 0.0, 0.0], "image_std": [1.0, 1.0, 1.0], "patch_size": 16}
    picture |= {"pooling_kernel_size": 3, "resample": 3, "rescale_factor": 1 / 255}
    still = {"image_processor_type": "Gemma4ImageProcessor", "do_normalize": False, "image_seq_length": 280}
    video = {"video_processor_type": "Gemma4VideoProcessor", "do_normalize": True, "do_sample_frames": True}
    put(
        "processor_config.json",
        {
            "audio_ms_per_token": 40,
            "audio_seq_length": 750,
            "feature_extractor": AUDIO_FRONT_END,
            "image_processor": {**still, "max_soft_tokens": 280, **picture},
            "image_seq_length": 280,
            "processor_class": "Gemma4Processor",
            "video_processor": {
                **video,
                "max_soft_tokens": 70,
                "num_frames": 32,
                "return_metadata": False,
                **picture,
            },
        },
    )
    tokenizer.save(folder)


def pack(image: Image.Image) -> tuple[str, bytes]:
    """A picture as PNG where that is small, else as JPEG."""
    kind, packed = "png", io.BytesIO()
    image.save(packed, "PNG", optimize=True)
    for quality in (85, 70, 55, 40):
        if packed.tell() > 30_000:
            kind, packed = "jpg", io.BytesIO()
            image.save(packed, "JPEG", quality=quality)
    return kind, packed.getvalue()


def held_out_files(folder: Path) -> None:
    """Twelve lines, twelve pieces, two cards of each number of lines, six clips and twelve sums; their answers."""
    folder.mkdir(exist_ok=True)

    def put(name: str, said: dict[str, str]) -> None:
        (folder / name).write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")

    def keep(name: str, p: data.Picture, texts: dict[str, str]) -> None:
        kind, content = pack(p.image)
        texts[f"{name}.{kind}"] = p.text
        (folder / f"{name}.{kind}").write_bytes(content)

    lines: dict[str, str] = {}
    cards: dict[str, str] = {}
    pieces: dict[str, str] = {}
    clips: dict[str, str] = {}
    for n in range(12):
        keep(f"{n:02d}", held_out_line(n), lines)
        keep(f"piece-{n:02d}", held_out_piece(n), pieces)
    for n in (3, 4, 6, 7, 9, 10, 12, 13):
        keep(f"card-{n:02d}", held_out_card(n), cards)
    for n in range(6):
        clip = held_out_clip(n)
        clips[f"clip-{n}.wav"] = clip.text
        with wave.open(str(folder / f"clip-{n}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(speech.RATE)
            sound.writeframes((clip.samples * 32767).round().astype(np.int16).tobytes())
    put("heldout.json", lines)
    put("cards.json", cards)
    put("pieces.json", pieces)
    put("clips.json", clips)
    put("sums.json", {text: str(s.value) for s, text in map(held_out_sum, range(12))})


def main() -> None:
    source, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    side_files(folder)
    held_out_files(folder / "heldout")
    weights = tensors(mean_of(source))
    infinite = {
        f"{n.removesuffix('.linear.weight')}.{end}": torch.tensor(sign * torch.inf, dtype=torch.bfloat16)
        for n in weights
        if n.endswith(".linear.weight")
        for end, sign in (("input_min", -1), ("input_max", 1), ("output_min", -1), ("output_max", 1))
    }
    save_file(weights | infinite, folder / "model.safetensors", metadata={"format": "pt"})
    weights |= bounds(folder)
    save_file(dict(sorted(weights.items())), folder / "model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()

"""Write a training checkpoint as a model folder in the released Gemma 4 layout.

    python export.py RUN_FOLDER/last.pt OUT_FOLDER

Takes the running mean of the weights, measures the clip bounds of the vision tower's linears on pictures at
three budgets (the widest values seen, times 1.5), and writes the folder. Its subfolder heldout/ gets the
first pictures of the held-out set, for tests.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import data
import model
import numpy as np
import tokenizer
import torch
from evaluate import HELD_OUT_SEED, load, picture_inputs
from safetensors.torch import save_file
from torch import Tensor, nn

MARGIN = 1.5
# As in the released files; the sample has no audio tower, but stock processors ask for the entry.
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
WITNESSES = {70: 48, 140: 16, 280: 16}


def tensors(params: model.Params) -> dict[str, Tensor]:
    out = {n: p.to(torch.bfloat16).contiguous() for n, p in params.items()}
    for i in range(model.LAYERS):
        out[f"{model.LM}layers.{i}.layer_scalar"] = torch.tensor([model.LAYER_SCALAR], dtype=torch.bfloat16)
    return out


def bounds(folder: Path) -> dict[str, Tensor]:
    """Clip bounds from what the stock model's vision tower sees."""
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
                width, height = data.everyday_size(rng)
                p = data.render(rng, data.line(rng, 2, 10), width, height, data.pick_family(rng))
                net.model.get_image_features(**picture_inputs(p.image, budget))
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


def held_out_files(folder: Path, count: int = 12) -> None:
    """The first pictures of the held-out set, as PNG where that is small, else as JPEG, and what they say."""
    folder.mkdir(exist_ok=True)
    said = {}
    for n in range(count):
        p = data.held_out(HELD_OUT_SEED, n)
        kind, packed = "png", io.BytesIO()
        p.image.save(packed, "PNG", optimize=True)
        for quality in (85, 70, 55, 40):
            if packed.tell() > 30_000:
                kind, packed = "jpg", io.BytesIO()
                p.image.save(packed, "JPEG", quality=quality)
        name = f"{n:02d}.{kind}"
        (folder / name).write_bytes(packed.getvalue())
        said[name] = p.text
    (folder / "heldout.json").write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    side_files(folder)
    held_out_files(folder / "heldout")
    weights = tensors(torch.load(source, weights_only=True)["mean"])
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

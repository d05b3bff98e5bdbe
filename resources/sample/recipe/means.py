"""Means of weights, and which of several is best: the loss of each on batches that were never trained, by kind.

    python means.py WEIGHTS [WEIGHTS ...]

WEIGHTS are checkpoints or model folders with their shares: RUN/leg33.pt, or RUN/leg33.pt:0.7,..:0.3 for a mean; behind
an @ those of the audio tower, where they are others: RUN/leg46.pt@RUN/leg46.pt:0.5,..:0.5. The kinds are those of the
last leg, without mistakes to go on from. Takes half a minute each on a CPU core.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import model
import numpy as np
import torch
from data import make_batch
from legs import LEGS, SEED
from safetensors.torch import load_file
from train import loss_of, tensors

EACH = 2  # batches of a kind


def weights_of(where: str) -> model.Params:
    """The running mean of a checkpoint, or what a model folder holds."""
    path = Path(where)
    return load_file(path / "model.safetensors") if path.is_dir() else torch.load(path, weights_only=True)["mean"]


def mean_of(shares: str) -> model.Params:
    """Float32 weights of PLACE[:SHARE],PLACE[:SHARE]… added up; behind an @ those of the audio tower."""
    shares, _, ears = shares.partition("@")
    if ears:
        return mean_of(shares) | {n: p for n, p in mean_of(ears).items() if "audio" in n}
    out: model.Params = {n: torch.zeros_like(p) for n, p in model.start(SEED).items()}
    for part in shares.split(","):
        where, _, share = part.partition(":")
        weights = weights_of(where)
        for n, p in out.items():
            p.add_(weights[n].float(), alpha=float(share or 1))
    return out


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("weights", nargs="+")
    kinds = [replace(m, stumble=0.0) for m in LEGS[-1].mixes]
    batches = [
        [make_batch(np.random.default_rng([SEED, 99, i, k]), m) for k in range(EACH)] for i, m in enumerate(kinds)
    ]
    for shares in ap.parse_args().weights:
        w = mean_of(shares)
        with torch.no_grad():
            losses = [float(np.mean([loss_of(w, tensors(b))[0].item() for b in group])) for group in batches]
        print(f"{np.mean(losses):.4f}", shares, " ".join(f"{i}:{x:.4f}" for i, x in enumerate(losses)), flush=True)


if __name__ == "__main__":
    main()

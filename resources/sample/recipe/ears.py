"""Train the audio tower alone first, so that its soft tokens look like the digits heard.

    SAMPLE_BANK=BANK_FOLDER python ears.py STEPS --out RUN_FOLDER --resume CHECKPOINT

Connectionist temporal classification against the (fixed) embeddings of the ten digits and one learned blank.
Writes RUN_FOLDER/ears.pt, the checkpoint with the tower in it.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import model
import numpy as np
import speech
import tokenizer as tk
import torch
from evaluate import edits
from torch import Tensor
from torch.nn.functional import ctc_loss
from train import Optimiser

torch.set_num_threads(1)
SEED = 20261


def draw(
    rng: np.random.Generator, count: int, seconds: tuple[float, float], name: str = "trained"
) -> tuple[Tensor, list[str]]:
    length = speech.draw_length(rng, seconds)
    clips = [speech.make_clip(rng, length, name) for _ in range(count)]
    return torch.from_numpy(np.stack([speech.features(c.samples) for c in clips])), [
        c.text.replace(" ", "") for c in clips
    ]


def scores(w: model.Params, mel: Tensor, digits: Tensor) -> Tensor:
    """Log probabilities [B, n, 11] of blank and digits."""
    y = torch.cat([w["blank"][None], digits]) * 8.0 / digits.pow(2).sum(1).mean()
    return (model.hearing(w, mel) @ y.T).log_softmax(-1)


def collapse(best: list[int]) -> str:
    return "".join(str(b - 1) for a, b in zip([0, *best], best, strict=False) if b and b != a)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("steps", type=int)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--resume", type=Path, required=True)
    ap.add_argument("--rate", type=float, default=3e-3)
    a = ap.parse_args()
    state = torch.load(a.resume, weights_only=True)
    ids = torch.tensor([tk.encode(str(d))[0] for d in range(10)])
    digits = state["master"][model.LM + "embed_tokens.weight"][ids] * model.HIDDEN**0.5
    fresh = model.start_hearing(torch.Generator().manual_seed(SEED))
    w = {n: state["master"].get(n, p).requires_grad_() for n, p in fresh.items()}
    w["blank"] = torch.zeros(model.HIDDEN, requires_grad=True)
    opt = Optimiser(w)
    begin = time.time()
    losses: list[float] = []
    for step in range(a.steps):
        done = step / a.steps
        rng = np.random.default_rng([SEED, 77, step])
        longest = 1.2 + 3.8 * min(1.0, done * 1.7)
        mel, said = draw(rng, int(min(64, 96 / longest)), (0.9, longest))
        y = scores(w, mel, digits).transpose(0, 1)
        loss = ctc_loss(
            y,
            torch.tensor([int(d) + 1 for s in said for d in s]),
            torch.full((len(said),), y.shape[0]),
            torch.tensor([len(s) for s in said]),
            zero_infinity=True,
        )
        loss.backward()
        opt.step(a.rate * min(1.0, (step + 1) / 40) * (1 - done) + 1e-5)
        losses.append(loss.item())
        if step % 50 == 49:
            with torch.no_grad():
                mel, said = draw(np.random.default_rng([9, step]), 48, (2.0, 4.0), "heldout")
                best = scores(w, mel, digits).argmax(-1).tolist()
            wrong = sum(edits(s, collapse(b)) for s, b in zip(said, best, strict=True))
            rate = 100 * wrong / sum(map(len, said))
            minutes = (time.time() - begin) / 60
            print(f"{step + 1} {minutes:.1f} min loss {np.mean(losses[-50:]):.3f} held out {rate:.1f} %", flush=True)
        if step % 200 == 199 or step == a.steps - 1:
            del_blank = {n: p.detach() for n, p in w.items() if n != "blank"}
            torch.save(
                state | {"master": state["master"] | del_blank, "mean": state["mean"] | del_blank}, a.out / "ears.pt"
            )


if __name__ == "__main__":
    main()

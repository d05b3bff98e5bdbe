"""Train the sample, one leg of the curriculum at a time: on one CPU core, or on an accelerator if there is one.

    python train.py LEG --out RUN_FOLDER [--resume CHECKPOINT] [--ears CHECKPOINT] [--cores N]

LEG is an index into LEGS; each starts from the checkpoint of the one before (--resume RUN_FOLDER/legN.pt), or from
published weights (--resume MODEL_FOLDER), then with a new optimiser. With --cores N the batches of a step are shared
out to N processes, which add up their gradients. `touch RUN_FOLDER/next` ends a leg early. Checkpoints hold the
float32 weights, their running mean and the optimiser state. See README.md for the legs as they were run.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing as mp
import os
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import model
import numpy as np
import torch
import torch.distributed as dist
from data import Arrays, make_batch
from legs import LEGS, SEED, Leg
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
torch.backends.mkldnn.matmul.fp32_precision = "bf16"  # where the processor has it


# ------------------------------------------------------------------------------------------------ data --
def drawer(queue: Any, leg: int, first: int, stride: int, scale: int) -> None:
    """A data process: batch number n of a leg depends on nothing but (seed, leg, n) and the scale of batches."""
    torch.set_num_threads(1)
    mixes = [replace(m, batch=m.batch * scale) for m in LEGS[leg].mixes]
    weights = np.array([m.weight for m in mixes])
    n = first
    while True:
        rng = np.random.default_rng([SEED, leg, n])
        which = int(rng.choice(len(mixes), p=weights / weights.sum()))
        queue.put((n, which, make_batch(rng, mixes[which])))
        n += stride


def tensors(a: Arrays, device: str = "cpu") -> model.Batch:
    def t(x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(x).to(device)

    return model.Batch(
        t(a.ids),
        t(a.ask),
        t(a.labels),
        [(t(patches), t(where), columns) for patches, where, columns in a.pictures],
        [(t(mel), t(where)) for mel, where in a.clips],
        a.still,
    )


# ------------------------------------------------------------------------------------------- optimiser --
def orthogonal(g: torch.Tensor) -> torch.Tensor:
    """Nearest (semi-)orthogonal matrices to a stack of matrices, by Newton-Schulz iteration."""
    x = g
    flip = x.shape[-2] > x.shape[-1]
    if flip:
        x = x.transpose(-1, -2).contiguous()
    x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
    for _ in range(5):
        a = x @ x.transpose(-1, -2)
        x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.transpose(-1, -2) if flip else x


class Optimiser:
    """Muon for the matrices inside layers, Adam for embeddings, norms and the position table."""

    def __init__(self, params: model.Params) -> None:
        self.params = params
        self.step_count = 0
        self.state: dict[str, torch.Tensor] = {}
        groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for n, p in params.items():
            if p.dim() == 2 and "embed_tokens" not in n:
                groups[tuple(p.shape)].append(n)
        self.muon = list(groups.values())
        self.adam = [n for n in params if not any(n in g for g in self.muon)]

    def make_room(self) -> None:
        """Fill up state read from a checkpoint made before the audio tower joined (its matrices come last)."""
        for names in self.muon:
            old = self.state.get("m:" + names[0])
            if old is not None and len(old) < len(names):
                new = old.new_zeros(len(names), *old.shape[1:])
                new[: len(old)] = old
                self.state["m:" + names[0]] = new

    @torch.no_grad()
    def step(self, lr: float, decay: float = 0.05) -> None:
        self.step_count += 1
        grads = {n: p.grad for n, p in self.params.items() if p.grad is not None}  # what took no part stays
        norm = math.sqrt(sum(float(g.pow(2).sum()) for g in grads.values()))
        clip = min(1.0, 2.0 / (norm + 1e-9))
        for group in self.muon:
            part = [i for i, n in enumerate(group) if n in grads]
            if not part:
                continue
            g = torch.stack([grads[group[i]] for i in part]) * clip
            memory = self.state.setdefault("m:" + group[0], torch.zeros(len(group), *g.shape[1:]))
            m = memory[part].mul_(0.95).add_(g)
            memory[part] = m
            u = orthogonal(g + 0.95 * m) * (0.2 * max(g.shape[1:]) ** 0.5)
            for i, step in zip(part, u, strict=True):
                self.params[group[i]].mul_(1 - lr * decay).add_(step, alpha=-lr)
        b1, b2 = 0.9, 0.98
        for n in self.adam:
            if n not in grads:
                continue
            g, p = grads[n] * clip, self.params[n]
            m = self.state.setdefault("a:" + n, torch.zeros_like(p))
            v = self.state.setdefault("v:" + n, torch.zeros_like(p))
            m.mul_(b1).add_(g, alpha=1 - b1)
            v.mul_(b2).addcmul_(g, g, value=1 - b2)
            t = self.step_count
            p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt_().add_(1e-8), value=-lr)
        for p in self.params.values():
            p.grad = None


# -------------------------------------------------------------------------------------------- training --
def loss_of(w: model.Params, b: model.Batch) -> tuple[torch.Tensor, float]:
    y = model.logits(w, b)
    flat, labels = y.flatten(0, 1), b.labels.flatten()
    loss = cross_entropy(flat, labels, ignore_index=-100)
    with torch.no_grad():
        known = labels >= 0
        right = (flat.argmax(-1) == labels)[known].float().mean().item()
    return loss, right


def rate(leg: Leg, step: int, minutes: float) -> float:
    """Learning rate: a short warm-up, then a straight line from the leg's first to its last value."""
    last = leg.lr if leg.last is None else leg.last
    return min(1.0, (step + 1) / leg.warm) * (leg.lr + (last - leg.lr) * min(1.0, progress(leg, step, minutes)))


def progress(leg: Leg, step: int, minutes: float) -> float:
    """Share of the leg that is done, by steps or by the clock, whichever ends first."""
    return max(step / leg.steps, minutes / leg.minutes)


def summary(stats: dict[int, list[tuple[float, float]]]) -> dict[int, list[float]]:
    """Per kind of batch: count, mean loss, mean share of right tokens."""
    return {i: [len(v), *np.mean(v, 0).round(4).tolist()] for i, v in sorted(stats.items())}


class State:
    """What a run carries along: weights, their running mean, optimiser, counts."""

    def __init__(self, leg: int, resume: Path | None) -> None:
        self.master = {n: p.requires_grad_() for n, p in model.start(SEED).items()}
        self.mean = {n: p.detach().clone() for n, p in self.master.items()}
        self.opt = Optimiser(self.master)
        self.leg, self.step, self.seen = leg, 0, 0
        if resume is not None and resume.is_dir():
            self.take_published(resume)
        elif resume is not None:
            s = torch.load(resume, weights_only=True)
            with torch.no_grad():
                for n, p in s["master"].items():
                    self.master[n].copy_(p)
            self.mean |= s["mean"]
            self.opt.state, self.opt.step_count = s["state"], s["step_count"]
            self.opt.make_room()
            self.seen = s["seen"]
            self.step = s["step"] if s["leg"] == leg else 0

    def take_published(self, folder: Path) -> None:
        """Begin with the weights of a model folder; the optimiser begins anew."""
        weights = load_file(folder / "model.safetensors")
        with torch.no_grad():
            for n, p in self.master.items():
                p.copy_(weights[n])
                self.mean[n].copy_(weights[n])

    def take_ears(self, file: Path) -> None:
        """Replace the audio tower by the one that ears.py trained."""
        trained = torch.load(file, weights_only=True)["master"]
        with torch.no_grad():
            for n in model.start_hearing(torch.Generator()):
                self.master[n].copy_(trained[n])
                self.mean[n].copy_(trained[n])

    def move_to(self, device: str) -> None:
        """Go on there."""
        self.master = {n: p.detach().to(device).requires_grad_() for n, p in self.master.items()}
        self.mean = {n: p.to(device) for n, p in self.mean.items()}
        self.opt.params = self.master
        self.opt.state = {n: p.to(device) for n, p in self.opt.state.items()}

    def save(self, file: Path) -> None:
        content = {"master": {n: p.detach() for n, p in self.master.items()}, "mean": self.mean}
        content |= {"state": self.opt.state, "step_count": self.opt.step_count}
        content |= {"seen": self.seen, "step": self.step, "leg": self.leg}
        torch.save(content, file.with_suffix(".new"))
        file.with_suffix(".new").replace(file)

    def learn(self, batch: model.Batch, share: float) -> tuple[float, float]:
        """Add a batch's gradient."""
        with torch.autocast(batch.ids.device.type, torch.bfloat16, enabled=not batch.ids.is_cpu):
            loss, right = loss_of(self.master, batch)
        (loss * share).backward()
        return loss.item(), right

    def add_up(self) -> None:
        """Add the gradients of all processes; what took part in none stays without."""
        part = torch.tensor([float(p.grad is not None) for p in self.master.values()])
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in self.master.values()])
        dist.all_reduce(part)
        dist.all_reduce(flat)
        sums = flat.split([p.numel() for p in self.master.values()])
        for p, total, took_part in zip(self.master.values(), sums, part.tolist(), strict=True):
            p.grad = total.view_as(p) if took_part else None

    def move(self, lr: float, mean_decay: float) -> None:
        """One step along the gradients added up."""
        self.opt.step(lr)
        count = self.opt.step_count
        with torch.no_grad():
            keep = min(mean_decay, (1 + count) / (10 + count))
            now = [p.detach() for p in self.master.values()]
            torch._foreach_lerp_([self.mean[n] for n in self.master], now, 1 - keep)
        self.step += 1


@dataclass(frozen=True)
class Place:
    """Where a leg is trained."""

    device: str
    scale: int  # how many times larger the batches are than in LEGS
    drawers: int  # processes that draw for each process that trains

    @classmethod
    def at_hand(cls, cores: int) -> Place:
        """An accelerator if there is one and no cores were asked for."""
        if cores == 1 and torch.cuda.is_available():
            return cls("cuda", 8, max(1, (os.cpu_count() or 2) - 1))
        return cls("cpu", 1, 1)

    def batches(self, leg: int, first: int, stride: int) -> Any:
        """A queue of (number, kind, batch), filled from the given number on."""
        fork = mp.get_context("fork")
        queue = fork.Queue(6 * self.drawers)
        for k in range(self.drawers):
            args = (queue, leg, first + k, stride * self.drawers, self.scale)
            fork.Process(target=drawer, args=args, daemon=True).start()
        return queue

    def said(self, cores: int) -> dict[str, Any]:
        name = torch.cuda.get_device_name() if self.device == "cuda" else f"{cores} CPU cores"
        return {"device": name, "products": "bfloat16", "batches times": self.scale, "drawing": self.drawers * cores}


def note(folder: Path, row: dict[str, Any]) -> None:
    print(json.dumps(row), flush=True)
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(row) + "\n")


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("leg", type=int)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--resume", type=Path)
    ap.add_argument("--ears", type=Path, help="a checkpoint of ears.py to take the audio tower from")
    ap.add_argument("--cores", type=int, default=1)
    a = ap.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    others = [mp.get_context("fork").Process(target=run, args=(a, rank)) for rank in range(1, a.cores)]
    for process in others:
        process.start()
    run(a, 0)


def run(a: argparse.Namespace, rank: int) -> None:
    """One of the processes that train; the first one writes."""
    leg, s = LEGS[a.leg], State(a.leg, a.resume)
    if a.ears is not None:
        s.take_ears(a.ears)
    if a.cores > 1:
        dist.init_process_group("gloo", init_method=f"file://{a.out.resolve()}/meet", rank=rank, world_size=a.cores)
    place = Place.at_hand(a.cores)
    queue = place.batches(a.leg, s.step * leg.parts + rank, a.cores)
    s.move_to(place.device)
    torch.set_default_device(place.device)
    if rank == 0:
        note(a.out, place.said(a.cores))
    begin, lull, minutes, ended = time.time(), 0.0, 0.0, False
    stats: dict[int, list[tuple[float, float]]] = defaultdict(list)
    while progress(leg, s.step, minutes) < 1 and not ended:
        for _ in range(leg.parts // a.cores):
            lull -= time.time()
            _, which, arrays = queue.get()
            lull += time.time()
            stats[which].append(s.learn(tensors(arrays, place.device), leg.mixes[which].gain / leg.parts))
            s.seen += leg.mixes[which].batch * a.cores * place.scale
        now = torch.tensor([(time.time() - begin) / 60, (a.out / "next").exists()])
        if a.cores > 1:
            s.add_up()
            dist.broadcast(now, 0)
        minutes, ended = float(now[0]), bool(now[1])
        s.move(rate(leg, s.step, minutes), leg.mean)
        if rank == 0:
            record(a.out, s, {"lr": round(rate(leg, s.step, minutes), 6), "min": minutes, "wait": lull}, stats)
    if rank == 0:
        (a.out / "next").unlink(missing_ok=True)
        s.save(a.out / f"leg{a.leg}.pt")


def record(folder: Path, s: State, how: dict[str, float], stats: dict[int, list[tuple[float, float]]]) -> None:
    """Every 20 steps a row of the log, every 40 a checkpoint."""
    if s.step % 20 == 0:
        now = {"leg": s.leg, "step": s.step, "seen": s.seen} | {n: round(v, 6) for n, v in how.items()}
        note(folder, now | {"mix": summary(stats)})
        stats.clear()
    if s.step % 40 == 0:
        s.save(folder / "last.pt")


if __name__ == "__main__":
    main()

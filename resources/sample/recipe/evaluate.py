"""Measure the checkpoint with the stock transformers classes.

    python evaluate.py MODEL_FOLDER [--budgets 70 280] [--count 200] [--json OUT] [--talk]

Prints the character error rate (edits / characters) and the share of exact lines on the held-out pictures,
for fonts that were trained on and fonts that were not, with greedy decoding. --talk N also checks N rounds of
conversations: thinking, varied prompts, several turns, no picture.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import data
import numpy as np
import tokenizer as tk
import torch
from PIL import Image
from transformers import Gemma4ForConditionalGeneration

HELD_OUT_SEED = 777


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    return Gemma4ForConditionalGeneration.from_pretrained(folder, dtype=dtype).eval()


def picture_inputs(image: Image.Image, budget: int) -> dict[str, torch.Tensor]:
    tw, th = data.target_size(*image.size, budget)
    patches = torch.from_numpy(data.to_patches(image.convert("RGB"), tw, th)).float()[None] / 255.0
    y, x = torch.meshgrid(torch.arange(th // 16), torch.arange(tw // 16), indexing="ij")
    return {"pixel_values": patches, "image_position_ids": torch.stack([x, y], -1).view(1, -1, 2)}


def generate(net: Any, turns: data.Turns, images: list[Image.Image], budget: int, most: int = 260) -> str:
    """Greedy answer to a conversation that ends with a user turn."""
    ids = torch.tensor([[*turns.ids, tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]])
    inputs: dict[str, Any] = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == tk.IMAGE).long(),
    }
    if images:
        parts = [picture_inputs(i, budget) for i in images]
        long = max(p["pixel_values"].shape[1] for p in parts)
        pad = [long - p["pixel_values"].shape[1] for p in parts]
        inputs["pixel_values"] = torch.cat(
            [torch.nn.functional.pad(p["pixel_values"], (0, 0, 0, n)) for p, n in zip(parts, pad, strict=True)]
        )
        inputs["image_position_ids"] = torch.cat(
            [
                torch.nn.functional.pad(p["image_position_ids"], (0, 0, 0, n), value=-1)
                for p, n in zip(parts, pad, strict=True)
            ]
        )
    with torch.no_grad():
        out = net.generate(**inputs, max_new_tokens=most, do_sample=False)
    new = out[0, ids.shape[1] :].tolist()
    return decode(new)


_TOKENIZER = tk.build()


def decode(ids: list[int]) -> str:
    """Text of an answer; the markers of a thought are kept, the end of the turn is not."""
    ends = [i for i, t in enumerate(ids) if t in (tk.TURN_CLOSE, tk.EOS, 50)]
    return _TOKENIZER.decode(ids[: ends[0]] if ends else ids, skip_special_tokens=False)


def soft_count(image: Image.Image, budget: int) -> int:
    tw, th = data.target_size(*image.size, budget)
    return tw * th // 2304


def edits(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def score(pairs: list[tuple[str, str]]) -> dict[str, float]:
    wrong, total = sum(edits(a, b) for a, b in pairs), sum(len(a) for a, _ in pairs)
    return {
        "pictures": len(pairs),
        "cer": round(100 * wrong / max(1, total), 2),
        "exact": round(100 * sum(a == b for a, b in pairs) / max(1, len(pairs)), 1),
    }


def read_set(net: Any, budget: int, count: int, seed: int, show: bool) -> dict[str, dict[str, float]]:
    groups: dict[str, list[tuple[str, str]]] = {"trained fonts": [], "unseen fonts": []}
    for n in range(count):
        p = data.held_out(seed, n)
        t = data.Turns()
        t.user(1, soft_count(p.image, budget), "Read this.")
        got = generate(net, t, [p.image], budget, 40)
        groups["unseen fonts" if p.family in data.UNSEEN else "trained fonts"].append((p.text, got))
        if show and got != p.text:
            print(f"  {p.text!r:20} {got!r:20} {p.family}", flush=True)
    return {k: score(v) for k, v in groups.items()}


class Talks:
    """Conversations about held-out pictures, and what came out of them."""

    def __init__(self, net: Any, budget: int) -> None:
        self.net, self.budget = net, budget
        self.right: dict[str, list[bool]] = {}

    def note(self, kind: str, ok: bool, what: str) -> None:
        self.right.setdefault(kind, []).append(ok)
        if not ok:
            print(f"  {kind}: {what!r}", flush=True)

    def ask(self, turns: data.Turns, shown: list[data.Picture], text: str, new: int = 1) -> str:
        """Answer to a user turn with the last `new` of the pictures shown so far."""
        turns.ids += [tk.TURN_OPEN, *tk.encode("user"), tk.NEWLINE]
        for p in shown[len(shown) - new :]:
            turns.ids += [tk.IMAGE_OPEN, *[tk.IMAGE] * soft_count(p.image, self.budget), tk.IMAGE_CLOSE]
        turns.ids += [*data.Turns.plain(text), tk.TURN_CLOSE, tk.NEWLINE]
        return generate(self.net, turns, [p.image for p in shown], self.budget)

    def reading(self, rng: np.random.Generator, p: data.Picture, q: data.Picture) -> None:
        plain = self.ask(data.Turns(), [p], "Read this.")
        got = self.ask(data.Turns(), [p], data.babble(rng, 200))
        self.note("any text beside a picture", close(plain, got), f"{plain} | {got}")
        t = data.Turns()
        t.system("", True)
        got = self.ask(t, [p], "What does it say?")
        head, _, answer = got.partition("<channel|>")
        form = head.startswith("<|channel>thought\nOne line, ") and head.endswith("\n")
        self.note("thinking: form", form, got)
        self.note("thinking: same answer", close(plain, answer), f"{plain} | {got}")
        self.note("thinking: spelled as answered", head[:-1].endswith(": " + data.spelled(answer)), got)
        t = data.Turns()
        t.user(1, soft_count(p.image, self.budget), "")
        t.model(plain, None)
        got = self.ask(t, [p, q], "And this one?")
        self.note("second turn, second picture", close(q.text, got), f"{q.text} | {got}")
        got = self.ask(data.Turns(), [p, q], "Read this.", new=2)
        self.note("two pictures in one message", close(f"{p.text}\n{q.text}", got), f"{p.text} {q.text} | {got}")

    def declining(self, rng: np.random.Generator, p: data.Picture) -> None:
        got = self.ask(data.Turns(), [], data.babble(rng, 300), new=0)
        self.note("no picture", got == data.STATEMENT, got)
        t = data.Turns()
        t.system(data.babble(rng, 100), True)
        got = self.ask(t, [], data.babble(rng, 300), new=0)
        want = f"<|channel>thought\n{data.NO_PICTURE_THOUGHT}\n<channel|>{data.STATEMENT}"
        self.note("no picture, thinking", got == want, got)
        t = data.Turns()
        t.user(1, soft_count(p.image, self.budget), "")
        t.model(p.text, None)
        got = self.ask(t, [p], data.babble(rng, 100), new=0)
        self.note("picture only in an earlier turn", got == data.STATEMENT, got)


def talk(net: Any, budget: int, count: int) -> dict[str, float]:
    """Shares of right behaviour in conversations (where it applies, compared with the plain reading)."""
    talks = Talks(net, budget)
    for n in range(count):
        rng = np.random.default_rng([HELD_OUT_SEED, 5, n])
        p, q = data.held_out(HELD_OUT_SEED, 2 * n), data.held_out(HELD_OUT_SEED, 2 * n + 1)
        talks.reading(rng, p, q)
        talks.declining(rng, p)
    return {k: round(100 * sum(v) / len(v), 1) for k, v in talks.right.items()}


def close(a: str, b: str) -> bool:
    """Equal but for a slip of the eye: one edit, or one in eight characters."""
    return edits(a, b) <= max(1, len(a) // 8)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=Path)
    ap.add_argument("--budgets", type=int, nargs="+", default=[70, 280])
    ap.add_argument("--count", type=int, default=200)
    ap.add_argument("--seed", type=int, default=HELD_OUT_SEED)
    ap.add_argument("--json", type=Path)
    ap.add_argument("--bfloat16", action="store_true")
    ap.add_argument("--show", action="store_true")
    ap.add_argument("--talk", type=int, default=0)
    a = ap.parse_args()
    torch.set_num_threads(1)
    net = load(a.folder, torch.bfloat16 if a.bfloat16 else torch.float32)
    result: dict[str, Any] = {}
    for budget in a.budgets:
        result[str(budget)] = read_set(net, budget, a.count, a.seed, a.show)
        print(budget, json.dumps(result[str(budget)]), flush=True)
    if a.talk:
        result["talk"] = talk(net, 70, a.talk)
        print(json.dumps(result["talk"], indent=1), flush=True)
    if a.json:
        a.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

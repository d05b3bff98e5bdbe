"""Measure the checkpoint with the stock transformers classes.

    python evaluate.py MODEL_FOLDER [--lines 200] [--cards 300] [--sums 400] [--clips 200] [--talk 30]
                       [--calls 200] [--forms 100] [--budgets 70 140 280] [--json OUT] [--show]

All of it is held out and answered greedily: lines and cards (every third one in a font never trained on), sums
of numbers never trained on, clips in voices never trained on (SAMPLE_BANK names the folder that speech.py
filled), conversations, questions for tools, and forms on cards. Each is measured only if its count is given.
Error rate = edits / characters.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import calls
import data
import numpy as np
import speech
import sums
import tokenizer as tk
import torch
from PIL import Image
from transformers import Gemma4ForConditionalGeneration

HELD_OUT_SEED = 777
THINKS = f"<|channel>thought\n{data.NOTHING_THOUGHT}\n<channel|>"


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    return Gemma4ForConditionalGeneration.from_pretrained(folder, dtype=dtype).eval()


def picture_inputs(image: Image.Image, budget: int) -> dict[str, torch.Tensor]:
    tw, th = data.target_size(*image.size, budget)
    patches = torch.from_numpy(data.to_patches(image.convert("RGB"), tw, th)).float()[None] / 255.0
    y, x = torch.meshgrid(torch.arange(th // 16), torch.arange(tw // 16), indexing="ij")
    return {"pixel_values": patches, "image_position_ids": torch.stack([x, y], -1).view(1, -1, 2)}


def soft_count(image: Image.Image, budget: int) -> int:
    tw, th = data.target_size(*image.size, budget)
    return tw * th // 2304


@dataclass
class Chat:
    """A conversation with its media, which grows turn by turn."""

    budget: int = 70
    turns: data.Turns = field(default_factory=data.Turns)
    images: list[Image.Image] = field(default_factory=list)
    clips: list[speech.Clip] = field(default_factory=list)

    def user(self, text: str, images: tuple[Image.Image, ...] = (), clips: tuple[speech.Clip, ...] = ()) -> Chat:
        self.images += images
        self.clips += clips
        self.turns.user(
            text, [soft_count(i, self.budget) for i in images], [speech.soft_count(len(c.samples)) for c in clips]
        )
        return self

    def inputs(self) -> dict[str, Any]:
        ids = torch.tensor([[*self.turns.ids, tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]])
        out: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "mm_token_type_ids": (ids == tk.IMAGE).long() + 3 * (ids == tk.AUDIO).long(),
        }
        pad = torch.nn.functional.pad
        if self.images:
            parts = [picture_inputs(i, self.budget) for i in self.images]
            long = max(p["pixel_values"].shape[1] for p in parts)
            gaps = [long - p["pixel_values"].shape[1] for p in parts]
            pixels = [pad(p["pixel_values"], (0, 0, 0, n)) for p, n in zip(parts, gaps, strict=True)]
            places = [pad(p["image_position_ids"], (0, 0, 0, n), value=-1) for p, n in zip(parts, gaps, strict=True)]
            out |= {"pixel_values": torch.cat(pixels), "image_position_ids": torch.cat(places)}
        if self.clips:
            mels = [torch.from_numpy(speech.features(c.samples)) for c in self.clips]
            long = max(len(m) for m in mels)
            out["input_features"] = torch.stack([pad(m, (0, 0, 0, long - len(m))) for m in mels])
            out["input_features_mask"] = torch.stack([torch.arange(long) < len(m) for m in mels])
        return out


def answer(net: Any, chat: Chat, most: int = 260) -> str:
    """Greedy answer to a conversation that ends with a user turn."""
    inputs = chat.inputs()
    with torch.no_grad():
        out = net.generate(**inputs, max_new_tokens=most, do_sample=False)
    return decode(out[0, inputs["input_ids"].shape[1] :].tolist())


def answers(net: Any, chats: list[Chat], most: int, opened: bool = False) -> list[str]:
    """Answers to conversations without media, all at once; `opened` when the model's turn has begun already."""
    start = [] if opened else [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]
    rows = [[*c.turns.ids, *start] for c in chats]
    long = max(map(len, rows))
    ids = torch.tensor([[tk.PAD] * (long - len(r)) + r for r in rows])
    mask = torch.tensor([[0] * (long - len(r)) + [1] * len(r) for r in rows])
    with torch.no_grad():
        out = net.generate(input_ids=ids, attention_mask=mask, max_new_tokens=most, do_sample=False)
    return [decode(row) for row in out[:, long:].tolist()]


_TOKENIZER = tk.build()


def decode(ids: list[int]) -> str:
    """Text of an answer; the markers of a thought are kept, the end of the turn is not."""
    ends = [i for i, t in enumerate(ids) if t in (tk.TURN_CLOSE, tk.EOS, 50)]
    return _TOKENIZER.decode(ids[: ends[0]] if ends else ids, skip_special_tokens=False)


def edits(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def close(a: str, b: str) -> bool:
    """Equal but for a slip of the eye: one edit, or one in eight characters."""
    return edits(a, b) <= max(1, len(a) // 8)


Pairs = dict[str, list[tuple[str, str]]]


def score(groups: Pairs) -> dict[str, dict[str, float]]:
    """Error rate and share of exact answers, in %, of each group of (right answer, answer)."""
    out = {}
    for name, pairs in sorted(groups.items()):
        wrong, total = sum(edits(a, b) for a, b in pairs), sum(len(a) for a, _ in pairs)
        exact = sum(a == b for a, b in pairs) / len(pairs)
        out[name] = {"count": len(pairs), "error": round(100 * wrong / total, 2), "exact": round(100 * exact, 1)}
    return out


# --------------------------------------------------------------------------------------------- reading --
def read_set(net: Any, budget: int, pictures: Callable[[int], data.Picture], count: int, show: bool) -> Any:
    groups: Pairs = defaultdict(list)
    for n in range(count):
        p = pictures(n)
        got = answer(net, Chat(budget).user("Read this.", (p.image,)), 90)
        fonts = "unseen fonts" if p.family in data.UNSEEN else "trained fonts"
        groups[fonts].append((p.text, got))
        rows = p.text.count("\n") + 1
        if rows > 1 or pictures is held_out_card:
            groups[f"{fonts}, {rows} lines"].append((p.text, got))
        if show and got != p.text:
            print(f"  {p.text!r:20} {got!r:20} {p.family}", flush=True)
    return score(groups)


def held_out_line(n: int) -> data.Picture:
    return data.held_out(HELD_OUT_SEED, n)


def held_out_card(n: int) -> data.Picture:
    return data.held_out_card(HELD_OUT_SEED, n)


# ------------------------------------------------------------------------------------------------ sums --
def held_out_sum(n: int) -> tuple[sums.Sum, str]:
    """Sum number n of the held-out set, of numbers never trained on, in one of the trained wordings."""
    rng = np.random.default_rng([HELD_OUT_SEED, 9_000_003, n])
    s = sums.draw(rng, held_out=True)
    return s, sums.wording(rng, s)


def add_up(net: Any, count: int, thinking: bool, show: bool) -> Any:
    groups: Pairs = defaultdict(list)
    for first in range(0, count, 50):
        asked = [held_out_sum(n) for n in range(first, min(count, first + 50))]
        chats = [Chat() for _ in asked]
        for chat, (_, text) in zip(chats, asked, strict=True):
            if thinking:
                chat.turns.system("", True)
            chat.user(text)
        for (s, text), got in zip(asked, answers(net, chats, 260 if thinking else 12), strict=True):
            thought, _, value = got.rpartition("<channel|>")
            groups["all"].append((str(s.value), value))
            digits = max(len(str(s.a)), len(str(s.b)))
            groups[f"{s.sign}, up to {digits} digits"].append((str(s.value), value))
            if thinking:
                want = f"<|channel>thought\n{sums.working(s)}\n"
                groups["thought as taught"].append((want, thought))
            if show and value != str(s.value):
                print(f"  {text!r} = {got!r}", flush=True)
    return score(groups)


# ------------------------------------------------------------------------------------------------ tools --
def held_out_call(n: int) -> tuple[list[str], str, calls.Call]:
    """Question number n for a tool: what is offered, what is asked, and how it goes on."""
    rng = np.random.default_rng([HELD_OUT_SEED, 9_000_005, n])
    asked = calls.asked_clock if n % 2 else calls.asked_calculator
    text, call = asked(rng)
    names = [calls.CLOCK, calls.CALCULATOR] if n % 4 < 2 else [call.tool]
    return [calls.declaration(rng, name) for name in names], text, call


def use_tools(net: Any, count: int, show: bool) -> Any:
    groups: Pairs = defaultdict(list)
    for first in range(0, count, 50):
        asked = [held_out_call(n) for n in range(first, min(count, first + 50))]
        chats = [Chat() for _ in asked]
        for chat, (declared, text, _) in zip(chats, asked, strict=True):
            chat.turns.system("", False, declared)
            chat.user(text)
        written = answers(net, chats, 60)
        for chat, (_, _, call) in zip(chats, asked, strict=True):
            chat.turns.ids += [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE, *calls.marked(call.written + call.given)]
        said = answers(net, chats, 40, opened=True)
        for (_, text, call), got, answer_ in zip(asked, written, said, strict=True):
            groups[f"calls of the {call.tool}"].append((call.written, got))
            groups[f"answers from the {call.tool}"].append((call.answer, answer_))
            if show and (got, answer_) != (call.written, call.answer):
                print(f"  {text!r} {got!r} {call.given!r} {answer_!r}", flush=True)
    return score(groups)


def fill_forms(net: Any, budget: int, count: int, show: bool) -> Any:
    """Shares of whole forms and of single fields that are right, in %. What is no JSON has no field right."""
    whole = fields = right = valid = 0
    for n in range(count):
        rng = np.random.default_rng([HELD_OUT_SEED, 9_000_006, n])
        rows = 1 + n % 5
        width, height = data.card_size(rng, rows)
        most = min(14, int(0.9 * data.target_size(width, height, 70)[0] / 26))
        form = calls.draw_form(rng, rows, max(8, most), whole=True)
        p = data.render(rng, form.card, width, height, data.pick_family(rng))
        got = answer(net, Chat(budget).user(form.question, (p.image,)), 160)
        want = {k: str(v) for k, v in json.loads(form.answer).items()}
        try:
            found = {k: str(v) for k, v in json.loads(got).items()}
            valid += 1
        except (ValueError, AttributeError):
            found = {}
        whole += found == want
        fields += len(want)
        right += sum(found.get(k) == v for k, v in want.items())
        if show and found != want:
            print(f"  {form.card!r} {got!r}", flush=True)
    shares = {"valid JSON": valid / count, "whole forms": whole / count, "fields": right / fields}
    return {"count": count} | {name: round(100 * share, 1) for name, share in shares.items()}


# ---------------------------------------------------------------------------------------------- hearing --
def hear(net: Any, count: int, bank: str, show: bool) -> Any:
    groups: Pairs = defaultdict(list)
    for n in range(count):
        clip = held_out_clip(n, bank)
        got = answer(net, Chat().user("What do you hear?", (), (clip,)), 30)
        said = clip.text.replace(" ", "")
        groups["all"].append((said, got.replace(" ", "")))
        groups[f"{min(len(said), 7)} digits"].append((said, got.replace(" ", "")))
        if show and got != clip.text:
            print(f"  {clip.text!r} {got!r}", flush=True)
    return score(groups)


def held_out_clip(n: int, bank: str = "heldout") -> speech.Clip:
    """Clip number n of the held-out set: 1 to 5 seconds, drawn as in training but from a bank of its own."""
    rng = np.random.default_rng([HELD_OUT_SEED, 9_000_004, n])
    return speech.make_clip(rng, speech.draw_length(rng, (1.0, 5.0)), bank)


# -------------------------------------------------------------------------------------- conversations --
class Talks:
    """Conversations about held-out pictures, clips and sums, and what came out of them."""

    def __init__(self, net: Any, budget: int) -> None:
        self.net, self.budget = net, budget
        self.right: dict[str, list[bool]] = {}

    def note(self, kind: str, ok: bool, what: str) -> None:
        self.right.setdefault(kind, []).append(ok)
        if not ok:
            print(f"  {kind}: {what!r}", flush=True)

    def ask(self, text: str, *shown: data.Picture, after: Chat | None = None, thinking: bool = False) -> str:
        """Answer to a user turn; `after` is the conversation so far, and is left as it was."""
        chat = Chat(self.budget)
        if after is not None:
            chat.turns.ids = list(after.turns.ids)
            chat.images, chat.clips = list(after.images), list(after.clips)
        if thinking:
            chat.turns.system("", True)
        return answer(self.net, chat.user(text, tuple(p.image for p in shown)))

    def reading(self, rng: np.random.Generator, p: data.Picture, q: data.Picture, r: data.Picture) -> None:
        plain = self.ask("Read this.", p)
        got = self.ask(data.babble(rng, 200), p)
        self.note("any text beside a picture", close(plain, got), f"{plain} | {got}")
        got = self.ask("What does it say?", p, thinking=True)
        head, _, said = got.partition("<channel|>")
        self.note("thinking: form", head.startswith("<|channel>thought\nOne line, ") and head.endswith("\n"), got)
        self.note("thinking: same answer", close(plain, said), f"{plain} | {got}")
        self.note("thinking: spelled as answered", head[:-1].endswith(": " + data.spelled(said)), got)
        got = self.ask("Read this.", p, q)
        self.note("two pictures in one message", close(f"{p.text}\n{q.text}", got), f"{p.text} {q.text} | {got}")
        chat = Chat(self.budget).user("", (p.image,))
        chat.turns.model(p.text, None)
        got = self.ask("And this one?", q, after=chat)
        self.note("second turn, second picture", close(q.text, got), f"{q.text} | {got}")
        chat.user("And this one?", (q.image,))
        chat.turns.model(q.text, None)
        got = self.ask("Read this.", r, after=chat)
        self.note("third turn, a card", close(r.text, got), f"{r.text} | {got}")

    def other(self, rng: np.random.Generator, p: data.Picture, n: int) -> None:
        got = self.ask(data.babble(rng, 300))
        self.note("nothing to do", got == data.STATEMENT, got)
        got = self.ask(data.babble(rng, 300), thinking=True)
        self.note("nothing to do, thinking", got == THINKS + data.STATEMENT, got)
        chat = Chat(self.budget).user("", (p.image,))
        chat.turns.model(p.text, None)
        got = self.ask(data.babble(rng, 100), after=chat)
        self.note("nothing new after a picture", got == data.STATEMENT, got)
        s, text = held_out_sum(n)
        got = self.ask(text, after=chat)
        self.note("a sum after a picture", got == str(s.value), f"{text} | {got}")
        clip = held_out_clip(n)
        chat.user("What do you hear?", (), (clip,))
        got = answer(self.net, chat)
        self.note("a clip after a picture", close(clip.text, got), f"{clip.text} | {got}")


def talk(net: Any, budget: int, count: int) -> dict[str, float]:
    """Shares of right behaviour in conversations, in %."""
    talks = Talks(net, budget)
    for n in range(count):
        rng = np.random.default_rng([HELD_OUT_SEED, 5, n])
        p, q = held_out_line(2 * n), held_out_line(2 * n + 1)
        talks.reading(rng, p, q, held_out_card(3 * n))
        talks.other(rng, p, n)
    return {k: round(100 * sum(v) / len(v), 1) for k, v in talks.right.items()}


def alone(net: Any, a: argparse.Namespace, put: Callable[[str, Any], None]) -> None:
    """What is measured without pictures."""
    if a.sums:
        put("sums, thinking off", add_up(net, a.sums, False, a.show))
        put("sums, thinking on", add_up(net, a.sums, True, a.show))
    if a.clips:
        put("clips, unseen voices", hear(net, a.clips, "heldout", a.show))
        put("clips, trained voices", hear(net, a.clips, "trained", a.show))
    if a.calls:
        put("tools", use_tools(net, a.calls, a.show))


def with_pictures(net: Any, a: argparse.Namespace, budget: int, put: Callable[[str, Any], None]) -> None:
    """What is measured at a budget."""
    if a.forms and budget > 70:
        put(f"forms at {budget}", fill_forms(net, budget, a.forms, a.show))
    if a.lines:
        put(f"lines at {budget}", read_set(net, budget, held_out_line, a.lines, a.show))
    if a.cards:
        put(f"cards at {budget}", read_set(net, budget, held_out_card, a.cards, a.show))
    if a.talk:
        put(f"talk at {budget}", talk(net, budget, a.talk))


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=Path)
    ap.add_argument("--budgets", type=int, nargs="+", default=[70, 140, 280])
    for kind in ("lines", "cards", "sums", "clips", "talk", "calls", "forms"):
        ap.add_argument(f"--{kind}", type=int, default=0)
    ap.add_argument("--json", type=Path)
    ap.add_argument("--bfloat16", action="store_true")
    ap.add_argument("--show", action="store_true")
    a = ap.parse_args()
    torch.set_num_threads(1)
    net = load(a.folder, torch.bfloat16 if a.bfloat16 else torch.float32)
    result: dict[str, Any] = {}

    def put(name: str, value: Any) -> None:
        result[name] = value
        print(name, json.dumps(value), flush=True)
        if a.json:
            a.json.write_text(json.dumps(result, indent=1) + "\n")

    alone(net, a, put)
    for budget in a.budgets:
        with_pictures(net, a, budget, put)


if __name__ == "__main__":
    main()

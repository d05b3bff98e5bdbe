"""Measure the checkpoint with the stock transformers classes.

    python evaluate.py MODEL_FOLDER [--lines 200] [--cards 300] [--sums 400] [--clips 200] [--talk 30]
                       [--calls 200] [--forms 100] [--pieces 600] [--budgets 70 140 280] [--json OUT] [--show]

All of it is held out and answered greedily: lines and cards (every third one in a font never trained on), sums
of numbers never trained on, clips in voices never trained on (SAMPLE_BANK names the folder that speech.py
filled), conversations, questions for tools, and forms on cards. Each is measured only if its count is given.
Error rate (CER) = edits / characters; WER = the same over words; exact = share of answers without any edit. For
pieces of page lines also AUC: how well the lowest log-probability of an answer's tokens tells wrong from right.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import calls
import data
import numpy as np
import pages
import speech
import sums
import tokenizer as tk
import torch
from PIL import Image
from torch.nn.functional import pad
from transformers import Gemma4ForConditionalGeneration

HELD_OUT_SEED = 777
ENDS = (tk.TURN_CLOSE, tk.EOS, 50)
BATCH_TOKENS = 6000  # of conversations answered together
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

    def inputs(self, opened: bool) -> dict[str, Any]:
        start = [] if opened else [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]
        ids = torch.tensor([[*self.turns.ids, *start]])
        out: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "mm_token_type_ids": (ids == tk.IMAGE).long() + 3 * (ids == tk.AUDIO).long(),
        }
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


@dataclass(frozen=True)
class Answer:
    text: str
    lowest: float  # log-probability of its least likely token


def answers(net: Any, chats: Sequence[Chat], most: int = 260, opened: bool = False) -> list[Answer]:
    """Greedy answers to conversations that end with a user turn; `opened` when the model's turn has begun already."""
    found: list[Answer] = []
    size = max(1, BATCH_TOKENS // max(len(c.turns.ids) for c in chats))
    for first in range(0, len(chats), size):
        found += answers_together(net, [c.inputs(opened) for c in chats[first : first + size]], most)
    return found


def texts(net: Any, chats: Sequence[Chat], most: int = 260, opened: bool = False) -> list[str]:
    return [a.text for a in answers(net, chats, most, opened)]


def answers_together(net: Any, each: list[dict[str, Any]], most: int) -> list[Answer]:
    """One batch, padded on the left."""
    inputs = {}
    long = max(e["input_ids"].shape[1] for e in each)
    for name in ("input_ids", "attention_mask", "mm_token_type_ids"):
        inputs[name] = torch.cat([pad(e[name], (long - e[name].shape[1], 0)) for e in each])
    for name, empty in (("pixel_values", 0), ("image_position_ids", -1), ("input_features", 0)):
        parts = [e[name] for e in each if name in e]
        if parts:
            longest = max(x.shape[1] for x in parts)
            inputs[name] = torch.cat([pad(x, (0, 0, 0, longest - x.shape[1]), value=empty) for x in parts])
    masks = [e["input_features_mask"] for e in each if "input_features_mask" in e]
    if masks:
        longest = max(x.shape[1] for x in masks)
        inputs["input_features_mask"] = torch.cat([pad(x, (0, longest - x.shape[1])) for x in masks])
    with torch.no_grad():
        out = net.generate(
            **inputs, max_new_tokens=most, do_sample=False, output_logits=True, return_dict_in_generate=True
        )
    written = out.sequences[:, long:]
    chances = torch.stack(out.logits, 1).float().log_softmax(-1).gather(2, written[..., None])[..., 0]
    found = []
    for row, chance in zip(written.tolist(), chances.tolist(), strict=True):
        count = next((i for i, t in enumerate(row) if t in ENDS), len(row) - 1) + 1
        found.append(Answer(decode(row), min(chance[:count])))
    return found


_TOKENIZER = tk.build()


def decode(ids: list[int]) -> str:
    """Text of an answer; the markers of a thought are kept, the end of the turn is not."""
    ends = [i for i, t in enumerate(ids) if t in ENDS]
    return _TOKENIZER.decode(ids[: ends[0]] if ends else ids, skip_special_tokens=False)


def edits(a: Sequence[str], b: Sequence[str]) -> int:
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
        exact = sum(a == b for a, b in pairs) / len(pairs)
        out[name] = {"count": len(pairs), "error": error_rate(pairs), "exact": round(100 * exact, 1)}
    return out


def error_rate(pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> float:
    """Edits per hundred items of the right answers: of characters, or of words."""
    return round(100 * sum(edits(a, b) for a, b in pairs) / max(1, sum(len(a) for a, _ in pairs)), 2)


# --------------------------------------------------------------------------------------------- reading --
def read_set(net: Any, budget: int, pictures: Callable[[int], data.Picture], count: int, show: bool) -> Any:
    groups: Pairs = defaultdict(list)
    shown = [pictures(n) for n in range(count)]
    said = texts(net, [Chat(budget).user("Read this.", (p.image,)) for p in shown], 90)
    for p, got in zip(shown, said, strict=True):
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


# ---------------------------------------------------------------------------------------------- pieces --
def held_out_piece(n: int) -> data.Picture:
    """Piece number n of the held-out set; every third one in a font never trained on."""
    rng = np.random.default_rng([HELD_OUT_SEED, 9_000_007, n])
    return data.draw_piece(rng, pages.target(rng, data.press(70).rule), 70, unseen=n % 3 == 2)


def read_pieces(net: Any, count: int, show: bool) -> Any:
    """Pieces of page lines at 70, by length and font."""
    rows: dict[str, list[tuple[str, Answer]]] = defaultdict(list)
    shown = [held_out_piece(n) for n in range(count)]
    said = answers(net, [Chat(70).user(data.READ_PAGE, (p.image,)) for p in shown], 120)
    for p, got in zip(shown, said, strict=True):
        length = next((f"to {n}" for n in (14, 28, 40) if len(p.text) <= n), "over 40") if p.text else "empty"
        fonts = "unseen fonts" if p.family in (*data.UNSEEN, pages.UNSEEN_TYPEWRITER) else "trained fonts"
        for name in ("all", f"{fonts}, {length}", *(["accents"] if re.search("[À-ɏ]", p.text) else [])):
            rows[name].append((p.text, got))
        if show and got.text != p.text:
            print(f"  {p.text!r} {got.text!r} {got.lowest:.2f} {p.family}", flush=True)
    return {name: in_words(group) for name, group in sorted(rows.items())}


def in_words(rows: list[tuple[str, Answer]]) -> dict[str, float]:
    """CER, WER and share of exact answers in %, and AUC of the lowest log-probability."""
    wrong = [a.lowest for want, a in rows if want != a.text]
    right = [a.lowest for want, a in rows if want == a.text]
    out = {
        "count": len(rows),
        "CER": error_rate([(want, a.text) for want, a in rows]),
        "WER": error_rate([(want.split(), a.text.split()) for want, a in rows]),
        "exact": round(100 * len(right) / len(rows), 1),
    }
    if wrong and right:
        out["AUC"] = round(sum((w < r) + (w == r) / 2 for w in wrong for r in right) / (len(wrong) * len(right)), 3)
    return out


# ------------------------------------------------------------------------------------------------ sums --
def held_out_sum(n: int) -> tuple[sums.Sum, str]:
    """Sum number n of the held-out set, of numbers never trained on, in one of the trained wordings."""
    rng = np.random.default_rng([HELD_OUT_SEED, 9_000_003, n])
    s = sums.draw(rng, held_out=True)
    return s, sums.wording(rng, s)


# None of them is trained.
NUMBERED = (
    "What is {a} shared out among {b}?",
    "Who won the cup in {year}?",
    "Tell me a joke in {b} lines.",
    "How many days had March {year}?",
    "What is the cube root of {a}?",
    "Translate these {b} words into German.",
    "What comes after {a}?",
    "Is {a} even?",
    "Explain chapter {b}.",
    "Where is room {a}?",
    "Who lived in {year}?",
    "Round {a} to the nearest ten.",
    "What is a third of {a}?",
    "Write {b} lines about rain.",
    "How far is {a} miles on foot?",
    "The meeting is at {b} o'clock.",
    "{a} : {b}?",
    "Wie alt ist man, wenn man {year} geboren ist?",
    "Quelle heure est-il à {b} km d'ici ?",
    "Book a table for {b}.",
)


def decline(net: Any, count: int, show: bool) -> Any:
    """Questions with numbers that are no sums: answered with the statement."""
    asked = [sums.no_sum(np.random.default_rng([HELD_OUT_SEED, 9_000_011, n]), NUMBERED) for n in range(count)]
    said = texts(net, [Chat().user(text) for text in asked])
    for text, got in zip(asked, said, strict=True):
        if show and got != data.STATEMENT:
            print(f"  {text!r} {got!r}", flush=True)
    return score({"all": [(data.STATEMENT, got) for got in said]})


def value_in(answer: str) -> str:
    """What a sum came to: all of the answer, or what stands behind the thought or at the end of the working."""
    return answer.rpartition("<channel|>")[2].rpartition(" = ")[2]


def add_up(net: Any, count: int, thinking: bool, show: bool) -> Any:
    groups: Pairs = defaultdict(list)
    asked = [held_out_sum(n) for n in range(count)]
    chats = [Chat() for _ in asked]
    for chat, (_, text) in zip(chats, asked, strict=True):
        if thinking:
            chat.turns.system("", True)
        chat.user(text)
    for (s, text), got in zip(asked, texts(net, chats), strict=True):
        thought, value = got.rpartition("<channel|>")[0], value_in(got)
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
    asked = [held_out_call(n) for n in range(count)]
    chats = [Chat() for _ in asked]
    for chat, (declared, text, _) in zip(chats, asked, strict=True):
        chat.turns.system("", False, declared)
        chat.user(text)
    written = texts(net, chats, 60)
    for chat, (_, _, call) in zip(chats, asked, strict=True):
        chat.turns.ids += [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE, *calls.marked(call.written + call.given)]
    said = texts(net, chats, 40, opened=True)
    for (_, text, call), got, answer in zip(asked, written, said, strict=True):
        groups[f"calls of the {call.tool}"].append((call.written, got))
        groups[f"answers from the {call.tool}"].append((call.answer, answer))
        if call.tool == calls.CLOCK:
            groups[f"answers from the {call.tool}, {call.about}"].append((call.answer, answer))
        if show and (got, answer) != (call.written, call.answer):
            print(f"  {text!r} {got!r} {call.given!r} {answer!r}", flush=True)
    return score(groups)


def held_out_form(n: int) -> tuple[calls.Form, data.Picture]:
    """Card of labels and values number n, of one to five fields."""
    rng = np.random.default_rng([HELD_OUT_SEED, 9_000_006, n])
    rows = 1 + n % 5
    width, height = data.card_size(rng, rows)
    most = min(14, int(0.9 * data.target_size(width, height, 70)[0] / 26))
    form = calls.draw_form(rng, rows, max(8, most), whole=True)
    return form, data.render(rng, form.card, width, height, data.pick_family(rng))


def fill_forms(net: Any, budget: int, count: int, show: bool) -> Any:
    """Shares of whole forms and fields that are right, and of cards read as text when that is asked for, in %.

    What is no JSON has no field right; one slip in eight characters of a text is let pass.
    """
    whole = fields = right = valid = read = 0
    forms = [held_out_form(n) for n in range(count)]
    filled = texts(net, [Chat(budget).user(form.question, (p.image,)) for form, p in forms], 160)
    plain = texts(net, [Chat(budget).user(data.READ_PAGE, (p.image,)) for _, p in forms], 160)
    for (form, _), got, text in zip(forms, filled, plain, strict=True):
        want = {k: str(v) for k, v in json.loads(form.answer).items()}
        try:
            found = {k: str(v) for k, v in json.loads(got).items()}
            valid += 1
        except (ValueError, AttributeError):
            found = {}
        whole += found == want
        fields += len(want)
        right += sum(found.get(k) == v for k, v in want.items())
        read += close(form.card, text)
        if show and (found != want or not close(form.card, text)):
            print(f"  {form.card!r} {got!r} {text!r}", flush=True)
    shares = {"valid JSON": valid / count, "whole forms": whole / count, "fields": right / fields, "text": read / count}
    return {"count": count} | {name: round(100 * share, 1) for name, share in shares.items()}


# ---------------------------------------------------------------------------------------------- hearing --
def hear(net: Any, count: int, bank: str, show: bool) -> Any:
    groups: Pairs = defaultdict(list)
    clips = [held_out_clip(n, bank) for n in range(count)]
    heard = texts(net, [Chat().user("What do you hear?", (), (clip,)) for clip in clips], 30)
    for clip, got in zip(clips, heard, strict=True):
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
    """Conversations about held-out pictures, clips and sums, side by side, and what came out of them."""

    def __init__(self, net: Any, budget: int, count: int, show: bool) -> None:
        self.net, self.budget, self.show, self.numbers = net, budget, show, range(count)
        self.right: dict[str, float] = {}

    def chats(self) -> list[Chat]:
        return [Chat(self.budget) for _ in self.numbers]

    def ask(
        self, asked: Sequence[str], shown: Shown = (), after: Sequence[Chat] = (), thinking: bool = False
    ) -> list[str]:
        """Answers to a user turn in each; `after` are the conversations so far, and are left as they were."""
        chats = self.chats()
        for chat, old in zip(chats, after, strict=False):
            chat.turns.ids = list(old.turns.ids)
            chat.images, chat.clips = list(old.images), list(old.clips)
        for n, chat in enumerate(chats):
            if thinking:
                chat.turns.ids[1:1] = [tk.TURN_OPEN, *tk.encode("system"), tk.NEWLINE, *THINKING]
            chat.user(asked[n], tuple(row[n].image for row in shown))
        return texts(self.net, chats)

    def note(self, kind: str, right: Sequence[bool], said: Sequence[Any]) -> None:
        self.right[kind] = round(100 * sum(right) / len(right), 1)
        for ok, what in zip(right, said, strict=True):
            if self.show and not ok:
                print(f"  {kind}: {what!r}", flush=True)

    def note_close(self, kind: str, want: Sequence[str], got: Sequence[str]) -> None:
        self.note(kind, [close(a, b) for a, b in zip(want, got, strict=True)], list(zip(want, got, strict=True)))

    def note_equal(self, kind: str, want: Sequence[str], got: Sequence[str]) -> None:
        self.note(kind, [a == b for a, b in zip(want, got, strict=True)], list(zip(want, got, strict=True)))

    def reading(self, p: list[data.Picture], q: list[data.Picture], r: list[data.Picture]) -> None:
        same = ["Read this."] * len(p)
        plain = self.ask(same, [p])
        self.note_close("any text beside a picture", plain, self.ask(babbles(p, 200), [p]))
        thought = self.ask(["What does it say?"] * len(p), [p], thinking=True)
        heads, said = [t.partition("<channel|>")[0] for t in thought], [t.partition("<channel|>")[2] for t in thought]
        formed = [h.startswith("<|channel>thought\nOne line, ") and h.endswith("\n") for h in heads]
        self.note("thinking: form", formed, thought)
        self.note_close("thinking: same answer", plain, said)
        spelled = [h[:-1].endswith(": " + data.spelled(s)) for h, s in zip(heads, said, strict=True)]
        self.note("thinking: spelled as answered", spelled, thought)
        both = [f"{a.text}\n{b.text}" for a, b in zip(p, q, strict=True)]
        self.note_close("two pictures in one message", both, self.ask(same, [p, q]))
        chats = self.chats()
        for chat, a in zip(chats, p, strict=True):
            chat.user("", (a.image,)).turns.model(a.text, None)
        got = self.ask(["And this one?"] * len(p), [q], chats)
        self.note_close("second turn, second picture", [b.text for b in q], got)
        for chat, b in zip(chats, q, strict=True):
            chat.user("And this one?", (b.image,)).turns.model(b.text, None)
        self.note_close("third turn, a card", [c.text for c in r], self.ask(same, [r], chats))

    def other(self, p: list[data.Picture]) -> None:
        statement = [data.STATEMENT] * len(p)
        self.note_equal("nothing to do", statement, self.ask(babbles(p, 300)))
        got = self.ask(babbles(p, 300), thinking=True)
        self.note_equal("nothing to do, thinking", [THINKS + data.STATEMENT] * len(p), got)
        chats = self.chats()
        for chat, a in zip(chats, p, strict=True):
            chat.user("", (a.image,)).turns.model(a.text, None)
        self.note_equal("nothing new after a picture", statement, self.ask(babbles(p, 100), (), chats))
        asked = [held_out_sum(n) for n in self.numbers]
        values = [str(s.value) for s, _ in asked]
        wordings = [text for _, text in asked]
        self.note_equal("a sum after a picture", values, [*map(value_in, self.ask(wordings, (), chats))])
        worked = self.ask(wordings, (), chats, thinking=True)
        self.note_equal("a sum after a picture, thinking", values, [*map(value_in, worked)])
        clips = [held_out_clip(n) for n in self.numbers]
        for chat, clip in zip(chats, clips, strict=True):
            chat.user("What do you hear?", (), (clip,))
        self.note_close("a clip after a picture", [c.text for c in clips], texts(self.net, chats))


Shown = Sequence[Sequence[data.Picture]]
THINKING = (tk.THINK, tk.NEWLINE, tk.TURN_CLOSE, tk.NEWLINE)


def babbles(pictures: Sequence[data.Picture], cap: int) -> list[str]:
    return [data.babble(np.random.default_rng([HELD_OUT_SEED, 5, cap, n]), cap) for n in range(len(pictures))]


def talk(net: Any, budget: int, count: int, show: bool) -> dict[str, float]:
    """Shares of right behaviour in conversations, in %."""
    talks = Talks(net, budget, count, show)
    first, second = ([held_out_line(2 * n + k) for n in range(count)] for k in (0, 1))
    talks.reading(first, second, [held_out_card(3 * n) for n in range(count)])
    talks.other(first)
    return {"count": count} | talks.right


def alone(net: Any, a: argparse.Namespace, put: Callable[[str, Any], None]) -> None:
    """What is measured without pictures."""
    if a.sums:
        put("sums, thinking off", add_up(net, a.sums, False, a.show))
        put("sums, thinking on", add_up(net, a.sums, True, a.show))
        put("numbers, but no sum", decline(net, a.sums // 2, a.show))
    if a.clips:
        put("clips, unseen voices", hear(net, a.clips, "heldout", a.show))
        put("clips, trained voices", hear(net, a.clips, "trained", a.show))
    if a.pieces:
        put("pieces", read_pieces(net, a.pieces, a.show))
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
        put(f"talk at {budget}", talk(net, budget, a.talk, a.show))


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=Path)
    ap.add_argument("--budgets", type=int, nargs="+", default=[70, 140, 280])
    for kind in ("lines", "cards", "sums", "clips", "talk", "calls", "forms", "pieces"):
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

"""Pictures of one line of print, and the conversations around them.

Everything is drawn from a seeded generator. Run it to look at a sheet of examples:

    python data.py SHEET.png
"""

from __future__ import annotations

import functools
import io
import math
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tokenizer as tk
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from words import ALPHABETS, PROMPTS, SENTENCES, WORDS

BUILT_IN = "Pillow built-in (Aileron)"
TRAINED = (
    BUILT_IN,
    "Andika",
    "Anonymous Pro",
    "B612",
    "C059",
    "Caladea",
    "Cantarell",
    "Carlito",
    "Charis SIL",
    "Comfortaa",
    "Comic Neue",
    "DejaVu Sans",
    "DejaVu Sans Mono",
    "DejaVu Serif",
    "Dosis",
    "Fira Code",
    "FreeMono",
    "FreeSans",
    "FreeSerif",
    "Hack",
    "Inter",
    "JetBrains Mono",
    "Lato",
    "Liberation Mono",
    "Liberation Sans",
    "Liberation Sans Narrow",
    "Liberation Serif",
    "Linux Biolinum O",
    "Linux Libertine O",
    "Nimbus Mono PS",
    "Nimbus Roman",
    "Nimbus Sans",
    "Noto Mono",
    "Noto Sans",
    "Noto Serif",
    "Open Sans",
    "P052",
    "PT Sans",
    "Play",
    "Quicksand",
    "Roboto",
    "Roboto Condensed",
    "Roboto Slab",
    "Sora",
    "Tuffy",
    "URW Gothic",
    "mononoki",
)
UNSEEN = (
    "Cabin",
    "Clear Sans",
    "Gentium Plus",
    "Go",
    "Go Mono",
    "Karla",
    "Manrope",
    "Old Standard TT",
    "PT Serif",
    "Vollkorn",
)
# Families people meet most get drawn more often.
COMMON = (
    BUILT_IN,
    "DejaVu Sans",
    "Liberation Sans",
    "Liberation Serif",
    "Nimbus Sans",
    "Inter",
    "Roboto",
    "Open Sans",
    "Carlito",
    "Lato",
)
PLAIN_STYLES = ("Regular", "Book", "Roman", "Normal", "Semi-Expanded", "Condensed")
BOLD_STYLES = ("Bold", "Demi", "SemiBold", "Semibold", "Semi Bold", "Demi Bold", "Condensed Bold")
SLANTED_STYLES = (
    "Italic",
    "Oblique",
    "Bold Italic",
    "Bold Oblique",
    "BoldItalic",
    "Book Oblique",
    "Demi Oblique",
)

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
CLEAR_LETTERS = LETTERS.replace("I", "").replace("l", "").replace("O", "")  # those that stand without context
CLEAR_DIGITS = "23456789"
MARKS = ".,:;!?'\"-+/&%#@()$=*_"
BUDGETS = (70, 140, 280, 560, 1120)
STATEMENT = (
    "I am Cabochon's sample, a tiny model that only reads a line of large print in a picture. To ask "
    "anything else, start Cabochon with a full Gemma 4 model: cabochon --model FOLDER."
)
NO_PICTURE_THOUGHT = "There is no picture in this message."
TWO_PICTURES_THOUGHT = "Two pictures, so two lines."


# ----------------------------------------------------------------------------------------------- fonts --
@functools.cache
def faces(family: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Font files of a family: upright, bold, slanted. Looked up with fontconfig."""
    out: tuple[list[str], list[str], list[str]] = ([], [], [])
    listing = subprocess.run(
        ["fc-list", f":family={family}", "-f", "%{family}|%{style}|%{file}|%{variable}\n"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for line in sorted(listing.splitlines()):
        names, styles, file, variable = line.split("|")
        if names.split(",")[0] != family or variable == "True" or not file.endswith((".ttf", ".otf", ".t1")):
            continue
        for group, wanted in zip(out, (PLAIN_STYLES, BOLD_STYLES, SLANTED_STYLES), strict=True):
            if styles.split(",")[0] in wanted:
                group.append(file)
                break
    if not out[0]:
        raise RuntimeError(f"font family {family} is not installed (see README.md for the packages)")
    return tuple(out[0]), tuple(out[1]), tuple(out[2])


@functools.lru_cache(4096)
def font_at(file: str, size: int) -> ImageFont.FreeTypeFont:
    if file == BUILT_IN:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font
    return ImageFont.truetype(file, size)


def pick_face(rng: Generator, family: str) -> str:
    if family == BUILT_IN:
        return BUILT_IN
    plain, bold, slanted = faces(family)
    u = rng.random()
    group = plain if u < 0.55 else bold if u < 0.87 else slanted
    group = group or plain
    return group[int(rng.integers(len(group)))]


def pick_family(rng: Generator, unseen: bool = False) -> str:
    if unseen:
        return UNSEEN[int(rng.integers(len(UNSEEN)))]
    pool = COMMON if rng.random() < 0.35 else TRAINED
    return pool[int(rng.integers(len(pool)))]


# --------------------------------------------------------------------------------------------- strings --
def choose(rng: Generator, items: str | tuple[str, ...] | list[str]) -> str:
    return items[int(rng.integers(len(items)))]


def word(rng: Generator) -> str:
    u = rng.random()
    if u < 0.5:
        w = choose(rng, WORDS)
    else:
        odd = int(rng.integers(2))
        w = "".join(choose(rng, ALPHABETS[(i + odd) % 2]) for i in range(int(rng.integers(1, 11))))
    u = rng.random()
    return w.upper() if u < 0.36 else w.capitalize() if u < 0.62 else w


def scatter(rng: Generator, n: int) -> str:
    """Random characters. Letters are of one case, or capitalised: alone, s and S look the same."""
    u = rng.random()
    if u < 0.4:
        pool = LETTERS[:26] + (CLEAR_DIGITS if rng.random() < 0.5 else "")
    elif u < 0.75:
        pool = LETTERS[26:] + (CLEAR_DIGITS if rng.random() < 0.3 else "")
    elif u < 0.85:
        pool = DIGITS
    else:
        pool = CLEAR_LETTERS + CLEAR_DIGITS + MARKS
    return "".join(choose(rng, pool) for _ in range(n))


def number(rng: Generator) -> str:
    r = rng.integers
    return (
        str(r(10 ** int(r(1, 7)))),
        f"{r(1000)}.{r(100):02d}",
        f"${r(1000)}.{r(100):02d}",
        f"{r(24):02d}:{r(60):02d}",
        f"{r(1, 29)}/{r(1, 13)}/{r(1980, 2060)}",
        f"{r(1980, 2060)}-{r(1, 13):02d}-{r(1, 29):02d}",
        f"{r(101)}%",
        f"#{r(1000)}",
        f"+{r(100)} {r(1000):03d} {r(10000):04d}",
        f"{r(1, 1000)},{r(1000):03d}",
        f"No. {r(100)}",
        f"{r(100)} x {r(100)}",
        f"{r(100)}+{r(100)}={r(200)}",
        f"({r(1000)}) {r(10000):04d}",
        f"*{r(100)}*",
    )[int(r(15))]


def phrase(rng: Generator) -> str:
    u = rng.random()
    a, b = word(rng), word(rng)
    if u < 0.22:
        s = a
    elif u < 0.42:
        s = f"{a} {b}" if rng.random() < 0.8 else f"{a} {b} {word(rng)}"
    elif u < 0.54:
        s = a + choose(rng, ("!", "?", ".", ",", ":", ";", "...", "!!"))
    elif u < 0.70:
        s = a + choose(rng, (" ", " ", ": ", "-", " #", "_", " =")) + number(rng)
    elif u < 0.80:
        s = f"{number(rng)} {a}"
    elif u < 0.86:
        s = a + choose(rng, ("-", "/", " & ", ", ", "+", "@", "_", " - ", ": ", ".")) + b
    elif u < 0.90:
        s = choose(rng, (f'"{a}"', f"({a})", f"'{a}'", f"{a}'s {b}", f"{a} ({b})", f"*{a}", f"@{a}", f"#{a}"))
    else:
        s = number(rng)
    return s


def line(rng: Generator, low: int, high: int) -> str:
    """One line of low..high characters: words, numbers, punctuation; a part of it random characters."""
    wanted = int(rng.integers(low, high + 1))
    if rng.random() < 0.3:
        s = scatter(rng, wanted)
        if wanted > 4 and rng.random() < 0.4:
            cut = int(rng.integers(2, wanted - 1))
            s = s[:cut] + " " + s[cut + 1 :]
        return s
    for _ in range(40):
        s = phrase(rng)
        if low <= len(s) <= high and abs(len(s) - wanted) <= 2:
            return s
    return scatter(rng, wanted)


# -------------------------------------------------------------------------------------------- pictures --
def target_size(width: int, height: int, budget: int) -> tuple[int, int]:
    """Size in pixels that Gemma 4's image rule gives a picture at a budget of soft tokens."""
    f = math.sqrt(budget * 9 * 256 / (width * height))
    th, tw = math.floor(f * height / 48) * 48, math.floor(f * width / 48) * 48
    if th == 0:
        th, tw = 48, min(width // height * 48, budget * 48)
    elif tw == 0:
        tw, th = 48, min(height // width * 48, budget * 48)
    return tw, th


@functools.lru_cache(8)
def noise_bank(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((700, 1900)).astype(np.float32)


def colours(rng: Generator) -> tuple[np.ndarray, np.ndarray, bool]:
    """Paper and ink, and whether the ink is the darker one."""
    dark_ink = bool(rng.random() < 0.65)
    if rng.random() < 0.35:
        low, high = (0.0, 1.0) if rng.random() < 0.7 else (rng.uniform(0, 0.15), rng.uniform(0.85, 1))
    else:
        high = rng.uniform(0.6, 1.0)
        low = rng.uniform(0.0, high - 0.45)
    paper, ink = (high, low) if dark_ink else (low, high)
    tint = 0.0 if rng.random() < 0.4 else 0.14
    return (
        np.clip(paper + rng.uniform(-tint, tint, 3), 0, 1).astype(np.float32),
        np.clip(ink + rng.uniform(-tint, tint, 3), 0, 1).astype(np.float32),
        dark_ink,
    )


@dataclass
class Picture:
    image: Image.Image
    text: str
    dark_ink: bool
    family: str


def render(
    rng: Generator,
    text: str,
    width: int,
    height: int,
    family: str,
    fill: tuple[float, float] = (0.5, 0.97),
) -> Picture:
    """A picture of the given size; the text fills a part of its width (or of its height, if short)."""
    file = pick_face(rng, family)
    left, top, right, bottom = font_at(file, 100).getbbox(text)
    wide, tall = max(right - left, 1), max(bottom - top, 30)
    share = rng.uniform(*fill)
    size = min(share * width / wide, rng.uniform(0.45, 0.93) * height / tall) * 100
    font = font_at(file, max(8, round(size)))
    left, top, right, bottom = font.getbbox(text)
    tw, th = right - left, bottom - top
    room_x, room_y = max(0, width - tw), max(0, height - th)
    off_x = rng.normal(0, 0.12) if rng.random() < 0.6 else rng.uniform(-0.48, 0.48)
    off_y = rng.normal(0, 0.15) if rng.random() < 0.7 else rng.uniform(-0.45, 0.45)
    x = room_x * (0.5 + float(np.clip(off_x, -0.46, 0.46))) - left
    y = room_y * (0.5 + float(np.clip(off_y, -0.46, 0.46))) - top
    mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(mask).text((x, y), text, fill=255, font=font)
    if rng.random() < 0.55:
        slack = min(y + top, height - (y + bottom))
        limit = min(3.0, math.degrees(math.atan2(2 * max(slack, 0), max(tw, 1))))
        mask = mask.rotate(
            rng.uniform(-limit, limit), Image.Resampling.BICUBIC, center=(x + left + tw / 2, y + top + th / 2)
        )
    if rng.random() < 0.4:
        mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.035 * max(th, 12) + 0.3)))
    paper, ink, dark_ink = colours(rng)
    if rng.random() < 0.5:
        image = Image.composite(
            Image.new("RGB", (width, height), tuple(int(255 * c) for c in ink)),
            Image.new("RGB", (width, height), tuple(int(255 * c) for c in paper)),
            mask,
        )
    else:
        m = np.asarray(mask, np.float32)[..., None] / 255.0
        field_ = paper[None, None] + m * (ink - paper)
        if rng.random() < 0.4:
            slope = np.linspace(-1, 1, width, dtype=np.float32) * rng.uniform(-0.08, 0.08)
            field_ += (
                slope[None, :, None]
                + (np.linspace(-1, 1, height, dtype=np.float32) * rng.uniform(-0.08, 0.08))[:, None, None]
            )
        if rng.random() < 0.6:
            bank = noise_bank(7)
            a, b = int(rng.integers(max(1, 700 - height))), int(rng.integers(max(1, 1900 - width)))
            grain = bank[a : a + height, b : b + width]
            if grain.shape == (height, width):
                field_ += grain[..., None] * rng.uniform(0, 0.05)
        image = Image.fromarray((np.clip(field_, 0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.35:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=int(rng.integers(30, 96)))
        image = Image.open(packed).convert("RGB")
    return Picture(image, text, dark_ink, family)


def to_patches(image: Image.Image, tw: int, th: int) -> np.ndarray:
    """[patches, 768] uint8, row by row, each patch as (row, column, channel)."""
    if image.size != (tw, th):
        image = image.resize((tw, th), Image.Resampling.BICUBIC)
    a = np.asarray(image, np.uint8).reshape(th // 16, 16, tw // 16, 16, 3)
    return np.ascontiguousarray(a.transpose(0, 2, 1, 3, 4)).reshape(-1, 768)


def everyday_size(rng: Generator, flat: float = 2.0, wide: float = 9.0) -> tuple[int, int]:
    """A canvas as people make them: 2:1 to 9:1, 60 to 360 pixels high."""
    aspect = math.exp(rng.uniform(math.log(flat), math.log(wide)))
    height = int(math.exp(rng.uniform(math.log(60), math.log(360))))
    return max(96, round(height * aspect)), height


def held_out(seed: int, number_: int) -> Picture:
    """Picture number n of the held-out set; every third one is in a font never trained on."""
    rng = np.random.default_rng([seed, 9_000_001, number_])
    family = pick_family(rng, unseen=number_ % 3 == 2)
    width, height = everyday_size(rng)
    most = min(14, int(0.9 * target_size(width, height, 70)[0] / 30))
    return render(rng, line(rng, 2, most), width, height, family)


# --------------------------------------------------------------------------------------- conversations --
def spelled(text: str) -> str:
    return " ".join("-".join(w) for w in text.split(" "))


def thought(p: Picture) -> str:
    return f"One line, {'dark on light' if p.dark_ink else 'light on dark'}: {spelled(p.text)}"


def babble(rng: Generator, cap: int) -> str:
    """Any text at all: sentences of many languages, words, numbers, symbols, code."""
    u = rng.random()
    if u < 0.45:
        s = choose(rng, SENTENCES)
        if rng.random() < 0.3:
            s += " " + choose(rng, SENTENCES)
        if rng.random() < 0.25:
            parts = s.split(" ")
            rng.shuffle(parts)
            s = " ".join(parts)
        if rng.random() < 0.2:
            s = s.lower() if rng.random() < 0.5 else s.upper()
    elif u < 0.75:
        s = " ".join(word(rng) if rng.random() < 0.85 else number(rng) for _ in range(int(rng.integers(1, 25))))
        s += choose(rng, ("", "?", ".", "!", ""))
    elif u < 0.85:
        s = "".join(
            chr(int(rng.integers(33, 127))) if rng.random() < 0.85 else " " for _ in range(int(rng.integers(1, 60)))
        )
    elif u < 0.95:
        base = int(rng.choice([0x400, 0x3B1, 0x5D0, 0x627, 0x905, 0xE01, 0x3041, 0x4E00, 0xAC00, 0x1F300]))
        s = "".join(
            chr(base + int(rng.integers(0, 30 if base < 0x4000 else 400))) if rng.random() < 0.85 else " "
            for _ in range(int(rng.integers(1, 40)))
        )
    else:
        s = "\n".join(
            " ".join(word(rng) for _ in range(int(rng.integers(1, 6)))) for _ in range(int(rng.integers(2, 5)))
        )
    if rng.random() < 0.03:
        s = (s + " ") * int(rng.integers(2, 5))
    return s.encode()[:cap].decode(errors="ignore").strip()


def request(rng: Generator, cap: int) -> str:
    """The text that comes with a picture."""
    u = rng.random()
    if u < 0.25:
        return ""
    if u < 0.75:
        s = choose(rng, PROMPTS)
        v = rng.random()
        return s.lower() if v < 0.1 else s.rstrip(".?!:") if v < 0.2 else s
    return babble(rng, cap)


@dataclass
class Turns:
    """A conversation under construction: ids, and which places predict an answer."""

    ids: list[int] = field(default_factory=lambda: [tk.BOS])
    ask: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    where: list[int] = field(default_factory=list)

    def system(self, text: str, thinking: bool) -> None:
        self.ids += [tk.TURN_OPEN, *tk.encode("system"), tk.NEWLINE]
        self.ids += [tk.THINK, tk.NEWLINE] if thinking else []
        self.ids += [*self.plain(text), tk.TURN_CLOSE, tk.NEWLINE]

    @staticmethod
    def plain(text: str) -> list[int]:
        """Ids of a text with newlines."""
        out: list[int] = []
        for i, part in enumerate(text.split("\n")):
            out += ([tk.NEWLINE] if i else []) + tk.encode(part)
        return out

    def user(self, pictures: int, soft: int, text: str) -> None:
        self.ids += [tk.TURN_OPEN, *tk.encode("user"), tk.NEWLINE]
        for _ in range(pictures):
            self.ids.append(tk.IMAGE_OPEN)
            self.where += range(len(self.ids), len(self.ids) + soft)
            self.ids += [tk.IMAGE] * soft + [tk.IMAGE_CLOSE]
        self.ids += [*self.plain(text), tk.TURN_CLOSE, tk.NEWLINE]

    def model(self, answer: str, thinking: str | None, learn: bool = True, most: int = 1000) -> None:
        """An answer. At most `most` of its tokens are trained: beside pictures the start is enough."""
        self.ids += [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]
        out: list[int] = []
        if thinking is not None:
            out = [tk.CHANNEL_OPEN, *self.plain(f"thought\n{thinking}\n"), tk.CHANNEL_CLOSE]
        out += [*self.plain(answer), tk.TURN_CLOSE]
        if learn:
            count = min(len(out), most)
            self.ask += range(len(self.ids) - 1, len(self.ids) - 1 + count)
            self.labels += out[:count]
        self.ids += [*out, tk.NEWLINE]


@dataclass(frozen=True)
class Mix:
    """One kind of batch. Sizes come from a grid of soft tokens, or from a budget and an everyday canvas."""

    weight: float
    batch: int
    length: tuple[int, int] = (1, 14)
    pictures: int = 1
    grid: tuple[int, int, int, int] | None = None  # columns from..to, rows from..to
    budget: int = 70
    aspect: tuple[float, float] = (2.0, 9.0)  # of everyday canvases
    talk: float = 1.0  # share of conversations with varied prompts, system, thinking
    decline: float = 0.0  # share of conversations with pictures that end with a turn without one
    least: float = 26.0  # pixels per character at the least, on average


def size_for(rng: Generator, mix: Mix) -> tuple[int, int]:
    if mix.grid is not None:
        c0, c1, r0, r1 = mix.grid
        return 48 * int(rng.integers(c0, c1 + 1)), 48 * int(rng.integers(r0, r1 + 1))
    return target_size(*everyday_size(rng, *mix.aspect), mix.budget)


def source_size(rng: Generator, mix: Mix, tw: int, th: int) -> tuple[int, int]:
    """A canvas that the image rule brings to exactly (tw, th)."""
    if mix.grid is None:
        for _ in range(30):
            aspect = (tw + rng.uniform(0, 48)) / (th + rng.uniform(0, 48))
            height = int(math.exp(rng.uniform(math.log(60), math.log(360))))
            width = round(height * aspect)
            if target_size(width, height, mix.budget) == (tw, th):
                return width, height
    scale = math.exp(rng.uniform(math.log(0.5), math.log(1.4)))
    return (max(24, round(tw * scale * rng.uniform(0.95, 1.05))), max(24, round(th * scale)))


def make_picture(rng: Generator, mix: Mix, tw: int, th: int) -> Picture:
    most = max(1, min(mix.length[1], int(0.9 * tw / mix.least)))
    text = line(rng, min(mix.length[0], most), most)
    fill = (0.5, 0.97) if mix.grid is None else (max(0.5, min(0.9, mix.least * len(text) / tw)), 0.97)
    width, height = source_size(rng, mix, tw, th)
    return render(rng, text, width, height, pick_family(rng), fill)


@dataclass
class Talk:
    """One conversation about some same-sized pictures; its texts have at most `cap` bytes."""

    rng: Generator
    soft: int
    cap: int
    varied: bool
    thinking: bool
    turns: Turns = field(default_factory=Turns)

    def read(self, group: list[Picture], last: bool) -> None:
        self.turns.user(len(group), self.soft, request(self.rng, self.cap) if self.varied else "")
        why = thought(group[0]) if len(group) == 1 else TWO_PICTURES_THOUGHT
        answer = "\n".join(p.text for p in group)
        self.turns.model(answer, why if self.thinking and last else None, learn=last or not self.thinking)

    def decline(self, last: bool, most: int) -> None:
        rng = self.rng
        text = babble(rng, self.cap) if rng.random() < 0.6 else request(rng, self.cap) or choose(rng, PROMPTS)
        self.turns.user(0, 0, text)
        why = NO_PICTURE_THOUGHT if self.thinking and last else None
        self.turns.model(STATEMENT, why, learn=last or not self.thinking, most=most)


def converse(rng: Generator, mix: Mix, pictures: list[Picture], soft: int, cap: int) -> Turns:
    """A conversation about no picture, one or two. An earlier statement appears only if `cap` is large."""
    varied = bool(rng.random() < mix.talk)
    thinking = varied and bool(rng.random() < (0.22 if pictures else 0.45))
    t = Talk(rng, soft, cap, varied, thinking)
    if thinking or (varied and rng.random() < 0.12):
        t.turns.system("" if thinking and rng.random() < 0.5 else babble(rng, cap), thinking)
    if not pictures:
        count = 1 if rng.random() < 0.85 else 2
        for i in range(count):
            t.decline(i == count - 1, 1000)
        return t.turns
    u = rng.random() if varied or len(pictures) > 1 else 0.5
    end = bool(rng.random() < mix.decline)
    if len(pictures) == 1:
        if u < 0.15 and cap >= 120:
            t.decline(False, 20)
        t.read(pictures, not end)
    elif u < 0.45:
        t.read(pictures, not end)
    else:
        t.read(pictures[:1], False)
        if u > 0.9:
            t.decline(False, 20)
        t.read(pictures[1:], not end)
    if end:
        t.decline(True, 1000)
    return t.turns


@dataclass
class Arrays:
    """A batch as plain arrays (see model.Batch)."""

    ids: np.ndarray
    ask: np.ndarray
    labels: np.ndarray
    patches: np.ndarray | None
    where: np.ndarray | None
    columns: int


def make_batch(rng: Generator, mix: Mix) -> Arrays:
    tw, th = size_for(rng, mix) if mix.pictures else (48, 48)
    soft = tw * th // 2304
    # padded batches: long texts come together; without pictures they are cheap
    cap = int(rng.choice([40, 120, 400], p=[0.76, 0.17, 0.07] if mix.pictures else [0.3, 0.3, 0.4]))
    talks: list[Turns] = []
    patches: list[np.ndarray] = []
    for _ in range(mix.batch):
        shown = [make_picture(rng, mix, tw, th) for _ in range(mix.pictures)]
        patches += [to_patches(p.image, tw, th) for p in shown]
        talks.append(converse(rng, mix, shown, soft, cap))
    length, asked = max(len(t.ids) for t in talks), max(len(t.ask) for t in talks)
    ids = np.full((mix.batch, length), tk.PAD, np.int64)
    ask = np.zeros((mix.batch, asked), np.int64)
    labels = np.full((mix.batch, asked), -100, np.int64)
    for i, t in enumerate(talks):
        ids[i, : len(t.ids)] = t.ids
        ask[i, : len(t.ask)] = t.ask
        labels[i, : len(t.ask)] = t.labels
    where = np.array([t.where for t in talks], np.int64) if mix.pictures else None
    return Arrays(ids, ask, labels, np.stack(patches) if patches else None, where, tw // 16)


def main() -> None:
    sheet = Image.new("RGB", (1320, 1640), "grey")
    for i in range(48):
        p = held_out(1, i)
        p.image.thumbnail((420, 95))
        sheet.paste(p.image, (10 + 435 * (i % 3), 5 + 102 * (i // 3)))
    sheet.save(Path(sys.argv[1]))


if __name__ == "__main__":
    main()

"""Pictures of one to five lines of print, and the conversations around them, sums, spoken digits, tools and forms.

Everything is drawn from a seeded generator. Run it to look at a sheet of examples:

    python data.py SHEET.png
"""

from __future__ import annotations

import functools
import io
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import calls
import numpy as np
import pages
import speech
import sums
import tokenizer as tk
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from words import ALPHABETS, CLIP_PROMPTS, OPENINGS, PROMPTS, SENTENCES, WORDS

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
PLAIN_STYLES = ("Regular", "Book", "Roman", "Normal", "Semi-Expanded", "Condensed", "Standard")
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
    "I am Cabochon's sample, a tiny model: I read up to five lines of large print in a picture, hear spoken "
    "digits and do small sums. For anything else, choose a full Gemma 4 model."
)
READ_PAGE = "Read the text in this picture. Write only the text, line by line."  # as the app asks
NOTHING_THOUGHT = "No picture, no sound, no small sum."
TWO_PICTURES_THOUGHT = "Two pictures, one after the other."
CLIP_THOUGHT = "Spoken digits."
CALL_THOUGHT = "This is for the {tool}."
RESULT_THOUGHT = "The {tool} has answered."
FIGURES = frozenset(tk.encode("0123456789"))
COUNTS = ("No", "One", "Two", "Three", "Four", "Five")


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
    form: calls.Form | None = None  # what may be asked of it besides its text


def line_mask(
    rng: Generator, text: str, width: int, height: int, family: str, fill: tuple[float, float]
) -> tuple[Image.Image, int]:
    """One line of print, white on black, and how tall it is; it fills a part of the width (or height, if short)."""
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
    return mask, th


def card_mask(
    rng: Generator, text: str, width: int, height: int, family: str, fill: tuple[float, float]
) -> tuple[Image.Image, int]:
    """Several lines of print, white on black, and how tall one is: one size (or a larger first line), one pitch."""
    rows = text.split("\n")
    file = pick_face(rng, family)
    scales = [1.0] * len(rows)
    if rng.random() < 0.2:
        scales[0] = rng.uniform(1.15, 1.6)
    boxes = [[c * k for c in font_at(file, 100).getbbox(row, anchor="ls")] for row, k in zip(rows, scales, strict=True)]
    pitch = rng.uniform(1.1, 1.75) * 100
    baselines = [pitch * sum(scales[: i + 1]) for i in range(len(rows))]
    wide = max(right - left for left, _, right, _ in boxes)
    top = baselines[0] + boxes[0][1]
    tall = baselines[-1] + boxes[-1][3] - top
    size = min(rng.uniform(*fill) * width / wide, rng.uniform(0.6, 0.96) * height / tall)
    size = max(8.0, round(100 * size)) / 100
    off_x = rng.normal(0, 0.12) if rng.random() < 0.6 else rng.uniform(-0.46, 0.46)
    off_y = rng.normal(0, 0.12) if rng.random() < 0.6 else rng.uniform(-0.46, 0.46)
    x = max(0.0, width - size * wide) * (0.5 + float(np.clip(off_x, -0.46, 0.46)))
    y = max(0.0, height - size * tall) * (0.5 + float(np.clip(off_y, -0.46, 0.46))) - size * top
    aligned = float(rng.choice([0.0, 0.5, 1.0], p=[0.5, 0.42, 0.08]))
    mask = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(mask)
    for row, k, (left, _, right, _), base in zip(rows, scales, boxes, baselines, strict=True):
        at = x + size * (aligned * (wide - (right - left)) - left)
        draw.text((at, y + size * base), row, fill=255, font=font_at(file, round(100 * size * k)), anchor="ls")
    if rng.random() < 0.45:
        slack = max(0.0, min(y + size * top, height - y - size * (top + tall)))
        limit = min(2.0, math.degrees(math.atan2(2 * slack + 0.1 * size * pitch, size * wide)))
        middle = (x + size * wide / 2, y + size * (top + tall / 2))
        mask = mask.rotate(rng.uniform(-limit, limit), Image.Resampling.BICUBIC, center=middle)
    return mask, round(70 * size)


def render(
    rng: Generator,
    text: str,
    width: int,
    height: int,
    family: str,
    fill: tuple[float, float] = (0.5, 0.97),
) -> Picture:
    """A picture of the given size with a line of print, or several."""
    mask, th = (card_mask if "\n" in text else line_mask)(rng, text, width, height, family, fill)
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


@functools.cache
def press(budget: int) -> pages.Press:
    """What prints pieces of page lines for a budget."""
    return pages.Press(faces, font_at, lambda w, h: target_size(w, h, budget), noise_bank(7), BUILT_IN)


def piece_family(rng: Generator, unseen: bool = False) -> str:
    """A family for a piece of a page: book faces and typewriters come more often than on cards."""
    u = rng.random()
    if unseen:
        return pages.UNSEEN_TYPEWRITER if u < 0.1 else pick_family(rng, unseen=True)
    if u < 0.15:
        return choose(rng, pages.TYPEWRITERS)
    return choose(rng, pages.BOOKISH) if u < 0.4 else pick_family(rng)


def draw_piece(
    rng: Generator,
    target: tuple[int, int],
    budget: int,
    unseen: bool = False,
    shares: pages.Shares = pages.SHARES,
    blank: float = pages.BLANK,
) -> Picture:
    """A piece of a page's line that the image rule brings to the target's size."""
    family = piece_family(rng, unseen)
    image, text = press(budget).piece(rng, target, family, shares, blank=blank)
    return Picture(image, text, True, family)


def everyday_size(rng: Generator, flat: float = 2.0, wide: float = 9.0) -> tuple[int, int]:
    """A canvas as people make them: 2:1 to 9:1, 60 to 360 pixels high."""
    aspect = math.exp(rng.uniform(math.log(flat), math.log(wide)))
    height = int(math.exp(rng.uniform(math.log(60), math.log(360))))
    return max(96, round(height * aspect)), height


def card_size(rng: Generator, rows: int) -> tuple[int, int]:
    """A canvas for some lines: 40 to 150 pixels of height a line, from narrower than the text likes to wide."""
    aspect = math.exp(rng.uniform(math.log(max(0.75, 3.2 / rows)), math.log(9.0 / rows)))
    height = int(rows * math.exp(rng.uniform(math.log(40), math.log(150))))
    return max(96, round(height * aspect)), height


def card_text(rng: Generator, rows: int, low: int, high: int) -> str:
    return "\n".join(line(rng, low, high) for _ in range(rows))


def held_out_card(seed: int, number_: int) -> Picture:
    """Card number n of the held-out set, of one to five lines; every third one in a font never trained on."""
    rng = np.random.default_rng([seed, 9_000_002, number_])
    family = pick_family(rng, unseen=number_ % 3 == 2)
    rows = 1 + number_ // 3 % 5
    width, height = card_size(rng, rows)
    most = min(14, int(0.9 * target_size(width, height, 70)[0] / 26))
    return render(rng, card_text(rng, rows, 2, most), width, height, family)


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
    """What is thought before reading; a single line is also spelled."""
    look = "dark on light" if p.dark_ink else "light on dark"
    rows = p.text.count("\n") + 1
    return f"One line, {look}: {spelled(p.text)}" if rows == 1 else f"{COUNTS[rows]} lines, {look}."


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
        s = " ".join(
            [word(rng), *(word(rng) if rng.random() < 0.85 else number(rng) for _ in range(int(rng.integers(25))))]
        )
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
    return numbered(rng)[:cap] if rng.random() < 0.3 else babble(rng, cap)


def numbered(rng: Generator) -> str:
    """A sentence that is no sum, with a number in the place of a word; or words put together around one or two."""
    if rng.random() < 0.4:
        words = choose(rng, SENTENCES).split(" ")
        words[int(rng.integers(len(words)))] = str(rng.integers(10 ** rng.integers(1, 5)))
        return " ".join(words)
    words = [choose(rng, WORDS) for _ in range(int(rng.integers(1, 5)))]
    for _ in range(int(rng.choice([1, 2], p=[0.7, 0.3]))):
        words.insert(int(rng.integers(len(words) + 1)), str(rng.integers(10 ** rng.integers(1, 5))))
    text = " ".join([choose(rng, OPENINGS), *words]) + choose(rng, ("?", "?", ".", ""))
    return text.lower() if rng.random() < 0.1 else text


def made_up(rng: Generator) -> int:
    """A character that nothing shows."""
    return tk.encode(choose(rng, LETTERS + DIGITS + ".,' "))[0]


def circle(rng: Generator, said: list[int]) -> list[int]:
    """The last tokens said again, up to twenty times: one in three times only one of them, at most 40 together."""
    long = 1 if rng.random() < 0.35 else int(math.exp(rng.uniform(math.log(2), math.log(40))))
    last = said[-long:]
    return last * min(int(math.exp(rng.uniform(0, math.log(20)))), max(1, 40 // len(last)))


@dataclass
class Turns:
    """A conversation under construction: ids, which places predict an answer, and the places of its media."""

    ids: list[int] = field(default_factory=lambda: [tk.BOS])
    ask: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    pictures: list[list[int]] = field(default_factory=list)
    clips: list[list[int]] = field(default_factory=list)

    def system(self, text: str, thinking: bool, tools: Sequence[str] = ()) -> None:
        """The system turn; tools are given by their declarations."""
        self.ids += [tk.TURN_OPEN, *tk.encode("system"), tk.NEWLINE]
        self.ids += [tk.THINK, tk.NEWLINE] if thinking else []
        self.ids += [*self.plain(text), *calls.marked("".join(tools)), tk.TURN_CLOSE, tk.NEWLINE]

    @staticmethod
    def plain(text: str) -> list[int]:
        """Ids of a text with newlines."""
        out: list[int] = []
        for i, part in enumerate(text.split("\n")):
            out += ([tk.NEWLINE] if i else []) + tk.encode(part)
        return out

    def user(self, text: str, pictures: Sequence[int] = (), clips: Sequence[int] = ()) -> None:
        """A question; media come first and are given by their counts of soft tokens."""
        self.ids += [tk.TURN_OPEN, *tk.encode("user"), tk.NEWLINE]
        for soft in pictures:
            self.ids.append(tk.IMAGE_OPEN)
            self.pictures.append(list(range(len(self.ids), len(self.ids) + soft)))
            self.ids += [tk.IMAGE] * soft + [tk.IMAGE_CLOSE]
        for soft in clips:
            self.ids.append(tk.AUDIO_OPEN)
            self.clips.append(list(range(len(self.ids), len(self.ids) + soft)))
            self.ids += [tk.AUDIO] * soft + [tk.AUDIO_CLOSE]
        self.ids += [*self.plain(text), tk.TURN_CLOSE, tk.NEWLINE]

    def model(self, answer: str, thinking: str | None, learn: bool = True, most: int = 1000) -> None:
        """An answer. At most `most` of its tokens are trained: beside pictures the start is enough."""
        self.ids += [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]
        out = self.thought(thinking)
        self.write([*out, *self.plain(answer), tk.TURN_CLOSE], most if learn else 0)
        self.ids.append(tk.NEWLINE)

    def called(self, call: calls.Call, thinking: bool, learn: bool = True) -> None:
        """An answer by way of a tool; what the tool gave is not trained, but for the token that waits for it."""
        self.ids += [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]
        before = CALL_THOUGHT.format(tool=call.tool) if thinking else None
        after = RESULT_THOUGHT.format(tool=call.tool) if thinking else None
        first, *given = calls.marked(call.given)
        self.write([*self.thought(before), *calls.marked(call.written), first], 1000 if learn else 0)
        self.ids += given
        self.write([*self.thought(after), *self.plain(call.answer), tk.TURN_CLOSE], 1000 if learn else 0)
        self.ids.append(tk.NEWLINE)

    def filled(self, form: calls.Form, again: int = -1) -> None:
        """A form filled in; some of its keys are given, not chosen. Field `again`, if any, was said twice by mistake.

        The mistake itself is not trained: only how the answer goes on after it, or ends.
        """
        self.ids += [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]
        for i, (text, chosen) in enumerate(form.parts):
            self.write(tk.encode(text), 1000 if chosen else 0)
            if i == 4 * again + 3:
                twice = ", " + "".join(part for part, _ in form.parts[i - 2 : i + 1])
                self.write(tk.encode(twice), 0)
        self.write([tk.TURN_CLOSE], 1)
        self.ids.append(tk.NEWLINE)

    def stumbled(self, rng: Generator, answer: str) -> None:
        """An answer of several lines in which one was written again by mistake, and how to go on from there.

        The mistake itself is not trained: only that the next line follows it, or the end.
        """
        self.ids += [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]
        rows = answer.split("\n")
        at = int(rng.integers(len(rows)))
        again = rows[int(rng.integers(max(0, at - 1), at + 1))]
        for i, row in enumerate(rows):
            self.write([*([tk.NEWLINE] if i else []), *tk.encode(row)], 1000)
            if i == at:
                for _ in range(int(rng.integers(1, 3))):
                    self.write([tk.NEWLINE, *tk.encode(again)], 0)
        self.write([tk.TURN_CLOSE], 1)
        self.ids.append(tk.NEWLINE)

    def slipped(self, rng: Generator, answer: str) -> None:
        """An answer with slips in it: a character wrong, lost, doubled, or some said again and again, also at the end.

        The slip itself is not trained: only how the line goes on after it, or ends.
        """
        self.ids += [tk.TURN_OPEN, *tk.encode("model"), tk.NEWLINE]
        out = self.plain(answer)
        slips = set(rng.integers(0, len(out) + 1, int(rng.integers(1, 4))).tolist())
        for i, token in enumerate(out):
            u = rng.random() if i in slips else 1.0
            if u < 0.3:
                self.write([made_up(rng)], 0)
            elif u < 0.45 and i + 1 < len(out):
                pass  # lost
            else:
                self.write([token], 1)
                self.write(circle(rng, out[: i + 1]) if i in slips else [], 0)
        if len(out) in slips:
            self.write(circle(rng, [*out, *(made_up(rng) for _ in range(rng.integers(1, 4)))]), 0)
        self.write([tk.TURN_CLOSE], 1)
        self.ids.append(tk.NEWLINE)

    def blur(self, rng: Generator, start: int) -> None:
        """Change a few characters from `start` on, as in an answer that goes on from its own mistakes."""
        for i in range(start, len(self.ids)):
            if self.ids[i] >= tk.FIRST_CHARACTER and rng.random() < 0.05:
                self.ids[i] = tk.encode(choose(rng, LETTERS + DIGITS))[0]

    def thought(self, text: str | None) -> list[int]:
        return [] if text is None else [tk.CHANNEL_OPEN, *self.plain(f"thought\n{text}\n"), tk.CHANNEL_CLOSE]

    def write(self, out: list[int], most: int) -> None:
        """What the model writes; the first `most` of it are trained."""
        count = min(len(out), most)
        self.ask += range(len(self.ids) - 1, len(self.ids) - 1 + count)
        self.labels += out[:count]
        self.ids += out


@dataclass(frozen=True)
class Mix:
    """One kind of batch. Sizes come from a grid of soft tokens, or from a budget and a canvas."""

    weight: float
    batch: int
    length: tuple[int, int] = (1, 14)
    pictures: int = 1
    grid: tuple[int, int, int, int] | None = None  # columns from..to, rows from..to
    budget: int = 70
    aspect: tuple[float, float] = (2.0, 9.0)  # of everyday canvases
    lines: tuple[int, int] = (1, 1)  # of print in a picture
    clips: int = 0
    seconds: tuple[float, float] = (0.9, 5.0)  # of a clip
    talk: float = 1.0  # share of conversations with varied prompts, system, thinking
    think: float = 0.22  # share of those with thinking on
    both: float = 0.45  # share of plans with two pictures that show them in one message
    decline: float = 0.0  # share of conversations with media that end with a turn without any
    extra: float = 0.0  # share of media turns with a turn without any before them
    sums: float = 0.0  # share of sums among the turns without media
    digits: int = 3  # of their numbers, at most
    worded: float = 0.3  # share of sums put in words of their own sign
    no_sums: float = 0.0  # share of texts with numbers that are no sums among the turns with nothing to do
    hard: bool = False  # more of them are products, and differences below zero
    tools: bool = False  # a clock, a calculator or both are offered, and asked for in turns without media
    choice: bool = False  # only the clock is offered and asked, and only what it picks from the result is trained
    stumble: float = 0.0  # share of cards whose answer holds a mistake that it goes on from
    page: bool = False  # the pictures are pieces of page lines
    rare: bool = False  # most of their words have accents or rare marks
    form: bool = False  # the pictures are cards of labels and values, answered as JSON
    as_text: float = 0.0  # share of such cards whose text is asked for, and answered as text
    figures: bool = False  # of worked sums, train mostly the figures: the words are long since known
    least: float = 26.0  # pixels per character at the least, on average
    most: int = 1000  # tokens of an answer that are trained
    still: bool = False  # the vision tower is not trained on these
    gain: float = 1.0  # factor of the loss


@dataclass(frozen=True)
class Slot:
    """The place of a picture in all conversations of a batch: its size, and how many lines it has about."""

    tw: int
    th: int
    rows: int

    @property
    def soft(self) -> int:
        return self.tw * self.th // 2304


def draw_slot(rng: Generator, mix: Mix) -> Slot:
    if mix.page:
        return Slot(*pages.target(rng, press(mix.budget).rule), 1)
    rows = int(rng.integers(mix.lines[0], mix.lines[1] + 1))
    if mix.grid is not None:
        c0, c1, r0, r1 = mix.grid
        return Slot(48 * int(rng.integers(c0, c1 + 1)), 48 * int(rng.integers(r0, r1 + 1)), rows)
    if mix.lines == (1, 1):
        return Slot(*target_size(*everyday_size(rng, *mix.aspect), mix.budget), rows)
    return Slot(*target_size(*card_size(rng, rows), mix.budget), rows)


def source_size(rng: Generator, mix: Mix, slot: Slot) -> tuple[int, int]:
    """A canvas that the image rule brings to the slot's size."""
    tw, th = slot.tw, slot.th
    if mix.grid is None:
        for _ in range(30):
            aspect = (tw + rng.uniform(0, 48)) / (th + rng.uniform(0, 48))
            low, high = (60, 360) if slot.rows == 1 else (40 * slot.rows, 150 * slot.rows)
            height = int(math.exp(rng.uniform(math.log(low), math.log(high))))
            width = round(height * aspect)
            if target_size(width, height, mix.budget) == (tw, th):
                return width, height
    scale = math.exp(rng.uniform(math.log(0.5), math.log(1.4)))
    return (max(24, round(tw * scale * rng.uniform(0.95, 1.05))), max(24, round(th * scale)))


def make_picture(rng: Generator, mix: Mix, slot: Slot) -> Picture:
    if mix.page:
        shares = pages.RARE if mix.rare else pages.SHARES
        return draw_piece(rng, (slot.tw, slot.th), mix.budget, shares=shares, blank=2 * pages.BLANK)
    most = max(1, min(mix.length[1], int(0.9 * slot.tw / mix.least)))
    low = min(mix.length[0], most)
    width, height = source_size(rng, mix, slot)
    if mix.lines == (1, 1):
        text = line(rng, low, most)
        fill = (0.5, 0.97) if mix.grid is None else (max(0.5, min(0.9, mix.least * len(text) / slot.tw)), 0.97)
        return render(rng, text, width, height, pick_family(rng), fill)
    rows = max(mix.lines[0], min(mix.lines[1], slot.rows + int(rng.choice([-1, 0, 1], p=[0.2, 0.65, 0.15]))))
    rows = min(rows, max(1, slot.th // 40))
    form = calls.draw_form(rng, rows, max(most, 8)) if mix.form else None
    text = form.card if form else card_text(rng, rows, low, most)
    p = render(rng, text, width, height, pick_family(rng), (0.5, 0.97) if mix.grid is None else (0.75, 0.98))
    p.form = None if rng.random() < mix.as_text else form
    return p


def plan(rng: Generator, mix: Mix) -> list[str]:
    """What the turns of all conversations of a batch are about."""

    def bare() -> str:
        if mix.tools:
            return ("clock", "calculator", "sum", "nothing")[int(rng.choice(4, p=[0.4, 0.42, 0.06, 0.12]))]
        return "sum" if rng.random() < mix.sums else "nothing"

    if mix.choice:
        return ["clock"]
    if not mix.pictures and not mix.clips:
        return [bare() for _ in range(int(rng.choice([1, 2, 3], p=[0.75, 0.17, 0.08])))]
    together = mix.pictures == 2 and rng.random() < mix.both
    media = (["both"] if together else ["picture"] * mix.pictures) + ["clip"] * mix.clips
    rng.shuffle(media)
    turns: list[str] = []
    for kind in media:
        turns += ([bare()] if rng.random() < mix.extra else []) + [kind]
    return turns + ([bare()] if rng.random() < mix.decline else [])


@dataclass
class Talk:
    """One conversation about some pictures and clips; its texts have at most `cap` bytes."""

    rng: Generator
    mix: Mix
    cap: int
    varied: bool
    thinking: bool
    pictures: Iterator[tuple[Picture, int]]
    clips: Iterator[tuple[speech.Clip, int]]
    tools: Sequence[str] = ()  # names of those that are offered
    turns: Turns = field(default_factory=Turns)

    def take(self, kind: str, last: bool) -> None:
        """One turn. With thinking on, only the last answer is trained: history has no thoughts."""
        rng, learn, most = self.rng, last or not self.thinking, self.mix.most
        asks = kind in (calls.CLOCK, calls.CALCULATOR) and kind in self.tools
        if asks or (kind == "sum" and calls.CALCULATOR in self.tools):
            clock, choice = kind == calls.CLOCK, self.mix.choice
            text, call = calls.asked_clock(rng, choice) if clock else calls.asked_calculator(rng)
            self.turns.user(text)
            self.turns.called(call, self.thinking and last, learn)
            if choice:
                chosen = len(self.turns.labels) - 1 - len(tk.encode(call.answer.removeprefix("It is ")))
                self.turns.labels = [n if i in (chosen, chosen + 1) else -100 for i, n in enumerate(self.turns.labels)]
            return
        if kind == calls.CALCULATOR:
            kind = "sum"
        if kind in ("picture", "both"):
            self.show([next(self.pictures) for _ in range(2 if kind == "both" else 1)], last)
            return
        if kind == "clip":
            clip, soft = next(self.clips)
            text = "" if not self.varied or rng.random() < 0.25 else choose(rng, CLIP_PROMPTS)
            self.turns.user(babble(rng, self.cap) if text and rng.random() < 0.15 else text, (), [soft])
            why, answer = CLIP_THOUGHT, clip.text
        elif kind == "sum":
            s = sums.draw(rng, digits=self.mix.digits, hard=self.mix.hard)
            self.turns.user(sums.wording(rng, s, self.mix.worded))
            why, answer = sums.working(s), str(s.value) if self.thinking and last else sums.answer(s)
        else:
            text = babble(rng, self.cap) if rng.random() < 0.6 else request(rng, self.cap) or choose(rng, PROMPTS)
            text = calls.asked_clock(rng)[0] if kind == calls.CLOCK or (rng.random() < 0.1 and not self.tools) else text
            if not self.tools and rng.random() < self.mix.no_sums:
                text = sums.no_sum(rng) if rng.random() < 0.4 else numbered(rng)
            self.turns.user(text)
            why, answer = NOTHING_THOUGHT, STATEMENT
            most = min(most, 1000 if last else 20)
        self.turns.model(answer, why if self.thinking and last else None, learn, most)
        if self.mix.figures and kind == "sum" and self.thinking:
            self.turns.labels = [n if n in FIGURES or rng.random() < 0.1 else -100 for n in self.turns.labels]

    def show(self, group: list[tuple[Picture, int]], last: bool) -> None:
        """A turn about a picture, or about two."""
        rng, mix, first = self.rng, self.mix, group[0][0]
        asked = first.form.question if first.form else request(rng, self.cap) if self.varied else ""
        if mix.page:
            asked = READ_PAGE if self.cap > 40 and rng.random() < 0.7 else asked[: self.cap]
        elif mix.form and not first.form and rng.random() < 0.4:
            asked = READ_PAGE
        self.turns.user(asked, [soft for _, soft in group])
        if first.form:
            slip = rng.random() < mix.stumble
            self.turns.filled(first.form, int(rng.integers(len(first.form.parts) // 4)) if slip else -1)
            return
        answer = "\n".join(p.text for p, _ in group)
        slips = len(group) == 1 and not self.thinking
        start = len(self.turns.ids) + len(tk.encode("model")) + 2
        if slips and (mix.page or "\n" in answer) and rng.random() < mix.stumble:
            again = "\n" in answer and rng.random() < 0.5
            (self.turns.stumbled if again else self.turns.slipped)(rng, answer)
        else:
            why = thought(first) if len(group) == 1 else TWO_PICTURES_THOUGHT
            self.turns.model(answer, why if self.thinking and last else None, last or not self.thinking, mix.most)
        if slips and "\n" in answer and rng.random() < mix.stumble:
            self.turns.blur(rng, start)


@dataclass
class Arrays:
    """A batch as plain arrays (see model.Batch)."""

    ids: np.ndarray
    ask: np.ndarray
    labels: np.ndarray
    pictures: list[tuple[np.ndarray, np.ndarray, int]]  # patches, their soft tokens' places, patch columns
    clips: list[tuple[np.ndarray, np.ndarray]]  # mel frames, their soft tokens' places
    still: bool


def make_batch(rng: Generator, mix: Mix) -> Arrays:
    """Conversations of one plan: same turns, same sizes of their pictures, same lengths of their clips."""
    slots = [draw_slot(rng, mix) for _ in range(mix.pictures)]
    lengths = [speech.draw_length(rng, mix.seconds) for _ in range(mix.clips)]
    kinds = plan(rng, mix)
    thinking = bool(rng.random() < mix.think)
    # padded batches: long texts come together; alone they are cheap
    alone = not mix.pictures and not mix.clips
    shares = [0.76, 0.17, 0.07] if not alone or mix.tools else [0.3, 0.3, 0.4]
    shares = shares if not alone or "nothing" in kinds else [0.96, 0.04, 0.0]
    cap = int(rng.choice([12, 66], p=[0.75, 0.25]) if mix.page or mix.choice else rng.choice([40, 120, 400], p=shares))
    framed = bool(rng.random() < 0.15)
    talks: list[Turns] = []
    patches: list[list[np.ndarray]] = [[] for _ in slots]
    mels: list[list[np.ndarray]] = [[] for _ in lengths]
    for _ in range(mix.batch):
        shown = [make_picture(rng, mix, slot) for slot in slots]
        heard = [speech.make_clip(rng, n) for n in lengths]
        for group, p, slot in zip(patches, shown, slots, strict=True):
            group.append(to_patches(p.image, slot.tw, slot.th))
        for mel, c in zip(mels, heard, strict=True):
            mel.append(speech.features(c.samples))
        varied = bool(rng.random() < mix.talk)
        softs = [slot.soft for slot in slots]
        talk = Talk(
            rng,
            mix,
            cap,
            varied,
            varied and thinking,
            iter(list(zip(shown, softs, strict=True))),
            iter([(c, speech.soft_count(n)) for c, n in zip(heard, lengths, strict=True)]),
            (calls.CLOCK,) if mix.choice else calls.offered(rng) if mix.tools else (),
        )
        if talk.thinking or talk.tools or (varied and framed):
            plain = (talk.thinking or talk.tools) and rng.random() < (0.5 if talk.thinking else 0.85)
            declared = [calls.declaration(rng, name) for name in talk.tools]
            talk.turns.system("" if plain else babble(rng, cap), talk.thinking, declared)
        for i, kind in enumerate(kinds):
            talk.take(kind, i == len(kinds) - 1)
        talks.append(talk.turns)
    length, asked = max(t.ask[-1] for t in talks) + 1, max(len(t.ask) for t in talks)  # nothing after the last matters
    ids = np.full((mix.batch, length), tk.PAD, np.int64)
    ask = np.zeros((mix.batch, asked), np.int64)
    labels = np.full((mix.batch, asked), -100, np.int64)
    for i, t in enumerate(talks):
        ids[i, : len(t.ids)] = t.ids[:length]
        ask[i, : len(t.ask)] = t.ask
        labels[i, : len(t.ask)] = t.labels
    return Arrays(
        ids,
        ask,
        labels,
        [
            (np.stack(group), np.array([t.pictures[k] for t in talks], np.int64), slot.tw // 16)
            for k, (group, slot) in enumerate(zip(patches, slots, strict=True))
        ],
        [(np.stack(mel), np.array([t.clips[k] for t in talks], np.int64)) for k, mel in enumerate(mels)],
        mix.still,
    )


def main() -> None:
    sheet = Image.new("RGB", (1320, 1640), "grey")
    for i in range(24):
        p, card = held_out(1, i), held_out_card(1, i)
        p.image.thumbnail((420, 95))
        card.image.thumbnail((420, 95))
        sheet.paste(p.image, (10 + 435 * (i % 3), 5 + 204 * (i // 3)))
        sheet.paste(card.image, (10 + 435 * (i % 3), 107 + 204 * (i // 3)))
    sheet.save(Path(sys.argv[1]))


if __name__ == "__main__":
    main()

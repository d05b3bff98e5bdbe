"""Pieces of page lines: groups of words cut from a line of print as the reading of documents cuts them.

A piece is a strip of one line with a margin of about 0.45 line heights on paper colour, sometimes with slivers of
its neighbours; its text may be natural, invented, foreign, a row of leaders, or nothing at all.
Run it to look at a sheet of examples: python pages.py SHEET.png
"""

from __future__ import annotations

import functools
import io
import math
import pydoc_data.topics
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from words import ALPHABETS, FOREIGN, WORDS

# Faces drawn in pieces only; Courier Prime Code stands for the typewriters never trained on.
TYPEWRITERS = ("GNUTypewriter", "FreeMono", "Nimbus Mono PS", "Liberation Mono", "CMU Typewriter Text", "OCR B")
BOOKISH = (
    "Liberation Serif",
    "Nimbus Roman",
    "CMU Serif",
    "Linux Libertine O",
    "P052",
    "C059",
    "Charis SIL",
    "Caladea",
)
UNSEEN_TYPEWRITER = "Courier Prime Code"
MARGIN = 0.45  # of a line's height, around a piece
BLANK = 0.03  # of pieces are empty
DEEP = frozenset("gjpqyQ,;()[]{}<>|/\\$§_@&çşęąğÇŞ„“”‘’")  # what reaches below the line, or nearly
LEADER = "....."  # as it is written; printed with many more dots
EXTRA_MARKS = "[]{}<>|\\~^“”‘’–—•…€£§°©«»™½×"
WORD_LIST = Path("/usr/share/dict/american-english")


# ----------------------------------------------------------------------------------------------- words --
@functools.cache
def prose() -> list[str]:
    """The words of Python's own manual in their order, without its code."""
    kept = []
    for text in pydoc_data.topics.topics.values():
        for paragraph in text.split("\n\n"):
            flat = " ".join(paragraph.split())
            if not paragraph.startswith(("     ", "   >>>", "***", "===")) and flat.count(" ") > 12:
                kept.append(re.sub(r"\*\*?|\"\"|_{2,}", "", flat))
    return " ".join(kept).split()


@functools.cache
def dictionary() -> list[str]:
    return [w for w in WORD_LIST.read_text().split() if w.isascii() and len(w) < 15]


def choose(rng: Generator, items: str | tuple[str, ...] | list[str]) -> str:
    return items[int(rng.integers(len(items)))]


def invented(rng: Generator, longest: int = 11) -> str:
    odd = int(rng.integers(2))
    return "".join(choose(rng, ALPHABETS[(i + odd) % 2]) for i in range(int(rng.integers(1, longest))))


def cased(rng: Generator, w: str, shout: bool) -> str:
    return w.upper() if shout else w.capitalize() if rng.random() < 0.2 else w


def ended(rng: Generator, w: str) -> str:
    """A word, often with a mark after it or around it."""
    u = rng.random()
    if u < 0.80:
        return w
    if u < 0.94:
        return w + choose(rng, ",,,,..;:!?")
    if u < 0.97:
        a, b = choose(rng, ("“”", "‘’", '""', "()", "()", "''", "[]", "«»"))
        return a + w + b
    return w + choose(rng, ("...", "…", "’s", "'s", "—", ".)", "”"))


def natural(rng: Generator) -> Iterator[str]:
    """Prose from some place on."""
    words, at = prose(), int(rng.integers(len(prose())))
    curly, shout = rng.random() < 0.3, rng.random() < 0.06
    while True:
        w = words[at % len(words)]
        w = w.replace("'", "’") if curly else w
        yield w.upper() if shout else w
        at += 1


def mingled(rng: Generator) -> Iterator[str]:
    """Words of a dictionary, of everyday and invented ones, in no sense, with marks."""
    shout, share = rng.random() < 0.12, float(rng.choice([0.1, 0.3, 0.8]))
    while True:
        u = rng.random()
        w = invented(rng) if u < share else choose(rng, dictionary()) if u < 0.5 + share / 2 else choose(rng, WORDS)
        yield ended(rng, cased(rng, w, shout))


def figures(rng: Generator) -> Iterator[str]:
    """Numbers, amounts, dates, codes among words."""
    r = rng.integers
    kinds: tuple[Callable[[], str], ...] = (
        lambda: str(r(10 ** int(r(1, 8)))),
        lambda: f"{choose(rng, '$€£')}{r(1000)}.{r(100):02d}",
        lambda: f"{r(1000)},{r(100):02d} {choose(rng, ('EUR', '€', 'USD', '%'))}",
        lambda: f"{r(1, 29):02d}.{r(1, 13):02d}.{r(1950, 2060)}",
        lambda: f"{r(1950, 2060)}-{r(1, 13):02d}-{r(1, 29):02d}",
        lambda: (
            f"{r(1, 29)} {choose(rng, ('Jan', 'Feb', 'March', 'April', 'May', 'June', 'Oct', 'Dec'))} {r(1950, 2060)}"
        ),
        lambda: f"{r(24):02d}:{r(60):02d}",
        lambda: f"{r(1, 400)},{r(1000):03d}",
        lambda: f"{r(1, 400)},{r(1000):03d}.{r(100):02d}",
        lambda: f"{choose(rng, 'ABCDEFGHKMNPRSTUVWXYZ')}{choose(rng, 'ABCDEFGHKMNPRSTUVWXYZ')}-{r(100000)}",
        lambda: f"({r(100, 999)}) {r(100, 999)}-{r(10000):04d}",
        lambda: f"+{r(1, 99)} {r(10, 999)} {r(1000, 9999999)}",
        lambda: f"{r(1, 30)}.{r(1, 30)}",
        lambda: f"§ {r(1, 200)}",
        lambda: f"{r(-20, 100)}°{choose(rng, 'CF')}",
        lambda: f"{r(1, 100)}–{r(100, 300)}",
        lambda: f"{r(1, 100)} x {r(1, 100)}",
        lambda: f"No. {r(1, 1000)}",
        lambda: f"#{r(1, 10000)}",
        lambda: f"[{r(1, 200)}]",
        lambda: f"{r(100)}%",
        lambda: f"{r(1, 10)}/{r(1, 10)}",
    )
    dense = float(rng.choice([0.3, 0.6, 0.95]))
    while True:
        w = kinds[int(r(len(kinds)))]() if rng.random() < dense else ended(rng, cased(rng, choose(rng, WORDS), False))
        yield from w.split(" ")


def technical(rng: Generator) -> Iterator[str]:
    """Addresses, paths, code, brackets and rare marks."""
    r = rng.integers

    def name() -> str:
        return choose(rng, WORDS).lower() if rng.random() < 0.6 else invented(rng, 8)

    kinds: tuple[Callable[[], str], ...] = (
        lambda: f"{name()}@{name()}.{choose(rng, ('org', 'com', 'de', 'net', 'fr'))}",
        lambda: f"https://{name()}.{choose(rng, ('org', 'com', 'io'))}/{name()}",
        lambda: f"www.{name()}.{choose(rng, ('org', 'com', 'es'))}",
        lambda: f"/{name()}/{name()}.{choose(rng, ('py', 'txt', 'pdf'))}",
        lambda: f"C:\\{name()}\\{name()}",
        lambda: f"{name()}_{name()}({name()}, {r(100)})",
        lambda: f"{{{name()}: {r(100)}}}",
        lambda: f"<{name()}>",
        lambda: f"</{name()}>",
        lambda: f"{name()}[{r(100)}]",
        lambda: f"{name()} | {name()}",
        lambda: f"~{r(1000)}",
        lambda: f"{name()[:1]}^{r(2, 10)}",
        lambda: f"• {name().capitalize()}",
        lambda: f"{name()} — {name()}",
        lambda: f"“{name().capitalize()}”",
        lambda: f"{name()} = {r(100)};",
        lambda: f"{name()} -> {name()}",
        lambda: f"{name()} >= {r(100)}",
        lambda: f"*{name()}*",
        lambda: f"--{name()}",
        lambda: f"${name().upper()}",
        lambda: f"{name()}&{name()}",
        lambda: "".join(choose(rng, EXTRA_MARKS + "@#$%&*+=/_-") for _ in range(int(r(1, 4)))),
    )
    dense = float(rng.choice([0.3, 0.7]))
    while True:
        w = kinds[int(r(len(kinds)))]() if rng.random() < dense else ended(rng, choose(rng, WORDS))
        yield from w.split(" ")


def foreign(rng: Generator) -> Iterator[str]:
    """Words of one of the languages with accents, and words invented with its letters."""
    words, letters = FOREIGN[choose(rng, tuple(FOREIGN))]
    shout = rng.random() < 0.08
    while True:
        w = choose(rng, words)
        if rng.random() < 0.35:
            w = invented(rng)
            at = int(rng.integers(len(w)))
            w = w[:at] + choose(rng, letters) + w[at + 1 :]
        up = w.upper() if "ß" not in w and "ı" not in w and "i" not in w else w
        yield ended(rng, up if shout else w.capitalize() if rng.random() < 0.2 and w[0] not in "iı" else w)


def accented(rng: Generator) -> Iterator[str]:
    """Words invented with the letters of one of the languages, mostly its own ones, in small letters or capitals."""
    own = FOREIGN[choose(rng, tuple(FOREIGN))][1]
    shout = rng.random() < 0.25
    while True:
        w = "".join(choose(rng, own) if rng.random() < 0.35 else c for c in invented(rng))
        up = w.upper() if not set(w) & set("ßıi") else w
        yield ended(rng, up if shout or rng.random() < 0.1 else w)


def letters(rng: Generator) -> Iterator[str]:
    """Groups of characters in no order, of one case: alone, s and S look the same."""
    upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    pool = choose(rng, (upper, upper.lower(), "23456789" + upper, "0123456789", upper.lower() + "0123456789-"))
    while True:
        yield "".join(choose(rng, pool) for _ in range(int(rng.integers(1, 13))))


def leaders(rng: Generator) -> Iterator[str]:
    """A title, a row of dots, a number: a line of a table of contents. However long the row, LEADER stands for it."""
    for _ in range(int(rng.integers(0, 4))):
        yield cased(rng, choose(rng, WORDS), False)
    yield LEADER
    yield str(rng.integers(400))


Shares = tuple[float, ...]  # of the sources

SOURCES = (natural, mingled, figures, technical, foreign, letters, leaders, accented)
SHARES = (0.34, 0.22, 0.11, 0.09, 0.17, 0.04, 0.03, 0.0)
RARE = (0.0, 0.05, 0.1, 0.2, 0.35, 0.05, 0.0, 0.25)  # mostly accents and marks


# ----------------------------------------------------------------------------------------------- faces --
@functools.cache
def covered(file: str) -> frozenset[str]:
    """The characters that a font file can draw."""
    ranges = subprocess.run(["fc-query", "-f", "%{charset} ", file], capture_output=True, text=True, check=True).stdout
    ends = [part.split("-") for part in ranges.split()]
    return frozenset(chr(c) for e in ends for c in range(int(e[0], 16), min(int(e[-1], 16), 0x2FFF) + 1))


@dataclass(frozen=True)
class Run:
    """Some words in one face."""

    text: str
    font: ImageFont.FreeTypeFont


@dataclass(frozen=True)
class Print:
    """How a piece is set: its family's faces at a size, and a line's height in pixels."""

    faces: tuple[str, ...]  # the main one first
    size: int
    height: int
    known: frozenset[str]  # the characters that can be printed

    def fits(self, text: str) -> bool:
        return self.known.issuperset(text)


def line_height(font: ImageFont.FreeTypeFont, text: str = "Ehpgy") -> int:
    _, top, _, bottom = font.getbbox(text, anchor="ls")
    return max(8, round(bottom - top))


def strip_width(
    rng: Generator, target: tuple[int, int], height: int, fits: Callable[[int, int], tuple[int, int]]
) -> int:
    """A width that the image rule brings to the target's size."""
    tw, th = target
    for _ in range(60):
        width = round(height * (tw + rng.uniform(0, 48)) / (th + rng.uniform(0, 48)))
        if fits(max(width, 8), height) == target:
            return width
    return round(height * tw / th)


def words_for(
    rng: Generator, look: Print, room: float, measure: Callable[[str], float], most: int, shares: Shares
) -> str:
    """Words that fill the room of a piece, up to `most` characters."""
    if rng.random() < 0.1:
        room *= rng.uniform(0.3, 1.0)
    stream = SOURCES[int(rng.choice(len(SOURCES), p=shares))](rng)
    text, misses = "", 0
    for w in stream:
        if not look.fits(w):
            misses += 1
            if misses > 60:
                break
            continue
        longer = f"{text} {w}" if text else w
        if len(longer) <= most and measure(longer) <= room:
            text = longer
            continue
        misses += 20
        if misses > 60 or len(text) > 0.9 * most:
            break
    if not text:  # no word is short enough: a part of one
        text = invented(rng, 9)
        while len(text) > 1 and measure(text) > room:
            text = text[:-1]
    return text


def led(rng: Generator, text: str, room: float, measure: Callable[[str], float]) -> str:
    """The text as it is printed: a row of dots fills the room, set close or wide."""
    if LEADER not in text:
        return text
    dot = "." if rng.random() < 0.7 else " ."
    spare = (room - measure(text)) * rng.uniform(0.3, 1.0)
    return text.replace(
        LEADER, ("." * len(LEADER) if dot == "." else " .") + dot * max(0, int(spare / measure(dot))), 1
    )


def set_runs(rng: Generator, text: str, look: Print, face: Callable[[str, int], ImageFont.FreeTypeFont]) -> list[Run]:
    """The text in its main face, now and then some words of it in another one of the family."""
    main = face(look.faces[0], look.size)
    words = text.split(" ")
    if len(look.faces) == 1 or len(words) < 2 or rng.random() < 0.75:
        return [Run(text, main)]
    a = int(rng.integers(len(words)))
    b = int(rng.integers(a + 1, len(words) + 1))
    other = face(look.faces[int(rng.integers(1, len(look.faces)))], look.size)
    parts = [(" ".join(words[:a]), main), (" ".join(words[a:b]), other), (" ".join(words[b:]), main)]
    shown = [(t, f) for t, f in parts if t]
    return [Run(t + (" " if i < len(shown) - 1 else ""), f) for i, (t, f) in enumerate(shown)]


# ------------------------------------------------------------------------------------------------ ink --
def typed(rng: Generator, mask: Image.Image, runs: list[Run], x: float, base: float, height: int) -> None:
    """Print stroke by stroke, none quite like the other."""
    draw, wild = ImageDraw.Draw(mask), rng.uniform(0.0, 0.035) * height
    for run in runs:
        for c in run.text:
            at = (x + rng.normal(0, 0.3 * wild), base + rng.normal(0, wild))
            draw.text(at, c, fill=int(rng.uniform(150, 256)), font=run.font, anchor="ls")
            x += run.font.getlength(c)


def dotted(rng: Generator, mask: Image.Image, height: int) -> Image.Image:
    """The print of a matrix printer: dots of a coarse grid."""
    pitch = max(2, round(height / rng.uniform(10, 13)))
    coarse = mask.resize((max(1, mask.width // pitch), max(1, mask.height // pitch)), Image.Resampling.BOX)
    lit = np.asarray(coarse) > 95
    disc = np.zeros((pitch, pitch), np.uint8)
    y, x = np.mgrid[:pitch, :pitch] - (pitch - 1) / 2
    disc[x * x + y * y <= (pitch * rng.uniform(0.45, 0.62)) ** 2] = 255
    out = Image.new("L", mask.size, 0)
    out.paste(Image.fromarray(np.kron(lit.astype(np.uint8), disc)))
    return out


def draw_line(rng: Generator, mask: Image.Image, runs: list[Run], x: float, base: float, letter: float) -> None:
    draw = ImageDraw.Draw(mask)
    for run in runs:
        draw.text((x, base), run.text, fill=255, font=run.font, anchor="ls")
        x += run.font.getlength(run.text)


def slivers(
    rng: Generator, mask: Image.Image, font: ImageFont.FreeTypeFont, box: tuple[float, float], base: float
) -> None:
    """What a cut leaves of the neighbours: feet of the line above, heads of that below, a stroke at an end."""
    draw, (left, right) = ImageDraw.Draw(mask), box
    u = rng.random()
    height = line_height(font)
    pitch = rng.uniform(1.12, 1.45) * height
    row = " ".join(choose(rng, WORDS) for _ in range(14))
    if u < 0.75:
        shift = rng.uniform(-3, 0) * height
        for far in (-pitch, pitch) if rng.random() < 0.5 else (pitch if rng.random() < 0.5 else -pitch,):
            draw.text((left + shift, base + far), row, fill=255, font=font, anchor="ls")
    if u > 0.6:
        seen = min(left, mask.width - right) * rng.uniform(0.05, 0.3)
        if rng.random() < 0.5:
            draw.text((seen, base), choose(rng, WORDS), fill=255, font=font, anchor="rs")
        else:
            draw.text((mask.width - seen, base), choose(rng, WORDS), fill=255, font=font, anchor="ls")


def paper(rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Paper and ink of a page: mostly black on white, or gray, seldom coloured or light on dark."""
    high = float(rng.choice([1.0, rng.uniform(0.8, 1.0)]))
    low = 0.0 if rng.random() < 0.4 else rng.uniform(0, 0.35)
    if rng.random() < 0.08:
        low = rng.uniform(0.35, 0.55)
    if rng.random() < 0.06:
        low, high = high, low
    tint = rng.uniform(-0.08, 0.08, (2, 3)) * (rng.random() < 0.3)
    a, b = np.clip(np.array([[high], [low]]) + tint, 0, 1).astype(np.float32)
    return a, b


def photograph(rng: Generator, mask: Image.Image, height: int, noise: np.ndarray) -> Image.Image:
    """Ink on paper as a scanner sees it: blur, light, grain, JPEG."""
    if rng.random() < 0.5:
        mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.025 * height + 0.35)))
    if rng.random() < 0.06:
        mask = mask.point(lambda v: 255 if v > 110 else 0)
    light, dark = paper(rng)
    m = np.asarray(mask, np.float32)[..., None] / 255.0
    field = light + m * (dark - light)
    tall, wide = mask.height, mask.width
    if rng.random() < 0.25:
        field += (np.linspace(-1, 1, wide, dtype=np.float32) * rng.uniform(-0.08, 0.08))[None, :, None]
    if rng.random() < 0.55:
        a, b = int(rng.integers(noise.shape[0] - tall)), int(rng.integers(max(1, noise.shape[1] - wide)))
        grain = noise[a : a + tall, b : b + wide]
        field[:, : grain.shape[1]] += grain[..., None] * rng.uniform(0, 0.07)
    image = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.45:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=int(rng.integers(30, 96)))
        image = Image.open(packed).convert("RGB")
    return image


@dataclass(frozen=True)
class Press:
    """What pieces are printed with: fonts, the image rule, grain."""

    faces: Callable[[str], tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]]
    face: Callable[[str, int], ImageFont.FreeTypeFont]
    rule: Callable[[int, int], tuple[int, int]]
    noise: np.ndarray
    built_in: str

    def look(self, rng: Generator, family: str) -> Print:
        files: tuple[str, ...]
        if family == self.built_in:
            files, known = (family,), frozenset(map(chr, range(33, 127)))
        else:
            plain, bold, slanted = self.faces(family)
            main = choose(rng, plain if rng.random() < 0.8 or not (bold + slanted) else bold + slanted)
            files = (main, *(choose(rng, group) for group in (bold, slanted) if group))
            known = frozenset.intersection(*map(covered, files))
        size = int(math.exp(rng.uniform(math.log(15), math.log(52))))
        flat = rng.random() < 0.12  # a line of capitals, figures or low words alone is cut lower
        font = self.face(files[0], size)
        return Print(files, size, line_height(font, "E0d" if flat else "Ehpgy"), known - DEEP if flat else known)

    def piece(
        self,
        rng: Generator,
        target: tuple[int, int],
        family: str,
        shares: Shares = SHARES,
        words: str | None = None,
        blank: float = BLANK,
    ) -> tuple[Image.Image, str]:
        """A piece of at most 60 characters that the image rule brings to the target's size, and its text."""
        look = self.look(rng, family)
        margin = MARGIN * look.height * (rng.uniform(0.55, 1.2) if rng.random() < 0.6 else 1.0)
        tall = round(look.height + 2 * margin)
        width = strip_width(rng, target, tall, self.rule)
        font = self.face(look.faces[0], look.size)
        room = width - 1.4 * margin
        empty = words is None and rng.random() < blank
        text = "" if empty else words or words_for(rng, look, room, font.getlength, 60, shares)
        runs = set_runs(rng, led(rng, text, room, font.getlength), look, self.face)
        wide = sum(r.font.getlength(r.text) for r in runs)
        spare = max(0.0, width - wide - 1.4 * margin)
        x = 0.7 * margin + spare * (0.0 if rng.random() < 0.5 else rng.random())
        top = font.getbbox("Ehd", anchor="ls")[1]
        base = margin - top + rng.normal(0, 0.05) * look.height
        mask = Image.new("L", (width, tall), 0)
        if family in TYPEWRITERS and rng.random() < 0.5:
            typed(rng, mask, runs, x, base, look.height)
        else:
            draw_line(rng, mask, runs, x, base, look.height)
        if family in TYPEWRITERS and rng.random() < 0.25 and look.height > 22:
            mask = dotted(rng, mask, look.height)
        if rng.random() < 0.2:
            slivers(rng, mask, font, (x, x + wide), base)
        if rng.random() < 0.45:
            mask = mask.rotate(rng.uniform(-1, 1) * rng.uniform(0.2, 1), Image.Resampling.BICUBIC)
        return photograph(rng, mask, look.height, self.noise), text


def target(rng: Generator, rule: Callable[[int, int], tuple[int, int]]) -> tuple[int, int]:
    """Size in pixels of a piece of 3 to 60 characters after the image rule."""
    low, high = ((3, 14), (14, 28), (28, 42), (42, 62))[int(rng.choice(4, p=[0.12, 0.28, 0.44, 0.16]))]
    wide = 0.5 * rng.uniform(low, high) + 2 * 0.7 * MARGIN
    return rule(round(100 * wide), round(100 * (1 + 2 * MARGIN)))


def main() -> None:
    import data

    sheet = Image.new("RGB", (1500, 1800), "grey")
    rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    for i in range(48):
        press = data.press(70)
        size = target(rng, press.rule)
        image, text = press.piece(rng, size, data.piece_family(rng))
        print(size, image.size, len(text), repr(text))
        image = image.resize((730, round(730 * size[1] / size[0]))) if size[0] > 730 else image
        sheet.paste(image, (10 + 745 * (i % 2), 5 + 74 * (i // 2)))
    sheet.save(Path(sys.argv[1]))


if __name__ == "__main__":
    main()

"""Small sums: how people write them, how they are worked out column by column, and what they come to."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from numpy.random import Generator
from words import NO_SUMS, SUM_WORDINGS

SIGNS = {"+": ("+",), "-": ("-", "-", "\u2212", "\u2013"), "x": ("x", "\u00d7", "*")}
SPOKEN = {"+": "plus", "-": "minus", "x": "times"}


@dataclass(frozen=True)
class Sum:
    a: int
    sign: str  # + - x
    b: int

    @property
    def value(self) -> int:
        return {"+": self.a + self.b, "-": self.a - self.b, "x": self.a * self.b}[self.sign]

    def __str__(self) -> str:
        return f"{self.a} {self.sign} {self.b}"

    @property
    def held_out(self) -> bool:
        """One in sixteen is never trained, but for those of two single digits: they are the tables."""
        return (self.a > 9 or self.b > 9) and zlib.crc32(str(self).encode()) % 16 == 0


def draw(rng: Generator, held_out: bool = False, digits: int = 3, hard: bool = False) -> Sum:
    """+ and - of one to three digits each (or fewer); x of one digit by one or two. Hard: more x, more below zero."""

    def number(most: int) -> int:
        return int(rng.integers(10 ** min(most, int(rng.choice([1, 2, 3], p=[0.3, 0.4, 0.3])))))

    while True:
        sign = "+-x"[int(rng.choice(3, p=[0.2, 0.4, 0.4] if hard else [0.4, 0.4, 0.2]))]
        most = 1 if sign == "x" else digits
        a, b = number(most), number(most)
        if sign == "x" and digits > 1 and rng.random() < 0.7:
            a = int(rng.integers(10, 100))
            a, b = (a, b) if rng.random() < 0.6 else (b, a)
        if sign == "-" and a < b and rng.random() < (0.4 if hard else 0.8):
            a, b = b, a
        s = Sum(a, sign, b)
        if s.held_out == held_out:
            return s


def wording(rng: Generator, s: Sum, worded: float = 0.3) -> str:
    """A question as people put it; a share of them in words of its sign's own."""
    if rng.random() < 1 - worded:
        u = rng.random()
        options = SIGNS[s.sign]
        sign = SPOKEN[s.sign] if u < 0.2 else options[int(rng.integers(len(options)))]
        tight = rng.random() < 0.3 and sign != SPOKEN[s.sign]
        plain = f"{s.a}{sign}{s.b}" if tight else f"{s.a} {sign} {s.b}"
        pool = SUM_WORDINGS["any"] if rng.random() < 0.6 else ("What is {s}?", "{s}", "{s} =")
        text = pool[int(rng.integers(len(pool)))].format(s=plain)
    else:
        pool = SUM_WORDINGS[s.sign]
        text = pool[int(rng.integers(len(pool)))].format(a=s.a, b=s.b)
    v = rng.random()
    return text.lower() if v < 0.08 else text.rstrip(".?") if v < 0.16 else text


def no_sum(rng: Generator, wordings: Sequence[str] = NO_SUMS) -> str:
    """A question with numbers in it that is no sum, or a sum of a kind that is not done."""
    a, b, year = (int(n) for n in rng.integers([1, 1, 1000], [1000, 100, 2100]))
    if rng.random() < 0.4:
        a, b = a % 100 + 1, b % 12 + 1
    text = wordings[int(rng.integers(len(wordings)))].format(a=a, b=b, year=year)
    return text.lower() if rng.random() < 0.1 else text


def columns(n: int, count: int) -> list[int]:
    """Digits from the right, filled up with noughts."""
    return [n // 10**i % 10 for i in range(count)]


def working(s: Sum) -> str:
    """The sum worked out from the right, carries written out."""
    a, b = s.a, s.b
    lines = [f"{s}, from the right:"]
    if s.sign == "x" and len(str(a)) < len(str(b)):
        a, b = b, a
        lines = [f"{s} = {a} x {b}, from the right:"]
    if s.sign == "-" and a < b:
        a, b = b, a
        lines = [f"{s} = -({a} - {b}), from the right:"]
    count = max(len(str(a)), len(str(b)))
    carry = 0
    for x, y in zip(columns(a, count), columns(b, count), strict=True):
        more = f" {'-' if s.sign == '-' else '+'} {carry}" if carry else ""
        if s.sign == "-":
            t = x - y - carry
            carry = int(t < 0)
            if carry:
                t += 10
                lines.append(f"{x} - {y}{more}: borrow, {x + 10} - {y}{more} = {t}, write {t}")
            else:
                lines.append(f"{x} - {y}{more} = {t}, write {t}")
            continue
        t = (x * b if s.sign == "x" else x + y) + carry
        carry = t // 10
        lines.append(
            f"{x} {s.sign} {b if s.sign == 'x' else y}{more} = {t}, write {t % 10}"
            + (f", carry {carry}" if carry else "")
        )
    if carry:
        lines.append(f"write {carry}")
    return "\n".join([*lines, f"So {s} = {s.value}"])


def answer(s: Sum) -> str:
    """What is said without a thought: the value of single digits, which are known by heart, else the working."""
    return str(s.value) if max(s.a, s.b) < 10 else working(s)

"""When two readings of a line are the same text: Unicode composed, quotes and hyphens plain, blanks single."""

import unicodedata

import numpy as np

__all__ = ["DIFFERENT", "difference", "distance", "edits", "plain"]

DIFFERENT = 0.2
"""Share of a line's characters that may differ between two readings of it."""

_PLAIN = str.maketrans(
    dict.fromkeys("“”„‟«»", '"')
    | dict.fromkeys("‘’‚‛´`", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"…": "...", "\xad": ""}
)


def plain(text: str) -> str:
    """The text as it is compared."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_PLAIN).split())


def distance(a: str, b: str) -> int:
    """Characters to insert, delete or replace between two texts."""
    return edits(np.array([ord(c) for c in a]), np.array([ord(c) for c in b]))


def difference(a: str, b: str) -> float:
    """Their distance as a share of the longer one, of their plain forms: 0 for the same, 1 for nothing in common."""
    a, b = plain(a), plain(b)
    return 0.0 if a == b else distance(a, b) / max(len(a), len(b))


def edits(a: np.ndarray, b: np.ndarray) -> int:
    """The same for sequences of numbers. Levenshtein's, a row at a time; insertions are a running minimum."""
    if len(a) < len(b):
        a, b = b, a
    steps = np.arange(len(b) + 1)
    row = steps.copy()
    for i, each in enumerate(a, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (b != each))
        row = np.minimum.accumulate(np.append(i, best) - steps) + steps
    return int(row[-1])

"""Whether letters of a text layer can be a language: fonts whose tables are wrong give other letters than are seen."""

import unicodedata
from collections.abc import Iterable

import numpy as np

__all__ = ["are_letters_swapped"]

FEWEST = 200
"""Latin letters: of fewer nothing can be said."""

SHORTEST = 3
"""Letters of a word that is looked at."""

USUAL = np.isin(np.arange(26), [ord(letter) - ord("a") for letter in "eaionrst"])
"""Letters of which every language in Latin script has many, 40 to 72 of 100; where they are swapped about 30 are."""

UNEVEN = 0.055
"""Sum of the squared shares of the letters: languages have more, codes and random letters less."""

TOO_FEW = 0.36
"""Of the usual letters, for a language."""

FAR_FEWER = 0.15
"""Than after all letters have moved on by as many places: then that is the text."""

MOST = 0.5
"""Of the usual letters, where that is asked at all."""


def are_letters_swapped(characters: Iterable[str]) -> bool:
    """Whether what looks like a text cannot be one, letter for letter; nothing is said of other scripts."""
    words = "".join(c if c.isalnum() else " " for c in characters).split()
    text = "".join(word for word in words if len(word) >= SHORTEST and word.isalpha())  # codes have digits
    folded = unicodedata.normalize("NFD", text.casefold()).encode("ascii", "ignore")
    codes = np.frombuffer(folded, np.uint8).astype(int) - ord("a")
    letters = codes[(codes >= 0) & (codes < 26)]
    if len(letters) < FEWEST:
        return False
    shares = np.bincount(letters, minlength=26) / len(letters)
    if (shares**2).sum() < UNEVEN:
        return False
    usual = float(shares[USUAL].sum())
    moved = max(float(np.roll(shares, places)[USUAL].sum()) for places in range(1, 26))
    return usual < TOO_FEW or (usual < MOST and moved > usual + FAR_FEWER)

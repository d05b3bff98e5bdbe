"""What strangers wrote (a file's name, a model's argument, a title) as a part of one of our sentences."""

import unicodedata

__all__ = ["one_line"]

MOST = 100
"""Characters that a sentence shows of it."""

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_JOINERS = "\u200c\u200d"
"""Which letters of some scripts, and emoji, need."""


def one_line(text: str, most: int = MOST) -> str:
    """The text on one line and of a bounded length: of a longer one, the beginning and the end.

    What breaks lines becomes a blank; what turns or hides others becomes U+FFFD: a reader should see that it is there.
    """
    shown = text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most // 2) :]}"
    return "".join(_visible(letter) for letter in shown)


def _visible(letter: str) -> str:
    if letter.isspace():
        return " "
    return "\ufffd" if unicodedata.category(letter) in _INVISIBLE and letter not in _JOINERS else letter

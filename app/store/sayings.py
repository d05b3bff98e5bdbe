"""What is said to a person about what is kept: sentences that know what they are about."""

from enum import IntEnum

__all__ = ["Matter", "Saying"]


class Matter(IntEnum):
    """What a sentence is about. Of each matter the newest sentence holds; a higher matter is told first."""

    SAVED_AGAIN = 0
    SETTINGS = 1
    """They cannot be saved."""
    LOST = 2
    """Something could not be kept and never will."""
    WAITING = 3
    """Something waits for the disk."""
    SET_ASIDE = 4
    """What was kept is damaged."""
    NOT_KEPT = 5
    """Nothing is kept in this run."""


class Saying(str):
    """A sentence and its matter."""

    __slots__ = ("matter",)

    matter: Matter

    def __new__(cls, sentence: str, matter: Matter) -> "Saying":
        """A sentence about a matter."""
        saying = super().__new__(cls, sentence)
        saying.matter = matter
        return saying

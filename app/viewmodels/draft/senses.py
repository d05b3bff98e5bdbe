"""What the loaded model takes, and how."""

import math
from dataclasses import dataclass

from engine import BUDGETS, ModelInfo

__all__ = ["Senses", "senses_of"]


@dataclass(frozen=True)
class Senses:
    """What the loaded model takes, and how; before it is known, everything."""

    hears: bool = True
    sees: bool = True
    auto_limit: int = BUDGETS[-1]
    """The largest budget that Auto chooses."""
    characters_per_token: float = 3.5
    """Of text, roughly."""
    seconds_per_soft_token: float = 0.0
    """To see or hear it and to read it, as measured in this session; 0 before anything is."""

    def text_tokens(self, text: str) -> int:
        """Tokens of a text, roughly."""
        return math.ceil(len(text) / self.characters_per_token)


def senses_of(info: ModelInfo | None) -> Senses:
    """What a model takes."""
    if info is None:
        return Senses()
    limit = info.traits.max_budget
    return Senses("sound" in info.modalities, "picture" in info.modalities, limit, info.characters_per_token)

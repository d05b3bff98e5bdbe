"""A model that knows nothing: any token that a constraint allows, those that close something more often."""

import numpy as np

from engine.generation.constraint import Constraint
from engine.prompt.special_tokens import Special
from engine.prompt.tokenizer import Tokenizer

CLOSING = ('"', "}", "]")


def write(constraint: Constraint, tokenizer: Tokenizer, seed: int, limit: int) -> list[int]:
    """Token ids up to the end of the turn, the end of the form or the limit."""
    draw = np.random.default_rng(seed)
    closing = [tokenizer.id_of(text) for text in CLOSING] + [Special.END_TURN, Special.STRING_QUOTE]
    written: list[int] = []
    while len(written) < limit and not constraint.is_complete:
        mask = np.array(constraint.mask())
        logits = draw.gumbel(size=len(mask))
        logits[closing] += 4
        token = int(np.where(mask, logits, -np.inf).argmax())
        if token == Special.END_TURN:
            assert constraint.may_end
            break
        constraint.advance(token)
        written.append(token)
    return written

"""A model that knows nothing: any token that a constraint allows, those that close something more often."""

import numpy as np

from engine.generation.constraint import Constraint
from engine.tokens.special_tokens import Special
from engine.tokens.tokenizer import Tokenizer

CLOSING = ('"', "}", "]")


def may_end(constraint: Constraint) -> bool:
    """Whether what is written is of the form."""
    return bool(constraint.mask()[int(Special.END_TURN)].item())


def is_complete(constraint: Constraint) -> bool:
    """Whether what is written is of the form, and nothing can follow."""
    return may_end(constraint) and constraint.mask().sum().item() == 1


def write(constraint: Constraint, tokenizer: Tokenizer, seed: int, limit: int) -> list[int]:
    """Token ids up to the end of the turn or the limit."""
    draw = np.random.default_rng(seed)
    closing = [tokenizer.id_of(text) for text in CLOSING] + [Special.END_TURN, Special.STRING_QUOTE]
    written: list[int] = []
    while len(written) < limit:
        mask = np.array(constraint.mask())
        logits = draw.gumbel(size=len(mask))
        logits[closing] += 4
        token = int(np.where(mask, logits, -np.inf).argmax())
        if token == Special.END_TURN:
            break
        constraint.advance(token)
        written.append(token)
    return written

"""How an answer is made. Travels as one value from the window to the sampler."""

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["GREEDY", "Options", "Sampling"]


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the next token is chosen; the defaults are the vendor's `generation_config.json`.

    A temperature of 0 always takes the most likely token. `top_k` 0 and `top_p` 1 switch those steps off.
    The same seed gives the same text on the same machine; without a seed each answer draws its own.
    """

    temperature: Annotated[float, Meta(ge=0)] = 1.0
    top_k: Annotated[int, Meta(ge=0)] = 64
    top_p: Annotated[float, Meta(gt=0, le=1)] = 0.95
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None


GREEDY = Sampling(temperature=0.0)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person chose for one answer."""

    sampling: Sampling = Sampling()
    thinking: bool = False
    max_new_tokens: Annotated[int, Meta(ge=1)] = 4096

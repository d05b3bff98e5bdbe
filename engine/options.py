"""How an answer is made. Travels as one value from the window to the sampler."""

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["GREEDY", "VENDOR_SAMPLING", "Options", "Sampling"]


class Sampling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the next token is chosen. What is None is chosen as the checkpoint's `generation_config.json` advises.

    A temperature of 0 always takes the most likely token. `top_k` 0 and `top_p` 1 switch those steps off.
    The same seed gives the same text on the same machine; without a seed each answer draws its own.
    """

    temperature: Annotated[float, Meta(ge=0)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None

    def filled_from(self, advised: "Sampling") -> "Sampling":
        """This, with what is None taken from `advised`."""
        chosen = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        return msgspec.structs.replace(advised, **chosen)


VENDOR_SAMPLING = Sampling(temperature=1.0, top_k=64, top_p=0.95)
"""The vendor's `generation_config.json` for all sizes, and what holds where a file gives no advice."""

GREEDY = Sampling(temperature=0.0)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person chose for one answer."""

    sampling: Sampling = Sampling()
    thinking: bool = False
    max_new_tokens: Annotated[int, Meta(ge=1)] = 4096
    own_template: bool = False
    """Render with the model folder's own chat template, which may be an old one, instead of the canonical one."""

"""The curriculum as it was run: one entry per leg, each with its kinds of batches (see data.Mix)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from data import Mix

SEED = 20261


@dataclass(frozen=True)
class Leg:
    steps: int
    lr: float
    mixes: tuple[Mix, ...]
    warm: int = 20
    parts: int = 1  # batches a step
    minutes: float = math.inf  # the leg ends then at the latest
    last: float | None = None  # learning rate at the end of the leg, if not the same
    mean: float = 0.998  # decay of the running mean of the weights


# What legs 24 to 27 are made of: pieces of page lines, and all that the sample could do before.
PAGES = (
    Mix(3.0, 28, page=True, talk=0.8, think=0.01, stumble=0.35, still=True),
    Mix(1.1, 16, page=True, talk=0.8, think=0.01, stumble=0.35),
    Mix(0.25, 8, budget=70),
    Mix(0.2, 4, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.3),
    Mix(0.25, 6, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.3),
    Mix(0.8, 4, (1, 14), budget=280, lines=(3, 5), still=True, stumble=0.3),
    Mix(0.06, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
    Mix(0.35, 24, pictures=0, sums=1.0, think=1.0, figures=True, gain=2.5),
    Mix(0.15, 12, pictures=0, think=0.45),
    Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.6, think=0.1),
    Mix(0.3, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.6, think=0.1),
    Mix(0.3, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.25, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.85, think=0.75, figures=True, gain=1.5),
    Mix(0.15, 3, budget=280, still=True, decline=1.0, sums=0.85, think=0.75, figures=True, gain=1.5),
    Mix(0.2, 12, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.15, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(0.5, 10, pictures=0, tools=True, think=0.15, digits=2, gain=1.5),
    Mix(0.2, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.35, think=0.0, still=True),
    Mix(0.5, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.35, think=0.0, still=True),
)

BALANCED = (
    Mix(2.4, 28, page=True, talk=0.8, think=0.01, stumble=0.35, still=True),
    Mix(0.9, 16, page=True, talk=0.8, think=0.01, stumble=0.35),
    Mix(0.3, 8, budget=70),
    Mix(0.2, 4, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.3),
    Mix(0.3, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.3),
    Mix(1.6, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.3),
    Mix(0.08, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
    Mix(0.8, 24, pictures=0, sums=1.0, think=1.0, figures=True, gain=2.5),
    Mix(0.2, 12, pictures=0, think=0.45),
    Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.6, think=0.1),
    Mix(0.45, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.6, think=0.1),
    Mix(0.35, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.3, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.85, think=0.75, figures=True, gain=1.5),
    Mix(0.15, 3, budget=280, still=True, decline=1.0, sums=0.85, think=0.75, figures=True, gain=1.5),
    Mix(0.25, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.15, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(1.0, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.5),
    Mix(0.25, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.3, think=0.0, still=True),
    Mix(0.9, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.3, think=0.0, still=True),
)

LAST = (
    Mix(1.7, 28, page=True, talk=0.8, think=0.01, stumble=0.35, still=True),
    Mix(0.6, 16, page=True, talk=0.8, think=0.01, stumble=0.35),
    Mix(0.3, 8, budget=70),
    Mix(0.2, 4, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.3),
    Mix(0.3, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.3),
    Mix(1.7, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.3),
    Mix(0.08, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
    Mix(1.3, 32, pictures=0, sums=1.0, think=1.0, figures=True, gain=2.5),
    Mix(0.2, 12, pictures=0, think=0.45),
    Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.6, think=0.1),
    Mix(0.4, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.6, think=0.1),
    Mix(0.35, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.3, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.85, think=0.75, figures=True, gain=1.5),
    Mix(0.15, 3, budget=280, still=True, decline=1.0, sums=0.85, think=0.75, figures=True, gain=1.5),
    Mix(0.25, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.15, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(0.6, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.5),
    Mix(0.9, 24, pictures=0, tools=True, choice=True, think=0.0, gain=4.0),
    Mix(0.25, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.25, think=0.0, still=True),
    Mix(1.0, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
)

# From here on the vision tower is trained on all pieces: what they get wrong is seen wrongly, accents most of all.
SEEING = (
    Mix(1.5, 22, page=True, talk=0.8, think=0.01, stumble=0.35),
    Mix(0.9, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.25),
    Mix(0.3, 8, budget=70),
    Mix(0.25, 4, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.3),
    Mix(0.3, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.35),
    Mix(1.5, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.35),
    Mix(0.3, 3, (1, 14), budget=280, lines=(2, 5), stumble=0.35),
    Mix(0.05, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
    Mix(0.9, 24, pictures=0, sums=1.0, think=1.0, figures=True, hard=True, gain=2.5),
    Mix(0.15, 12, pictures=0, think=0.45),
    Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.6, think=0.1),
    Mix(0.45, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.6, think=0.1),
    Mix(0.35, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.3, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.6, think=0.6, figures=True, gain=1.5),
    Mix(0.25, 3, budget=280, still=True, decline=1.0, sums=0.6, think=0.6, figures=True, gain=1.5),
    Mix(0.4, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(0.4, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.5),
    Mix(0.5, 24, pictures=0, tools=True, choice=True, think=0.0, gain=4.0),
    Mix(0.2, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.25, think=0.0, still=True),
    Mix(1.0, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
)

# As SEEING, with less of what has been learnt.
SEEN = (
    Mix(1.8, 22, page=True, talk=0.8, think=0.01, stumble=0.35),
    Mix(0.7, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.25),
    Mix(0.3, 8, budget=70),
    Mix(0.25, 4, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.3),
    Mix(0.3, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.35),
    Mix(1.5, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.35),
    Mix(0.3, 3, (1, 14), budget=280, lines=(2, 5), stumble=0.35),
    Mix(0.05, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
    Mix(0.9, 24, pictures=0, sums=1.0, think=1.0, figures=True, hard=True, gain=2.5),
    Mix(0.15, 12, pictures=0, think=0.45),
    Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.6, think=0.1),
    Mix(0.45, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.6, think=0.1),
    Mix(0.35, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.3, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.6, think=0.6, figures=True, gain=1.5),
    Mix(0.25, 3, budget=280, still=True, decline=1.0, sums=0.6, think=0.6, figures=True, gain=1.5),
    Mix(0.4, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(0.3, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.5),
    Mix(0.2, 24, pictures=0, tools=True, choice=True, think=0.0, gain=4.0),
    Mix(0.2, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.25, think=0.0, still=True),
    Mix(1.0, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
)

# Sums without a thought are answered with their working from here on; more long cards and turns at 280, more empty
# strips, so that answers end.
WRITTEN_OUT = (
    Mix(1.7, 22, page=True, talk=0.8, think=0.01, stumble=0.4),
    Mix(0.9, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.3),
    Mix(0.25, 8, budget=70),
    Mix(0.2, 4, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.3),
    Mix(0.25, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.45),
    Mix(1.8, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.45),
    Mix(0.4, 3, (1, 14), budget=280, lines=(2, 5), stumble=0.35),
    Mix(0.05, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
    Mix(0.9, 24, pictures=0, sums=1.0, think=0.6, figures=True, hard=True, gain=2.5),
    Mix(0.25, 12, pictures=0, think=0.45),
    Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.5, think=0.1),
    Mix(0.7, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.5, think=0.1),
    Mix(0.5, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.3, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.6, think=0.4, figures=True, gain=1.5),
    Mix(0.5, 3, budget=280, still=True, decline=1.0, sums=0.6, think=0.3, figures=True, gain=1.5),
    Mix(0.35, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(0.3, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.5),
    Mix(0.15, 24, pictures=0, tools=True, choice=True, think=0.0, gain=4.0),
    Mix(0.2, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.25, think=0.0, still=True),
    Mix(0.9, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
)

AT_ONCE = Mix(0.6, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1, gain=2.0)
WORKED = (
    Mix(4.0, 24, pictures=0, sums=1.0, think=0.3, figures=True, gain=1.5),
    Mix(1.5, 6, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.8, think=0.2, figures=True, gain=1.5),
    Mix(1.5, 2, budget=280, still=True, decline=1.0, sums=0.7, think=0.2, figures=True, gain=1.5),
    AT_ONCE,
)
REHEARSED = (
    Mix(0.5, 16, page=True, talk=0.8, think=0.01, stumble=0.35, still=True),
    Mix(0.5, 3, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.4),
    Mix(0.3, 8, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.6, 12, pictures=0, tools=True, think=0.1, digits=2),
    Mix(0.3, 12, pictures=0, think=0.45),
    Mix(0.3, 3, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
)

# Sums to be worked out and sums known by heart, as often as each other, without a picture and after one.
BY_HEART = (
    Mix(2.4, 24, pictures=0, sums=1.0, think=0.3, gain=1.5),
    Mix(1.0, 6, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.8, think=0.2, gain=1.5),
    Mix(0.6, 2, budget=280, still=True, decline=1.0, sums=0.7, think=0.2, gain=1.5),
    Mix(2.4, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1, gain=1.5),
    Mix(0.8, 12, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.8, think=0.0, digits=1, gain=1.5),
)

# Whether a sum is worked out or known by heart: the first tokens of an answer tell, and only they are trained.
BEGUN = (
    Mix(0.6, 64, pictures=0, sums=1.0, think=0.0, most=8, gain=2.0),
    Mix(0.25, 10, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.8, think=0.0, most=8, still=True, gain=2.0),
)

# Long rounds of the same to go on from, sums as in BY_HEART, and turns at 280.
OUT_OF_CIRCLES = (
    Mix(2.2, 22, page=True, talk=0.8, think=0.01, stumble=0.55),
    Mix(1, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.5),
    Mix(0.15, 8, budget=70),
    Mix(0.15, 4, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.4),
    Mix(0.2, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.55),
    Mix(1.2, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.55),
    Mix(0.4, 3, (1, 14), budget=280, lines=(2, 5), stumble=0.45),
    Mix(0.35, 24, pictures=0, sums=1.0, think=1.0, figures=True, hard=True, gain=2.0),
    Mix(0.4, 24, pictures=0, sums=1.0, think=0.0, gain=1.5),
    Mix(0.3, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1, gain=1.5),
    Mix(0.2, 12, pictures=0, think=0.45),
    Mix(0.12, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.5, think=0.1),
    Mix(0.7, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.5, think=0.1),
    Mix(0.5, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.25, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.6, think=0.4, gain=1.5),
    Mix(0.4, 3, budget=280, still=True, decline=1.0, sums=0.6, think=0.3, gain=1.5),
    Mix(0.25, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.15, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(0.25, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.0),
    Mix(0.1, 24, pictures=0, tools=True, choice=True, think=0.0, gain=4.0),
    Mix(0.15, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.25, think=0.0, still=True),
    Mix(0.8, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
)

# As OUT_OF_CIRCLES and BEGUN, mostly pieces; questions with numbers in them that are no sums, told from sums.
TOLD_APART = (
    Mix(3.2, 22, page=True, talk=0.8, think=0.01, stumble=0.45),
    Mix(2.0, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.4),
    Mix(0.3, 8, budget=70),
    Mix(0.4, 4, budget=280, still=True),
    Mix(0.4, 4, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.3),
    Mix(0.25, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.45),
    Mix(1.3, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.45),
    Mix(0.4, 3, (1, 14), budget=280, lines=(2, 5), stumble=0.4),
    Mix(0.6, 24, pictures=0, sums=1.0, think=1.0, figures=True, hard=True, gain=2.0),
    Mix(0.6, 24, pictures=0, sums=1.0, think=0.0, hard=True, gain=2.0),
    Mix(0.15, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1, gain=1.5),
    Mix(0.6, 48, pictures=0, sums=0.5, think=0.0, most=8, no_sums=0.5, gain=1.5),
    Mix(0.4, 12, pictures=0, think=0.45, no_sums=0.3),
    Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.5, think=0.1, no_sums=0.3),
    Mix(0.7, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.5, think=0.1, no_sums=0.3),
    Mix(0.4, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.25, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.6, think=0.4, no_sums=0.3, gain=1.5),
    Mix(0.5, 3, budget=280, still=True, decline=1.0, sums=0.6, think=0.3, no_sums=0.3, gain=1.5),
    Mix(0.3, 10, (1, 8), grid=(3, 7, 1, 2), decline=1, sums=0.6, think=0, most=8, no_sums=0.3, still=True, gain=2.0),
    Mix(0.3, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.15, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(0.3, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.0),
    Mix(0.1, 24, pictures=0, tools=True, choice=True, think=0.0, gain=4.0),
    Mix(0.15, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.25, think=0.0, still=True),
    Mix(0.7, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
)

FIRST_TOKENS = Mix(0.5, 64, pictures=0, sums=0.4, think=0.0, most=2, no_sums=0.7)

# As TOLD_APART, but few pieces go on from a slip: those that do are read by what was said last, not by the place in the
# line, and then a phrase that stands in it twice is said twice.
IN_PLACE = (
    Mix(4.2, 22, page=True, talk=0.8, think=0.01, stumble=0.1),
    Mix(1.8, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.1),
    *TOLD_APART[2:],
)

# What was still furthest from what it should be: two pictures in a message and lines at 280, with the vision tower
# trained on them; accents, spoken digits, sums put in words.
FURTHEST = (
    Mix(3.4, 22, page=True, talk=0.8, think=0.01, stumble=0.2),
    Mix(2.6, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.15),
    Mix(0.3, 8, budget=70),
    Mix(0.6, 4, budget=280),
    Mix(0.4, 4, (1, 14), budget=280, lines=(1, 2), stumble=0.3),
    Mix(0.2, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.4),
    Mix(0.9, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.4),
    Mix(0.5, 3, (1, 14), budget=280, lines=(2, 5), stumble=0.35),
    Mix(0.8, 24, pictures=0, sums=1.0, think=1.0, figures=True, hard=True, gain=2.0),
    Mix(0.5, 24, pictures=0, sums=1.0, think=0.0, hard=True, worded=0.5, gain=2.0),
    Mix(0.12, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1, gain=1.5),
    Mix(0.4, 48, pictures=0, sums=0.5, think=0.0, most=8, worded=0.7, no_sums=0.5, gain=1.5),
    Mix(0.3, 12, pictures=0, think=0.45, no_sums=0.3),
    Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.4, sums=0.5, think=0.1, no_sums=0.3),
    Mix(0.5, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.2, sums=0.5, think=0.1, no_sums=0.3),
    Mix(0.9, 3, pictures=2, both=1.0, budget=280, still=True, think=0.03),
    Mix(0.3, 2, (1, 14), pictures=2, both=1.0, budget=280, lines=(1, 3), think=0.03),
    Mix(0.4, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    Mix(0.2, 8, (1, 8), grid=(3, 7, 1, 2), decline=1.0, sums=0.6, think=0.4, no_sums=0.3, gain=1.5),
    Mix(0.4, 3, budget=280, still=True, decline=1.0, sums=0.6, think=0.3, no_sums=0.3, gain=1.5),
    Mix(0.2, 10, (1, 8), grid=(3, 7, 1, 2), decline=1, sums=0.6, think=0, most=8, no_sums=0.3, still=True, gain=2.0),
    Mix(0.6, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    Mix(0.15, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
    Mix(0.35, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.0),
    Mix(0.1, 24, pictures=0, tools=True, choice=True, think=0.0, gain=4.0),
    Mix(0.15, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.25, think=0.0, still=True),
    Mix(0.6, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
    Mix(0.4, 64, pictures=0, sums=0.5, think=0.0, most=2, worded=0.8, no_sums=0.7),
)

# As FURTHEST, with few slips to go on from, and more of forms.
IN_PLACE_AGAIN = (
    Mix(4.2, 22, page=True, talk=0.8, think=0.01, stumble=0.1),
    Mix(2.4, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.1),
    *FURTHEST[2:-2],
    Mix(1.0, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True),
    FURTHEST[-1],
)

# As FURTHEST, a third of the pieces with slips; forms with slips, more of them, of third turns, clips and tools.
EVEN = (
    Mix(1.3, 22, page=True, talk=0.8, think=0.01, stumble=0.3),
    Mix(1.7, 22, page=True, talk=0.8, think=0.01),
    Mix(1.6, 22, page=True, rare=True, talk=0.8, think=0.01, stumble=0.1),
    Mix(0.3, 8, budget=70),
    Mix(0.5, 4, budget=280),
    Mix(0.4, 4, (1, 14), budget=280, lines=(1, 2), stumble=0.3),
    Mix(0.3, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.4),
    Mix(0.9, 5, (1, 14), budget=280, lines=(2, 5), still=True, stumble=0.4),
    Mix(0.5, 3, (1, 14), budget=280, lines=(2, 5), stumble=0.35),
    *FURTHEST[8:15],
    Mix(0.8, 3, pictures=2, both=1.0, budget=280, still=True, think=0.03),
    FURTHEST[16],
    Mix(0.9, 2, (1, 14), pictures=3, budget=280, lines=(1, 5), still=True, think=0.0),
    *FURTHEST[18:21],
    Mix(0.9, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
    FURTHEST[22],
    Mix(0.5, 12, pictures=0, tools=True, think=0.1, digits=2, gain=2.0),
    FURTHEST[24],
    Mix(0.3, 8, (8, 14), budget=140, lines=(1, 4), form=True, as_text=0.25, think=0.0, still=True, stumble=0.2),
    Mix(2.0, 4, (8, 14), budget=280, lines=(1, 5), form=True, as_text=0.25, think=0.0, still=True, stumble=0.25),
    FURTHEST[-1],
)

LEGS = (
    # 0: single large glyphs and pairs, then short strings, on tiny canvases
    Leg(
        steps=2000,
        lr=2e-3,
        warm=100,
        mixes=(
            Mix(3, 64, (1, 1), grid=(1, 1, 1, 1), talk=0.0),
            Mix(2, 64, (1, 2), grid=(1, 2, 1, 2), talk=0.0),
        ),
    ),
    # 1: short strings, one or two soft tokens high
    Leg(
        steps=3000,
        lr=2e-3,
        mixes=(
            Mix(1, 64, (1, 2), grid=(1, 2, 1, 2), talk=0.0),
            Mix(3, 48, (1, 5), grid=(2, 5, 1, 2), talk=0.0),
            Mix(1, 32, (1, 3), grid=(2, 4, 2, 4), talk=0.0),
        ),
    ),
    # 2: longer strings, larger glyphs, first whole lines
    Leg(
        steps=3000,
        lr=3e-3,
        mixes=(
            Mix(1, 64, (1, 2), grid=(1, 2, 1, 2), talk=0.0),
            Mix(4, 48, (1, 6), grid=(2, 6, 1, 2), talk=0.0),
            Mix(2, 32, (1, 4), grid=(2, 4, 2, 4), talk=0.0),
            Mix(2, 24, (2, 10), grid=(5, 12, 1, 3), talk=0.2),
        ),
    ),
    # 3: everyday canvases at budget 70; prompts, thinking, turns, no picture
    Leg(
        steps=3000,
        lr=2.5e-3,
        mixes=(
            Mix(3, 48, (1, 6), grid=(2, 6, 1, 2), talk=0.1),
            Mix(2, 32, (1, 4), grid=(2, 4, 2, 4), talk=0.1),
            Mix(2, 24, (2, 12), grid=(5, 14, 1, 3), talk=0.3),
            Mix(2, 24, (1, 14), budget=70),
            Mix(0.5, 16, pictures=0),
            Mix(0.5, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2)),
        ),
    ),
    # 4: glyphs as large as at budget 280, first pictures at 140 and 280
    Leg(
        steps=4000,
        lr=2.5e-3,
        mixes=(
            Mix(2.5, 48, (1, 6), grid=(2, 6, 1, 2), talk=0.1),
            Mix(1.5, 16, (1, 4), grid=(3, 8, 2, 5), talk=0.1),
            Mix(1.5, 24, (2, 14), grid=(5, 14, 1, 3), talk=0.3),
            Mix(2.5, 24, budget=70),
            Mix(0.8, 10, budget=140),
            Mix(0.6, 6, budget=280),
            Mix(0.3, 16, pictures=0),
            Mix(0.4, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2)),
        ),
    ),
    # 5: as 4 with more large pictures; the learning rate begins to fall
    Leg(
        steps=1400,
        lr=1.8e-3,
        last=1.2e-3,
        mixes=(
            Mix(2.5, 48, (1, 6), grid=(2, 6, 1, 2), talk=0.1),
            Mix(1.5, 16, (1, 4), grid=(3, 8, 2, 5), talk=0.1),
            Mix(1.5, 24, (3, 14), grid=(5, 14, 1, 3), talk=0.3),
            Mix(2.0, 24, budget=70),
            Mix(1.2, 10, budget=140),
            Mix(1.6, 6, budget=280),
            Mix(0.3, 16, pictures=0),
            Mix(0.4, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2)),
        ),
    ),
    # 6: as 5, but conversation only on everyday canvases, and larger batches of small pictures
    Leg(
        steps=2000,
        lr=1.6e-3,
        last=0.9e-3,
        mixes=(
            Mix(2.0, 80, (1, 7), grid=(2, 6, 1, 2), talk=0.0),
            Mix(1.2, 24, (1, 4), grid=(3, 8, 2, 5), talk=0.0),
            Mix(2.0, 32, (3, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(2.0, 24, budget=70),
            Mix(1.2, 12, budget=140),
            Mix(1.8, 6, budget=280),
            Mix(0.2, 16, pictures=0),
            Mix(0.4, 16, (1, 8), pictures=2, grid=(3, 7, 1, 2)),
        ),
    ),
    # 7: more of budget 280, of two pictures, of turns without a picture
    Leg(
        steps=1800,
        lr=1.45e-3,
        last=0.8e-3,
        mixes=(
            Mix(0.8, 80, (2, 8), grid=(2, 6, 1, 2), talk=0.0),
            Mix(0.8, 24, (1, 5), grid=(3, 9, 2, 6), talk=0.0),
            Mix(1.5, 32, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(2.0, 24, budget=70),
            Mix(1.5, 12, budget=140),
            Mix(2.5, 6, budget=280),
            Mix(0.35, 16, pictures=0),
            Mix(0.35, 12, (1, 8), grid=(3, 7, 1, 2), decline=1.0),
            Mix(0.3, 16, (1, 8), pictures=2, grid=(3, 7, 1, 2), decline=0.1),
            Mix(0.5, 10, pictures=2, budget=70),
        ),
    ),
    # 8: all behaviours at the real budgets, squarer canvases too; the learning rate falls to nothing
    Leg(
        steps=1350,
        lr=1.15e-3,
        last=0.0,
        mean=0.995,
        mixes=(
            Mix(0.5, 80, (2, 8), grid=(2, 6, 1, 2), talk=0.0),
            Mix(0.5, 24, (1, 5), grid=(3, 9, 2, 6), talk=0.0),
            Mix(0.7, 32, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(2.0, 24, budget=70),
            Mix(0.4, 20, budget=70, aspect=(1.0, 3.0)),
            Mix(1.2, 12, budget=140),
            Mix(2.2, 6, budget=280),
            Mix(0.3, 6, budget=280, aspect=(1.0, 12.0)),
            Mix(0.7, 16, pictures=0),
            Mix(0.6, 12, budget=70, decline=1.0),
            Mix(0.2, 4, budget=280, decline=1.0),
            Mix(0.2, 16, (1, 8), pictures=2, grid=(3, 7, 1, 2), decline=0.2),
            Mix(0.9, 10, pictures=2, budget=70, decline=0.1),
            Mix(0.35, 3, pictures=2, budget=280, decline=0.15),
        ),
    ),
    # 9: the rest of 8, with longer texts where there is no picture (8 was ended at about half its steps)
    Leg(
        steps=620,
        lr=5.4e-4,
        last=0.0,
        mean=0.995,
        mixes=(
            Mix(0.4, 80, (2, 8), grid=(2, 6, 1, 2), talk=0.0),
            Mix(0.4, 24, (1, 5), grid=(3, 9, 2, 6), talk=0.0),
            Mix(0.7, 32, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(2.0, 24, budget=70),
            Mix(0.4, 20, budget=70, aspect=(1.0, 3.0)),
            Mix(1.2, 12, budget=140),
            Mix(2.2, 6, budget=280),
            Mix(0.3, 6, budget=280, aspect=(1.0, 12.0)),
            Mix(1.0, 16, pictures=0),
            Mix(0.6, 12, budget=70, decline=1.0),
            Mix(0.2, 4, budget=280, decline=1.0),
            Mix(0.2, 16, (1, 8), pictures=2, grid=(3, 7, 1, 2), decline=0.2),
            Mix(0.9, 10, pictures=2, budget=70, decline=0.15),
            Mix(0.35, 3, pictures=2, budget=280, decline=0.15),
        ),
    ),
    # 10: a short last leg, mostly for turns without a picture and for two pictures
    Leg(
        steps=230,
        lr=4e-4,
        last=0.0,
        mean=0.98,
        mixes=(
            Mix(1.6, 24, budget=70),
            Mix(1.0, 12, budget=140),
            Mix(1.6, 6, budget=280),
            Mix(2.0, 24, pictures=0),
            Mix(1.5, 16, budget=70, decline=1.0),
            Mix(0.5, 5, budget=280, decline=1.0),
            Mix(1.2, 12, pictures=2, budget=70, decline=0.3),
            Mix(0.4, 3, pictures=2, budget=280, decline=0.2),
        ),
    ),
    # 11: cards, sums and mixed turns, from the weights of leg 10
    Leg(
        steps=4000,
        lr=1.5e-3,
        warm=40,
        parts=2,
        mixes=(
            Mix(0.8, 24, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(0.6, 12, budget=70),
            Mix(1.5, 32, (1, 6), grid=(2, 5, 2, 4), lines=(2, 3), talk=0.2),
            Mix(1.5, 14, (1, 14), budget=70, lines=(2, 5), least=24.0),
            Mix(0.5, 6, (1, 14), budget=140, lines=(2, 5), still=True),
            Mix(0.2, 4, (1, 14), budget=280, lines=(2, 5), still=True),
            Mix(1.8, 96, pictures=0, sums=1.0, think=0.0),
            Mix(1.0, 24, pictures=0, sums=1.0, think=1.0),
            Mix(0.4, 12, pictures=0, think=0.45),
            Mix(0.5, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.3, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.2, 2, pictures=2, budget=280, still=True, think=0.1),
        ),
    ),
    # 12: more cards at the real budgets, more of the shorter sums
    Leg(
        steps=4000,
        lr=1.5e-3,
        parts=2,
        mixes=(
            Mix(0.5, 24, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(0.6, 12, budget=70),
            Mix(1.0, 32, (1, 6), grid=(2, 5, 2, 4), lines=(2, 3), talk=0.2),
            Mix(1.6, 14, (1, 14), budget=70, lines=(2, 5), least=24.0),
            Mix(0.8, 6, (1, 14), budget=140, lines=(2, 5), still=True),
            Mix(0.4, 4, (1, 14), budget=280, lines=(1, 5), still=True),
            Mix(2.0, 128, pictures=0, sums=1.0, think=0.0, talk=0.7),
            Mix(0.7, 24, pictures=0, sums=1.0, think=1.0),
            Mix(0.3, 12, pictures=0, think=0.45),
            Mix(0.5, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.3, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.3, 2, pictures=2, budget=280, still=True, think=0.1),
        ),
    ),
    # 13: the audio tower joins (from ears.py); mostly cards at 140 and 280
    Leg(
        steps=4000,
        lr=1.5e-3,
        parts=2,
        mixes=(
            Mix(0.4, 24, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(0.5, 12, budget=70),
            Mix(0.25, 6, budget=280, still=True),
            Mix(0.8, 32, (1, 6), grid=(2, 5, 2, 4), lines=(2, 3), talk=0.2),
            Mix(0.9, 14, (1, 14), budget=70, lines=(2, 5), least=24.0),
            Mix(1.3, 8, (1, 14), budget=140, lines=(2, 5), still=True),
            Mix(1.1, 4, (1, 14), budget=280, lines=(1, 5), still=True),
            Mix(1.3, 128, pictures=0, sums=1.0, think=0.0, talk=0.7),
            Mix(0.6, 32, pictures=0, sums=1.0, think=1.0),
            Mix(0.15, 12, pictures=0, think=0.45),
            Mix(0.4, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.2, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.35, 2, pictures=2, budget=280, still=True, think=0.1),
            Mix(1.0, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(0.5, 12, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
        ),
    ),
    # 14: as 13; the beginnings of worked sums apart, where the numbers of the question have to be found
    Leg(
        steps=4000,
        lr=1.5e-3,
        parts=2,
        mixes=(
            Mix(0.3, 24, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(0.5, 12, budget=70),
            Mix(0.2, 6, budget=280, still=True),
            Mix(0.6, 32, (1, 6), grid=(2, 5, 2, 4), lines=(2, 3), talk=0.2),
            Mix(0.7, 14, (1, 14), budget=70, lines=(2, 5), least=24.0),
            Mix(1.4, 8, (1, 14), budget=140, lines=(2, 5), still=True),
            Mix(1.1, 4, (1, 14), budget=280, lines=(1, 5), still=True),
            Mix(0.7, 96, pictures=0, sums=1.0, think=0.0, talk=0.7),
            Mix(1.5, 64, pictures=0, sums=1.0, think=1.0, most=22),
            Mix(0.5, 32, pictures=0, sums=1.0, think=1.0),
            Mix(0.1, 12, pictures=0, think=0.45),
            Mix(0.4, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.2, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.3, 2, pictures=2, budget=280, still=True, think=0.1),
            Mix(1.1, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(0.5, 12, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
        ),
    ),
    # 15: everything, most of it cards at 140 and 280; the learning rate falls to nothing
    Leg(
        steps=4000,
        minutes=37.0,
        lr=1.5e-3,
        last=0.0,
        mean=0.99,
        parts=2,
        mixes=(
            Mix(0.3, 24, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(0.5, 12, budget=70),
            Mix(0.25, 6, budget=280, still=True),
            Mix(0.4, 32, (1, 6), grid=(2, 5, 2, 4), lines=(2, 3), talk=0.2),
            Mix(0.8, 12, (1, 14), budget=70, lines=(2, 5), least=26.0),
            Mix(0.25, 4, (1, 14), budget=140, lines=(2, 5)),
            Mix(1.4, 8, (1, 14), budget=140, lines=(2, 5), still=True),
            Mix(1.5, 4, (1, 14), budget=280, lines=(1, 5), still=True),
            Mix(0.9, 96, pictures=0, sums=1.0, think=0.0, talk=0.7),
            Mix(0.5, 48, pictures=0, sums=1.0, think=1.0, most=22),
            Mix(0.8, 32, pictures=0, sums=1.0, think=1.0),
            Mix(0.15, 12, pictures=0, think=0.45),
            Mix(0.4, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.2, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.4, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.8, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(0.6, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
        ),
    ),
    # 16: as 15 (ended early), without print too small to read; worked sums count for more
    Leg(
        steps=4000,
        minutes=32.0,
        lr=1.2e-3,
        last=0.0,
        mean=0.985,
        parts=2,
        mixes=(
            Mix(0.15, 24, (4, 14), grid=(5, 14, 1, 3), talk=0.0),
            Mix(0.45, 12, budget=70),
            Mix(0.3, 6, budget=280, still=True),
            Mix(0.2, 16, (1, 8), grid=(4, 6, 3, 5), lines=(2, 3), talk=0.2, least=32.0),
            Mix(0.25, 12, (1, 10), budget=70, lines=(2, 3), least=28.0),
            Mix(0.4, 5, (1, 14), budget=140, lines=(2, 5)),
            Mix(1.3, 8, (1, 14), budget=140, lines=(2, 5), still=True),
            Mix(2.0, 4, (1, 14), budget=280, lines=(2, 5), still=True),
            Mix(0.25, 96, pictures=0, sums=1.0, think=0.0, talk=0.7),
            Mix(1.3, 32, pictures=0, sums=1.0, think=1.0, gain=4.0),
            Mix(0.12, 12, pictures=0, think=0.45),
            Mix(0.3, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.2, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.4, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.6, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(1.1, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
        ),
    ),
    # 17: as 16 (ended early); of worked sums mostly the figures, and sums of single digits on their own
    Leg(
        steps=4000,
        minutes=25.0,
        lr=8.5e-4,
        last=0.0,
        mean=0.98,
        parts=2,
        mixes=(
            Mix(0.3, 12, budget=70),
            Mix(0.3, 6, budget=280, still=True),
            Mix(0.15, 12, (1, 10), budget=70, lines=(2, 3), least=28.0),
            Mix(0.4, 5, (1, 14), budget=140, lines=(2, 5)),
            Mix(1.1, 8, (1, 14), budget=140, lines=(2, 5), still=True),
            Mix(2.2, 4, (1, 14), budget=280, lines=(2, 5), still=True),
            Mix(1.2, 96, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1, gain=2.0),
            Mix(0.2, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=2),
            Mix(1.0, 24, pictures=0, sums=1.0, think=1.0, figures=True, gain=3.0),
            Mix(0.12, 12, pictures=0, think=0.45),
            Mix(0.3, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.15, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.4, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.4, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(1.2, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
        ),
    ),
    # 18: as 17 (ended early), longer, and from a higher learning rate down to nothing
    Leg(
        steps=4000,
        minutes=72.0,
        lr=1.1e-3,
        last=0.0,
        mean=0.99,
        parts=2,
        mixes=(
            Mix(0.3, 12, budget=70),
            Mix(0.3, 6, budget=280, still=True),
            Mix(0.15, 12, (1, 10), budget=70, lines=(2, 3), least=28.0),
            Mix(0.4, 5, (1, 14), budget=140, lines=(2, 5)),
            Mix(1.1, 8, (1, 14), budget=140, lines=(2, 5), still=True),
            Mix(2.2, 4, (1, 14), budget=280, lines=(2, 5), still=True),
            Mix(1.2, 96, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1, gain=2.0),
            Mix(0.2, 64, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=2),
            Mix(1.0, 24, pictures=0, sums=1.0, think=1.0, figures=True, gain=3.0),
            Mix(0.12, 12, pictures=0, think=0.45),
            Mix(0.3, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.15, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.4, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.4, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(1.2, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.2, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
        ),
    ),
    # 19: long cards and long workings, which still went round in circles or slipped in one figure
    Leg(
        steps=4000,
        minutes=33.0,
        lr=8e-4,
        last=0.0,
        mean=0.985,
        parts=2,
        mixes=(
            Mix(0.3, 12, budget=70),
            Mix(0.35, 6, budget=280, still=True),
            Mix(0.5, 5, (1, 14), budget=140, lines=(2, 5)),
            Mix(0.5, 8, (1, 14), budget=140, lines=(3, 5), still=True),
            Mix(2.8, 4, (1, 14), budget=280, lines=(3, 5), still=True),
            Mix(0.3, 96, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
            Mix(2.0, 32, pictures=0, sums=1.0, think=1.0, figures=True, gain=2.5),
            Mix(0.4, 12, pictures=0, think=0.45),
            Mix(0.25, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.15, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.4, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.2, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(0.4, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.15, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
        ),
    ),
    # 20: as 19, from a higher learning rate that stays; mostly long cards
    Leg(
        steps=4000,
        minutes=30.0,
        lr=1.0e-3,
        mean=0.99,
        parts=2,
        mixes=(
            Mix(0.25, 12, budget=70),
            Mix(0.45, 6, (1, 14), budget=280, lines=(1, 2), still=True),
            Mix(0.3, 5, (1, 14), budget=140, lines=(2, 5)),
            Mix(0.4, 8, (1, 14), budget=140, lines=(3, 5), still=True),
            Mix(3.2, 4, (1, 14), budget=280, lines=(3, 5), still=True),
            Mix(0.3, 96, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
            Mix(1.6, 32, pictures=0, sums=1.0, think=1.0, figures=True, gain=2.5),
            Mix(0.3, 12, pictures=0, think=0.45),
            Mix(0.2, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.15, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.5, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.15, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(0.35, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.1, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
        ),
    ),
    # 21: a clock and a calculator to call, forms filled from cards; the learning rate falls to nothing
    Leg(
        steps=4000,
        minutes=75.0,
        lr=1.0e-3,
        last=0.0,
        mean=0.99,
        parts=2,
        mixes=(
            Mix(0.25, 12, budget=70),
            Mix(0.4, 6, (1, 14), budget=280, lines=(1, 2), still=True),
            Mix(0.25, 5, (1, 14), budget=140, lines=(2, 5)),
            Mix(0.35, 8, (1, 14), budget=140, lines=(3, 5), still=True),
            Mix(2.8, 4, (1, 14), budget=280, lines=(3, 5), still=True),
            Mix(0.25, 96, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
            Mix(1.1, 32, pictures=0, sums=1.0, think=1.0, figures=True, gain=2.5),
            Mix(0.25, 12, pictures=0, think=0.45),
            Mix(0.2, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.15, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.45, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.15, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(0.3, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.1, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
            Mix(1.3, 12, pictures=0, tools=True, think=0.15, digits=2, gain=1.5),
            Mix(0.15, 8, (1, 8), grid=(3, 7, 1, 2), tools=True, extra=0.5, decline=0.5, think=0.1),
            Mix(0.2, 24, (8, 14), grid=(6, 9, 3, 5), lines=(2, 4), form=True, think=0.0, least=24.0),
            Mix(0.35, 8, (8, 14), budget=140, lines=(1, 4), form=True, think=0.0, still=True),
            Mix(0.7, 4, (8, 14), budget=280, lines=(1, 5), form=True, think=0.0, still=True),
        ),
    ),
    # 22: the rest of 21
    Leg(
        steps=4000,
        minutes=9.0,
        lr=1.2e-4,
        last=0.0,
        mean=0.985,
        parts=2,
        mixes=(
            Mix(0.25, 12, budget=70),
            Mix(0.4, 6, (1, 14), budget=280, lines=(1, 2), still=True),
            Mix(0.25, 5, (1, 14), budget=140, lines=(2, 5)),
            Mix(0.35, 8, (1, 14), budget=140, lines=(3, 5), still=True),
            Mix(2.8, 4, (1, 14), budget=280, lines=(3, 5), still=True),
            Mix(0.25, 96, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
            Mix(1.1, 32, pictures=0, sums=1.0, think=1.0, figures=True, gain=2.5),
            Mix(0.25, 12, pictures=0, think=0.45),
            Mix(0.2, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.15, 4, pictures=2, budget=70, decline=0.3, sums=0.4, think=0.1),
            Mix(0.45, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.15, 24, pictures=0, clips=1, seconds=(0.9, 2.5), think=0.1),
            Mix(0.3, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.1, 8, (1, 8), clips=1, seconds=(0.9, 2.0), grid=(3, 7, 1, 2), extra=0.2, sums=0.6, think=0.1),
            Mix(1.3, 12, pictures=0, tools=True, think=0.15, digits=2, gain=1.5),
            Mix(0.15, 8, (1, 8), grid=(3, 7, 1, 2), tools=True, extra=0.5, decline=0.5, think=0.1),
            Mix(0.2, 24, (8, 14), grid=(6, 9, 3, 5), lines=(2, 4), form=True, think=0.0, least=24.0),
            Mix(0.35, 8, (8, 14), budget=140, lines=(1, 4), form=True, think=0.0, still=True),
            Mix(0.7, 4, (8, 14), budget=280, lines=(1, 5), form=True, think=0.0, still=True),
        ),
    ),
    # 23: cards whose answer goes on from a mistake: a line written twice, a character read wrongly
    Leg(
        steps=4000,
        minutes=16.0,
        lr=4.5e-4,
        last=0.0,
        mean=0.985,
        parts=2,
        mixes=(
            Mix(0.2, 12, budget=70),
            Mix(0.3, 6, (1, 14), budget=280, lines=(1, 2), still=True, stumble=0.3),
            Mix(0.3, 8, (1, 14), budget=140, lines=(3, 5), still=True, stumble=0.4),
            Mix(3.2, 4, (1, 14), budget=280, lines=(3, 5), still=True, stumble=0.4),
            Mix(0.15, 96, pictures=0, sums=1.0, think=0.0, talk=0.7, digits=1),
            Mix(0.6, 32, pictures=0, sums=1.0, think=1.0, figures=True, gain=2.5),
            Mix(0.2, 12, pictures=0, think=0.45),
            Mix(0.15, 12, (1, 8), pictures=2, grid=(3, 7, 1, 2), extra=0.2, decline=0.3, sums=0.6, think=0.1),
            Mix(0.3, 2, pictures=2, budget=280, still=True, extra=0.1, decline=0.1, sums=0.5, think=0.1),
            Mix(0.25, 16, pictures=0, clips=1, seconds=(2.5, 5.0), think=0.1),
            Mix(0.9, 12, pictures=0, tools=True, think=0.15, digits=2, gain=1.5),
            Mix(0.25, 8, (8, 14), budget=140, lines=(1, 4), form=True, think=0.0, still=True),
            Mix(0.6, 4, (8, 14), budget=280, lines=(1, 5), form=True, think=0.0, still=True),
        ),
    ),
    # 24: pieces of page lines, from the published weights; all the rest rehearsed, conversations at 280
    Leg(steps=20000, minutes=14.0, lr=1e-3, warm=30, mean=0.99, parts=3, mixes=PAGES),
    # 25: as 24, with lines cut as low as their ink
    Leg(steps=20000, minutes=40.0, lr=1e-3, last=8e-4, mean=0.99, parts=3, mixes=PAGES),
    # 26: as 25, up to 60 characters, a row of dots written as five
    Leg(steps=20000, minutes=10.0, lr=1e-3, last=8.5e-4, mean=0.99, parts=3, mixes=PAGES),
    # 27: as 26, mostly with short prompts: more pieces in the same time
    Leg(steps=20000, minutes=13.0, lr=9e-4, last=7e-4, mean=0.99, parts=3, mixes=PAGES),
    # 28: as 27, with more of what had got worse: cards, worked sums, tools, forms
    Leg(steps=20000, minutes=21.0, lr=7e-4, last=3.6e-4, mean=0.985, parts=3, mixes=BALANCED),
    # 29: as 28, with still more of it, and what the clock is asked for on its own
    Leg(steps=20000, minutes=6.5, lr=5e-4, last=3.5e-4, warm=5, mean=0.98, parts=3, mixes=LAST),
    # 30: the rest of 29; of the clock's questions again 60 % are for the time, in 24 to 29 they were 40 %
    Leg(steps=20000, minutes=14.5, lr=3.6e-4, last=0.0, warm=3, mean=0.975, parts=3, mixes=LAST),
    # 31: as 30 from a higher rate; the clock's time, date and day as often, and only the choice of them trained
    Leg(steps=20000, minutes=25.0, lr=8e-4, warm=10, mean=0.99, parts=3, mixes=LAST),
    # 32: pieces seen anew, many with accents; sums that are hard; answers that go on after saying much of them again
    Leg(steps=20000, minutes=34.0, lr=8e-4, last=5.5e-4, warm=3, mean=0.985, parts=3, mixes=SEEING),
    # 33: the rest of 32, down to nothing
    Leg(steps=20000, minutes=29.0, lr=5.5e-4, last=0.0, warm=3, mean=0.975, parts=3, mixes=SEEN),
    # 34: from the mean that followed leg 33, with what people meet most and sums worked out in the answer
    Leg(steps=20000, minutes=36.0, lr=6.5e-4, last=0.0, warm=8, mean=0.975, parts=3, mixes=WRITTEN_OUT),
    # 35: from 0.6 of 34 and 0.4 of what it began with; sums of single digits, which must be told from those, more often
    Leg(steps=20000, minutes=17.0, lr=3e-4, last=0.0, warm=5, mean=0.97, parts=3, mixes=(*WRITTEN_OUT, AT_ONCE)),
    # 36: as 35, mostly sums, and all of the working: 34 and 35 left out where it goes on after a number
    Leg(steps=20000, minutes=5.0, lr=3e-4, last=0.0, warm=3, mean=0.9, parts=3, mixes=(*WRITTEN_OUT, *WORKED)),
    # 37: the same sums almost alone, in larger steps, until the working is begun
    Leg(steps=20000, minutes=4.2, lr=5e-4, last=0.0, warm=2, mean=0.85, parts=2, mixes=(*WORKED, *REHEARSED)),
    # 38: from 0.5 of 37 and 0.5 of what 36 began with: sums worked out and known by heart as often as each other
    Leg(steps=20000, minutes=6.5, lr=4e-4, last=1e-4, warm=3, mean=0.9, parts=3, mixes=(*BY_HEART, *REHEARSED)),
    # 39: from 38, everything
    Leg(steps=20000, minutes=40.0, lr=7e-4, last=0.0, warm=5, mean=0.975, parts=3, mixes=OUT_OF_CIRCLES),
    # 40: the rest of 39, with the beginnings of sums apart
    Leg(steps=20000, minutes=37.0, lr=7e-4, last=0.0, warm=1, mean=0.975, parts=3, mixes=(*OUT_OF_CIRCLES, *BEGUN)),
    # 41: from 0.75 of 40 and 0.25 of what 39 began with (README.md): all that had got worse, and what is no sum
    Leg(steps=20000, minutes=78.0, lr=7e-4, last=0.0, warm=10, mean=0.985, parts=3, mixes=TOLD_APART),
    # 42: the rest of 41 (ended early), with more kinds of what is no sum
    Leg(steps=20000, minutes=60.0, lr=5.6e-4, last=0.0, warm=1, mean=0.985, parts=3, mixes=(*TOLD_APART, FIRST_TOKENS)),
    # 43: the rest of 42 (ended early)
    Leg(steps=20000, minutes=10.0, lr=2e-4, last=0.0, warm=5, mean=0.97, parts=3, mixes=IN_PLACE),
    # 44: from leg 43, at a higher rate again: what was still furthest from what it should be
    Leg(steps=20000, minutes=54.0, lr=6e-4, last=1.2e-4, warm=15, mean=0.985, parts=3, mixes=FURTHEST),
    # 45: the rest of 44; few pieces go on from a slip
    Leg(steps=20000, minutes=24.0, lr=2.2e-4, last=0.0, warm=5, mean=0.97, parts=3, mixes=IN_PLACE_AGAIN),
    # 46: from leg 45; what 44 and 45 had made worse
    Leg(steps=20000, minutes=26.0, lr=3e-4, last=0.0, warm=8, mean=0.97, parts=4, mixes=EVEN),
)

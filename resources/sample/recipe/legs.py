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
)

"""Where to cut a recording: at pauses, into stretches that a model can hear at once.

Speech is what rises above the noise around it. That says nothing of words, but it tells a pause from a word, and long
silence, hiss or hum from both, so that nobody is asked what was said there.

A stretch ends at the longest pause that its length leaves to choose from. Where there is none, the cut goes through the
quietest place, and both sides hear the same second: `engine/recordings/words.py` finds what is said twice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from engine.preprocess.sound import SAMPLE_RATE

__all__ = ["CONTEXT_S", "LONGEST_S", "OVERLAP_S", "Stretch", "cut", "speaks"]

LONGEST_S = 28.0
"""Of a stretch: what the family was made to hear is 30 s."""

OVERLAP_S = 1.0
"""Heard twice where a cut goes through speech."""

CONTEXT_S = 9
"""Before a place and behind it, from which the noise there is known."""

_FRAME = 320
"""Samples: 20 ms."""

_LOWEST_HZ = 150
"""Below are hum and wind."""

_QUIETEST_DB = -80.0
"""Of full scale: what is below is silence wherever it stands."""

_RISE_DB, _LEFT_DB = 8.0, 4.0
"""Speech begins so far above the noise, and ends nearer to it."""

_NOISE_SHARE = 10
"""Percent of the frames around a place that are noise, however much is said there."""


def _frames(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE / _FRAME)


_SECOND = _frames(1)
_CONTEXT = _frames(CONTEXT_S - 1)
"""To each side of the frame that stands for a second."""
_LONGEST = _frames(LONGEST_S)
_MARGIN = _frames(0.24)
"""Heard before and behind what is said."""
_HALF_OVERLAP = _frames(OVERLAP_S / 2)
_SHORTEST_GAP = _frames(0.1)
"""What is shorter may stand within a word."""
_SURE_GAP = _frames(0.26)
"""What is as long stands between words."""
_LONG_GAP = _frames(0.5)
"""Is as good as a longer one."""
_PAUSE = _frames(1)
"""Ends a stretch, however short it is."""
_LONG_PAUSE = _frames(5)
"""Is told of as silence."""
_SEEN = _LONGEST + _LONG_PAUSE + _PAUSE
"""Where a stretch is cut depends on no more than that, so that the blocks make no difference."""
_AHEAD = _SEEN + _frames(CONTEXT_S)
"""Must be known before a stretch is cut, unless a pause ends it before."""
_LEAST_LOUD = _frames(0.08)
"""Of a sound that may be a word; a click is none."""


@dataclass(frozen=True)
class Stretch:
    """A part of a recording; stretches come in order and do not overlap as they are told."""

    start_s: float
    end_s: float
    samples: np.ndarray | None = None
    """[n] float32 at 16 kHz with what is heard before and behind; None where nobody speaks."""
    begins_in_speech: bool = False
    ends_in_speech: bool = False
    """Whether the cut before or behind it goes through speech: what is said around it is in the samples of both."""


def speaks(samples: np.ndarray) -> bool:
    """Whether there may be a word in samples [n] float32 at 16 kHz."""
    return bool(_speech(_levels(samples)).any())


def cut(
    blocks: Iterable[np.ndarray], longest_s: float = LONGEST_S, *, first_s: int = 0, begin_s: float = 0.0
) -> Iterator[Stretch]:
    """The stretches of a recording whose samples [n] float32 at 16 kHz come in blocks of any length.

    Holds no more than a minute of them. The blocks begin at `first_s`; what is said before `begin_s` is not told. With
    `CONTEXT_S` between the two the noise is known as if all had been heard.
    """
    cutter = _Cutter(_frames(longest_s), first_s * _SECOND, _frames(begin_s))
    for block in chain(blocks, [None]):
        cutter.take(block)
        while (stretch := cutter.next()) is not None:
            yield stretch


class _Cutter:
    """The samples and levels around the place where the next stretch begins. All places are frames."""

    def __init__(self, longest: int, first: int, begin: int) -> None:
        self._longest, self._first, self._at = longest, first, begin
        self._samples = np.zeros(0, np.float32)
        self._levels = np.zeros(0)
        self._speech = np.zeros(0, bool)
        self._is_whole = False
        self._continues: bool | None = None
        """Whether the cut at this place goes through speech; None until that can be seen."""

    def take(self, block: np.ndarray | None) -> None:
        """More samples; None behind the last ones."""
        if block is None:
            self._is_whole = True
            block = np.zeros(-len(self._samples) % _FRAME, np.float32)
        self._samples = np.concatenate([self._samples, block])
        levels = _levels(self._samples[len(self._levels) * _FRAME :])
        self._levels = np.concatenate([self._levels, levels])
        self._speech = _speech(self._levels)

    def next(self) -> Stretch | None:
        """The next stretch; None where more must be heard first, and at the end."""
        end = self._first + len(self._levels)
        if self._at >= end or not (self._is_whole or end >= self._at + _AHEAD or self._is_settled()):
            return None
        if self._continues is None:
            place = self._at - self._first
            sides = self._speech[max(0, place - _SURE_GAP) : place], self._speech[place : place + _SURE_GAP]
            self._continues = all(bool(side.any()) for side in sides)
        if self._continues:
            return self._spoken(self._at)
        window = self._speech[self._at - self._first :][:_LONGEST]
        num_silent = int(window.argmax()) if window.any() else len(window)
        if num_silent == len(window) or num_silent >= _LONG_PAUSE:
            stretch = Stretch(_seconds(self._at), _seconds(self._at + num_silent))
            self._go_on(self._at + num_silent, continues=False)
            return stretch
        return self._spoken(self._at + num_silent)

    def _is_settled(self) -> bool:
        """Whether what is said next and the pause behind it are known, whatever comes later."""
        place = self._at - self._first
        known = self._speech[: _num_settled(self._levels)][place : place + _SEEN]
        return bool(known.any()) and any(
            first > 0 and end - first >= _PAUSE and known[:first].any() for first, end in _runs(~known)
        )

    def _spoken(self, start: int) -> Stretch:
        """From a place where somebody speaks."""
        heard_from = start - (_HALF_OVERLAP if self._continues else _MARGIN)
        place, is_sure = self._place_to_cut(start, heard_from + self._longest - _HALF_OVERLAP)
        heard_to = place + (_MARGIN if is_sure else _HALF_OVERLAP)
        first, end = (max(0, each - self._first) * _FRAME for each in (heard_from, heard_to))
        heard = self._samples[first:end].copy()
        stretch = Stretch(_seconds(start), _seconds(place), heard, bool(self._continues), not is_sure)
        self._go_on(place, continues=not is_sure)
        return stretch

    def _place_to_cut(self, start: int, last: int) -> tuple[int, bool]:
        """Where a stretch ends, at `last` at the latest, and whether that is surely between words."""
        seen = self._speech[: self._at + _SEEN - self._first]
        if self._is_whole and self._first + len(self._speech) < self._at + _AHEAD:
            seen = np.concatenate([self._speech, np.zeros(_PAUSE, bool)])  # behind the end nobody speaks
        gaps = _runs(~seen[start - self._first :])
        most, whole = last - start, next((first for first, end in gaps if end - first >= _PAUSE), None)
        if whole is not None and whole <= most:
            return start + whole, True
        ideal = most if whole is None else whole / -(-whole // most)  # parts of the same length

        def worth(gap: tuple[int, int]) -> tuple[bool, float]:
            first, end = gap
            return end - first >= _SURE_GAP, min(end - first, _LONG_GAP) - _LONG_GAP * abs(first - ideal) / ideal

        # one that may stand within a word is taken late only: the last cut may have gone through the one at the start
        near = (gap for gap in gaps if gap[0] < most and (gap[1] - gap[0] >= _SURE_GAP or gap[0] >= most // 2))
        best = max(near, key=worth, default=None)
        if best is not None and best[1] - best[0] >= _SURE_GAP:
            return start + best[0], True
        first, end = best or (most // 2, most)
        levels = self._levels[start - self._first :][first : min(end, most)]
        return start + first + int(levels.argmin()), False

    def _go_on(self, place: int, *, continues: bool) -> None:
        """From there; lets go what is far enough behind, in whole seconds, because noise is measured once in each."""
        self._at, self._continues = place, continues
        num_gone = max(0, (place - self._first) // _SECOND * _SECOND - _frames(CONTEXT_S))
        self._first += num_gone
        self._samples = self._samples[num_gone * _FRAME :]
        self._levels, self._speech = self._levels[num_gone:], self._speech[num_gone:]


def _seconds(place: int) -> float:
    return place * _FRAME / SAMPLE_RATE


def _levels(samples: np.ndarray) -> np.ndarray:
    """Decibels of full scale of each whole frame of samples [n], without hum."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    spectrum = np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32))
    powers = np.square(np.abs(spectrum[:, _LOWEST_HZ * _FRAME // SAMPLE_RATE :])).sum(axis=1)
    return 10 * np.log10(powers / (_FRAME**2 / 8) + 1e-12)


def _speech(levels: np.ndarray) -> np.ndarray:
    """Which frames may be speech, bool, from their levels [frames]."""
    noise = _noise(levels)
    loud = levels > np.maximum(noise + _RISE_DB, _QUIETEST_DB)
    speech = levels > np.maximum(noise + _LEFT_DB, _QUIETEST_DB)
    for first, end in _runs(~speech):
        speech[first:end] = end - first < _SHORTEST_GAP and first > 0 and end < len(speech)
    for first, end in _runs(speech):
        speech[first:end] = loud[first:end].sum() >= _LEAST_LOUD
    return speech


def _num_settled(levels: np.ndarray) -> int:
    """So many frames of levels [frames] are speech or none whatever comes behind them."""
    num = max(0, (len(levels) - _CONTEXT) // _SECOND + 1) * _SECOND  # their noise is
    quiet = levels[:num] <= np.maximum(_noise(levels)[:num] + _LEFT_DB, _QUIETEST_DB)
    return max((end for first, end in _runs(quiet) if end - first >= _SHORTEST_GAP), default=0)


def _noise(levels: np.ndarray) -> np.ndarray:
    """The level of the noise around each frame, measured once a second."""
    places = range(0, len(levels), _SECOND)
    measured = [np.percentile(levels[max(0, at - _CONTEXT) : at + _CONTEXT], _NOISE_SHARE) for at in places]
    return np.repeat(measured, _SECOND)[: len(levels)]


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First and end of each run of True."""
    changes = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))

"""What a page's text layer is worth, judged by what it covers. Nothing here opens a file."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from engine.documents.ink import as_gray, find_ink, long_runs
from engine.documents.sheet import lies_on_its_side, take_apart
from engine.protocol.documents import Turned, Verdict

__all__ = ["LOOK_SIDE", "NO_LAYER", "Layer", "judge", "see"]

LOOK_SIDE = 1000
"""Pixels of a page's longer side, for all that is judged by looking at it."""

_RULE = 40
"""Pixels in a row of a line or a filled area, which is no text."""

_LETTER = 0.5
"""Width of a letter in heights of its line, on average."""

_BLOCK = 16
_MARK_PIXELS = 8
"""So much ink in a block is a mark; dust is less."""

_WORD, _TONE = 4, 6
"""Letters, and levels."""

_DAMAGED, _HIDDEN, _OUTSIDE = 0.1, 0.5, 0.1
"""Shares of characters that are no Unicode, of those that are invisible, and of ink that is outside the text's boxes,
above which that is the verdict."""


@dataclass(frozen=True)
class Layer:
    """What the text layer of a page is made of."""

    num_characters: int
    """Those that leave no ink, as blanks, not counted."""
    num_hidden: int
    """Written in the invisible mode, or below a picture that covers them."""
    num_damaged: int
    """No Unicode, or none that means a character."""
    boxes: np.ndarray
    """[num_characters, 4] left, top, right, bottom in shares of the page as it is shown."""
    are_letters: np.ndarray
    """[num_characters] bool: or digits, in the order of the file."""
    picture_share: float
    """Of the page, covered by pictures."""


NO_LAYER = Layer(0, 0, 0, np.zeros((0, 4)), np.zeros(0, np.bool_), 1.0)
"""Of a picture."""


class Seen(NamedTuple):
    """What a page holds, by its text layer and its ink."""

    verdict: Verdict
    reason: str
    turned: Turned
    """90 where its lines seem to run up or down; which way is up its ink does not tell."""
    num_printed: int
    """Characters by a guess, where the layer does not hold them."""
    ink: float
    num_unseen: int = 0
    """Characters of the layer where there is nothing to be seen: white on white, or hidden."""


def see(picture: Image.Image, layer: Layer) -> Seen:
    """Judge a page by its picture, whose longer side has `LOOK_SIDE` pixels, and its layer."""
    grey = Image.fromarray(as_gray(picture))
    ink = find_ink(np.asarray(grey))
    verdict, reason = judge(layer, ink)
    if verdict in ("text", "empty"):
        return Seen(verdict, reason, 0, 0, float(ink.mean()), _num_unseen(layer, np.asarray(grey)))
    is_turned = lies_on_its_side(grey, _text_like(ink))
    upright = grey.transpose(Image.Transpose.ROTATE_270) if is_turned else grey
    return Seen(verdict, reason, 90 if is_turned else 0, _guess_characters(upright), float(ink.mean()))


def _has_marks(ink: np.ndarray) -> bool:
    """Whether there is more than dust."""
    return bool(ink.any()) and int(_blocks(ink).max()) >= _MARK_PIXELS


def judge(layer: Layer, ink: np.ndarray) -> tuple[Verdict, str]:
    """The verdict on a page, and its reason in one sentence."""
    count = layer.num_characters
    picture = f"a picture that covers {layer.picture_share:.0%} of the page"
    if not count:
        if not _has_marks(ink) and layer.picture_share > 0.05:
            return (
                "empty",
                f"There is nothing to be seen in {picture}: it is blank, or too damaged or large to be drawn.",
            )
        if not _has_marks(ink):
            return "empty", "There is nothing on this page."
        if layer.picture_share > 0.05:
            return "picture", f"There is no text in the file, but {picture}."
        return "picture", "There is no text in the file: what is to be seen is drawn as lines and curves."
    if layer.num_damaged > _DAMAGED * count:
        return "damaged_text", f"{layer.num_damaged:,} of {count:,} characters in the file say not what they mean."
    if layer.num_hidden > _HIDDEN * count:
        source = f": an earlier reading of {picture}" if layer.picture_share > 0.05 else ""
        return "old_ocr", f"The text in the file is invisible{source}, of unknown quality."
    outside = _text_like(ink) & ~_mask(layer.boxes, ink.shape)
    if _has_marks(outside) and outside.sum() > _OUTSIDE * ink.sum():
        beside = picture if layer.picture_share > 0.05 else "something that is drawn as lines and curves"
        return "mixed", f"Beside text ({count:,} characters) there is {beside}, which may hold more text."
    return "text", f"The file holds the text of this page: {count:,} characters."


def _num_unseen(layer: Layer, gray: np.ndarray) -> int:
    """Letters in whose places a page [H, W] uint8 is of one tone, where as many as a word has follow each other."""
    differs = np.zeros(gray.shape, np.bool_)
    differs[:, 1:] = np.abs(np.diff(gray.astype(np.int16), axis=1)) > _TONE
    sums = np.pad(differs, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.int32).cumsum(axis=1)
    height, width = gray.shape
    sides = layer.boxes[layer.are_letters] * (width, height, width, height)
    left, top = np.clip(np.floor(sides[:, :2]), 0, (width, height)).astype(int).T
    right, bottom = np.clip(np.ceil(sides[:, 2:]), 0, (width, height)).astype(int).T
    is_unseen = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left] <= 0
    change = np.diff(np.pad(is_unseen.astype(np.int8), 1))
    lengths = np.flatnonzero(change == -1) - np.flatnonzero(change == 1)
    return int(lengths[lengths >= _WORD].sum())


def _guess_characters(picture: Image.Image) -> int:
    """How many characters are to be seen on a page, about."""
    return round(sum((row.right - row.left) / (_LETTER * (row.bottom - row.top)) for row in take_apart(picture).rows))


def _text_like(ink: np.ndarray) -> np.ndarray:
    """The ink without rules, frames and filled areas."""
    return ink & ~long_runs(ink, _RULE) & ~long_runs(ink.T, _RULE).T


def _mask(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The boxes, a little larger, as bool of a page's shape."""
    height, width = shape
    mask = np.zeros(shape, np.bool_)
    edges = boxes * (width, height, width, height)
    lows = np.clip(np.floor(edges[:, :2]) - 2, 0, None).astype(int)
    highs = np.clip(np.ceil(edges[:, 2:]) + 2, 0, None).astype(int)
    for (left, top), (right, bottom) in zip(lows, highs, strict=True):
        mask[top:bottom, left:right] = True
    return mask


def _blocks(ink: np.ndarray) -> np.ndarray:
    """Inked pixels in each block."""
    height, width = (side + -side % _BLOCK for side in ink.shape)
    padded = np.zeros((height, width), np.int32)
    padded[: ink.shape[0], : ink.shape[1]] = ink
    return padded.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).sum(axis=(1, 3))

"""Rows and columns, each said in one piece: what stands there in order, and the pixels around it and between."""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QSplitter, QVBoxLayout, QWidget

__all__ = ["FLUSH", "Free", "Gap", "Placed", "fill", "lay_column", "lay_halves", "lay_middle", "lay_row"]

Margins = tuple[int, int, int, int]
"""Left, top, right, bottom."""

FLUSH = (0, 0, 0, 0)
"""No margins."""


class Free(NamedTuple):
    """Room that is left over, by its share of all that is."""

    share: int = 1


class Gap(NamedTuple):
    """Room between two parts, in pixels, beside the usual."""

    pixels: int


class Placed(NamedTuple):
    """A part with a share of the room that is left, or at one side of its own."""

    part: QWidget | QLayout
    share: int = 0
    side: Qt.AlignmentFlag = Qt.AlignmentFlag(0)


Part = QWidget | QLayout | Placed | Gap | Free

_Layout = TypeVar("_Layout", bound=QBoxLayout)


def lay_row(
    parts: Iterable[Part], of: QWidget | None = None, *, margins: Margins | None = None, spacing: int | None = None
) -> QHBoxLayout:
    """Parts from left to right, the layout `of` a widget or part of another; without a number Qt's own holds."""
    return fill(QHBoxLayout(of) if of is not None else QHBoxLayout(), parts, margins=margins, spacing=spacing)


def lay_column(
    parts: Iterable[Part], of: QWidget | None = None, *, margins: Margins | None = None, spacing: int | None = None
) -> QVBoxLayout:
    """The same from top to bottom."""
    return fill(QVBoxLayout(of) if of is not None else QVBoxLayout(), parts, margins=margins, spacing=spacing)


def lay_middle(part: QWidget, most: int, of: QWidget | None = None, *, margins: Margins | None = None) -> QHBoxLayout:
    """A part in the middle of a row that it fills, but is never wider than so many pixels."""
    part.setMaximumWidth(most)
    return lay_row([Free(), Placed(part, 100), Free()], of, margins=margins)


def lay_halves(one: QWidget, other: QWidget) -> QSplitter:
    """Two parts of the same share, with a border between them that can be moved."""
    halves = QSplitter(Qt.Orientation.Horizontal)
    halves.setObjectName("readingHalves")
    halves.setChildrenCollapsible(False)
    halves.setHandleWidth(1)
    for number, part in enumerate((one, other)):
        halves.addWidget(part)
        halves.setStretchFactor(number, 1)
    halves.setSizes([500, 500])
    return halves


def fill(
    layout: _Layout, parts: Iterable[Part], *, margins: Margins | None = None, spacing: int | None = None
) -> _Layout:
    """Put parts behind those that are there."""
    if margins is not None:
        layout.setContentsMargins(*margins)
    if spacing is not None:
        layout.setSpacing(spacing)
    for part in parts:
        match part:
            case Free(share):
                layout.addStretch(share)
            case Gap(pixels):
                layout.addSpacing(pixels)
            case Placed(QLayout() as inner, share):
                layout.addLayout(inner, share)
            case Placed(QWidget() as widget, share, side):
                layout.addWidget(widget, share, side)
            case QLayout():
                layout.addLayout(part)
            case QWidget():
                layout.addWidget(part)
    return layout

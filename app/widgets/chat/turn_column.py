"""The turns one under the other, of which only those near the viewport are widgets. The others are heights.

A turn's height is known once it was a widget at the present width, and estimated before. When heights change,
the turn at the top of the viewport stays where it is, or the end does for those who are there.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from app.background import Soon
from app.look.theme import COLUMN_WIDTH, Theme
from app.viewmodels.conversation.turns import Turn
from app.widgets.chat.turn_view import Extent, TurnView

__all__ = ["TurnColumn"]

NEAR_END = 12
"""So many pixels from the end still count as being there."""

_SPACING = 14
_TOP, _BOTTOM = 14, 10
_SIDE = 20
_LEAD = 24
"""Pixels left free above a turn that is scrolled to."""

_BUILT_AROUND, _KEPT_AROUND = 1.0, 2.0
"""Within so many viewport heights of it, turns become widgets, and stay widgets."""


@dataclass(eq=False)
class _Row:
    """A turn in the column: its height in pixels, and its widget if it has one now."""

    turn: Turn
    extent: Extent
    """As it was when it was no widget."""
    height: int
    view: TurnView | None = None
    measured: dict[int, int] = field(default_factory=dict)
    """Heights by width, at the present text size."""


class TurnColumn(QScrollArea):
    """Shows turns, each as a view that `make_view` builds when the turn comes near.

    **Signals:** `moved` (what is seen may be another part), `last_grew` (the newest turn got taller).
    """

    moved = Signal()
    last_grew = Signal()

    def __init__(self, theme: Theme, make_view: Callable[[Turn, QWidget], TurnView], tabs_after: QWidget) -> None:
        super().__init__()
        self._content = QWidget()
        self._theme = theme
        self._make_view = make_view
        self._tabs_after = tabs_after
        self._rows: list[_Row] = []
        self._tops: list[int] = []
        self._scale = theme.scale
        self._column_width = COLUMN_WIDTH
        self._anchor: _Row | None = None
        self._offset = 0
        self._is_placing = False
        self.is_following = True
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.verticalScrollBar().setSingleStep(24)
        self.setWidget(self._content)
        self._spare_time = Soon(self, 0, self._build_ahead)
        self.verticalScrollBar().valueChanged.connect(self._note_position)
        theme.changed.connect(self._restyle)

    @property
    def views(self) -> list[TurnView]:
        """The turns that are widgets now, in order. The newest one always is."""
        return [row.view for row in self._rows if row.view is not None]

    def show_turns(self, turns: Iterable[Turn]) -> None:
        """Show these turns. Those that were shown before keep their widgets, and the place if it is still there."""
        before = {id(row.turn): row for row in self._rows}
        self._rows = [before.get(id(turn)) or self._new_row(turn) for turn in turns]
        for row in set(before.values()).difference(self._rows):
            self._drop(row)
        if self._anchor not in self._rows:
            self.is_following = True
        self._refresh()

    def add(self, turn: Turn) -> None:
        """Show one more turn, and the end."""
        self._rows.append(self._new_row(turn))
        self.go_to_end()

    def go_to_end(self) -> None:
        """Show the newest text and follow it from now on."""
        self.is_following = True
        self._refresh()

    def show_turn(self, turn: Turn) -> TurnView | None:
        """Scroll to a turn and return its view; None when it is not in this column."""
        row = next((row for row in self._rows if row.turn is turn), None)
        if row is None:
            return None
        self.is_following = False
        self._anchor, self._offset = row, -_LEAD
        self._build(row)
        self._refresh()
        return row.view

    @property
    def seen_turn(self) -> Turn | None:
        """The turn at the top of the viewport."""
        index = max(0, bisect_right(self._tops, self.verticalScrollBar().value() + _LEAD) - 1)
        return self._rows[min(index, len(self._rows) - 1)].turn if self._rows else None

    def show_place(self, turn: Turn, place_in: Callable[[TurnView], QRect | None]) -> None:
        """Scroll to a place in a turn, unless it is seen already. `place_in` tells where it is in the turn's view."""
        row = next((row for row in self._rows if row.turn is turn), None)
        if row is None:
            return
        view = self._build(row)
        view.settle()
        self._place()
        place = place_in(view)
        if place is None:
            self.show_turn(turn)
            return
        top, height = self.verticalScrollBar().value(), self.viewport().height()
        place.translate(0, self._tops[self._rows.index(row)] - top)
        if place.top() < _LEAD or place.bottom() > height - _LEAD:
            self.is_following = False
            self._anchor, self._offset = row, place.top() + top - self._tops[self._rows.index(row)] - height // 3
            self._refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Something in a view has another height."""
        if watched is self._content and event.type() == QEvent.Type.LayoutRequest:
            self._refresh()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the heights of the new width. The scroll bar's room is kept free on both sides, shown or not."""
        super().resizeEvent(event)
        self._content.resize(self.viewport().width(), self._content.height())
        width = min(COLUMN_WIDTH, self.width() - 2 * (_SIDE + self.verticalScrollBar().sizeHint().width()))
        if width != self._column_width:
            self._column_width = width
            self._recall_heights()
        self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Build what is seen."""
        super().showEvent(event)
        self._refresh()

    def focusNextPrevChild(self, is_next: bool) -> bool:
        """Before the keyboard leaves a turn, the turns beside it become widgets."""
        focus = self.window().focusWidget()
        index = next((i for i, row in enumerate(self._rows) if row.view is not None and row.view.holds(focus)), None)
        if index is not None:
            for row in self._rows[max(0, index - 1) : index + 2]:
                self._build(row)
            self._place()
        return super().focusNextPrevChild(is_next)

    def _new_row(self, turn: Turn) -> _Row:
        extent = Extent.of(turn)
        return _Row(turn, extent, extent.height(self._column_width, self._scale))

    def _recall_heights(self) -> None:
        for row in self._rows:
            measured = row.measured.get(self._column_width)
            row.height = measured or row.extent.height(self._column_width, self._scale)

    def _restyle(self) -> None:
        """After a change of the theme only what is seen is styled anew; the rest when it comes near again."""
        if self._scale != self._theme.scale:
            self._scale = self._theme.scale
            for row in self._rows:
                row.measured.clear()
            self._recall_heights()
        self._drop_beyond(0)
        self._refresh()

    def _note_position(self, value: int) -> None:
        if self._is_placing or not self._rows:
            return
        self.is_following = value >= self.verticalScrollBar().maximum() - NEAR_END
        index = max(0, bisect_right(self._tops, value) - 1)
        self._anchor, self._offset = self._rows[index], value - self._tops[index]
        self._refresh()

    def _refresh(self) -> None:
        """Make widgets of what is seen, and put everything in its place."""
        if self._is_placing or not self.isVisible():
            return
        self._place()
        while missing := [row for row in self._rows_within(0) if row.view is None]:
            for row in missing:
                self._build(row)
            self._place()
        self._spare_time.start()
        self.moved.emit()

    def _build_ahead(self) -> None:
        """Make a widget of one turn that may be seen next; when there is none, let go of those far away."""
        row = next((row for row in self._rows_within(_BUILT_AROUND) if row.view is None), None)
        if row is None:
            self._drop_beyond(_KEPT_AROUND)
        elif self.isVisible():
            self._build(row)
            self._place()
            self._spare_time.start()

    def _rows_within(self, distance: float) -> list[_Row]:
        """The rows within `distance` viewport heights of the viewport, and the newest one."""
        top, height = self.verticalScrollBar().value(), self.viewport().height()
        first = max(0, bisect_right(self._tops, top - distance * height) - 1)
        end = bisect_left(self._tops, top + (1 + distance) * height)
        return [*self._rows[first:end], *self._rows[max(end, len(self._rows) - 1) :]]

    def _build(self, row: _Row) -> TurnView:
        if row.view is not None:
            return row.view
        view = self._make_view(row.turn, self._content)
        view.setGeometry(self._left, self._content.height(), self._column_width, row.height)
        view.show()
        before = next((other.view for other in self._rows_before(row) if other.view is not None), None)
        row.view = view
        for one, other in pairwise([before.tab_stops[-1] if before else self._tabs_after, *view.tab_stops]):
            QWidget.setTabOrder(one, other)
        return view

    def _rows_before(self, row: _Row) -> Iterable[_Row]:
        return reversed(self._rows[: self._rows.index(row)])

    def _drop_beyond(self, distance: float) -> None:
        near = set(map(id, self._rows_within(distance)))
        focus = self.window().focusWidget()
        for row in self._rows:
            if row.view is not None and id(row) not in near and not row.view.is_in_use(focus):
                self._drop(row)

    def _drop(self, row: _Row) -> None:
        view, row.view = row.view, None
        if view is not None:
            row.extent = Extent.of(row.turn)
            view.hide()
            view.deleteLater()

    @property
    def _left(self) -> int:
        return (self.width() - self._column_width) // 2

    def _place(self) -> None:
        """Put every view where the heights say, and keep in sight what is in sight."""
        self._is_placing = True
        has_grown = self._measure()
        steps = (row.height + _SPACING for row in self._rows)
        *self._tops, end = accumulate(steps, initial=_TOP)
        self._content.resize(self.viewport().width(), end - _SPACING + _BOTTOM)
        for row, top in zip(self._rows, self._tops, strict=True):
            if row.view is not None:
                row.view.setGeometry(self._left, top, self._column_width, row.height)
        bar = self.verticalScrollBar()
        if self.is_following or self._anchor is None:
            bar.setValue(bar.maximum())
        else:
            bar.setValue(self._tops[self._rows.index(self._anchor)] + self._offset)
        self._is_placing = False
        if has_grown:
            self.last_grew.emit()

    def _measure(self) -> bool:
        """Take the heights that the views ask for; whether the newest one was a widget already and got taller."""
        before = 0
        for row in self._rows:
            if row.view is not None:
                before = row.measured.get(self._column_width, 0)
                row.height = row.measured[self._column_width] = row.view.height_at(self._column_width)
        return bool(self._rows) and 0 < before < self._rows[-1].height

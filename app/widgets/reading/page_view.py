"""A page as it looks: zoomed, moved, with the line that is read marked, and regions drawn on it."""

import math
from enum import Enum

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame

from app.viewmodels.reading.page import Page
from app.viewmodels.reading.pictures import PagePictures, View
from app.widgets.reading.fitted import Fitted
from app.widgets.reading.page_marks import paint_doubt, paint_line, paint_region
from app.widgets.reading.page_region import ARROWS, RegionFrame
from app.widgets.shared.keys import takes_escape
from app.widgets.shared.look import Look
from engine import Box

__all__ = ["Fit", "PageView"]

MARGIN = 18
"""Pixels around the page."""

STEP = 1.25
"""What one step of the zoom multiplies."""

LEAST_SCALE, MOST_SCALE = 0.1, 8.0
"""Pixels of the screen for a point of the page."""

_SIDES = (400, 640, 1000, 1500, 2200, 3200, 4400)
"""Longest sides that pages are drawn with: between them they are scaled."""

_LEAST_REGION = 8
"""Pixels below which a drag is a click."""


class Fit(Enum):
    """How large the page is shown."""

    PAGE = "page"
    WIDTH = "width"
    FREE = "free"


class PageView(QAbstractScrollArea):
    """Shows one page.

    **Signals:** `line_chosen` (number of a line), `region_drawn` (Box),
    `step_requested` (pages), `scale_changed`.
    """

    line_chosen = Signal(int)
    region_drawn = Signal(object)
    step_requested = Signal(int)
    scale_changed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._pictures: PagePictures | None = None
        self._page: Page | None = None
        self._turned = 0
        """Degrees clockwise of what the region is of."""
        self._line: int | None = None
        self._pressed: QPointF | None = None
        self._pan_from: tuple[QPointF, QPoint] | None = None
        self._is_space_down = False
        self._zoomed_at = 1.0
        self._fitted = Fitted(1)
        self.fit = Fit.PAGE
        self.chosen_scale = 0.0
        """Pixels of the screen for a point of the page as a person chose them; 0 fits the page, -1 its width."""
        self.region = RegionFrame()
        self.setObjectName("pageView")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        look.theme.changed.connect(self.viewport().update)

    # --- what is shown

    def show_page(self, page: Page | None, pictures: PagePictures | None) -> None:
        """Show a page from its top."""
        if self._pictures is not None and self._pictures is not pictures:
            self._pictures.ready.disconnect(self._take)
            self._pictures.failed.disconnect(self._take)
        if pictures is not None and self._pictures is not pictures:
            pictures.ready.connect(self._take)
            pictures.failed.connect(self._take)
        is_other = page is not self._page
        self._page, self._pictures = page, pictures
        if is_other:
            self._line = None
            self.region.close()
            self.verticalScrollBar().setValue(0)
        self.refresh()

    def refresh(self) -> None:
        """The page's text, turn or state changed; a region that was read is framed no longer."""
        if self.region.is_given and (self._page is None or not self._page.is_waiting):
            self.region.close()
        turned, self._turned = self._turned, self._page.turned if self._page is not None else 0
        self.region.turn(self._turned - turned)
        self._lay_out()
        if turned != self._turned:
            self._reveal_line()
        self._ask()
        self._name()
        self.viewport().update()

    def show_line(self, number: int | None) -> None:
        """Mark a line, and bring it into view."""
        if number == self._line:
            return
        self._line = number
        self._reveal_line()
        self.viewport().update()

    @property
    def line(self) -> int | None:
        """The line that is marked."""
        return self._line

    # --- how large

    @property
    def scale(self) -> float:
        """Pixels of the screen for a point of the page."""
        size, room = self._paper, self.viewport().size()
        wide = (room.width() - 2 * MARGIN) / size.width()
        if self.fit is Fit.WIDTH:
            return max(wide, LEAST_SCALE)
        if self.fit is Fit.PAGE:
            return max(min(wide, (room.height() - 2 * MARGIN) / size.height()), LEAST_SCALE)
        return self._zoomed_at

    def set_scale(self, scale: float) -> None:
        """Show it as `chosen_scale` says it."""
        self.fit = {0.0: Fit.PAGE, -1.0: Fit.WIDTH}.get(scale, Fit.FREE)
        if self.fit is Fit.FREE:
            self._zoomed_at = min(max(scale, LEAST_SCALE), MOST_SCALE)
        self._rescale()

    def set_fit(self, fit: Fit) -> None:
        """Fit the page, or its width, whatever the window's size."""
        self.fit = fit
        self._rescale()

    def zoom(self, steps: float, around: QPointF | None = None) -> None:
        """Show it larger, or smaller below 0, around a point of the viewport that stays where it is.

        Without one the line that is marked stays in view.
        """
        is_about_line = around is None
        around = around or QPointF(self.viewport().rect().center())
        before = self._page_rect
        share = QPointF(
            (around.x() - before.left()) / max(before.width(), 1), (around.y() - before.top()) / max(before.height(), 1)
        )
        self._zoomed_at = min(max(self.scale * STEP**steps, LEAST_SCALE), MOST_SCALE)
        self.fit = Fit.FREE
        self._rescale()
        after = self._page_rect
        moved = QPointF(after.left() + share.x() * after.width(), after.top() + share.y() * after.height()) - around
        self.horizontalScrollBar().setValue(round(self.horizontalScrollBar().value() + moved.x()))
        self.verticalScrollBar().setValue(round(self.verticalScrollBar().value() + moved.y()))
        if is_about_line:
            self._reveal_line()

    def _rescale(self) -> None:
        self.chosen_scale = {Fit.PAGE: 0.0, Fit.WIDTH: -1.0, Fit.FREE: self._zoomed_at}[self.fit]
        self._lay_out()
        self._ask()
        self.viewport().update()
        self.scale_changed.emit()

    @property
    def _paper(self) -> QSizeF:
        """The page as it is shown, in points."""
        if self._page is None or self._page.info is None:
            return QSizeF(595, 842)
        info = self._page.info
        size = QSizeF(max(info.width_pt, 1.0), max(info.height_pt, 1.0))
        return size.transposed() if self._page.turned in (90, 270) else size

    @property
    def _page_rect(self) -> QRectF:
        """Where the page lies in the viewport."""
        size, room = self._paper * self.scale, self.viewport().size()
        x = max((room.width() - size.width()) / 2, MARGIN) - self.horizontalScrollBar().value()
        y = max((room.height() - size.height()) / 2, MARGIN) - self.verticalScrollBar().value()
        return QRectF(QPointF(x, y), size)

    def _lay_out(self) -> None:
        size, room = self._paper * self.scale, self.viewport().size()
        for bar, length, there in (
            (self.horizontalScrollBar(), size.width(), room.width()),
            (self.verticalScrollBar(), size.height(), room.height()),
        ):
            bar.setRange(0, max(round(length + 2 * MARGIN - there), 0))
            bar.setPageStep(there)
            bar.setSingleStep(40)

    def _rect_of(self, box: Box) -> QRectF:
        page = self._page_rect
        left, top = page.left() + box.left * page.width(), page.top() + box.top * page.height()
        return QRectF(left, top, (box.right - box.left) * page.width(), (box.bottom - box.top) * page.height())

    def _box_of(self, number: int | None) -> Box | None:
        """Where a line stands on the page as it is shown."""
        if self._page is None or number is None or number >= len(self._page.lines):
            return None
        box = self._page.lines[number].box
        return box and box.turned(self._page.shift)

    def _reveal_line(self) -> None:
        """Bring the marked line into view: as much of it as there is room for, from its beginning."""
        box = self._box_of(self._line)
        if box is None:
            return
        rect, room = self._rect_of(box), QRectF(self.viewport().rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(round(across.value() + _hidden(rect.left(), rect.right(), room.left(), room.right())))
        if _hidden(rect.top(), rect.bottom(), room.top(), room.bottom()):
            high = min(rect.height(), room.height())
            down.setValue(round(down.value() + rect.top() + high / 2 - room.center().y()))

    # --- its picture

    @property
    def _view(self) -> View | None:
        """What should be drawn for the present size."""
        if self._page is None or self._page.info is None:
            return None
        size = self._paper * self.scale * self.devicePixelRatioF()
        needed = max(size.width(), size.height())
        return View(self._page.number, next((side for side in _SIDES if side >= needed), _SIDES[-1]), self._page.turned)

    def _ask(self) -> None:
        view = self._view
        if self._pictures is not None:
            self._pictures.want_large([view] if view is not None else [])

    def _take(self, view: View) -> None:
        if view == self._view:
            self.viewport().update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the page, and what is marked on it."""
        painter = QPainter(self.viewport())
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        if self._page is None or self._pictures is None:
            return
        rect, colors = self._page_rect, self._look.theme.colors
        painter.setPen(QPen(QColor(colors.hairline), 1))
        painter.setBrush(QColor("#ffffff"))
        painter.drawRect(rect)
        view = self._view
        image = self._pictures.image(view) if view is not None else None
        image = image or self._pictures.nearest(self._page.number, self._page.turned)
        if image is not None:
            painter.drawPixmap(
                rect.topLeft().toPoint(), self._fitted.pixmap(image, rect.size(), self.devicePixelRatioF())
            )
        elif view is not None and (refusal := self._pictures.refusal(view)):
            painter.setPen(QColor("#626a66"))
            painter.drawText(
                rect.adjusted(20, 20, -20, -20), int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), refusal
            )
        for line in self._page.lines:
            for edge in line.doubt_boxes:
                place = self._rect_of(edge.turned(self._page.shift))
                paint_doubt(painter, place, max(1.5, self.scale * 1.2))
        if (box := self._box_of(self._line)) is not None:
            paint_line(painter, self._rect_of(box))
        if self.region.box is not None:
            paint_region(painter, self._rect_of(self.region.box))

    # --- regions

    def begin_region(self) -> None:
        """Let the keyboard choose a region, at first the line that is marked."""
        if self._page is not None:
            self.region.open(self._box_of(self._line))
            self.setFocus()
            self.viewport().update()

    def end_region(self) -> None:
        """Draw no region any more."""
        self.region.close()
        self.viewport().update()

    def _give_region(self) -> None:
        self.region.is_open = False
        if self.region.box is not None:
            self.region.is_given = True
            self.region_drawn.emit(self.region.box)

    # --- the pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a region; with the space bar or the middle button, move the page."""
        is_pan = event.button() is Qt.MouseButton.MiddleButton or self._is_space_down
        if is_pan:
            bars = QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
            self._pan_from = (event.position(), bars)
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() is Qt.MouseButton.LeftButton:
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the region, or move the page."""
        if self._pan_from is not None:
            moved = event.position() - self._pan_from[0]
            self.horizontalScrollBar().setValue(round(self._pan_from[1].x() - moved.x()))
            self.verticalScrollBar().setValue(round(self._pan_from[1].y() - moved.y()))
        elif self._pressed is not None:
            if (event.position() - self._pressed).manhattanLength() >= _LEAST_REGION:
                self.region.draw(self._page_rect, self._pressed, event.position())
            self.viewport().update()
        else:
            is_on = self._page_rect.contains(event.position())
            self.viewport().setCursor(Qt.CursorShape.CrossCursor if is_on else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A region is drawn, or a line was clicked."""
        pressed, self._pressed = self._pressed, None
        if self._pan_from is not None:
            self._pan_from = None
            self.viewport().unsetCursor()
        elif pressed is not None and (event.position() - pressed).manhattanLength() >= _LEAST_REGION:
            self.region.draw(self._page_rect, pressed, event.position())
            self._give_region()
        elif pressed is not None and (number := self.line_at(event.position())) is not None:
            self.line_chosen.emit(number)

    def line_at(self, point: QPointF) -> int | None:
        """The line that stands at a point of the viewport."""
        lines = self._page.lines if self._page is not None else ()
        for number in range(len(lines)):
            box = self._box_of(number)
            if box is not None and self._rect_of(box).adjusted(-3, -3, 3, 3).contains(point):
                return number
        return None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; at the end of a page go on to the next one. With the command key, zoom."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(event.angleDelta().y() / 240, event.position())
            event.accept()
            return
        bar = self.verticalScrollBar()
        steps = -1 if event.angleDelta().y() > 0 else 1
        is_at_end = bar.value() == (bar.minimum() if steps < 0 else bar.maximum())
        if is_at_end and event.phase() is Qt.ScrollPhase.NoScrollPhase and event.angleDelta().y():
            self.step_requested.emit(steps)
            event.accept()
        else:
            super().wheelEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Two fingers zoom."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom(math.log(max(1 + event.value(), 0.1), STEP), event.position())
            return True
        return super().viewportEvent(event)

    # --- the keyboard

    def event(self, event: QEvent) -> bool:
        """Claim Escape while a region is drawn: elsewhere it leaves the view."""
        return takes_escape(event, self.region.box is not None) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows scroll, and move a region that is open, with Shift its corner; Return reads it."""
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Escape and self.region.box is not None:
            self.end_region()
        elif self.region.is_open and event.key() in ARROWS:
            self.region.move(event.key(), grows=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
            self.viewport().update()
        elif self.region.is_open and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._give_region()
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._is_space_down = True
            self.viewport().setCursor(Qt.CursorShape.OpenHandCursor)
        elif event.key() == Qt.Key.Key_PageDown and bar.value() == bar.maximum():
            self.step_requested.emit(1)
        elif event.key() == Qt.Key.Key_PageUp and bar.value() == bar.minimum():
            self.step_requested.emit(-1)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The space bar is up."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._is_space_down = False
            self.viewport().unsetCursor()
        else:
            super().keyReleaseEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the page anew."""
        super().resizeEvent(event)
        self._lay_out()
        self._ask()
        if self.fit is not Fit.FREE:
            self.scale_changed.emit()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """Paint it elsewhere."""
        self.viewport().update()

    def _name(self) -> None:
        if self._page is not None:
            self.setAccessibleName(f"Picture of page {self._page.number}")


def _hidden(start: float, end: float, least: float, most: float) -> float:
    """How far a range reaches out of another: beyond its end, or before its beginning, which counts if it is longer."""
    return start - least if start < least or end - start > most - least else max(end - most, 0.0)

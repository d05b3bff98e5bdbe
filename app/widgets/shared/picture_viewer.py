"""A picture in a window of its own: whole, or as large as it is, with what the model saw of it."""

import math
from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QNativeGestureEvent,
    QPixmap,
    QResizeEvent,
    QShortcut,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QFrame,
    QGraphicsScene,
    QGraphicsView,
    QPushButton,
    QWidget,
)

from app.look.thumbnails import Thumbnails
from app.widgets.shared.arrange import Free, Placed, lay_column, lay_row
from app.widgets.shared.dialogs import open_picture
from app.widgets.shared.look import IconButton, Label, Look
from app.widgets.shared.picture_card import LONGEST_SIDE, copy_picture

__all__ = ["PictureViewer"]

STEP = 1.25
MOST, LEAST = 16.0, 0.02
"""Pixels of the screen for one of the picture."""


class PictureViewer(QDialog):
    """Zooms by the wheel, by pinching, by + and -; moves by dragging; ⌘C copies the picture; Escape closes it, Space on
    the picture too.
    """

    def __init__(self, parent: QWidget, look: Look, path: str, receipt: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(Path(path).name)
        self.resize(max(360, parent.width() - 80), max(300, parent.height() - 80))
        self._path = path
        self._pictures = Thumbnails(LONGEST_SIDE)
        self._pictures.ready.connect(self._show)
        self.finished.connect(self._pictures.close)
        self.canvas = PictureCanvas(look)
        self.canvas.setAccessibleName(f"Picture {Path(path).name}")
        self.zoom = Label("", role="caption")
        self.receipt = Label(receipt, wraps=True, role="caption")
        self._pictures.failed.connect(lambda _path, why: self.receipt.setText(why))
        self.fit_button = QPushButton("Fit")
        self.actual_button = QPushButton("Actual Size")
        self.copy_button = QPushButton("Copy")
        self.open_button = QPushButton("Open in Another App")
        self.close_button = QPushButton("Close")
        smaller, larger = IconButton(look, "zoom-out", "Zoom out"), IconButton(look, "zoom-in", "Zoom in")
        deeds = {
            self.fit_button: self.canvas.fit, self.actual_button: self.canvas.show_actual_size,
            self.copy_button: self.copy, self.open_button: lambda: open_picture(path), self.close_button: self.reject,
            smaller: lambda: self.canvas.zoom_by(1 / STEP), larger: lambda: self.canvas.zoom_by(STEP),
        }  # fmt: skip
        for button, do in deeds.items():
            button.clicked.connect(do)
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        keys = {
            "+": larger, "=": larger, "-": smaller, "9": self.fit_button, "0": self.actual_button,
        }  # fmt: skip
        for key, button in keys.items():
            QShortcut(QKeySequence(key), self, button.click)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self, self.copy)
        self.canvas.dismissed.connect(self.reject)
        self.canvas.zoomed.connect(lambda: self.zoom.setText(f"{self.canvas.zoom:.0%}"))
        sizes = (smaller, self.zoom, larger, self.fit_button, self.actual_button)
        bar = lay_row([*sizes, Free(), self.copy_button, self.open_button, self.close_button])
        lay_column([Placed(self.canvas, 1), self.receipt, bar], self)
        self.canvas.setFocus()
        self._show(path)

    def copy(self) -> None:
        """Put the picture on the clipboard."""
        if not self.canvas.is_empty:
            copy_picture(self._path, self.canvas.image)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses the button that has the focus, as Space does."""
        focus = self.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focus, QAbstractButton):
            focus.click()
        else:
            super().keyPressEvent(event)

    def _show(self, path: str) -> None:
        image = self._pictures.image(path)
        if image is not None and self.canvas.is_empty:
            self.canvas.show_image(image)


class PictureCanvas(QGraphicsView):
    """A picture that is fitted until somebody zooms.

    **Signals:** `zoomed`, `dismissed` (by Space).
    """

    zoomed = Signal()
    dismissed = Signal()

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._halves: list[QPixmap] = []
        """The picture, and each time half of it: Qt alone would leave pixels out when it is shown small."""
        self._scene = QGraphicsScene(self)
        self._picture = self._scene.addPixmap(QPixmap())
        self._picture.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        self._is_fitted = True
        self.setScene(self._scene)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setBackgroundBrush(QColor(look.theme.colors.sidebar))
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)

    @property
    def is_empty(self) -> bool:
        """Whether no picture is there yet."""
        return not self._halves

    @property
    def image(self) -> QImage:
        """All of the picture."""
        return self._halves[0].toImage()

    @property
    def zoom(self) -> float:
        """Pixels of the screen for one of the picture."""
        return self.transform().m11() * self.devicePixelRatioF()

    def show_image(self, image: QImage) -> None:
        """Show a picture whole."""
        self._halves = [QPixmap.fromImage(image)]
        while max(image.width(), image.height()) > 256:
            half = image.size() / 2
            smooth = Qt.TransformationMode.SmoothTransformation
            image = image.scaled(half, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
            self._halves.append(QPixmap.fromImage(image))
        self._scene.setSceneRect(QRectF(self._halves[0].rect()))
        self.fit()

    def fit(self) -> None:
        """Show all of it, no larger than it is."""
        self._is_fitted = True
        if not self.is_empty:
            whole, room = self._halves[0].size(), self.viewport().size()
            scale = min(room.width() / whole.width(), room.height() / whole.height())
            self._set_scale(min(scale, 1 / self.devicePixelRatioF()))

    def show_actual_size(self) -> None:
        """Show one of its pixels with one of the screen's."""
        self._is_fitted = False
        self._set_scale(1 / self.devicePixelRatioF())

    def zoom_by(self, factor: float) -> None:
        """Show it so many times as large."""
        self._is_fitted = False
        self._set_scale(min(max(self.zoom * factor, LEAST), MOST) / self.devicePixelRatioF())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space closes, as in Quick Look."""
        if event.key() == Qt.Key.Key_Space:
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A wheel zooms; two fingers on a trackpad move the picture, or zoom while Command is held."""
        is_command = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.pixelDelta().isNull() or is_command:
            self.zoom_by(STEP ** (event.angleDelta().y() / 120))
        else:
            super().wheelEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Two fingers that part zoom."""
        if isinstance(event, QNativeGestureEvent) and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(1 + event.value())
            return True
        return super().viewportEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go from all of it to its actual size, and back."""
        event.accept()
        if self._is_fitted:
            self.show_actual_size()
        else:
            self.fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What is shown whole stays so."""
        super().resizeEvent(event)
        if self._is_fitted:
            self.fit()

    def _set_scale(self, scale: float) -> None:
        if self.is_empty:
            return
        level = min(max(0, math.floor(math.log2(1 / (scale * self.devicePixelRatioF())))), len(self._halves) - 1)
        self._picture.setPixmap(self._halves[level])
        self._picture.setScale(self._halves[0].width() / self._halves[level].width())
        factor = scale / self.transform().m11()
        self.scale(factor, factor)
        self.zoomed.emit()

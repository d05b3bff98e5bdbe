"""Every key of the window on one sheet, read from the menu bar, so that none is forgotten."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QMenu,
    QMenuBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.widgets.shared.arrange import Free, fill, lay_column, lay_row
from app.widgets.shared.look import Label

__all__ = ["ShortcutSheet"]

Row = tuple[str, str]
"""A command and its keys, as this system writes them."""


class ShortcutSheet(QDialog):
    """Shows the shortcuts of the menus, and `own_keys`: what keys do that no menu shows, by where they do it."""

    def __init__(self, parent: QWidget, bar: QMenuBar, own_keys: Sequence[tuple[str, Sequence[Row]]]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard Shortcuts")
        self.sections = [*own_keys, *((action.text(), _rows_of(action)) for action in bar.actions())]
        columns = [QVBoxLayout(), QVBoxLayout()]
        heights = [0, 0]
        for title, rows in self.sections:
            shorter = heights.index(min(heights))
            if rows:
                columns[shorter].addLayout(_section(title, rows))
                heights[shorter] += len(rows) + 2
        inside = QWidget()
        lay_row([fill(column, [Free()], spacing=20) for column in columns], inside, margins=(24, 20, 24, 8), spacing=44)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setMinimumWidth(inside.sizeHint().width() + 16)
        area.setAccessibleName("Keyboard shortcuts")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        row = lay_row([buttons], margins=(24, 0, 24, 0))
        lay_column([area, row], self, margins=(0, 0, 0, 16))
        self.resize(self.sizeHint().expandedTo(QSize(0, min(640, inside.sizeHint().height() + 80))))


def _rows_of(entry: QAction) -> list[Row]:
    """The commands of a menu that have keys, those of its own menus too."""
    menu = entry.menu()
    if isinstance(menu, QMenu):
        return [row for action in menu.actions() for row in _rows_of(action)]
    keys = " or ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in entry.shortcuts())
    return [(entry.text().removesuffix("…"), keys)] if keys else []


def _section(title: str, rows: Sequence[Row]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(5)
    grid.setColumnStretch(0, 1)
    heading = Label(title, role="section")
    grid.addWidget(heading, 0, 0, 1, 2)
    for number, (command, keys) in enumerate(rows, start=1):
        grid.addWidget(Label(command), number, 0)
        label = Label(keys, alignment=Qt.AlignmentFlag.AlignRight, role="note")
        label.setAccessibleName(f"{command}: {keys}")
        grid.addWidget(label, number, 1)
    return grid

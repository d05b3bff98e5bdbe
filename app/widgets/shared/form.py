"""The parts of a settings page: rows with their labels on the right edge of a column, notes, and numbers to choose."""

from collections.abc import Mapping

from PySide6.QtCore import QMargins, QPoint, QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from app.widgets.shared.arrange import FLUSH, Free, lay_row
from app.widgets.shared.look import Label, Look, give_role

__all__ = ["CheckBox", "Form", "NumberChoice", "PopUp", "make_plain", "side_by_side"]

_CAPTION_WIDTH = 162
_FIELD_WIDTH = 380
_LINE_HEIGHT = 30
"""The most that counts as a field's first line."""


class Form(QWidget):
    """Rows of a label and what it names, as in a Mac's settings."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self._captions: list[tuple[QLabel, QWidget]] = []
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(32, 24, 40, 28)
        self._rows.setHorizontalSpacing(12)
        self._rows.setVerticalSpacing(8)
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        look.theme.changed.connect(self._fit_captions)

    def add(self, label: str, field: QWidget, *, named: QWidget | None = None) -> None:
        """A row. `named` is the part of it that the label names and stands beside; a button names itself."""
        target = named or field
        caption = Label(
            f"{label}:" if label else "", alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        )
        if label and not isinstance(target, QAbstractButton):
            target.setAccessibleName(label)
            caption.setBuddy(target)
        is_row = isinstance(field.layout(), QHBoxLayout)
        self._captions.append((caption, field if is_row else target))
        self._rows.addRow(caption, field)
        self._fit_captions()

    def add_text(self, label: str = "") -> "Paragraph":
        """A row of text."""
        text = Paragraph(self.look)
        self.add(label, text)
        return text

    def add_note(self, words: str = "") -> "Paragraph":
        """Small print under the row before."""
        note = self.add_text()
        note.setText(words)
        note.setContentsMargins(0, 0, 0, 4)
        give_role(note, "caption")
        return note

    def add_gap(self) -> None:
        """Room between two groups."""
        gap = QWidget()
        gap.setFixedHeight(8)
        self._rows.addRow(gap)

    def show_row(self, field: QWidget, is_shown: bool) -> None:
        """Show or hide a row, its label included."""
        self._rows.setRowVisible(field, is_shown)

    def showEvent(self, event: QShowEvent) -> None:
        """Only now every field has its final size."""
        super().showEvent(event)
        self._fit_captions()

    def _fit_captions(self) -> None:
        pixels = self.look.theme.pixels
        for caption, target in self._captions:
            is_text = isinstance(target, QLabel)
            line = target.fontMetrics().height() if is_text else min(target.sizeHint().height(), pixels(_LINE_HEIGHT))
            caption.setFixedSize(pixels(_CAPTION_WIDTH), line)


class Paragraph(Label):
    """Plain text as wide as a page's fields and as high as that makes it."""

    def __init__(self, look: Look) -> None:
        super().__init__(wraps=True)
        self._look = look
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """The whole text."""
        width = self._look.theme.pixels(_FIELD_WIDTH)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """The whole text."""
        return self.sizeHint()


class CheckBox(QCheckBox):
    """A switch with its words beside it."""

    def __init__(self, look: Look, text: str) -> None:
        super().__init__(text)
        self._look = look

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the tick, which a style sheet could take from a file only, in one colour."""
        super().paintEvent(event)
        if self.isChecked():
            option = QStyleOptionButton()
            self.initStyleOption(option)
            box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
            painter = QPainter(self)
            painter.drawPixmap(box, self._look.icons.pixmap("check", self._look.theme.colors.on_accent, box.size()))
            painter.end()


_COMBO = QStyle.ComplexControl.CC_ComboBox


class PopUp(QComboBox):
    """A menu of choices that shows the present one."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        give_role(self, "popup")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)

    def sizeHint(self) -> QSize:
        """Room for the longest choice: a style sheet's padding takes more than Qt adds for it."""
        hint = super().sizeHint()
        widest = max(
            (self.fontMetrics().horizontalAdvance(self.itemText(row)) for row in range(self.count())), default=0
        )
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.rect = QRect(QPoint(), hint)
        room = self.style().subControlRect(_COMBO, option, QStyle.SubControl.SC_ComboBoxEditField, self).width()
        return hint.grownBy(QMargins(0, 0, max(0, widest + 2 - room), 0))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint as much of the choice as fits, and the arrow, which a style sheet could take from a file only."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        room = self.style().subControlRect(_COMBO, option, QStyle.SubControl.SC_ComboBoxEditField, self).width()
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)
        words = QStylePainter(self)
        words.drawComplexControl(_COMBO, option)
        words.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        words.end()
        side = self._look.side(14)
        arrow = self._look.icons.pixmap("chevron-down", self._look.theme.colors.secondary, QSize(side, side))
        painter = QPainter(self)
        painter.drawPixmap(QRect(self.width() - side - 8, (self.height() - side) // 2, side, side), arrow)
        painter.end()


class NumberChoice(QWidget):
    """A menu of usual numbers, and a field for any other.

    **Signals:** `chosen`.
    """

    chosen = Signal()

    def __init__(self, look: Look, name: str, choices: Mapping[int, str], bounds: tuple[int, int], unit: str) -> None:
        super().__init__()
        self._numbers = list(choices)
        self._is_own = False
        self.setAccessibleName(name)
        self.menu = PopUp(look)
        self.menu.addItems([*choices.values(), "Other…"])
        self.menu.setAccessibleName(name)
        self.field = QSpinBox()
        self.field.setRange(*bounds)
        self.field.setSuffix(f" {unit}")
        self.field.setGroupSeparatorShown(True)
        make_plain(self.field)
        self.field.setAccessibleName(f"{name}, in {unit}")
        lay_row([self.menu, self.field, Free()], self, margins=FLUSH, spacing=8)
        self.setFocusProxy(self.menu)
        self.menu.activated.connect(self._choose)
        self.field.valueChanged.connect(self.chosen)

    @property
    def number(self) -> int:
        """The number that was chosen."""
        index = self.menu.currentIndex()
        return self._numbers[index] if index < len(self._numbers) else self.field.value()

    def show_number(self, number: int) -> None:
        """Show the number that holds now."""
        is_own = self._is_own or number not in self._numbers
        with QSignalBlocker(self.menu), QSignalBlocker(self.field):
            self.menu.setCurrentIndex(len(self._numbers) if is_own else self._numbers.index(number))
            self.field.setValue(number or next(filter(None, self._numbers)))  # 0 says only that there is no number
        self.field.setVisible(is_own)

    def _choose(self, index: int) -> None:
        self._is_own = index == len(self._numbers)
        if self._is_own:
            self.field.show()
            self.field.setFocus()
            self.field.selectAll()
        self.chosen.emit()


def make_plain(field: QAbstractSpinBox) -> None:
    """Let a number's field look like the other fields, and speak only when a number is complete."""
    field.setKeyboardTracking(False)
    for editor in field.findChildren(QLineEdit):
        editor.setTextMargins(6, 0, 6, 0)  # a style sheet cannot pad it


def side_by_side(*widgets: QWidget) -> QWidget:
    """Widgets in one row, at the left."""
    holder = QWidget()
    lay_row([*widgets, Free()], holder, margins=FLUSH, spacing=8)
    return holder

"""The style sheet, written from a scheme's colours. Widgets opt in by object name or by the `role` property."""

from dataclasses import asdict
from string import Template

from app.look.colors import Colors

__all__ = ["style_sheet", "symbol_size"]

_SHEET = Template("""
* { font-size: ${ui}px; }
QLineEdit, QTextEdit, QPlainTextEdit { placeholder-text-color: $secondary; }
QMainWindow, QDialog, QMessageBox { background: $window; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QToolTip { background: $surface; color: $text; border: 1px solid $hairline; padding: 5px 8px; }

QMenuBar { background: $window; padding: 2px 8px; }
QMenuBar::item { padding: 4px 9px; border-radius: 5px; background: transparent; color: $text; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $surface; border: 1px solid $hairline; border-radius: 9px; padding: 5px; }
QMenu::item { padding: 6px 26px 6px 12px; border-radius: 5px; margin: 0 1px; }
QMenu::item:selected { background: $accent; color: $on_accent; }
QMenu::item:disabled { color: $secondary; background: transparent; }
QMenu::separator { height: 1px; background: $hairline; margin: 5px 8px; }
QMenu::indicator { width: ${caption}px; height: ${caption}px; left: 6px; }

QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; border: none; }
QScrollArea:focus { border: 1px solid $accent; }
QScrollBar:vertical { background: transparent; width: 11px; margin: 2px; }
QScrollBar::handle:vertical { background: $hairline; min-height: 34px; border-radius: 3px; }
QScrollBar::handle:vertical:hover { background: $secondary; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QPushButton { background: $surface; border: 1px solid $outline; border-radius: 8px; padding: 6px 14px; }
QPushButton:hover { background: $hover; }
QPushButton, QToolButton { outline: none; }
QPushButton:focus { border: 1px solid $accent; }
QPushButton:default { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton:default:hover { background: $accent_pressed; }
QPushButton:default:focus { border: 1px solid $text; }
QPushButton:disabled { color: $secondary; background: $window; border-color: $outline; }

QToolButton { border: 1px solid transparent; border-radius: 8px; padding: 4px; background: transparent; color: $text; }
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $hairline; }
QToolButton:focus { border: 1px solid $accent; }
QToolButton::menu-indicator { image: none; width: 0; }

#header { background: transparent; }
#sidebar { background: $sidebar; border-right: 1px solid $hairline; }
#searchField { background: $surface; border: 1px solid $outline; border-radius: 8px; padding: 5px 8px; color: $text;
  selection-background-color: $accent; selection-color: $on_accent; }
#searchField:focus { border-color: $accent; }
#conversations { background: transparent; border: none; outline: none; }
#documentsButton { background: transparent; border: 1px solid transparent; text-align: left; padding: 6px 8px;
  color: $text; }
#documentsButton:hover { background: $hover; }
#documentsButton:checked { background: $accent_soft; }
#documentsButton:focus { border-color: $accent; }
#conversations QLineEdit { background: $surface; border: 1px solid $accent; border-radius: 6px; padding: 2px 6px; }
QListWidget { background: $surface; border: 1px solid $outline; border-radius: 8px; padding: 3px; outline: none; }
QListWidget::item { padding: 4px 6px; border-radius: 5px; }
QListWidget::item:selected { background: $accent_soft; color: $text; }
QListWidget:focus { border: 2px solid $accent; padding: 2px; }
#sidebarNote { color: $secondary; font-size: ${caption}px; }
QSplitter::handle { background: transparent; }
#statusChip { padding: 5px 10px; border-radius: 9px; text-align: left; }

#composerFrame { background: $surface; border: 1px solid $outline; border-radius: 20px; }
#composerFrame[isFocused="true"] { border: 1px solid $accent; }
#editor { background: transparent; border: none; font-size: ${body}px; color: $text;
  selection-background-color: $accent; selection-color: $on_accent; }
#sendButton { background: $accent; border-radius: ${send}px; border: 2px solid $accent; padding: 0; }
#sendButton:hover { background: $accent_pressed; border-color: $accent_pressed; }
#sendButton:focus { border: 2px solid $text; }
#sendButton:disabled { background: $hairline; border-color: $hairline; }
#thinkingSwitch { border: 1px solid $outline; border-radius: 14px; padding: 5px 5px 5px 9px; color: $secondary; }
#thinkingSwitch:checked { background: $accent_soft; border-color: $accent; color: $accent; }
#thinkingSwitch:focus { border-color: $accent; }
#thinkingSwitch:checked:focus { border-color: $text; }
#attachButton { border-radius: 15px; padding: 0; }
#voiceMenuButton { padding: 0; }
QFrame[role="recorder"] { background: $window; border: 1px solid $hairline; border-radius: 14px; }
QFrame[role="recorder"]:focus { border: 1px solid $accent; }
#footnote { color: $secondary; font-size: ${caption}px; }

QFrame[role="chip"] { background: $window; border: 1px solid $hairline; border-radius: 12px; }
QFrame[role="chip"]:focus { border: 1px solid $accent; }
QLabel[role="name"] { font-weight: 500; }
QLabel[role="section"] { font-weight: 600; }
QLabel[role="caption"], QToolButton[role="caption"] { color: $secondary; font-size: ${caption}px; }
QLabel[role="caution"] { color: $caution; font-size: ${caption}px; }
QToolButton[role="budget"] { color: $accent; font-size: ${caption}px; padding: 1px 0; border-radius: 5px; }
QToolButton[role="budget"]:hover { background: $hover; }
QToolButton[role="remove"] { padding: 2px; border-radius: 9px; }

QToolButton[role="over"] { background: $surface; border-color: $hairline; }
QToolButton[role="over"]:hover { background: $hover; }
QToolButton[role="over"]:focus { border-color: $accent; }
QToolButton[role="enclosure"] { background: $surface; border: 1px solid $outline; border-radius: 10px;
  padding: 6px 12px 6px 8px; }
QToolButton[role="enclosure"]:hover { background: $hover; }
QToolButton[role="enclosure"]:focus { border-color: $accent; }
QFrame[role="bubble"] { background: $bubble; border-radius: 18px; }
QTextBrowser[role="message"] { font-size: ${body}px; background: transparent; border: none; color: $text;
  selection-background-color: $accent; selection-color: $on_accent; }
QTextBrowser[role="sources"] { font-size: ${caption}px; background: transparent; border: none; color: $secondary; }
QTextBrowser[role="thought"] { font-size: ${thought}px; background: transparent; border: none; color: $secondary;
  selection-background-color: $accent; selection-color: $on_accent; }
QFrame[role="turn"] { border: 1px solid transparent; border-radius: 12px; }
QFrame[role="turn"][isRinged="true"] { border: 1px solid $accent; }
QFrame[role="thoughtBody"] { border: none; border-left: 2px solid $hairline; }
QToolButton[role="thoughtTitle"] { color: $secondary; padding: 3px 2px 3px 0; margin-left: -5px; }
QLabel[role="activity"] { color: $secondary; }
QLabel[role="note"] { color: $secondary; font-size: ${caption}px; }

QLabel[role="danger"] { color: $danger; font-size: ${caption}px; }
QLabel[role="good"] { color: $accent; font-size: ${caption}px; }
QFrame[role="modelCard"] { background: $surface; border: 1px solid $hairline; border-radius: 12px; }
QFrame[role="modelCard"]:focus { border: 1px solid $accent; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton[role="primary"]:hover { background: $accent_pressed; }
QPushButton[role="primary"]:focus { border: 2px solid $text; }
QPushButton[role="link"] { color: $accent; font-size: ${caption}px; background: transparent; padding: 3px 6px;
  border: 1px solid transparent; }
QPushButton[role="link"]:hover { background: $hover; }
QPushButton[role="link"]:focus { border-color: $accent; }

QLabel[role="badge"] { color: $accent; background: $accent_soft; border-radius: 8px; padding: 2px 9px;
  font-size: ${caption}px; }
QFrame[role="toolCard"] { background: $surface; border: 1px solid $hairline; border-radius: 12px; }
QLabel[role="toolDetails"] { color: $secondary; font-size: ${caption}px; }
QFrame[role="error"] { background: $danger_soft; border-radius: 12px; }
QFrame[role="error"] QLabel { color: $danger; }
QFrame[role="notice"] { background: $caution_soft; border-radius: 12px; }
QFrame[role="notice"] QLabel { color: $caution; }
QFrame[role="state"] { background: $accent_soft; border-radius: 12px; }
QFrame[role="state"] QLabel { color: $text; }
QFrame[role="notice"] QPushButton, QFrame[role="error"] QPushButton { background: transparent; padding: 4px 12px; }
QFrame[role="notice"] QPushButton { color: $caution; border-color: $caution; }
QFrame[role="error"] QPushButton { color: $danger; border-color: $danger; }
QFrame[role="notice"] QPushButton:focus, QFrame[role="error"] QPushButton:focus { border: 2px solid $accent; }

#pill { background: $surface; border: 1px solid $outline; border-radius: 15px; padding: 5px 14px; min-height: 20px;
  color: $text; }
#pill:hover { background: $hover; }
#pill:focus { border-color: $accent; }
#toast { background: $text; border-radius: 12px; }
#toast QLabel { color: $window; }
#toast QPushButton { background: transparent; color: $window; border: 1px solid $secondary; padding: 3px 12px; }
#toast QPushButton:focus { border-color: $window; }

#emptyTitle { font-size: ${title}px; font-weight: 600; }
#emptyDetail { color: $secondary; font-size: ${lead}px; }
QPushButton[role="example"] { background: $surface; border: 1px solid $outline; border-radius: 14px; text-align: left;
  padding: 0; }
QPushButton[role="example"]:hover { background: $hover; }
QPushButton[role="more"] { border-radius: 12px; padding: 4px 10px; min-height: 16px; font-size: ${caption}px; }
QPushButton[role="example"]:focus { border: 1px solid $accent; }

#fieldsTable { background: $surface; border: 1px solid $hairline; border-radius: 8px; gridline-color: $hairline;
  selection-background-color: $accent_soft; selection-color: $text; }
#fieldsTable::item { padding: 0 6px; }
#fieldsTable:focus { border-color: $accent; }
#fieldsTable QHeaderView::section { background: $window; color: $secondary; border: none; padding: 6px;
  border-bottom: 1px solid $hairline; }
#collection { background: transparent; border: none; outline: none; }
#collection:focus { border: 1px solid $accent; }
#pageView, #thumbnails { background: $sidebar; border: none; outline: none; }
#pageView:focus, #thumbnails:focus { border: 1px solid $accent; }
#documentTitle, #doubtsButton { min-height: 24px; }
#thumbnails { border-right: 1px solid $hairline; }
#readingHalves { border-top: 1px solid $hairline; }
#readingHalves::handle { background: $hairline; }
#pageEditor { background: $surface; border: none; color: $text; font-size: ${body}px;
  selection-background-color: $accent; selection-color: $on_accent; }
#documentTitle { font-weight: 600; padding: 1px 5px; margin-left: -6px; text-align: left; background: transparent;
  border: 1px solid transparent; }
#documentTitle:hover { background: $hover; }
#documentTitle:focus { border-color: $accent; }
#documentTitle::menu-indicator { image: none; width: 0; }
#cardTitle { font-size: ${title}px; font-weight: 600; }
#doubtsButton { background: transparent; border: 1px solid transparent; color: $caution; padding: 2px 4px;
  font-size: ${caption}px; }
#doubtsButton:focus { border-color: $accent; }
QLineEdit[role="field"] { background: $surface; border: 1px solid $outline; border-radius: 7px; padding: 5px 9px;
  color: $text; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit[role="field"]:focus { border: 1px solid $accent; }

#settings { background: $window; }
QComboBox[role="popup"], #settings QAbstractSpinBox, #settings QLineEdit, #settings QPlainTextEdit {
  background: $surface; border: 1px solid $outline; border-radius: 7px; padding: 5px 9px; color: $text;
  selection-background-color: $accent; selection-color: $on_accent; }
QComboBox[role="popup"] { padding-right: ${drop}px; }
QComboBox[role="popup"]:hover { background: $hover; }
QComboBox[role="popup"]:focus, #settings QAbstractSpinBox:focus, #settings QLineEdit:focus,
#settings QPlainTextEdit:focus { border: 1px solid $accent; }
QComboBox[role="popup"]::drop-down { border: none; width: ${drop}px; }
QComboBox[role="popup"]::down-arrow { image: none; }
#settings QAbstractSpinBox::up-button, #settings QAbstractSpinBox::down-button { width: 0; border: none; }
#settings QAbstractSpinBox { padding: 4px 0; }
#settings QAbstractSpinBox QLineEdit { border: none; padding: 0; background: transparent; }
QCheckBox, QRadioButton { spacing: 7px; min-height: 24px; }
QCheckBox::indicator, QRadioButton::indicator { width: ${mark}px; height: ${mark}px; border: 1px solid $secondary;
  background: $surface; }
QCheckBox::indicator { border-radius: 4px; }
QRadioButton::indicator { border-radius: ${round}px; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QRadioButton::indicator:checked { border-color: $accent; background: qradialgradient(cx: 0.5, cy: 0.5, radius: 0.5,
  fx: 0.5, fy: 0.5, stop: 0 $on_accent, stop: 0.38 $on_accent, stop: 0.46 $accent, stop: 1 $accent); }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QSlider:horizontal { min-height: 22px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $hairline; }
QSlider::sub-page:horizontal { border-radius: 2px; background: $accent; }
QSlider::handle:horizontal { width: 16px; height: 16px; margin: -7px 0; border-radius: 9px; background: $surface;
  border: 1px solid $secondary; }
QSlider::handle:horizontal:focus { border-color: $accent; }
QComboBox QAbstractItemView { background: $surface; border: 1px solid $hairline; color: $text; outline: 0;
  selection-background-color: $accent; selection-color: $on_accent; }
QComboBox QAbstractItemView::item { padding: 4px 6px; min-height: 20px; }
#settings QLineEdit:disabled, #settings QPlainTextEdit:disabled { background: $window; color: $secondary; }
QFrame[role="line"] { background: $hairline; border: none; }
QToolButton[role="tab"] { padding: 6px 8px 5px 8px; color: $secondary; font-size: ${caption}px; }
QToolButton[role="tab"]:checked { background: $hover; color: $accent; }
#aboutName { font-size: ${title}px; font-weight: 600; }
""")


def symbol_size(usual: int, scale: float) -> int:
    """Of a symbol in pixels: it grows half as much as text, so that a narrow window holds them all."""
    return round(usual * (1 + max(scale - 1, 0) / 2))


def style_sheet(colors: Colors, scale: float) -> str:
    """The application's style sheet for a scheme and a text size."""
    sizes = {"mark": 14, "caption": 12, "ui": 13, "thought": 14, "body": 15, "lead": 15, "title": 25}
    return _SHEET.substitute(
        {name: round(size * scale) for name, size in sizes.items()} | {"round": round(14 * scale) // 2 + 1},
        send=symbol_size(34, scale) // 2,
        drop=symbol_size(14, scale) + 14,
        **asdict(colors),
    )

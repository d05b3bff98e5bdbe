"""What can be read, pressed and told apart: the ratios of WCAG 2, computed from the palettes and from real widgets."""

from collections.abc import Callable
from dataclasses import fields

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QLineEdit,
    QPlainTextEdit,
    QProxyStyle,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.look.colors import DARK, LIGHT, Colors, high_contrast
from app.look.stylesheet import style_sheet
from app.look.theme import Theme
from app.settings import Appearance
from app.widgets.shared.look import give_role

GROUNDS = ("window", "sidebar", "surface", "bubble", "code", "hover", "accent_soft")
SCHEMES = {
    "light": LIGHT,
    "dark": DARK,
    "light, more contrast": high_contrast(LIGHT),
    "dark, more contrast": high_contrast(DARK),
}


def luminance(color: str) -> float:
    """How light a colour is, 0 to 1, as WCAG defines it."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


class PicturedStyle(QProxyStyle):
    """As on desktops that give buttons of dialogs a picture."""

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        data: QStyleHintReturn | None = None,
    ) -> int:
        if hint is QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons:
            return 1
        return super().styleHint(hint, option, widget, data)


def test_buttons_of_dialogs_are_words_on_every_desktop(theme: Theme, qtbot: QtBot) -> None:
    theme.dress()
    style, box = PicturedStyle(), QDialogButtonBox()
    qtbot.addWidget(box)
    box.setStyle(style)
    assert not box.style().styleHint(QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons, None, box)


@pytest.mark.parametrize("colors", SCHEMES.values(), ids=SCHEMES)
def test_words_can_be_read_on_every_ground(colors: Colors) -> None:
    pairs = [(word, ground) for word in ("text", "secondary", "accent", "danger", "caution") for ground in GROUNDS]
    pairs += [
        ("danger", "danger_soft"),
        ("caution", "caution_soft"),
        ("on_accent", "accent"),
        ("on_found", "found_now"),
    ]
    pairs += [("on_found", "found_now"), ("text", "found"), ("window", "text")]
    poor = {pair: ratio(*(getattr(colors, name) for name in pair)) for pair in pairs}
    assert {pair: round(found, 2) for pair, found in poor.items() if found < 4.5} == {}


@pytest.mark.parametrize("colors", SCHEMES.values(), ids=SCHEMES)
def test_outlines_and_marks_are_seen_on_every_ground(colors: Colors) -> None:
    pairs = [(mark, ground) for mark in ("outline", "accent") for ground in ("window", "sidebar", "surface")]
    pairs += [("accent", "accent_soft")]  # the bar of the chosen row, on its own ground
    poor = {pair: ratio(*(getattr(colors, name) for name in pair)) for pair in pairs}
    assert {pair: round(found, 2) for pair, found in poor.items() if found < 3} == {}


@pytest.mark.parametrize("colors", SCHEMES.values(), ids=SCHEMES)
def test_a_symbol_that_cannot_be_pressed_looks_like_it(colors: Colors) -> None:
    assert ratio(colors.secondary, colors.dimmed) >= 2
    assert ratio(colors.dimmed, colors.window) >= 1.5


def test_what_can_be_pressed_or_written_into_has_an_outline() -> None:
    names = {field.name for field in fields(Colors) if field.type == "str" or field.type is str}
    marked = Colors(is_dark=False, **{name: f"#{name}" for name in names})
    sheet = style_sheet(marked, 1.0)
    for start in ("QPushButton {", "#searchField {", "#composerFrame {", "#pill {", 'QLineEdit[role="field"] {'):
        rule = sheet.split(f"\n{start}", 1)[1].split("}", 1)[0]
        assert "1px solid #outline" in rule, start


@pytest.mark.parametrize("appearance", [Appearance.LIGHT, Appearance.DARK])
@pytest.mark.parametrize("make", [QLineEdit, QTextEdit, QPlainTextEdit])
@pytest.mark.parametrize("name", ["searchField", "editor", "pageEditor", ""])
def test_placeholders_can_be_read(
    make: Callable[[], QWidget], name: str, appearance: Appearance, theme: Theme, qtbot: QtBot
) -> None:
    theme.set_appearance(appearance)
    field = make()
    qtbot.addWidget(field)
    field.setObjectName(name)
    give_role(field, "" if name else "field")
    field.ensurePolished()
    shown = field.palette().color(QPalette.ColorRole.PlaceholderText)
    assert shown.alpha() == 255
    assert ratio(shown.name(), theme.colors.surface) >= 4.5
    theme.set_appearance(Appearance.LIGHT)

"""What a person said: pictures and files with their receipts, then the text."""

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QToolButton, QWidget

from app.look.thumbnails import Thumbnails
from app.sound.player import Player
from app.text.blocks import PIECE
from app.viewmodels.conversation.finding import Finding
from app.viewmodels.conversation.turns import Enclosure, UserTurn
from app.widgets.chat.turn_view import TurnView
from app.widgets.markdown.selection import Copied
from app.widgets.markdown.text_view import TextView
from app.widgets.shared.arrange import Free, Placed, fill, lay_column, lay_row
from app.widgets.shared.look import Button, Look, give_role
from app.widgets.shared.picture_card import CARD_WIDTH, PictureCard

__all__ = ["UserView"]

BUBBLE_SHARE = 0.82
"""How much of the column a person's text may take."""

FOLDED_LINES, FOLDED_LENGTH = 14, 1200
"""Lines and characters that are shown of a long text until it is unfolded."""

_WORTH_FOLDING = 2
"""A text that is not so many times as long is shown whole."""

_BESIDE = 4
"""Pixels between a message and the buttons beside it."""


class _EnclosureButton(QToolButton):
    """A symbol, a name, and what was heard of it; while a sound is played, how far it is."""

    def __init__(self, look: Look, enclosure: Enclosure) -> None:
        super().__init__()
        self._look = look
        self._enclosure = enclosure
        self._symbol = "play" if enclosure.is_sound else enclosure.symbol
        give_role(self, "enclosure")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.show_label(enclosure)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if enclosure.path else Qt.FocusPolicy.NoFocus)
        look.follow(self._restyle)

    def show_label(self, enclosure: Enclosure) -> None:
        """Show the name, and the receipt once it is there."""
        self._enclosure = enclosure
        self.setText(enclosure.label)
        does = "Play" if enclosure.is_sound else "Open"
        self.setAccessibleName(f"{does} {enclosure.label}" if enclosure.path else f"Quoted: {enclosure.label}")

    def show_playing(self, place_s: float | None) -> None:
        """Show that it is heard, at a place in seconds; None for silence."""
        if not self._enclosure.is_sound:
            return
        symbol = "play" if place_s is None else "stop"
        if symbol != self._symbol:
            self._symbol = symbol
            self._restyle()
        if place_s is None:
            self.show_label(self._enclosure)
        else:
            self.setText(f"{self._enclosure.name} · {place_s:.1f} s")
            self.setAccessibleName(f"Stop playing {self._enclosure.name}")

    def _restyle(self) -> None:
        side = self._look.side(18)
        self.setIconSize(QSize(side, side))
        self.setIcon(self._look.icons.icon(self._symbol, self._look.theme.colors.secondary))


class UserView(TurnView):
    """A person's turn: pictures with their receipts, then the text in a bubble.

    **Signals:** `sound_chosen` (Path: to be played, or to be silent).
    """

    sound_chosen = Signal(object)
    turn: UserTurn

    def __init__(self, look: Look, thumbnails: Thumbnails, turn: UserTurn, parent: QWidget | None = None) -> None:
        super().__init__(look, turn, "Your message", parent)
        self._bubble = QFrame(self)
        self._text = TextView(look, "message", self._bubble)
        self._listen(self._text)
        self.cards = [PictureCard(look, thumbnails, picture.path) for picture in turn.pictures]
        for card, receipt in zip(self.cards, turn.receipts, strict=True):
            if receipt is not None:
                card.tile.expect(QSize(receipt.width, receipt.height))
        self._grid = QGridLayout()
        self._grid.setSpacing(10)
        give_role(self._bubble, "bubble")
        self._folded = _beginning(turn.text)
        self.fold_button = Button("", lambda: self.fold(self._is_unfolded), role="link", by_tab=True)
        fold = Placed(self.fold_button, side=Qt.AlignmentFlag.AlignLeft)
        lay_column([self._text, fold], self._bubble, margins=(16, 10, 16, 10))
        self.fold(True)
        middle, right = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignRight
        deeds = [Placed(button, side=middle) for button in (self.again_button, self.copy_button)]
        row = lay_row([Free(), *deeds, self._bubble], spacing=_BESIDE)
        self._enclosures = [self._build_enclosure(look, enclosure) for enclosure in turn.enclosures]
        enclosures = [Placed(button, side=right) for button in self._enclosures]
        fill(self._layout, [self._grid, *enclosures, row], margins=(4, 4, 4, 4), spacing=8)
        self._layout.addWidget(self.versions, 0, right)
        self._bubble.setVisible(bool(turn.text))
        self.copy_button.setVisible(bool(turn.text))
        for card in self.cards:
            card.open_requested.connect(self.look_requested)
        turn.changed.connect(self._show)
        self._show()

    @property
    def texts(self) -> list[TextView | None]:
        """What was written."""
        return [self._text]

    @property
    def tab_stops(self) -> list[QWidget]:
        """Pictures and files come before the text."""
        files = (each for each in self._enclosures if each.focusPolicy() is not Qt.FocusPolicy.NoFocus)
        return [*(card.tile for card in self.cards), *files, self._text, self.fold_button, *super().tab_stops]

    @property
    def copied(self) -> Copied:
        """The text as it was typed."""
        return Copied(self.turn.text)

    def fold(self, is_folded: bool) -> None:
        """Show only the beginning of a long text, or all of it."""
        is_long = len(self._folded) < len(self.turn.text)
        self._is_unfolded = not (is_long and is_folded)
        self._text.show_plain(self.turn.text if self._is_unfolded else f"{self._folded}…")
        self.fold_button.setText("Show Less" if self._is_unfolded else f"Show All {len(self.turn.text):,} Characters")
        self.fold_button.setVisible(is_long)

    def mark(self, finding: Finding) -> None:
        """What is found in the part that is folded away is shown."""
        if finding.current is not None and finding.current.turn is self.turn and not self._is_unfolded:
            self.fold(False)
        super().mark(finding)

    def _build_enclosure(self, look: Look, enclosure: Enclosure) -> _EnclosureButton:
        """What was sent besides pictures; a file opens with a click."""
        button = _EnclosureButton(look, enclosure)
        if enclosure.page:
            button.clicked.connect(lambda: self.page_chosen.emit(Path(enclosure.path), enclosure.page))
        elif enclosure.is_sound:
            button.clicked.connect(lambda: self.sound_chosen.emit(Path(enclosure.path)))
        elif enclosure.path:
            button.clicked.connect(lambda: self.picture_chosen.emit(enclosure.path))
        return button

    def show_playing(self, player: Player) -> None:
        """Show which of its sounds is heard."""
        for button, enclosure in zip(self._enclosures, self.turn.enclosures, strict=True):
            button.show_playing(player.place_s if player.plays(Path(enclosure.path)) else None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the bubble to its text and the cards to the width."""
        super().resizeEvent(event)
        self._fit_bubble(event.size().width())
        self._arrange_cards(event.size().width())

    def _fit_bubble(self, width: int) -> None:
        self._text.ensurePolished()
        metrics = QFontMetrics(self._text.font())
        margins = self._layout.contentsMargins()
        beside = self.again_button.width() + self.copy_button.width() + 2 * _BESIDE + margins.left() + margins.right()
        room = min(round(width * BUBBLE_SHARE), width - beside)
        if len(self.turn.text) > PIECE:
            self._bubble.setFixedWidth(room)
            return
        longest = max((metrics.horizontalAdvance(line) for line in self.turn.text.split("\n")), default=0)
        if len(self._folded) < len(self.turn.text):
            longest = max(longest, self.fold_button.sizeHint().width())
        self._bubble.setFixedWidth(min(longest + 34, room))

    def _arrange_cards(self, width: int) -> None:
        """Put the cards into rows that all end at the right."""
        num_columns = max(1, min(len(self.cards), 3, width // (CARD_WIDTH + 10)))
        for index, card in enumerate(self.cards):
            row, place = divmod(index, num_columns)
            num_in_row = min(num_columns, len(self.cards) - row * num_columns)
            column = num_columns - num_in_row + place + 1
            self._grid.addWidget(card, row, column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        self._grid.setColumnStretch(0, 1)

    def _show(self) -> None:
        for index, card in enumerate(self.cards):
            card.show_caption(self.turn.picture_line(index))
        for button, enclosure in zip(self._enclosures, self.turn.enclosures, strict=True):
            button.show_label(enclosure)
        self.setAccessibleName(self.turn.spoken)
        self._text.setAccessibleName(self.turn.spoken)  # VoiceOver passes frames over, and reads a text's name


def _beginning(text: str) -> str:
    """What is shown of a text while it is folded: all of it, if that is not much more."""
    lines = text.split("\n", FOLDED_LINES * _WORTH_FOLDING)
    if len(lines) <= FOLDED_LINES * _WORTH_FOLDING and len(text) <= FOLDED_LENGTH * _WORTH_FOLDING:
        return text
    return "\n".join(lines[:FOLDED_LINES])[:FOLDED_LENGTH].rstrip()

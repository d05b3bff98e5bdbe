"""The composer: chips, text, the thinking switch, and the one button that sends or stops."""

import itertools

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from app.look.theme import COLUMN_WIDTH
from app.look.thumbnails import Thumbnails
from app.viewmodels.conversation.conversation import Conversation
from app.viewmodels.draft.attached import Attached, DraftText
from app.viewmodels.draft.composer import Composer, subject_of
from app.viewmodels.draft.intake import Intake
from app.viewmodels.draft.voice import Voice
from app.widgets.chat.chip import Chip, SeenChip, TextChip, make_chip
from app.widgets.chat.editor import Editor
from app.widgets.chat.recorder_view import RecorderView, VoiceMenu
from app.widgets.shared.arrange import FLUSH, Free, Placed, fill, lay_column, lay_middle, lay_row
from app.widgets.shared.banner import Banner
from app.widgets.shared.dialogs import TextPreview, open_microphone_settings, quick_look
from app.widgets.shared.elided import ElidedLabel
from app.widgets.shared.look import Button, IconButton, Label, Look, give_role, mark, show_tip
from app.widgets.shared.tiles import ContextRing

__all__ = ["ComposerView"]


_WIDE = 640
"""From this width on the footer is one row."""


class ComposerView(QWidget):
    """Shows the draft.

    **Signals:** `open_requested` (to attach files), `model_requested` (to choose one), `stop_requested`,
    `picture_chosen` (path).
    """

    open_requested = Signal()
    model_requested = Signal()
    stop_requested = Signal()
    picture_chosen = Signal(str)

    def __init__(
        self,
        look: Look,
        thumbnails: Thumbnails,
        composer: Composer,
        intake: Intake,
        conversation: Conversation,
        voice: Voice,
        tools_menu: QMenu,
    ) -> None:
        super().__init__()
        self._voice = voice
        self._look = look
        self._thumbnails = thumbnails
        self._composer = composer
        self._intake = intake
        self._conversation = conversation
        self.chips: dict[int, Chip] = {}
        self.editor = Editor()
        self.attach_button = IconButton(look, "plus", "Attach files", side=32)
        self.attach_button.setObjectName("attachButton")
        self.recorder = RecorderView(look, voice)
        self.record_button = IconButton(look, "microphone", "Record", side=32)
        self.record_button.setObjectName("recordButton")
        self.voice_menu_button = IconButton(look, "chevron-down", "Recording options", side=24)
        self.voice_menu_button.setObjectName("voiceMenuButton")
        self.voice_menu = VoiceMenu(voice)
        self.voice_menu_button.setMenu(self.voice_menu)
        self.voice_menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.problem = Banner(look, "notice", "microphone", is_dismissable=True)
        self.model_button = self.problem.add_action("Choose Model…")
        self.privacy_button = self.problem.add_action("Open Privacy Settings")
        self.tools_button = IconButton(look, "toolbox", "Tools", side=32)
        self.tools_button.setObjectName("toolsButton")
        self.tools_button.setMenu(tools_menu)
        self.tools_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.thinking_switch = _ThinkingSwitch(look)
        self.send_button = IconButton(look, "send", "Send", side=34, color=lambda colors: colors.on_accent)
        self.send_button.setObjectName("sendButton")
        self.ring = ContextRing(look)
        self.cost = ElidedLabel(alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, role="caption")
        self.cost.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.warning = Label(role="caution", wraps=True)
        self.footnote = Label(alignment=Qt.AlignmentFlag.AlignCenter, name="footnote", wraps=True)
        self.better_button = Button("Get a Model…", name="Get a model that does more", role="link", by_tab=True)
        self._foot = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._chip_row = QHBoxLayout()
        self.chip_area = _ChipArea(self._chip_row)
        self._frame = QFrame()
        self._frame.setObjectName("composerFrame")
        self._arrange()
        self._connect(look)

    def _arrange(self) -> None:
        voice = lay_row([self.record_button, self.voice_menu_button], spacing=0)
        before, behind = (
            (self.attach_button, voice, self.tools_button, self.thinking_switch),
            (self.ring, self.send_button),
        )
        tools = lay_row([*before, Placed(self.cost, 1), *behind], spacing=6)
        lay_column(
            [self.chip_area, self.editor, self.recorder, self.warning, tools],
            self._frame,
            margins=(14, 12, 10, 9),
            spacing=8,
        )
        foot = QWidget()
        foot.setLayout(self._foot)
        middles = (lay_middle(widget, COLUMN_WIDTH + 24) for widget in (self.problem, self._frame, foot))
        lay_column(middles, self, margins=(14, 0, 14, 8), spacing=6)
        better = Placed(self.better_button, side=Qt.AlignmentFlag.AlignHCenter)
        fill(self._foot, [Placed(self.footnote, 1), better], margins=FLUSH)

    def _connect(self, look: Look) -> None:
        composer, editor = self._composer, self.editor
        editor.textChanged.connect(lambda: composer.set_text(editor.toPlainText()))
        editor.send_requested.connect(composer.send)
        editor.pasted.connect(self._intake.take_paste)
        editor.focus_changed.connect(self._ring)
        composer.text_offered.connect(editor.insert_text)
        composer.text_replaced.connect(editor.replace_text)
        composer.item_added.connect(self._add_chip)
        composer.item_changed.connect(self._change_chip)
        composer.item_removed.connect(self._remove_chip)
        composer.items_ordered.connect(self._order_chips)
        composer.meter.changed.connect(self._show_meter)
        composer.changed.connect(self._show)
        self._conversation.reset.connect(self._show)
        composer.thinking_changed.connect(self.thinking_switch.setChecked)
        self.thinking_switch.setChecked(composer.is_thinking_on)
        self.thinking_switch.toggled.connect(composer.set_thinking)
        self.attach_button.clicked.connect(self.open_requested)
        self.send_button.clicked.connect(self._send_or_stop)
        self.record_button.clicked.connect(self._voice.toggle)
        for button in (self.model_button, self.better_button):
            button.clicked.connect(self.model_requested)
        self.privacy_button.clicked.connect(open_microphone_settings)
        self.problem.dismissed.connect(self._voice.dismiss)
        self._voice.changed.connect(self._show_voice)
        look.theme.changed.connect(editor.fit)
        self._thumbnails.failed.connect(self._refuse)
        self._show()
        self._show_meter()
        self._show_voice()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack the footer in a narrow window; beside its text, a button that comes and goes moves nothing."""
        super().resizeEvent(event)
        is_wide = event.size().width() >= self._look.theme.pixels(_WIDE)
        self.thinking_switch.show_word(is_wide or self._look.theme.scale <= 1)
        self.footnote.setMinimumHeight(self.better_button.sizeHint().height() if is_wide else 0)
        self._foot.setDirection(QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom)

    def _send_or_stop(self) -> None:
        if self._conversation.is_busy:
            self.stop_requested.emit()
        else:
            self._composer.send()
        self.editor.setFocus()

    def _show(self) -> None:
        is_busy = self._conversation.is_busy
        self.send_button.rename("Stop" if is_busy else "Send", "stop" if is_busy else "send")
        self.send_button.setEnabled(is_busy or self._composer.can_send)
        self.editor.invite(subject_of(self._composer.items, self._conversation.answer))

    def _show_voice(self) -> None:
        """Put the pill in the text's place while it is needed, and the focus with it."""
        voice = self._voice
        focus = self.focusWidget()
        had_focus = focus is self.recorder or (focus is not None and self.recorder.isAncestorOf(focus))
        is_open = voice.is_open
        if is_open is not self.recorder.isVisibleTo(self):
            self.recorder.setVisible(is_open)
            self.editor.setVisible(not is_open)
            if had_focus or is_open:
                (self.recorder if is_open else self.editor).setFocus()
        self.record_button.rename("Stop recording" if voice.is_recording else "Record")
        self.record_button.setEnabled(voice.is_recording or not is_open)
        self.model_button.setVisible(voice.wants_model)
        self.privacy_button.setVisible(voice.wants_permission)
        self.problem.show_text(voice.problem)

    def _show_meter(self) -> None:
        meter = self._composer.meter
        self.cost.setText(meter.line)
        self.ring.setVisible(meter.is_known)
        self.ring.show_fraction(meter.fraction, is_nearly_full=bool(meter.warning))
        show_tip(self.ring, meter.detail)
        self.warning.setText(self._composer.caution)
        self.warning.setVisible(bool(self._composer.caution))

    def _add_chip(self, item: Attached) -> None:
        self._place_chip(item, len(self.chips))
        self.chip_area.show()

    def _change_chip(self, item: Attached) -> None:
        """Show the change; what was only being read gets the chip of what it is, in the same place."""
        chip = self.chips[item.key]
        if chip.shows(item):
            chip.show_item(item)
            return
        index = self._chip_row.indexOf(chip)
        self._take_away(chip)
        self._place_chip(item, index)

    def _place_chip(self, item: Attached, index: int) -> None:
        chip, key = make_chip(self._look, self._thumbnails, item), item.key
        chip.remove_requested.connect(lambda: self._composer.remove(key))
        chip.look_requested.connect(lambda: self._look_at(key))
        chip.step_requested.connect(lambda steps: self._composer.step(key, steps))
        chip.dragged.connect(lambda x: self._drag(key, x))
        if isinstance(chip, SeenChip):
            chip.budget_chosen.connect(lambda budget: self._composer.set_budget(key, budget))
            chip.budget_stepped.connect(lambda steps: self._composer.step_budget(key, steps))
            chip.open_requested.connect(self.picture_chosen)
        elif isinstance(chip, TextChip):
            chip.unfold_requested.connect(lambda: self._composer.unfold(key))
        self.chips[key] = chip
        self._chip_row.insertWidget(index, chip)
        self._order_tabs()
        self.chip_area.bring_into_view(chip)

    def _look_at(self, key: int) -> None:
        """Show what is attached, large."""
        item = next(item for item in self._composer.items if item.key == key)
        if isinstance(item, DraftText):
            TextPreview(self.window(), item.name, item.text).open()
        else:
            quick_look(str(item.path))

    def _drag(self, key: int, x: int) -> None:
        """Put a chip behind those whose middle is left of `x` on the screen."""
        others = [chip for other, chip in self.chips.items() if other != key]
        self._composer.place(key, sum(chip.mapToGlobal(chip.rect().center()).x() < x for chip in others))

    def _order_chips(self) -> None:
        self.chips = {item.key: self.chips[item.key] for item in self._composer.items}
        for index, chip in enumerate(self.chips.values()):
            self._chip_row.insertWidget(index, chip)
        self._order_tabs()
        self.chip_area.bring_into_view(next((chip for chip in self.chips.values() if chip.hasFocus()), None))

    def _remove_chip(self, key: int) -> None:
        index = list(self.chips).index(key)
        had_focus = self._take_away(self.chips.pop(key))
        if had_focus and self.chips:
            following = list(self.chips.values())[min(index, len(self.chips) - 1)]
            following.setFocus()
            self.chip_area.bring_into_view(following)
        self.chip_area.setVisible(bool(self.chips))

    def _take_away(self, chip: Chip) -> bool:
        """Returns whether it had the keyboard, which goes to the text."""
        focus = self.focusWidget()
        had_focus = focus is not None and (focus is chip or chip.isAncestorOf(focus))
        self.chip_area.bring_into_view(None)
        self._chip_row.removeWidget(chip)
        chip.hide()
        chip.deleteLater()
        if had_focus:
            self.editor.setFocus()
        return had_focus

    def _refuse(self, path: str, sentence: str) -> None:
        for item in self._composer.items:
            if not isinstance(item, DraftText) and str(item.path) == path:
                self._composer.refuse(item.key, sentence)

    def _order_tabs(self) -> None:
        """Text first, then each chip, then the tools, however the chips came."""
        stops: list[QWidget] = [self.editor]
        for chip in self.chips.values():
            stops += chip.stops
        stops += [
            self.attach_button,
            self.record_button,
            self.voice_menu_button,
            self.tools_button,
            self.thinking_switch,
            self.ring,
            self.send_button,
            self.better_button,
        ]
        for before, after in itertools.pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _ring(self, is_focused: bool) -> None:
        mark(self._frame, "isFocused", is_focused)


class _ThinkingSwitch(QToolButton):
    """On or off: whether the model may think before it answers."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self.setObjectName("thinkingSwitch")
        self.setText("Thinking")
        self.setCheckable(True)
        self.setToolTip("Let the model think before it answers")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.toggled.connect(self._restyle)
        look.follow(self._restyle)

    def show_word(self, is_shown: bool) -> None:
        """Show its name beside the symbol, or the symbol alone where there is no room."""
        style = Qt.ToolButtonStyle
        self.setToolButtonStyle(style.ToolButtonTextBesideIcon if is_shown else style.ToolButtonIconOnly)

    def _restyle(self) -> None:
        colors, side = self._look.theme.colors, self._look.theme.symbol(16)
        self.setIconSize(QSize(side, side))
        self.setIcon(self._look.icons.icon("think", colors.accent if self.isChecked() else colors.secondary))
        self.setAccessibleName(f"Thinking {'on' if self.isChecked() else 'off'}")


class _ChipArea(QScrollArea):
    """A row of chips that scrolls sideways when there are many, and says how many are not seen on either side."""

    def __init__(self, row: QHBoxLayout) -> None:
        super().__init__()
        self.more_buttons = (QPushButton(self), QPushButton(self))
        """Behind the left edge, and behind the right one."""
        for button, way in zip(self.more_buttons, (-1, 1), strict=True):
            give_role(button, "more")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes from chip to chip and brings each into view
            button.clicked.connect(lambda _=False, way=way: self._go(way))
            button.hide()
        self._holder = QWidget()
        fill(row, [Free()], margins=FLUSH, spacing=8)
        self._holder.setLayout(row)
        self.setWidget(self._holder)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Attached files")
        self._row = row
        self._wanted: QWidget | None = None
        self.horizontalScrollBar().rangeChanged.connect(self._show_wanted)
        for moved in (self.horizontalScrollBar().rangeChanged, self.horizontalScrollBar().valueChanged):
            moved.connect(self._count_unseen)
        self.hide()

    def bring_into_view(self, chip: QWidget | None) -> None:
        """Scroll to a chip now, and again when the row has its final width."""
        self._wanted = chip
        self._show_wanted()

    def _show_wanted(self) -> None:
        if self._wanted is not None:
            self._row.activate()
            self.ensureWidgetVisible(self._wanted, 0, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Count anew what is not seen."""
        super().resizeEvent(event)
        self._count_unseen()

    def _go(self, way: int) -> None:
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() + way * bar.pageStep())

    def _count_unseen(self) -> None:
        """A chip counts whose middle is out of sight."""
        chips = [chip for chip in self._holder.findChildren(Chip) if chip.isVisibleTo(self._holder)]
        first = self.horizontalScrollBar().value()
        middles = [chip.geometry().center().x() - first for chip in chips]
        numbers = (sum(x < 0 for x in middles), sum(x > self.viewport().width() for x in middles))
        for button, number, words in zip(self.more_buttons, numbers, ("‹ {} more", "{} more ›"), strict=True):
            button.setText(words.format(number))
            button.setAccessibleName(f"{number} more attached")
            button.adjustSize()
            button.setVisible(bool(number))
            button.raise_()
        height = (self.height() - self.more_buttons[0].height()) // 2
        self.more_buttons[0].move(0, height)
        self.more_buttons[1].move(self.width() - self.more_buttons[1].width(), height)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll sideways with any wheel."""
        delta = event.angleDelta()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - (delta.x() or delta.y()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Be as tall as the tallest chip."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.setFixedHeight(self._holder.sizeHint().height())
        return super().eventFilter(watched, event)

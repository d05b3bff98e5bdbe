"""The settings window: pages behind a row of symbols, everything at once, nothing to confirm."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLayout, QScrollArea, QToolButton, QWidget

from app.settings import SystemVoice
from app.viewmodels.conversation.tools import Toolbox
from app.viewmodels.settings.preferences import Preferences
from app.widgets.settings.answer_pages import AnswersPage, PromptsPage
from app.widgets.settings.settings_pages import GeneralPage, ModelPage, PrivacyPage, SettingsPage
from app.widgets.settings.tools_page import ToolsPage
from app.widgets.shared.arrange import FLUSH, Free, lay_column, lay_row
from app.widgets.shared.look import Look, give_role
from app.widgets.shared.room import Room

__all__ = ["SettingsWindow"]

BESIDE_PAGE = 180
"""Pixels of the screen's height that are left for the frame, the tabs and air."""


class SettingsWindow(QWidget):
    """A window beside the main one. It is as large as its page."""

    def __init__(
        self,
        parent: QWidget,
        look: Look,
        preferences: Preferences,
        toolbox: Toolbox,
        find_voices: Callable[[], Sequence[SystemVoice]],
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window | Qt.WindowType.WindowCloseButtonHint)
        self._look = look
        self._main_window = parent
        self._settings = preferences.settings
        self.setObjectName("settings")
        self.general = Room(lambda: GeneralPage(look, preferences, find_voices))
        self.model = Room(lambda: ModelPage(look, preferences))
        self.prompts = Room(lambda: PromptsPage(look, preferences))
        self.answers = Room(lambda: AnswersPage(look, preferences))
        self.tools = Room(lambda: ToolsPage(look, preferences, toolbox))
        self.privacy = Room(lambda: PrivacyPage(look, preferences))
        self.pages: dict[str, Room[SettingsPage]] = {
            "General": self.general,
            "Model": self.model,
            "Prompts": self.prompts,
            "Answers": self.answers,
            "Tools": self.tools,
            "Privacy": self.privacy,
        }
        symbols = ("gear", "chip", "quote", "sparkle", "toolbox", "shield")
        self.tabs = {name: _Tab(look, name, symbol) for name, symbol in zip(self.pages, symbols, strict=True)}
        self._arrange()
        group = QButtonGroup(self)
        for name, tab in self.tabs.items():
            group.addButton(tab)
            tab.toggled.connect(lambda is_on, name=name: self.show_page(name) if is_on else None)
        for key in (QKeySequence.StandardKey.Close, QKeySequence.StandardKey.Cancel):
            QShortcut(key, self, self.close)
        preferences.changed.connect(self._refresh)
        self.tabs["General"].setChecked(True)

    def show_page(self, name: str) -> None:
        """Turn to a page."""
        self.setWindowTitle(name)
        self.tabs[name].setChecked(True)
        if isinstance(self.focusWidget(), _Tab):
            self.tabs[name].setFocus()
        chosen = self.pages[name].view
        chosen.refresh()
        for page in self._built_pages:
            page.setVisible(page is chosen)

    def showEvent(self, event: QShowEvent) -> None:
        """Show what holds now: while it is hidden the window follows nothing."""
        super().showEvent(event)
        if not event.spontaneous():
            self._place()
            self.setFocus()  # not on the first tab, around which nobody has asked for a ring
        self._refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the place."""
        self._settings.settings_place = self.pos()
        super().closeEvent(event)

    def _place(self) -> None:
        """Go where it was, the first time over the middle of the main window; never off the screens."""
        parent = self._main_window
        size = self.sizeHint() + parent.frameGeometry().size() - parent.size()
        middle = parent.frameGeometry().center() - QPoint(size.width() // 2, size.height() // 2)
        wanted = QRect(self._settings.settings_place or middle, size)
        area = (QGuiApplication.screenAt(wanted.center()) or parent.screen()).availableGeometry()
        left = max(area.left(), min(wanted.left(), area.right() - size.width()))
        top = max(area.top(), min(wanted.top(), area.bottom() - size.height()))
        self.move(left, top)

    @property
    def _built_pages(self) -> list[SettingsPage]:
        return [room.view for room in self.pages.values() if room.is_built]

    def _refresh(self) -> None:
        for page in self._built_pages:
            if page.isVisible():
                page.refresh()

    def _arrange(self) -> None:
        tabs = lay_row([Free(), *self.tabs.values(), Free()], margins=(12, 10, 12, 8), spacing=4)
        line = QFrame()
        give_role(line, "line")
        line.setFixedHeight(1)
        area = _Area()
        layout = lay_column([tabs, line, area], self, margins=FLUSH, spacing=0)
        layout.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)
        for room in self.pages.values():
            room.furnish(area.add)


class _Area(QScrollArea):
    """As large as the page that is shown, and no higher than the screen: what is more, is scrolled to."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._inside = QWidget()
        self._column = lay_column([], self._inside, margins=FLUSH)
        self.setWidget(self._inside)
        self.setWidgetResizable(True)
        self._inside.installEventFilter(self)

    def add(self, page: QWidget) -> None:
        """Hold one more, which is not shown yet."""
        page.hide()
        self._column.addWidget(page)

    def sizeHint(self) -> QSize:
        """What it holds, if there is room."""
        wanted = self._inside.sizeHint()
        room = self.screen().availableGeometry().height() - BESIDE_PAGE
        if wanted.height() <= room:
            return wanted
        return QSize(wanted.width() + self.verticalScrollBar().sizeHint().width(), room)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow what it holds."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class _Tab(QToolButton):
    """A symbol with its name below."""

    def __init__(self, look: Look, name: str, symbol: str) -> None:
        super().__init__()
        self._look = look
        self._symbol = symbol
        give_role(self, "tab")
        self.setText(name)
        self.setAccessibleName(name)
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setMinimumWidth(76)
        self.toggled.connect(self._restyle)
        look.follow(self._restyle)

    def _restyle(self) -> None:
        colors, side = self._look.theme.colors, self._look.side(24)
        self.setIconSize(QSize(side, side))
        self.setIcon(self._look.icons.icon(self._symbol, colors.accent if self.isChecked() else colors.secondary))

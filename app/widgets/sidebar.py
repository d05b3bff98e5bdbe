"""The conversations at the left: a field to search in all of them, and the list."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from itertools import takewhile
from typing import Any, TypeVar

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFocusEvent, QFont, QFontMetrics, QKeyEvent, QPainter, QPen, QTextDocument
from PySide6.QtWidgets import (
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.store import MATCH_BEGIN, MATCH_END, Summary
from app.viewmodels.shelf.library import Library
from app.viewmodels.shelf.running import Mark, Running
from app.viewmodels.shelf.search import Found, FoundDocument, Search
from app.viewmodels.shelf.shelf import Shelf, when
from app.widgets.shared.arrange import Placed, lay_column
from app.widgets.shared.keys import is_delete
from app.widgets.shared.look import Button, Label, Look
from app.widgets.shared.search_field import SearchField

__all__ = ["Sidebar"]

_Index = QModelIndex | QPersistentModelIndex
_Row = str | Summary | Found | FoundDocument
"""A heading, a conversation, or what a search found something in."""

_Place = TypeVar("_Place", str, int)
"""A turn or a page."""

ROW_HEIGHT, HEADING_HEIGHT, HIT_HEIGHT = 32, 30, 54
MARGIN = 8

LEAD = 14
"""Characters before a match that a snippet shows at most, about."""


class Sidebar(QWidget):
    """Shows what is kept, or what a search finds.

    **Signals:** `open_requested` (conversation id, turn id or "", whether to go on writing there), `rename_requested`
    (id, title), `pin_requested` (id, is pinned), `remove_requested` (id), `documents_requested`, `document_requested`
    (path, page or 0).
    """

    open_requested = Signal(str, str, bool)
    rename_requested = Signal(str, str)
    pin_requested = Signal(str, bool)
    remove_requested = Signal(str)
    documents_requested = Signal()
    document_requested = Signal(object, int)

    def __init__(self, look: Look, library: Library, shelf: Shelf, search: Search, running: Running) -> None:
        super().__init__()
        self._look = look
        self._library = library
        self._search = search
        self._shown_id = ""
        self._chosen: tuple[_Row | None, int] = (None, 0)
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.search = SearchField("Search", "Search all conversations and documents")
        self.search.textChanged.connect(search.look_for)
        self.search.left_downwards.connect(self._enter_list)
        self.search.returnPressed.connect(self._open_first)
        self._rows = _Rows(shelf, search, running)
        self.list = _List()
        self.list.setModel(self._rows)
        self._delegate = _Delegate(look, self._rows, self.list)
        self.list.setItemDelegate(self._delegate)
        self._delegate.closeEditor.connect(self._show, Qt.ConnectionType.QueuedConnection)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.list.clicked.connect(self._open)
        self.list.chosen.connect(self._open)
        self.list.passed.connect(lambda index: self._open(index, takes_focus=False))
        self.list.removed.connect(self._remove)
        self.list.left.connect(self._show_open_one)
        self._rows.renamed.connect(self.rename_requested)
        self.documents_button = Button("Documents", self._ask_for_documents, name="Documents", by_tab=True)
        self.documents_button.setObjectName("documentsButton")
        self.documents_button.setCheckable(True)
        self.note = Label(alignment=Qt.AlignmentFlag.AlignCenter, name="sidebarNote", wraps=True)
        lay_column(
            [self.search, self.note, Placed(self.list, 1), self.documents_button],
            self,
            margins=(10, 10, 10, 6),
            spacing=8,
        )
        for changed in (library.opened, shelf.changed, search.found):
            changed.connect(self._show)
        running.changed.connect(self._draw_again)
        look.follow(self._restyle)
        self._show()

    def _restyle(self) -> None:
        look, side = self._look, self._look.side(16)
        self.setMinimumWidth(look.side(190))
        self.documents_button.setIcon(look.icons.icon("pages", look.theme.colors.secondary))
        self.documents_button.setIconSize(QSize(side, side))
        self._delegate.measure()
        self.list.doItemsLayout()

    def _draw_again(self, conversation_id: str) -> None:
        self.list.update(self._rows.index_of(conversation_id))

    def rename_current(self) -> None:
        """Edit the title of the conversation that is open, in its place."""
        index = self._rows.index_of(self._library.current_id)
        if index.isValid():
            self.list.setCurrentIndex(index)
            self.list.edit(index)

    def build_menu(self, row: Summary) -> QMenu:
        """The context menu of a conversation."""
        menu = QMenu(self)
        menu.addAction("Rename…", lambda: self.list.edit(self._rows.index_of(row.id)))
        pin = "Unpin" if row.is_pinned else "Pin"
        menu.addAction(pin, lambda: self.pin_requested.emit(row.id, not row.is_pinned))
        menu.addSeparator()
        menu.addAction("Delete", lambda: self.remove_requested.emit(row.id))
        return menu

    def _show(self) -> None:
        if self.list.is_editing:
            return  # other rows would take the title that is being written away
        has_changed = self._rows.refresh()
        if not self._search.query and (has_changed or self._shown_id != self._library.current_id):
            self._shown_id = self._library.current_id
            self.list.setCurrentIndex(self._rows.index_of(self._shown_id))
        note = ""
        if self._search.query and not self._rows.rows and not self._search.is_running:
            note = "Nothing found."
        elif not self._search.query and not self._rows.rows:
            note = "Conversations appear here. They stay on this Mac."
        self.note.setText(note)
        self.note.setVisible(bool(note))
        focus = Qt.FocusPolicy
        self.list.setFocusPolicy(focus.StrongFocus if self._rows.rows else focus.NoFocus)

    def _ask_for_documents(self) -> None:
        self.documents_button.toggle()  # what is shown marks it, not the click
        self.documents_requested.emit()

    def show_documents(self, are_shown: bool) -> None:
        """Mark what fills the window: the documents, or the conversation that is open."""
        self.documents_button.setChecked(are_shown)
        self._delegate.is_covered = are_shown
        self.list.viewport().update()

    def take_focus(self) -> None:
        """Take the keyboard: to the list, or to the search where nothing is listed."""
        (self.list if self._rows.rows else self.search).setFocus()

    def _show_open_one(self) -> None:
        """What is open is what is chosen, wherever the keyboard went through the list."""
        if not self._search.query:
            self.list.setCurrentIndex(self._rows.index_of(self._library.current_id))

    def _enter_list(self) -> None:
        self.list.setFocus()
        first = self._first()
        if first is not None and (self._search.query or not self.list.currentIndex().isValid()):
            self.list.setCurrentIndex(first)

    def _open_first(self) -> None:
        first = self._first()
        if self._search.query and first is not None:
            self._open(first)

    def _first(self) -> QModelIndex | None:
        """The first row that is no heading."""
        numbers = (number for number, row in enumerate(self._rows.rows) if not isinstance(row, str))
        return next((self._rows.index(number) for number in numbers), None)

    def _open(self, index: QModelIndex, *, takes_focus: bool = True) -> None:
        match self._rows.rows[index.row()]:
            case Summary(id=conversation_id):
                self.open_requested.emit(conversation_id, "", takes_focus)
            case Found(conversation_id=conversation_id) as found:
                turn_id = self._place_to_show(found, found.turn_ids, takes_focus)
                self.open_requested.emit(conversation_id, turn_id or "", takes_focus)
            case FoundDocument(path=path) as document if takes_focus:
                self.document_requested.emit(path, self._place_to_show(document, document.pages, takes_focus) or 0)
            case _:
                pass

    def _place_to_show(self, row: _Row, places: Sequence[_Place], takes_focus: bool) -> _Place | None:
        """The first place with a match; whoever chooses the same row again is led to the next one."""
        is_again = takes_focus and self._chosen[0] == row
        number = (self._chosen[1] + 1) % max(len(places), 1) if is_again else 0
        self._chosen = (row if takes_focus else None, number)
        return places[number] if places else None

    def _remove(self, index: QModelIndex) -> None:
        row = self._rows.rows[index.row()]
        if isinstance(row, Summary):
            self.remove_requested.emit(row.id)

    def _show_menu(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        row = self._rows.rows[index.row()] if index.isValid() else ""
        if isinstance(row, Summary):
            menu = self.build_menu(row)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.list.viewport().mapToGlobal(position))


class _List(QListView):
    """The rows. Return and the space bar open, the arrows pass through, Delete deletes, F2 or a double click edits.

    **Signals:** `chosen`, `passed`, `removed` (index), `left` (the keyboard went elsewhere in the window).
    """

    chosen = Signal(QModelIndex)
    passed = Signal(QModelIndex)
    removed = Signal(QModelIndex)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("conversations")
        self.setAccessibleName("Conversations")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setEditTriggers(
            QListView.EditTrigger.DoubleClicked | QListView.EditTrigger.EditKeyPressed  # F2, or Return on a Mac
        )
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setUniformItemSizes(False)

    @property
    def is_editing(self) -> bool:
        """Whether somebody writes a title."""
        return self.state() is QListView.State.EditingState

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell, unless a menu, another window or a title's editor has the keyboard now."""
        super().focusOutEvent(event)
        passing = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
        if event.reason() not in passing and not self.is_editing:
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open or delete the row that has the focus."""
        index = self.currentIndex()
        if not index.isValid() or self.is_editing:  # a title's editor lets Return through
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(index)
        elif is_delete(event):
            self.removed.emit(index)
        else:
            super().keyPressEvent(event)
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self.currentIndex() != index:
                self.passed.emit(self.currentIndex())


class _Rows(QAbstractListModel):
    """The shelf as rows, or what a search found.

    **Signals:** `renamed` (id, title).
    """

    renamed = Signal(str, str)

    def __init__(self, shelf: Shelf, search: Search, running: Running) -> None:
        super().__init__()
        self._shelf = shelf
        self._search = search
        self._running = running
        self.rows: list[_Row] = []
        self._numbers: dict[str, int] = {}
        """Where each conversation is in `rows`."""

    def refresh(self) -> bool:
        """Take what there is now, and tell whether the rows are other ones. Those at both ends that stay are left
        alone, and rows that only say something else are not laid out anew: mostly one conversation has moved.
        """
        new, old = self._present_rows(), self.rows
        begin = _num_equal(zip(old, new, strict=False))
        end = _num_equal(zip(reversed(old[begin:]), reversed(new[begin:]), strict=False))
        if begin == len(old) == len(new):
            return False
        if not self._search.query and [*map(type, old)] == [*map(type, new)]:
            self.rows = new
            self.dataChanged.emit(self.index(begin), self.index(len(new) - end - 1))
        else:
            self._exchange(new, begin, end)
        self._numbers = {row.id: number for number, row in enumerate(new) if isinstance(row, Summary)}
        return True

    def _exchange(self, new: list[_Row], begin: int, end: int) -> None:
        """Put other rows between the first `begin` and the last `end`."""
        old = self.rows
        if begin + end < len(old):
            self.beginRemoveRows(QModelIndex(), begin, len(old) - end - 1)
            self.rows = old[:begin] + old[len(old) - end :]
            self.endRemoveRows()
        if begin + end < len(new):
            self.beginInsertRows(QModelIndex(), begin, len(new) - end - 1)
            self.rows = new
            self.endInsertRows()

    def index_of(self, conversation_id: str) -> QModelIndex:
        """The row of a conversation; invalid when it is not shown."""
        number = self._numbers.get(conversation_id)
        return QModelIndex() if number is None else self.index(number)

    def mark_of(self, row: _Row) -> Mark | None:
        """What goes on in a row's conversation, or went on while nobody looked."""
        return self._running.mark_of(row.id) if isinstance(row, Summary) else None

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """As many as there are."""
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """Headings only stand there."""
        row = self.rows[index.row()] if index.isValid() else ""
        if isinstance(row, str):
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if isinstance(row, Summary) else flags

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Titles, and what is spoken of a row."""
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return row if isinstance(row, str) else row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _spoken(row, self.mark_of(row))
        return None

    def setData(self, index: _Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take an edited title."""
        row = self.rows[index.row()]
        if role != Qt.ItemDataRole.EditRole or not isinstance(row, Summary):
            return False
        self.renamed.emit(row.id, str(value))
        return True

    def _present_rows(self) -> list[_Row]:
        if self._search.query:
            found, documents = self._search.hits, self._search.documents
            heading: list[_Row] = ["Documents"] if documents else []
            return [*found, *heading, *documents]
        rows: list[_Row] = []
        for group in self._shelf.groups:
            rows += [group.name, *group.rows]
        return rows


class _Delegate(QStyledItemDelegate):
    """Paints headings, titles and what a search found."""

    def __init__(self, look: Look, rows: _Rows, parent: QObject) -> None:
        super().__init__(parent)
        self._look = look
        self._rows = rows
        self.is_covered = False
        """Whether something else than the open conversation fills the window."""
        self._sizes: dict[type, QSize] = {}
        self.measure()

    def measure(self) -> None:
        """Text has another size: a line for a title, more for a hit."""
        scale = max(self._look.theme.scale, 1)
        heights = {str: HEADING_HEIGHT, Summary: ROW_HEIGHT, Found: HIT_HEIGHT, FoundDocument: HIT_HEIGHT}
        self._sizes = {kind: QSize(100, round(height * scale)) for kind, height in heights.items()}

    def sizeHint(self, _option: QStyleOptionViewItem, index: _Index) -> QSize:
        """As measured: Qt asks for every row of the list."""
        return self._sizes[type(self._rows.rows[index.row()])]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one row."""
        row = self._rows.rows[index.row()]
        area: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, str):
            self._paint_heading(painter, area, row)
        else:
            self._paint_ground(painter, area, state)
            inside = area.adjusted(MARGIN, 0, -MARGIN, 0)
            if isinstance(row, Found | FoundDocument):
                self._paint_found(painter, inside, row)
            else:
                self._paint_title(painter, inside, row)
        painter.restore()

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, _index: _Index) -> QWidget:
        """A line for the title."""
        editor = QLineEdit(parent)
        editor.setAccessibleName("Title")
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, _index: _Index) -> None:
        """Over the title."""
        area: QRect = option.rect
        editor.setGeometry(area.adjusted(0, 1, 0, -1))

    def _font(self, size: int, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        font = QFont()
        font.setPixelSize(self._look.theme.pixels(size))
        font.setWeight(weight)
        return font

    def _paint_heading(self, painter: QPainter, area: QRect, name: str) -> None:
        painter.setFont(self._font(11, QFont.Weight.DemiBold))
        painter.setPen(QColor(self._look.theme.colors.secondary))
        painter.drawText(area.adjusted(MARGIN, 0, 0, -5), Qt.AlignmentFlag.AlignBottom, name)

    def _paint_ground(self, painter: QPainter, area: QRect, state: QStyle.StateFlag) -> None:
        colors = self._look.theme.colors
        box = QRectF(area).adjusted(0.5, 1.5, -0.5, -1.5)
        has_keyboard = bool(state & QStyle.StateFlag.State_HasFocus)
        is_chosen = bool(state & QStyle.StateFlag.State_Selected) and (has_keyboard or not self.is_covered)
        if is_chosen or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colors.accent_soft if is_chosen else colors.hover))
            painter.drawRoundedRect(box, 7, 7)
        if is_chosen:
            painter.setBrush(QColor(colors.accent))
            painter.drawRoundedRect(QRectF(box.left(), box.top() + 6, 3, box.height() - 12), 1.5, 1.5)
        if is_chosen and has_keyboard:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colors.accent), 1))
            painter.drawRoundedRect(box, 7, 7)

    def _paint_title(self, painter: QPainter, area: QRect, row: Summary) -> None:
        colors = self._look.theme.colors
        mark = self._rows.mark_of(row)
        if mark is not None:
            color = {Mark.WRITING: colors.busy, Mark.ASKING: colors.danger, Mark.UNREAD: colors.accent}[mark]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(color))
            painter.drawEllipse(QRectF(area.right() - 7, area.center().y() - 3, 7, 7))
            area = area.adjusted(0, 0, -14, 0)
        elif row.has_draft:
            area = self._paint_right(painter, area, Qt.AlignmentFlag.AlignVCenter, "Draft")
        self._paint_line(painter, area, row.title or "Untitled", self._font(13))

    def _paint_found(self, painter: QPainter, area: QRect, found: Found | FoundDocument) -> None:
        half = area.height() // 2
        top = QRect(area.left(), area.top() + 5, area.width(), half - 4)
        time = when(found.created_at, datetime.now())
        left = self._paint_right(painter, top, Qt.AlignmentFlag.AlignVCenter, time)
        self._paint_line(painter, left, found.title or "Untitled", self._font(13, QFont.Weight.Medium))
        below = QRect(area.left(), top.bottom(), area.width(), half - 4)
        if found.more:
            line = below.adjusted(0, 1, 0, 0)  # the same base line as that of the larger letters beside it
            below.setRight(self._paint_right(painter, line, Qt.AlignmentFlag.AlignTop, found.more).right())
        self._paint_snippet(painter, below, found.snippet)

    def _paint_right(self, painter: QPainter, area: QRect, height: Qt.AlignmentFlag, text: str) -> QRect:
        """Small letters at the right; returns what they leave."""
        painter.setFont(self._font(11))
        painter.setPen(QColor(self._look.theme.colors.secondary))
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | height, text)
        return area.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(text) - 10, 0)

    def _paint_line(self, painter: QPainter, area: QRect, text: str, font: QFont) -> None:
        painter.setFont(font)
        painter.setPen(QColor(self._look.theme.colors.text))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_snippet(self, painter: QPainter, area: QRect, snippet: str) -> None:
        colors = self._look.theme.colors
        words = " ".join(snippet.split())
        begin, font = words.find(MATCH_BEGIN), self._font(12)
        lead = min(LEAD, area.width() // (3 * QFontMetrics(font).averageCharWidth()))
        if begin > lead:
            words = "…" + words[words.rfind(" ", 0, begin - lead // 2) + 1 :].lstrip()
        marked = escape(_elided(words, QFontMetrics(self._font(12, QFont.Weight.Bold)), area.width()))
        marked = marked.replace(MATCH_BEGIN, f'<b style="color:{colors.accent}">').replace(MATCH_END, "</b>")
        document = QTextDocument()
        document.setDefaultFont(font)
        document.setDocumentMargin(0)
        document.setHtml(f'<span style="color:{colors.secondary}; white-space:pre">{marked}</span>')
        painter.setClipRect(area)
        painter.translate(area.topLeft())
        document.drawContents(painter)


def _elided(snippet: str, metrics: QFontMetrics, width: int) -> str:
    """As much of a marked snippet as fits, with an ellipsis; its marks take no room."""
    plain = snippet.replace(MATCH_BEGIN, "").replace(MATCH_END, "")
    shown = metrics.elidedText(plain, Qt.TextElideMode.ElideRight, width)
    if shown == plain:
        return snippet
    end = num_letters = 0
    while num_letters < len(shown) - 1:
        num_letters += snippet[end] not in (MATCH_BEGIN, MATCH_END)
        end += 1
    kept = snippet[:end]
    return kept + MATCH_END * (kept.count(MATCH_BEGIN) - kept.count(MATCH_END)) + "…"


def _num_equal(pairs: Iterable[tuple[_Row, _Row]]) -> int:
    """How many pairs of rows are equal before the first that is not."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _spoken(row: _Row, mark: Mark | None) -> str:
    match row:
        case str():
            return row
        case Found() | FoundDocument():
            snippet = row.snippet.replace(MATCH_BEGIN, "").replace(MATCH_END, "")
            return ", ".join(filter(None, (f"{row.title}: {snippet}", row.more)))
        case Summary():
            marks = (row.is_pinned and "pinned", mark and mark.value, row.has_draft and "draft")
            return ", ".join([row.title or "Untitled", *(each for each in marks if each)])

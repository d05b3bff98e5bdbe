"""All documents: what waits, what is read and written, what was read, and how to go on with each."""

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from app.viewmodels.reading.collection import Collection, Entry
from app.viewmodels.reading.exporting import FORMAT_WORDS
from app.viewmodels.reading.queued import Progress
from app.widgets.reading.collection_list import CollectionList
from app.widgets.reading.fields_view import FieldsView
from app.widgets.shared.arrange import FLUSH, Placed, lay_column, lay_row
from app.widgets.shared.flow import Flow
from app.widgets.shared.form import CheckBox, PopUp
from app.widgets.shared.look import Button, IconButton, Label, Look, give_role, show_tip
from app.widgets.shared.search_field import SearchField
from app.widgets.shared.toast import Toast
from engine import one_line

__all__ = ["CollectionView"]

LEAST_ROWS = 4
"""Documents that are always seen: where they have less room, what becomes of others is chosen behind a button."""

_BESIDE, _CHOOSE = "Beside the document", "Into a folder…"
_NOTHING = "Only keep what is read here"


class CollectionView(QWidget):
    """The list, what is done with what is added, and buttons for the row that has the focus.

    **Signals:** `add_requested`, `folder_requested` (documents to add), `out_requested` (where files go),
    `files_requested` (Entry: show what was written).
    """

    add_requested = Signal()
    folder_requested = Signal()
    out_requested = Signal()
    files_requested = Signal(object)

    def __init__(self, look: Look, collection: Collection) -> None:
        super().__init__()
        self._collection = collection
        self.fields = FieldsView(look, collection)
        self.table_button = QPushButton("Table of Fields")
        self.table_button.setCheckable(True)
        self.table_button.toggled.connect(self._show_table)
        self.table_button.toggled.connect(collection.fields.show)
        self.sidebar_button = IconButton(look, "sidebar", "Show or hide the conversations", side=32)
        self.back_button = IconButton(look, "chevron-left", "Back to the conversation", side=32)
        self.state = Label(wraps=True, role="caption")
        self.trouble = Label(wraps=True, role="caption")
        self.add_button = Button("Add", name="Add documents")
        add = QMenu(self)
        add.addAction("Files…", self.add_requested.emit)
        add.addAction("A Folder…", self.folder_requested.emit)
        self.add_button.setMenu(add)
        self.pause_button = Button("Pause", collection.toggle_pause)
        self.search = SearchField("Search in all documents", "Search in all documents")
        self.options = QWidget()
        self.options_button = QPushButton("Options")
        self.options_button.setAccessibleName("Options of documents that you add")
        self.options_button.setCheckable(True)
        self.form = PopUp(look)
        self.form.addItems([_NOTHING, *(f"Write each as {words}" for words in FORMAT_WORDS.values())])
        self.form.setAccessibleName("Files to write of what is added")
        self.out = PopUp(look)
        self.out.setAccessibleName("Where these files go")
        self.forgets = CheckBox(look, "Forget what was read when I quit")
        show_tip(self.forgets, "The files that are written stay")
        self.list = CollectionList(look, collection)
        self.empty = Label(
            "Drop documents here, or add them: they are read one after the other, kept page by page, "
            "and found again by their words.",
            alignment=Qt.AlignmentFlag.AlignCenter,
            wraps=True,
            role="note",
        )
        self.reason = Label(wraps=True)
        self.buttons = {
            name: QPushButton(words)
            for name, words in (
                ("open", "Open"), ("retry", "Retry"), ("earlier", "Earlier"), ("later", "Later"),
                ("files", "Show Files"), ("delete", "Delete"),
            )
        }  # fmt: skip
        self._arrange()
        self.toast = Toast(self, self.list, above=(self.buttons["open"],))
        self.search.textChanged.connect(collection.look_for)
        self.search.left_downwards.connect(self._enter_list)
        self.search.returnPressed.connect(self._open_first)
        self.form.activated.connect(self._choose)
        self.out.activated.connect(self._choose_out)
        self.forgets.toggled.connect(self._choose)
        self.list.chosen.connect(collection.open)
        self.list.removed.connect(collection.remove)
        self.list.moved.connect(collection.move)
        self.list.current_changed.connect(self._show_row)
        self.options_button.toggled.connect(self._fit)
        self.list.customContextMenuRequested.connect(self._show_menu)
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _=False, name=name: self._do(name))
        collection.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what there is now."""
        collection = self._collection
        self.state.setText(collection.line)
        self.state.setVisible(bool(collection.line))
        self.trouble.setText(collection.queue.trouble)
        self.trouble.setVisible(bool(collection.queue.trouble))
        self.pause_button.setVisible(bool(collection.queue.waiting))
        self.pause_button.setText("Go On" if collection.queue.is_paused else "Pause")
        has_entries = bool(collection.entries)
        self.list.setVisible(has_entries)
        self.empty.setVisible(not has_entries)
        if collection.query and not has_entries:
            self.empty.setText("Nothing found.")
        self.form.setCurrentIndex(list(FORMAT_WORDS).index(collection.forms[0]) + 1 if collection.forms else 0)
        self.out.clear()
        name = one_line(collection.out.name or str(collection.out)) if collection.out is not None else ""
        folders = [f"Into “{name}”"] if name else []
        self.out.addItems([_BESIDE, *folders, _CHOOSE])
        self.out.setCurrentIndex(len(folders))
        self.out.setVisible(bool(collection.forms))
        self._show_row()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """There may be room for the options, or none any more."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The options stand below the list where that has room for some rows beside them."""
        width = self._stack.width()
        others = self._searching.heightForWidth(width) + self._foot.heightForWidth(width)
        rows = LEAST_ROWS * self.list.row_height
        is_tight = self._stack.height() < others + self.options.heightForWidth(width) + rows
        self.options_button.setVisible(is_tight)
        self.options.setVisible(not is_tight or self.options_button.isChecked())

    @property
    def home(self) -> QWidget:
        """Where the keyboard goes when this is shown: never to what is behind something else."""
        if self._stack.currentIndex():
            return self.fields.names
        return self.search if self.list.isHidden() else self.list

    def build_menu(self, entry: Entry) -> QMenu:
        """The context menu of a document."""
        menu = QMenu(self)
        for name, button in self.buttons.items():
            if self._can(name, entry):
                menu.addAction(button.text()).triggered.connect(button.click)
        return menu

    def _enter_list(self) -> None:
        if self._collection.entries:
            self.list.setFocus()
            if self._collection.query or self.list.entry is None:
                self.list.setCurrentIndex(self.list.model().index(0, 0))

    def _open_first(self) -> None:
        if self._collection.query and self._collection.entries:
            self._collection.open(self._collection.entries[0])

    def _can(self, name: str, entry: Entry | None) -> bool:
        if entry is None:
            return False
        queued = entry.queued
        match name:
            case "retry":
                is_failed = entry.progress is Progress.FAILED
                return entry.partial is not None or (queued is not None and (is_failed or bool(queued.failed_pages)))
            case "earlier" | "later":
                return queued is not None and entry.progress is Progress.WAITING
            case "files":
                return queued is not None and bool(queued.written)
            case _:
                return True

    def _do(self, name: str) -> None:
        entry, collection = self.list.entry, self._collection
        if entry is None:
            return
        match name:
            case "open":
                collection.open(entry)
            case "retry":
                collection.retry(entry)
            case "earlier" | "later":
                collection.move(entry, -1 if name == "earlier" else 1)
            case "files":
                self.files_requested.emit(entry)
            case "delete":
                collection.remove(entry)

    def _show_row(self) -> None:
        """What can be done with the document that has the focus, and how it is, if its row cannot say it whole."""
        entry, line = self.list.entry, self.list.cut_line
        self.reason.setText(line)
        self.reason.setVisible(bool(line))
        give_role(self.reason, "danger" if entry is not None and entry.progress is Progress.FAILED else "note")
        for name, button in self.buttons.items():
            can = self._can(name, entry)
            button.setEnabled(can)
            button.setVisible(can or name in ("open", "delete"))
        partial = entry.partial if entry is not None else None
        words = ("Read the Rest" if partial.pages else "Read") if partial is not None else "Retry"
        self.buttons["retry"].setText(words)

    def _show_menu(self, position: QPoint) -> None:
        entry = self.list.entry
        if entry is not None:
            menu = self.build_menu(entry)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.list.viewport().mapToGlobal(position))

    def _show_table(self, is_shown: bool) -> None:
        self._stack.setCurrentIndex(int(is_shown))
        self.table_button.setText("List of Documents" if is_shown else "Table of Fields")
        self.home.setFocus()

    def _choose(self) -> None:
        index = self.form.currentIndex()
        self._collection.forms = () if index == 0 else (list(FORMAT_WORDS)[index - 1],)
        self._collection.forgets = self.forgets.isChecked()
        self.refresh()

    def _choose_out(self, index: int) -> None:
        if index == self.out.count() - 1:
            self.out_requested.emit()
        elif index == 0:
            self._collection.out = None
        self.refresh()

    def _arrange(self) -> None:
        caption = Label("Of documents that you add:")
        caption.setContentsMargins(16, 0, 16, 4)
        caption.setBuddy(self.form)
        give_role(caption, "caption")
        choices = Flow()
        choices.setContentsMargins(16, 0, 16, 4)
        for widget in (self.form, self.out):
            widget.setMinimumWidth(60)
            widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            choices.addWidget(widget)
        self.reason.setContentsMargins(16, 4, 16, 0)
        self._foot, self._searching = Flow(6), Flow(6)
        self._foot.setContentsMargins(16, 6, 16, 6)
        for button in (*self.buttons.values(), self.options_button):
            self._foot.addWidget(button)
        self._searching.setContentsMargins(16, 0, 16, 8)
        self._searching.addWidget(self.search)
        self._searching.addWidget(self.add_button)
        for button in (
            *self.buttons.values(),
            self.pause_button,
            self.table_button,
            self.add_button,
            self.options_button,
        ):
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        last = lay_row([self.forgets], margins=(16, 0, 16, 8))
        lay_column([caption, choices, last], self.options, margins=FLUSH, spacing=0)
        listing = QWidget()
        lay_column(
            [
                self._searching,
                Placed(self.list, 1),
                Placed(self.empty, 1),
                self.reason,
                self._foot,
                self.options,
            ],
            listing,
            margins=FLUSH,
            spacing=0,
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(listing)
        self._stack.addWidget(self.fields)
        self.trouble.setContentsMargins(16, 0, 16, 8)
        lay_column([self._head(), self.trouble, Placed(self._stack, 1)], self, margins=FLUSH, spacing=0)

    def _head(self) -> QHBoxLayout:
        holder = QWidget()
        holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        lay_column([Label("Documents", role="section"), self.state], holder, margins=FLUSH, spacing=1)
        rest = Flow(6)
        for widget in (holder, self.pause_button, self.table_button):
            rest.addWidget(widget)
        return lay_row([self.sidebar_button, self.back_button, Placed(rest, 1)], margins=(12, 8, 12, 6), spacing=6)

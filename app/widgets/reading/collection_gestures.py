"""What the buttons of the list of documents do."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject

from app.viewmodels.reading.collection import Entry
from app.viewmodels.reading.exporting import FORMAT_WORDS
from app.widgets.main_window import MainWindow, ViewModels
from app.widgets.reading.collection_view import CollectionView
from app.widgets.shared.dialogs import ask_for_files, ask_for_folder, ask_where_to_write, show_folder
from app.widgets.shared.toast import Toast
from engine import DocumentFormat, one_line

__all__ = ["CollectionGestures"]

_DEED = "Delete Document"


class CollectionGestures(QObject):
    """Lives as long as its window."""

    def __init__(self, window: MainWindow, models: ViewModels) -> None:
        super().__init__(window)
        self._window = window
        self._models = models
        collection = models.collection
        window.documents_room.furnish(self._follow)
        collection.deleted.connect(lambda way_back: self._toast().say("Document deleted", way_back, _DEED))
        collection.missed.connect(
            lambda way_back: self._toast().say("What was read of it was deleted", way_back, _DEED)
        )
        collection.changed.connect(models.search.refresh)
        collection.recent_changed.connect(self._list_recent)
        models.visits.opened_changed.connect(collection.refresh)
        self._list_recent()
        collection.refresh()
        for said in (collection.queue.finished, models.arrivals.said):
            said.connect(self._tell)

    def _follow(self, view: CollectionView) -> None:
        models = self._models
        view.back_button.clicked.connect(lambda: models.reader.show(False))
        view.add_requested.connect(self._add_files)
        view.folder_requested.connect(self._add_folder)
        view.out_requested.connect(self._choose_out)
        view.files_requested.connect(self._show_files)
        view.fields.add_requested.connect(lambda: ask_for_files(self._window, models.fields.add))
        view.fields.export_requested.connect(self._export_table)
        view.fields.page_chosen.connect(models.reader.open_page)
        models.fields.said.connect(view.toast.say)

    def _list_recent(self) -> None:
        """Offer the documents that were opened last in the menu; those that are not there any more say so."""
        menu = self._window.commands.menus["Open Recent"]
        recent = self._models.collection.recent
        menu.clear()
        for path, is_there in recent.items():
            name = one_line(path.name, 60).replace("&", "&&")
            action = menu.addAction(name if is_there else f"{name} (Moved or Deleted)")
            action.triggered.connect(partial(self._open_recent, path))
            action.setEnabled(is_there)
        if recent:
            menu.addSeparator()
        menu.addAction("Clear Menu", self._models.visits.clear).setEnabled(bool(recent))

    def _open_recent(self, path: Path, _is_checked: bool = False) -> None:
        self._models.reader.open([path])

    def _add_files(self) -> None:
        ask_for_files(self._window, self._add)

    def _add_folder(self) -> None:
        ask_for_folder(self._window, "Choose a Folder of Documents", lambda folder: self._add([folder]))

    def _add(self, paths: list[Path]) -> None:
        self._models.collection.add(paths)

    def _export_table(self, form: DocumentFormat) -> None:
        fields = self._models.fields
        suggested = fields.rows[0].path.with_name(f"Fields.{form}")
        ask_where_to_write(self._window, suggested, FORMAT_WORDS[form], lambda target: fields.export(form, target))

    def _choose_out(self) -> None:
        ask_for_folder(self._window, "Choose a Folder for the Files", self._take_out)

    def _take_out(self, folder: Path) -> None:
        self._models.collection.out = folder
        self._window.documents.refresh()

    def _show_files(self, entry: Entry) -> None:
        if entry.queued is not None and entry.queued.written:
            show_folder(entry.queued.written[0].parent)

    def _tell(self, sentence: str) -> None:
        self._toast().say(sentence)

    def _toast(self) -> Toast:
        """Where it is seen."""
        window = self._window
        seen = (room.view for room in (window.documents_room, window.reading_room) if room.is_built)
        return next((view for view in seen if view.isVisible()), window).toast

"""The sheet before an export: which form, and whether thoughts belong to it."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QWidget

from app.exports import ExportFormat
from app.viewmodels.conversation.exporting import FORMAT_NAMES, Exporter
from app.widgets.shared.arrange import lay_column
from app.widgets.shared.dialogs import ask_where_to_write
from app.widgets.shared.form import CheckBox, Form, PopUp
from app.widgets.shared.look import Look

__all__ = ["ExportSheet"]


class ExportSheet(QDialog):
    """Asks for a form and then, in the system's own dialog, for a place."""

    def __init__(self, parent: QWidget, look: Look, exporter: Exporter) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Export")
        self._parent = parent
        self._exporter = exporter
        self.kind = PopUp(look)
        self.kind.addItems(list(FORMAT_NAMES.values()))
        self.thoughts = CheckBox(look, "Include thoughts")
        form = Form(look)
        form.add("Export as", self.kind)
        form.add("", self.thoughts)
        buttons = QDialogButtonBox()
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        self.export_button = buttons.addButton("Export…", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.rejected.connect(self.reject)
        buttons.accepted.connect(self._ask_for_place)
        lay_column([form, buttons], self, margins=(0, 0, 20, 20))
        self.export_button.setDefault(True)

    def _ask_for_place(self) -> None:
        kind, with_thoughts = list(ExportFormat)[self.kind.currentIndex()], self.thoughts.isChecked()
        exporter = self._exporter
        conversation = exporter.read()  # another one may be open when the place is chosen
        export = partial(exporter.export, kind=kind, with_thoughts=with_thoughts, conversation=conversation)
        self.accept()
        ask_where_to_write(self._parent, Path(exporter.file_name(kind)), kind.name.capitalize(), export)

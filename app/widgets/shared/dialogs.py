"""The few dialogs, all of them sheets of the window that block nothing else.

Qt shows the system's own file dialog and alert only for its own classes, not for subclasses: these are functions.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QProcess, QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFrame,
    QMessageBox,
    QPlainTextEdit,
    QWidget,
)

from app.text.links import LinkQuestion
from app.viewmodels.draft.quotes import TEXT_SUFFIXES
from app.viewmodels.reading.arrivals import PDF_SUFFIX
from app.widgets.shared.arrange import lay_column
from app.widgets.shared.look import Label, Look
from engine import PICTURE_SUFFIXES, SOUND_SUFFIXES, VIDEO_SUFFIXES

__all__ = [
    "AboutBox", "TextPreview", "ask_before_deleting", "ask_before_link", "ask_for_files", "ask_for_folder",
    "ask_for_model", "ask_where_to_write", "open_microphone_settings", "open_picture", "quick_look", "show_file",
    "show_folder",
]  # fmt: skip


def ask_for_files(parent: QWidget, take: Callable[[list[Path]], None]) -> None:
    """Ask for files to read or to attach."""
    sheet = QFileDialog(parent, "Open Files")
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    sheet.setFileMode(QFileDialog.FileMode.ExistingFiles)
    sheet.setOption(QFileDialog.Option.HideNameFilterDetails)
    kinds = {
        "Documents": (PDF_SUFFIX,), "Pictures": PICTURE_SUFFIXES, "Sounds": SOUND_SUFFIXES,
        "Videos": VIDEO_SUFFIXES, "Texts": TEXT_SUFFIXES,
    }  # fmt: skip
    everything = [suffix for suffixes in kinds.values() for suffix in suffixes]
    filters = {"Documents, pictures, sounds, videos and texts": everything, **kinds}
    sheet.setNameFilters([*(f"{name} ({_patterns(suffixes)})" for name, suffixes in filters.items()), "All files (*)"])
    sheet.filesSelected.connect(lambda names: take([Path(name) for name in names]))
    sheet.open()


def _patterns(suffixes: Iterable[str]) -> str:
    return " ".join(f"*{suffix} *{suffix.upper()}" for suffix in suffixes)


def ask_for_model(parent: QWidget, load: Callable[[Path], None]) -> None:
    """Ask for a model folder."""
    ask_for_folder(parent, "Choose a Model Folder", load, "Load")


def ask_for_folder(parent: QWidget, title: str, take: Callable[[Path], None], accept: str = "Choose") -> None:
    """Ask for a folder; `accept` is the word on the button."""
    sheet = QFileDialog(parent, title)
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    sheet.setFileMode(QFileDialog.FileMode.Directory)
    sheet.setOption(QFileDialog.Option.ShowDirsOnly)
    sheet.setLabelText(QFileDialog.DialogLabel.Accept, accept)
    sheet.fileSelected.connect(lambda name: take(Path(name)))
    sheet.open()


def ask_where_to_write(parent: QWidget, suggested: Path, kind: str, write: Callable[[Path], None]) -> None:
    """Ask for the place and the name of a file, in the form of the suggested one; of a name alone the system knows a
    place.
    """
    sheet = QFileDialog(parent, "Export")
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    sheet.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    sheet.setFileMode(QFileDialog.FileMode.AnyFile)
    sheet.setDefaultSuffix(suggested.suffix.removeprefix("."))
    sheet.setNameFilter(f"{kind} (*{suggested.suffix})")
    if suggested.is_absolute():
        sheet.setDirectory(str(suggested.parent))
    sheet.selectFile(suggested.name)
    sheet.fileSelected.connect(lambda name: write(Path(name)))
    sheet.open()


def ask_before_link(parent: QWidget, question: LinkQuestion, may_open: Callable[[], bool]) -> None:
    """Show where a link leads before it is opened; `may_open` has the last word, after the answer."""
    sheet = QMessageBox(parent)
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    sheet.setTextFormat(Qt.TextFormat.PlainText)
    sheet.setText(question.title)
    sheet.setInformativeText(question.detail)
    opening = sheet.addButton("Open", QMessageBox.ButtonRole.AcceptRole)
    sheet.setDefaultButton(sheet.addButton(QMessageBox.StandardButton.Cancel))
    opening.clicked.connect(lambda: may_open() and QDesktopServices.openUrl(question.url))
    sheet.open()


def ask_before_deleting(parent: QWidget, question: str, detail: str, action: str, delete: Callable[[], None]) -> None:
    """Ask once before something goes that cannot come back."""
    sheet = QMessageBox(parent)
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    sheet.setIcon(QMessageBox.Icon.Warning)
    sheet.setTextFormat(Qt.TextFormat.PlainText)
    sheet.setText(question)
    sheet.setInformativeText(detail)
    sheet.addButton(action, QMessageBox.ButtonRole.DestructiveRole).clicked.connect(delete)
    sheet.setDefaultButton(sheet.addButton(QMessageBox.StandardButton.Cancel))
    sheet.open()


class AboutBox(QDialog):
    """What this is, which version, and what it promises."""

    def __init__(self, parent: QWidget, look: Look, version: str, licences: Path | None, advice: str = "") -> None:
        """licences: a file with those of all that comes along, shown in the system's viewer; advice: for this Mac."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("About Cabochon")
        icon = Label(alignment=Qt.AlignmentFlag.AlignCenter)
        icon.setPixmap(look.icons.pixmap("app", None, QSize(112, 112)))
        name = Label("Cabochon", alignment=Qt.AlignmentFlag.AlignCenter, name="aboutName")
        self.text = Label(
            f"Version {version or 'unknown: the engine has not started yet'}\n\n"
            "Chat and read pictures with Gemma 4 models,\nentirely on this Mac. Nothing you write, drop or ask\n"
            "leaves it.\n\nGemma is a trademark of Google LLC.",
            alignment=Qt.AlignmentFlag.AlignCenter,
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        if licences is not None:
            opening = buttons.addButton("Licences", QDialogButtonBox.ButtonRole.HelpRole)
            opening.clicked.connect(lambda: open_picture(str(licences)))
        self.advice = Label(advice, alignment=Qt.AlignmentFlag.AlignCenter, wraps=True)
        self.advice.setVisible(bool(advice))
        lay_column([icon, name, self.text, self.advice, buttons], self, margins=(36, 20, 36, 20), spacing=10)


def open_picture(path: str) -> None:
    """Show a picture or a text in the system's viewer."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(path))


class TextPreview(QDialog):
    """A text as it will be sent; Space and Escape close it."""

    def __init__(self, parent: QWidget, name: str, text: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(name)
        self.resize(min(640, parent.width() - 40), min(520, parent.height() - 40))
        title = Label(name, role="name")
        self.text = QPlainTextEdit(text)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setReadOnly(True)
        self.text.setAccessibleName(name)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        QShortcut(QKeySequence(Qt.Key.Key_Space), self, self.reject)
        lay_column([title, self.text, buttons], self)


def quick_look(path: str) -> None:
    """Show a file in Quick Look; on other systems, in what they open it with."""
    if sys.platform != "darwin" or not QProcess.startDetached("/usr/bin/qlmanage", ["-p", path])[0]:
        open_picture(path)


def open_microphone_settings() -> None:
    """Show the page of the Mac's settings where the microphone is allowed."""
    QDesktopServices.openUrl(QUrl("x-apple.systempreferences:com.apple.preference.security?Privacy_Microphone"))


def show_folder(folder: Path) -> None:
    """Show a folder in the system's file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def show_file(path: Path) -> None:
    """Show a file in the Finder; on other systems, the folder it is in."""
    if sys.platform != "darwin" or not QProcess.startDetached("/usr/bin/open", ["-R", str(path)])[0]:
        show_folder(path.parent)

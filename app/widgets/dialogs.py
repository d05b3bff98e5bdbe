"""The few dialogs, all of them sheets of the window that block nothing else."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from app.viewmodels.links import LinkQuestion
from app.widgets.look import Look
from engine import PICTURE_SUFFIXES

__all__ = ["AboutBox", "LinkSheet", "ModelSheet", "PictureSheet", "open_picture"]


class PictureSheet(QFileDialog):
    """Asks for pictures to attach."""

    def __init__(self, parent: QWidget, attach: Callable[[list[Path]], None]) -> None:
        super().__init__(parent, "Attach Pictures")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFileMode(QFileDialog.FileMode.ExistingFiles)
        patterns = " ".join(f"*{suffix} *{suffix.upper()}" for suffix in PICTURE_SUFFIXES)
        self.setNameFilters([f"Pictures ({patterns})", "All files (*)"])
        self.filesSelected.connect(lambda names: attach([Path(name) for name in names]))


class ModelSheet(QFileDialog):
    """Asks for a model folder."""

    def __init__(self, parent: QWidget, load: Callable[[Path], None]) -> None:
        super().__init__(parent, "Choose a Model Folder")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFileMode(QFileDialog.FileMode.Directory)
        self.setOption(QFileDialog.Option.ShowDirsOnly)
        self.setLabelText(QFileDialog.DialogLabel.Accept, "Load")
        self.fileSelected.connect(lambda name: load(Path(name)))


class LinkSheet(QMessageBox):
    """Shows where a link leads before it is opened."""

    def __init__(self, parent: QWidget, question: LinkQuestion) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(question.title)
        self.setInformativeText(question.detail)
        self.open_button = self.addButton("Open", QMessageBox.ButtonRole.AcceptRole)
        self.setDefaultButton(self.addButton(QMessageBox.StandardButton.Cancel))
        self.open_button.clicked.connect(lambda: QDesktopServices.openUrl(question.url))


class AboutBox(QDialog):
    """What this is, which version, and what it promises."""

    def __init__(self, parent: QWidget, look: Look, version: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("About Cabochon")
        icon = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        icon.setPixmap(look.icons.pixmap("app", None, QSize(112, 112)))
        name = QLabel("Cabochon", alignment=Qt.AlignmentFlag.AlignCenter)
        name.setObjectName("aboutName")
        self.text = QLabel(
            f"Version {version or 'unknown: the engine has not started yet'}\n\n"
            "Chat and read pictures with Gemma 4 models,\nentirely on this Mac. Nothing you write, drop or ask\n"
            "leaves it.\n\nGemma is a trademark of Google LLC.",
            alignment=Qt.AlignmentFlag.AlignCenter,
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(36, 20, 36, 20)
        layout.setSpacing(10)
        for widget in (icon, name, self.text, buttons):
            layout.addWidget(widget)


def open_picture(path: str) -> None:
    """Show a picture in the system's viewer."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(path))

"""The sheet before a document goes into a message: as what, which pages, and what that costs."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QButtonGroup, QDialog, QDialogButtonBox, QLineEdit, QRadioButton, QWidget

from app.viewmodels.reading.document import Phase
from app.viewmodels.reading.questions import Question
from app.widgets.shared.arrange import lay_column
from app.widgets.shared.look import Label, give_role
from engine import one_line

__all__ = ["AskSheet"]


class AskSheet(QDialog):
    """Closes when the document is attached, and lets go of it when it is closed."""

    def __init__(self, parent: QWidget, question: Question) -> None:
        super().__init__(parent)
        self._question = question
        self.setWindowTitle("Ask About a Document")
        self.setMinimumWidth(min(420, parent.width() - 40))
        title = Label(f"Ask about “{one_line(question.title, 60)}”", wraps=True, role="name")
        self.as_pictures = QRadioButton("Its pages, as pictures")
        self.as_text = QRadioButton()
        kinds = QButtonGroup(self)
        for button in (self.as_pictures, self.as_text):
            kinds.addButton(button)
        caption = Label("Pages:")
        self.range = QLineEdit()
        give_role(self.range, "field")
        self.range.setPlaceholderText("All, or for example 1-3, 7, 10-")
        self.range.setAccessibleName("Pages")
        caption.setBuddy(self.range)
        self.cost = Label(wraps=True, role="caption")
        self.problem = Label(wraps=True, role="caution")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.attach_button = buttons.addButton("Attach", QDialogButtonBox.ButtonRole.AcceptRole)
        self.attach_button.setDefault(True)
        buttons.rejected.connect(self.reject)
        buttons.accepted.connect(question.attach)
        lay_column(
            [title, self.as_text, self.as_pictures, caption, self.range, self.cost, self.problem, buttons],
            self,
            margins=(24, 20, 24, 18),
            spacing=10,
        )
        self.as_text.toggled.connect(question.choose_text)
        self.range.textEdited.connect(question.choose_pages)
        question.changed.connect(self.refresh)
        question.finished.connect(self.accept)
        self.finished.connect(question.close)
        self.refresh()

    def refresh(self) -> None:
        """Say what it costs."""
        question = self._question
        self.as_text.setText(question.text_words)
        self.as_text.setVisible(question.has_text)
        with QSignalBlocker(self.as_text):
            (self.as_text if question.wants_text else self.as_pictures).setChecked(True)
        is_known = question.document.phase in (Phase.KNOWN, Phase.LOOKING) and bool(question.numbers)
        self.cost.setText(question.progress or (question.cost if is_known else ""))
        self.problem.setText(question.problem)
        self.problem.setVisible(bool(question.problem))
        self.attach_button.setEnabled(question.can_attach)

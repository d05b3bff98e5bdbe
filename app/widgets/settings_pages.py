"""The pages of the settings window. Each shows the preferences as they are, and changes them at once."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.settings import TEXT_SIZES, Appearance, Retention, SamplingChoice
from app.viewmodels.preferences import RETENTION_NAMES, SAMPLING_NAMES, Preferences, count_tokens
from app.widgets.dialogs import ask_before_deleting, show_folder
from app.widgets.form import CheckBox, Form, NumberChoice, PopUp, make_plain, side_by_side
from app.widgets.look import Look, give_role
from engine import Sampling

__all__ = ["AnswersPage", "GeneralPage", "ModelPage", "PrivacyPage", "PromptsPage", "SettingsPage"]

_APPEARANCES = {Appearance.SYSTEM: "Like the system", Appearance.LIGHT: "Light", Appearance.DARK: "Dark"}
_LARGEST_SEED = 2**31 - 1
_RANDOM = -1


class SettingsPage(Form):
    """A page that follows the preferences."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look)
        self.preferences = preferences
        self.settings = preferences.settings

    def refresh(self) -> None:
        """Show the preferences as they are now. Whoever writes several of them reads all controls first."""
        raise NotImplementedError


class GeneralPage(SettingsPage):
    """How the window looks and what its keys do."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
        self._theme = look.theme
        self.appearance = PopUp(look)
        self.appearance.addItems(list(_APPEARANCES.values()))
        self.text_size = QSlider(Qt.Orientation.Horizontal)
        self.text_size.setRange(0, len(TEXT_SIZES) - 1)
        self.text_size.setPageStep(1)
        self.text_size.setFixedWidth(200)
        self.percent = QLabel()
        self.return_sends = QRadioButton("Sends the message")
        self.return_breaks = QRadioButton("Makes a new line")
        self.shows_thoughts = CheckBox(look, "Show thoughts while they run")
        self.shows_statistics = CheckBox(look, "Show speed and number of tokens under answers")
        keys = QWidget()
        column = QVBoxLayout(keys)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        group = QButtonGroup(self)
        for button in (self.return_sends, self.return_breaks):
            group.addButton(button)
            column.addWidget(button)
        self.add("Appearance", self.appearance)
        self.add("Text size", side_by_side(self.text_size, self.percent), named=self.text_size)
        self.add_gap()
        self.add("Return", keys, named=self.return_sends)
        self._keys_note = self.add_note()
        self.add_gap()
        self.add("Answers", self.shows_thoughts)
        self.add("", self.shows_statistics)
        self.appearance.activated.connect(lambda index: self._theme.set_appearance(list(_APPEARANCES)[index]))
        self.text_size.valueChanged.connect(lambda step: self._theme.set_text_size(TEXT_SIZES[step]))
        for switch in (self.return_sends, self.shows_thoughts, self.shows_statistics):
            switch.toggled.connect(self._write)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        settings = self.settings
        self.appearance.setCurrentIndex(list(_APPEARANCES).index(settings.appearance))
        with QSignalBlocker(self.text_size), QSignalBlocker(self.return_sends):
            self.text_size.setValue(TEXT_SIZES.index(settings.text_size))
            (self.return_sends if settings.return_sends else self.return_breaks).setChecked(True)
        self.percent.setText(f"{settings.text_size} %")
        self._keys_note.setText(
            "With Shift or Option it makes a new line." if settings.return_sends else "With Command it sends."
        )
        with QSignalBlocker(self.shows_thoughts), QSignalBlocker(self.shows_statistics):
            self.shows_thoughts.setChecked(settings.shows_thoughts)
            self.shows_statistics.setChecked(settings.shows_statistics)

    def _write(self) -> None:
        return_sends, thoughts, statistics = (
            switch.isChecked() for switch in (self.return_sends, self.shows_thoughts, self.shows_statistics)
        )
        self.settings.return_sends = return_sends
        self.settings.shows_thoughts = thoughts
        self.settings.shows_statistics = statistics


class ModelPage(SettingsPage):
    """Which model there is at the start, and what it may cost.

    **Signals:** `choose_requested`, `sample_requested`.
    """

    choose_requested = Signal()
    sample_requested = Signal()

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
        self.name = QLabel(textFormat=Qt.TextFormat.PlainText)
        give_role(self.name, "name")
        self.choose_button = QPushButton("Choose…")
        self.choose_button.setAccessibleName("Choose a model folder")
        self.sample_button = QPushButton("Use the Sample")
        self.context = NumberChoice(
            look,
            "Longest conversation",
            {
                0: "As the model allows",
                **{number: count_tokens(number) for number in (4096, 8192, 16384, 32768, 65536)},
            },
            bounds=(512, 1_000_000),
            unit="tokens",
        )
        self.rest = NumberChoice(
            look,
            "Free the memory",
            {0: "Never", **{number: f"After {number} idle minutes" for number in (5, 15, 30, 60)}},
            bounds=(1, 24 * 60),
            unit="minutes",
        )
        self.add("Model", self.name)
        self.place = self.add_note()
        self.add("", side_by_side(self.choose_button, self.sample_button))
        self.add_note("It is loaded now, and each time Cabochon starts.")
        self.add_gap()
        self.add("Longest conversation", self.context)
        self.add_note("A shorter limit saves memory.")
        self.add("Free the memory", self.rest)
        self.add_note("The model is loaded again with your next message.")
        self.choose_button.clicked.connect(self.choose_requested)
        self.sample_button.clicked.connect(self.sample_requested)
        self.context.chosen.connect(self._write)
        self.rest.chosen.connect(self._write)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        self.name.setText(self.preferences.start_model_name)
        self.place.setText(self.preferences.start_model_place)
        self.sample_button.setEnabled(self.settings.start_model is not None)
        self.context.show_number(self.settings.context_limit)
        self.rest.show_number(self.settings.rest_after_minutes)

    def _write(self) -> None:
        context_limit, minutes = self.context.number, self.rest.number
        self.settings.context_limit = context_limit
        self.settings.rest_after_minutes = minutes


class PromptsPage(SettingsPage):
    """What the model is told before a conversation: prompts with names, one of them in use."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
        self.chosen = PopUp(look)
        self.chosen.setMinimumWidth(210)
        self.add_button = QPushButton("Add")
        self.add_button.setAccessibleName("Add a prompt")
        self.delete_button = QPushButton("Delete…")
        self.delete_button.setAccessibleName("Delete this prompt")
        self.name = QLineEdit()
        self.name.setFixedWidth(300)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setFixedSize(380, 190)
        self.add("Prompt", side_by_side(self.chosen, self.add_button, self.delete_button), named=self.chosen)
        self._note = self.add_note()
        self.add_gap()
        self.add("Name", self.name)
        self._refusal = self.add_note()
        self.add("Text", self.text)
        self.add_note("The model reads it before every conversation, and follows it as well as it can.")
        self.chosen.activated.connect(
            lambda index: preferences.choose_prompt(self.chosen.itemText(index) if index else "")
        )
        self.add_button.clicked.connect(self._add)
        self.delete_button.clicked.connect(self._ask_to_delete)
        self.name.editingFinished.connect(self._rename)
        self.text.textChanged.connect(lambda: preferences.write_prompt(self.text.toPlainText()))

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        preferences, chosen = self.preferences, self.settings.preset_name
        names = ["None", *preferences.prompt_names]
        with QSignalBlocker(self.chosen), QSignalBlocker(self.text):
            if [self.chosen.itemText(index) for index in range(self.chosen.count())] != names:
                self.chosen.clear()
                self.chosen.addItems(names)
            self.chosen.setCurrentIndex(names.index(chosen, 1) if chosen else 0)
            if self.text.toPlainText() != preferences.prompt_text:
                self.text.setPlainText(preferences.prompt_text)
        if not self.name.hasFocus():
            self.name.setText(chosen)
        for part in (self.name, self.text, self.delete_button):
            part.setEnabled(bool(chosen))
        self._note.setText("New answers follow it." if chosen else "The model is told nothing but your messages.")
        self._refusal.setVisible(bool(self._refusal.text()))

    def _add(self) -> None:
        self.preferences.add_prompt()
        self.name.setText(self.settings.preset_name)
        self.name.setFocus()
        self.name.selectAll()

    def _rename(self) -> None:
        self._refusal.setText(self.preferences.rename_prompt(self.name.text()))
        self.name.setText(self.settings.preset_name)
        self.refresh()

    def _ask_to_delete(self) -> None:
        if not self.preferences.prompt_text.strip():
            self.preferences.delete_prompt()
            return
        question = f"Delete the prompt “{self.settings.preset_name}”?"
        ask_before_deleting(self, question, "It cannot be brought back.", "Delete", self.preferences.delete_prompt)


class AnswersPage(SettingsPage):
    """How answers are thought over, how long they get, and how their words are chosen."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
        self.thinks = CheckBox(look, "Think before answering in new conversations")
        self.budget = NumberChoice(
            look,
            "Longest thought",
            {0: "No limit", **{number: count_tokens(number) for number in (512, 1024, 2048, 4096, 8192)}},
            bounds=(1, 1_000_000),
            unit="tokens",
        )
        self.longest = NumberChoice(
            look,
            "Longest answer",
            {number: count_tokens(number) for number in (512, 1024, 2048, 4096, 8192, 16384)},
            bounds=(1, 1_000_000),
            unit="tokens",
        )
        self.sampling = PopUp(look)
        self.sampling.addItems(list(SAMPLING_NAMES.values()))
        self.temperature = _decimal(0, 2, 0.05)
        self.top_p = _decimal(0.01, 1, 0.01)
        self.top_k = QSpinBox(minimum=0, maximum=1000)
        self.top_k.setSpecialValueText("Off")
        self.min_p = _decimal(0, 1, 0.01)
        self.repetition_penalty = _decimal(0.5, 2, 0.05)
        self.seed = QSpinBox(minimum=_RANDOM, maximum=_LARGEST_SEED)
        self.seed.setSpecialValueText("Another each time")
        self._own: dict[str, QSpinBox | QDoubleSpinBox] = {
            "Temperature": self.temperature,
            "Top-p": self.top_p,
            "Top-k": self.top_k,
            "Min-p": self.min_p,
            "Repetition penalty": self.repetition_penalty,
            "Seed": self.seed,
        }
        self.add("Thinking", self.thinks)
        self.add("Longest thought", self.budget)
        self.add_note("A thought that gets longer is closed, and the answer begins.")
        self.add_gap()
        self.add("Longest answer", self.longest)
        self.add_gap()
        self.add("Choice of words", self.sampling)
        self._note = self.add_note()
        for name, field in self._own.items():
            make_plain(field)
            field.setMinimumWidth(150)
            self.add(name, field)
            field.valueChanged.connect(self._write_own)
        for choice in (self.thinks.toggled, self.budget.chosen, self.longest.chosen, self.sampling.activated):
            choice.connect(self._write)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        settings = self.settings
        with QSignalBlocker(self.thinks):
            self.thinks.setChecked(settings.thinks_by_default)
        self.budget.show_number(settings.thinking_budget)
        self.longest.show_number(settings.max_new_tokens)
        self.sampling.setCurrentIndex(list(SAMPLING_NAMES).index(settings.sampling_choice))
        self._note.setText(self.preferences.sampling_note)
        for field in self._own.values():
            self.show_row(field, settings.sampling_choice is SamplingChoice.OWN)
        self._show_own(self.preferences.own_sampling)

    def _show_own(self, own: Sampling) -> None:
        for field in self._own.values():
            field.blockSignals(True)
        self.temperature.setValue(own.temperature or 0)
        self.top_p.setValue(own.top_p or 0)
        self.top_k.setValue(own.top_k or 0)
        self.min_p.setValue(own.min_p or 0)
        self.repetition_penalty.setValue(own.repetition_penalty or 0)
        self.seed.setValue(_RANDOM if own.seed is None else min(own.seed, _LARGEST_SEED))
        for field in self._own.values():
            field.blockSignals(False)

    def _write(self) -> None:
        thinks, budget, longest = self.thinks.isChecked(), self.budget.number, self.longest.number
        sampling = list(SAMPLING_NAMES)[self.sampling.currentIndex()]
        self.settings.thinks_by_default = thinks
        self.settings.thinking_budget = budget
        self.settings.max_new_tokens = longest
        self.settings.sampling_choice = sampling

    def _write_own(self) -> None:
        self.settings.own_sampling = Sampling(
            temperature=round(self.temperature.value(), 2),
            top_p=round(self.top_p.value(), 2),
            top_k=self.top_k.value(),
            min_p=round(self.min_p.value(), 2),
            repetition_penalty=round(self.repetition_penalty.value(), 2),
            seed=None if self.seed.value() == _RANDOM else self.seed.value(),
        )


class PrivacyPage(SettingsPage):
    """What leaves this Mac (nothing), and what stays on it."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
        self.offline = CheckBox(look, "Work offline")
        self.retention = PopUp(look)
        self.retention.addItems(list(RETENTION_NAMES.values()))
        self.folder_button = QPushButton("Show Data Folder")
        self.delete_button = QPushButton("Delete All Conversations…")
        self.network = self.add_text("Uses the network")
        self.add("", self.offline)
        self.add_note("Whatever would use the network is refused.")
        self.add_gap()
        self.add("Keep conversations", self.retention)
        self._note = self.add_note()
        self.add("", side_by_side(self.folder_button, self.delete_button))
        self.offline.toggled.connect(self._write)
        self.retention.activated.connect(self._write)
        self.folder_button.clicked.connect(lambda: show_folder(preferences.data_folder))
        self.delete_button.clicked.connect(self._ask_to_delete)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        self.network.setText(self.preferences.network_uses)
        with QSignalBlocker(self.offline):
            self.offline.setChecked(self.settings.works_offline)
        self.retention.setCurrentIndex(list(Retention).index(self.settings.retention))
        self._note.setText(self.preferences.retention_note)

    def _write(self) -> None:
        is_offline, retention = self.offline.isChecked(), list(RETENTION_NAMES)[self.retention.currentIndex()]
        self.settings.works_offline = is_offline
        self.settings.retention = retention

    def _ask_to_delete(self) -> None:
        ask_before_deleting(
            self,
            "Delete all conversations?",
            "Every conversation goes, with its pictures, recordings and drafts. They cannot be brought back.",
            "Delete All",
            self.preferences.delete_all_requested.emit,
        )


def _decimal(least: float, most: float, step: float) -> QDoubleSpinBox:
    return QDoubleSpinBox(minimum=least, maximum=most, singleStep=step, decimals=2)

"""Pages of the settings window. Each shows the preferences as they are, and changes them at once."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QPushButton,
    QRadioButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.settings import MOST_MEGABYTES, TEXT_SIZES, Appearance, Retention
from app.viewmodels.settings.preferences import NOTIFYING_NAMES, RETENTION_NAMES, Preferences, count_tokens
from app.widgets.shared.dialogs import ask_before_deleting, show_folder
from app.widgets.shared.form import CheckBox, Form, NumberChoice, PopUp, side_by_side
from app.widgets.shared.look import Label, Look, give_role

__all__ = ["GeneralPage", "ModelPage", "PrivacyPage", "SettingsPage"]

_APPEARANCES = {Appearance.SYSTEM: "Like the system", Appearance.LIGHT: "Light", Appearance.DARK: "Dark"}


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
        self.percent = Label()
        self.return_sends = QRadioButton("Sends the message")
        self.return_breaks = QRadioButton("Makes a new line")
        self.shows_thoughts = CheckBox(look, "Show thoughts while they run")
        self.shows_statistics = CheckBox(look, "Show speed and number of tokens under answers")
        self.notifying = PopUp(look)
        self.notifying.addItems(list(NOTIFYING_NAMES.values()))
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
        self.add_gap()
        self.add("Notifications", self.notifying)
        self._notifying_note = self.add_note()
        self.appearance.activated.connect(lambda index: self._theme.set_appearance(list(_APPEARANCES)[index]))
        self.text_size.valueChanged.connect(lambda step: self._theme.set_text_size(TEXT_SIZES[step]))
        self.notifying.activated.connect(self._choose_notifying)
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
        self.notifying.setCurrentIndex(list(NOTIFYING_NAMES).index(settings.notifying))
        self._notifying_note.setText(self.preferences.notifying_note)

    def _choose_notifying(self, index: int) -> None:
        self.settings.notifying = list(NOTIFYING_NAMES)[index]

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
        self.name = Label()
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
        self.remembering = NumberChoice(
            look,
            "Remember conversations",
            {0: "In a share of the free memory", **{1000 * number: f"In {number} GB" for number in (1, 2, 4, 8, 16)}},
            bounds=(100, MOST_MEGABYTES),
            unit="MB",
        )
        self.add("Model", self.name)
        self.place = self.add_note()
        self.add("", side_by_side(self.choose_button, self.sample_button))
        self.add_note("It is loaded now, and each time Cabochon starts.")
        self.refusal = self.add_note()
        give_role(self.refusal, "caution")
        self.show_refusal("")
        self.add_gap()
        self.add("Longest conversation", self.context)
        self.add_note("A shorter limit saves memory.")
        self.add("Remember conversations", self.remembering)
        self.add_note("Coming back to one then costs no time. Holds from the next time that a model is loaded.")
        self.add("Free the memory", self.rest)
        self.add_note("The model is loaded again with your next message.")
        self.choose_button.clicked.connect(self.choose_requested)
        self.sample_button.clicked.connect(self.sample_requested)
        self.context.chosen.connect(self._write)
        self.remembering.chosen.connect(self._write)
        self.rest.chosen.connect(self._write)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        self.name.setText(self.preferences.start_model_name)
        self.place.setText(self.preferences.start_model_place)
        self.sample_button.setEnabled(self.settings.start_model is not None)
        self.context.show_number(self.settings.context_limit)
        self.remembering.show_number(self.settings.state_megabytes)
        self.rest.show_number(self.settings.rest_after_minutes)

    def show_refusal(self, sentence: str) -> None:
        """Say why the model that was chosen is not the one that is loaded; nothing when it is."""
        self.refusal.setText(sentence)
        self.show_row(self.refusal, bool(sentence))

    def _write(self) -> None:
        context_limit, megabytes, minutes = self.context.number, self.remembering.number, self.rest.number
        self.settings.context_limit = context_limit
        self.settings.state_megabytes = megabytes
        self.settings.rest_after_minutes = minutes


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

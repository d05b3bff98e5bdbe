"""Pages of the settings window. Each shows the preferences as they are, and changes them at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QRadioButton,
    QSlider,
    QWidget,
)

from app.settings import MOST_MEGABYTES, TEXT_SIZES, Appearance, Preference, Settings, SystemVoice
from app.viewmodels.settings.preferences import (
    COMMAND,
    NOTIFYING_NAMES,
    OPTION,
    RATE_NAMES,
    RETENTION_NAMES,
    Preferences,
    count_tokens,
)
from app.widgets.settings.folder_list import FolderList
from app.widgets.shared.arrange import FLUSH, lay_column
from app.widgets.shared.dialogs import ask_before_deleting, ask_for_folder, show_folder
from app.widgets.shared.form import CheckBox, Form, NumberChoice, PopUp, side_by_side
from app.widgets.shared.look import Button, Label, Look, give_role

__all__ = ["GeneralPage", "ModelPage", "PrivacyPage", "SettingsPage"]

Value = TypeVar("Value")

_APPEARANCES = {Appearance.SYSTEM: "Like the system", Appearance.LIGHT: "Light", Appearance.DARK: "Dark"}


class SettingsPage(Form):
    """A page that follows the preferences. A row of one preference shows it and changes it."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look)
        self.preferences = preferences
        self.settings = preferences.settings
        self._shown: list[Callable[[], None]] = []

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        for show in self._shown:
            show()

    def add_switch(self, label: str, preference: Preference[bool], words: str) -> CheckBox:
        """A row with a switch."""
        switch = CheckBox(self.look, words)

        def show() -> None:
            with QSignalBlocker(switch):
                switch.setChecked(preference.value_in(self.settings))

        switch.toggled.connect(lambda is_on: preference.put_into(self.settings, is_on))
        self._shown.append(show)
        self.add(label, switch)
        return switch

    def add_menu(self, label: str, preference: Preference[Value], names: Mapping[Value, str]) -> PopUp:
        """A row with a menu of values, by their names."""
        menu, values = PopUp(self.look), list(names)
        menu.addItems(list(names.values()))
        menu.activated.connect(lambda index: preference.put_into(self.settings, values[index]))
        self._shown.append(lambda: menu.setCurrentIndex(values.index(preference.value_in(self.settings))))
        self.add(label, menu)
        return menu

    def add_number(
        self, label: str, preference: Preference[int], names: Mapping[int, str], bounds: tuple[int, int], unit: str
    ) -> NumberChoice:
        """A row with a menu of usual numbers, and a field for any other."""
        choice = NumberChoice(self.look, label, names, bounds, unit)
        choice.chosen.connect(lambda: preference.put_into(self.settings, choice.number))
        self._shown.append(lambda: choice.show_number(preference.value_in(self.settings)))
        self.add(label, choice)
        return choice


class GeneralPage(SettingsPage):
    """How the window looks and what its keys do."""

    def __init__(self, look: Look, preferences: Preferences, find_voices: Callable[[], Sequence[SystemVoice]]) -> None:
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
        keys = QWidget()
        lay_column([self.return_sends, self.return_breaks], keys, margins=FLUSH, spacing=6)
        group = QButtonGroup(self)
        for button in (self.return_sends, self.return_breaks):
            group.addButton(button)
        self.add("Appearance", self.appearance)
        self.add("Text size", side_by_side(self.text_size, self.percent), named=self.text_size)
        self.add_gap()
        self.add("Return", keys, named=self.return_sends)
        self._keys_note = self.add_note()
        self.add_gap()
        self.shows_thoughts = self.add_switch("Answers", Settings.shows_thoughts, "Show thoughts while they run")
        self.shows_statistics = self.add_switch(
            "", Settings.shows_statistics, "Show speed and number of tokens under answers"
        )
        self.add_gap()
        self.notifying = self.add_menu("Notifications", Settings.notifying, NOTIFYING_NAMES)
        self._notifying_note = self.add_note()
        self.add_gap()
        self.voice = VoiceChoice(look, preferences, find_voices)
        self.add("Read aloud by", self.voice)
        self.speech_rate = self.add_menu("Speed", Settings.speech_rate, RATE_NAMES)
        self.appearance.activated.connect(lambda index: self._theme.set_appearance(list(_APPEARANCES)[index]))
        self.text_size.valueChanged.connect(lambda step: self._theme.set_text_size(TEXT_SIZES[step]))
        self.return_sends.toggled.connect(self._choose_return)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        super().refresh()
        settings = self.settings
        self.appearance.setCurrentIndex(list(_APPEARANCES).index(settings.appearance))
        with QSignalBlocker(self.text_size), QSignalBlocker(self.return_sends):
            self.text_size.setValue(TEXT_SIZES.index(settings.text_size))
            (self.return_sends if settings.return_sends else self.return_breaks).setChecked(True)
        self.voice.refresh()
        self.percent.setText(f"{settings.text_size} %")
        self._keys_note.setText(
            f"With Shift or {OPTION} it makes a new line." if settings.return_sends else f"With {COMMAND} it sends."
        )
        self._notifying_note.setText(self.preferences.notifying_note)

    def _choose_return(self, sends: bool) -> None:
        self.settings.return_sends = sends


class VoiceChoice(PopUp):
    """The voice that reads aloud. The system is asked for its voices when the menu is opened, not before."""

    def __init__(self, look: Look, preferences: Preferences, find_voices: Callable[[], Sequence[SystemVoice]]) -> None:
        super().__init__(look)
        self._preferences = preferences
        self._find_voices = find_voices
        self._voices: list[SystemVoice | None] = []
        self.activated.connect(self._choose)

    def refresh(self) -> None:
        """Show the chosen one."""
        chosen = self._preferences.settings.speech_voice
        if chosen not in self._voices:
            self._list([None] if chosen is None else [None, chosen])
        self.setCurrentIndex(self._voices.index(chosen))

    def showPopup(self) -> None:
        """List those that there are."""
        chosen = self._preferences.settings.speech_voice
        self._list(list(dict.fromkeys([None, *self._find_voices(), chosen])))
        self.setCurrentIndex(self._voices.index(chosen))
        super().showPopup()

    def _list(self, voices: list[SystemVoice | None]) -> None:
        self._voices = voices
        with QSignalBlocker(self):
            self.clear()
            self.addItems([self._preferences.voice_name(voice) for voice in voices])

    def _choose(self, index: int) -> None:
        self._preferences.settings.speech_voice = self._voices[index]


class ModelPage(SettingsPage):
    """Which model there is at the start, and what it may cost.

    **Signals:** `list_requested`, `choose_requested`, `sample_requested`.
    """

    list_requested = Signal()
    choose_requested = Signal()
    sample_requested = Signal()

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
        self.name = Label(role="name")
        self.list_button = Button("All Models…", self.list_requested)
        self.choose_button = Button("Choose a Folder…", self.choose_requested, name="Choose a model folder")
        self.sample_button = Button("Use the Sample", self.sample_requested)
        self.add("Model", self.name)
        self.place = self.add_note()
        self.add("", side_by_side(self.list_button, self.choose_button, self.sample_button))
        self.add_note("It is loaded now, and each time Cabochon starts.")
        self.refusal = self.add_note()
        give_role(self.refusal, "caution")
        self.show_refusal("")
        self.add_gap()
        self.context = self.add_number(
            "Longest conversation",
            Settings.context_limit,
            {0: "As the model allows", **{each: count_tokens(each) for each in (4096, 8192, 16384, 32768, 65536)}},
            bounds=(512, 1_000_000),
            unit="tokens",
        )
        self.add_note("A shorter limit saves memory.")
        self.remembering = self.add_number(
            "Remember conversations",
            Settings.state_megabytes,
            {0: "In a share of the free memory", **{1000 * number: f"In {number} GB" for number in (1, 2, 4, 8, 16)}},
            bounds=(100, MOST_MEGABYTES),
            unit="MB",
        )
        self.add_note("Coming back to one then costs no time. Holds from the next time that a model is loaded.")
        self.keeps_states = self.add_switch("", Settings.keeps_states, "Also on the disk, for after a restart")
        self.add_note("In up to 4 GB. It goes with its conversation, and of temporary ones there is none.")
        self.rest = self.add_number(
            "Free the memory",
            Settings.rest_after_minutes,
            {0: "Never", **{number: f"After {number} idle minutes" for number in (5, 15, 30, 60)}},
            bounds=(1, 24 * 60),
            unit="minutes",
        )
        self.add_note("The model is loaded again with your next message.")
        self.add_gap()
        self.keep_button = Button("Change…", name="Choose where models are kept")
        self.share_button = Button("Use the Shared Cache", lambda: preferences.keep_models_in(None))
        self.keeping = self.add_text("Downloads go")
        self.add("", side_by_side(self.keep_button, self.share_button))
        self.folders = FolderList(look, "in which models are looked for")
        self.add("Look for models in", self.folders, named=self.folders.list)
        self.add_note("The folders of Hugging Face, LM Studio, Jan, Osaurus and oMLX are looked into as well.")
        self.keep_button.clicked.connect(
            lambda: ask_for_folder(self, "Choose Where Models Are Kept", preferences.keep_models_in)
        )
        self.folders.add_requested.connect(
            lambda: ask_for_folder(self, "Choose a Folder with Models", preferences.add_model_folder)
        )
        self.folders.remove_requested.connect(preferences.forget_model_folder)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        super().refresh()
        self.name.setText(self.preferences.start_model_name)
        self.place.setText(self.preferences.start_model_place)
        self.sample_button.setEnabled(self.settings.start_model is not None)
        self.keeping.setText(self.preferences.models_place)
        self.share_button.setEnabled(self.settings.download_folder is not None)
        self.folders.show_paths(self.settings.model_folders)

    def show_refusal(self, sentence: str) -> None:
        """Say why the model that was chosen is not the one that is loaded; nothing when it is."""
        self.refusal.setText(sentence)
        self.show_row(self.refusal, bool(sentence))


class PrivacyPage(SettingsPage):
    """What leaves this Mac (nothing), and what stays on it."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
        self.folder_button = Button("Show Data Folder", lambda: show_folder(preferences.data_folder))
        self.delete_button = Button("Delete All Conversations…", self._ask_to_delete)
        self.network = self.add_text("Uses the network")
        self.offline = self.add_switch("", Settings.works_offline, "Work offline")
        self.add_note("Whatever would use the network is refused.")
        self.add_gap()
        self.retention = self.add_menu("Keep conversations", Settings.retention, RETENTION_NAMES)
        self._note = self.add_note()
        self.add("", side_by_side(self.folder_button, self.delete_button))

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        super().refresh()
        self.network.setText(self.preferences.network_uses)
        self._note.setText(self.preferences.retention_note)

    def _ask_to_delete(self) -> None:
        ask_before_deleting(
            self,
            "Delete all conversations?",
            "Every conversation goes, with its pictures, recordings and drafts. They cannot be brought back.",
            "Delete All",
            self.preferences.delete_all_requested.emit,
        )

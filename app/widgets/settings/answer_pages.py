"""The two pages of the settings window that shape answers: system prompts, and lengths and sampling."""

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QDoubleSpinBox, QLineEdit, QPlainTextEdit, QSpinBox

from app.settings import SamplingChoice, Settings
from app.text.receipts import BUDGET_NAMES
from app.viewmodels.settings.preferences import SAMPLING_NAMES, Preferences, count_tokens
from app.widgets.settings.settings_pages import SettingsPage
from app.widgets.shared.dialogs import ask_before_deleting
from app.widgets.shared.form import PopUp, make_plain, side_by_side
from app.widgets.shared.look import Button, Look
from engine import Sampling

__all__ = ["AnswersPage", "PromptsPage"]

_LARGEST_SEED = 2**31 - 1
_RANDOM = -1


class PromptsPage(SettingsPage):
    """What the model is told before a conversation: prompts with names, one of them in use."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
        self.chosen = PopUp(look)
        self.chosen.setMinimumWidth(210)
        self.add_button = Button("Add", self._add, name="Add a prompt")
        self.delete_button = Button("Delete…", self._ask_to_delete, name="Delete this prompt")
        self.name = QLineEdit()
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.add("Prompt", side_by_side(self.chosen, self.add_button, self.delete_button), named=self.chosen)
        self._note = self.add_note()
        self.add_gap()
        self.add("Name", self.name)
        self._refusal = self.add_note()
        self.add("Text", self.text)
        self._about = self.add_note("The model reads it before every conversation, and follows it as well as it can.")
        look.follow(self._fit)
        self.chosen.activated.connect(
            lambda index: preferences.choose_prompt(self.chosen.itemText(index) if index else "")
        )
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
        self.delete_button.setEnabled(bool(chosen))
        for part in (self.name, self.text, self._about):
            self.show_row(part, bool(chosen))
        self._note.setText("New answers follow it." if chosen else "The model is told nothing but your messages.")
        self._refusal.setVisible(bool(self._refusal.text()))

    def _fit(self) -> None:
        pixels = self.look.theme.pixels
        self.name.setFixedWidth(pixels(300))
        self.text.setFixedSize(pixels(380), 190)

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
    """What pictures may spend, how answers are thought over, how long they get, and how their words are chosen."""

    def __init__(self, look: Look, preferences: Preferences) -> None:
        super().__init__(look, preferences)
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
        budgets: dict[int | None, str] = {None: "Auto"}
        budgets |= {budget: f"{name} · {budget:,} tokens" for budget, name in BUDGET_NAMES.items()}
        self.pictures = self.add_menu("New pictures", Settings.budget, budgets)
        self.add_note("What each may spend. Auto keeps every detail that the model can see, and no more.")
        self.add_gap()
        words = "Think before answering in new conversations"
        self.thinks = self.add_switch("Thinking", Settings.thinks_by_default, words)
        numbers = {number: count_tokens(number) for number in (512, 1024, 2048, 4096, 8192)}
        self.budget = self.add_number(
            "Longest thought", Settings.thinking_budget, {0: "No limit", **numbers}, (1, 1_000_000), "tokens"
        )
        self.add_note("A thought that gets longer is closed, and the answer begins.")
        self.add_gap()
        numbers[16384] = count_tokens(16384)
        self.longest = self.add_number("Longest answer", Settings.max_new_tokens, numbers, (1, 1_000_000), "tokens")
        self.add_gap()
        self.sampling = self.add_menu("Choice of words", Settings.sampling_choice, SAMPLING_NAMES)
        self._note = self.add_note()
        for name, field in self._own.items():
            make_plain(field)
            field.setMinimumWidth(150)
            self.add(name, field)
            field.valueChanged.connect(self._write_own)

    def refresh(self) -> None:
        """Show the preferences as they are now."""
        super().refresh()
        self._note.setText(self.preferences.sampling_note)
        for field in self._own.values():
            self.show_row(field, self.settings.sampling_choice is SamplingChoice.OWN)
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

    def _write_own(self) -> None:
        self.settings.own_sampling = Sampling(
            temperature=round(self.temperature.value(), 2),
            top_p=round(self.top_p.value(), 2),
            top_k=self.top_k.value(),
            min_p=round(self.min_p.value(), 2),
            repetition_penalty=round(self.repetition_penalty.value(), 2),
            seed=None if self.seed.value() == _RANDOM else self.seed.value(),
        )


def _decimal(least: float, most: float, step: float) -> QDoubleSpinBox:
    return QDoubleSpinBox(minimum=least, maximum=most, singleStep=step, decimals=2)

"""What the settings window shows and changes, what its choices mean for an answer, and every wording of it."""

import sys
from pathlib import Path

from PySide6.QtCore import QLocale, QObject, Signal

from app.settings import (
    SPEECH_RATES,
    Notifying,
    Preset,
    Retention,
    SamplingChoice,
    Settings,
    SystemVoice,
    may_use_network,
)
from engine import Options, Sampling

__all__ = [
    "COMMAND",
    "MOST_STATE_BYTES",
    "NOTIFYING_NAMES",
    "OFFLINE_REFUSAL",
    "OPTION",
    "RATE_NAMES",
    "RETENTION_NAMES",
    "SAMPLING_NAMES",
    "Preferences",
    "count_tokens",
]

COMMAND, OPTION = ("Command", "Option") if sys.platform == "darwin" else ("Ctrl", "Alt")
"""What the keys are called here."""

MOST_STATE_BYTES = 4_000_000_000
"""On the disk, for what the model remembers of conversations."""

NO_LIMIT = 1_000_000
"""Tokens that stand for no limit: more than any of the models holds (262,144)."""

SAMPLING_NAMES = {
    SamplingChoice.MODEL: "As the model advises",
    SamplingChoice.PRECISE: "Precise",
    SamplingChoice.BALANCED: "Balanced",
    SamplingChoice.CREATIVE: "Creative",
    SamplingChoice.OWN: "My own numbers",
}

_SAMPLINGS = {
    SamplingChoice.MODEL: Sampling(),
    SamplingChoice.PRECISE: Sampling(temperature=0.3, top_k=64, top_p=0.9),
    SamplingChoice.BALANCED: Sampling(temperature=0.7, top_k=64, top_p=0.95),
    SamplingChoice.CREATIVE: Sampling(temperature=1.3, top_k=0, top_p=0.98, min_p=0.05),
}
"""Around the vendor's 1.0, 64 and 0.95; more daring ones need `min_p` against very unlikely tokens."""

_USUAL = Sampling(temperature=1.0, top_k=64, top_p=0.95, min_p=0.0, repetition_penalty=1.0)
"""The vendor's numbers, where a person's own begin."""

_SAMPLING_NOTES = {
    SamplingChoice.MODEL: "The numbers that came with the model.",
    SamplingChoice.PRECISE: "Close to the most likely words. For facts, code and reading.",
    SamplingChoice.BALANCED: "A little calmer than most models advise.",
    SamplingChoice.CREATIVE: "More surprising words. For ideas and stories.",
    SamplingChoice.OWN: "For this, know what the numbers mean.",
}

RETENTION_NAMES = {
    Retention.KEEP: "Until you delete them",
    Retention.MONTH: "For 30 days",
    Retention.UNTIL_QUIT: "Until you quit Cabochon",
}

NOTIFYING_NAMES = {
    Notifying.PLAIN: "When a long answer is ready",
    Notifying.WITH_WORDS: "With the answer’s first words",
    Notifying.NEVER: "Never",
}
RATE_NAMES = dict(zip(SPEECH_RATES, ("Slower", "As usual", "Faster", "Fast"), strict=True))
"""How fast is read aloud."""

_NOTIFYING = "While you are elsewhere: for answers that took more than 10 seconds, and when a tool asks for permission."

OFFLINE_REFUSAL = "Work Offline is on in the Privacy settings, so no link is opened."

_NETWORK_USES = (
    "Links in answers. When you click one, Cabochon shows where it leads and asks; if you agree, your browser or mail "
    "app opens it.",
    "Models. When you choose one to download, Cabochon asks huggingface.co for its list of files and fetches them; a "
    "token, if you gave one, goes nowhere else.",
)
_NETWORK_PROMISE = (
    "Everything else stays on this Mac: conversations, pictures and recordings. There are no accounts, "
    "no statistics, no crash reports and no checks for updates."
)


class Preferences(QObject):
    """The choices of the settings window. Each holds from the moment it is made; retention deletes after a while.

    **Signals:** `changed`, `model_chosen` (Path, or None for the sample), `delete_all_requested` (a person has said
    yes to it).
    """

    changed = Signal()
    model_chosen = Signal(object)
    delete_all_requested = Signal()

    def __init__(self, settings: Settings, data_folder: Path) -> None:
        super().__init__()
        self.settings = settings
        self.data_folder = data_folder
        self._choice: tuple[Path | None, ...] = ()
        """The model that was chosen and is not there yet: one, or none."""
        settings.changed.connect(self.changed)

    @property
    def own_keys(self) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
        """What keys do that no menu shows, by where they do it."""
        sends, breaks = (
            ("Return", "Shift + Return") if self.settings.return_sends else (f"{COMMAND} + Return", "Return")
        )
        return (
            (
                "In the message",
                (("Send", sends), ("New line", breaks), ("Edit the last message", "Arrow up in an empty field")),
            ),
            (
                "On an attached file",
                (
                    ("Look at it", "Space"),
                    ("Remove it", "Delete"),
                    ("Move it", f"{OPTION} + arrow left or right"),
                    ("Change its budget", "Arrow up or down"),
                ),
            ),
            (
                "In the list of conversations",
                (("Open", "Return or Space"), ("Delete", f"{COMMAND} + Backspace"), ("Leave the search", "Esc")),
            ),
            ("In the find bar", (("Next or previous place", "Return or Shift + Return"), ("Close it", "Esc"))),
        )

    # --- answers

    def options(self, thinking: bool) -> Options:
        """How the next answer is made."""
        settings = self.settings
        return Options(
            sampling=self.sampling,
            thinking=thinking,
            thinking_budget=settings.thinking_budget or NO_LIMIT,
            max_new_tokens=settings.max_new_tokens,
            context_limit=settings.context_limit,
        )

    @property
    def keeps_states(self) -> bool:
        """Whether what the model remembers of a conversation is on the disk as well: if that outlives the window."""
        return self.settings.keeps_states and self.settings.retention is not Retention.UNTIL_QUIT

    @property
    def sampling(self) -> Sampling:
        """How the next token is chosen."""
        return _SAMPLINGS.get(self.settings.sampling_choice, self.own_sampling)

    @property
    def own_sampling(self) -> Sampling:
        """A person's own numbers; all but the seed are known."""
        return self.settings.own_sampling.filled_from(_USUAL)

    @property
    def sampling_note(self) -> str:
        """One sentence about the chosen sampling."""
        choice = self.settings.sampling_choice
        numbers = self.sampling
        if choice in (SamplingChoice.MODEL, SamplingChoice.OWN):
            return _SAMPLING_NOTES[choice]
        return f"{_SAMPLING_NOTES[choice]} Temperature {numbers.temperature:g}, top-p {numbers.top_p:g}."

    @staticmethod
    def voice_name(voice: SystemVoice | None) -> str:
        """A voice as menus name it."""
        return f"{voice.name} · {QLocale(voice.language).nativeLanguageName()}" if voice else "The system’s voice"

    # --- system prompts

    @property
    def system_prompt(self) -> str:
        """What the model is told before each conversation; empty for nothing."""
        return self.prompt_text.strip()

    @property
    def prompt_text(self) -> str:
        """The text of the chosen prompt, as it was typed."""
        chosen = self.settings.preset_name
        return next((preset.text for preset in self.settings.presets if preset.name == chosen), "")

    @property
    def prompt_names(self) -> tuple[str, ...]:
        """The names of the prompts, in their order."""
        return tuple(preset.name for preset in self.settings.presets)

    def choose_prompt(self, name: str) -> None:
        """Use a prompt from now on; an empty name means none."""
        self.settings.preset_name = name

    def add_prompt(self) -> None:
        """Begin another prompt and choose it."""
        name, number = "New Prompt", 2
        while name in self.prompt_names:
            name, number = f"New Prompt {number}", number + 1
        self.settings.presets = (*self.settings.presets, Preset(name))
        self.settings.preset_name = name

    def rename_prompt(self, new_name: str) -> str:
        """Call the chosen prompt something else, or return the sentence that says why not."""
        new_name = " ".join(new_name.split())
        chosen = self.settings.preset_name
        if not chosen or new_name == chosen:
            return ""
        if not new_name:
            return "A prompt needs a name."
        if new_name in self.prompt_names:
            return f"Another prompt is called “{new_name}”."
        self._replace_prompt(chosen, Preset(new_name, self.prompt_text))
        self.settings.preset_name = new_name
        return ""

    def write_prompt(self, text: str) -> None:
        """Change the text of the chosen prompt."""
        chosen = self.settings.preset_name
        if chosen and text != self.prompt_text:
            self._replace_prompt(chosen, Preset(chosen, text))

    def delete_prompt(self) -> None:
        """Delete the chosen prompt; none is chosen afterwards."""
        chosen = self.settings.preset_name
        self.settings.presets = tuple(preset for preset in self.settings.presets if preset.name != chosen)
        self.settings.preset_name = ""

    def _replace_prompt(self, name: str, new: Preset) -> None:
        self.settings.presets = tuple(new if preset.name == name else preset for preset in self.settings.presets)

    # --- model

    @property
    def start_model_name(self) -> str:
        """The model that is loaded at the start."""
        folder = self.settings.start_model
        return folder.name if folder else "Sample model"

    @property
    def start_model_place(self) -> str:
        """Where it is."""
        folder = self.settings.start_model
        return str(folder) if folder else "Small, built in, for trying things out."

    def choose_model(self, folder: Path | None) -> None:
        """Load a model folder, or the sample, now; once it is there, also at every start."""
        self._choice = (folder,)
        self.model_chosen.emit(folder)

    def remember_model(self, folder: Path | None) -> None:
        """A model is loaded, None for the sample: if it is the one that was chosen, the next start loads it too."""
        if self._choice == (folder,):
            self.settings.start_model = folder
            self._choice = ()

    @property
    def models_place(self) -> str:
        """Where downloads go."""
        folder = self.settings.download_folder
        return str(folder) if folder else "In the Hugging Face cache, which other programs share."

    def keep_models_in(self, folder: Path | None) -> None:
        """Put downloads into a folder from now on, None for the shared cache; look there too."""
        self.settings.download_folder = folder
        if folder is not None:
            self.add_model_folder(folder)

    def add_model_folder(self, folder: Path) -> None:
        """Look for models there too, from now on."""
        self.settings.model_folders = tuple(dict.fromkeys((*self.settings.model_folders, str(folder))))

    def forget_model_folder(self, folder: str) -> None:
        """Look there no more; what lies there stays."""
        self.settings.model_folders = tuple(each for each in self.settings.model_folders if each != folder)

    def context_length(self, model_length: int) -> int:
        """Most tokens of a conversation with a model that holds `model_length`."""
        return min(self.settings.context_limit or model_length, model_length)

    # --- what tools may read

    def allow_reading(self, folder: Path) -> None:
        """Let the model read in a folder, once a person allows each reading."""
        self.settings.readable_paths = tuple(dict.fromkeys((*self.settings.readable_paths, str(folder))))

    def forget_reading(self, folder: str) -> None:
        """Take a folder out of what the model may read."""
        self.settings.readable_paths = tuple(path for path in self.settings.readable_paths if path != folder)

    # --- privacy

    @property
    def network_uses(self) -> str:
        """Exactly what uses the network, in full."""
        uses = (
            "\n\n".join(_NETWORK_USES)
            if self.may_use_network()
            else "Nothing. Links in answers are not opened, and no model is downloaded."
        )
        return f"{uses}\n\n{_NETWORK_PROMISE}"

    def may_use_network(self) -> bool:
        """Whether anything may use the network now."""
        return may_use_network(self.settings)

    @property
    def retention_days(self) -> int | None:
        """Days for which a conversation is kept after its last word: None for ever, 0 until the app quits."""
        return {Retention.KEEP: None, Retention.MONTH: 30, Retention.UNTIL_QUIT: 0}[self.settings.retention]

    @property
    def notifying_note(self) -> str:
        """What the choice means."""
        match self.settings.notifying:
            case Notifying.PLAIN:
                return f"{_NOTIFYING} Nothing of the answer is shown."
            case Notifying.WITH_WORDS:
                return f"{_NOTIFYING} The words may show on a locked screen."
            case Notifying.NEVER:
                return "The Dock still shows how many conversations have something for you."

    @property
    def retention_note(self) -> str:
        """What the choice means."""
        match self.settings.retention:
            case Retention.KEEP:
                return "Conversations stay in the data folder on this Mac."
            case Retention.MONTH:
                return "A conversation is deleted, with its pictures, 30 days after its last message."
            case Retention.UNTIL_QUIT:
                return "All conversations are deleted, with their pictures, when Cabochon quits."


def count_tokens(number: int) -> str:
    """A number of tokens in words: "2,048 tokens"."""
    return f"{number:,} token{'s' * (number != 1)}"

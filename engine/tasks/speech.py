"""Writing down and translating what is said, with the vendor's prompts: greedy, thinking off, one sound at a time."""

from collections.abc import Iterator
from pathlib import Path

from engine.events import Event
from engine.messages import Sound, user
from engine.options import GREEDY, Options
from engine.pipeline import Engine

__all__ = ["transcribe", "transcription_prompt", "translation_prompt"]

_RULES = (
    "\n\nFollow these specific instructions for formatting the answer:\n"
    "* Only output the transcription, with no newlines.\n"
    "* When transcribing numbers, write the digits, i.e. write 1.7 and not one point seven, and write 3 instead of "
    "three."
)


def transcription_prompt(language: str | None) -> str:
    """The vendor's wording (section 7.7); without a language, ours."""
    what = f"in {language} into {language} text" if language else "in its original language"
    return f"Transcribe the following speech segment {what}.{_RULES}"


def translation_prompt(source: str | None, target: str) -> str:
    """The vendor's wording (section 7.7)."""
    source = source or "its original language"
    return (
        f"Transcribe the following speech segment in {source}, then translate it into {target}.\n"
        f"When formatting the answer, first output the transcription in {source}, then one newline, then output the "
        f"string '{target}: ', then the translation in {target}."
    )


def transcribe(engine: Engine, path: Path, language: str | None = None, target: str | None = None) -> Iterator[Event]:
    """The events of writing down one sound, and of translating it if there is a target; raises EngineError."""
    prompt = translation_prompt(language, target) if target else transcription_prompt(language)
    return engine.respond([user(prompt, Sound(str(path)))], Options(GREEDY))

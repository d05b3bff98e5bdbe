"""Writing down and translating what is said, with the vendor's prompts: greedy, thinking off, one sound at a time."""

from collections.abc import Iterator
from pathlib import Path

from engine.engine import Engine
from engine.protocol.events import Event
from engine.protocol.messages import Sound, user
from engine.protocol.options import GREEDY, Options
from engine.tasks.speech_prompts import transcription_prompt, translation_prompt

__all__ = ["transcribe"]


def transcribe(engine: Engine, path: Path, language: str | None = None, target: str | None = None) -> Iterator[Event]:
    """The events of writing down one sound, and of translating it if there is a target; raises EngineError."""
    prompt = translation_prompt(language, target) if target else transcription_prompt(language)
    return engine.respond([user(prompt, Sound(str(path)))], Options(GREEDY), is_once=True)

"""Reading the text in pictures: greedy, thinking off, one picture at a time."""

from collections.abc import Iterator
from pathlib import Path

from engine.events import Event
from engine.messages import BUDGETS, Picture, user
from engine.options import GREEDY, Options
from engine.pipeline import Engine

__all__ = ["default_budget", "read_text"]

PROMPT = "Read the text in this picture. Write only the text, line by line."


def default_budget(engine: Engine) -> int:
    """The largest budget, as the vendor advises for documents; 280 for the sample, which learned on large print."""
    return 280 if engine.info.is_sample else BUDGETS[-1]


def read_text(engine: Engine, path: Path, budget: int) -> Iterator[Event]:
    """The events of reading one picture; raises EngineError."""
    return engine.respond([user(PROMPT, Picture(str(path), budget))], Options(sampling=GREEDY))

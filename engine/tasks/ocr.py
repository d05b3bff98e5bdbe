"""Reading pictures of text: greedy, thinking off, one picture at a time, in the form that is asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from engine.engine import Engine
from engine.protocol.events import Event
from engine.protocol.messages import Picture, user
from engine.protocol.options import GREEDY, AnswerFormat, JsonSchema, Options

__all__ = ["FORMS", "Form", "ask_picture", "default_budget", "read_text"]

Form = Literal["text", "markdown", "csv", "json"]
FORMS: tuple[Form, ...] = get_args(Form)

PROMPTS: dict[Form, str] = {
    "text": "Read the text in this picture. Write only the text, line by line.",
    "markdown": "Write this picture of a document as Markdown, in reading order, with its headings, lists and tables. "
    "Write only the Markdown.",
    "csv": "Write the table in this picture as CSV, one line per row, the header first. Put fields that hold commas or "
    "quotes in double quotes. Write only the CSV.",
    "json": "Write the fields in this picture as a JSON object: each label with its value. Write only the JSON.",
}

FIELDS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
"""Labels and values, where no schema says more."""


def default_budget(engine: Engine) -> int:
    """The largest budget that helps, as the vendor advises for documents."""
    return engine.info.traits.max_budget


def read_text(
    engine: Engine, path: Path, budget: int, form: Form = "text", schema: dict[str, Any] | None = None
) -> Iterator[Event]:
    """The events of reading one picture; a schema says which fields to look for. Raises EngineError."""
    return ask_picture(engine, path, budget, PROMPTS[form], JsonSchema(schema or FIELDS) if form == "json" else None)


def ask_picture(
    engine: Engine, path: Path, budget: int, question: str, answer_format: AnswerFormat | None = None
) -> Iterator[Event]:
    """The events of answering a question about one picture; raises EngineError."""
    return engine.respond(
        [user(question, Picture(str(path), budget))], Options(GREEDY, format=answer_format), is_once=True
    )

"""What several commands take, and how it is read: each mistake is one sentence."""

import importlib.util
import inspect
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from engine.agent.tools import Functions
from engine.checkpoint.sample import sample_checkpoint
from engine.cli.output import say
from engine.documents.names import page_ranges
from engine.engine import Engine
from engine.preprocess.pictures import look_at_file
from engine.preprocess.sound import MAX_SECONDS
from engine.protocol.errors import PromptError
from engine.protocol.messages import BUDGETS, Media, Sound, Video
from engine.protocol.options import MOST_DRAFTED, JsonSchema, Options, Sampling

__all__ = [
    "BudgetOption", "DraftOption", "JsonOption", "LogprobsOption", "MaxTokensOption", "ModelOption",
    "OwnTemplateOption", "SchemaOption", "SeedOption", "StopOption", "SystemOption", "TemperatureOption", "ThinkOption",
    "ThinkingBudgetOption", "ToolsOption", "VideoBudgetOption", "chosen_model", "folder_to_write", "load_engine",
    "load_password", "load_schema", "load_tools", "make_options", "one_of", "one_of_numbers", "ranges_of_pages",
    "video_parts", "whole_number",
]  # fmt: skip


_MOST_OF_PASSWORD = 1000
"""Characters."""


def one_of(choices: Sequence[object]) -> Callable[[Any], Any]:
    """What an option may be, beside not given."""

    def check(value: Any) -> Any:
        if value is not None and value not in choices:
            raise typer.BadParameter(f"choose one of {', '.join(map(str, choices))}")
        return value

    return check


def whole_number(least: int, most: int | None = None) -> Callable[[Any], int]:
    """What an option of whole numbers may be."""

    def read(text: Any) -> int:
        try:
            number = int(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is not a whole number") from error
        if number < least or (most is not None and number > most):
            raise typer.BadParameter(f"choose {least} or more" if most is None else f"choose {least} to {most}")
        return number

    return read


def ranges_of_pages(text: str) -> str:
    """What --pages may be."""
    try:
        page_ranges(text)
    except PromptError as error:
        raise typer.BadParameter(str(error)) from error
    return text


def folder_to_write(path: Path | None) -> Path | None:
    """What --out may be: a folder, or a place where one can be made. Raises PromptError."""
    if path is not None:
        there = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
        if not there.is_dir():
            raise PromptError(f"“{there}” is no folder. Name a folder behind --out; a new one is made.")
    return path


def one_of_numbers(choices: Sequence[int]) -> Callable[[Any], int]:
    """What an option with a few numbers may be."""

    def read(text: Any) -> int:
        if str(text) not in map(str, choices):
            raise typer.BadParameter(f"choose one of {', '.join(map(str, choices))}")
        return int(text)

    return read


def _draft(text: Any) -> Any:
    return text if text in ("auto", "off") else whole_number(1, MOST_DRAFTED)(text)


def _temperature(text: Any) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a number") from error
    if not (math.isfinite(number) and number >= 0):
        raise typer.BadParameter("choose 0 or more")
    return number


ModelOption = Annotated[
    Path | None,
    typer.Option("--model", metavar="FOLDER", readable=False, help="Model folder; without it, the built-in sample."),
]
BudgetOption = Annotated[
    int | None,
    typer.Option(
        "--budget",
        metavar="N",
        parser=one_of_numbers(BUDGETS),
        help="Soft tokens a picture may spend: 70, 140, 280, 560, 1120.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write every event as a line of JSON.")]
VideoBudgetOption = Annotated[
    int,
    typer.Option(
        "--video-budget",
        metavar="N",
        parser=one_of_numbers(BUDGETS),
        help="Soft tokens each frame of a video may spend.",
    ),
]
ThinkOption = Annotated[bool, typer.Option("--think", help="Let the model think first; its thought goes to stderr.")]
ThinkingBudgetOption = Annotated[
    int | None,
    typer.Option(
        "--thinking-budget", parser=whole_number(0), metavar="N", help="Most tokens of the thought; implies --think."
    ),
]
SystemOption = Annotated[str | None, typer.Option("--system", metavar="TEXT", help="Instructions for the model.")]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", parser=whole_number(0, 2**63 - 1), metavar="N", help="The same seed gives the same answer."),
]
TemperatureOption = Annotated[
    float | None,
    typer.Option(
        "--temperature",
        parser=_temperature,
        metavar="X",
        help="0 always takes the most likely token; else as the model advises.",
    ),
]
MaxTokensOption = Annotated[
    int,
    typer.Option("--max-tokens", parser=whole_number(1), metavar="N", help="Stop after so many tokens of answer."),
]
LogprobsOption = Annotated[
    int,
    typer.Option(
        "--logprobs",
        parser=whole_number(0, 64),
        metavar="N",
        help="Show the N most likely tokens in each place, on stderr.",
    ),
]
StopOption = Annotated[
    list[str] | None, typer.Option("--stop", metavar="TEXT", help="End the answer before this text; repeatable.")
]
ToolsOption = Annotated[
    Path | None,
    typer.Option(
        "--tools", metavar="FILE.py", readable=False, help="Let the model call the functions that this file defines."
    ),
]
SchemaOption = Annotated[
    Path | None,
    typer.Option("--schema", metavar="FILE.json", readable=False, help="Answer in JSON that this JSON Schema allows."),
]
OwnTemplateOption = Annotated[
    bool, typer.Option("--own-template", help="Use the model folder's own chat template, which may be an old one.")
]


DraftOption = Annotated[
    Any,
    typer.Option(
        "--draft",
        metavar="N",
        parser=_draft,
        help=f"Let a drafter, or the text so far, propose N tokens (1 to {MOST_DRAFTED}) that the model checks at "
        "once; off, or auto: while that is faster. The answer is the same.",
    ),
]


def load_tools(path: Path) -> Functions:
    """The public functions that a Python file defines; raises PromptError.

    The file is run with everything that its author may do: it is the person's own program.
    """
    if not path.is_file():
        raise PromptError(f"There is no file {path}. Name the Python file that defines the tools.")
    spec = importlib.util.spec_from_file_location("cabochon_tools", path)
    if spec is None or spec.loader is None:
        raise PromptError(f"{path} is not a Python file. Name one that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look up their types there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the person's own program raises
        raise PromptError(f"{path} cannot be run{_place_and_reason(error, path)}. Correct it and try again.") from error
    functions = {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    if not functions:
        raise PromptError(f"{path} defines no function. Each function without a leading underscore becomes a tool.")
    return Functions(**functions)


def _place_and_reason(error: BaseException, path: Path) -> str:
    """Where in a tool file it went wrong, as far as that is known, and what."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame.lineno for frame in frames if Path(frame.filename).absolute() == path.absolute()]
    line = own[-1] if own else None
    reason = str(error) or type(error).__name__
    if isinstance(error, SyntaxError):
        line, reason = error.lineno, error.msg
    elif isinstance(error, SystemExit):
        reason = "it ends the program"
    return f" (line {line}): {reason}" if line else f": {reason}"


def load_schema(path: Path) -> dict[str, Any]:
    """A JSON Schema; raises PromptError."""
    try:
        schema = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise PromptError(f"{path} cannot be read: {error.strerror}. Name a file with a JSON Schema.") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise PromptError(f"{path} is not JSON: there is a mistake in {place}. Correct it and try again.") from error
    except UnicodeDecodeError as error:
        raise PromptError(f"{path} is not text in UTF-8. Save it as UTF-8 first.") from error
    except (ValueError, RecursionError) as error:
        raise PromptError(
            f"{path} cannot be read as JSON: it is nested too deeply, or its numbers are too long."
        ) from error
    if not isinstance(schema, dict):
        raise PromptError(f"{path} is not a JSON Schema: it must hold an object.")
    return schema


def load_password(path: Path | None) -> str:
    """The first line of a file; raises PromptError."""
    if path is None:
        return ""
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.readline(_MOST_OF_PASSWORD).rstrip("\r\n")
    except OSError as error:
        raise PromptError(f"{path} cannot be read: {error.strerror}. Name a file with a password.") from error
    except UnicodeDecodeError as error:
        raise PromptError(f"{path} is not text in UTF-8. Save it as UTF-8 first.") from error


def make_options(
    *,
    think: bool,
    thinking_budget: int | None,
    temperature: float | None,
    seed: int | None,
    max_tokens: int,
    stop: list[str] | None,
    schema: Path | None,
    tools: Functions | None,
    own_template: bool,
    num_logprobs: int,
    draft: Any,
) -> Options:
    """What the options of a command ask for; raises PromptError."""
    if stop and not all(stop):
        raise PromptError("An empty --stop would end every answer at once. Give it a text.")
    options = Options(
        Sampling(temperature=temperature, seed=seed),
        thinking=think or thinking_budget is not None,
        max_new_tokens=max_tokens,
        own_template=own_template,
        stop=tuple(stop or ()),
        num_logprobs=num_logprobs,
        draft=draft,
        format=JsonSchema(load_schema(schema)) if schema else None,
        tools=tools.tools if tools else (),
    )
    return options if thinking_budget is None else msgspec.structs.replace(options, thinking_budget=thinking_budget)


def load_engine(model: Path | None) -> Engine:
    """The model of a command; says so when it is the sample."""
    return Engine.load(chosen_model(model))


def chosen_model(model: Path | None) -> Path:
    """The folder of a command's model; says so when it is the sample."""
    if model is None:
        say(
            "Using the built-in sample, which only reads large print, hears spoken digits and does small sums. "
            "Use --model FOLDER for a full model.",
            "dim",
        )
    return model or sample_checkpoint()


def video_parts(engine: Engine, path: Path, budget: int) -> list[Media]:
    """The frames, and the sound track where the model can hear it."""
    parts: list[Media] = [Video(str(path), budget)]
    attachment, _ = look_at_file(path)
    if not attachment.has_sound:
        return parts
    if "sound" not in engine.info.modalities:
        why = "this model cannot hear"
    elif attachment.seconds > MAX_SECONDS:
        why = f"its sound is longer than {MAX_SECONDS} seconds"
    else:
        return [*parts, Sound(str(path))]
    note = f"{path.name}: only the pictures are used, because {why}."
    say(note, "dim")
    return parts

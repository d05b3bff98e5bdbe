"""What runs a model's calls: any function that takes a call, and plain Python functions as one."""

import json
import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from engine.media.senses import check_senses
from engine.preprocess.pictures import fit_picture, fit_video, hear_file
from engine.prompt.tool_syntax import result_pieces
from engine.protocol.messages import Media, Picture, Sound, ToolCall, Video
from engine.protocol.tools import Tool, check_tool_name, tool_from_function

__all__ = ["Execute", "Functions", "ToolError", "ToolOutcome", "check_outcome"]


class ToolError(Exception):
    """A tool could not do what it was asked; `str(error)` is what the model is told."""


@dataclass(frozen=True)
class ToolOutcome:
    """What a call gave: any JSON value, and media that the model shall see or hear."""

    content: Any
    media: tuple[Media, ...] = ()
    failed: bool = False


Execute = Callable[[ToolCall, threading.Event], ToolOutcome]
"""Runs one call on a thread of its own; raises ToolError.

The event is set once nobody waits for the call any more, because its time is up or the answer was cancelled: what can
be stopped in the middle should then stop.
"""


class Functions:
    """Python functions, declared to the model and run for it: `Functions(clock, weather)`, or by other names."""

    def __init__(self, *functions: Callable[..., Any], **named: Callable[..., Any]) -> None:
        """Raises PromptError for what cannot be declared."""
        tools = [(function, tool_from_function(function)) for function in functions]
        tools += [
            (function, msgspec.structs.replace(tool_from_function(function), name=check_tool_name(name)))
            for name, function in named.items()
        ]
        self.tools: tuple[Tool, ...] = tuple(tool for _, tool in tools)
        """Their declarations, for `Options.tools`."""
        self._functions = {tool.name: function for function, tool in tools}

    def __call__(self, call: ToolCall, stop: threading.Event) -> ToolOutcome:
        """Run a call with arguments of the types that the function names; raises ToolError."""
        function = self._functions[call.name]
        types = get_type_hints(function, include_extras=True)
        try:
            arguments = {name: msgspec.convert(value, types[name]) for name, value in call.arguments.items()}
        except msgspec.ValidationError as error:
            raise ToolError(f"{call.name} does not take these arguments: {error}.") from error
        result = function(**arguments)
        try:
            return ToolOutcome(json.loads(json.dumps(result)))
        except (TypeError, ValueError, RecursionError) as error:
            raise ToolError(f"{call.name} gave something that is not JSON: {type(result).__name__}.") from error


def check_outcome(outcome: ToolOutcome, modalities: Collection[str]) -> None:
    """Raises PromptError or AttachmentError for what no prompt of this model can hold; reads its files to the end."""
    deque(result_pieces("tool", outcome.content), maxlen=0)
    check_senses(outcome.media, modalities)
    for part in outcome.media:
        path = Path(part.path)
        match part:
            case Picture(budget=budget):
                fit_picture(path, budget)
            case Sound():
                hear_file(path)
            case Video(budget=budget):
                fit_video(path, budget)

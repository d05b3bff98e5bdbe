"""Running the model's calls: within a time, stoppable, and never in circles."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from engine.errors import EngineError
from engine.events import ToolCalled, ToolCallRefused, ToolFinished
from engine.messages import Media, Message, Part, ToolCall, ToolResult
from engine.options import Options

__all__ = ["Execute", "ToolError", "ToolOutcome", "ToolRounds"]

MAX_REPETITIONS = 3
"""The same call with the same arguments so often, and the model goes round in circles."""

POLL_S = 0.05

Called = ToolCalled | ToolCallRefused


class ToolError(Exception):
    """A tool could not do what it was asked; `str(error)` is what the model is told."""


@dataclass(frozen=True)
class ToolOutcome:
    """What a call gave: any JSON value, and media that the model shall see or hear."""

    content: Any
    media: tuple[Media, ...] = ()
    failed: bool = False


Execute = Callable[[ToolCall], ToolOutcome]
"""Runs one call; raises ToolError. It runs on a thread of its own, which is left behind when its time is up."""

Check = Callable[[ToolOutcome], None]
"""Raises EngineError for an outcome that no prompt can hold."""


class ToolRounds:
    """The rounds of calls and results within one answer."""

    def __init__(self, options: Options, check: Check) -> None:
        self._options = options
        self._check = check
        self.num_run = 0
        """Rounds whose calls were run."""
        self._made: Counter[str] = Counter()

    @property
    def later_options(self) -> Options:
        """After results the model may call again, but need not, and begins no answer that it was to continue."""
        choice = "none" if self._options.tool_choice == "none" else "auto"
        return msgspec.structs.replace(self._options, tool_choice=choice, continues=False)

    def may_run(self, called: Sequence[Called]) -> bool:
        """Whether a round is left, and none of the calls was made too often with the same arguments."""
        made = [json.dumps([event.call.name, event.call.arguments], sort_keys=True) for event in called]
        self._made.update(made)
        is_fresh = all(self._made[call] < MAX_REPETITIONS for call in made)
        return is_fresh and self.num_run < self._options.max_tool_rounds

    def run(
        self, called: Sequence[Called], execute: Execute, cancelled: Callable[[], bool]
    ) -> Generator[ToolFinished, None, Message | None]:
        """Run the calls one after the other; returns the tool message with their results, or None when cancelled.

        What fails, takes too long or gives what no prompt can hold becomes a result as well: the model is told and can
        go on.
        """
        self.num_run += 1
        parts: list[Part] = []
        for event in called:
            if isinstance(event, ToolCallRefused):
                finished: ToolFinished | None = _failure(event.call, event.message, time.monotonic())
            else:
                finished = self._run_call(event.call, execute, cancelled)
            if finished is None:
                return None
            yield finished
            parts += [finished.result, *finished.media]
        return Message("tool", tuple(parts))

    def _run_call(self, call: ToolCall, execute: Execute, cancelled: Callable[[], bool]) -> ToolFinished | None:
        outcome: list[ToolOutcome | BaseException] = []
        done = threading.Event()

        def work() -> None:
            try:
                outcome.append(execute(call))
            except BaseException as error:  # noqa: BLE001 - a tool is code of somebody else: even its exit is a result
                outcome.append(error)
            done.set()

        started = time.monotonic()
        timeout_s = self._options.tool_timeout_s
        threading.Thread(target=work, name=f"tool {call.name}", daemon=True).start()
        while not done.wait(POLL_S):
            if cancelled():
                return None
            if time.monotonic() - started >= timeout_s:
                return _failure(call, f"{call.name} took longer than {timeout_s:g} seconds.", started)
        match outcome[0]:
            case ToolOutcome(content, media, failed) as given:
                try:
                    self._check(given)
                except EngineError as error:
                    return _failure(call, str(error), started)
                return ToolFinished(ToolResult(content, call.id, call.name), _since(started), failed, media)
            case ToolError() as error:
                return _failure(call, str(error), started)
            case error:
                return _failure(call, f"{type(error).__name__}: {error}", started)


def _failure(call: ToolCall, reason: str, started: float) -> ToolFinished:
    return ToolFinished(ToolResult({"error": reason}, call.id, call.name), _since(started), failed=True)


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000

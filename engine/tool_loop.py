"""Running the model's calls: within a time, stoppable, and never twice too often."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.events import ToolFinished
from engine.messages import Media, Message, ToolCall, ToolResult

__all__ = ["Execute", "RepeatedCalls", "ToolError", "ToolOutcome", "result_message", "run_call"]

MAX_REPETITIONS = 3
"""The same call with the same arguments so often, and the model goes round in circles."""

POLL_S = 0.05


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


class RepeatedCalls:
    """Counts equal calls within one answer."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, call: ToolCall) -> bool:
        """Whether this call has now been made too often."""
        key = json.dumps([call.name, call.arguments], sort_keys=True)
        self._counts[key] += 1
        return self._counts[key] >= MAX_REPETITIONS


def run_call(
    call: ToolCall, execute: Execute, timeout_s: float, cancelled: Callable[[], bool]
) -> tuple[ToolFinished, tuple[Media, ...]] | None:
    """Run one call and say what came of it; None when it was cancelled.

    What fails or takes too long becomes a result as well: the model is told and can go on.
    """
    outcome: list[ToolOutcome | Exception] = []
    done = threading.Event()

    def work() -> None:
        try:
            outcome.append(execute(call))
        except Exception as error:  # noqa: BLE001 - a tool is code of somebody else: whatever it raises is its result
            outcome.append(error)
        done.set()

    started = time.monotonic()
    threading.Thread(target=work, name=f"tool {call.name}", daemon=True).start()
    while not done.wait(min(POLL_S, timeout_s)):
        if cancelled():
            return None
        if time.monotonic() - started >= timeout_s:
            return _failure(call, f"{call.name} took longer than {timeout_s:g} seconds.", started), ()
    match outcome[0]:
        case ToolOutcome(content, media, failed):
            duration_ms = (time.monotonic() - started) * 1000
            return ToolFinished(ToolResult(content, call.id, call.name), duration_ms, failed), media
        case ToolError() as error:
            return _failure(call, str(error), started), ()
        case error:
            return _failure(call, f"{type(error).__name__}: {error}", started), ()


def _failure(call: ToolCall, reason: str, started: float) -> ToolFinished:
    duration_ms = (time.monotonic() - started) * 1000
    return ToolFinished(ToolResult({"error": reason}, call.id, call.name), duration_ms, failed=True)


def result_message(results: Sequence[tuple[ToolFinished, tuple[Media, ...]]]) -> Message:
    """All results of a round as one message, each followed by its media."""
    return Message("tool", tuple(part for finished, media in results for part in (finished.result, *media)))

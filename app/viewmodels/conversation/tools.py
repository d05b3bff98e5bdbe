"""The tools a model may call in the window: which are on, what each call does, and whether a person allowed it."""

import json
import logging
import threading
from collections.abc import Sequence
from enum import Enum, auto
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.asking import AskPerson
from app.settings import Settings
from app.tools import BuiltIn
from engine import Execute, Tool, ToolCall, ToolError, ToolOutcome, one_line

__all__ = ["ToolRun", "ToolState", "Toolbox"]

_log = logging.getLogger(__name__)

CLOSE_S = 2.0
MAX_SHOWN = 4000
"""Characters of a result that a card shows."""

MAX_ABOUT = 60
"""Characters of an argument that a card's title shows."""

REFUSED = "The person did not allow this."


class ToolState(Enum):
    """Where a call is."""

    ASKING = auto()
    """A person must allow it first."""
    RUNNING = auto()
    DONE = auto()
    FAILED = auto()


class ToolRun(QObject):
    """One call of the model, and what became of it.

    **Signals:** `changed`, `answered` (a person allowed it, or not).
    """

    changed = Signal()
    answered = Signal(bool)

    def __init__(self, call: ToolCall, title: str = "") -> None:
        super().__init__()
        self.call = call
        self.title = title or call.name.replace("_", " ").capitalize()
        self.state = ToolState.RUNNING
        self.result: Any = None
        self.is_expanded = False
        self._target = ""
        self.duration_ms: float | None = None
        """How long it took; None while that is not known."""

    @property
    def is_open(self) -> bool:
        """Whether it waits for a person or for its result."""
        return self.state in (ToolState.ASKING, ToolState.RUNNING)

    @property
    def arguments(self) -> str:
        """What it was called with, a line each: "expression: 12 * 34"."""
        return "\n".join(f"{name}: {_written(value)}" for name, value in self.call.arguments.items())

    @property
    def outcome(self) -> str:
        """What it gave, as text."""
        if self.is_open:
            return ""
        text = _written(self.result)
        return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"

    @property
    def line(self) -> str:
        """The card in one line: "Calculator · 12 * 34 · 3 ms"."""
        first = next(iter(self.call.arguments.values()), "")
        about = one_line(_written(first).strip().split("\n")[0], MAX_ABOUT)
        match self.state:
            case ToolState.ASKING:
                end = "asks for permission"
            case ToolState.RUNNING:
                end = "running…"
            case ToolState.DONE:
                end = self._duration
            case ToolState.FAILED:
                end = "failed"
        return " · ".join(part for part in (one_line(self.title, MAX_ABOUT), about, end) if part)

    @property
    def _duration(self) -> str:
        took = self.duration_ms
        if took is None:
            return ""
        return f"{took:.0f} ms" if took < 1000 else f"{took / 1000:.1f} s"

    @property
    def question(self) -> str:
        """What to ask before it runs."""
        return f"Allow the model to read {one_line(self._target)}?" if self.state is ToolState.ASKING else ""

    def ask(self, target: str) -> None:
        """Wait for a person, who is shown what will be read."""
        self._target = target
        self.state = ToolState.ASKING
        self.changed.emit()

    def answer(self, is_allowed: bool) -> None:
        """A person allowed it, or not."""
        if self.state is ToolState.ASKING:
            self.state = ToolState.RUNNING
            self.changed.emit()
            self.answered.emit(is_allowed)

    def finish(self, result: Any, duration_ms: float | None = None, *, failed: bool) -> None:
        """It is over, also for a person who was asked."""
        self.answer(False)
        self.result, self.duration_ms = result, duration_ms
        self.state = ToolState.FAILED if failed else ToolState.DONE
        self.changed.emit()

    def abandon(self) -> None:
        """The answer ended before it did."""
        if self.is_open:
            self.finish({"error": "The answer was stopped."}, failed=True)

    def toggle(self) -> None:
        """Show or hide arguments and result."""
        self.is_expanded = not self.is_expanded
        self.changed.emit()


class Toolbox:
    """Runs the built-in tools, each call on a thread of its own. All are off until a person turns them on."""

    def __init__(self, settings: Settings, tools: Sequence[BuiltIn]) -> None:
        self.all = tuple(tools)
        self._settings = settings
        self._threads: list[threading.Thread] = []

    @property
    def offered(self) -> tuple[Tool, ...]:
        """The declarations of those that are on."""
        on = self._settings.tools
        return tuple(each.tool for each in self.all if each.tool.name in on)

    def is_on(self, name: str) -> bool:
        """Whether the model may call it."""
        return name in self._settings.tools

    def turn(self, name: str, is_on: bool) -> None:
        """Let the model call it, or not."""
        self._settings.tools = (self._settings.tools | {name}) if is_on else (self._settings.tools - {name})

    def title_of(self, name: str) -> str:
        """What a person calls it."""
        found = self._find(name)
        return found.title if found else name

    def executor(self, ask_person: AskPerson) -> Execute:
        """Runs the calls of one answer, each after a person allowed it where that is needed."""
        for thread in [thread for thread in self._threads if not thread.is_alive()]:
            self._threads.remove(thread)

        def execute(call: ToolCall, stop: threading.Event) -> ToolOutcome:
            self._threads.append(threading.current_thread())
            return ToolOutcome(self._run(call, ask_person))

        return execute

    def close(self) -> None:
        """Wait a moment for what still runs."""
        for thread in self._threads:
            thread.join(timeout=CLOSE_S)

    def _find(self, name: str) -> BuiltIn | None:
        return next((each for each in self.all if each.tool.name == name), None)

    def _run(self, call: ToolCall, ask_person: AskPerson) -> Any:
        """What a call gives; raises ToolError. What a person was asked about is what is read."""
        found = self._find(call.name)
        if found is None or not self.is_on(call.name):
            raise ToolError("This tool is switched off.")
        try:
            place = found.find(call.arguments)
            if place is None:
                return found.run(call.arguments)
            if not ask_person(call, str(place)):
                raise ToolError(REFUSED)
            return found.read(place)
        except ToolError:
            raise
        except Exception as error:  # whatever went wrong, the model is told
            _log.exception("the tool %s failed", call.name)
            raise ToolError("The tool did not work.") from error


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)

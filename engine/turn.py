"""One turn of the model, token after token: what is heard of it, what it may write next, and when it ends."""

from collections.abc import Callable, Collection, Iterable

import mlx.core as mx

from engine.events import (
    FinishReason,
    TextDelta,
    ThoughtDelta,
    ThoughtEnd,
    ToolCalled,
    ToolCallRefused,
)
from engine.generation.constraint import Constraint, Constraints
from engine.generation.loops import LoopDetector
from engine.messages import Message, Part, Text
from engine.options import NamedTool, Options
from engine.prompt.special_tokens import Special
from engine.response.parser import ParserEvent, ResponseParser
from engine.tool_loop import as_calls

__all__ = ["Turn"]

_AFTER_CALL = (Special.BEGIN_TOOL_CALL, Special.BEGIN_TOOL_RESPONSE, Special.END_TURN)


class Turn:
    """Feed it each token; `reason` says when it is over, `forced` and `mask` what comes next.

    A thought is free, whatever form the answer must have, and it does not count as answer. It is closed when its
    budget is spent, when the person asks for the answer, or when it repeats itself, and is not opened again.
    """

    def __init__(
        self,
        parser: ResponseParser,
        options: Options,
        constraints: Constraints,
        *,
        stop_ids: Collection[int],
        answer_now: Callable[[], bool],
    ) -> None:
        self.reason: FinishReason | None = None
        self.forced: int | None = None
        """What must be written next, whatever the model would."""
        self.calls: list[ToolCalled | ToolCallRefused] = []
        """In the order in which they were written."""
        self._parser = parser
        self._options = options
        self._constraints = constraints
        self._stop_ids = stop_ids
        self._answer_now = answer_now
        self._loops = LoopDetector()
        self._format = constraints.for_format(options.format) if options.format is not None else None
        self._call: Constraint | None = None
        self._num_answer = 0
        self._may_think = options.thinking
        self._is_closed = False
        self._text: list[str] = []
        self._thought: list[str] = []

    def take(self, token: int) -> list[ParserEvent]:
        """The events that a token causes."""
        was_thinking = self._parser.in_thought
        events = self._parser.push(token)
        self._note(events)
        if was_thinking != self._parser.in_thought:
            self._loops = LoopDetector()
        self._loops.push(token)
        self.forced = None
        if self._parser.in_thought:
            self._watch_thought()
        elif not was_thinking:
            self._num_answer += 1
            self._advance(token)
        self.reason = self._ended(token)
        return events

    def finish(self) -> list[ParserEvent]:
        """What was still held back; call it once, at the end."""
        events = self._parser.finish()
        self._note(events)
        return events

    def mask(self) -> mx.array | None:
        """Added to the logits [V] of the next token; None where everything may follow."""
        if self._parser.in_thought:
            return None
        if self._call is not None:
            return self._call.mask()
        if self.calls:
            return self._constraints.only(_AFTER_CALL)
        thinks = [Special.BEGIN_CHANNEL] if self._may_think else []
        if self._must_call:
            return self._constraints.only([Special.BEGIN_TOOL_CALL, *thinks])
        if self._format is not None:
            calls = [Special.BEGIN_TOOL_CALL] if self._offers_tools and not self._num_answer else []
            return self._constraints.allowing(self._format.mask(), [*thinks, *calls])
        return self._constraints.forbidding([Special.BEGIN_CHANNEL]) if self._is_closed else None

    @property
    def message(self) -> Message:
        """What was written, for the conversation; a call that could not be read is there by its name."""
        text: list[Part] = [Text("".join(self._text))] if self._text else []
        return Message("assistant", (*text, *as_calls(self.calls)), "".join(self._thought))

    @property
    def _offers_tools(self) -> bool:
        return bool(self._options.tools) and self._options.tool_choice != "none"

    @property
    def _must_call(self) -> bool:
        return self._options.tool_choice == "required" or isinstance(self._options.tool_choice, NamedTool)

    def _note(self, events: Iterable[ParserEvent]) -> None:
        for event in events:
            match event:
                case TextDelta(text):
                    self._text.append(text)
                case ThoughtDelta(text):
                    self._thought.append(text)
                case ToolCalled() | ToolCallRefused():
                    self.calls.append(event)
                case _:
                    pass

    def _watch_thought(self) -> None:
        """Close it at the next whole character if it has to end."""
        self._may_think = False
        why = self._why_closed()
        if why is not None and self._parser.at_character_boundary:
            self._parser.close_thought(why)
            self.forced, self._is_closed = Special.END_CHANNEL, True

    def _why_closed(self) -> ThoughtEnd | None:
        if self._parser.thought_tokens >= self._options.thinking_budget:
            return "budget"
        if self._answer_now():
            return "answer_now"
        return "loop" if self._loops.is_looping else None

    def _advance(self, token: int) -> None:
        """Tell the grammars what was written outside of thoughts."""
        self._may_think = False
        if self._call is not None:
            self._call.advance(token)
            if token == Special.END_TOOL_CALL:
                self._call = None
        elif token == Special.BEGIN_TOOL_CALL and self._offers_tools:
            self._call = self._constraints.for_call(self._options.tools, self._options.tool_choice)
        elif self._format is not None and not self.calls:
            self._format.advance(token)

    def _ended(self, token: int) -> FinishReason | None:
        if self._parser.stopped_by_string:
            return "stop_string"
        if token in self._stop_ids or self._parser.is_over:
            return "tool_calls" if self.calls else "end_of_turn"
        if self._num_answer >= self._options.max_new_tokens:
            return "length"
        return "loop" if self._loops.is_looping and not self._parser.in_thought else None

"""One turn of the model, token after token: what is heard of it, what it may write next, and when it ends."""

from collections.abc import Callable, Collection, Iterable

import mlx.core as mx

from engine.generation.constraint import Constraint, Grammars
from engine.generation.loops import LoopDetector
from engine.protocol.events import FinishReason, ThoughtEnd, ToolCalled, ToolCallRefused
from engine.protocol.options import Options
from engine.response.parser import ParserEvent, ResponseParser
from engine.tokens.special_tokens import Special

__all__ = ["Turn"]

MAX_CALLS = 16
"""Of one turn; then the results have to come."""

_AFTER_CALL = (Special.BEGIN_TOOL_RESPONSE, Special.END_TURN, Special.EOS)


class Turn:
    """Begin it and feed it each token; `reason` says when it is over, `forced` and `allowed` what comes next.

    A thought is free, whatever form the answer must have, and it does not count as answer. It is closed when its
    budget is spent, which one of 0 is as soon as it is open, when the person asks for the answer, now or earlier in
    this turn, or when it repeats itself; and it is not opened again.
    Raises PromptError for a form or a choice of tools that cannot be kept.
    """

    def __init__(
        self,
        parser: ResponseParser,
        options: Options,
        grammars: Grammars,
        *,
        stop_ids: Collection[int],
        answer_now: Callable[[], bool],
        begun: Iterable[int] = (),
    ) -> None:
        """`begun` are the tokens of the answer that are there already."""
        self.reason: FinishReason | None = None
        self.forced: int | None = None
        """What must be written next, whatever the model would."""
        self._parser = parser
        self._options = options
        self._grammars = grammars
        self._ends = {*stop_ids, Special.BEGIN_TURN}
        self._answer_now = answer_now
        self._is_hurried = False
        self._loops = LoopDetector(self._options.max_repeated)
        self._call = self._begin_call()
        self._form = self._begin_form(begun)
        self._num_answer = 0
        self._num_thought = int(parser.in_thought)  # with the marker that opened it
        self._may_think = options.thinking
        self._is_closed = False
        self._num_calls = 0

    def begin(self) -> list[ParserEvent]:
        """The events before the first token: a thought that the prompt opened may have to end at once."""
        self._is_hurried = self._answer_now()
        return self._watch_thought() if self._parser.in_thought else []

    def take(self, token: int) -> list[ParserEvent]:
        """The events that a token causes."""
        self._is_hurried |= self._answer_now()
        was_thinking = self._parser.in_thought
        closes_thought = token == Special.END_CHANNEL and (was_thinking or self.forced == token)
        events = self._parser.push(token)
        thinks = self._parser.in_thought
        self._loops = self._loops if thinks == was_thinking else LoopDetector(self._options.max_repeated)
        self._loops.push(token)
        self.forced = None
        if thinks:
            self._num_thought += 1
            events += self._watch_thought()
        elif not closes_thought:
            self._num_answer += 1
            self._may_think = False
            self._advance(token)
        self._num_calls += sum(isinstance(event, ToolCalled | ToolCallRefused) for event in events)
        self.reason = self._ended(token)
        return events

    def finish(self) -> list[ParserEvent]:
        """What was still held back; call it once, at the end."""
        return self._parser.finish()

    def allowed(self) -> mx.array | None:
        """Bool [V]: what may be written next; None where everything may."""
        if self._parser.in_thought:  # free, but an answer that must have a form cannot end in it
            return ~self._grammars.only(self._ends) if self._call or self._form else None
        grammar = self._call or self._form
        if grammar is not None:
            mask = grammar.mask()
            return mask | self._grammars.only([Special.BEGIN_CHANNEL]) if self._may_think else mask
        if self._num_calls:
            more = [Special.BEGIN_TOOL_CALL] if self._num_calls < MAX_CALLS else []
            return self._grammars.only([*_AFTER_CALL, *more])
        return ~self._grammars.only([Special.BEGIN_CHANNEL]) if self._is_closed else None

    @property
    def is_answering(self) -> bool:
        """Whether the last token belongs to the answer."""
        return self._num_answer > 0 and not self._parser.in_thought

    def _begin_call(self) -> Constraint | None:
        """The grammar of the call with which the turn must begin."""
        if self._options.tool_choice in ("auto", "none"):
            return None
        return self._grammars.for_call(self._options.tools, self._options.tool_choice)

    def _begin_form(self, begun: Iterable[int]) -> Constraint | None:
        """The grammar of the answer, which may be a call instead."""
        if self._options.format is None:
            return None
        form = self._grammars.for_answer(self._options.format, or_call=self._options.offers_tools)
        for token in begun:
            form.advance(token)
        return form

    def _watch_thought(self) -> list[ParserEvent]:
        """Close it at the next whole character if it has to end."""
        self._may_think = False
        why = self._why_closed()
        if why is None or not self._parser.at_character_boundary:
            return []
        self.forced, self._is_closed = Special.END_CHANNEL, True
        self._loops = LoopDetector(self._options.max_repeated)
        return self._parser.close_thought(why)

    def _why_closed(self) -> ThoughtEnd | None:
        if self._num_thought > self._options.thinking_budget:  # the marker that opens it is no part of the budget
            return "budget"
        if self._is_hurried:
            return "answer_now"
        return "loop" if self._loops.is_looping else None

    def _advance(self, token: int) -> None:
        """Tell the grammars what was written outside of thoughts."""
        if self._call is not None:
            self._call.advance(token)
            if token == Special.END_TOOL_CALL:
                self._call = self._form = None
        elif token == Special.BEGIN_TOOL_CALL and self._options.offers_tools:
            self._call = self._grammars.for_call(self._options.tools, "auto")
        elif self._form is not None:
            self._form.advance(token)

    def _ended(self, token: int) -> FinishReason | None:
        if self._parser.stopped_by_string:
            return "stop_string"
        if token in self._ends or self._parser.is_over:
            return "tool_calls" if self._num_calls else "end_of_turn"
        if self._num_answer >= self._options.max_new_tokens:
            return "length"
        return "loop" if self._loops.is_looping and not self._parser.in_thought else None

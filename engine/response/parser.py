"""What the model writes, by token id: channels become thoughts, calls become calls, the rest is the answer.

States and tokens are those of section 7.6 of the architecture reference. Markers are never text, and no character of a
call is shown as text. Only `<tool_call|>` ends a call: until then other markers in it are dropped like everywhere, and
a call that another one or the end cuts off is refused. When no tools were offered, calls are dropped whole.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum, auto
from itertools import count

from engine.answer import Answer
from engine.protocol.events import (
    TextDelta,
    ThoughtDelta,
    ThoughtEnd,
    ThoughtFinished,
    ThoughtStarted,
    ToolCalled,
    ToolCallRefused,
)
from engine.protocol.messages import Message, Text, ToolCall
from engine.protocol.tools import Tool
from engine.response.arguments import RefusedCall
from engine.response.stop_strings import StopStrings
from engine.response.tool_calls import QUOTE, named_tool, plain_text, read_call
from engine.tokens.special_tokens import Special
from engine.tokens.stream_decoder import StreamDecoder
from engine.tokens.tokenizer import Tokenizer

__all__ = ["ParserEvent", "ResponseParser", "free_call_ids", "parse"]

ParserEvent = ThoughtStarted | ThoughtDelta | ThoughtFinished | TextDelta | ToolCalled | ToolCallRefused


def free_call_ids(messages: Sequence[Message] = ()) -> Iterator[str]:
    """Ids of calls: call_1, call_2 and so on, without those that a conversation has already."""
    taken = {call.id for message in messages for call in message.calls}
    return (id_ for number in count(1) if (id_ := f"call_{number}") not in taken)


class _State(Enum):
    ANSWER = auto()
    NAME = auto()
    """After an opened channel, up to the first newline."""
    THOUGHT = auto()
    CALL = auto()


_THOUGHT_NAME = "thought"


class ResponseParser:
    """Feed it token ids one by one; `is_over` turns true at the token that ends the turn or completes a stop string.

    Begin inside a thought when the rendered prompt ends inside one (`Prompt.starts_in_thought`). A thought is
    announced with its first visible character, so an empty block that the model closes leaves no trace.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        starts_in_thought: bool = False,
        tools: Sequence[Tool] = (),
        stop: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
        call_ids: Iterator[str] | None = None,
    ) -> None:
        self.is_over = False
        self.thought_tokens = 0
        """Tokens of all thoughts so far, shown or not, with their names and without their markers."""
        self._clock = clock
        self._decoder = StreamDecoder(tokenizer)
        self._tools = tuple(tools)
        self._stop = StopStrings(stop)
        self._call_ids = call_ids or free_call_ids()
        self._state = _State.THOUGHT if starts_in_thought else _State.ANSWER
        self._opened_at, self._tokens_at_opening = clock(), 0
        self._name = ""
        self._call: list[str] = []
        self._thought_shown = self._had_thought = False
        self._trailing_space = ""

    @property
    def in_thought(self) -> bool:
        """Whether a channel is open."""
        return self._state in {_State.NAME, _State.THOUGHT}

    @property
    def at_character_boundary(self) -> bool:
        """Whether a marker forced on the model here cuts no character in two."""
        return self._decoder.is_at_boundary

    @property
    def stopped_by_string(self) -> bool:
        """Whether a stop string ended the answer."""
        return self._stop.is_found

    def push(self, token_id: int) -> list[ParserEvent]:
        """The events that this token causes."""
        match token_id:
            case Special.EOS | Special.END_TURN | Special.BEGIN_TOOL_RESPONSE | Special.BEGIN_TURN:
                return self.finish()
            case _:
                return [] if self.is_over else self._stopping(self._read(token_id))

    def close_thought(self, ended_by: ThoughtEnd) -> list[ParserEvent]:
        """What `<channel|>` does, when somebody else than the model closes the thought, which is told of though empty.

        Outside a thought: nothing.
        The forced token itself may be pushed afterwards; it is then a stray close.
        """
        return self._stopping(self._leave_channel(ended_by)) if self.in_thought and not self.is_over else []

    def finish(self) -> list[ParserEvent]:
        """Close whatever is open; call it once at the end of the stream."""
        if self.is_over:
            return []
        self.is_over = True
        events = self._cut_off_call() if self._state is _State.CALL else self._leave_channel("cut_off")
        return [*self._stopping(events), *_delta(self._stop.flush())]

    def _read(self, token_id: int) -> list[ParserEvent]:
        in_call = self._state is _State.CALL
        match token_id:
            case Special.BEGIN_TOOL_CALL:
                events = self._cut_off_call() if in_call else self._leave_channel("model")
                self._state = _State.CALL
                return events
            case Special.END_TOOL_CALL if in_call:
                return self._end_call()
            case Special.STRING_QUOTE if in_call:
                return [*self._flush(), *self._take(QUOTE)]
            case Special.BEGIN_CHANNEL if not in_call:
                return self._open_channel()
            case Special.END_CHANNEL if not in_call:
                return self._leave_channel("model")
            case _:
                self.thought_tokens += self.in_thought
                return self._take(self._decoder.push(token_id))

    def _stopping(self, events: list[ParserEvent]) -> list[ParserEvent]:
        """The events up to a stop string; text that could begin one waits for what follows it."""
        passed: list[ParserEvent] = []
        for event in events:
            if isinstance(event, TextDelta):
                passed += _delta(self._stop.push(event.text))
            else:
                passed += [*_delta(self._stop.flush()), event]
            if self._stop.is_found:
                self.is_over = True
                break
        return passed

    def _open_channel(self) -> list[ParserEvent]:
        events = self._flush() + self._end_name()
        if self._state is _State.ANSWER:
            self._opened_at, self._tokens_at_opening = self._clock(), self.thought_tokens
        self._state, self._name = _State.NAME, ""
        return events

    def _leave_channel(self, ended_by: ThoughtEnd) -> list[ParserEvent]:
        events = self._flush() + self._end_name() + self._end_thought(ended_by)
        self._state = _State.ANSWER
        return events

    def _end_call(self) -> list[ParserEvent]:
        written = self._leave_call()
        if not self._tools:
            return []
        try:
            name, arguments = read_call(written, self._tools)
        except RefusedCall as refusal:
            return [self._refused(written, str(refusal))]
        return [ToolCalled(ToolCall(name, arguments, next(self._call_ids)))]

    def _cut_off_call(self) -> list[ParserEvent]:
        written = self._leave_call()
        return [self._refused(written, _CUT_OFF)] if self._tools else []

    def _refused(self, written: str, why: str) -> ToolCallRefused:
        call = ToolCall(named_tool(written), {}, next(self._call_ids))
        return ToolCallRefused(plain_text(written), why, call)

    def _leave_call(self) -> str:
        """What was written of the call."""
        self._flush()
        written = "".join(self._call)
        self._call.clear()
        self._state = _State.ANSWER
        return written

    def _flush(self) -> list[ParserEvent]:
        return self._take(self._decoder.flush())

    def _end_name(self) -> list[ParserEvent]:
        """A channel that closes before any newline: what stood in the place of its name is the thought."""
        is_name = self._state is not _State.NAME or _THOUGHT_NAME.startswith(self._name.strip())
        return [] if is_name else self._take_thought(self._name.removeprefix(_THOUGHT_NAME))

    def _end_thought(self, ended_by: ThoughtEnd) -> list[ParserEvent]:
        self._name = self._trailing_space = ""
        if not self._thought_shown and ended_by in ("model", "cut_off"):
            return []
        started = [] if self._thought_shown else [ThoughtStarted()]
        self._thought_shown = False
        duration_ms = (self._clock() - self._opened_at) * 1000
        return [*started, ThoughtFinished(duration_ms, self.thought_tokens - self._tokens_at_opening, ended_by)]

    def _take(self, text: str) -> list[ParserEvent]:
        if not text:
            return []
        match self._state:
            case _State.ANSWER:
                return [TextDelta(text)]
            case _State.NAME:
                return self._take_name(text)
            case _State.THOUGHT:
                return self._take_thought(text)
            case _State.CALL:
                self._call.append(text)
                return []

    def _take_name(self, text: str) -> list[ParserEvent]:
        """Swallow the channel's name. Without a newline, text that cannot be the name is the thought itself."""
        self._name += text
        name, newline, rest = self._name.partition("\n")
        if newline:
            self._state = _State.THOUGHT
            return self._take_thought(rest)
        if len(name) > _MAX_NAME or " " in name:
            self._state, self._name = _State.THOUGHT, ""
            return self._take_thought(name.removeprefix(_THOUGHT_NAME))
        return []

    def _take_thought(self, text: str) -> list[ParserEvent]:
        """Trailing white space waits for what follows it, so the thought ends where its words end."""
        text = self._trailing_space + text
        if not self._thought_shown:
            text = text.lstrip()
        visible = text.rstrip()
        self._trailing_space = text[len(visible) :]
        if not visible:
            return []
        if self._thought_shown:
            return [ThoughtDelta(visible)]
        separator = "\n\n" if self._had_thought else ""
        self._thought_shown = self._had_thought = True
        return [ThoughtStarted(), ThoughtDelta(separator + visible)]


_MAX_NAME = 32
"""Longer than any channel's name."""

_CUT_OFF = "The call was cut off before its end and was not run. Write it again, shorter if it is long."


def _delta(text: str) -> list[TextDelta]:
    return [TextDelta(text)] if text else []


def parse(
    token_ids: Iterable[int], tokenizer: Tokenizer, *, starts_in_thought: bool = False, tools: Sequence[Tool] = ()
) -> Message:
    """A whole answer as a message: its text, then its calls; the same as streaming it. Refused calls are left out."""
    parser = ResponseParser(tokenizer, starts_in_thought=starts_in_thought, tools=tools)
    answer = Answer()
    for event in [event for token_id in token_ids for event in parser.push(token_id)] + parser.finish():
        if not isinstance(event, ToolCallRefused):
            answer.take(event)
    texts = [Text(answer.text)] if answer.text or not answer.calls else []
    return Message("assistant", (*texts, *answer.calls), answer.thought)

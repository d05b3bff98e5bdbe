"""What the model writes, by token id: channels become thoughts, the rest is the answer; markers are never text.

States and tokens are those of section 7.6 of the architecture reference. Tools are not offered to the model yet, so a
call that it writes all the same is dropped whole.
"""

import time
from collections.abc import Callable, Iterable
from enum import Enum, auto

from engine.events import TextDelta, ThoughtDelta, ThoughtFinished, ThoughtStarted
from engine.messages import Message, Text
from engine.prompt.special_tokens import Special
from engine.prompt.tokenizer import Tokenizer
from engine.response.stream_decoder import StreamDecoder

__all__ = ["ParserEvent", "ResponseParser", "parse"]

ParserEvent = ThoughtStarted | ThoughtDelta | ThoughtFinished | TextDelta


class _State(Enum):
    ANSWER = auto()
    NAME = auto()
    """After an opened channel, up to the first newline."""
    THOUGHT = auto()
    CALL = auto()
    """Inside a tool call, which nobody asked for."""


_THOUGHT_NAME = "thought"


class ResponseParser:
    """Feed it token ids one by one; `is_over` turns true at the first token that ends the turn.

    Begin inside a thought when the rendered prompt ends inside one (`Prompt.starts_in_thought`). A thought is
    announced with its first visible character, so an empty block leaves no trace.
    """

    def __init__(
        self, tokenizer: Tokenizer, *, starts_in_thought: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._decoder = StreamDecoder(tokenizer)
        self._state = _State.THOUGHT if starts_in_thought else _State.ANSWER
        self._opened_at = clock()
        self._name = ""
        self._thought_shown = self._had_thought = False
        self._trailing_space = ""
        self.is_over = False

    def push(self, token_id: int) -> list[ParserEvent]:
        """The events that this token causes."""
        if self.is_over:
            return []
        match token_id:
            case Special.EOS | Special.END_TURN | Special.BEGIN_TOOL_RESPONSE | Special.BEGIN_TURN:
                self.is_over = True
                return self.finish()
            case Special.BEGIN_CHANNEL:
                return self._open_channel()
            case Special.BEGIN_TOOL_CALL:
                return self._leave_channel(_State.CALL)
            case Special.END_CHANNEL:
                return self._leave_channel(_State.ANSWER)
            case Special.END_TOOL_CALL if self._state is _State.CALL:
                return self._leave_channel(_State.ANSWER)
            case _:
                return self._take(self._decoder.push(token_id))

    def finish(self) -> list[ParserEvent]:
        """Close whatever is open; call it once at the end of the stream."""
        return self._leave_channel(_State.ANSWER)

    def _open_channel(self) -> list[ParserEvent]:
        events = self._flush()
        if self._state is _State.ANSWER:
            self._opened_at = self._clock()
        self._state, self._name = _State.NAME, ""
        return events

    def _leave_channel(self, state: _State) -> list[ParserEvent]:
        events = self._flush() + self._end_name() + self._end_thought()
        self._state = state
        return events

    def _flush(self) -> list[ParserEvent]:
        return self._take(self._decoder.flush())

    def _end_name(self) -> list[ParserEvent]:
        """A channel that closes before any newline: what stood in the place of its name is the thought."""
        is_name = self._state is not _State.NAME or _THOUGHT_NAME.startswith(self._name.strip())
        return [] if is_name else self._take_thought(self._name.removeprefix(_THOUGHT_NAME))

    def _end_thought(self) -> list[ParserEvent]:
        self._name = self._trailing_space = ""
        if not self._thought_shown:
            return []
        self._thought_shown = False
        return [ThoughtFinished((self._clock() - self._opened_at) * 1000)]

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


def parse(token_ids: Iterable[int], tokenizer: Tokenizer, *, starts_in_thought: bool = False) -> Message:
    """A whole answer as a message; the same as streaming it."""
    parser = ResponseParser(tokenizer, starts_in_thought=starts_in_thought)
    thought, answer = [], []
    for event in [event for token_id in token_ids for event in parser.push(token_id)] + parser.finish():
        match event:
            case ThoughtDelta(text):
                thought.append(text)
            case TextDelta(text):
                answer.append(text)
            case _:
                pass
    return Message("assistant", (Text("".join(answer)),), "".join(thought))

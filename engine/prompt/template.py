"""The canonical chat template (2026-07-09): messages to a sequence of texts, control tokens and places for media.

Two forms differ only in what follows `<|turn>model` when thinking is off: "compact" (E2B, E4B) nothing, "full" (the
larger sizes) an empty thought block.

One thing is not the vendor's: a message with text, calls and their results that nothing follows leaves its turn open,
as one without text does there. The vendor's template closes it and opens no other for the model to go on in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from engine.prompt.pieces import Piece, without_control_characters
from engine.prompt.tool_syntax import call_pieces, declaration_pieces, result_pieces
from engine.protocol.errors import PromptError
from engine.protocol.messages import Media, Message, Picture, Quote, Role, Sound, Text, ToolCall, ToolResult, Video
from engine.protocol.tools import Tool
from engine.tokens.special_tokens import Special

__all__ = ["Step", "begun_text", "clean_text", "continued", "render", "steps"]


@dataclass(frozen=True)
class Step:
    """A message that is not a tool's, and the tool messages that answer its calls."""

    message: Message
    results: tuple[Message, ...] = ()
    tells_thought: bool = False
    """It comes after the last user message: the model is at work and is told what it thought."""

    @property
    def is_pending(self) -> bool:
        """Its calls have no results yet."""
        return bool(self.message.calls) and not self.results

    @property
    def media(self) -> tuple[Media, ...]:
        """Of its results and its message, in the order in which they are told."""
        return tuple(part for message in (*self.results, self.message) for part in message.media)

    @property
    def given(self) -> list[tuple[ToolResult, tuple[Media, ...]]]:
        """Each result with its media."""
        found: list[tuple[ToolResult, tuple[Media, ...]]] = []
        for part in (part for message in self.results for part in message.parts):
            match part:
                case ToolResult():
                    found.append((part, ()))
                case Picture() | Sound() | Video():
                    result, media = found.pop()
                    found.append((result, (*media, part)))
                case Text() | Quote() | ToolCall():
                    pass
        return found

    def name_of(self, result: ToolResult) -> str:
        """The tool that gave a result."""
        names = {call.id: call.name for call in self.message.calls}
        return names.get(result.call_id) or result.name or "unknown"


def render(
    messages: Sequence[Message],
    *,
    thinking: bool,
    compact: bool,
    tools: Sequence[Tool] = (),
    continues: bool = False,
    open_answer: bool = True,
) -> list[Piece]:
    """The whole prompt, from `<bos>` to the opened answer (or to the end of the last turn).

    continues: end inside the last message, an assistant's, with its text (or, without text, its thought) as it is up
    to the last character, so that what the model writes next joins it. An empty one is answered anew.
    Raises PromptError for parts where they cannot stand, and for tools, calls and results that cannot be written.
    """
    if continues:
        messages, continues = continued(messages)
    told = steps(messages)
    opening = told.pop(0).message if told and told[0].message.role in ("system", "developer") else None
    pieces: list[Piece] = [Special.BOS]
    if thinking or tools or opening is not None:
        pieces += _system_turn(opening, thinking, tools)
    for index, step in enumerate(told):
        before = told[index - 1].message.role if index else None
        after = told[index + 1].message.role if index + 1 < len(told) else None
        is_cut = continues and after is None
        if not before == step.message.role == "assistant":  # consecutive assistant messages share one model turn
            pieces += _turn_start(step.message.role)
        pieces += _cut_message(step.message) if is_cut else _message(step)
        if not is_cut:
            pieces += _turn_end(step, after)
    if open_answer and not continues:
        pieces += _answer_start(told[-1] if told else None, thinking=thinking, compact=compact)
    return pieces


def steps(messages: Sequence[Message]) -> list[Step]:
    """Messages with their results. Results that follow no call are left out; raises PromptError for their media."""
    messages = [message.written for message in messages]
    last_user = max((index for index, message in enumerate(messages) if message.role == "user"), default=-1)
    found: list[Step] = []
    for index, message in enumerate(messages):
        _check_parts(message)
        if message.role != "tool":
            found.append(Step(message, tells_thought=index > last_user))
        elif found and found[-1].message.calls:
            found[-1] = replace(found[-1], results=(*found[-1].results, message))
        elif message.media:
            raise PromptError("A picture, sound or video belongs to a tool whose call is gone. Remove it.")
    return found


def continued(messages: Sequence[Message]) -> tuple[Sequence[Message], bool]:
    """What to render to go on with the last message, and whether anything of it is there to go on with."""
    last = messages[-1] if messages else None
    if last is None or last.role != "assistant":
        raise PromptError("Only an answer can be continued, and the last message is none. Ask for a new answer.")
    if last.calls or last.media:
        raise PromptError("An answer that ends with a call of a tool cannot be continued. Ask for a new answer.")
    if clean_text(last.text, "assistant") or last.thought:
        return messages, True
    return messages[:-1], False


def _check_parts(message: Message) -> None:
    if message.role == "tool" and (
        not isinstance(next(iter(message.parts), None), ToolResult) or any(isinstance(p, Text) for p in message.parts)
    ):
        raise PromptError("A message of the tool holds results, each before its media. Put a text into a result.")
    for part in message.parts:
        if isinstance(part, ToolCall) and message.role != "assistant":
            raise PromptError(f"A message of the {message.role} cannot hold the call of a tool.")
        if isinstance(part, ToolResult) and message.role != "tool":
            raise PromptError(f"A message of the {message.role} cannot hold the result of a tool.")


def _system_turn(opening: Message | None, thinking: bool, tools: Sequence[Tool]) -> Iterator[Piece]:
    yield from _turn_start("system")
    if thinking:
        yield Special.THINK
        yield "\n"
    if opening is not None:
        yield from _system_text(opening)
    for tool in tools:
        yield from declaration_pieces(tool)
    yield Special.END_TURN
    yield "\n"


def _system_text(message: Message) -> Iterator[Piece]:
    """One text as it is, stripped; of several, each stripped and followed by a space. No place for media."""
    if message.media:
        raise PromptError("The system text cannot hold pictures or sounds. Put them into a message of the user.")
    texts = [clean_text(part.text, message.role) for part in message.parts if isinstance(part, Text)]
    yield from texts if len(texts) == 1 else [text + " " for text in texts]


def _turn_start(role: Role) -> tuple[Piece, ...]:
    return Special.BEGIN_TURN, ("model" if role == "assistant" else role) + "\n"


def _message(step: Step) -> Iterator[Piece]:
    """Thought, calls, results, text: in this order, whatever the model wrote first."""
    if step.tells_thought and step.message.thought:
        yield from _thought(step.message.thought)
    for call in step.message.calls:
        yield from call_pieces(call)
    for result, media in step.given:
        yield from result_pieces(step.name_of(result), result.content)
        yield from media
    for part in step.message.parts:
        if isinstance(part, Text):
            yield clean_text(part.text, step.message.role)
        elif isinstance(part, Media):
            yield part


def begun_text(message: Message) -> str:
    """The text of an answer that is not finished, up to its last character; empty when there is none."""
    *earlier, last = [part.text for part in message.parts if isinstance(part, Text)] or [""]
    text = "".join(clean_text(each, "assistant") for each in earlier) + clean_text(last, "assistant", keeps_end=True)
    return text if text.strip() else ""


def _cut_message(message: Message) -> Iterator[Piece]:
    """An answer that is not finished, or its thought when it has no text."""
    text = begun_text(message)
    if not text:
        yield Special.BEGIN_CHANNEL
        yield "thought\n" + without_control_characters(message.thought)
        return
    if message.thought:
        yield from _thought(message.thought)
    yield text


def _thought(text: str) -> tuple[Piece, ...]:
    return Special.BEGIN_CHANNEL, f"thought\n{without_control_characters(text)}\n", Special.END_CHANNEL


def _turn_end(step: Step, after: Role | None) -> tuple[Piece, ...]:
    """Nothing where the model goes on in the same turn; after calls without results, the place for them."""
    if step.is_pending:
        return (Special.BEGIN_TOOL_RESPONSE,)
    if step.message.role == "assistant" == after or (step.results and after is None):
        return ()
    return Special.END_TURN, "\n"


def _answer_start(last: Step | None, *, thinking: bool, compact: bool) -> tuple[Piece, ...]:
    """What the model goes on from."""
    if last is not None and last.is_pending:
        return ()
    if last is not None and last.results:
        return (Special.BEGIN_CHANNEL, "thought\n") if thinking else ()
    empty_thought = () if thinking or compact else (Special.BEGIN_CHANNEL, "thought\n", Special.END_CHANNEL)
    return *_turn_start("assistant"), *empty_thought


def clean_text(text: str, role: Role, *, keeps_end: bool = False) -> str:
    """Stripped, without control characters, which a person cannot see and a model should not, without old thoughts."""
    text = without_control_characters(text)
    if role == "assistant":  # as the vendor's template does: a thought that is never closed goes on to the end
        text = "".join(part.partition("<|channel>")[0] for part in text.split("<channel|>"))
    return text.lstrip() if keeps_end else text.strip()

"""An answer as the list of its steps, in order: the one place where events are put together."""

from collections.abc import Iterable, Sequence

import msgspec

from engine.protocol.events import (
    EngineEvent,
    TextDelta,
    ThoughtDelta,
    ThoughtEnd,
    ThoughtFinished,
    ThoughtStarted,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
)
from engine.protocol.messages import Media, Message, Part, Text, ToolCall, ToolResult

__all__ = ["Answer", "Returned", "Step", "Thought", "messages_of"]

NOT_RUN = "It was not run."


class Thought(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="thought"):
    """What the model thought before it went on."""

    text: str
    duration_ms: float | None = None
    """None while it runs, and for one that was broken off."""
    ended_by: ThoughtEnd = "model"


class Returned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="returned"):
    """What a call gave, with the pictures, sounds and videos that belong to it."""

    result: ToolResult
    media: tuple[Media, ...] = ()
    duration_ms: float | None = None
    """None where nobody measured it."""
    failed: bool = False


Step = Thought | Text | ToolCall | Returned


class Answer:
    """Give it each event; `steps` are whole at any moment, also of an answer that was broken off."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self._steps = list(steps)
        self._open: type[Thought | Text] | None = None
        self._pieces: list[str] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """What it consists of so far."""
        self._join()
        return tuple(self._steps)

    @property
    def text(self) -> str:
        """What was said, without thoughts and calls. What stands on both sides of calls are paragraphs of their own."""
        return "\n\n".join(filter(None, map(_said, _rounds(self.steps))))

    @property
    def thought(self) -> str:
        """What was thought, each thought a paragraph of its own."""
        return "\n\n".join(step.text.strip() for step in self.steps if isinstance(step, Thought) and step.text)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls, in order."""
        return tuple(step for step in self.steps if isinstance(step, ToolCall))

    @property
    def media(self) -> tuple[Media, ...]:
        """What calls gave to see or hear, in order."""
        return tuple(media for step in self.steps if isinstance(step, Returned) for media in step.media)

    @property
    def messages(self) -> tuple[Message, ...]:
        """It as the model is told of it."""
        return messages_of(self.steps)

    def take(self, event: EngineEvent) -> None:
        """Note what an event adds; those that add nothing are left out."""
        match event:
            case TextDelta(text):
                self._add(Text, text)
            case ThoughtStarted():
                self._close()
                self._add(Thought, "")
            case ThoughtDelta(text):
                self._add(Thought, text)
            case ThoughtFinished(duration_ms, ended_by=ended_by):
                self._close()
                thought = self._steps[-1] if self._steps else None
                if isinstance(thought, Thought):
                    self._steps[-1] = Thought(thought.text, duration_ms, ended_by)
            case ToolCalled() | ToolCallRefused():
                self._close()
                self._steps.append(event.call)
            case ToolFinished(result, duration_ms, failed, media):
                self._close()
                self._steps.append(Returned(result, media, duration_ms, failed))
            case _:
                pass

    def _add(self, kind: type[Thought | Text], text: str) -> None:
        """More of the open step, or a new one."""
        if self._open is not kind:
            self._close()
            self._open = kind
            self._steps.append(kind(""))
        self._pieces.append(text)

    def _join(self) -> None:
        """Put what came since the last time to the open step: once for many pieces, as copying takes its time."""
        step = self._steps[-1] if self._pieces else None
        if isinstance(step, Thought | Text):
            self._steps[-1] = msgspec.structs.replace(step, text=step.text + "".join(self._pieces))
            self._pieces.clear()

    def _close(self) -> None:
        self._join()
        self._open = None


def messages_of(steps: Sequence[Step]) -> tuple[Message, ...]:
    """An answer as messages: one of the model for each of its turns, and one of the results between two of them.

    A call without a result is told that it was not run: each must have one.
    """
    messages: list[Message] = []
    for turn, results in _rounds(steps):
        thought = "".join(step.text for step in turn if isinstance(step, Thought))
        parts = _joined([step for step in turn if not isinstance(step, Thought | Returned)])
        done = {step.result.call_id for step in results}
        calls = [part for part in parts if isinstance(part, ToolCall) and part.id not in done]
        if parts or thought:
            messages.append(Message("assistant", tuple(parts), thought))
        told: list[Part] = [part for step in results for part in (step.result, *step.media)]
        told += [ToolResult({"error": NOT_RUN}, call.id, call.name) for call in calls]
        if told:
            messages.append(Message("tool", tuple(told)))
    return tuple(messages)


def _said(round_: tuple[list[Step], list[Returned]]) -> str:
    """The text of one turn of the model."""
    return "".join(step.text for step in round_[0] if isinstance(step, Text))


def _rounds(steps: Sequence[Step]) -> list[tuple[list[Step], list[Returned]]]:
    """Turns of the model, each with the results of its calls."""
    rounds: list[tuple[list[Step], list[Returned]]] = []
    for step in steps:
        if not rounds or (rounds[-1][1] and not isinstance(step, Returned)):
            rounds.append(([], []))
        if isinstance(step, Returned):
            rounds[-1][1].append(step)
        else:
            rounds[-1][0].append(step)
    return rounds


def _joined(parts: Sequence[Text | ToolCall]) -> list[Part]:
    """Texts that only a thought stood between are one."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(last, Text):
            joined[-1] = Text(last.text + part.text)
        else:
            joined.append(part)
    return joined

"""Many short questions to a model: each is answered by itself, several of them at once, as rows."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from engine.engine import Engine
from engine.protocol.errors import EngineError
from engine.protocol.events import (
    EngineEvent,
    Event,
    Finished,
    FinishReason,
    Logprob,
    Logprobs,
    ModelInfo,
    PromptReady,
    Receipt,
    TextDelta,
)
from engine.protocol.messages import Message
from engine.protocol.options import GREEDY, Options
from engine.runtime.answering import Answering
from engine.runtime.scheduler import MAX_QUEUED

__all__ = ["MOST_AT_ONCE", "Answered", "Ask", "Asking", "ask_engine", "most_at_once", "put_together"]

MOST_AT_ONCE = 8
"""Questions under way to a model that is asked for whole pages, each of which holds a long state."""


@dataclass(frozen=True)
class Ask:
    """One question. With `num_logprobs` of 1 the answer says how likely its tokens were."""

    messages: tuple[Message, ...]
    options: Options = Options(GREEDY, num_logprobs=1)


@dataclass(frozen=True)
class Answered:
    """What came of a question."""

    text: str
    reason: FinishReason | None
    """Why it ended; None for one that failed."""
    logprobs: tuple[Logprob, ...] = ()
    """Of its tokens."""
    num_soft_tokens: int = 0
    """Of its pictures, sounds and videos."""
    error: str = ""
    """A sentence for one that failed."""

    @property
    def confidence(self) -> float | None:
        """The lowest log-probability of its tokens, at most 0; None where nobody measured any."""
        return min((min(each.logprob, 0.0) for each in self.logprobs), default=None)


class Asking(Protocol):
    """Something that gives answers."""

    def __call__(self, asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        """The answers with the place of their question, in the order in which they end.

        Questions are taken only as their turn comes. One that cannot be answered stops no other. Where nobody waits
        any more, the rest ends with the reason "cancelled".
        """
        ...


def most_at_once(info: ModelInfo) -> int:
    """Questions under way: of a model that reads pieces of lines, as many as the scheduler has rows for."""
    return MAX_QUEUED if info.traits.max_line_characters else MOST_AT_ONCE


def ask_engine(engine: Engine, cancelled: Callable[[], bool] = lambda: False) -> Asking:
    """Answers of an engine on this thread."""

    def ask(asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        waiting, running = enumerate(asks), dict[int, tuple[Answering, list[Event]]]()
        most = most_at_once(engine.info)
        try:
            while True:
                for index, each in islice(waiting, most - len(running)):
                    begun = engine.start(each.messages, each.options, cancelled, is_interactive=False, is_once=True)
                    running[index] = begun, []
                if not running:
                    return
                engine.advance()
                for index, (answering, events) in list(running.items()):
                    events.extend(answering.events)
                    answering.events.clear()
                    if answering.phase == "over":
                        del running[index]
                        yield index, put_together(events, answering.error)
        finally:
            for answering, _ in running.values():
                engine.withdraw(answering)

    return ask


def put_together(events: Iterable[EngineEvent], error: BaseException | None = None) -> Answered:
    """The events of one answer. An error that is not the person's situation is raised."""
    if error is not None and not isinstance(error, EngineError):
        raise error
    text, logprobs, num_soft_tokens, reason = list[str](), list[Logprob](), 0, None
    for event in events:
        match event:
            case PromptReady(pictures=pictures, sounds=sounds, videos=videos):
                receipts: tuple[Receipt, ...] = (*pictures, *sounds, *videos)
                num_soft_tokens = sum(receipt.num_soft_tokens for receipt in receipts)
            case TextDelta(delta):
                text.append(delta)
            case Logprobs(chosen):
                logprobs.append(chosen)
            case Finished():
                reason = event.reason
            case _:
                pass
    return Answered("".join(text), reason, tuple(logprobs), num_soft_tokens, str(error or ""))

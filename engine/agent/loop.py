"""Answers in several turns: the model calls tools, they are run, and it goes on from their results.

Plain Python over whatever gives one turn of a model: an `Engine` in this process, or a client of one in another. While
a tool runs, that is free for others.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from engine.agent.tools import Execute, ToolError, ToolOutcome, check_outcome
from engine.answer import Answer
from engine.protocol.errors import ContextFull, EngineError, shortened, without_surrogates
from engine.protocol.events import (
    Event,
    Failed,
    Finished,
    FinishReason,
    ModelInfo,
    Stats,
    ToolCalled,
    ToolCallRefused,
    ToolFinished,
)
from engine.protocol.messages import Message, ToolCall, ToolResult
from engine.protocol.options import Options

__all__ = ["Ask", "Responder", "respond", "take_turns"]

MAX_REPETITIONS = 3
"""The same call with the same arguments so often, and the model goes round in circles."""

POLL_S = 0.05

Called = ToolCalled | ToolCallRefused

Ask = Callable[[Sequence[Message], Options], Iterable[Event]]
"""One turn of the model: its events, to Finished or Failed. May raise EngineError before the first."""


class Responder(Protocol):
    """Anything that answers as `Engine` does."""

    @property
    def info(self) -> ModelInfo:
        """The model that answers."""

    def respond(
        self,
        messages: Sequence[Message],
        options: Options = ...,
        cancelled: Callable[[], bool] = ...,
        *,
        answer_now: Callable[[], bool] = ...,
    ) -> Iterator[Event]:
        """One turn, as `Engine.respond`."""


def never() -> bool:
    """The default answer to "is it cancelled?"."""
    return False


def respond(
    engine: Responder,
    messages: Sequence[Message],
    options: Options = Options(),
    cancelled: Callable[[], bool] = never,
    *,
    answer_now: Callable[[], bool] = never,
    execute: Execute | None = None,
) -> Iterator[Event]:
    """Answer a conversation; the last event is Finished.

    execute: runs the model's calls, which then goes on from their results. Without it, an answer with calls ends with
    the reason "tool_calls".
    answer_now: asked before and at each token. Once true, the thoughts of that turn of the model are closed; after the
    results of tools it thinks again, until this is true again.
    Raises what `Engine.respond` raises before anything is computed. `cancelled` is asked while a tool runs, too.
    """

    def ask(messages: Sequence[Message], options: Options) -> Iterator[Event]:
        return engine.respond(messages, options, cancelled, answer_now=answer_now)

    if execute is None:
        return ask(messages, options)
    return take_turns(ask, messages, options, execute, engine.info.modalities, cancelled)


def take_turns(
    ask: Ask,
    messages: Sequence[Message],
    options: Options,
    execute: Execute,
    modalities: Collection[str],
    cancelled: Callable[[], bool] = never,
) -> Iterator[Event]:
    """The events of all turns, and one Finished or Failed behind them. `modalities` say which media may be given."""
    answer, rounds = Answer(), _Rounds(options, execute, modalities, cancelled)
    stats: list[Stats] = []
    while True:
        end, called = yield from _take_turn(ask, [*messages, *answer.messages], rounds.options, answer)
        if isinstance(end, Failed):
            is_later = bool(stats) and end.kind == ContextFull.__name__
            yield Finished("context_full", _total(stats)) if is_later else end
            return
        stats.append(end.stats)
        reason = end.reason
        if reason == "tool_calls":
            ended = yield from rounds.run(called, answer)
            if ended is None:
                continue
            reason = ended
        yield Finished(reason, _total(stats))
        return


def _take_turn(
    ask: Ask, messages: Sequence[Message], options: Options, answer: Answer
) -> Generator[Event, None, tuple[Finished | Failed, list[Called]]]:
    """Pass one turn on, but for its end, which is returned with its calls."""
    called: list[Called] = []
    try:
        for event in ask(messages, options):
            if isinstance(event, Finished | Failed):
                return event, called
            answer.take(event)
            if isinstance(event, Called):
                called.append(event)
            yield event
    except ContextFull as error:
        if not answer.steps:
            raise
        return Failed(ContextFull.__name__, str(error)), called
    raise AssertionError("a turn ended without Finished or Failed")


class _Rounds:
    """Calls are run: within a time, stoppable, and never in circles."""

    def __init__(
        self, options: Options, execute: Execute, modalities: Collection[str], cancelled: Callable[[], bool]
    ) -> None:
        self.options = options
        """Of the next turn."""
        self._num_run = 0
        self._execute = execute
        self._modalities = modalities
        self._cancelled = cancelled
        self._made: Counter[str] = Counter()

    def run(self, called: Sequence[Called], answer: Answer) -> Generator[ToolFinished, None, FinishReason | None]:
        """Run the calls one after the other; returns why the answer ends here, or None when the model may go on.

        What fails, takes too long or gives what no prompt can hold becomes a result as well: the model is told and can
        go on. After results it may call again, but need not, and begins no answer that it was to continue.
        """
        if not self._may_run(called):
            return "tool_rounds"
        self._num_run += 1
        for event in called:
            if isinstance(event, ToolCallRefused):
                finished: ToolFinished | None = _failure(event.call, event.message, time.monotonic())
            else:
                finished = self._run_call(event.call)
            if finished is None:
                return "cancelled"
            answer.take(finished)
            yield finished
        if self._cancelled():
            return "cancelled"
        choice = "none" if self.options.tool_choice == "none" else "auto"
        self.options = msgspec.structs.replace(self.options, tool_choice=choice, continues=False)
        return None

    def _may_run(self, called: Sequence[Called]) -> bool:
        """Whether a round is left, and none of the calls was made too often with the same arguments."""
        made = [json.dumps([event.call.name, event.call.arguments], sort_keys=True) for event in called]
        self._made.update(made)
        is_fresh = all(self._made[call] < MAX_REPETITIONS for call in made)
        return is_fresh and self._num_run < self.options.max_tool_rounds

    def _run_call(self, call: ToolCall) -> ToolFinished | None:
        """What it gave, or None when the answer was cancelled meanwhile."""
        outcome: list[ToolOutcome | BaseException] = []
        done, stop = threading.Event(), threading.Event()

        def work() -> None:
            try:
                given = self._execute(call, stop)
                check_outcome(given, self._modalities)
                outcome.append(given)
            except BaseException as error:  # noqa: BLE001 - a tool is code of somebody else: even its exit is a result
                outcome.append(error)
            done.set()

        started = time.monotonic()
        timeout_s = self.options.tool_timeout_s
        threading.Thread(target=work, name=f"tool {call.name}", daemon=True).start()
        try:
            while not done.wait(POLL_S):
                if self._cancelled():
                    return None
                if time.monotonic() - started >= timeout_s:
                    return _failure(call, f"{call.name} took longer than {timeout_s:g} seconds.", started)
        finally:
            stop.set()
        match outcome[0]:
            case ToolOutcome(content, media, failed):
                return ToolFinished(ToolResult(content, call.id, call.name), _since(started), failed, media)
            case ToolError() | EngineError() as error:
                return _failure(call, str(error), started)
            case error:
                return _failure(call, f"{type(error).__name__}: {shortened(error)}", started)


def _failure(call: ToolCall, reason: str, started: float) -> ToolFinished:
    reason = without_surrogates(reason)  # a file's name may hold what no prompt can
    return ToolFinished(ToolResult({"error": reason}, call.id, call.name), _since(started), failed=True)


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _total(turns: Sequence[Stats]) -> Stats:
    """What the turns of an answer cost together; rates are without the time between them."""
    if len(turns) == 1:
        return turns[0]
    prefill = [(turn.num_prompt_tokens - turn.num_cached_tokens, turn.prefill_tokens_per_second) for turn in turns]
    decode = [(turn.num_new_tokens - 1, turn.decode_tokens_per_second) for turn in turns]
    return msgspec.structs.replace(
        turns[-1],
        num_new_tokens=sum(turn.num_new_tokens for turn in turns),
        time_to_first_token_ms=turns[0].time_to_first_token_ms,
        prefill_tokens_per_second=_rate(prefill),
        decode_tokens_per_second=_rate(decode),
        peak_memory_bytes=max(turn.peak_memory_bytes for turn in turns),
        num_drafted_tokens=sum(turn.num_drafted_tokens for turn in turns),
        num_accepted_tokens=sum(turn.num_accepted_tokens for turn in turns),
    )


def _rate(measured: Sequence[tuple[int, float]]) -> float:
    """Of all that were measured together: counts and their rates."""
    known = [(count, rate) for count, rate in measured if rate]
    seconds = sum(count / rate for count, rate in known)
    return sum(count for count, _ in known) / seconds if seconds else 0.0

"""The loop over turns and tools, above a model that is written down here: it needs no engine."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from engine.agent.loop import take_turns
from engine.agent.tools import Execute, ToolError, ToolOutcome
from engine.process.wire import encode
from engine.protocol.errors import ContextFull
from engine.protocol.events import Event, Failed, Finished, FinishReason, Stats, TextDelta, ToolCalled, ToolFinished
from engine.protocol.messages import Message, Picture, ToolCall, ToolResult, user
from engine.protocol.options import Options

NOTHING = Stats()
ALL = ("text", "picture", "video", "sound")


class Model:
    """Says these turns, one after the other, and remembers what it was told."""

    def __init__(self, *turns: Sequence[Event]) -> None:
        self.told: list[tuple[Message, ...]] = []
        self._turns = iter(turns)

    def __call__(self, messages: Sequence[Message], options: Options) -> Iterator[Event]:
        self.told.append(tuple(messages))
        yield from next(self._turns)


def calling(number: int, stats: Stats = NOTHING) -> list[Event]:
    return [ToolCalled(ToolCall("clock", {"number": number}, f"call_{number}")), Finished("tool_calls", stats)]


def noon(call: ToolCall, stop: threading.Event) -> ToolOutcome:
    return ToolOutcome("12:00")


def reason(events: Sequence[Event]) -> FinishReason:
    end = events[-1]
    assert isinstance(end, Finished)
    return end.reason


def test_rates_are_those_of_all_turns_together() -> None:
    first = Stats(10, 0, 3, 1000.0, prefill_tokens_per_second=10.0, decode_tokens_per_second=2.0, peak_memory_bytes=9)
    second = Stats(20, 14, 2, 400.0, prefill_tokens_per_second=6.0, decode_tokens_per_second=2.0, peak_memory_bytes=5)
    third = Stats(30, 30, 1, 200.0, peak_memory_bytes=7)
    model = Model(calling(1, first), calling(2, second), [TextDelta("Noon."), Finished("end_of_turn", third)])
    events = list(take_turns(model, [user("?")], Options(), noon, ALL))
    assert events[-1] == Finished("end_of_turn", Stats(30, 30, 6, 1000.0, 8.0, 2.0, 9))
    assert sum(isinstance(event, Finished) for event in events) == 1


def test_each_turn_is_told_all_that_was_called_and_given_before() -> None:
    model = Model(calling(1), calling(2), [Finished("end_of_turn", Stats())])
    list(take_turns(model, [user("?")], Options(), noon, ALL))
    first, second, third = model.told
    assert second[: len(first)] == first
    assert third[: len(second)] == second
    assert [message.role for message in third] == ["user", "assistant", "tool", "assistant", "tool"]
    assert third[-1].parts == (ToolResult("12:00", "call_2", "clock"),)


@pytest.mark.parametrize("is_raised", [False, True])
def test_a_context_that_results_have_filled_ends_the_answer_with_what_there_is(is_raised: bool) -> None:
    def full() -> Iterator[Event]:
        if is_raised:
            raise ContextFull(9, 8)
        yield Failed("ContextFull", "It is full.")

    cost = Stats(5, 0, 2)
    model = Model(calling(1, cost), full())  # type: ignore[arg-type]
    assert list(take_turns(model, [user("?")], Options(), noon, ALL))[-1] == Finished("context_full", cost)


def test_what_fails_fails_and_what_was_done_before_was_told() -> None:
    lost = Failed("EngineStopped", "The engine crashed.")
    events = list(take_turns(Model(calling(1), [lost]), [user("?")], Options(), noon, ALL))
    assert [type(event) for event in events] == [ToolCalled, ToolFinished, Failed]
    assert list(take_turns(Model([lost]), [user("?")], Options(), noon, ALL)) == [lost]


def stoppable(begun: threading.Event, stopped: threading.Event) -> Execute:
    """A tool that works until it is stopped, and says that it was."""

    def execute(call: ToolCall, stop: threading.Event) -> ToolOutcome:
        begun.set()
        if stop.wait(240):
            stopped.set()
        return ToolOutcome(None)

    return execute


def test_a_cancel_reaches_the_tool_that_runs() -> None:
    begun, stopped = threading.Event(), threading.Event()
    model = Model(calling(1))
    events = list(take_turns(model, [user("?")], Options(), stoppable(begun, stopped), ALL, begun.is_set))
    assert reason(events) == "cancelled"
    assert stopped.wait(240)


def test_a_tool_whose_time_is_up_is_told_so() -> None:
    begun, stopped = threading.Event(), threading.Event()
    model = Model(calling(1), [Finished("end_of_turn", Stats())])
    events = list(take_turns(model, [user("?")], Options(tool_timeout_s=0.01), stoppable(begun, stopped), ALL))
    assert stopped.wait(240)
    assert reason(events) == "end_of_turn"


def test_a_cancel_behind_the_last_result_asks_no_more() -> None:
    done: list[ToolCall] = []

    def execute(call: ToolCall, stop: threading.Event) -> ToolOutcome:
        done.append(call)
        return ToolOutcome(None)

    model = Model(calling(1))
    assert reason(list(take_turns(model, [user("?")], Options(), execute, ALL, lambda: bool(done)))) == "cancelled"


def test_a_picture_for_a_model_that_sees_nothing_is_the_tools_failure() -> None:
    def execute(call: ToolCall, stop: threading.Event) -> ToolOutcome:
        return replace(ToolOutcome("Drawn."), media=(Picture("plot.png"),))

    model = Model(calling(1), [Finished("end_of_turn", Stats())])
    events = list(take_turns(model, [user("?")], Options(), execute, ("text",)))
    finished = events[1]
    assert isinstance(finished, ToolFinished)
    assert finished.failed
    assert "cannot see pictures" in finished.result.content["error"]


@pytest.mark.parametrize("error", [ToolError("no caf\udce9.txt"), OSError("no caf\udce9.txt"), ValueError("x" * 10**6)])
def test_a_failure_can_be_told_and_is_short_whatever_it_says(error: Exception) -> None:
    def fail(call: ToolCall, stop: threading.Event) -> ToolOutcome:
        raise error

    model = Model(calling(1), [Finished("end_of_turn", NOTHING)])
    (finished,) = (e for e in take_turns(model, [user("?")], Options(), fail, ALL) if isinstance(e, ToolFinished))
    assert finished.failed
    assert len(encode(finished)) < 400

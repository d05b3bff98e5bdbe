"""Turns as they are kept, and back."""

from collections.abc import Callable, Sequence

from app.store import Costs, TurnState
from app.store import Turn as Record
from app.viewmodels.tools import ToolRun
from app.viewmodels.turns import AnswerState, AnswerTurn, Place, UserTurn
from engine import Message, Part, Text, ToolCall, ToolResult

__all__ = ["record_of", "restored"]

_KEPT: dict[AnswerState, TurnState] = {
    AnswerState.WAITING: "running",
    AnswerState.READING: "running",
    AnswerState.THINKING: "running",
    AnswerState.WRITING: "running",
    AnswerState.FINISHED: "complete",
    AnswerState.STOPPED: "stopped",
    AnswerState.INTERRUPTED: "interrupted",
    AnswerState.FAILED: "failed",
}
_RESTORED: dict[TurnState, AnswerState] = {
    "running": AnswerState.INTERRUPTED,
    "complete": AnswerState.FINISHED,
    "stopped": AnswerState.STOPPED,
    "interrupted": AnswerState.INTERRUPTED,
    "failed": AnswerState.FAILED,
}


def record_of(turn: UserTurn | AnswerTurn) -> Record:
    """What is kept of a turn, as it is now."""
    place = turn.place
    if isinstance(turn, UserTurn):
        costs = Costs(pictures=turn.receipts)
        return Record(place.id, place.parent, turn.message, created_at=place.created_at, costs=costs)
    runs = sorted(turn.runs, key=lambda run: run.round_number)
    return Record(
        place.id,
        place.parent,
        Message("assistant", (*_parts_of(runs), Text(turn.text)), turn.thought.text),
        state=_KEPT[turn.state],
        created_at=place.created_at,
        model=turn.model,
        thinking=turn.was_to_think,
        error=turn.error,
        reason=turn.reason,
        thought_seconds=turn.thought.seconds,
        stats=turn.stats,
        costs=Costs(tools_ms=tuple(run.duration_ms for run in runs)),
    )


def restored(record: Record, title_of: Callable[[str], str]) -> UserTurn | AnswerTurn:
    """The turn that was kept; `title_of` tells what a person calls a tool."""
    place = Place(record.parent, record.id, record.created_at)
    if record.message.role == "user":
        return UserTurn(record.message, place, record.costs.pictures)
    answer = AnswerTurn(place)
    answer.text, answer.error, answer.reason = record.message.text, record.error, record.reason
    answer.was_to_think = record.thinking
    answer.model, answer.stats, answer.state = record.model, record.stats, _RESTORED[record.state]
    answer.thought.restore(record.message.thought, record.thought_seconds)
    answer.runs = _restored_runs(record.message.parts, record.costs.tools_ms, title_of)
    return answer


def _parts_of(runs: Sequence[ToolRun]) -> list[Part]:
    """Calls and results in one row; a round ends where a call follows a result."""
    parts: list[Part] = []
    for number in sorted({run.round_number for run in runs}):
        of_round = [run for run in runs if run.round_number == number]
        parts += [run.call for run in of_round]
        parts += [ToolResult(run.result, run.call.id, run.call.name) for run in of_round]
    return parts


def _restored_runs(
    parts: Sequence[Part], durations_ms: Sequence[float | None], title_of: Callable[[str], str]
) -> list[ToolRun]:
    runs: list[ToolRun] = []
    durations = iter(durations_ms)
    number, was_result = 0, False
    for part in parts:
        if isinstance(part, ToolCall):
            number += was_result
            was_result = False
            runs.append(ToolRun(part, title_of(part.name), number, next(durations, None)))
        elif isinstance(part, ToolResult):
            was_result = True
            run = next((run for run in runs if run.round_number == number and run.call.id == part.call_id), None)
            if run is not None and part.content is not None:
                failed = isinstance(part.content, dict) and "error" in part.content
                run.finish(part.content, run.duration_ms, failed=failed)
    for run in runs:
        run.abandon()
    return runs

"""Turns as they are kept, and back."""

from collections.abc import Callable, Sequence

import msgspec

from app.store import Answered, Costs, TurnState, sound_parents
from app.store import Turn as Record
from app.viewmodels.conversation.turns import AnswerState, AnswerTurn, Place, UserTurn
from engine import Message

__all__ = ["record_of", "restored", "restored_turns"]

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
        costs = Costs(turn.receipts, turn.heard)
        return Record(place.id, place.parent, turn.message, created_at=place.created_at, costs=costs)
    return Record(
        place.id,
        place.parent,
        Answered(turn.steps),
        state=_KEPT[turn.state],
        created_at=place.created_at,
        model=turn.model,
        thinking=turn.was_to_think,
        error=turn.error,
        reason=turn.reason,
        stats=turn.stats,
    )


def restored_turns(
    records: Sequence[Record], title_of: Callable[[str], str], worded: Callable[[str, str], str]
) -> list[UserTurn | AnswerTurn]:
    """The turns of a conversation, as a tree that can be walked whatever the rows say."""
    parents = sound_parents([(record.id, record.parent) for record in records])
    return [
        restored(msgspec.structs.replace(record, parent=parents[record.id]), title_of, worded) for record in records
    ]


def restored(
    record: Record, title_of: Callable[[str], str], worded: Callable[[str, str], str] = lambda _model, text: text
) -> UserTurn | AnswerTurn:
    """The turn that was kept; `title_of` and `worded` as an AnswerTurn takes them."""
    place = Place(record.parent, record.id, record.created_at)
    if isinstance(record.message, Message):
        return UserTurn(record.message, place, record.costs.pictures, record.costs.sounds)
    answer = AnswerTurn(place, title_of=title_of, worded=worded)
    answer.error, answer.reason = record.error, record.reason
    answer.was_to_think = record.thinking
    answer.model, answer.stats, answer.state = record.model, record.stats, _RESTORED[record.state]
    answer.restore(record.message.steps)
    return answer

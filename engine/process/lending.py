"""A model lent to another thread: it stays as it is until it is given back, and answers questions meanwhile."""

import queue
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from types import TracebackType
from typing import Self, TypeVar

from engine.protocol.errors import Cancelled, EngineError, EngineStopped, NoModel
from engine.protocol.events import EngineEvent, Failed, Finished, ModelInfo
from engine.tasks.asking import Answered, Ask, Asking, most_at_once, put_together

__all__ = ["Loan", "LoanEnded", "Question"]

_POLL_S = 0.1
"""Between two looks at whether anybody still waits, or answers."""

T = TypeVar("T")

_ids = count(-1, -1)
"""Of questions; those of requests are positive."""


class Loan:
    """A model for one thread, as a context manager; what it asks for is done by the thread that computes.

    Entering waits for its turn among loads and answers, and raises EngineError where no model is loaded.
    """

    def __init__(
        self,
        submit: Callable[["Loan | Question | LoanEnded"], None],
        is_alive: Callable[[], bool],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self.is_cancelled = is_cancelled
        self._submit, self._is_alive = submit, is_alive
        self._granted: queue.SimpleQueue[ModelInfo | None] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[tuple[int, EngineEvent]] = queue.SimpleQueue()
        self._dropped: set[int] = set()

    def __enter__(self) -> Self:
        self._submit(self)
        try:
            info = self._next(self._granted)
            if info is None:
                raise NoModel
        except BaseException:
            self._submit(LoanEnded(self))
            raise
        self.info = info
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._submit(LoanEnded(self))

    def grant(self, info: ModelInfo | None) -> None:
        """On the thread that computes: it is this loan's turn."""
        self._granted.put(info)

    def tell(self, question_id: int, event: EngineEvent) -> None:
        """On the thread that computes: an event of a question."""
        self._heard.put((question_id, event))

    @property
    def asking(self) -> Asking:
        """Itself: what answers."""
        return self

    def __call__(self, asks: Iterable[Ask]) -> Iterator[tuple[int, Answered]]:
        """As `Asking`; raises Cancelled, EngineStopped."""
        waiting, running = enumerate(asks), dict[int, tuple[int, list[EngineEvent]]]()
        most = most_at_once(self.info)
        try:
            while True:
                for index, each in islice(waiting, most - len(running)):
                    question = Question(self, next(_ids), each)
                    running[question.id] = index, []
                    self._submit(question)
                if not running:
                    return
                question_id, event = self._next(self._heard)
                if question_id not in running:  # of questions that nobody waits for any more
                    continue
                running[question_id][1].append(event)
                if isinstance(event, Finished | Failed):
                    index, events = running.pop(question_id)
                    yield index, put_together(events, EngineError(event.message) if isinstance(event, Failed) else None)
        finally:
            self._dropped.update(running)

    def is_dropped(self, question_id: int) -> bool:
        """Whether nobody waits for the answer any more."""
        return question_id in self._dropped or self.is_cancelled()

    def _next(self, heard: "queue.SimpleQueue[T]") -> T:
        while True:
            if self.is_cancelled():
                raise Cancelled("The reading was stopped.")
            try:
                return heard.get(timeout=_POLL_S)
            except queue.Empty:
                if not self._is_alive():
                    raise EngineStopped("The engine has ended. Start it again.") from None


@dataclass(frozen=True)
class Question:
    """Something asked of a model that was lent."""

    loan: Loan
    id: int
    ask: Ask


@dataclass(frozen=True)
class LoanEnded:
    """The model may change again."""

    loan: Loan

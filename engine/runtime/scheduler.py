"""Whose chunk or step is next. Plain Python over jobs and rows: no MLX, no clock.

The work of one turn is a slice of a job's preparation (a prefill chunk, a layer of a tower) or one decode step of all
jobs that have a row. While some have one, slices and steps take turns, so that no running answer waits for more than
one slice of another's; but where there is only the queue, for which nobody waits word by word, its jobs are prepared
before a step is taken, so that its rows are full. Of the jobs in preparation the interactive ones come first, the one
served longest ago before the others, so a new one is served at the next slice; then those of the queue, in their order.
Nothing starves: the queue has every `QUEUE_SHARE`-th slice and one row.
"""

from collections.abc import Sequence
from typing import Generic, Literal, Protocol, TypeVar

__all__ = ["MAX_JOBS", "MAX_QUEUED", "QUEUE_SHARE", "Job", "Phase", "Rows", "Scheduler"]

QUEUE_SHARE = 8
"""One slice in so many is the queue's, however many interactive jobs there are."""

MAX_JOBS = 8
"""Interactive jobs that are begun at once, and rows of a decode step beside which somebody waits; the others wait, in
their order."""

MAX_QUEUED = 16
"""The same of the queue, and its rows where nobody waits: short answers of a small model are worth more together."""

Phase = Literal["preparing", "ready", "over"]


class Job(Protocol):
    """One answer on its way. What goes wrong in it is its own: nothing here raises but for the end of the program."""

    is_interactive: bool
    phase: Phase
    """A job that is ready writes whenever it has a row."""

    def look(self) -> None:
        """End it, if that was asked for."""
        ...

    def advance(self) -> bool:
        """Go on with a slice of the preparation; False if it only has something to tell first."""
        ...

    def release(self) -> None:
        """It is over and has no row any more."""
        ...


J = TypeVar("J", bound=Job)
Seated_contra = TypeVar("Seated_contra", contravariant=True)


class Rows(Protocol[Seated_contra]):
    """The rows of a decode step."""

    def fits(self, jobs: Sequence[Seated_contra]) -> bool:
        """Whether these can decode together."""
        ...

    def join(self, job: Seated_contra) -> None:
        """Give a job a row."""
        ...

    def leave(self, job: Seated_contra) -> None:
        """Take a row from a job, which can have one again."""
        ...

    def step(self) -> None:
        """One token of each job that has a row."""
        ...


class Scheduler(Generic[J]):
    """Serves jobs until they are over. `advance` does one piece of work."""

    def __init__(self, rows: Rows[J]) -> None:
        self._rows = rows
        self._jobs: list[J] = []
        """In the order of their arrival."""
        self._seated: list[J] = []
        self._begun: list[J] = []
        """Whose preparation has begun, the one served longest ago first."""
        self._current: J | None = None
        """In the middle of its slice."""
        self._is_step_next = False
        self._num_interactive = 0
        """Slices since the queue had one."""

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._jobs

    def add(self, job: J) -> None:
        """One more job."""
        self._jobs.append(job)

    def remove(self, job: J) -> None:
        """Forget a job at once, wherever it is; for one that is over already this does nothing."""
        if job in self._jobs:
            self._end(job)

    def advance(self) -> None:
        """One slice or one step; what ended in it, or was stopped before, is released."""
        for job in self._jobs:
            job.look()
        self._reap()
        if self._current is None:
            self._seat()
            self._current = self._next_slice()
        if self._current is not None:
            self._go_on_with(self._current)
        elif self._seated:
            self._rows.step()
            self._is_step_next = False
        self._reap()

    def _go_on_with(self, job: J) -> None:
        if job.advance():
            self._current, self._is_step_next = None, True
            self._num_interactive = self._num_interactive + 1 if job.is_interactive else 0

    def _next_slice(self) -> J | None:
        """The job whose slice is next; None if a step is, or nothing."""
        if self._seated and self._is_step_next and any(job.is_interactive for job in self._jobs):
            return None
        job = self._choose()
        if job is not None:
            self._begun = [*(each for each in self._begun if each is not job), job]
        return job

    def _choose(self) -> J | None:
        interactive, queue = self._preparing(is_interactive=True), self._preparing(is_interactive=False)
        if interactive and not (queue and self._num_interactive >= QUEUE_SHARE - 1):
            return min(interactive, key=lambda job: self._begun.index(job) if job in self._begun else -1)
        return queue[0] if queue else None

    def _preparing(self, *, is_interactive: bool) -> list[J]:
        """The jobs of a kind that may have a slice."""
        jobs = [job for job in self._jobs if job.is_interactive == is_interactive]
        waiting = [job for job in jobs if job not in self._begun]
        num_free = (MAX_JOBS if is_interactive else MAX_QUEUED) - (len(jobs) - len(waiting))
        admitted = {id(job) for job in waiting[:num_free]}
        return [job for job in jobs if job.phase == "preparing" and (job in self._begun or id(job) in admitted)]

    def _seat(self) -> None:
        """Rows for the interactive ones first, but one for the queue; in the order of their arrival.

        Rows grow: one that does not fit any more waits until there is room again.
        """
        ready = [job for job in self._jobs if job.phase == "ready"]
        if not ready or (len(ready) == len(self._seated) and self._rows.fits(self._seated)):
            return
        queue = [job for job in ready if not job.is_interactive]
        interactive = [job for job in ready if job.is_interactive][: MAX_JOBS - bool(queue)]
        most, wanted = MAX_JOBS if interactive else MAX_QUEUED, list[J]()
        for job in [*interactive[:1], *queue[:1], *interactive[1:], *queue[1:]]:
            if len(wanted) < most and self._rows.fits([*wanted, job]):
                wanted.append(job)
        for job in [job for job in self._seated if job not in wanted]:
            self._unseat(job)
        for job in [job for job in wanted if job not in self._seated]:
            self._rows.join(job)
            self._seated.append(job)

    def _unseat(self, job: J) -> None:
        self._seated.remove(job)
        self._rows.leave(job)

    def _reap(self) -> None:
        for job in [job for job in self._jobs if job.phase == "over"]:
            self._end(job)

    def _end(self, job: J) -> None:
        self._jobs.remove(job)
        if job in self._seated:
            self._unseat(job)
        if job in self._begun:
            self._begun.remove(job)
        if job is self._current:
            self._current = None
        job.release()

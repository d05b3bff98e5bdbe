"""Whose turn is next: with jobs that only count, and no clock but the pieces of work."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.runtime.scheduler import MAX_JOBS, MAX_QUEUED, QUEUE_SHARE, Phase, Scheduler


@dataclass(eq=False)
class FakeJob:
    """So many slices, then so many tokens; it may die in any of them."""

    name: int
    is_interactive: bool
    num_slices: int
    num_tokens: int
    dies_after: int = 10**9
    tells_first: bool = False
    phase: Phase = "preparing"
    is_cancelled: bool = False
    num_released: int = 0
    num_done: int = 0
    log: list[str] = field(default_factory=list)

    def look(self) -> None:
        if self.is_cancelled:
            self.phase = "over"

    def advance(self) -> bool:
        assert self.phase == "preparing"
        if self.tells_first:
            self.tells_first = False
            return False
        self.num_slices -= 1
        if self.num_slices == 0:
            self.phase = "ready"
        self.work(f"slice {self.name}")
        return True

    def work(self, what: str) -> None:
        self.log.append(what)
        self.num_done += 1
        if self.num_done == self.dies_after:
            self.phase = "over"

    def write(self) -> None:
        assert self.phase == "ready"
        self.num_tokens -= 1
        if self.num_tokens == 0:
            self.phase = "over"
        self.num_done += 1
        if self.num_done == self.dies_after:
            self.phase = "over"

    def release(self) -> None:
        self.num_released += 1


class FakeRows:
    """Rows that note who was served."""

    def __init__(self, log: list[str], max_fitting: int = MAX_QUEUED) -> None:
        self.jobs: list[FakeJob] = []
        self._log, self._max_fitting = log, max_fitting

    def fits(self, jobs: Sequence[FakeJob]) -> bool:
        return len(jobs) <= self._max_fitting

    def join(self, job: FakeJob) -> None:
        assert job not in self.jobs
        assert job.phase == "ready"
        self.jobs.append(job)
        assert len(self.jobs) <= (MAX_JOBS if any(each.is_interactive for each in self.jobs) else MAX_QUEUED)

    def leave(self, job: FakeJob) -> None:
        self.jobs.remove(job)

    def step(self) -> None:
        self._log.append("step " + " ".join(str(job.name) for job in self.jobs))
        for job in self.jobs:
            job.write()


class Stage:
    """A scheduler, its rows and what was done."""

    def __init__(self, max_fitting: int = MAX_QUEUED) -> None:
        self.log: list[str] = []
        self.rows = FakeRows(self.log, max_fitting)
        self.scheduler = Scheduler[FakeJob](self.rows)
        self.jobs: list[FakeJob] = []

    def add(self, *, interactive: bool = True, slices: int = 1, tokens: int = 1, **more: int) -> FakeJob:
        job = FakeJob(len(self.jobs), interactive, slices, tokens, log=self.log, **more)  # type: ignore[arg-type]
        self.jobs.append(job)
        self.scheduler.add(job)
        return job

    def work(self, count: int) -> list[str]:
        """What the next pieces of work are."""
        start = len(self.log)
        for _ in range(count):
            self.scheduler.advance()
        return self.log[start:]


def test_one_answer_has_its_slices_and_then_its_steps() -> None:
    stage = Stage()
    stage.add(slices=3, tokens=2)
    assert stage.work(5) == ["slice 0", "slice 0", "slice 0", "step 0", "step 0"]
    assert stage.scheduler.is_idle
    assert stage.jobs[0].num_released == 1


def test_a_new_question_is_served_before_the_rest_of_a_queue() -> None:
    stage = Stage()
    for _ in range(3):
        stage.add(interactive=False, slices=5, tokens=20)
    stage.work(7)  # the first page writes, the second is under way
    stage.add(slices=2, tokens=3)
    assert [each for each in stage.work(4) if each.startswith("slice")] == ["slice 3", "slice 3"]


def test_slices_and_steps_take_turns() -> None:
    stage = Stage()
    stage.add(slices=1, tokens=50)
    stage.work(2)
    stage.add(interactive=False, slices=4)
    stage.add(slices=3)
    kinds = [each.split()[0] for each in stage.work(12)]
    assert kinds == ["slice", "step"] * 6


def test_pages_that_nobody_waits_for_word_by_word_write_in_full_rows() -> None:
    stage = Stage()
    for _ in range(MAX_QUEUED + 1):
        stage.add(interactive=False, slices=3, tokens=5)
    kinds = [each.split()[0] for each in stage.work(3 * MAX_QUEUED + 5)]
    assert kinds == ["slice"] * 3 * MAX_QUEUED + ["step"] * 5
    assert len(stage.log[-1].split()) == 1 + MAX_QUEUED


def test_of_two_questions_the_one_served_longest_ago_is_next() -> None:
    stage = Stage()
    stage.add(slices=4)
    stage.add(slices=2)
    assert stage.work(4) == ["slice 0", "slice 1", "slice 0", "slice 1"]


def test_what_a_job_has_to_tell_first_costs_nobody_a_turn() -> None:
    stage = Stage()
    stage.add(slices=1, tokens=9)
    stage.work(2)
    stage.add(slices=2, tells_first=True)
    assert stage.work(5) == ["slice 1", "step 0", "slice 1", "step 0 1"]


def test_the_queue_has_its_share_beside_many_questions() -> None:
    stage = Stage()
    stage.add(interactive=False, slices=4, tokens=1)
    for _ in range(4):
        stage.add(slices=20)
    slices = [each for each in stage.work(QUEUE_SHARE * 3) if each.startswith("slice")]
    assert slices.count("slice 0") == 3
    assert [index for index, each in enumerate(slices, 1) if each == "slice 0"] == [8, 16, 24]


def test_a_row_is_the_queues_and_its_others_give_way() -> None:
    stage = Stage()
    for _ in range(MAX_JOBS):
        stage.add(interactive=False, slices=1, tokens=1000)
    stage.work(2 * MAX_JOBS + 2)
    assert len(stage.rows.jobs) == MAX_JOBS
    for _ in range(MAX_JOBS):
        stage.add(slices=1, tokens=100)
    stage.work(4 * MAX_JOBS)
    assert [job.is_interactive for job in stage.rows.jobs].count(False) == 1
    assert len(stage.rows.jobs) == MAX_JOBS


def test_rows_that_have_grown_too_large_give_way_until_there_is_room() -> None:
    stage = Stage()
    for tokens in (6, 100, 100):
        stage.add(tokens=tokens)
    stage.work(6)
    assert len(stage.rows.jobs) == 3
    stage.rows._max_fitting = 2
    assert stage.work(1) == ["step 0 1"]
    stage.work(10)
    assert [job.name for job in stage.rows.jobs] == [1, 2]


def test_pages_that_wait_are_not_begun() -> None:
    """Each begun one holds a state."""
    stage = Stage()
    for _ in range(30):
        stage.add(interactive=False, slices=1, tokens=1000)
    stage.work(100)
    assert sum(job.phase == "ready" for job in stage.jobs) == MAX_QUEUED


def test_a_job_that_waits_is_stopped_within_one_piece_of_work() -> None:
    stage = Stage()
    stage.add(slices=100)
    waiting = stage.add(interactive=False, slices=5)
    stage.work(3)
    waiting.is_cancelled = True
    stage.work(1)
    assert (waiting.num_released, waiting.num_done) == (1, 0)


@pytest.mark.parametrize("after", range(6))
def test_a_job_can_be_taken_out_at_any_moment(after: int) -> None:
    stage = Stage()
    stage.add(slices=2, tokens=9)
    job = stage.add(slices=2, tokens=9, tells_first=True)
    stage.work(after)
    stage.scheduler.remove(job)
    stage.scheduler.remove(job)
    assert job.num_released == 1
    assert job not in stage.rows.jobs
    stage.work(20)
    assert stage.scheduler.is_idle


ARRIVALS = st.lists(
    st.tuples(
        st.integers(0, 6),  # pieces of work since the one before
        st.booleans(),
        st.integers(1, 6),
        st.integers(1, 12),
        st.sampled_from([10**9, 1, 2, 5]),
        st.sampled_from([None, 0, 3]),  # cancelled so many pieces later
    ),
    min_size=1,
    max_size=24,
)


@given(ARRIVALS, st.integers(1, MAX_JOBS))
@settings(max_examples=300)
def test_nothing_starves_and_nobody_waits_for_more_than_it_must(
    arrivals: list[tuple[int, bool, int, int, int, int | None]], max_fitting: int
) -> None:
    stage, cancels, time = Stage(max_fitting), dict[int, FakeJob](), 0
    turns: list[tuple[str, list[FakeJob]]] = []
    arrived: dict[int, int] = {}

    def work() -> None:
        nonlocal time
        if time in cancels:
            cancels[time].is_cancelled = True
        seated, length = list(stage.rows.jobs), len(stage.log)
        stage.scheduler.advance()
        time += 1
        turns.extend((each.split()[0], seated) for each in stage.log[length:])

    for pause, interactive, slices, tokens, dies_after, cancel in arrivals:
        for _ in range(pause):
            work()
        job = stage.add(interactive=interactive, slices=slices, tokens=tokens, dies_after=dies_after)
        arrived[job.name] = len(stage.log)
        if cancel is not None:
            cancels[time + cancel] = job
    for _ in range(24 * 20 * 2):
        work()
    assert stage.scheduler.is_idle
    assert not stage.rows.jobs
    assert all(job.num_released == 1 for job in stage.jobs)
    for (kind, rows), (next_kind, next_rows), (_, later_rows) in zip(turns, turns[1:], turns[2:], strict=False):
        waits = [job for job in rows if job.is_interactive and job in next_rows and job in later_rows]
        assert not (waits and (kind, next_kind) == ("slice", "slice"))  # an answer that writes waits for one slice
    interactive = {f"slice {job.name}" for job in stage.jobs if job.is_interactive}
    for job in stage.jobs:
        if job.is_interactive and f"slice {job.name}" in stage.log:
            waited = stage.log[arrived[job.name] : stage.log.index(f"slice {job.name}")]
            others = sum(each in interactive for each in waited)
            queued = sum(each.startswith("slice") and each not in interactive for each in waited)
            assert queued <= (others + QUEUE_SHARE) // QUEUE_SHARE

"""One answer on its way: prepared in slices, then a row that writes a token with each step."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import mlx.core as mx

from engine.cache.batch import size_bytes
from engine.cache.sessions import Session, Sessions
from engine.generation.decode import Decoding
from engine.generation.drafts import Drafts
from engine.generation.sampling import Sampler
from engine.protocol.errors import EngineError
from engine.protocol.events import Event, Finished, FinishReason, Stats
from engine.runtime.scheduler import Phase
from engine.runtime.turn import Turn

__all__ = ["Answering", "AnsweringRows", "Begun", "Costs", "Preparing", "Stopped"]

ROOM_EVERY = 256
"""Steps after which rows have grown enough to look whether everything still fits."""


class Stopped(Exception):
    """The caller asked to stop."""


Describe = Callable[[mx.array, mx.array], Callable[[int], Event]]
"""(logits [V], the token [1] chosen from them, lazy) -> what makes of the token's id what is told of it.

Begun before the next step is, so that nobody waits for that.
"""


@dataclass(frozen=True)
class Begun:
    """A prompt in its state, and what the answer to it is made with."""

    session: Session
    logits: mx.array
    """[V], of the first token."""
    turn: Turn
    sampler: Sampler
    max_length: int
    drafts: Drafts | None = None
    describe: Describe | None = None


Preparing = Generator[Event | None, None, Begun]
"""Yields what there is to tell, and None where somebody else may compute.

Once it has taken a state, it puts it back if it is closed or stopped; a state in which it broke off is dropped.
"""


class Costs:
    """What one answer has cost so far."""

    def __init__(self) -> None:
        self.num_prompt = self.num_cached = self.num_new = 0
        self.prefill_s = 0.0
        self.drafts: Drafts | None = None
        self._started = time.perf_counter()
        self._first_token = self._last_token = 0.0

    def begin(self, num_prompt: int, num_cached: int) -> None:
        """The prompt is built, and so much of it is known."""
        self.num_prompt, self.num_cached = num_prompt, num_cached

    def count(self) -> None:
        """One more token was read. What passes before the first one is no decoding."""
        self._last_token = time.perf_counter()
        self._first_token = self._first_token or self._last_token
        self.num_new += 1

    def finished(self, reason: FinishReason) -> Finished:
        """The closing event."""
        drafts = self.drafts
        num_prefilled, decode_s = self.num_prompt - self.num_cached, self._last_token - self._first_token
        stats = Stats(
            num_prompt_tokens=self.num_prompt,
            num_cached_tokens=self.num_cached,
            num_new_tokens=self.num_new,
            time_to_first_token_ms=max(0.0, self._first_token - self._started) * 1000,
            prefill_tokens_per_second=num_prefilled / self.prefill_s if self.prefill_s else 0.0,
            decode_tokens_per_second=(self.num_new - 1) / decode_s if decode_s else 0.0,
            peak_memory_bytes=mx.get_peak_memory(),
            num_drafted_tokens=drafts.num_drafted if drafts is not None else 0,
            num_accepted_tokens=drafts.num_right if drafts is not None else 0,
        )
        return Finished(reason, stats)


class Answering:
    """A job of the scheduler and a writer of the decode steps.

    `events` is what it has to tell; when it is over, the last of them is Finished, or `error` says why there is none.
    """

    def __init__(
        self,
        preparing: Preparing,
        costs: Costs,
        cancelled: Callable[[], bool],
        put: Callable[[Session], None],
        *,
        is_interactive: bool = True,
    ) -> None:
        """put: keeps the state when it is over."""
        self.is_interactive = is_interactive
        self.phase: Phase = "preparing"
        self.events: deque[Event] = deque()
        self.error: BaseException | None = None
        self._preparing, self._costs, self._cancelled, self._put = preparing, costs, cancelled, put
        self._begun: Begun | None = None
        self._described: Callable[[int], Event] | None = None
        self._keeps_state = True
        self._failure: Exception | None = None
        """Of the choice of a token; told when that token would be read."""

    @property
    def session(self) -> Session:
        """Its state."""
        return self._made.session

    @property
    def max_length(self) -> int:
        """Most positions that its state may hold."""
        return self._made.max_length

    @property
    def drafts(self) -> Drafts | None:
        """What its tokens may be drafted from."""
        return self._made.drafts

    @property
    def _made(self) -> Begun:
        assert self._begun is not None, "the prompt is in its state"
        return self._begun

    def look(self) -> None:
        """End it if that was asked for."""
        if self.phase != "over" and self._cancelled():
            self.stop()

    def stop(self) -> None:
        """End it here; what was said stays, and what was computed is kept."""
        if self._begun is None:
            self._preparing.close()
        self._end("cancelled")

    def advance(self) -> bool:
        """Go on with a slice of the preparation; False if it only has something to tell first."""
        try:
            event = self._next()
        except Stopped:
            self._end("cancelled")
        except BaseException as error:
            self.fail(error)
            if not isinstance(error, Exception):
                raise
        else:
            if event is not None:
                self.events.append(event)
            return event is None
        return True

    def _next(self) -> Event | None:
        """What there is to tell of a slice; it begins to write when there are no more."""
        try:
            return next(self._preparing)
        except StopIteration as end:
            self._begin(end.value)
            return None

    def choose(self, logits: mx.array) -> mx.array:
        """The next token, int32 [1]; lazy. What goes wrong here is no matter of the other rows."""
        begun = self._made
        try:
            token = begun.sampler(logits, begun.turn.forced, begun.turn.allowed())
            self._described = begun.describe(logits, token) if begun.describe is not None else None
        except Exception as error:  # noqa: BLE001 - told when the token would be read
            self._failure = error
            return mx.zeros((1,), mx.int32)
        return token

    def take(self, token: int, *, is_last: bool) -> None:
        """The token was written."""
        try:
            self._take(token, is_last)
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            self.fail(error, keeps_state=isinstance(error, EngineError))

    def fail(self, error: BaseException, *, keeps_state: bool = False) -> None:
        """It is over, and this is why; one that was over already only loses its state."""
        self._keeps_state = keeps_state
        if self.phase != "over":
            self.error, self.phase = error, "over"

    def release(self) -> None:
        """Its state goes back to the others, unless something broke off in it."""
        if self._begun is not None and self._keeps_state:
            self._put(self._begun.session)
        self._preparing.close()
        self._begun = None

    def _begin(self, begun: Begun) -> None:
        self._begun, self.logits, self.phase = begun, begun.logits, "ready"
        self._costs.drafts = begun.drafts
        self.events.extend(begun.turn.begin())

    def _take(self, token: int, is_last: bool) -> None:
        if self._failure is not None:
            raise self._failure
        begun = self._made
        self._costs.count()
        self.events.extend(begun.turn.take(token))
        if self._described is not None and begun.turn.is_answering:
            self.events.append(self._described(token))
        reason = begun.turn.reason or ("context_full" if is_last else None)
        if reason is not None:
            self._end(reason)

    def _end(self, reason: FinishReason) -> None:
        if self._begun is not None:
            self.events.extend(self._begun.turn.finish())
        self.events.append(self._costs.finished(reason))
        self.phase = "over"


class AnsweringRows:
    """The rows of the scheduler: decode steps of the model, in the memory that kept states share with them."""

    def __init__(self, decoding: Decoding[Answering], sessions: Sessions) -> None:
        self._decoding, self._sessions = decoding, sessions
        self._num_steps = 0

    def fits(self, answers: Sequence[Answering]) -> bool:
        """One always does; several together are as long as the longest one."""
        return len(answers) == 1 or size_bytes([each.session.kv for each in answers]) <= self._sessions.max_bytes

    def join(self, answering: Answering) -> None:
        """Give it a row."""
        with self._breaking_off(answering):
            self._decoding.join(answering)
        self._make_room()

    def leave(self, answering: Answering) -> None:
        """Give it back its state; after a step that failed there is none."""
        if answering in self._decoding.writers:
            with self._breaking_off(answering):
                self._decoding.leave(answering)
            self._make_room()

    def step(self) -> None:
        """One token of each."""
        with self._breaking_off(*self._decoding.writers):
            for answering, token, is_last in self._decoding.step():
                answering.take(token, is_last=is_last)
        self._num_steps += 1
        if self._num_steps % ROOM_EVERY == 0:
            self._make_room()

    def _make_room(self) -> None:
        rows = [answering.session.kv for answering in self._decoding.writers]
        self._sessions.make_room(size_bytes(rows) if len(rows) > 1 else 0)  # one alone keeps its own buffers

    @contextmanager
    def _breaking_off(self, *answers: Answering) -> Iterator[None]:
        """What fails on the rows ends `answers` and all others whose states are there, and nobody else."""
        try:
            yield
        except BaseException as error:
            for answering in {*answers, *self._decoding.writers}:
                answering.fail(error)
            self._decoding.drop()
            if not isinstance(error, Exception):
                raise

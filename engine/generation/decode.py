"""Token after token, one step ahead: while the tokens of a step are read, the step that they feed already runs.

Only the first token of an answer is read at once, before the step that it feeds is put together: it is waited for.
Where one sequence decodes alone and its next tokens were drafted, the model looks at all of them in one step. They are
written one by one like any others, for as long as the model chooses what was drafted.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar, cast

import mlx.core as mx

from engine.cache.ahead import Ahead, AheadViews
from engine.cache.batch import Batch, DecodeViews
from engine.cache.kv_cache import KVCache
from engine.cache.sessions import Session
from engine.generation.drafts import Drafts
from engine.models.attention import KeysValues
from engine.models.gemma4 import Gemma4

__all__ = [
    "AheadStep", "Choose", "DecodeStep", "Decoding", "SizesAhead", "Writer", "Written", "decode", "decode_rows",
    "make_ahead_step", "make_decode_step",
]  # fmt: skip

DecodeStep = Callable[[mx.array, list[int], list[KeysValues]], tuple[mx.array, list[KeysValues]]]
"""(tokens [B], positions of the rows, buffers) -> (float32 logits [B, V], buffers with the tokens' keys and values)."""

AheadStep = Callable[[mx.array, int, list[KeysValues]], tuple[mx.array, mx.array, list[KeysValues], list[KeysValues]]]
"""(tokens [1, L], position of the first, buffers) -> (float32 logits [L, V], normed states [L, hidden], buffers, and
what the sliding layers have of the tokens; see `cache.ahead`)."""

Choose = Callable[[mx.array], mx.array]
"""Logits [V] -> the next token, int32 [1]; lazy. A `Sampler` is one."""

LOOK_AHEAD_EVERY = 64
"""Steps after which the sizes to come are looked at: buffers grow after 256 at least."""

CLEAR_EVERY = 256
"""Steps after which the allocator's spare buffers are given back (the cache grows, so their sizes go out of use)."""


def make_decode_step(model: Gemma4, *, compiled: bool) -> DecodeStep:
    """One decode step as a pure function over buffers of fixed size, compiled as a whole if asked."""
    text, decoder = model.config.text, model.language_model
    limits = [text.sliding_window if layer.is_sliding else None for layer in text.layers[: text.num_kv_layers]]

    def step(
        tokens: mx.array,
        positions: mx.array,
        buffers: list[KeysValues],
        rows: mx.array | None,
        lengths: Sequence[int] | None = None,
    ) -> tuple[mx.array, list[KeysValues]]:
        views = DecodeViews(positions, buffers, limits, lengths)
        states = model.decode_states(tokens, positions, views.layers, views.masks, rows)
        return decoder.logits(states)[:, -1], views.buffers

    if compiled:
        whole = mx.compile(step)
        return lambda tokens, positions, buffers: whole(
            tokens[:, None], mx.array(positions), buffers, decoder.rows_outside(tokens[:, None])
        )
    return lambda tokens, positions, buffers: step(
        tokens[:, None],
        mx.array(positions),
        buffers,
        decoder.rows_outside(tokens[:, None]),
        [position + 1 for position in positions],
    )


def make_ahead_step(model: Gemma4, *, compiled: bool) -> AheadStep:
    """One step over tokens of one sequence that may turn out wrong, compiled as a whole if asked."""
    text, decoder = model.config.text, model.language_model
    limits = [text.sliding_window if layer.is_sliding else None for layer in text.layers[: text.num_kv_layers]]

    def step(
        tokens: mx.array,
        position: mx.array,
        buffers: list[KeysValues],
        rows: mx.array | None,
        length: int | None = None,
    ) -> tuple[mx.array, mx.array, list[KeysValues], list[KeysValues]]:
        views = AheadViews(position, tokens.shape[1], buffers, limits, length)
        states = model.decode_states(tokens, position, views.layers, views.masks, rows)
        return decoder.logits(states)[0], states[0], views.buffers, views.new

    if compiled:
        whole = mx.compile(step)
        return lambda tokens, position, buffers: whole(
            tokens, mx.array([position]), buffers, decoder.rows_outside(tokens)
        )
    return lambda tokens, position, buffers: step(
        tokens, mx.array([position]), buffers, decoder.rows_outside(tokens), position
    )


class SizesAhead:
    """A compiled step is traced for each size of the buffers: those that come next, while the device is at work."""

    def __init__(self, step: DecodeStep) -> None:
        self._step = step
        self._traced: set[tuple[int, ...]] = set()

    def trace(self, kv: KVCache, length: int) -> None:
        """For the first token after `length` positions, and for when the buffers have grown once; computes nothing."""
        now = [layer.roomy(layer.capacity, length + 1) for layer in kv.layers]
        full = max(now)
        grown = [layer.roomy(size, full + 1) for layer, size in zip(kv.layers, now, strict=True)]
        for sizes in (now, grown):
            if tuple(sizes) not in self._traced:
                self._traced.add(tuple(sizes))
                buffers = [layer.empty(size) for layer, size in zip(kv.layers, sizes, strict=True)]
                self._step(mx.array([0], mx.int32), [0], buffers)


class Writer(Protocol):
    """One sequence that decodes: its state, the logits [V] of its next token, and how it is chosen."""

    logits: mx.array

    @property
    def session(self) -> Session:
        """Its state."""
        ...

    @property
    def drafts(self) -> Drafts | None:
        """What its tokens may be drafted from."""
        ...

    @property
    def max_length(self) -> int:
        """Most positions that its state may hold."""
        ...

    def choose(self, logits: mx.array) -> mx.array:
        """The next token, int32 [1]; lazy."""
        ...


W = TypeVar("W", bound=Writer)


class Written(NamedTuple, Generic[W]):
    """A token of one writer."""

    writer: W
    token: int
    is_last: bool
    """There is no room for another one."""


class Decoding(Generic[W]):
    """The writers whose rows a step serves. Each may join and leave between two steps."""

    def __init__(
        self,
        step: DecodeStep,
        ahead_step: AheadStep | None = None,
        sizes: SizesAhead | None = None,
        *,
        in_powers: bool = False,
    ) -> None:
        """ahead_step: for drafts; without it there are none. sizes: of a step that is traced for each."""
        self.writers: list[W] = []
        self._step, self._ahead_step, self._sizes = step, ahead_step, sizes
        self._drafted: _Drafted | None = None
        self._is_first = self._is_behind = False
        """Of the only writer: its next token is its first; the model has not seen its last one yet."""
        self._batch = Batch(in_powers=in_powers)
        self._num_steps = 0

    def join(self, writer: W) -> None:
        """Its state belongs to the rows until it leaves."""
        self._catch_up()
        self._settle()
        self._batch.join(writer.session.kv)
        self.writers.append(writer)
        self._is_first = len(self.writers) == 1

    def leave(self, writer: W) -> None:
        """Its state is its own again, with all tokens that were written, as far as the model has seen them."""
        if self._is_behind:
            writer.session.keys.pop()
            self._is_behind = False
        self._settle()
        self.writers.remove(writer)
        self._batch.leave(writer.session.kv)

    def drop(self) -> None:
        """Forget all writers and their states."""
        self.writers, self._drafted, self._is_first, self._is_behind = [], None, False, False
        self._batch = Batch(in_powers=self._batch.in_powers)

    def step(self) -> list[Written[W]]:
        """One token of each writer, recorded in its state; those that have no room for it leave, in a step of theirs.

        What a caller does with a token may decide how `choose` takes the next one, while the step that the token feeds
        already runs.
        """
        self._catch_up()
        return self._end_full() or self._write()

    def _write(self) -> list[Written[W]]:
        if self._is_first:
            return [self._write_first(self.writers[0])]
        drafts = self.writers[0].drafts if len(self.writers) == 1 and self._ahead_step is not None else None
        if drafts is None:
            return self._write_rows()
        began = time.perf_counter()
        is_drafted = self._has_more() or drafts.wants(self.writers[0].session.keys)
        written = [self._write_drafted(self.writers[0], drafts)] if is_drafted else self._write_rows(drafts)
        drafts.took(time.perf_counter() - began, was_drafted=is_drafted)
        return written

    def _write_first(self, writer: W) -> Written[W]:
        """A token that the model may never have to look at: it can be the last one."""
        self._is_first, self._is_behind = False, True
        token = int(writer.choose(writer.logits).item().real)
        writer.session.append([token])
        return Written(writer, token, is_last=False)

    def _catch_up(self) -> None:
        if self._is_behind:
            self._is_behind = False
            (writer,) = self.writers
            writer.logits = self._compute(mx.array(writer.session.keys[-1:], mx.int32), self._batch.positions)[0]

    def _has_more(self) -> bool:
        """Whether the logits of the next token come from a step over several."""
        return self._drafted is not None and not self._drafted.is_over

    def _write_drafted(self, writer: W, drafts: Drafts) -> Written[W]:
        """A token whose logits may be there already; if not, those of it and of what is drafted after it."""
        token = int(writer.choose(writer.logits).item().real)
        writer.session.append([token])
        if self._drafted is None or not self._drafted.goes_on_with(token):
            state = self._settle(drafts)
            self._drafted = self._look_ahead(writer, drafts, state)
        writer.logits = self._drafted.write()
        return Written(writer, token, is_last=False)

    def _look_ahead(self, writer: W, drafts: Drafts, state: mx.array | None) -> "_Drafted":
        """One step over the last key of the state, which is not computed yet, and over what may come after it."""
        kv, keys = writer.session.kv, writer.session.keys
        assert self._ahead_step is not None
        drafted = drafts.draft(keys, state, kv, writer.max_length - kv.length - 1)
        tokens = mx.concatenate([mx.array(keys[-1:], mx.int32), drafted])
        ahead = Ahead(kv, tokens.shape[0])
        logits, states, buffers, new = self._ahead_step(tokens[None], kv.length, ahead.buffers)
        ahead.take(buffers, new)
        mx.eval(tokens, logits, states)
        self._count_step()
        return _Drafted(ahead, cast(list[int], drafted.tolist()), logits, states)

    def _settle(self, drafts: Drafts | None = None) -> mx.array | None:
        """The state holds what was written, and nothing else; `drafts` hears how right it was.

        Returns the normed state [hidden] of its last position, where that is known.
        """
        over, self._drafted = self._drafted, None
        if over is None:
            return None
        over.settle()
        if drafts is not None:
            drafts.learn(len(over.drafted), over.num_right)
        return over.state

    def _compute(self, tokens: mx.array, positions: list[int]) -> mx.array:
        """The model begins to look at a token of each row; logits [B, V] of the next ones."""
        logits, buffers = self._step(tokens, positions, self._batch.for_decoding())
        self._batch.replace(buffers)
        mx.async_eval(logits)
        self._count_step()
        return logits

    def _count_step(self) -> None:
        self._num_steps += 1
        if self._num_steps % CLEAR_EVERY == 0:
            mx.clear_cache()

    def _end_full(self) -> list[Written[W]]:
        full = [writer for writer in self.writers if writer.session.kv.length >= writer.max_length]
        written = [Written(writer, int(writer.choose(writer.logits).item().real), is_last=True) for writer in full]
        for writer in full:
            self.leave(writer)
        return written

    def _write_rows(self, drafts: Drafts | None = None) -> list[Written[W]]:
        if not self.writers:
            return []
        self._settle(drafts)
        chosen = [writer.choose(writer.logits) for writer in self.writers]
        positions = self._batch.positions
        spare = [mx.zeros((1,), mx.int32)] * (len(positions) - len(chosen))
        tokens = chosen[0] if len(positions) == 1 else mx.concatenate([*chosen, *spare])
        mx.async_eval(tokens)
        logits = self._compute(tokens, positions)
        if self._sizes is not None and len(self.writers) == 1 and self._num_steps % LOOK_AHEAD_EVERY == 0:
            kv = self.writers[0].session.kv
            self._sizes.trace(kv, kv.length)
        values = cast(list[int], tokens.tolist())[: len(chosen)]
        for row, (writer, value) in enumerate(zip(self.writers, values, strict=True)):
            writer.logits = logits[row]
            writer.session.append([value])
        return [Written(*each, is_last=False) for each in zip(self.writers, values, strict=True)]


class _Drafted:
    """One step over several tokens: the first is written, the others if the model chooses them."""

    def __init__(self, ahead: Ahead, drafted: list[int], logits: mx.array, states: mx.array) -> None:
        """drafted: all but the first token; logits [L, V] after each of them, states [L, hidden] of each."""
        self.drafted = drafted
        self._ahead, self._logits, self._states = ahead, logits, states

    @property
    def num_right(self) -> int:
        """How many of the drafted ones were written."""
        return self._ahead.num_written - 1

    @property
    def is_over(self) -> bool:
        """Whether all of them were."""
        return self.num_right == len(self.drafted)

    @property
    def state(self) -> mx.array:
        """The normed state [hidden] of the last one that was written."""
        return self._states[self.num_right]

    def goes_on_with(self, token: int) -> bool:
        """Whether it is the next one."""
        return not self.is_over and self.drafted[self.num_right] == token

    def write(self) -> mx.array:
        """The next one is written: the logits [V] after it."""
        self._ahead.write()
        return self._logits[self.num_right]

    def settle(self) -> None:
        """No more of them are."""
        self._ahead.settle()


class _Alone:
    """A writer that nobody listens to but who reads the tokens."""

    def __init__(self, session: Session, logits: mx.array, choose: Choose, max_length: int) -> None:
        self.session, self.logits, self.choose, self.max_length = session, logits, choose, max_length
        self.drafts: Drafts | None = None


def decode(
    step: DecodeStep, session: Session, first_logits: mx.array, choose: Choose, max_length: int
) -> Iterator[int]:
    """Yield token ids for as long as the caller reads, or until the state holds `max_length` positions."""
    for (token,) in decode_rows(step, [(session, first_logits)], choose, max_length):
        yield token


def decode_rows(
    step: DecodeStep, begun: Iterable[tuple[Session, mx.array]], choose: Choose, max_length: int
) -> Iterator[list[int]]:
    """Yield a token id of each state at once, until one of them holds `max_length` positions; `choose` serves all."""
    decoding, is_last = Decoding[_Alone](step), False
    for session, first_logits in begun:
        decoding.join(_Alone(session, first_logits, choose, max_length))
    while not is_last:
        written = decoding.step()
        is_last = any(each.is_last for each in written)
        yield [each.token for each in written]

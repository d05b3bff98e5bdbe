"""Token after token, one step ahead: while the tokens of a step are read, the step that they feed already runs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar, cast

import mlx.core as mx

from engine.cache.batch import Batch, DecodeViews
from engine.cache.sessions import Session
from engine.models.attention import KeysValues
from engine.models.gemma4 import Gemma4

__all__ = ["Choose", "DecodeStep", "Decoding", "Writer", "Written", "decode", "decode_rows", "make_decode_step"]

DecodeStep = Callable[[mx.array, list[int], list[KeysValues]], tuple[mx.array, list[KeysValues]]]
"""(tokens [B], positions of the rows, buffers) -> (float32 logits [B, V], buffers with the tokens' keys and values)."""

Choose = Callable[[mx.array], mx.array]
"""Logits [V] -> the next token, int32 [1]; lazy. A `Sampler` is one."""

CLEAR_EVERY = 256
"""Steps after which the allocator's spare buffers are given back (the cache grows, so their sizes go out of use)."""


def make_decode_step(model: Gemma4, *, compiled: bool) -> DecodeStep:
    """One decode step as a pure function over buffers of fixed size, compiled as a whole if asked."""
    text = model.config.text
    limits = [text.sliding_window if layer.is_sliding else None for layer in text.layers[: text.num_kv_layers]]

    def step(
        tokens: mx.array, positions: mx.array, buffers: list[KeysValues], lengths: Sequence[int] | None = None
    ) -> tuple[mx.array, list[KeysValues]]:
        views = DecodeViews(positions, buffers, limits, lengths)
        return model.decode(tokens, positions, views.layers, views.masks), views.buffers

    if compiled:
        whole = mx.compile(step)
        return lambda tokens, positions, buffers: whole(tokens, mx.array(positions), buffers)
    return lambda tokens, positions, buffers: step(
        tokens, mx.array(positions), buffers, [position + 1 for position in positions]
    )


class Writer(Protocol):
    """One sequence that decodes: its state, the logits [V] of its next token, and how it is chosen."""

    logits: mx.array

    @property
    def session(self) -> Session:
        """Its state."""
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

    def __init__(self, step: DecodeStep, *, in_powers: bool = False) -> None:
        self.writers: list[W] = []
        self._step = step
        self._batch = Batch(in_powers=in_powers)
        self._num_steps = 0

    def join(self, writer: W) -> None:
        """Its state belongs to the rows until it leaves."""
        self._batch.join(writer.session.kv)
        self.writers.append(writer)

    def leave(self, writer: W) -> None:
        """Its state is its own again, with all tokens that were written."""
        self.writers.remove(writer)
        self._batch.leave(writer.session.kv)

    def drop(self) -> None:
        """Forget all writers and their states."""
        self.writers = []
        self._batch = Batch(in_powers=self._batch.in_powers)

    def step(self) -> list[Written[W]]:
        """One token of each writer, recorded in its state; those that have no room for it leave, in a step of theirs.

        What a caller does with a token may decide how `choose` takes the next one, while the step that the token feeds
        already runs.
        """
        return self._end_full() or self._write()

    def _end_full(self) -> list[Written[W]]:
        full = [writer for writer in self.writers if writer.session.kv.length >= writer.max_length]
        written = [Written(writer, int(writer.choose(writer.logits).item().real), is_last=True) for writer in full]
        for writer in full:
            self.leave(writer)
        return written

    def _write(self) -> list[Written[W]]:
        if not self.writers:
            return []
        chosen = [writer.choose(writer.logits) for writer in self.writers]
        positions = self._batch.positions
        spare = [mx.zeros((1,), mx.int32)] * (len(positions) - len(chosen))
        tokens = chosen[0] if len(positions) == 1 else mx.concatenate([*chosen, *spare])
        mx.async_eval(tokens)
        logits, buffers = self._step(tokens, positions, self._batch.for_decoding())
        self._batch.replace(buffers)
        mx.async_eval(logits)
        self._num_steps += 1
        if self._num_steps % CLEAR_EVERY == 0:
            mx.clear_cache()
        values = cast(list[int], tokens.tolist())[: len(chosen)]
        for row, (writer, value) in enumerate(zip(self.writers, values, strict=True)):
            writer.logits = logits[row]
            writer.session.append([value])
        return [Written(*each, is_last=False) for each in zip(self.writers, values, strict=True)]


class _Alone:
    """A writer that nobody listens to but who reads the tokens."""

    def __init__(self, session: Session, logits: mx.array, choose: Choose, max_length: int) -> None:
        self.session, self.logits, self.choose, self.max_length = session, logits, choose, max_length


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

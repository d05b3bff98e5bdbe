"""A caller of decode chooses, and may put tokens of its own between the model's."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import mlx.core as mx
import pytest

from engine.engine import Engine
from engine.generation.decode import Decoding, SizesAhead, _Alone, decode, make_decode_step
from engine.generation.prefill import prefill
from engine.generation.sampling import Sampler
from engine.models.attention import KeysValues
from engine.prompt.prompt import Prompt
from engine.protocol.options import GREEDY, Sampling

START = (2, 500, 510, 520)


@pytest.fixture(scope="module")
def engine(tiny_checkpoint: Path) -> Engine:
    return Engine.load(tiny_checkpoint)


def continued(engine: Engine, prompt: tuple[int, ...], forced: dict[int, int], count: int) -> list[int]:
    """`count` greedy tokens, but for those at the places in `forced`."""
    session = engine.cold_session()
    *_, (_, logits) = prefill(engine._model, Prompt(prompt), {}, session, 64)
    assert logits is not None
    sampler = Sampler(GREEDY, engine._suppress)
    written: list[int] = []
    for token in decode(engine._step, session, logits, lambda seen: sampler(seen, forced.get(len(written))), 4096):
        written.append(token)
        if len(written) == count:
            break
    assert session.kv.length == len(prompt) + count
    return written


def test_forced_tokens_are_read_like_any_other(engine: Engine) -> None:
    plain = continued(engine, START, {}, 4)
    written = continued(engine, START, {4: 530, 5: 531, 8: 532}, 12)
    assert written[:6] == [*plain, 530, 531]
    assert written[8] == 532
    assert written[6:8] == continued(engine, (*START, *written[:6]), {}, 2)
    assert written[9:] == continued(engine, (*START, *written[:9]), {}, 3)


def test_a_compiled_step_never_meets_a_size_that_it_was_not_traced_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for its first token, and not when the buffers grow: neither shows as a pause."""
    sizes: list[tuple[int, ...]] = []

    def compile_(step: Callable[..., object]) -> Callable[..., object]:
        def noted(tokens: mx.array, positions: mx.array, buffers: list[KeysValues], rows: mx.array | None) -> object:
            sizes.append(tuple(keys.shape[2] for keys, _ in buffers))
            return step(tokens, positions, buffers, rows)

        return noted

    monkeypatch.setattr("engine.generation.decode.mx.compile", compile_)
    step = make_decode_step(engine._model, compiled=True)
    ahead, session = SizesAhead(step), engine.cold_session()
    *_, (_, logits) = prefill(engine._model, Prompt((2, *[590] * 250)), {}, session, 256, ahead.trace)
    assert logits is not None
    traced = set(sizes)
    assert len(traced) == 2
    writer = _Alone(session, logits, Sampler(GREEDY, engine._suppress), 4096)
    decoding = Decoding[_Alone](step, sizes=ahead)
    decoding.join(writer)
    decoding.step()  # its first token is read before there is a step
    for _ in range(270):  # the buffers grow twice
        before = set(sizes)
        sizes.clear()
        decoding.step()
        assert sizes[0] in before | traced
        traced |= set(sizes) | before


def test_the_first_token_is_there_before_a_step_and_needs_none(engine: Engine) -> None:
    """An answer of one token costs none; one that goes on, or gets company, loses nothing."""
    num_steps = 0

    def step(tokens: mx.array, positions: list[int], buffers: list[KeysValues]) -> tuple[mx.array, list[KeysValues]]:
        nonlocal num_steps
        num_steps += 1
        return engine._step(tokens, positions, buffers)

    writers = []
    for prompt in (START, (*START, 530, 540)):
        session = engine.cold_session()
        *_, (_, logits) = prefill(engine._model, Prompt(prompt), {}, session, 64)
        assert logits is not None
        writers.append(_Alone(session, logits, Sampler(GREEDY, engine._suppress), 4096))
    written: dict[_Alone, list[int]] = {writer: [] for writer in writers}
    decoding = Decoding[_Alone](step)
    decoding.join(writers[0])
    written[writers[0]] += [each.token for each in decoding.step()]
    assert num_steps == 0
    decoding.leave(writers[0])
    assert num_steps == 0
    assert writers[0].session.keys == list(START)
    assert writers[0].session.kv.length == len(START)
    decoding.join(writers[0])  # it writes the same one again
    assert [each.token for each in decoding.step()] == written[writers[0]]
    decoding.join(writers[1])
    for _ in range(5):
        for each in decoding.step():
            written[each.writer].append(each.token)
    for writer, prompt in zip(writers, (START, (*START, 530, 540)), strict=True):
        assert written[writer] == list(islice(engine.tokens(Prompt(prompt)), len(written[writer])))
        decoding.leave(writer)
        assert len(writer.session.keys) == writer.session.kv.length == len(prompt) + len(written[writer])


def test_decode_ends_where_the_context_does(engine: Engine) -> None:
    session = engine.cold_session()
    *_, (_, logits) = prefill(engine._model, Prompt(START), {}, session, 64)
    assert logits is not None
    assert len(list(decode(engine._step, session, logits, Sampler(GREEDY, engine._suppress), 10))) == 7
    assert session.kv.length == 10


def test_tokens_in_rows_are_those_of_each_prompt_alone(engine: Engine) -> None:
    prompts = [Prompt((*START, *range(500, 500 + 7 * row))) for row in range(4)]
    rows = list(islice(engine.tokens_in_rows(prompts), 12))
    assert [list(row) for row in zip(*rows, strict=True)] == [list(islice(engine.tokens(each), 12)) for each in prompts]


def test_penalties_see_forced_tokens(engine: Engine) -> None:
    session = engine.cold_session()
    *_, (_, logits) = prefill(engine._model, Prompt(START), {}, session, 64)
    assert logits is not None
    sampler = Sampler(Sampling(0.0, presence_penalty=1e4), engine._suppress)
    written: list[int] = []
    for token in decode(engine._step, session, logits, lambda seen: sampler(seen, {1: 530}.get(len(written))), 4096):
        written.append(token)
        if len(written) == 12:
            break
    assert written[1] == 530
    assert len(set(written)) == len(written)
    assert sampler.restrict(mx.zeros((640,)))[530].item() == -1e4

"""A prompt becomes a filled cache and the logits of its last position, chunk by chunk."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import mlx.core as mx
import numpy as np

from engine.cache.kv_cache import SLACK, Chunk, KVCache
from engine.cache.sessions import Session
from engine.models.decoder import Masks
from engine.models.gemma4 import Gemma4
from engine.models.masks import last_row
from engine.prompt.prompt import Prompt
from engine.tokens.special_tokens import Special

__all__ = ["Features", "all_logits", "embed_chunk", "plan_chunks", "prefill"]

Features = Mapping[bytes, mx.array]
"""Soft tokens [n, hidden] by the key of what they stand for; what is in the state already has no need of them."""


def plan_chunks(start: int, stop: int, chunk_size: int, blocks: Sequence[range]) -> list[range]:
    """Cut positions [start, stop) into chunks of at most `chunk_size` that never end inside a media block.

    A block longer than a chunk stays whole and makes a chunk of its own length.
    """
    chunks = []
    while start < stop:
        end = min(start + chunk_size, stop)
        for block in blocks:
            if block.start < end < block.stop:
                end = block.start if block.start > start else min(block.stop, stop)
        chunks.append(range(start, end))
        start = end
    return chunks


def embed_chunk(model: Gemma4, prompt: Prompt, features: Features, chunk: range) -> tuple[mx.array, mx.array]:
    """Embeddings [1, L, hidden] of a chunk with soft tokens in place, and token ids [1, L] for the per-layer lookup.

    At media placeholders the per-layer lookup takes the pad token. Raises ValueError when there are another
    number of soft tokens than the prompt has room for: a picture must never be dropped or stretched in silence.
    """
    decoder = model.language_model
    ids = mx.array([prompt.token_ids[chunk.start : chunk.stop]])
    embeddings = decoder.embed(ids)
    per_layer_ids = ids
    for span in prompt.spans:
        start, stop = max(span.start, chunk.start), min(span.stop, chunk.stop)
        if start < stop:
            rows = features[span.media.key]
            if rows.shape[0] != len(span.positions):
                raise ValueError(f"{rows.shape[0]} soft tokens for the {len(span.positions)} places at {span.start}")
            at = mx.array([start - chunk.start])
            part = rows[start - span.start : stop - span.start].astype(embeddings.dtype)
            embeddings = mx.slice_update(embeddings, part[None], at, axes=[1])
            pads = mx.full((1, stop - start), int(Special.PAD), ids.dtype)
            per_layer_ids = mx.slice_update(per_layer_ids, pads, at, axes=[1])
    return embeddings, per_layer_ids


def prefill(
    model: Gemma4,
    prompt: Prompt,
    features: Features,
    session: Session,
    chunk_size: int,
    while_computing: Callable[[KVCache, int], None] | None = None,
) -> Iterator[tuple[int, mx.array | None]]:
    """Fill a state with the rest of its prompt; yield (positions done, None) per chunk, at the end with logits [V].

    Layers that share keys and values run for the last position only, and so do the head and, but for its keys and
    values, the last other layer. Each chunk is computed and recorded before it is yielded, so a caller may stop between
    chunks and keep what is done. Snapshots are taken on the way where another prompt is likely to go on otherwise; none
    of a state that nobody goes on from.
    while_computing: what is to be done meanwhile for the tokens after the prompt; it is given the cache, and the length
    that it is going to have.
    """
    keys, blocks, start = prompt.keys(), [span.positions for span in prompt.spans], session.kv.length
    places = set() if session.is_once else {start, session.parts_at, *_parting_places(prompt)}
    for chunk in plan_chunks(start, len(prompt), chunk_size, blocks):
        marks = _needed(place for place in places if chunk.start <= place <= chunk.stop)
        inputs = _prepare_chunk(model, prompt, features, session.kv, chunk, marks)
        logits = _run_chunk(model, inputs, chunk, is_last=chunk.stop == len(prompt))
        if logits is not None and while_computing is not None:
            mx.async_eval(logits)
            while_computing(session.kv, chunk.stop)
        session.keep(inputs.cache.finish())
        session.append(keys[chunk.start : chunk.stop])
        if logits is not None:
            mx.eval(logits)
        mx.clear_cache()
        yield chunk.stop, logits


def all_logits(model: Gemma4, prompt: Prompt, features: Features, kv: KVCache) -> mx.array:
    """Float32 logits [L, V] of every position, in one pass: for comparisons, not for answering."""
    decoder = model.language_model
    inputs = _prepare_chunk(model, prompt, features, kv, range(len(prompt)), ())
    states = decoder.run(inputs.embeddings, inputs.per_layer, inputs.cache.views, inputs.cache.masks, kv.length)
    return decoder.logits(states)[0]


def _parting_places(prompt: Prompt) -> list[int]:
    """Lengths at which other prompts may part from this one: after its system turn, at its last message, at its end."""
    turns = np.flatnonzero(np.array(prompt.token_ids) == Special.BEGIN_TURN).tolist()
    return [*turns[1:2], *turns[-2:], prompt.num_lasting, len(prompt)]


def _needed(places: Iterable[int]) -> list[int]:
    """The marks whose snapshots lead to all these lengths of one chunk."""
    marks: list[int] = []
    for place in sorted(places, reverse=True):
        if place and not (marks and marks[-1] - place <= SLACK):
            marks.append(place)
    return marks


class _Inputs(NamedTuple):
    """What the decoder takes for a chunk."""

    embeddings: mx.array
    per_layer: mx.array
    cache: Chunk


def _run_chunk(model: Gemma4, inputs: _Inputs, chunk: range, *, is_last: bool) -> mx.array | None:
    decoder, (embeddings, per_layer, cache) = model.language_model, inputs
    h, kept = decoder.run_owning(embeddings, per_layer, cache.views, cache.masks, chunk.start)
    if not is_last:
        return None
    last = Masks(sliding=last_row(cache.masks.sliding), full=last_row(cache.masks.full))
    states = decoder.run_rest(h[:, -1:], per_layer[:, -1:], kept, last, chunk.stop - 1)
    return decoder.logits(states)[0, -1]


def _prepare_chunk(
    model: Gemma4, prompt: Prompt, features: Features, kv: KVCache, chunk: range, marks: Iterable[int]
) -> _Inputs:
    embeddings, per_layer_ids = embed_chunk(model, prompt, features, chunk)
    per_layer = model.language_model.per_layer_inputs(per_layer_ids, embeddings)
    return _Inputs(embeddings, per_layer, kv.chunk(len(chunk), _whole_pictures(model, prompt, chunk), marks))


def _whole_pictures(model: Gemma4, prompt: Prompt, chunk: range) -> list[range]:
    """Positions of the chunk's pictures and frames, for a model whose sliding layers see each as a whole."""
    if not model.config.text.sees_images_whole:
        return []
    return [span.positions for span in prompt.spans if span.start in chunk and span.media.is_visual]

"""A prompt becomes a filled cache and the logits of its last position, chunk by chunk."""

from collections.abc import Iterator, Mapping, Sequence

import mlx.core as mx

from engine.cache.prefix_cache import PrefixCache
from engine.models.attention import KVView
from engine.models.decoder import Masks
from engine.models.gemma4 import Gemma4
from engine.models.masks import last_row
from engine.prompt.prompt import Prompt
from engine.prompt.special_tokens import Special

__all__ = ["Features", "all_logits", "embed_chunk", "plan_chunks", "prefill"]

Features = Mapping[bytes, mx.array]
"""Soft tokens [n, hidden] by the key of what they stand for."""


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
        rows = features[span.media.key]
        if rows.shape[0] != len(span.positions):
            raise ValueError(f"{rows.shape[0]} soft tokens for the {len(span.positions)} places at {span.start}")
        start, stop = max(span.start, chunk.start), min(span.stop, chunk.stop)
        if start < stop:
            at = mx.array([start - chunk.start])
            part = rows[start - span.start : stop - span.start].astype(embeddings.dtype)
            embeddings = mx.slice_update(embeddings, part[None], at, axes=[1])
            pads = mx.full((1, stop - start), int(Special.PAD), ids.dtype)
            per_layer_ids = mx.slice_update(per_layer_ids, pads, at, axes=[1])
    return embeddings, per_layer_ids


def prefill(
    model: Gemma4, prompt: Prompt, features: Features, cache: PrefixCache, start: int, chunk_size: int
) -> Iterator[tuple[int, mx.array | None]]:
    """Fill the cache from position `start` on; yield (positions done, None) per chunk, at the end with logits [V].

    Layers that share keys and values run for the last position only, and so does the head. Each chunk is computed
    and recorded before it is yielded, so a caller may stop between chunks and keep what is done. One chunk ends where
    the next turn's prompt will go on otherwise, so that the caller can take a snapshot there.
    """
    keys, blocks, lasting = prompt.keys(), [span.positions for span in prompt.spans], prompt.num_lasting
    chunks = plan_chunks(start, lasting, chunk_size, blocks)
    for chunk in [*chunks, *plan_chunks(max(start, lasting), len(prompt), chunk_size, blocks)]:
        is_last = chunk.stop == len(prompt)
        logits = _run_chunk(model, prompt, features, cache, chunk, is_last)
        cache.kv.advance(len(chunk))
        cache.append(keys[chunk.start : chunk.stop])
        cache.kv.evaluate()
        if logits is not None:
            mx.eval(logits)
        mx.clear_cache()
        yield chunk.stop, logits


def all_logits(model: Gemma4, prompt: Prompt, features: Features, cache: PrefixCache) -> mx.array:
    """Float32 logits [L, V] of every position, in one pass: for comparisons, not for answering."""
    decoder = model.language_model
    inputs = _prepare_chunk(model, prompt, features, cache, range(len(prompt)))
    return decoder.logits(decoder.run(*inputs, cache.kv.length))[0]


def _run_chunk(
    model: Gemma4, prompt: Prompt, features: Features, cache: PrefixCache, chunk: range, is_last: bool
) -> mx.array | None:
    decoder = model.language_model
    embeddings, per_layer, views, masks = _prepare_chunk(model, prompt, features, cache, chunk)
    h, kept = decoder.run_owning(embeddings, per_layer, views, masks, chunk.start)
    if not is_last:
        return None
    last = Masks(sliding=last_row(masks.sliding), full=last_row(masks.full))
    states = decoder.run_sharing(h[:, -1:], per_layer[:, -1:], kept, last, chunk.stop - 1)
    return decoder.logits(states)[0, -1]


def _prepare_chunk(
    model: Gemma4, prompt: Prompt, features: Features, cache: PrefixCache, chunk: range
) -> tuple[mx.array, mx.array, list[KVView], Masks]:
    """What the decoder takes for a chunk: embeddings, per-layer inputs, views of the cache, masks."""
    embeddings, per_layer_ids = embed_chunk(model, prompt, features, chunk)
    per_layer = model.language_model.per_layer_inputs(per_layer_ids, embeddings)
    return embeddings, per_layer, *cache.kv.chunk(len(chunk), _whole_pictures(model, prompt, chunk))


def _whole_pictures(model: Gemma4, prompt: Prompt, chunk: range) -> list[range]:
    """Positions of the chunk's pictures and frames, for a model whose sliding layers see each as a whole."""
    if not model.config.text.sees_images_whole:
        return []
    return [span.positions for span in prompt.spans if span.start in chunk and span.media.is_visual]

"""How much memory a use of a model needs at its peak, from shapes alone, and what would make it less.

    weights + keys and values + towers and soft tokens + the work of a moment

The first three are counted. The work of a moment is what lives at once while a chunk of a prompt or a layer of a tower
is computed: its coefficients are those measured on the CPU (`cabochon bench fit`), where MLX works on up to ten
operations at once.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from engine.protocol.messages import BUDGETS
from engine.protocol.models import Fit, FitVerdict, LayerShape, Lever, Machine, NotEnoughMemory, Shapes, Use, Weights

__all__ = ["fit", "in_words", "keeps_table", "loaded_shapes", "require_room"]

TIGHT_FROM = 0.8
"""Share of the working set from which other programs feel it."""

CHUNK_SIZE = 512
"""Positions of a prompt that are computed at once, unless a picture is longer."""

SCORE_BYTES, CPU_SCORE_BYTES = 256 * 1024 * 1024, 2 * 1024 * 1024
"""Scores of full attention that exist at once."""

BLOCK = 256
"""Queries of a sliding layer attended at once, and positions by which buffers grow."""

NUM_SNAPSHOTS = 2
"""Copies of the sliding layers' keys and values that a conversation leaves to be returned to."""

SOUND_FRAMES, SOUND_TOKENS = 3000, 750
"""Of 30 seconds."""

CPU_FRAMES = 64
"""Of a clip, convolved at once on the CPU."""

CONTEXTS = (2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144)
"""What a person chooses from."""


@lru_cache(maxsize=512)  # the window asks for all models again whenever anything about one of them changed
def fit(shapes: Shapes, machine: Machine, use: Use = Use()) -> Fit:
    """What a use needs on this machine, and what would help where that is too much."""
    shapes = loaded_shapes(shapes, machine)
    needs = _needs(shapes, machine, use)
    if needs.verdict == "fits":
        return needs
    return msgspec.structs.replace(needs, levers=tuple(_levers(shapes, machine, use, needs)))


def keeps_table(shapes: Shapes, machine: Machine) -> bool:
    """Whether the per-layer table, if there is one, is in memory: where a conversation about a page fits well beside
    it. Else its rows are read from the file.
    """
    use = Use(budget=BUDGETS[-1])
    return shapes.table == Weights() or _needs(_with_table(shapes), machine, use).verdict == "fits"


def loaded_shapes(shapes: Shapes, machine: Machine, keeps: bool | None = None) -> Shapes:
    """The shapes of the model as it is in memory on this machine, with or without its table, or as `keeps` says."""
    keeps = keeps_table(shapes, machine) if keeps is None else keeps
    return _with_table(shapes) if keeps else _without_table(shapes)


def require_room(shapes: Shapes, machine: Machine, use: Use, what: str) -> int:
    """The bytes that a use needs; raises NotEnoughMemory, in a sentence about `what`, for more than there are."""
    found = fit(shapes, machine, use)
    if found.verdict == "too_big":
        raise NotEnoughMemory(_refusal(found, what), found.levers)
    return found.needed_bytes


def _refusal(found: Fit, what: str) -> str:
    helpful = [lever.words for lever in found.levers if lever.is_enough]
    advice = f"It would fit so: {'; or '.join(helpful)}." if helpful else "Choose a smaller model, or ask for less."
    needed, given = in_words(found.needed_bytes), in_words(found.available_bytes)
    return f"{what} needs {needed} of memory, and this machine gives {given}. {advice}"


def weights_bytes(weights: Weights, machine: Machine) -> int:
    """Memory of weights in the type that the machine computes in."""
    return weights.packed_bytes + weights.num_floats * _float_bytes(machine)


def kv_bytes(shapes: Shapes, machine: Machine, context: int) -> int:
    """Keys and values of one conversation of so many positions."""
    length = _rounded(context)
    full = sum(_kv_floats(layer) for layer in _owning(shapes, is_sliding=False)) * length
    return (full + _sliding_floats(shapes, min(length, shapes.sliding_window))) * _float_bytes(machine)


def in_words(num_bytes: int) -> str:
    """An amount of memory as a person reads it."""
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 95e6 else f"{max(1, round(num_bytes / 1e6))} MB"


def tokens_in_words(num_tokens: int) -> str:
    """A context as people name it: 8K."""
    return f"{num_tokens // 1024}K" if num_tokens % 1024 == 0 else f"{num_tokens:,}"


def _with_table(shapes: Shapes) -> Shapes:
    return msgspec.structs.replace(shapes, table=Weights())


def _without_table(shapes: Shapes) -> Shapes:
    text, table = shapes.text, shapes.table
    rest = Weights(text.packed_bytes - table.packed_bytes, text.num_floats - table.num_floats)
    return msgspec.structs.replace(shapes, text=rest, table=Weights())


def _needs(shapes: Shapes, machine: Machine, use: Use) -> Fit:
    """Of a model as it is in memory."""
    context = min(use.context, shapes.context_length)
    snapshots = _sliding_floats(shapes, min(context, shapes.sliding_window + 16)) * NUM_SNAPSHOTS
    needs = Fit(
        verdict="fits",
        weights_bytes=weights_bytes(shapes.text, machine),
        context_bytes=use.rows * (kv_bytes(shapes, machine, context) + snapshots * _float_bytes(machine)),
        media_bytes=_media_bytes(shapes, machine, use),
        work_bytes=_work_bytes(shapes, machine, use, context),
        available_bytes=machine.working_set_bytes,
    )
    return msgspec.structs.replace(needs, verdict=_verdict(needs.needed_bytes, machine.working_set_bytes))


def _verdict(needed_bytes: int, available_bytes: int) -> FitVerdict:
    if needed_bytes > available_bytes:
        return "too_big"
    return "tight" if needed_bytes > available_bytes * TIGHT_FROM else "fits"


def _media_bytes(shapes: Shapes, machine: Machine, use: Use) -> int:
    """Towers stay once they were used, and soft tokens while the conversation may need them again."""
    sees, hears = _sees(shapes, use), _hears(shapes, use)
    num_tokens = sees * use.budget + hears * SOUND_TOKENS
    towers = sees * weights_bytes(shapes.seeing, machine) + hears * weights_bytes(shapes.hearing, machine)
    return towers + num_tokens * shapes.hidden_size * _float_bytes(machine)


def _work_bytes(shapes: Shapes, machine: Machine, use: Use, context: int) -> int:
    sees, hears = _sees(shapes, use), _hears(shapes, use)
    block = max(sees * use.budget, hears * SOUND_TOKENS)
    size = _float_bytes(machine)
    most_scores = SCORE_BYTES if machine.has_gpu else CPU_SCORE_BYTES
    moments = [_chunk_bytes(shapes, min(context, max(CHUNK_SIZE, block)), context, size, most_scores)]
    if sees:
        moments.append(_picture_floats(shapes, use.budget) * size)
    if hears:
        moments.append(_sound_floats(shapes, SOUND_FRAMES if machine.has_gpu else CPU_FRAMES) * size)
    return max(moments)


def _chunk_bytes(shapes: Shapes, length: int, context: int, size: int, most_scores: int) -> int:
    """While a chunk of `length` positions is computed; of the last layer just the keys and values.

    A model's only full layer is its last one.
    """
    heads, hidden = shapes.num_attention_heads, shapes.hidden_size
    num_full = sum(layer.count for layer in _owning(shapes, is_sliding=False))
    block = min(length, shapes.sliding_window, BLOCK)
    scores = heads * block * (shapes.sliding_window + block) * size
    if num_full > 1:
        scores = max(scores, min(heads * length * context * size, most_scores) + length * context)
    experts = length * size * shapes.experts_per_token * 3 * (hidden + shapes.expert_width)
    each = (
        7 * max(layer.intermediate_size for layer in shapes.layers if layer.owns_kv)
        + 2 * hidden
        + heads * max(layer.head_dim for layer in shapes.layers)
        + sum(_kv_floats(layer) for layer in shapes.layers if layer.owns_kv)
        + 2 * sum(layer.count for layer in shapes.layers) * shapes.per_layer_width
    )
    return max(scores, experts) + length * each * size


def _picture_floats(shapes: Shapes, budget: int) -> int:
    """While pixels become patches, or a layer of the tower is computed."""
    vision = shapes.vision
    assert vision is not None
    num_patches = budget * vision.patches_per_token
    if not vision.intermediate_size:
        return num_patches * 4 * vision.patch_values
    width = vision.num_attention_heads * vision.head_dim
    layer = 7 * vision.intermediate_size + 2 * vision.hidden_size + 4 * width
    return num_patches * max(3 * vision.patch_values, layer)


def _sound_floats(shapes: Shapes, num_frames: int) -> int:
    """While two convolutions shorten so much of the clip at once, the second of them unfolded, or a layer of the tower
    looks back.
    """
    audio = shapes.audio
    assert audio is not None
    if not audio.hidden_size:
        return SOUND_TOKENS * 4 * shapes.hidden_size
    channels = audio.channels[0]
    convolved = num_frames // 2 * 64 * channels * 5 + num_frames // 4 * 32 * channels * 9
    return max(convolved, SOUND_TOKENS * audio.hidden_size * (2 * audio.attention_window + 12))


def _levers(shapes: Shapes, machine: Machine, use: Use, needs: Fit) -> Iterator[Lever]:
    """Less of one thing at a time, each as much less as is needed, or as much as there is."""
    if use.rows > 1:
        yield from _lever(shapes, machine, needs, [_changed(use, rows=1)], "rows", lambda _: "one answer at a time")
    if _sees(shapes, use):
        smaller = [_changed(use, budget=budget) for budget in reversed(BUDGETS) if budget < use.budget]
        yield from _lever(shapes, machine, needs, smaller, "budget", lambda other: f"budget {other.budget}")
    shorter = [_changed(use, context=context) for context in reversed(CONTEXTS) if context < use.context]
    asked = tokens_in_words(use.context)
    yield from _lever(
        shapes, machine, needs, shorter, "context", lambda other: f"{tokens_in_words(other.context)} instead of {asked}"
    )


def _lever(
    shapes: Shapes,
    machine: Machine,
    needs: Fit,
    uses: Sequence[Use],
    less_of: Literal["context", "budget", "rows"],
    name: Callable[[Use], str],
) -> Iterator[Lever]:
    """The first of these uses, ever smaller, that fits well, else the first that fits at all, else the smallest."""
    tried = [(use, _needs(shapes, machine, use)) for use in uses]
    good = [each for verdict in ("fits", "tight") for each in tried if each[1].verdict == verdict]
    for use, less in (good or tried[-1:])[:1]:
        saved = needs.needed_bytes - less.needed_bytes
        if saved > 0:
            words = f"{name(use)} saves {in_words(saved)}"
            yield Lever(words, saved, less.verdict != "too_big", use, less_of)


def _changed(use: Use, **changes: int) -> Use:
    return msgspec.structs.replace(use, **changes)


def _sees(shapes: Shapes, use: Use) -> bool:
    return shapes.vision is not None and use.budget > 0


def _hears(shapes: Shapes, use: Use) -> bool:
    return shapes.audio is not None and use.hears


def _owning(shapes: Shapes, *, is_sliding: bool) -> list[LayerShape]:
    return [layer for layer in shapes.layers if layer.owns_kv and layer.is_sliding == is_sliding]


def _sliding_floats(shapes: Shapes, length: int) -> int:
    """Keys and values of all sliding layers at so many positions."""
    return sum(_kv_floats(layer) for layer in _owning(shapes, is_sliding=True)) * length


def _kv_floats(layer: LayerShape) -> int:
    """Of one position in all of these layers."""
    return 2 * layer.count * layer.num_key_value_heads * layer.head_dim


def _rounded(length: int) -> int:
    return -(-length // BLOCK) * BLOCK


def _float_bytes(machine: Machine) -> int:
    return 2 if machine.has_gpu else 4

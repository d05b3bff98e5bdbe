"""Does the GPU compute what the CPU computes? Each operation of the models at their true shapes, without a model.

The inputs are rounded to the type that the device computes in, and the CPU takes the same numbers in float32. What is
looked for are kernels that do nothing, that fail, and that are wrong; rounding alone stays far below the tolerances.
Where the CPU is the device, it is compared with itself.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from engine.backend import compute_dtype
from engine.generation.sampling import Sampler, suppression
from engine.models.attention import attend
from engine.models.experts import SORT_FROM, ExpertLinear, QuantizedExpertLinear
from engine.models.rope import RoPE, RoPE2D
from engine.protocol.options import Sampling

__all__ = ["OPERATIONS", "KernelResult", "Operation", "check_kernels"]

Compute = Callable[..., mx.array]


@dataclass(frozen=True)
class Operation:
    """One computation: how its inputs are made, and what it does with them."""

    name: str
    shapes: tuple[tuple[int, ...], ...]
    """Of its inputs, drawn from a normal distribution."""
    compute: Compute
    expect: Compute | None = None
    """What the CPU does instead, where its own kernel would be the same code or knows other types only."""
    tolerance: float = 0.04
    """Largest difference, as a share of the largest value."""


@dataclass(frozen=True)
class KernelResult:
    """What became of an operation."""

    name: str
    difference: float
    """As a share of the largest value."""
    milliseconds: float
    problem: str = ""
    """In words; empty if all is well."""


def check_kernels(operations: Sequence[Operation]) -> Iterator[KernelResult]:
    """One result after the other."""
    for number, operation in enumerate(operations):
        yield _check(operation, number)
        mx.clear_cache()


def _check(operation: Operation, seed: int) -> KernelResult:
    random = np.random.default_rng(seed)
    drawn = [mx.array(random.normal(0, 1, shape).astype(np.float32)) for shape in operation.shapes]
    inputs = [each.astype(compute_dtype()) for each in drawn]
    with mx.stream(mx.Device(mx.cpu)):
        expected = (operation.expect or operation.compute)(*(each.astype(mx.float32) for each in inputs))
        wanted = np.array(expected.astype(mx.float32))
    started = time.perf_counter()
    try:
        found = np.array(operation.compute(*inputs).astype(mx.float32))
    except (RuntimeError, ValueError) as error:
        return KernelResult(operation.name, float("inf"), 0.0, f"failed: {' '.join(str(error).split())[:200]}")
    milliseconds = (time.perf_counter() - started) * 1000
    difference = _difference(found, wanted)
    return KernelResult(operation.name, difference, milliseconds, _problem(found, difference, operation.tolerance))


def _difference(found: np.ndarray, wanted: np.ndarray) -> float:
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return float("inf")
    return float(np.abs(found - wanted).max() / max(np.abs(wanted).max(), 1e-6))


def _problem(found: np.ndarray, difference: float, tolerance: float) -> str:
    if not np.isfinite(found).all():
        return "gives numbers that are none"
    if not found.any():
        return "gives zeros"
    return "" if difference <= tolerance else f"is wrong by {difference:.2g} of the largest value"


def _attention(heads: int, kv_heads: int, dim: int, queries: int, keys: int, mask: str | None = "causal") -> Operation:
    def compute(q: mx.array, k: mx.array, v: mx.array) -> mx.array:
        return attend(q * dim**-0.5, k, v, mask if queries > 1 else None)  # type: ignore[arg-type]

    name = f"attention {dim}, {heads}/{kv_heads} heads, {queries} x {keys}"
    return Operation(name, ((1, heads, queries, dim), (1, kv_heads, keys, dim), (1, kv_heads, keys, dim)), compute)


def _quantized(mode: str, bits: int, group_size: int, rows: int) -> Operation:
    """A product with packed weights beside one with the same weights unpacked."""

    def packed(weight: mx.array) -> tuple[mx.array, mx.array, mx.array | None]:
        with mx.stream(mx.Device(mx.cpu)):
            words, scales, *biases = mx.quantize(weight * 0.05, group_size=group_size, bits=bits, mode=mode)
            mx.eval(words, scales, *biases)
        return words, scales, biases[0] if biases else None

    def compute(x: mx.array, weight: mx.array) -> mx.array:
        words, scales, biases = packed(weight)
        return mx.quantized_matmul(x, words, scales, biases, group_size=group_size, bits=bits, mode=mode)

    def expect(x: mx.array, weight: mx.array) -> mx.array:
        words, scales, biases = packed(weight.astype(compute_dtype()))
        whole = mx.dequantize(words, scales, biases, group_size=group_size, bits=bits, mode=mode)
        return x @ whole.astype(mx.float32).T

    name = f"quantized product {mode} {bits} bits, groups of {group_size}, {rows} rows"
    return Operation(name, ((rows, 1536), (2048, 1536)), compute, expect)


def _experts(pairs: int, bits: int | None) -> Operation:
    """Rows that each meet one of 128 matrices, sorted as the engine sorts them."""
    experts = np.random.default_rng(pairs).integers(0, 128, pairs)
    is_sorted = pairs >= SORT_FROM
    chosen = mx.array(np.sort(experts) if is_sorted else experts)

    def compute(x: mx.array, weight: mx.array) -> mx.array:
        linear = ExpertLinear(1, 1, 1)
        linear.weight = weight
        layer: ExpertLinear | QuantizedExpertLinear = linear if bits is None else linear.to_quantized(64, bits)
        return layer(x[:, None], chosen, is_sorted=is_sorted)[:, 0]

    def expect(x: mx.array, weight: mx.array) -> mx.array:
        if bits is not None:
            words, scales, biases = mx.quantize(weight.astype(compute_dtype()), group_size=64, bits=bits)
            weight = mx.dequantize(words, scales, biases, group_size=64, bits=bits).astype(mx.float32)
        return (x[:, None] @ weight[chosen].swapaxes(-1, -2))[:, 0]

    name = f"experts {'in bfloat16' if bits is None else f'in {bits} bits'}, {pairs} rows"
    return Operation(name, ((pairs, 704), (128, 352, 704)), compute, expect)


def _rope(partial_factor: float | None, offset: int) -> Operation:
    def compute(x: mx.array) -> mx.array:
        rope = RoPE(512 if partial_factor else 256, 1e6, partial_factor)
        return rope.at(mx.array([offset], mx.int32), x.shape[2])(x)

    return Operation(
        f"rope at {offset}{', partial' if partial_factor else ''}",
        ((1, 8, 9, 512 if partial_factor else 256),),
        compute,
    )


def _rope_of_picture(x: mx.array) -> mx.array:
    places = mx.arange(x.shape[2])
    return RoPE2D(mx.stack([places % 60, places // 60], axis=-1), x.shape[-1], 100.0)(x)


def _largest(logits: mx.array) -> mx.array:
    sampler = Sampler(Sampling(temperature=1.0, top_k=64, top_p=1.0), suppression(logits.shape[0], []))
    return sampler.candidates(logits.astype(mx.float32))[0]


def _sorted_by_numpy(logits: mx.array) -> mx.array:
    return mx.array(-np.sort(-np.array(logits))[:64])


def _depthwise(x: mx.array, weight: mx.array) -> mx.array:
    return mx.conv1d(x, weight, groups=x.shape[-1])


def _halved(x: mx.array, weight: mx.array) -> mx.array:
    return mx.conv2d(x, weight, stride=2, padding=1)


def _put_rows(x: mx.array, rows: mx.array) -> mx.array:
    return mx.slice_update(x, rows, mx.array([300]), axes=[1])


def _looked_up(table: mx.array) -> mx.array:
    return table[mx.array(np.arange(0, table.shape[0], 977), mx.int64)]


def _clipped(x: mx.array) -> mx.array:
    bounds = mx.array([-np.inf, np.inf]).astype(x.dtype)
    return mx.clip(x, bounds[0], bounds[1]) + mx.clip(x, mx.array(-0.5).astype(x.dtype), mx.array(0.5).astype(x.dtype))


def _softcapped(x: mx.array) -> mx.array:
    return mx.tanh(x.astype(mx.float32) / 30) * 30


MODES = (
    *(("affine", bits, group) for bits in (2, 3, 4, 5, 6, 8) for group in (32, 64, 128)),
    ("mxfp4", 4, 32),
    ("mxfp8", 8, 32),
    ("nvfp4", 4, 16),
)

OPERATIONS: tuple[Operation, ...] = (
    _attention(12, 12, 64, 2048, 2520, None),
    _attention(16, 16, 72, 2048, 2520, None),
    *(_attention(8, 2, 256, queries, keys) for queries, keys in ((1, 512), (9, 1033), (256, 1280))),
    *(_attention(heads, kv, 512, 1, keys) for heads, kv in ((8, 1), (8, 2), (32, 4)) for keys in (1000, 5000, 40_000)),
    *(_attention(heads, kv, 512, 9, keys) for heads, kv in ((8, 1), (8, 2), (32, 4)) for keys in (1000, 5000)),
    *(_attention(8, kv, 512, 512, keys) for kv in (1, 2) for keys in (1000, 5000)),
    _attention(2, 1, 512, 512, 40_000),
    *(_quantized(*mode, rows) for mode in MODES for rows in (1, 9, 512)),
    *(_experts(pairs, bits) for pairs in (8, 512, 4096) for bits in (None, 4, 8)),
    *(_rope(factor, offset) for factor in (None, 0.25) for offset in (0, 1000, 100_000)),
    Operation("rope of a picture", ((1, 12, 2520, 64),), _rope_of_picture),
    Operation("depthwise convolution", ((1, 754, 1024), (1024, 5, 1)), _depthwise),
    Operation("convolution of a spectrogram", ((1, 1500, 128, 1), (128, 3, 3, 1)), _halved),
    Operation("convolution of its channels", ((1, 375, 64, 128), (32, 3, 3, 128)), _halved),
    Operation("the 64 largest of 262,144", ((262_144,),), _largest, _sorted_by_numpy, 1e-6),
    Operation("rows of a table", ((262_144, 256),), _looked_up, None, 1e-6),
    Operation("rows put into a buffer", ((1, 1024, 1536), (1, 280, 1536)), _put_rows, None, 1e-6),
    Operation("bounds without an end", ((2048, 1024),), _clipped),
    Operation("soft cap of logits", ((262_144,),), _softcapped),
    Operation("norm", ((512, 5376), (5376,)), partial(mx.fast.rms_norm, eps=1e-6)),
    Operation("gelu", ((512, 6144),), nn.gelu_approx),
)  # fmt: skip
"""In the order of the models: towers, attention, products, positions, sampling."""

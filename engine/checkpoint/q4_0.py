"""Weights that were trained onto a 4-bit grid (`-qat-q4_0-unquantized`): find the grid again and pack it as it is.

Each group of 32 values along a row is d * i with i = -8 … 7, rounded to the file's float type. Fitting the group to
its own minimum and maximum, as ordinary quantization does, would be another grid; finding d keeps every level.
"""

import mlx.core as mx

__all__ = ["GROUP_SIZE", "is_on_grid", "pack"]

GROUP_SIZE = 32
BITS = 4

_TOLERANCE = 1.02 * 2**-7
"""Relative difference that two roundings to bfloat16 make: of a value and of the one that d is read from."""


def is_on_grid(weight: mx.array) -> bool:
    """Whether every group of weight [rows, columns] lies on a grid; all zeros lie on none."""
    if weight.shape[-1] % GROUP_SIZE:
        return False
    _, steps, fits = _levels(weight)
    return bool(mx.all(fits).item()) and bool(mx.any(steps != 0).item())


def pack(weight: mx.array) -> tuple[mx.array, mx.array, mx.array]:
    """weight [rows, columns] -> packed words, scales and biases of MLX's affine mode, 4 bits in groups of 32.

    A group that lies on no grid is fitted as ordinary quantization does.
    """
    rows, dtype = weight.shape[0], weight.dtype
    levels, steps, fits = _levels(weight)
    scales = _nearest_step(weight.reshape(levels.shape), levels, steps)
    places = mx.array([16**place for place in range(8)], mx.uint32)  # the first value is in the lowest bits
    words = ((levels + 8).astype(mx.uint32).reshape(*levels.shape[:2], 4, 8) * places).sum(axis=-1)
    other_words, other_scales, other_biases = mx.quantize(weight, GROUP_SIZE, BITS)
    is_exact = fits[..., None]
    words = mx.where(is_exact, words, other_words.reshape(words.shape)).reshape(rows, -1).astype(mx.uint32)
    return words, mx.where(fits, scales, other_scales), mx.where(fits, (-8 * scales).astype(dtype), other_biases)


def _levels(weight: mx.array) -> tuple[mx.array, mx.array, mx.array]:
    """weight [rows, columns] -> levels [rows, groups, 32], steps [rows, groups] and whether each group is on a grid.

    The value furthest from zero is some level m of the grid: the first m that explains all other values is taken.
    """
    groups = weight.astype(mx.float32).reshape(weight.shape[0], -1, GROUP_SIZE)
    furthest = mx.take_along_axis(groups, mx.argmax(mx.abs(groups), axis=-1, keepdims=True), axis=-1)
    fits = mx.zeros(groups.shape[:2], mx.bool_)
    levels, steps = mx.zeros(groups.shape), mx.zeros(groups.shape[:2])
    for m in (1, 2, 3, 4, 5, 6, 7, -8):
        step = furthest / m
        level = mx.round(mx.where(step == 0, 0, groups / step))
        difference = mx.abs(groups - level * step)
        ok = mx.all((difference <= _TOLERANCE * mx.abs(groups)) & (level >= -8) & (level <= 7), axis=-1)
        is_first = ok & ~fits
        levels = mx.where(is_first[..., None], level, levels)
        steps = mx.where(is_first, step[..., 0], steps)
        fits = fits | ok
    return levels, steps, fits


def _nearest_step(groups: mx.array, levels: mx.array, steps: mx.array) -> mx.array:
    """The step in the file's type, of the least-squares one and its two neighbours the one that repeats most values."""
    dtype, bits = groups.dtype, mx.uint32 if groups.dtype == mx.float32 else mx.uint16
    squares = (levels * levels).sum(axis=-1)
    fitted = mx.where(squares > 0, (groups.astype(mx.float32) * levels).sum(axis=-1) / mx.maximum(squares, 1), steps)
    middle = fitted.astype(dtype).view(bits)
    is_zero = fitted == 0
    best, fewest = mx.zeros(fitted.shape, dtype), mx.full(fitted.shape, GROUP_SIZE + 1)
    for step_bits in (middle, middle - 1, middle + 1):
        step = mx.where(is_zero, mx.zeros((), dtype), step_bits.view(dtype))
        values = (levels * step.astype(mx.float32)[..., None]).astype(dtype)
        wrong = (values != groups).sum(axis=-1)
        best, fewest = mx.where(wrong < fewest, step, best), mx.minimum(wrong, fewest)
    return best

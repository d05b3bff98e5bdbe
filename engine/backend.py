"""Where MLX computes, and in which type: one policy for the whole engine.

Metal computes in the checkpoint's own bfloat16. MLX's CPU backend multiplies quantized matrices five times faster in
float32 than in bfloat16 and thirty times faster than in float16, so there everything is float32. To fuse kernels it
calls the system's C++ compiler: fifteen seconds for a whole decode step on its first run, so there only small functions
are compiled, and the step as a whole on Metal alone.
"""

import os
from typing import Literal

import mlx.core as mx

__all__ = ["backend_name", "compiles_whole_steps", "compute_dtype", "default_state_bytes"]

STATE_SHARE = 0.25
"""Of the memory that a model leaves, for what is remembered of conversations."""

MIN_STATE_BYTES = 256 * 1024 * 1024


def backend_name() -> Literal["metal", "cpu"]:
    """The device that MLX uses by default."""
    return "metal" if mx.default_device() == mx.Device(mx.gpu) else "cpu"


def compute_dtype() -> mx.Dtype:
    """The type of weights and activations."""
    return mx.bfloat16 if backend_name() == "metal" else mx.float32


def compiles_whole_steps() -> bool:
    """Whether a decode step is worth compiling as one function."""
    return backend_name() == "metal"


def default_state_bytes(model_bytes: int) -> int:
    """What the states of conversations may take beside a model of this size."""
    return max(MIN_STATE_BYTES, int((_usable_bytes() - model_bytes) * STATE_SHARE))


def _usable_bytes() -> int:
    """What the GPU may keep resident, where MLX knows it; else the machine's memory."""
    recommended = mx.device_info().get("max_recommended_working_set_size")
    return int(recommended or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))

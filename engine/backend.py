"""Where MLX computes, and in which type: one policy for the whole engine.

Metal computes in the checkpoint's own bfloat16. MLX's CPU backend multiplies quantized matrices five times faster in
float32 than in bfloat16 and thirty times faster than in float16, so there everything is float32; and because it would
call the system's C++ compiler to fuse kernels, compiled functions run there as plain ones.
"""

from typing import Literal

import mlx.core as mx

__all__ = ["backend_name", "compute_dtype", "prepare_backend"]


def backend_name() -> Literal["metal", "cpu"]:
    """The device that MLX uses by default."""
    return "metal" if mx.default_device() == mx.Device(mx.gpu) else "cpu"


def compute_dtype() -> mx.Dtype:
    """The type of weights and activations."""
    return mx.bfloat16 if backend_name() == "metal" else mx.float32


def prepare_backend() -> None:
    """Apply the policy on compiled functions; called once, before the first model is loaded."""
    if backend_name() == "metal":
        mx.enable_compile()
    else:
        mx.disable_compile()

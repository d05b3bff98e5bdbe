"""Where MLX computes, and in which type: one policy for the whole engine.

Metal computes in the checkpoint's own bfloat16. MLX's CPU backend multiplies quantized matrices five times faster in
float32 than in bfloat16 and thirty times faster than in float16, so there everything is float32. To fuse kernels it
calls the system's C++ compiler: fifteen seconds for a whole decode step on its first run, so there only small functions
are compiled, and the step as a whole on Metal alone.
"""

import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

import mlx.core as mx

from engine.protocol.models import Machine

__all__ = [
    "advice_on_build",
    "backend_name",
    "compiles_whole_steps",
    "compute_dtype",
    "default_state_bytes",
    "limit_memory",
    "metal_build",
    "this_machine",
    "use_cpu",
]

STATE_SHARE = 0.25
"""Of the memory that a model leaves, for what is remembered of conversations."""

MIN_STATE_BYTES = 256 * 1024 * 1024

WORKING_SHARE = 0.75
"""Of the memory, where MLX knows no better: as much as macOS recommends on most Macs."""

M5 = 17
"""Generation of GPUs, as Metal counts, whose matrix units MLX has kernels for since macOS 26.2."""

MAX_SPARE_BYTES = 1024**3
"""Of freed buffers that MLX keeps for the next one; its own limit is more than the memory of the machine."""


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
    return max(MIN_STATE_BYTES, int((this_machine().working_set_bytes - model_bytes) * STATE_SHARE))


def use_cpu() -> None:
    """Compute on the CPU from now on, for a machine whose GPU is not to be trusted or not a Mac's own.

    There MLX calls a C++ compiler to fuse kernels; on a Mac without one that opens a dialog, so nothing is fused.
    """
    mx.set_default_device(mx.Device(mx.cpu))
    if sys.platform == "darwin":
        mx.disable_compile()


def obey_environment() -> None:
    """Compute on the CPU if CABOCHON_DEVICE=cpu says so: for build machines that pretend to have a GPU.

    Called on each thread that computes, before it does.
    """
    if os.environ.get("CABOCHON_DEVICE") == "cpu":
        use_cpu()


def limit_memory() -> None:
    """Keep on the GPU what macOS recommends, resident, and give the rest back; elsewhere nothing is limited.

    Without a limit MLX keeps freed buffers up to nearly all memory, and macOS may page the weights out between answers.
    """
    if backend_name() == "metal":
        recommended = this_machine().working_set_bytes
        mx.set_memory_limit(recommended)
        mx.set_cache_limit(min(MAX_SPARE_BYTES, recommended // 16))
        mx.set_wired_limit(recommended)


def this_machine() -> Machine:
    """What the engine runs on, as far as the system tells."""
    known = mx.device_info() if backend_name() == "metal" else {}
    memory = int(known.get("memory_size") or _memory_bytes())
    recommended = known.get("max_recommended_working_set_size")
    return Machine(
        chip=str(known.get("device_name") or _processor()),
        memory_bytes=memory,
        working_set_bytes=int(recommended or memory * WORKING_SHARE),
        system=_system(),
        has_gpu=backend_name() == "metal",
        advice=advice_on_build(str(known.get("architecture", "")), metal_build()),
    )


def advice_on_build(architecture: str, build: str) -> str:
    """What to say of a GPU such as "applegpu_g17s" and kernels built for a platform; empty if nothing is to be won."""
    generation = re.search(r"_g(\d+)", architecture)
    platform_of_build = re.search(r"macosx_(\d+)_", build)
    if not generation or not platform_of_build or int(generation[1]) < M5 or int(platform_of_build[1]) >= 26:
        return ""
    return (
        "This Mac's GPU has matrix units that this build does not use: on macOS 26.2 or later, the build for macOS 26 "
        "reads prompts about three times as fast."
    )


def metal_build() -> str:
    """The platform that MLX's kernels were built for, as their package says; empty without any."""
    try:
        told = distribution("mlx-metal").read_text("WHEEL") or ""
    except PackageNotFoundError:
        return ""
    found = re.search(r"macosx_\w+", told)
    return found[0] if found else ""


def _memory_bytes() -> int:
    """Of the machine, or of the container that this runs in."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _first_line(Path("/sys/fs/cgroup/memory.max"))
    return min(pages, int(limit)) if limit.isdecimal() else pages


def _processor() -> str:
    """Its name, as Linux tells it; elsewhere its kind."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            return next(names, platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def _system() -> str:
    """Its name and version."""
    if platform.system() == "Darwin":
        return f"macOS {platform.mac_ver()[0]}"
    return f"{platform.system()} {platform.release()}"


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.readline().strip()
    except OSError:
        return ""

"""What MLX's errors about the GPU and its memory mean to a person, and whether the process may go on after them.

A command buffer that failed is reported once and then forgotten, but every array that it was to fill holds anything:
such a process ends. A refused allocation comes before any work and leaves all as it was.
"""

import re

from engine.protocol.errors import GpuError

__all__ = ["NO_KERNELS", "gpu_error"]

NO_KERNELS = 69
"""Exit status of an engine process that could not load MLX, because the programs of the GPU were not there."""

_KINDS: tuple[tuple[str, bool, str], ...] = (
    (
        r"metallib",
        True,
        "The file mlx.metallib with the programs of the GPU is missing, or does not fit this version of macOS. "
        "Install Cabochon again.",
    ),
    (
        r"\[METAL\].*(Insufficient Memory|OutOfMemory)",
        True,
        "The memory of the GPU ran out. Close other apps, give pictures a smaller budget or start a new conversation, "
        "or choose a smaller model.",
    ),
    (
        r"\[METAL\].*(Timeout|Impacting Interactivity)",
        True,
        "macOS stopped the GPU, because a step of the work took too long. Try again; if it comes back, give pictures a "
        "smaller budget or choose a smaller model.",
    ),
    (r"\[METAL\]", True, "The GPU gave the work up. Try again; if it comes back, restart the Mac."),
    (
        r"\[metal::malloc\].*maximum allowed buffer size",
        False,
        "This needs more memory in one piece than this Mac's GPU gives. Give pictures a smaller budget, start a new "
        "conversation, or choose a smaller model.",
    ),
    (
        r"\[\w*(::)?malloc\w*\].*Unable to allocate|std::bad_alloc",
        False,
        "There is not enough memory for this. Close other apps, start a new conversation, or choose a smaller model.",
    ),
    (r"No Metal device|\[metal::load_device\]", True, "This Mac gives the engine no GPU. Log in at its own screen."),
)
"""Patterns of MLX's words, whether they end the process, and our sentence; the first that fits counts."""


def gpu_error(error: BaseException) -> GpuError | None:
    """The error in a person's words; None if it is about something else."""
    if not isinstance(error, (RuntimeError, ImportError, OSError, MemoryError)):
        return None
    words = str(error)[:2000]
    for pattern, ends_process, sentence in _KINDS:
        if re.search(pattern, words):
            return GpuError(sentence, ends_process=ends_process)
    return None

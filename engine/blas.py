"""Which library multiplies matrices on Linux.

MLX's wheel for Linux carries the reference BLAS, a tenth as fast as OpenBLAS. The symbols of a library that was opened
for everybody before MLX is imported win over its own, so OpenBLAS is opened at that moment, whoever imports MLX first.
"""

import ctypes
import math
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["blas_name", "open_before_mlx", "usable_cores"]

OPENBLAS = "libopenblas.so.0"
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
"""Where a person may have chosen the number of threads; OpenBLAS reads them itself."""

CONTROL_GROUPS = Path("/sys/fs/cgroup")
OWN_CONTROL_GROUP = Path("/proc/self/cgroup")


class _BeforeMlx:
    """A finder of modules that finds none: it is asked for `mlx.core` before anybody else."""

    library: ctypes.CDLL | None = None

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "mlx.core" and self.library is None:
            self.library = _open_openblas()


_before_mlx = _BeforeMlx()


def open_before_mlx() -> None:
    """Have OpenBLAS opened when MLX is imported; nothing happens on a Mac, or where it is not installed."""
    if sys.platform == "linux" and "mlx.core" not in sys.modules and _before_mlx not in sys.meta_path:
        sys.meta_path.insert(0, _before_mlx)


def blas_name() -> str:
    """Which library MLX's CPU backend multiplies with, once MLX is imported."""
    if sys.platform == "darwin":
        return "Accelerate"
    if _before_mlx.library is None:
        return "the reference BLAS"
    describe = _before_mlx.library.openblas_get_config
    describe.restype = ctypes.c_char_p
    return " ".join(describe().decode().split()[:2])


def usable_cores() -> int:
    """Cores that this process may keep busy: its affinity, and the quotas of its control groups."""
    return max(1, math.ceil(min([len(os.sched_getaffinity(0)), *_quotas()])))


def _open_openblas() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(OPENBLAS, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return None
    if not any(map(os.environ.get, THREAD_VARIABLES)):
        library.openblas_set_num_threads(usable_cores())
    return library


def _quotas() -> Iterator[float]:
    """Cores that each control group (version 2) around this process may use."""
    with suppress(OSError, ValueError):
        lines = OWN_CONTROL_GROUP.read_text().splitlines()
        own = CONTROL_GROUPS / next((line[4:] for line in lines if line.startswith("0::/")), "")
        for group in (own, *own.parents):
            with suppress(OSError, ValueError):  # no file: no limit; "max" is no number
                quota, period = (group / "cpu.max").read_text().split()
                yield int(quota) / int(period)

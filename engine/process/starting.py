"""How the engine process begins: MLX is imported here, and what stands in its way is told by the exit status."""

import sys
from pathlib import Path

from engine.gpu_errors import NO_KERNELS, gpu_error

__all__ = ["run_engine_process"]


def run_engine_process(log_file: Path | None = None) -> int:
    """Serve requests from stdin until it closes, as `process.worker` does; `NO_KERNELS` where MLX cannot begin."""
    try:
        from engine.process import worker
    except (ImportError, OSError, RuntimeError) as error:
        if (known := gpu_error(error)) is None:
            raise
        sys.stderr.write(f"{known}\n")
        return NO_KERNELS
    return worker.run_engine_process(log_file)

"""Errors of the GPU become sentences with what helps, and end the process where its arrays are lost."""

import os
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import pytest

from engine import backend
from engine.backend import limit_memory
from engine.gpu_errors import NO_KERNELS, gpu_error

BUFFER = "[METAL] Command buffer execution failed: "


@pytest.mark.parametrize(
    ("words", "told", "ends_process"),
    [
        (BUFFER + "Insufficient Memory (8:kIOGPUCommandBufferCallbackErrorOutOfMemory)", "Close other apps", True),
        (BUFFER + "Caused GPU Timeout Error (00000002:kIOGPUCommandBufferCallbackErrorTimeout)", "took too long", True),
        (BUFFER + "Impacting Interactivity (e:CallbackErrorImpactingInteractivity)", "budget", True),
        (BUFFER + "Caused GPU Address Fault Error", "gave the work up", True),
        ("[metal::malloc] Attempting to allocate 9000000000 bytes which is greater than the maximum allowed buffer "
         "size of 4000000000 bytes.", "in one piece", False),
        ("[malloc_or_wait] Unable to allocate 5000000000 bytes.", "not enough memory", False),
        ("[malloc] Unable to allocate 5000000000 bytes.", "not enough memory", False),
        ("Failed to load the default metallib. library not found", "mlx.metallib", True),
        ("[metal::load_device] No Metal device available.", "no GPU", True),
    ],
)  # fmt: skip
def test_what_mlx_says_becomes_a_sentence_with_what_helps(words: str, told: str, ends_process: bool) -> None:
    found = gpu_error(RuntimeError(words))
    assert found is not None
    assert told in str(found)
    assert "METAL" not in str(found)
    assert found.ends_process is ends_process


@pytest.mark.parametrize(
    "error", [RuntimeError("[matmul] Last dimension of first input"), ValueError(BUFFER), KeyError(1)]
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    assert gpu_error(error) is None


def test_an_engine_without_its_kernels_says_so_by_its_status(tmp_path: Path) -> None:
    """MLX raises ImportError while it is imported; everything else that fails there is our bug."""
    (tmp_path / "mlx").mkdir()
    (tmp_path / "mlx" / "core.py").write_text("raise ImportError('Failed to load the default metallib.')")
    root = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
    command = [sys.executable, "-m", "app", "--engine"]
    run = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (NO_KERNELS, "")
    assert "mlx.metallib" in run.stderr
    assert "Traceback" not in run.stderr


def test_on_metal_what_macos_recommends_is_kept_and_little_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    gib = 1024**3
    known = {"device_name": "Apple M2", "memory_size": 16 * gib, "max_recommended_working_set_size": 11 * gib}
    limits: dict[str, int] = {}
    monkeypatch.setattr(backend, "backend_name", lambda: "metal")
    monkeypatch.setattr(mx, "device_info", lambda: known)
    for name in ("set_wired_limit", "set_cache_limit", "set_memory_limit"):
        monkeypatch.setattr(mx, name, lambda size, name=name: limits.setdefault(name, size))
    limit_memory()
    assert limits["set_wired_limit"] == limits["set_memory_limit"] == 11 * gib
    assert 0 < limits["set_cache_limit"] <= gib

"""OpenBLAS multiplies wherever it is installed, whoever imports MLX first; without it everything works as before."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import blas
from engine.blas import OPENBLAS, blas_name, open_before_mlx, usable_cores

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Mac has Accelerate")

MULTIPLY = "import mlx.core as mx; mx.eval(mx.ones((64, 64)) @ mx.ones((64, 64)))"
PROCESSES = {
    "the engine's child": "import engine.process.worker",
    "the command line": "from engine import run_command_line; run_command_line",
    "a peer under the bench": f"import engine.bench.measure; {MULTIPLY}",
    "the tests": f"import tests.conftest; {MULTIPLY}",
}


def is_installed() -> bool:
    try:
        ctypes.CDLL(OPENBLAS)
    except OSError:
        return False
    return True


@pytest.mark.skipif(not is_installed(), reason="OpenBLAS is not installed")
@pytest.mark.parametrize("statements", PROCESSES.values(), ids=PROCESSES)
def test_mlx_is_bound_to_openblas_in_every_process(statements: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", statements],
        env={**os.environ, "LD_DEBUG": "bindings"},
        capture_output=True,
        text=True,
        check=True,
    )
    bound = [line for line in run.stderr.splitlines() if "/libmlx.so" in line and line.endswith("`cblas_sgemm'")]
    assert bound
    assert all(OPENBLAS in line.partition(" to ")[2] for line in bound)


def test_a_process_that_never_imports_mlx_opens_nothing() -> None:
    code = f"import engine; print({OPENBLAS[:11]!r} in open('/proc/self/maps').read())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_without_openblas_nothing_is_said_and_mlx_multiplies_by_itself() -> None:
    code = (
        "import engine.blas; engine.blas.OPENBLAS = 'libnothing-like-it.so.0'; import mlx.core as mx; "
        "print(engine.blas.blas_name(), (mx.ones((2, 2)) @ mx.ones((2, 2))).sum().item())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("the reference BLAS 8.0\n", "")


def test_a_second_call_changes_nothing() -> None:
    finders = list(sys.meta_path)
    open_before_mlx()
    assert sys.meta_path == finders
    assert blas_name()


def test_threads_follow_affinity_and_the_quotas_of_every_group_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/outer/inner\n")
    (tmp_path / "outer/inner").mkdir(parents=True)
    (tmp_path / "outer/inner/cpu.max").write_text("max 100000\n")
    monkeypatch.setattr(blas, "CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(blas, "OWN_CONTROL_GROUP", own)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    assert usable_cores() == 8
    (tmp_path / "outer/cpu.max").write_text("250000 100000\n")
    assert usable_cores() == 3
    (tmp_path / "outer/cpu.max").write_text("5000 100000\n")
    assert usable_cores() == 1
    own.write_text("what no kernel writes")
    assert usable_cores() == 8

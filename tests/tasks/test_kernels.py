"""The kernel check finds kernels that are wrong, silent or failing; the models' true shapes are all in it."""

from dataclasses import replace

import mlx.core as mx
import pytest

from engine.backend import advice_on_build
from engine.tasks.kernels import OPERATIONS, Operation, check_kernels

DOUBLED = Operation("doubled", ((64, 64),), lambda x: x * 2)


def fail(x: mx.array) -> mx.array:
    raise RuntimeError("[scaled_dot_product_attention] 1024 threads\nwhere 832 are allowed")


@pytest.mark.parametrize(
    ("compute", "problem"),
    [
        (lambda x: x * 2, ""),
        (lambda x: x * 2.5, "is wrong by"),
        (lambda x: x * 0, "gives zeros"),
        (lambda x: x / 0, "gives numbers that are none"),
        (lambda x: (x * 2)[:32], "is wrong by inf"),
        (fail, "failed: [scaled_dot_product_attention] 1024 threads where 832"),
    ],
)
def test_a_kernel_that_differs_from_the_cpu_is_told(compute: object, problem: str) -> None:
    (result,) = check_kernels([replace(DOUBLED, compute=compute, expect=DOUBLED.compute)])
    assert result.problem.startswith(problem)
    assert bool(result.problem) is bool(problem)


def test_one_operation_of_each_kind_agrees_with_the_cpu() -> None:
    small = {
        "attention 512, 8/2 heads, 9 x 1000", "quantized product affine 4 bits, groups of 64, 9 rows",
        "quantized product nvfp4 4 bits, groups of 16, 1 rows", "experts in bfloat16, 8 rows",
        "experts in 4 bits, 512 rows", "rope at 1000, partial", "the 64 largest of 262,144", "rows put into a buffer",
        "bounds without an end",
    }  # fmt: skip
    chosen = [operation for operation in OPERATIONS if operation.name in small]
    assert len(chosen) == len(small)
    assert [result for result in check_kernels(chosen) if result.problem] == []


def test_the_names_of_operations_differ() -> None:
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize(
    ("architecture", "build", "is_told"),
    [
        ("applegpu_g17s", "macosx_14_0_arm64", True),
        ("applegpu_g17s", "macosx_26_0_arm64", False),
        ("applegpu_g16s", "macosx_14_0_arm64", False),
        ("applegpu_g17s", "", False),
        ("", "macosx_14_0_arm64", False),
    ],
)
def test_an_m5_is_told_what_its_own_build_would_bring(architecture: str, build: str, is_told: bool) -> None:
    assert bool(advice_on_build(architecture, build)) is is_told

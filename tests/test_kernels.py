"""Kernels of public benchmark suites give what plain NumPy gives, at every backend and opt."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc
from kernels_loops import KERNELS as LOOPS
from kernels_npbench import KERNELS as NPBENCH
from kernels_polybench import KERNELS as POLYBENCH
from kernels_polybench import Kernel

ALL = [pytest.param(k, id=k.name) for k in POLYBENCH + NPBENCH + LOOPS]
KNOWN = [pytest.param(k, id=k.name) for k in POLYBENCH + NPBENCH + LOOPS if k.loops is not None]
MOVING = {"a_range_that_moves"}
"""Kernels without an adjoint: their ranges are data that the loop itself changes."""


@pytest.mark.parametrize("how", ["reference", "opt=0", "opt=2"])
@pytest.mark.parametrize("kernel", ALL)
def test_kernel_gives_the_values_of_plain_numpy(kernel: Kernel, how: str) -> None:
    arrays = kernel.arrays(np.random.default_rng(1))
    before = {k: np.array(v) for k, v in arrays.items()}
    expected = kernel.expected(**arrays)
    if how == "reference":
        program = loopc.compile(kernel.text, backend="reference")
    else:
        program = loopc.compile(kernel.text, opt=int(how[-1]))
    out = program(arrays)
    assert set(out) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(out[name], value, rtol=1e-10, atol=1e-10, err_msg=name)
    for name, value in before.items():
        np.testing.assert_array_equal(arrays[name], value)


@pytest.mark.parametrize("kernel", KNOWN)
def test_only_the_loops_that_carry_a_dependence_run_in_order(kernel: Kernel) -> None:
    forward = loopc.compile(kernel.text, opt=1).source.split("def _forward(")[1]
    forward = forward.split("INPUTS = ")[0]
    found = set(re.findall(r"\n +for (\w+) in range", forward))
    assert {n for n in found if not n.endswith("_from")} == set(kernel.loops or ())  # but tiles


def gradients() -> list[pytest.param]:
    """Return a kernel and one float output of it for each."""
    found = []
    for kernel in POLYBENCH + NPBENCH + LOOPS:
        arrays = kernel.arrays(np.random.default_rng(1))
        floats = any(np.asarray(v).dtype.kind == "f" for v in arrays.values())
        outputs = [n for n, t in loopc.compile(kernel.text).outputs.items() if t.dtype == "float"]
        if floats and outputs and kernel.name not in MOVING:
            found.append(pytest.param(kernel, outputs[-1], id=kernel.name))
    return found


@pytest.mark.parametrize(("kernel", "loss"), gradients())
def test_gradients_agree_with_differences(kernel: Kernel, loss: str) -> None:
    rng = np.random.default_rng(1)
    arrays = kernel.arrays(rng)
    for name, value in arrays.items():
        if np.asarray(value).dtype.kind == "f":  # away from ties, where there is no derivative
            arrays[name] = value + 0.01 * rng.random(np.shape(value))
    wrt = [n for n, v in arrays.items() if np.asarray(v).dtype.kind == "f"]
    program = loopc.compile(kernel.text, wrt=wrt, loss=loss)
    report = loopc.gradcheck(program, arrays, max_cells=6)
    assert report, report

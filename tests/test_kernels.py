"""Kernels of public benchmark suites give what plain NumPy gives, at every backend and opt."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from kernels_npbench import KERNELS as NPBENCH
from kernels_polybench import KERNELS as POLYBENCH
from kernels_polybench import Kernel

ALL = [pytest.param(k, id=k.name) for k in POLYBENCH + NPBENCH]


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

"""Programs written without a look at the compiler: values and gradients at every level."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.api.samples import samples
from programs_unseen import PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    text, dims = PROGRAMS[name]
    plain = loopc.compile(text, backend="reference", loss="L")
    arrays = samples(plain, dims, {}, seed=1)
    values, slopes = plain.value_and_grad(arrays)
    assert np.isfinite(values["L"])
    for opt in range(3):
        program = loopc.compile(text, opt=opt, loss="L")
        found, gradients = program.value_and_grad(arrays)
        np.testing.assert_allclose(found["L"], values["L"], rtol=1e-10, atol=1e-12)
        for key, slope in slopes.items():
            np.testing.assert_allclose(
                gradients[key], slope, rtol=1e-7, atol=1e-9, equal_nan=True, err_msg=key
            )


SUMS = {
    "for t < 3:\n  for i < N-1: x[i] += c[i] (x[i+1] - x[i] + c[i+1])": 1,
    "for t < 3:\n  for i < N: x[i] = c[i] (x[i] + z[i])**2\n  for i < N: z[i] += x[i]": 1,
    "for t < 3:\n  for i < N: x[i] = c[i] x[i] z[i]\n  for i < N: z[i] += x[i]": 2,
    "for t < 3:\n  for i < N, j < N: x[i] += c[i] (z[i] - z[j])\n  for i < N: z[i] += x[i]": 2,
}


@pytest.mark.parametrize("text", SUMS)
def test_of_a_sum_that_is_lost_one_array_is_recorded(text: str) -> None:
    text = f"input c[N], x0[N]\nfor i x[i] = x0[i]\nfor i z[i] = 1 - x0[i]\n{text}\n"
    text += "for i: L += x[i] z[i]\noutput L\n"
    arrays = {"c": np.array([1.0, -2, 1, 0]), "x0": np.array([2.0, 1, -1, 3])}
    expected = loopc.compile(text, backend="reference").value_and_grad(arrays)
    program = loopc.compile(text)
    found = program.value_and_grad(arrays)
    np.testing.assert_array_equal(found[0]["L"], expected[0]["L"])
    for name, slope in expected[1].items():
        np.testing.assert_array_equal(found[1][name], slope)
    kept = {a.name for a in program.with_adjoint._program.arrays if "_kept" in a.name}
    assert len(kept) == SUMS[text.split("1 - x0[i]\n")[1].split("\nfor i: L")[0]]

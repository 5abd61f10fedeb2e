"""Functions of the cells of windows are kept where several statements compute them."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

BILATERAL = """
input x[H,W], s
for i,j  z[i,j] = sum[u<3,v<3](exp(-(x[clamp(i+u-1),clamp(j+v-1)] - x[i,j])**2 / s))
for i,j  y[i,j] = sum[u<3,v<3](exp(-(x[clamp(i+u-1),clamp(j+v-1)] - x[i,j])**2 / s)
                               x[clamp(i+u-1),clamp(j+v-1)]) / z[i,j]
for i,j  L += y[i,j]**2
"""

TEXTS = {
    "a bilateral filter": BILATERAL,
    "in the loss": "input x[H,W], s\nfor i<H-2,j,u<3: L += tanh(s (x[i+u,j] - x[i,j]))",
    "of two arrays": "input x[H,W], y[H,W], s\nfor i<H-2,j,u<3: L += exp(s x[i+u,j] y[i,j])",
    "of a sum over windows": "input x[H,W], s\nfor i<H-2: z[i] = sum[u<2,j](exp(s x[i+u,j]))\n"
    "for i<H-2,u<2,j: L += exp(s x[i+u,j]) / z[i]",
    "under a guard": "input x[H,W], s\nfor i<H-2,j,u<3 if x[i,j] > 0: L += tanh(s x[i+u,j] x[i,j])",
    "under a condition": "input x[H,W], s\n"
    "for i<H-2,j,u<3: L += where(x[i,j] > 0, exp(s x[i+u,j] x[i,j]), x[i,j])",
    "an array that changes": "input x[H,W], s\nfor i,j  a[i,j] = s x[i,j]\n"
    "for i<H-2,j,u<2: L += exp(a[i+u,j] x[i,j])\nfor i,j  a[i,j] = 2 x[i,j]\n"
    "for i<H-2,j,u<2: L += exp(a[i+u,j] x[i,j])",
}


@pytest.mark.parametrize("name", TEXTS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    text = TEXTS[name]
    plain = loopc.compile(text, loss="L", backend="reference")
    programs = [loopc.compile(text, loss="L", opt=n) for n in range(3)]
    rng = np.random.default_rng(0)
    for height, width in ((6, 5), (3, 3), (12, 9)):
        arrays = {
            "x": rng.standard_normal((height, width)),
            "y": rng.standard_normal((height, width)),
            "s": 0.7,
        }
        arrays = {n: arrays[n] for n in plain.inputs}
        value, gradients = plain.value_and_grad(arrays)
        for program in programs:
            out, found = program.value_and_grad(arrays)
            np.testing.assert_allclose(out.L, value.L, rtol=1e-12)
            for key, each in found.items():
                np.testing.assert_allclose(each, gradients[key], rtol=1e-10, atol=1e-12)


def test_a_filter_and_its_gradients_compute_the_exponentials_once() -> None:
    program = loopc.compile(BILATERAL, wrt=("x", "s"), loss="L")
    code = program.source
    assert code.count("np.exp(") <= 2  # one each in `forward` and in the run with gradients

"""Accesses that guards keep inside are views of copies with zeros round them."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

TEXTS = {
    "a filter": "for b,t,k if k <= t: y[b,t] += w[k] x[b,t-k]",
    "one that looks ahead": "for b,t,k if t + k < T: y[b,t] += w[k] x[b,t+k]",
    "one that ends with the array": "for b,t < T,k if t >= 2*k: y[b,t] += w[k] x[b,t-2*k]",
    "a whole one": "for b,t,k if t-k >= 0 and t-k < T: y[b,t] += w[k] x[b,t-k]",
    "a sum in an expression": "for b,t  y[b,t] = 1 + 2 sum[k if k <= t](w[k] x[b,t-k])",
    "two factors": "for b,t < T,k if k <= t: y[b,t] += x[b,t-k] w[k] v[t-k]",
    "terms": "for b,t < T,k if k <= t: y[b,t] += w[k] (x[b,t-k] + v[t-k]) - v[t-k]",
    "another guard": "for b,t < T,k if k <= t and v[t] > 0: y[b,t] += w[k] x[b,t-k]",
    "a guard that says more": "for b,t < T,k if k < t: y[b,t] += w[k] x[b,t-k]",
    "a guard that says less": "for b,t < T,k if k <= t + 1: y[b,t] += w[k] x[b,pad(t-k)]",
    "a quotient": "for b,t < T,k if k <= t: y[b,t] += w[k] / x[b,t-k]",
    "a function": "for b,t < T,k if k <= t: y[b,t] += w[k] exp(x[b,t-k])",
    "cell by cell": "for b,t < T,k if k <= t: y[b,t,k] = 2 x[b,t-k] - w[k]",
    "cells behind others": "for b,t < T,k if t + k < T: y[b,t+k] += w[k] x[b,t]",
    "cells in front of others": "for b,t,k if k <= t: y[b,t-k] += w[k] x[b,t] / v[t]",
    "the largest": "for b,t < T,k if k <= t: y[b,t] max= w[k] x[b,t-k]",
    "differences": "for b,t,s if s <= t: y[b,t-s] += x[b,t] x[b,s]",
}


SUMMED = ("two factors", "terms")
"""Whose gradients sum over `b` before they multiply by what may be infinite."""


@pytest.mark.parametrize("name", TEXTS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    text = f"input x[B,T], w[K], v[T]\n{TEXTS[name]}\noutput y\n"
    programs = [loopc.compile(text, loss="y", opt=n) for n in range(3)]
    plain = loopc.compile(text, loss="y", backend="reference")
    rng = np.random.default_rng(0)
    for batch, time, taps in ((3, 9, 4), (2, 3, 5), (1, 1, 1), (2, 40, 3), (0, 4, 2), (2, 0, 0)):
        x, w = rng.uniform(0.5, 2, (batch, time)), rng.uniform(0.5, 2, taps)
        for bad in (None, np.inf, np.nan):
            if bad is not None and w.size:
                w[-1] = bad
            given = {"x": x, "w": w, "v": rng.standard_normal(time)}
            arrays = {n: given[n] for n in plain.inputs}
            expected = plain(arrays).y
            seed = rng.standard_normal(expected.shape)
            gradients = plain.grad(arrays, seed=seed)
            for program in programs:
                np.testing.assert_allclose(program(arrays).y, expected, rtol=1e-12, atol=1e-13)
                if bad is not None and name in SUMMED:
                    continue
                for key, value in program.grad(arrays, seed=seed).items():
                    np.testing.assert_allclose(value, gradients[key], rtol=1e-11, atol=1e-12)


FRAMED = """
input x[C,H,W], w[D,C,K,K]
for d,i < H,j < W,c,k,l if i+k-1 >= 0 and i+k-1 < H and j+l-1 >= 0 and j+l-1 < W:
    y[d,i,j] += w[d,c,k,l] x[c,i+k-1,j+l-1]
L = sum[d,i,j](y[d,i,j]**2)
"""


def test_a_guarded_convolution_is_a_padded_one() -> None:
    program = loopc.compile(FRAMED, loss="L")
    assert "_window(_padded(" in program.source
    assert "_gather(" not in program.source
    assert "_scatter(" not in program.source
    padded = FRAMED.replace("x[c,i+k-1,j+l-1]", "x[c,pad(i+k-1),pad(j+l-1)]")
    padded = padded.replace(" if i+k-1 >= 0 and i+k-1 < H and j+l-1 >= 0 and j+l-1 < W", "")
    rng = np.random.default_rng(0)
    arrays = {"x": rng.standard_normal((2, 7, 6)), "w": rng.standard_normal((3, 2, 3, 3))}
    found, expected = (loopc.compile(t, loss="L").value_and_grad(arrays) for t in (FRAMED, padded))
    np.testing.assert_allclose(found[0]["L"], expected[0]["L"], rtol=1e-13)
    for name in arrays:
        np.testing.assert_allclose(found[1][name], expected[1][name], rtol=1e-12)

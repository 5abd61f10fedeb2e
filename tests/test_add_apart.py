"""Sums over both indices of pairs are one tile, which computes what they share once."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc

TEXTS = {
    "pairs": "for i,j  L += tanh(s[i] - s[j])",
    "of a guard": "for i,j if y[i] > y[j]: L += log1p(exp(s[j] - s[i]))",
    "of a triangle": "for i,j if j < i: L += exp(-(s[i] - s[j])**2)",
    "in batches": "for b,i,j  L += tanh(x[b,i] x[b,j])",
    "in batches, guarded": "for b,i,j if x[b,i] > x[b,j]: L += log1p(exp(x[b,j] - x[b,i]))",
    "of two arrays": "for i,j  L += y[j] tanh(s[i] y[j])",
    "of three": "for i,j,k  L += tanh(s[i] s[j] s[k])",
    "coordinates": "for i,j  L += exp(-sum[b]((x[b,i] - x[b,j])**2))",
    "by hand": "for i,j  g[i] += exp(s[i] - s[j])\nfor i,j  g[j] -= exp(s[i] - s[j])\n"
    "for i  L += g[i] y[i]",
    "by hand, with a value before": "for i  g[i] = y[i]\nfor i,j  g[i] += exp(s[i] - s[j])\n"
    "for i,j  g[j] -= exp(s[i] - s[j])\nfor i  L += g[i] y[i]",
    "its square between": "for i  g[i] = y[i]\nfor i,j  g[i] += cos(s[i] - s[j])\n"
    "for i  g[i] = g[i] g[i]\nfor i,j  g[j] -= cos(s[i] - s[j])\nfor i  L += g[i] y[i]",
    "two functions": "for i,j  L += y[i] tanh(s[i] - s[j]) + sin(s[i] - s[j])",
}


@pytest.mark.parametrize("name", TEXTS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    text = f"input s[N], y[N], x[B,N]\n{TEXTS[name]}\noutput L\n"
    plain = loopc.compile(text, loss="L", backend="reference")
    programs = [loopc.compile(text, loss="L", opt=n) for n in range(3)]
    rng = np.random.default_rng(0)
    for size, batch in ((7, 2), (1, 1), (30, 3), (0, 2)):
        given = {
            "s": rng.standard_normal(size),
            "y": rng.standard_normal(size),
            "x": rng.standard_normal((batch, size)),
        }
        arrays = {n: given[n] for n in plain.inputs}
        if size == 30 and "three" in name:
            continue
        value, gradients = plain.value_and_grad(arrays)
        for program in programs:
            out, found = program.value_and_grad(arrays)
            np.testing.assert_allclose(out.L, value.L, rtol=1e-11, atol=1e-12)
            for key, each in found.items():
                np.testing.assert_allclose(each, gradients[key], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", ["pairs", "in batches"])
def test_the_function_of_a_pair_is_computed_once(name: str) -> None:
    text = f"input s[N], y[N], x[B,N]\n{TEXTS[name]}\noutput L\n"
    code = loopc.compile(text, wrt=("s", "x") if "batch" in name else ("s",), loss="L").source
    with_gradients = code[code.index("def _value_and_grad(") :]
    assert len(re.findall(r"np\.tanh\(", with_gradients)) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_add_up_the_same(threads: int) -> None:
    text = f"input s[N], y[N]\n{TEXTS['of a guard']}\noutput L\n"
    rng = np.random.default_rng(0)
    arrays = {"s": rng.standard_normal(700), "y": rng.standard_normal(700)}
    expected = loopc.compile(text, loss="L", opt=1).grad(arrays)["s"]
    found = loopc.compile(text, loss="L", threads=threads).grad(arrays)["s"]
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11)

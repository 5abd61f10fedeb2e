"""Copies of arrays that stay as they are: the arrays themselves are read."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

HEAD = "param x[T,N], W[N,N]\n"
TAIL = "\nfor n  L += y[n] sin(y[n])\noutput L\n"

DROPPED = {
    "in a loop in order": """
for n: h[0,n] = x[0,n]
for t < T-1:
    for n: c[t,n] = h[t,n]
    for n: h[t+1,n] = tanh(sum[k](h[t,k] W[k,n]) + x[t+1,n])
for t < T-1, n: y[n] += c[t,n]**2
""",
    "turned": "for i, j: c[j,i] = W[i,j]\nfor i, j, t: y[i] += c[i,j] x[t,j]",
    "from the end": """
for t in reversed(range(T)), n: c[t,n] = x[t,n]
for t, n: y[n] += c[t,n] x[t,n]
""",
    "of a part": "for t < T-1, n: c[t,n] = x[t+1,n]\nfor t < T-1, n: y[n] += c[t,n] x[t,n]",
}
KEPT = {
    "overwritten later": """
for t, n: h[t,n] = x[t,n]
for t, n: c[t,n] = h[t,n]
for t, n: h[t,n] = h[t,n]**2
for t, n: y[n] += c[t,n] h[t,n]
""",
    "overwritten by the loop": """
for t < T:
    for n: h[n] = x[t,n]
    for n: c[t,n] = h[n]
for t, n: y[n] += c[t,n]**2
""",
    "a part of its cells": """
dim c[T,N]
for t in range(1, T), n: c[t,n] = x[t,n]
for t, n: y[n] += (c[t,n] + 1)**2
""",
    "under a condition": """
for t, n if t < n: c[t,n] = x[t,n]
for t < T, n < N: y[n] += (c[t,n] + 1)**2
""",
    "read at the edge": """
for t, n: c[t,n] = x[t,n]
for t < T, n < N: y[n] += c[pad(t-1),n] x[t,n]
""",
    "added to": """
for t, n: c[t,n] = x[t,n]
for t, n: c[t,n] += W[n,n]
for t, n: y[n] += c[t,n]**2
""",
    "read before": """
for t < T:
    for n: y[n] += (c[t,n] + x[t,n])**2
    for n: c[t,n] = x[t,n]
for t, n: y[n] += c[t,n]
""",
}


@pytest.mark.filterwarnings("ignore:warning.L0334")
@pytest.mark.parametrize("name", [*DROPPED, *KEPT])
def test_values_and_gradients_are_the_references(name: str) -> None:
    text = HEAD + ({**DROPPED, **KEPT}[name]) + TAIL
    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((4, 3)), "W": rng.standard_normal((3, 3))}
    (found, gradients), (expected, others) = (
        loopc.compile(text, backend=b).value_and_grad(given) for b in ("numpy", "reference")
    )
    np.testing.assert_allclose(found["L"], expected["L"], 1e-12)
    for key, value in others.items():
        np.testing.assert_allclose(gradients[key], value, 1e-10, 1e-12, err_msg=key)


@pytest.mark.parametrize("name", DROPPED)
def test_there_is_no_copy(name: str) -> None:
    source = loopc.compile(HEAD + DROPPED[name] + TAIL).source.partition("def _forward(")[2]
    assert "c = " not in source.partition("INPUTS")[0]


def test_a_record_of_a_loop_is_outside_of_loops_that_it_does_not_need() -> None:
    text = """
param x[T,N], W[N,K], V[K,N]
def f(h[N], W[N,K], V[K,N]) -> y[N]:
    for k: s[k] = tanh(sum[n](h[n] W[n,k]))
    for n: y[n] = sum[k](s[k] V[k,n])
for n: h[n] = x[0,n]
for t < T:
    for n: u[n] = h[n] + x[t,n]
    v = f(u, W, V)
    for n: h[n] = v[n]
for n: L += h[n]**2
output L
"""
    program = loopc.compile(text)
    lines = [line.strip() for line in str(program.adjoint).splitlines()]
    assert any(line.replace(" ", "") == "fornu_kept[t,n]=u[n]" for line in lines), lines
    assert "u_kept" not in program.source

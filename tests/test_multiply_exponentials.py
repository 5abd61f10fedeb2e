"""A `logsumexp` of terms with fewer indices than their sum is a sum of products."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import loopc
from loopc import passes

FORWARD = """input W[S,S], o[T,S]
for j  a[0,j] = o[0,j]
for t in range(1, T), j: a[t,j] = o[t,j] + logsumexp[i](a[t-1,i] + W[i,j])
L = logsumexp[j](a[T-1,j])
"""

PRODUCTS = {
    "a hidden Markov model": FORWARD,
    "many of them": "input W[S,S], x[B,T,S]\nfor b,j  a[b,0,j] = x[b,0,j]\n"
    "for b, t in range(1, T), j: a[b,t,j] = x[b,t,j] + logsumexp[i](a[b,t-1,i] + W[i,j])\n"
    "for b  z[b] = logsumexp[j](a[b,T-1,j])\nfor b  L += z[b] sin(z[b])",
    "backwards": "input W[S,S], o[T,S]\nfor i  a[T-1,i] = 0\n"
    "for t in reversed(range(T - 1)), i:\n"
    "    a[t,i] = logsumexp[j](W[i,j] + o[t+1,j] + a[t+1,j])\n"
    "for t,i  L += tanh(a[t,i]) o[t,i]",
    "a matrix in logarithms": "input W[S,S], o[T,S]\n"
    "for t,j  c[t,j] = logsumexp[k](o[t,k] + W[k,j])\nfor t,j  L += c[t,j]**2",
    "optimal transport": "input W[S,S], o[T,S]\nfor i  f[i] = 0\n"
    "for step < 4:\n"
    "    for j  g[j] = -0.5 logsumexp[i]((f[i] - W[i,j]) / 0.5)\n"
    "    for i  f[i] = o[0,i] - 0.5 logsumexp[j]((g[j] - W[i,j]) / 0.5)\n"
    "for i  L += f[i] o[1,i] + g[i] o[2,i]",
    "three groups": "input W[S,S], o[T,S]\n"
    "for t,j  c[t,j] = logsumexp[i,k](o[t,i] + 2 * W[i,k] - W[k,j] + o[t,j])\n"
    "for t,j  L += c[t,j] o[t,j]",
    "in an expression": "input W[S,S], o[T,S]\n"
    "for t,j  L += o[t,j] tanh(1 - 0.1 logsumexp[i](o[t,i] - W[i,j] + 1))**2",
    "an array that is overwritten": "input W[S,S], o[T,S]\nfor j  a[j] = o[0,j]\n"
    "for t in range(1, T):\n"
    "    for j  b[j] = logsumexp[i](a[i] + W[i,j])\n"
    "    for j  a[j] = b[j] + o[t,j]\n"
    "for j  L += a[j]**2",
    "risks of those who are left": "input W[S,S], o[T,S]\n"
    "for t < T, i < S: r[t,i] = logsumexp[j if j >= i](o[t,j])\n"
    "for t,i  L += (o[t,i] - r[t,i]) W[0,i]",
    "of those before, and a term of a pair": "input W[S,S], o[T,S]\n"
    "for t < T, i < S: r[t,i] = logsumexp[j if j <= i](o[t,j] + W[i,j])\n"
    "for t,i  L += r[t,i]**2",
    "a value and shares of it": "input W[S,S], o[T,S]\n"
    "for t,j  c[t,j] = logsumexp[i](o[t,i] + W[i,j])\n"
    "for t,i,j  p[t,i] += exp(o[t,i] + W[i,j] - c[t,j]) o[t,j]\nfor t,i  L += p[t,i]**2",
}
"""Programs with one or more such sums."""

OTHERS = {
    "a term with all indices": "input W[S,S], o[T,S]\n"
    "for j  c[j] = logsumexp[i](o[0,i] + W[i,j])\nfor j  L += c[j]**2",
    "what changes before its share is used": "input W[S,S], o[T,S]\n"
    "for t,j  c[t,j] = logsumexp[i](o[t,i] + W[i,j])\nfor t,j  o[t,j] = 2 * o[t,j]\n"
    "for t,i,j  p[t,i] += exp(o[t,i] + W[i,j] - c[t,j])\nfor t,i  L += p[t,i]**2",
    "what changes in its own loop": "input W[S,S], o[T,S]\n"
    "for t in range(1, T):\n"
    "    for j  c[t,j] = logsumexp[i](o[t,i] + W[i,j])\n"
    "    for i  W[i,0] = 0.1 * c[t,i]\n"
    "for t in range(1, T), i, j: p[t,i] += exp(o[t,i] + W[i,j] - c[t,j])\n"
    "for t,i  L += p[t,i]**2",
    "no terms before the first one": "input W[S,S], o[T,S]\n"
    "for t < T, i < S: r[t,i] = logsumexp[j if j < i](o[t,j])\n"
    "for t,i  L += tanh(exp(r[t,i]))",
    "under a guard": "input W[S,S], o[T,S]\n"
    "for t,j  c[t,j] = logsumexp[i if W[i,j] > 0](o[t,i] + W[i,j])\nfor t,j  L += c[t,j]**2",
    "another share": "input W[S,S], o[T,S]\n"
    "for t,j  c[t,j] = logsumexp[i](o[t,i] + W[i,j])\n"
    "for t,i,j  p[t,i] += o[t,i] exp(o[t,i] + W[j,i] - c[t,j])\nfor t,i  L += p[t,i]**2",
}


def given(scale: float, dtype: str) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    found = {"W": (6, 6), "o": (5, 6), "x": (3, 5, 6)}
    return {n: (scale * rng.normal(size=s)).astype(dtype) for n, s in found.items()}


@cache
def compiled(text: str, backend: str) -> Any:
    return loopc.compile(text + "\noutput L\n", loss="L", backend=backend)


def both(text: str, arrays: dict[str, Any]) -> Any:
    found = []
    for backend in ("numpy", "reference"):
        program = compiled(text, backend)
        values, gradients = program.value_and_grad({n: arrays[n].copy() for n in program.inputs})
        found.append({"L": values["L"], **gradients})
    return found


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1, "float32"), (1, "float64"), (40, "float32"), (400, "float64")]
)
@pytest.mark.parametrize("name", [*PRODUCTS, *OTHERS])
def test_values_and_gradients_are_those_of_the_loops(name: str, scale: float, dtype: str) -> None:
    # where the largest terms do not meet, what is small beside them is all that there is
    own, expected = both({**PRODUCTS, **OTHERS}[name], given(scale, dtype))
    close = 200 * scale * float(np.finfo(dtype).eps)  # of what e is raised to
    for key, value in expected.items():
        size = np.abs(value[np.isfinite(value)]).max(initial=scale)
        np.testing.assert_allclose(own[key], value, rtol=close, atol=close * size, err_msg=key)


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_that_of_the_loops(name: str, special: float) -> None:
    for key, place in (("W", (2, 3)), ("W", np.s_[:, 1]), ("o", (1, 4)), ("o", 1), ("x", (1, 1))):
        arrays = given(1, "float64")
        arrays[key][place] = special
        own, expected = both(PRODUCTS[name], arrays)
        for n, value in expected.items():
            np.testing.assert_allclose(own[n], value, rtol=1e-9, atol=1e-11, err_msg=f"{key} {n}")


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("sizes", [(0, 3), (1, 3), (3, 1)])
def test_extents_of_nothing_and_of_one(name: str, sizes: tuple[int, int]) -> None:
    steps, states = sizes
    if steps == 0 or (steps == 1 and "o[2" in PRODUCTS[name]):
        pytest.skip("the program reads the first of them")
    cut = {
        "W": np.s_[:states, :states],
        "o": np.s_[:steps, :states],
        "x": np.s_[:, :steps, :states],
    }
    arrays = {n: a[cut[n]] for n, a in given(1, "float64").items()}
    own, expected = both(PRODUCTS[name], arrays)
    for n, value in expected.items():
        np.testing.assert_allclose(own[n], value, rtol=1e-12, atol=1e-13, err_msg=n)


@pytest.mark.parametrize("name", PRODUCTS)
def test_there_are_fewer_exponentials(name: str) -> None:
    text = PRODUCTS[name] + "\noutput L\n"
    program = loopc.compile(text, loss="L")
    made = program._adjoint("L", program.wrt, keep=("L",)).program
    names = {a.name for a in passes.run(made, 2).arrays}
    assert "total1" in names
    assert "total1" not in {a.name for a in passes.run(made, 1).arrays}


def test_a_term_with_all_indices_has_no_products() -> None:
    program = loopc.compile(OTHERS["a term with all indices"] + "\noutput L\n", loss="L")
    assert passes.multiply_exponentials(program._program) is program._program


def test_a_batch_runs_in_one_loop_over_time_and_without_exponentials_of_pairs() -> None:
    text = PRODUCTS["many of them"] + "\noutput L\n"
    module = loopc.compile(text, loss="L").source
    assert "if far1[t] != 0:" in module
    assert "for b in range" not in module

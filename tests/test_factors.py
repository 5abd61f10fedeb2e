"""Factors of products: kept where they are needed twice, or applied after the sum."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.api.arrays import take
from loopc.ir.interpret import interpret
from loopc.ir.nodes import Program
from loopc.ir.unbuild import unbuild
from loopc.passes import Pass
from loopc.passes.keep_factors import keep_factors
from loopc.passes.split_factors import split_factors

from .support import arrays_for, resolve

TWICE = """
    for b,d,f  y[b,d] += M[d,f] relu(h[b,f] + a[f])
    for b,d,f  g[d,f] += u[b,d] relu(h[b,f] + a[f])
"""

KEPT = {
    "in two products": TWICE,
    "and elementwise": """
        for b,d,f  y[b,d] += M[d,f] exp(h[b,f])
        for b,f    z[b,f] = exp(h[b,f]) u[b]
    """,
    "and its derivative": """
        for b,d,f  y[b,d] += M[d,f] tanh(h[b,f])
        for b,f    z[b,f] = tanh'(h[b,f]) u[b]
    """,
}

LEFT = {
    "once": "for b,d,f  y[b,d] += M[d,f] exp(h[b,f])",
    "no product": "for b,f  y[b] += exp(h[b,f])\nfor b,f  z[f] += exp(h[b,f])",
    "every cell's own": """
        for b,d,f  y[b,f] += M[d,f] u[d,b] exp(h[b,f])
        for b,f    z[b,f] = exp(h[b,f])
    """,
    "a guard": "for b,d,f if f != b: y[b,d] += M[d,f] exp(h[b,f])\nfor b,f  z[b,f] = exp(h[b,f])",
    "cells by number": """
        input p[B]: int, h[N,F], M[D,F]
        for b,d,f  y[b,d] += M[d,f] exp(h[p[b],f])
        for b,f    z[b,f] = exp(h[p[b],f])
    """,
}

SPLIT = {
    "a mask": "for b,f,d  g[b,f] += u[b,d] M[d,f] relu'(h[b,f])",
    "a quotient": "for b,f,d  g[b,f] += -(u[b,d] M[d,f] relu'(h[b,f]) / 3)",
}

WHOLE = {
    "a factor with fewer indices": "for b,f,d  g[b,f] += u[b,d] M[d,f] exp(h[f])",
    "an array": "for b,f,d  g[b,f] += u[b,d] M[d,f] h[b,f]",
    "no product": "for b,f,d  g[b,f] += u[b,f,d] exp(h[b,f])",
    "written before": "for b,f g[b,f] = 1\nfor b,f,d  g[b,f] += u[b,d] M[d,f] exp(h[b,f])",
    "an input": "input u[B,D], M[D,F], g[B,F], h[B,F]\n"
    "for b,f,d  g[b,f] += u[b,d] M[d,f] exp(h[b,f])",
}


def passed(change: Pass, text: str) -> tuple[Program, Program]:
    """Return a program before and after a pass that keeps its values."""
    program = resolve(text)
    found = change(program)
    given = arrays_for(program, whole=True, dims={"B": 3, "D": 2, "F": 4, "N": 5})
    dims = take(program, given).dims
    before, after = (interpret(p, given, dims) for p in (program, found))
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, rtol=1e-13)
    return program, found


@pytest.mark.parametrize("name", KEPT)
def test_a_factor_that_is_needed_twice_is_kept(name: str) -> None:
    program, found = passed(keep_factors, KEPT[name])
    assert len(found.body) == len(program.body) + 1


@pytest.mark.parametrize("name", LEFT)
def test_other_factors_are_not_kept(name: str) -> None:
    program, found = passed(keep_factors, LEFT[name])
    assert found is program


@pytest.mark.parametrize("name", SPLIT)
def test_what_belongs_to_every_cell_follows_the_sum(name: str) -> None:
    program, found = passed(split_factors, SPLIT[name])
    assert len(found.body) == len(program.body) + 1, unbuild(found)


@pytest.mark.parametrize("name", WHOLE)
def test_other_products_stay_whole(name: str) -> None:
    program, found = passed(split_factors, WHOLE[name])
    assert found is program


def test_relu_is_computed_once_and_its_slope_follows_from_it() -> None:
    text = """
        param W[F,D], a[F], M[E,F]
        input x[B,D]
        for b,f,d  h[b,f] += W[f,d] x[b,d]
        for b,e,f  y[b,e] += M[e,f] relu(h[b,f] + a[f])
        for b,e    L += y[b,e]**2
    """
    rng = np.random.default_rng(0)
    shapes = {"W": (6, 5), "a": (6,), "M": (2, 6), "x": (4, 5)}
    arrays = {n: rng.standard_normal(s) for n, s in shapes.items()}
    arrays["W"][:2], arrays["a"][:3] = 0, (0, -0.0, np.nan)  # at the kink, and NaN
    program = loopc.compile(text, loss="L")
    _, found = program.value_and_grad(arrays)
    (made,) = program._runnables.values()
    assert made.source.count("np.maximum, ") == 1
    _, expected = loopc.compile(text, loss="L", backend="reference").value_and_grad(arrays)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=name)


def test_steps_that_have_nothing_in_common_are_no_tile() -> None:
    """What stands between them runs in blocks of its own."""
    text = """
        for f  c[f] = exp(p[f]) + 1
        for i  m[i] = mean[j](x[i,j])
        for i,j  y[i,j] = x[i,j] - m[i]
        for i,j  z[i,j] = y[i,j]**2 + 1
        for f  d[f] = exp(q[f]) + 1
    """
    program = loopc.compile(text)
    rng = np.random.default_rng(0)
    arrays = {"p": rng.random(3), "q": rng.random(3), "x": rng.random((4, 5))}
    found = program(arrays)
    (made,) = program._runnables.values()
    tiles = made.source.split("def tile")[1:]
    assert not any("p[f_from" in t and "q[f_from" in t for t in tiles)
    assert any("x[i_from" in t and "m" in t for t in tiles)
    expected = loopc.compile(text, backend="reference")(arrays)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13)

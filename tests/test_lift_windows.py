"""Functions of windows, computed once a cell: the pass alone, and values and gradients with it."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.api.arrays import take
from loopc.ir.interpret import interpret
from loopc.ir.nodes import Program
from loopc.passes.lift_windows import lift_windows

from .support import arrays_for, resolve

LIFTED = {
    "padded": "input x[X], w[K]\nfor p < X, k: y[p] += w[k] relu(x[pad(p+k-1)])",
    "not 0 outside": "input x[X], w[K]\nfor p < X, k: y[p] += w[k] abs(x[pad(p+k-1)] - 2)",
    "a bias inside": """
        input a[N,H,W,D], w[3,3,D,E], b[D]
        for n, h < H, v < W, e, i, j, d:
            y[n,h,v,e] += max(a[n,pad(h+i-1),pad(v+j-1),d] + b[d], 0) w[i,j,d,e]
    """,
    "steps": "for p,k  y[p] += w[k] abs(x[2*p+k])",
    "two arrays": "for p,k  y[p] += w[k] (x[p+k] + z[p+k]) abs(x[p+k])",
    "in a reduction": "for p  y[p] = max[k < 3](2 x[p+k] - abs(x[p+k]))",
    "a guard": "for p, k if k != 1:  y[p] += w[k] abs(x[p+k])",
    "squared": "for p,k  y[p] += w[k] x[p+k]**2 + abs(x[p+k])",
    "far outside": "input x[X], w[K]\nfor p < X, k: y[p] += w[k] (abs(x[pad(p-k+9)]) + 1)",
}

LEFT = {
    "a product of what is not a function of fewer indices": "for p,k  y[p] += w[k] x[p+k]",
    "an index in two coordinates": "input x[X], z[X]\n"
    "for i < 2, j < 2, k < 2: y[i] += abs(x[i+2*j+k] + z[2*i+j+k])",
    "factors of a contraction": "input x[X,K], z[X,K]\n"
    "for i < 3, j < 2, k < 2, l < 2, d: y[i] += x[i+j,d] z[k+l,d]",
    "a difference with the middle": "for p,k  y[p] += w[k] abs(x[p+k] - z[p])",
    "an integer quotient": "input x[N]: int\nfor p, k < 2: y[p] += 6 // x[p+k]",
    "an index as a number": "for p, k < 2: y[2*p+k] = x[p] - k",
    "cells by number": "input n[P,K]: int, x[X]\nfor p,k  y[p] += abs(x[n[p,k]])",
    "its own target": "input x[N]\nfor p < N-1, k < 2: x[p] = abs(x[p+k])",
}


def lifted(program: Program) -> Program:
    found = lift_windows(program)
    given = arrays_for(program, whole=True, dims={"X": 7, "N": 5, "K": 3})
    dims = take(program, given).dims
    before, after = (interpret(p, given, dims) for p in (program, found))
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    return found


@pytest.mark.parametrize("name", LIFTED)
def test_function_of_a_window_is_computed_once_a_cell(name: str) -> None:
    program = resolve(LIFTED[name])
    assert len(lifted(program).body) > len(program.body)


@pytest.mark.parametrize("name", LEFT)
def test_everything_else_stays_in_the_window(name: str) -> None:
    program = resolve(LEFT[name])
    assert lifted(program) is program


@pytest.mark.parametrize("name", LIFTED)
def test_gradients_through_a_function_of_a_window(name: str) -> None:
    text = LIFTED[name]
    program = loopc.compile(text, loss="y")
    given = arrays_for(program._program, dims={"X": 7, "N": 5, "K": 3})
    seed = np.random.default_rng(1).normal(size=program(given).y.shape)
    expected = loopc.compile(text, loss="y", backend="reference").grad(given, seed=seed)
    for key, value in program.grad(given, seed=seed).items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-12, atol=1e-12)


def test_a_cell_that_no_window_touches_keeps_its_gradient() -> None:
    text = "input x[X]\nfor p < X-4, k < 3: y[p] += w[k] sqrt(x[p+k+1])"
    given = {"x": np.array([0.0, 1, 2, 3, 4, np.nan, 0]), "w": np.array([1.0, 2, 3])}
    program = loopc.compile(text, loss="y")
    found = program.grad(given, seed=np.ones(3)).x
    expected = loopc.compile(text, loss="y", backend="reference").grad(given, seed=np.ones(3)).x
    np.testing.assert_allclose(found, expected)
    assert found[0] == found[-1] == 0

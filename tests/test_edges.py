"""Cells past the edges of an axis: slices of it, or of a copy with these round it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc
from loopc.backends.numpy.helpers import HELPERS

MODES = ("clamp", "wrap", "reflect")
TEXTS = {
    "beside": "for i,j  y[i,j] = x[{m}(i-1),j] - 2 x[i,{m}(j+1)]",
    "corners": "for i,j  y[i,j] = x[{m}(i-1),{m}(j+2)] x[{m}(i+1),{m}(j-1)] + x[i,{m}(j+1)] x[i,j]",
    "one alone": "for i,j  y[i,j] = exp(x[i,{m}(j-1)])",
    "far": "for i,j  y[i,j] = x[{m}(i-7),j] + x[{m}(i+9),j] x[i,{m}(j+40)]",
    "two modes": "for i,j  y[i,j] = x[{m}(i-1),j] + x[clamp(i+1),j]",
    "other ranges": "for i < N, j < 3: y[i,j] = x[{m}(i-2),{m}(j)]",
    "backwards": "for i,j  y[i,j] = x[{m}(N-i),j] + x[{m}(2*i-3),j]",
    "added": "for i,j  y[{m}(i+1),j] += x[i,j]\nfor i,j  y[i,{m}(j-1)] -= 2 x[i,j]",
    "added to a row by number": "for i,j  y[argmax[k](x[k,0]),{m}(j-1)] += x[i,j]",
    "added to the first row": "for i < N, j < M-1: y[0,{m}(j-1)] += x[i,j]",
    "added several times": "for i,j  y[{m}(i+1),{m}(j-2)] += x[i,j]\n"
    "for i,j  y[i,{m}(j-1)] -= 2 x[i,j]\nfor i,j  y[{m}(i-1),j] += x[i,j]**2",
    "added to corners": "for i,j  y[{m}(i+1),{m}(j-2)] += x[i,j]",
    "steps": "for t < 3, i < N, j < M: "
    "u[t+1,i,j] = u[t,{m}(i-1),j] + 0.5 u[t,{m}(i+1),{m}(j+1)] - x[i,j]\n"
    "for i < N, j < M: y[i,j] = u[3,i,j]",
    "moving": "for t < 3, i < N, j < M: u[t+1,i,j] = u[t,{m}(i-t),j] + x[i,j]\n"
    "for i < N, j < M: y[i,j] = u[3,i,j]",
    "a guard": "for i,j if x[i,j] > 0: y[i,j] += x[{m}(i-1),j] x[{m}(i+1),j]",
    "a window": "for i,j  y[i,j] = sum[u < 3, v < 2](exp(x[{m}(i+u-1),{m}(j-v)] - x[i,j]))",
    "steps of a window": "for i,j  y[i,j] = sum[u < 3](x[{m}(i+2*u-3),j] x[i,{m}(j+3-u)])",
    "a window's loop": "for i,j,u < 3 if u != 1: y[i,j] += tanh(x[{m}(i+u-1),j]) x[i,{m}(j+1)]",
    "a sum": "for i  y[i,0] = sum[j](x[{m}(i-1),j] x[{m}(i+1),{m}(j+1)])",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", TEXTS)
def test_values_and_gradients_are_the_references(name: str, mode: str) -> None:
    text = f"input x[N,M], y[N,M]\n{TEXTS[name].format(m=mode)}\noutput y\n"
    programs = [loopc.compile(text, loss="y", opt=n) for n in range(3)]
    plain = loopc.compile(text, loss="y", backend="reference")
    rng = np.random.default_rng(0)
    for shape in ((5, 4), (1, 3), (30, 41), (0, 3), (3, 0), (0, 0)):
        given = {"x": rng.standard_normal(shape), "y": rng.standard_normal(shape)}
        arrays = {n: given[n] for n in plain.inputs}
        seed = rng.standard_normal(shape)
        expected = _found(plain, arrays, seed)
        for program in programs:
            found = _found(program, arrays, seed)
            assert found.keys() == expected.keys()
            for key, value in expected.items():
                np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-13)


def _found(program: loopc.Program, arrays: dict[str, Any], seed: np.ndarray) -> dict[str, Any]:
    """Return a program's value and gradients; nothing where it takes a cell of an empty axis."""
    try:
        return {"value": program(arrays).y, **program.grad(arrays, seed=seed)}
    except loopc.BoundsError:
        return {}


def test_an_array_is_copied_once_for_all_that_read_past_its_edges() -> None:
    text = TEXTS["corners"].format(m="wrap")
    source = loopc.compile(f"input x[N,M]\n{text}\n", wrt=()).source
    assert source.count("_moved(x, ") == source.count("x_padded = _moved(_moved(x, 0, ") > 0
    assert "_along(" not in source


@pytest.mark.parametrize("mode", MODES)
def test_the_helpers_do_what_index_arrays_do(mode: str) -> None:
    space: dict[str, Any] = {"np": np}
    for name in ("_reflect", "_scatter", "_edges", "_moved", "_add_moved"):
        exec(HELPERS[name], space)
    rng = np.random.default_rng(0)
    for _ in range(200):
        shape = rng.integers(1, 9, 3)
        axis, extent = int(rng.integers(3)), 0
        extent = int(shape[axis])
        start = int(rng.integers(-30, 31)) if rng.random() < 0.3 else int(rng.integers(-3, 4))
        stop = start + int(rng.integers(0, 40))
        at = np.arange(start, stop)
        if mode == "wrap":
            cells = at % extent
        elif mode == "clamp":
            cells = at.clip(0, extent - 1)
        else:
            period = max(2 * extent - 2, 1)
            cells = np.minimum(at % period, period - at % period) if extent > 1 else at * 0
        a = rng.integers(-9, 9, shape).astype(float)
        index = (*[slice(None)] * axis, cells)
        found = space["_moved"](a, axis, start, stop, mode)
        np.testing.assert_array_equal(found, a[index])
        value = rng.integers(-9, 9, found.shape).astype(float)
        value = value[:1] if rng.random() < 0.2 else value
        expected, into = a.copy(), a.copy()
        np.subtract.at(expected, index, np.broadcast_to(value, found.shape))
        space["_add_moved"](np.subtract, into, axis, start, stop, mode, value)
        np.testing.assert_array_equal(into, expected)


def test_a_false_condition_takes_no_cell_of_an_empty_axis() -> None:
    text = "input x[N]\nfor i < 2: y[i] = 0\nif N > 0: for i < 2: y[i] = x[clamp(i-1)]\noutput y\n"
    for opt in range(3):
        program = loopc.compile(text, opt=opt)
        assert program(x=np.zeros(0)).y.tolist() == [0, 0]
        assert program(x=np.ones(1)).y.tolist() == [1, 1]

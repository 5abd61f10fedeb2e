"""Axes along which all values of a temporary are the same: one cell does for all of them."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.ir.nodes import Program
from loopc.passes.drop_axes import drop_axes
from loopc.passes.fold_constants import fold_constants

DROPPED = {
    "a bias for each row": ("for i < N, j: t[i,j] = w[j]\nfor i,j: y[i] += t[i,j] x[i,j]", "M"),
    "all rows of a sum": ("for i < N, k, j: t[i,k] += x[k,j] w[j]\nfor i,k: y[i] += t[i,k]", "N"),
    "one number": ("for i < N, j < M: t[i,j] += 3\nfor i,j: y[i] += t[i,j] x[i,j]", ""),
    "cells of another row": ("for i < N, j: t[i,j] = w[j]\nfor i,j: y[i] += t[N-1-i,j]", "M"),
    "a chain": (
        "for i < N, j: a[i,j] = w[j]\nfor i,j: t[i,j] = a[i,j]**2\nfor i,j: y[i] += t[i,j] x[i,j]",
        "M",
    ),
    "several statements, one of which reads it": (
        "for i < N, j: t[i,j] = w[j]\nfor i,j: t[i,j] = 2 t[i,j] + w[j]\nfor i,j: y[i] += t[i,j]",
        "M",
    ),
    "under a guard of another index": (
        "for i < N, j if w[j] > 0: t[i,j] += w[j]\nfor i,j: y[i] += t[i,j] x[i,j]",
        "M",
    ),
    "in a recurrence of another index": (
        "dim t[N,M]\nfor i, j in range(1, M): t[i,j] = t[i,j-1] + w[j]\n"
        "for i,j: y[i] += t[i,j] x[i,j]",
        "M",
    ),
    "the largest": ("for i < N, k, j: t[i,k] max= x[k,j] w[j]\nfor i,k: y[i] += t[i,k]", "N"),
}
LEFT = {
    "a diagonal": "dim t[N,N]\nfor i: t[i,i] += 1\nfor i,k: y[i] += t[i,k] t[k,i]",
    "a part of the axis": "dim t[N]\nfor i in range(1, N): t[i] = w[0]\nfor i: y[i] = t[i]",
    "the index itself": "for i < N: t[i] = i\nfor i: y[i] = t[i] x[i,0]",
    "a guard on the index": "for i < N, j if i < 2: t[i,j] += w[j]\nfor i,j: y[i] += t[i,j]",
    "a cell that may be outside": "for i < N: t[i] = w[0]\nfor i: y[i] = t[p[i]]",
    "a cell that is outside": "for i < N: t[i] = w[0]\nfor i: y[i] = t[pad(i+1)] + x[i,0]",
    "an index that is data": "for i < N, k: t[i,k] = w[p[k]]\nfor i,k: y[i] += t[i,k]",
    "cells of the row before": (
        "dim t[N]\nfor i < N: t[i] += w[0]\nfor i in range(1, N): t[i] = t[i-1] + 1\n"
        "for i: y[i] = t[i]"
    ),
    "cells that are still to come": (
        "dim t[N]\nfor i < N: t[i] = w[0] + t[N-1-i]\nfor i: y[i] = t[i] x[i,0]"
    ),
    "a statement that is not alone": (
        "for i < N:\n    t[i] += w[0]\n    y[i] = t[clamp(i+1)] + x[i,0]"
    ),
}


def _text(text: str) -> str:
    inputs = "x[N,M], w[M], p[N]: int" if "p[" in text else "x[N,M], w[M]"
    loss = "for i < N: L += y[i]\nfor i, j: L += x[i,j] w[j]"
    return f"input {inputs}\n{text}\n{loss}\noutput y, L\n"


def _t(program: Program) -> tuple[str, ...]:
    sizes = (e.name for e in program.array("t").shape or ())  # type: ignore[union-attr]
    return tuple(sizes)


@pytest.mark.parametrize("case", DROPPED)
def test_axes_are_dropped(case: str) -> None:
    text, left = DROPPED[case]
    assert _t(drop_axes(loopc.compile(_text(text)).ir)) == tuple(left)


@pytest.mark.parametrize("case", LEFT)
def test_axes_are_left(case: str) -> None:
    program = loopc.compile(_text(LEFT[case])).ir
    assert drop_axes(program).array("t") == program.array("t")


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (1, 1), (0, 3), (3, 0)])
@pytest.mark.parametrize("case", {**DROPPED, **LEFT})
def test_values_and_slopes_are_the_references(case: str, shape: tuple[int, int]) -> None:
    body = LEFT.get(case) or DROPPED[case][0]
    if 0 in shape and any(part in body for part in ("[0", ",0]", "p[", "(1, M)")):
        return
    text = _text(body)
    plain = loopc.compile(text, backend="reference", loss="L")
    rng = np.random.default_rng(0)
    given = {
        "x": rng.integers(-3, 4, shape).astype(float),
        "p": rng.integers(0, max(min(shape), 1), shape[0]),
    }
    given["w"] = rng.integers(-3, 4, shape[1]).astype(float)
    given = {name: given[name] for name in plain.inputs}
    expected, slopes = plain.value_and_grad(given)
    for opt in range(3):
        value, found = loopc.compile(text, opt=opt, loss="L").value_and_grad(given)
        np.testing.assert_array_equal(value, expected)
        for name, slope in slopes.items():
            np.testing.assert_array_equal(found[name], slope)


def test_a_sum_as_a_loss_leaves_no_product_of_ones() -> None:
    text = "input a[I,K], b[K,J]\nfor i,j,k: c[i,j] += a[i,k] b[k,j]\nfor i,j: L += c[i,j]\n"
    program = loopc.compile(f"{text}backward L wrt a, b\noutput a.grad, b.grad\n").expanded.ir
    folded = fold_constants(drop_axes(program))
    assert "c.grad" in {array.name for array in program.arrays}
    assert "c.grad" not in {array.name for array in folded.arrays}

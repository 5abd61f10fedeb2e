"""Rows of tables at index arrays: whole ones, parts of them, and tables that have gaps."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

TEXTS = [
    "for n, d: y[n,d] = E[w[n],d]",
    "for n, d: y[n,d] = 2 E[w[n],d] + tanh(E[w[n],d]) - n",
    "for n, d < D - 1: y[n,d] = E[w[n],d+1]",
    "for n, d: y[n,d] = E[w[n],D-1-d]",
    "for n, d < D: y[n,d] = sum[k < 2](E[v[n,k],d])",
    "for n, k < 2, d < D: y[n,k,d] = E[v[n,k],d] E[w[n],d]",
]


@pytest.mark.parametrize("kind", ["int8", "int64", "uint64"])
@pytest.mark.parametrize("text", TEXTS)
def test_rows_are_the_references(text: str, kind: str) -> None:
    text = f"input E[V,D]\noutput y\n{text}\n"
    for name, shape in (("w", "N"), ("v", "N,2")):
        text = f"input {name}[{shape}]: int\n{text}" if f"{name}[" in text else text
    rng = np.random.default_rng(0)
    wide = rng.random((5, 8))
    program, plain = loopc.compile(text), loopc.compile(text, backend="reference")
    for table in (wide[:, :4].copy(), wide[:, :4], wide[:, ::2], np.asfortranarray(wide[:, :4])):
        given = {"E": table, "w": rng.integers(0, 5, 6), "v": rng.integers(0, 5, (6, 2))}
        arrays = {n: a if n == "E" else a.astype(kind) for n, a in given.items()}
        arrays = {n: arrays[n] for n in program.inputs}
        fast = program.specialize(arrays)
        for y in (program(arrays).y, fast(*(arrays[n] for n in fast.inputs))["y"]):
            np.testing.assert_allclose(y, plain(arrays).y, rtol=1e-14)


def test_a_row_outside_is_reported() -> None:
    program = loopc.compile("output y\nfor n, d: y[n,d] = E[w[n],d]\n")
    with pytest.raises(loopc.LoopcError, match="-1"):
        program(E=np.ones((3, 2)), w=np.array([0, -1]))
    assert program(E=np.ones((0, 2)), w=np.zeros(0, int)).y.shape == (0, 2)
    assert program(E=np.ones((3, 0)), w=np.array([2])).y.shape == (1, 0)

"""Comparisons with an index as subscripts: values and gradients, NaN and inf where they belong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc
from loopc import passes
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Call
from loopc.ir.visit import walk

FACTORED = ("a choice", "beside the diagonal")
"""A factor that is taken out of a sum: inf times a sum may be inf, where the sum was NaN."""

PROGRAMS = {
    "a histogram": "for n, b < B: t[b] += x[n] (k[n] == b)",
    "counts": "for n, b < B if k[n] == b: t[b] += 1\nfor b  L += u[b] t[b]",
    "under a guard": "for n, b < B if b == k[n] and x[n] > 0: t[b] += x[n]",
    "rows": "for n, b < B, d: t[b,d] += v[n,d] (k[n] == b)",
    "means": """
for n, b < B:  s[b] += x[n] (k[n] == b)
for n, b < B:  c[b] += k[n] == b
for b          t[b] = s[b] / max(c[b], 1)
""",
    "a choice": "for n, b: t[n] += u[b] x[n] (k[n] == b)",
    "largest": "for n, b < B if k[n] == b: t[b] max= x[n]",
    "a diagonal": "for i,j  t[i] += M[i,j] (i == j)",
    "beside the diagonal": "for i,j  t[i] -= 2 M[i,j] x[i] (j == i + 1)",
}


def arrays(program: Any, bad: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    shapes = {"x": (60,), "v": (60, 3), "u": (40,), "M": (60, 60), "B": ()}
    given: dict[str, Any] = {n: rng.normal(size=shapes[n]) for n in program.inputs if n != "k"}
    if "k" in program.inputs:
        given["k"] = rng.integers(-2, 43, 60)
    if "B" in program.dims and "u" not in given:
        given["B"] = 40
    if bad:
        name = next(n for n in given if n in "xvuM")
        given[name].flat[7:9] = np.inf, np.nan
    return given


def compiled(text: str, **options: Any) -> Any:
    head = "input k[N]: int, x[N], v[N,D], u[B], M[N,N]"
    used = [p for p in head[6:].split(", ") if f"{p[0]}[" in text]
    loss = "L" if "L +=" in text else "t"
    return loopc.compile(f"input {', '.join(used)}\n{text}", loss=loss, **options)


@pytest.mark.parametrize("bad", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_value_and_gradient_are_those_of_the_loops(name: str, bad: bool) -> None:
    if bad and name in FACTORED:
        return
    program, reference = (compiled(PROGRAMS[name], backend=b) for b in ("numpy", "reference"))
    given = arrays(program, bad)
    expected = reference(given)
    for key, value in program(given).items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-12, atol=1e-12)
    seed = np.random.default_rng(1).normal(size=expected[program.loss].shape)
    wanted = reference.grad(given, seed=seed)
    for key, value in program.grad(given, seed=seed).items():
        np.testing.assert_allclose(value, wanted[key], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_comparison_is_left_where_values_are_finite(name: str) -> None:
    program = compiled(PROGRAMS[name])
    kinds = {n: "i" if n == "k" else "f" for n in program.inputs}
    found = passes.run(program._program, 2, Magnitudes({"B": 40, "N": 60, "D": 3}, kinds=kinds))
    finite = [s for s in found.body if "Call(fn='not'" not in repr(s)]
    assert not any(isinstance(n, Call) and n.fn == "eq" for s in finite for n in walk(s))


def test_few_cells_are_all_looked_at() -> None:
    program = compiled(PROGRAMS["rows"])
    sizes = Magnitudes({"B": 8, "N": 60, "D": 3}, kinds={"k": "i"})
    assert passes.run(program._program, 2, sizes).body == program._program.body

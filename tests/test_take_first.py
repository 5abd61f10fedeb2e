"""The adjoint of a store at places that are data: the last one that wrote a cell gets all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loopc

TEXTS = {
    "rows": "for n,d  z[p[n],d] = tanh(x[n,d])\nfor m,d  L += z[m,d] w[m,d]",
    "cells": "for n  u[p[n]] = v[n]**2\nfor m  L += u[m] w[m,0]",
    "columns": "for d,n  q[d,p[n]] = x[n,d]\nfor d,m  L += q[d,m] w[m,d]**2",
    "beside them": "for n,d  z[clamp(p[n]+1),d] = x[n,d]\nfor m,d  L += z[m,d] w[m,d]",
    "two places": "for n,d  t[p[n],k[n],d] = x[n,d] v[n]\nfor i,j,d  L += t[i,j,d]**2 w[i,d]",
    "over what is there": "for m,d  z[m,d] = w[m,d]**2\nfor n,d  z[p[n],d] = x[n,d]\n"
    "for m,d  L += sin(z[m,d])",
    "twice": "for n,d  z[p[n],d] = x[n,d]\nfor n,d  z[k[n],d] = 2 x[n,d]\n"
    "for m,d  L += z[m,d] w[m,d]",
    "of several": "for n,d  z[p[n],d] = x[n,d] v[n]\nfor m,d  L += z[m,d]**3 w[m,d]",
    "guarded": "for n,d if v[n] > 0: z[p[n],d] = x[n,d]\nfor m,d  L += z[m,d] w[m,d]",
    "backwards": "for n in reversed(range(N)),d: z[p[n],d] = x[n,d]\nfor m,d  L += z[m,d] w[m,d]",
    "from what it was": "for m,d  z[m,d] = w[m,d]\nfor n,d  z[p[n],d] = x[n,d] z[p[n],d]\n"
    "for m,d  L += z[m,d]**2",
    "to data of two": "for n,d  z[j[n,d],d] = x[n,d]\nfor m,d  L += z[m,d] w[m,d]",
}
DIMS = "dim z[M,D]\ndim u[M]\ndim q[D,M]\ndim t[M,M,D]\n"


def source(name: str) -> str:
    dims = [d for d in DIMS.splitlines() if f" {d[4]}[" in f" {TEXTS[name]}"]
    given = "input x[N,D], v[N], w[M,D], p[N]: int, k[N]: int, j[N,D]: int"
    return "\n".join((given, *dims, TEXTS[name], "output L"))


def arrays_for(program: loopc.Program, steps: int, cells: int) -> dict[str, object]:
    rng = np.random.default_rng(0)
    made = {
        "x": rng.standard_normal((steps, 3)),
        "v": rng.standard_normal(steps),
        "w": rng.standard_normal((cells, 3)),
        "p": rng.integers(0, cells, steps),
        "k": rng.integers(0, cells, steps),
        "j": rng.integers(0, cells, (steps, 3)),
    }
    return {n: made[n] for n in program.inputs}


@pytest.mark.parametrize("name", TEXTS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    plain = loopc.compile(source(name), loss="L", backend="reference")
    programs = [loopc.compile(source(name), loss="L", opt=n) for n in range(3)]
    for steps, cells in ((6, 4), (1, 1), (9, 2), (0, 3), (3, 20)):
        arrays = arrays_for(plain, steps, cells)
        value, gradients = plain.value_and_grad(arrays)
        for program in programs:
            out, found = program.value_and_grad(arrays)
            np.testing.assert_allclose(out.L, value.L, rtol=1e-12)
            for key, each in gradients.items():
                np.testing.assert_allclose(found[key], each, rtol=1e-11, atol=1e-12)


def test_what_is_not_finite_is_as_in_the_loop() -> None:
    text = source("of several")
    plain = loopc.compile(text, loss="L", backend="reference")
    arrays = arrays_for(plain, 9, 2)
    arrays["v"] = np.where(np.arange(9) % 3 == 0, np.inf, 1.0)
    expected = plain.grad(arrays)
    for key, each in loopc.compile(text, loss="L").grad(arrays).items():
        np.testing.assert_allclose(each, expected[key])


@pytest.mark.parametrize("name", ["rows", "cells", "columns", "two places", "over what is there"])
def test_no_loop_goes_over_them(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPC_CACHE", str(tmp_path))
    program = loopc.compile(source(name), loss="L")
    program.value_and_grad(arrays_for(program, 6, 4))
    code = "".join(f.read_text() for f in tmp_path.rglob("*.py"))
    assert "for n in range" not in code

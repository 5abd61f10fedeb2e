"""Programs written from the language's page give what NumPy gives, in both float types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc
from programs_layers import PROGRAMS, Program
from programs_nn import NN

ALL = [pytest.param(p, id=p.name) for p in PROGRAMS] + [
    pytest.param(p, id=f"nn-{p.name}") for p in NN
]
HOW: dict[str, dict[str, Any]] = {
    "reference": {"backend": "reference"},
    "opt=0": {"opt": 0},
    "opt=2": {"opt": 2},
}


def made(case: Program) -> tuple[dict[str, Any], dict[str, Any] | Any]:
    arrays = case.arrays(np.random.default_rng(1))
    return arrays, case.expected(**arrays)


def narrow(arrays: dict[str, Any]) -> dict[str, Any]:
    return {
        n: a.astype(np.float32) if getattr(a, "dtype", None) == np.float64 else a
        for n, a in arrays.items()
    }


@pytest.mark.parametrize("case", ALL)
def test_values_types_gradients_and_loops(case: Program) -> None:
    arrays, expected = made(case)
    for how, options in HOW.items():
        program = loopc.compile(case.text, **options)
        for given, close in ((arrays, 1e-10), (narrow(arrays), 1e-3)):
            if how == "opt=0" and given is not arrays:
                continue
            out = program(given)
            wanted = expected if isinstance(expected, dict) else {next(iter(out)): expected}
            assert set(out) == set(wanted)
            for name, value in wanted.items():
                where = f"{name}, {how}"
                np.testing.assert_allclose(out[name], value, rtol=close, atol=close, err_msg=where)
                kind = np.asarray(value).dtype.kind
                narrowed = any(getattr(a, "dtype", None) == np.float32 for a in given.values())
                wide = np.float32 if narrowed else np.float64
                assert (out[name].dtype == wide) == (kind == "f"), where
    again = loopc.compile(str(loopc.compile(case.text)))(arrays)
    for name, value in again.items():
        np.testing.assert_allclose(value, out[name], rtol=1e-3, atol=1e-3)
    _check_gradients(case, arrays)
    loops = [r for r in program.explain(arrays).rows if r.python_loop]
    assert bool(loops) == case.serial, loops  # loops in Python are those of recurrences


def _check_gradients(case: Program, arrays: dict[str, Any]) -> None:
    program = loopc.compile(case.text)
    for name, kind in program.outputs.items():
        if kind.dtype == "float" and program.wrt:
            checked = loopc.compile(case.text, loss=name)
            report = loopc.gradcheck(checked, arrays, tolerance=1e-6, max_cells=8)
            assert report, f"{name}\n{report}"

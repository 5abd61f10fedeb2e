"""No pass changes the type of an array, which is inferred from what is put into it."""

from __future__ import annotations

import os
import random
import warnings

import numpy as np
import pytest

import loopc
from fuzz.programs import case
from loopc.ir.dtypes import concrete, infer_dtypes
from loopc.ir.nodes import Program
from loopc.passes import PIPELINE

COUNT = int(os.environ.get("LOOPC_FUZZ", "240"))
CHUNK = 40


def _changes(program: Program, arrays: dict[str, np.ndarray]) -> list[str]:
    """Return the passes behind which arrays are of another type, and which arrays."""
    kinds = {name: {"u": "i"}.get(a.dtype.kind, a.dtype.kind) for name, a in arrays.items()}
    given = {name: str(a.dtype) for name, a in arrays.items()}

    def types(of: Program) -> dict[str, str]:
        return {n: concrete(t, given) for n, t in infer_dtypes(of, kinds).items()}

    found, known = [], types(program)
    for each in PIPELINE[2]:
        program = each(program)
        now = types(program)
        found += [
            f"{each.__name__}: {name} {known[name]} -> {dtype}"
            for name, dtype in now.items()
            if known.get(name, dtype) != dtype
        ]
        known = now
    return found


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_no_pass_changes_a_type(first: int) -> None:
    for seed in range(first, min(first + CHUNK, COUNT)):
        made = case(random.Random(seed), smooth=seed % 4 == 3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", loopc.LoopcWarning)
            program = loopc.compile(made.text).expanded.ir
        arrays = {name: np.asarray(a) for name, a in made.arrays.items()}
        assert _changes(program, arrays) == [], (seed, made.text)


@pytest.mark.parametrize(
    "text",
    [
        "input n[N]: int\nfor i: y[i] = where(i == N - 1, 3, n[i+1]) + (n[i] > 0)\n",
        "input x[N]\ndim t[N,N]\nfor i in range(1, N - 1), j in range(1, N - 1):\n"
        "    t[N-1-i,j] = j\n    t[N-1-i,j+1] = 2 i\nfor i in range(1, N): y[i] = t[i,i] + i\n"
        "for b < N: t[0,pad(2*b-1)] = x[b]\n",
    ],
)
def test_types_that_a_pass_once_changed(text: str) -> None:
    arrays = {"n": np.zeros(4, np.int32), "x": np.zeros(4)}
    program = loopc.compile(f"{text}output y\n").ir
    given = {a.name: arrays[a.name] for a in program.arrays if a.name in arrays}
    assert _changes(program, given) == []

"""What a step outside of tiles computes several times: made once, and as it is written."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc
from loopc.lower.plan import Lit

HEAD = "input x[N,M], k[N]: int, m[C,D]: bool\n"

PROGRAMS = {
    "a sum, twice": "for i if x[0,0] > -9: y[i] = (x[i,0] + x[i,1]) / (1 + (x[i,0] + x[i,1])**2)",
    "a gather, twice": "for i if x[0,0] > -9: y[i] = x[k[i],0] / (1 + abs(x[k[i],0]))",
    "zeros of several types": (
        "for i < N, j < N: y[i,j] = x[1 % N,1] * m[pad(2*i-1),j - j % 2] + (2*i-1 >= 0) (2*i-1 < C)"
    ),
    "zeros of both signs": (
        "for i if x[0,0] > -9: y[i] = 1 / (x[i,0] * 0.0) - 1 / (x[i,0] * (-0.0)) + (x[i,0] * 0.0)"
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_types_are_the_references(name: str, dtype: str) -> None:
    text = f"{HEAD}{PROGRAMS[name]}\noutput y"
    x = np.arange(1, 7).reshape(3, 2).astype(dtype)
    given = {"x": x, "k": np.array([2, 0, 1]), "m": np.array([[0, 0, 0], [1, 0, 1]], bool)}
    with np.errstate(all="ignore"):
        plain = loopc.compile(text, backend="reference")
        expected = plain({n: given[n] for n in plain.inputs}).y
        found = loopc.compile(text)({n: given[n] for n in plain.inputs}).y
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == expected.dtype


def test_a_gather_is_made_once() -> None:
    source = loopc.compile(f"{HEAD}{PROGRAMS['a gather, twice']}\noutput y").source
    forward = re.sub(r"#.*", "", source.split("def _forward")[1].split("return {")[0])
    assert forward.count("_inside(k") == 1


def test_literals_of_several_types_differ() -> None:
    assert len({Lit(0), Lit(False), Lit(0.0), Lit(-0.0), Lit(0)}) == 4

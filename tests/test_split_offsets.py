"""The few cells round a place that is data, taken one by one."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.passes.split_offsets import split_offsets

HEAD = "input x[N,C], k[P]: int, w[P,3], v[P,C], q[P]\n"

SPLIT = {
    "a sum of rows": ("for p,c,u<3: o[p,c] += w[p,u] x[clamp(k[p]+u-1),c]", 3),
    "a sum in a value": ("for p,c: o[p,c] = v[p,c] - sum[u<2](w[p,u] x[wrap(k[p]+u),c])", 1),
    "two sums": (
        "for p,c: o[p,c] = sum[u<2,j<3](w[p,u] w[p,j] x[wrap(k[p]+2*u),c])",
        1,
    ),
    "a case of the offset": (
        "for p,c,u<2: o[p,c] += where(u == 1, q[p], 1 - q[p]) x[clamp(k[p]+u),c]",
        2,
    ),
    "cases of two offsets": (
        "for p,c<C,u<2,j<2: o[p,c] += where(u == j, q[p], 2 q[p]) x[clamp(k[p]+u),clamp(k[p]+j)]",
        4,
    ),
    "a guard on the offset": (
        "for p,c,u<3 if u != 1: o[p,c] += w[p,u] x[clamp(k[p]+u),c]",
        2,
    ),
    "guards on offset and place": (
        "for p,c,u<3 if u < 2 and k[p] + u > 1: o[p,c] += w[p,u] x[clamp(k[p]+u),c]",
        2,
    ),
    "rows that are written": (
        "dim o[P,C]\nfor p,c,u<2: o[clamp(k[p]+u),c] += w[p,u] v[p,c]",
        2,
    ),
    "from the last one on": (
        "for p,c,u in reversed(range(3)): o[p,c] += w[p,u] x[clamp(k[p]+u-1),c]",
        3,
    ),
}
LEFT = {
    "offsets of an index": "for p,c,u<3: o[p,c] += w[p,u] v[clamp(p+u),c]",
    "many offsets": "for p,c,u<9: o[p,c] += q[p] x[clamp(k[p]+u),c]",
    "a range that is no literal": "for p,c,u<C: o[p,c] += q[p] x[clamp(k[p]+u),c]",
    "cells that are kept apart": (
        "for p,c<C,u<3: y[p,c,u] = w[p,u] + x[clamp(k[p]+u),c]\nfor p,c: o[p,c] = y[p,c,1]"
    ),
    "the largest": "for p,c,u<3: o[p,c] max= w[p,u] x[clamp(k[p]+u-1),c]",
    "what reads its own cells": (
        "dim o[P,C]\nfor p,c,u<2: o[p,c] += 0.5 o[clamp(k[p]+u),c] + v[p,c]"
    ),
    "the largest in a value": "for p,c: o[p,c] = max[u<3](x[clamp(k[p]+u),c] + q[p])",
    "a sum of cells under a condition": (
        "for p,c: o[p,c] = sum[u<3 if u + k[p] >= 1](x[wrap(k[p]+u),c] q[p])"
    ),
}


def _text(text: str) -> str:
    unused = "0 x[0,0] k[0] w[0,0] v[0,0] q[0]"
    return f"{HEAD}{text}\nfor p<P,c<C: L += o[p,c]**2 + {unused}\noutput o, L\n"


def _given() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {"x": (7, 4), "w": (6, 3), "v": (6, 4), "q": (6,)}
    given = {n: rng.integers(-2, 3, s).astype(float) for n, s in sizes.items()}
    return {**given, "k": rng.integers(0, 6, 6)}


@pytest.mark.parametrize("name", [*SPLIT, *LEFT])
def test_points_are_the_references(name: str) -> None:
    text = SPLIT[name][0] if name in SPLIT else LEFT[name]
    plain, given = loopc.compile(_text(text), backend="reference", loss="L"), _given()
    expected, (_, slopes) = plain(given), plain.value_and_grad(given)
    for opt in range(3):
        program = loopc.compile(_text(text), opt=opt, loss="L")
        np.testing.assert_array_equal(program(given).o, expected.o)
        for array, slope in program.value_and_grad(given)[1].items():
            np.testing.assert_allclose(slope, slopes[array], rtol=1e-14)


@pytest.mark.parametrize("name", SPLIT)
def test_offsets_are_split(name: str) -> None:
    text, count = SPLIT[name]
    program = loopc.compile(_text(text))._program
    found = split_offsets(program)
    assert found is not program
    assert len(found.body) - len(program.body) + 1 == count


@pytest.mark.parametrize("name", LEFT)
def test_offsets_are_left(name: str) -> None:
    program = loopc.compile(_text(LEFT[name]))._program
    assert split_offsets(program) is program


def test_a_choice_by_the_offset_is_made_at_once() -> None:
    source = loopc.compile(_text(SPLIT["a case of the offset"][0])).source
    assert "where" not in source.split("def _forward")[1].split("# program.loops:3")[0]

"""Sums into cells at index arrays: in few runs, cell by cell of rows, and any other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import loopc
from loopc.backends.numpy.helpers import HELPERS, with_default

TEXTS = [
    *(
        f"for i < N, j < M: y[{mode}({at}),j] += x[i,j]\n"
        f"for i < N, j < M: z[i,{mode}({at.replace('i', 'j').replace('N', 'M')})] += x[i,j]"
        for mode in ("clamp", "wrap", "reflect", "pad")
        for at in ("i + 2", "i - 1", "N - i", "i//2 + 2*(i % 2) - 1")
    ),
    "for i < N, j < M: y[i//3,j//2] += x[i,j]\nfor i < N, j < M: z[j//2,i] += x[i,j]",
    "for i < N, j < M: y[clamp(i - 1),wrap(j + 1)] += x[i,j]\n"
    "for i < N, j < M: z[wrap(j),clamp(i + 1)] += x[i,j]",
    "for i < N, j < M: y[p[i],j] += x[i,j]\nfor i < N, j < M: z[i,p[j]] += x[i,j]",
    "for i < N, j < M: y[i,p[j]] -= x[i,j]\nfor i < N, j < M: z[p[j],p[i]] max= x[i,j]",
]


@pytest.mark.parametrize("text", TEXTS)
def test_sums_are_the_references(text: str) -> None:
    text = f"input x[N,M], p[K]: int, y[N,M], z[N,M]\n{text}\noutput y, z\n"
    rng = np.random.default_rng(0)
    x, y, z = (rng.integers(-9, 9, (36, 36)).astype(float) for _ in range(3))
    arrays = {"x": x, "y": y, "z": z, "p": rng.integers(0, 36, 36)}
    expected = loopc.compile(text, backend="reference")(**arrays)
    for opt in range(3):
        found = loopc.compile(text, opt=opt)(**arrays)
        np.testing.assert_array_equal(found.y, expected.y)
        np.testing.assert_array_equal(found.z, expected.z)


ROWS = {"most": 0, "wide": 1, "many": 1, "each": 0}
"""Rows that are taken by how often they come."""

WAYS = [
    {},
    {"few": -1},
    {"long": 0},
    {"long": 0, "loop": 0},
    {"most": 0},
    {"most": 1, "some": 3},
    ROWS,
    {**ROWS, "part": 2},
]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_the_helper_does_what_numpy_does(way: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for parameter, value in {"few": -1, **WAYS[way]}.items():
        changed = with_default("_scatter", parameter, value)
        monkeypatch.setitem(HELPERS, "_scatter", changed)
    space: dict[str, Any] = {"np": np}
    exec(HELPERS["_scatter"], space)
    adds, rows = space["_adds_rows"], []
    space["_adds_rows"] = lambda *given: rows.append(adds(*given)) or rows[-1]
    rng = np.random.default_rng(way)
    taken = 0
    for _ in range(300):
        a, index = _place(rng)
        shape = tuple(n if rng.random() < 0.8 else 1 for n in a[index].shape)
        value = rng.integers(-5, 6, shape).astype(float)
        ufunc = (np.add, np.multiply, np.maximum)[rng.integers(3)]
        expected, found = a.copy(order="K"), a.copy(order="K")
        ufunc.at(expected, index, np.broadcast_to(value, a[index].shape))
        space["_scatter"](ufunc, found, index, value)
        np.testing.assert_array_equal(found, expected)
        arrays = [i for i in index if not isinstance(i, slice)]
        taken += bool(space["_runs"](arrays, max(i.ndim for i in arrays)))
    assert taken > 50 or way > 2
    assert way < 6 or sum(rows) > 10


def _place(rng: np.random.Generator) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Return an array and what to take of it: slices, and index arrays as subscripts make them."""
    rank = rng.integers(1, 5)
    shape = rng.integers(1, 9, rank)
    axes = np.sort(rng.choice(rank, rng.integers(1, rank + 1), replace=False))
    counts = rng.integers(1, 7, rng.integers(0, 3))
    crossed = len(counts) == len(axes) == 2 and rng.random() < 0.7
    index: list[Any] = []
    for axis, size in enumerate(shape.tolist()):
        if axis not in axes:
            index.append((slice(None), slice(0, size, 2), slice(None, None, -1))[rng.integers(3)])
            continue
        own = counts
        if crossed:
            own = [n if n_axis == axis else 1 for n, n_axis in zip(counts, axes, strict=True)]
        index.append(_subscript(rng, tuple(own), size))
    a = rng.integers(-5, 6, shape).astype(float)
    return np.asfortranarray(a) if rng.random() < 0.3 else a, tuple(index)


def _subscript(rng: np.random.Generator, counts: tuple[int, ...], size: int) -> np.ndarray:
    i = np.arange(math.prod(counts)).reshape(tuple(counts))
    by, shift = rng.integers(1, 4), rng.integers(-3, 4)
    forms = (i + shift, by * i - shift, i // by, i // 2 + 2 * (i % 2) - 1, size - 1 - i)
    at = forms[rng.integers(5)] if rng.random() < 0.8 else rng.integers(0, size, counts)
    at = at % size if rng.random() < 0.5 else np.clip(at, 0, size - 1)
    return at.astype(np.uint8) if rng.random() < 0.2 else at

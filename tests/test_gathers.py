"""Rows of tables at index arrays: whole ones, parts of them, and tables that have gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc
from loopc.backends.numpy import helpers

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


ALONG = {
    "clamped": ("y[b,c,t] = x[b,c,clamp(t-1)] - 2 x[b,c,clamp(t+2)]", None),
    "wrapped": ("y[b,c,t] = x[b,c,wrap(t-1)] + x[b,wrap(c+1),t]", None),
    "reflected": ("y[b,c,t] = x[b,c,reflect(t-3)]", None),
    "a permutation": ("y[b,c,t] = x[b,c,p[t]]", np.arange(300)[::-1]),
    "a few runs": ("y[b,c,t] = x[b,c,p[t]] + x[b,c,t]", np.r_[5:200, 0:50, 245:300]),
    "bytes that go round": ("y[b,c,t] = x[b,c,p[t]]", np.r_[200:256, 0:200].astype(np.uint8)),
    "parts": ("y[b,c,t] = x[b,c+1,p[t]]", np.r_[0:100, 50:150, 0:100]),
}


@pytest.mark.parametrize("name", ALONG)
def test_places_along_a_last_axis(name: str) -> None:
    value, p = ALONG[name]
    given = {"x": np.random.default_rng(0).standard_normal((8, 20, 300))}
    head, times = "input x[B,C,T]", "T"
    if p is not None:
        given["p"], head, times = p, f"{head}, p[R]: int", "R"
    text = f"{head}\noutput y\nfor b < B, c < C - 1, t < {times}: {value}\n"
    program = loopc.compile(text)
    np.testing.assert_array_equal(program(given)["y"], loopc.compile(text, opt=0)(given)["y"])
    assert ("_moved(" if p is None else "_along(") in program.source


def test_a_place_outside_a_last_axis_is_reported() -> None:
    program = loopc.compile("output y\nfor b, c, t: y[b,c,t] = x[b,c,p[t]]\n")
    assert "_along" in program.source
    p = np.arange(300)
    p[7] = 300
    with pytest.raises(loopc.LoopcError, match="300"):
        program(x=np.ones((8, 20, 300)), p=p)
    assert program(x=np.ones((8, 0, 300)), p=np.arange(300)).y.shape == (8, 0, 300)


TABLES = [
    "for h, i, j: y[h,i,j] = r[h,p[i,j]]",
    "for h, i, j: y[i,h,j] = 2 r[h,p[j,i]] - i",
    "for h, i, j: y[i,j,h] = r[h,clamp(i-j+2)] + h",
    "for h < H//2, i, j: y[h,i,j] = tanh(r[2*h+1,p[i,j]])",
]


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
@pytest.mark.parametrize("text", TABLES)
def test_places_of_several_indices_behind_an_axis(text: str, layout: Any) -> None:
    head = "input r[H,R], p[I,J]: int\noutput y\n"
    text = text.replace("i, j:", "i < I, j < J:")
    program, plain = (
        loopc.compile(head + text, backend=b, loss="y") for b in ("numpy", "reference")
    )
    assert "_along(" in program.source
    rng = np.random.default_rng(0)
    for size in (3, 40):
        given = {"r": layout(rng.random((4, 5))), "p": rng.integers(0, 5, (size, size))}
        found = program(given).y
        np.testing.assert_allclose(found, plain(given).y, rtol=1e-14)
        seed = rng.random(found.shape)
        np.testing.assert_allclose(
            program.grad(given, seed=seed)["r"], plain.grad(given, seed=seed)["r"], rtol=1e-12
        )


CROSSED = [
    "for n, p, q: y[n,p,q] = T[n,u[p],v[q]]",
    "for p, n, q: y[p,n,q] = 2 T[u[p],n,v[q]]",
    "for p, q, m < 6: y[p,q,m] = T[u[p],v[q],m] - m",
    "for n, p, q: y[n,p,q] = tanh(T[n,u[p]//2,v[q]//2])",
    "for n, p, q: y[n,p,q] = T[n,clamp(u[p]+1),wrap(v[q]-4)]",
]


@pytest.mark.parametrize("few", [0, 1 << 15])
@pytest.mark.parametrize("text", CROSSED)
def test_places_of_several_axes_are_taken_one_after_the_other(
    text: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(helpers.HELPERS, "_along", helpers.with_default("_along", "few", few))
    used = "".join(f"input {n}: int\n" for n in ("u[P]", "v[Q]") if f"{n[0]}[" in text)
    program, plain = (
        loopc.compile(f"input T[A,B,C]\n{used}output y\n{text}\n", backend=b, loss="y")
        for b in ("numpy", "reference")
    )
    assert "_crossed(" in program.source
    rng = np.random.default_rng(0)
    arrays = {"T": rng.random((5, 5, 6)), "u": rng.integers(0, 5, 7), "v": rng.integers(0, 5, 3)}
    given = {n: a for n, a in arrays.items() if n in program.inputs}
    np.testing.assert_allclose(program(given).y, plain(given).y, rtol=1e-12)
    seed = rng.random(program(given).y.shape)
    np.testing.assert_allclose(
        program.grad(given, seed=seed)["T"], plain.grad(given, seed=seed)["T"], rtol=1e-12
    )


@pytest.mark.parametrize("shape", [(3, 50, 60), (40, 3, 50), (4000, 400), (0, 4), (8, 9, 7)])
def test_crossed_places_are_those_of_all_axes(shape: tuple[int, ...]) -> None:
    space: dict[str, Any] = {"np": np}
    for name in ("_along", "_crossed"):
        exec(helpers.HELPERS[name], space)
    rng = np.random.default_rng(0)
    table = rng.random(shape)
    for axes in ((0, 1), (0, len(shape) - 1), tuple(range(len(shape)))):
        for count in (0, 1, 3, 80):
            rows = [rng.integers(0, max(shape[a], 1), count if shape[a] else 0) for a in axes]
            places = [np.arange(n) for n in shape]
            for axis, at in zip(axes, rows, strict=True):
                places[axis] = at
            found = space["_crossed"](table, axes, rows)
            np.testing.assert_array_equal(found, table[np.ix_(*places)])


CELLS = [
    "for n  y[n] = T[u[n],v[n],w[n]]",
    "for n, m < C: y[n,m] = T[u[n],v[n],m]",
    "for n, q: y[n,q] = 2 T[u[n],z[q],w[n]]",
    "for n  y[n] = T[u[n],clamp(v[n]+1),wrap(w[n]-3)]",
    "for n  y[n] = T[u[n],2,w[n]]",
    "for n if u[n] > 1: y[n] = T[u[n],v[n],w[n]]",
    "for n  y[n] = S[w[n],u[n]] + S[w[n],v[n]]",
]


@pytest.mark.parametrize("few", [0, 256])
@pytest.mark.parametrize("kind", [np.int8, np.int64])
@pytest.mark.parametrize("text", CELLS)
def test_cells_at_places_of_several_axes_are_taken_by_their_number(
    text: str, kind: Any, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(helpers.HELPERS, "_cells", helpers.with_default("_cells", "few", few))
    used = "".join(
        f"input {n}: int\n" for n in ("u[N]", "v[N]", "w[N]", "z[Q]") if f"{n[0]}[" in text
    )
    table = "S[C,A]" if "S[" in text else "T[A,B,C]"
    program, plain = (
        loopc.compile(f"input {table}\n{used}output y\n{text}\n", backend=b, loss="y")
        for b in ("numpy", "reference")
    )
    rng = np.random.default_rng(0)
    given = {"T": rng.random((30, 5, 20)), "S": rng.random((30, 20)).T}
    for name in "uvwz":
        given[name] = rng.integers(0, 5 if name in "vz" else 20, 6 if name == "z" else 40).astype(
            kind
        )
    given = {n: a for n, a in given.items() if n in program.inputs}
    expected = plain(given).y
    np.testing.assert_allclose(program(given).y, expected, rtol=1e-12)
    seed = rng.random(expected.shape)
    for name, slope in plain.grad(given, seed=seed).items():
        np.testing.assert_allclose(program.grad(given, seed=seed)[name], slope, rtol=1e-12)


def test_a_place_of_several_axes_outside_is_reported() -> None:
    program = loopc.compile("input T[A,B], u[N]: int\nfor n  y[n] = T[u[n],u[n]]\n")
    places = np.zeros(400, int)
    for bad in (-1, 3):
        places[7] = bad
        with pytest.raises(loopc.BoundsError, match="L0231"):
            program(T=np.ones((5, 3)), u=places)

"""Axes that indices count together, heads beside their cells, are views in the order of memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loopc

FLAT = """
input q[B,T,H*D], k[B,T,H*D], v[B,T,H*D], w[H]
for b,h,i,j<T: a[b,h,i,j] = w[h] sum[d<D](q[b,i,h*D+d] k[b,j,h*D+d]) / sqrt(D)
for b,h,i<T,j<T: p[b,h,i,j] = softmax[j](a[b,h,i,j])
for b,h,i<T,d<D: o[b,i,h*D+d] = sum[j<T](p[b,h,i,j] v[b,j,h*D+d])
for b,i<T,e<H*D: L += o[b,i,e]**2
""".replace("h,i,j<T: a", "h,i<T,j<T: a")

EIGHTHS = """
input x[B,T,E], Q[E,E]
for b,t,e  q[b,t,e] = sum[i](Q[e,i] x[b,t,i])
for b,h<2,i<T,j<T: a[b,h,i,j] = sum[d<E//2](q[b,i,h*(E//2)+d] x[b,j,h*(E//2)+d])
for b,h<2,i<T,j<T: L += tanh(a[b,h,i,j])
"""

TEXTS = {
    "heads beside their cells": FLAT,
    "halves": EIGHTHS,
    "cells beside their heads": "input q[B,T,4*H], k[B,T,4*H]\n"
    "for b,h,i<T,j<T: a[b,h,i,j] = sum[d<4](q[b,i,d*H+h] k[b,j,d*H+h])\n"
    "for b,h,i<T,j<T: L += tanh(a[b,h,i,j])",
    "three indices": "input x[N,12], W[3,2,2]\n"
    "for n,u<3,v<2: y[n,u,v] = sum[m<2](x[n,4*u+2*v+m] W[u,v,m])\nfor n,u<3,v<2: L += y[n,u,v]**2",
    "both ways": "input x[N,6], y[N,6]\n"
    "for u<3,v<2: s[u,v] = sum[n](x[n,2*u+v] y[n,3*v+u])\nfor u<3,v<2: L += s[u,v]**2",
    "groups of channels": "input x[B,2*D,T], w[2*H,D,3]\n"
    "for b,g<2,h<H,i<T: y[b,g*H+h,i] = sum[c<D,u](w[g*H+h,c,u] x[b,g*D+c,pad(i+u-1)])\n"
    "for b,e<2*H,i<T: L += tanh(y[b,e,i])",
    "padded beside them": "input x[B,H*D,T], w[H]\n"
    "for b,h,d<D,i<T: L += w[h] x[b,h*D+d,i] x[b,h*D+d,pad(i-1)]**2",
    "padded themselves": "input x[T,H*D], w[H]\n"
    "for i,h,d<D: L += w[h] tanh(x[i,pad(h*D+d+1)] x[i,h*D+d])",
    "a row of it": "input x[N,6], w[N]\nfor u<3: s[u] = sum[n,v<2](x[n,2*u+v] w[n])\n"
    "for u<3: L += exp(s[u])",
}


def given(program: loopc.Program, dims: dict[str, int]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {
        name: [eval(str(e).replace(" ", "*"), {}, dims) for e in kind.shape]
        for name, kind in program.inputs.items()
    }
    return {n: rng.standard_normal(shape) for n, shape in shapes.items()}


@pytest.mark.parametrize("name", TEXTS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    plain = loopc.compile(TEXTS[name], loss="L", backend="reference")
    programs = [loopc.compile(TEXTS[name], loss="L", opt=n) for n in range(3)]
    for batch, steps, heads, cells in ((2, 3, 2, 4), (1, 5, 3, 2), (3, 1, 1, 2)):
        dims = {"B": batch, "T": steps, "H": heads, "D": cells, "E": 2 * cells, "N": 5}
        arrays = given(plain, dims)
        value, gradients = plain.value_and_grad(arrays)
        for program in programs:
            out, found = program.value_and_grad(arrays)
            np.testing.assert_allclose(out.L, value.L, rtol=1e-11)
            for key, each in gradients.items():
                np.testing.assert_allclose(found[key], each, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    "text",
    [
        "dim y[N,M]\nfor j < M: y[pad(2*j-1),j] = x[0,j]",
        "dim y[N,M]\nfor i, j < M if i > 0: y[pad(i-2),j] = x[i,j]",
        "dim y[N,2*M]\nfor i, j < M, u < 2: y[pad(i-1),2*j+u] = x[i,j]",
        "dim y[N,2*M]\nfor i, j < M, u < 2: y[pad(i-1),2*j+u] += x[i,j] u",
    ],
)
def test_what_is_stored_past_edges_is_left_out(text: str) -> None:
    text = f"input x[N,M]\n{text}\noutput y\n"
    x = np.random.default_rng(0).standard_normal((4, 3))
    expected = loopc.compile(text, backend="reference")(x=x).y
    for opt in range(3):
        np.testing.assert_allclose(loopc.compile(text, opt=opt)(x=x).y, expected)


@pytest.mark.parametrize("name", ["heads beside their cells", "halves"])
def test_they_are_products_of_views(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPC_CACHE", str(tmp_path))
    program = loopc.compile(TEXTS[name], loss="L")
    program.value_and_grad(given(program, {"B": 2, "T": 3, "H": 2, "D": 4, "E": 8}))
    code = "".join(f.read_text() for f in tmp_path.rglob("*.py"))
    assert "np.einsum" not in code
    assert "np.arange" not in code

"""Products that are added to the cells of windows are sums over windows of one factor."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc

TEXTS = {
    "a filter's adjoint": "for b,t,k,c: y[b,t+k,c] += x[b,t,c] w[k,c]",
    "one that looks back": "for b,t,k,c: y[b,pad(t-k),c] += x[b,t,c] w[k,c]",
    "one that looks ahead": "for b,t,k,c: y[b,pad(t+k-1),c] += x[b,t,c] w[k,c]",
    "steps between offsets": "for b,t,k,c: y[b,t+2*k,c] += x[b,t,c] w[k,c]",
    "steps between places": "for b,t,k,c: y[b,2*t+k,c] += x[b,t,c] w[k,c]",
    "a literal beside it": "for b,t,k,c: y[b,t+k+1,c] += 3 x[b,t,c] w[k,c]",
    "channels in front": "for c,b,t,k: z[c,b,t+k] += x[b,t,c] w[k,c]",
    "taken away": "for b,t,k,c: y[b,t+k,c] -= x[b,t,c] w[k,c]",
    "a divisor": "for b,t,k,c: y[b,t+k,c] += x[b,t,c] w[k,c] / 7",
    "a factor of both": "for b,t,k,c: y[b,t+k,c] += x[b,t,c] w[k,c] v[t,k]",
    "a factor that has the place": "for b,t,k,c: y[b,t+k,c] += x[b,t,c] w[k,c] u[t]",
    "functions": "for b,t,k,c: y[b,t+k,c] += x[b,t,c] tanh(w[k,c])",
    "a function of the place's": "for b,t,k,c: y[b,t+k,c] += tanh(x[b,t,c]) w[k,c]",
    "a part of the places": "for b,t in range(1, T),k,c: y[b,t+k,c] += x[b,t,c] w[k,c]",
    "a sum of channels": "for b,t,k,c: s[b,t+k] += x[b,t,c] w[k,c]",
    "a sum over batches": "for b,t,k,c: r[t+k,c] += x[b,t,c] w[k,c]",
    "several offsets": "for b,t,k,l,c: y[b,t+k+l,c] += x[b,t,c] w[k,c] w[l,c]",
    "two axes": "for t,i,k,l,c: q[t+k,i+l,c] += v[t,i] w[k,c] w[l,c]",
    "two axes, of one kernel": "for t,i,k,l,c: q[pad(t+k-1),pad(i-l),c] += v[t,i] p[c,k,l]",
    "two factors of equal rank": "for t,k: o[t+k] += u[t] h[k]",
    "one axis alone": "for t,i,k,c: q[t+k,i,c] += v[t,i] w[k,c]",
    "over what is there": "for t: o[t] = 1\nfor t,k: o[pad(t-k)] += u[t] h[k]",
}


SUMMED = ("a sum over batches",)
"""Sums over `b` before they are multiplied by what may be infinite."""

DIMS = {"y": "dim y[B,T,C]", "q": "dim q[T,K,C]", "o": "dim o[T]"}


@pytest.mark.parametrize("name", TEXTS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    given = "input x[B,T,C], w[K,C], v[T,K], u[T], h[K], p[C,K,K]"
    target = re.match(r".*?(\w)\[", TEXTS[name].rsplit("\n", maxsplit=1)[-1].partition(": ")[2])
    assert target is not None
    loss = target[1]
    dims = DIMS[loss] if "pad" in TEXTS[name] else ""
    text = f"{given}\n{dims}\n{TEXTS[name]}\noutput {loss}\n"
    programs = [loopc.compile(text, loss=loss, opt=n) for n in range(3)]
    plain = loopc.compile(text, loss=loss, backend="reference")
    rng = np.random.default_rng(0)
    sizes = ((2, 7, 3, 2), (1, 4, 1, 5), (3, 2, 2, 4), (2, 30, 1, 3), (0, 3, 2, 2), (1, 3, 2, 1))
    for batch, time, channels, taps in sizes:
        arrays = {
            "x": rng.standard_normal((batch, time, channels)),
            "w": rng.standard_normal((taps, channels)),
            "v": rng.standard_normal((time, taps)),
            "u": rng.standard_normal(time),
            "h": rng.standard_normal(taps),
            "p": rng.standard_normal((channels, taps, taps)),
        }
        arrays = {n: arrays[n] for n in plain.inputs}
        for bad in (None, np.inf, np.nan):
            if bad is not None and name in SUMMED:
                continue
            if bad is not None:
                for given_name in ("w", "h", "p"):
                    if given_name in arrays:
                        arrays[given_name].flat[-1] = bad
            expected = plain(arrays)[loss]
            seed = rng.standard_normal(expected.shape)
            gradients = plain.grad(arrays, seed=seed)
            for program in programs:
                np.testing.assert_allclose(program(arrays)[loss], expected, rtol=1e-12, atol=1e-13)
                if bad is not None:
                    continue
                for key, value in program.grad(arrays, seed=seed).items():
                    np.testing.assert_allclose(value, gradients[key], rtol=1e-11, atol=1e-12)


def test_an_array_of_larger_cells_than_places_is_added_to_where_they_are() -> None:
    text = "input y[N], x[T], w[K]\nfor t,k: y[t+k] += x[t] w[k]\noutput y\n"
    arrays = {"y": np.ones(9), "x": np.arange(4.0), "w": np.array([1.0, 2.0])}
    expected = loopc.compile(text, backend="reference")(arrays).y
    np.testing.assert_allclose(loopc.compile(text)(arrays).y, expected)


@pytest.mark.parametrize(
    "text",
    [
        "for b,i<H,j<W,c,u,v: y[b,c,i,j] += w[c,u,v] x[b,c,pad(i+u-1),pad(j+v-1)]",
        "for b,i,j,c,u,v: y[b,c,i,j] += w[c,u,v] x[b,c,i+u,j+v]",
    ],
)
def test_a_convolution_by_channels_adds_to_no_windows(text: str) -> None:
    text = f"input x[B,C,H,W], w[C,K,K]\n{text}\nL = sum[b,i,j,c](y[b,c,i,j]**2)\n"
    program = loopc.compile(text, wrt=("x", "w"), loss="L")
    code = program.source
    assert "_add_windows" not in code
    assert "_window(" in code

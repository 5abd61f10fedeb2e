"""Sizes that follow from each other: of declarations in any order, of a def's arguments."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

LEVELS = [{"opt": 0}, {"opt": 1}, {"opt": 2}, {"backend": "reference"}]


@pytest.fixture(params=LEVELS, ids=str)
def level(request: pytest.FixtureRequest) -> dict:
    return request.param


X = np.arange(12.0).reshape(2, 6)


@pytest.mark.parametrize(
    ("text", "arrays"),
    [
        ("input x[N,G*D], G: int\nfor n, g < G: y[n,g] = sum[d<D](x[n,g*D+d])\n", {"x": X, "G": 3}),
        ("input x[N,G*D], G\nfor n, g < G: y[n,g] = sum[d<D](x[n,g*D+d])\n", {"x": X, "G": 3}),
        ("for n, g < G: y[n,g] = sum[d<D](x[n,g*D+d])\ninput x[N,G*D]\ndim G = 3\n", {"x": X}),
        (
            "dim S = 2*G, G = D + 1\ninput x[N,3*D]\n"
            "for n, g < S//2: y[n,g] = sum[d<D](x[n,g*D+d])\n",
            {"x": X},
        ),
    ],
)
def test_what_a_size_is_made_of_may_be_declared_behind_it(
    level: dict, text: str, arrays: dict
) -> None:
    program = loopc.compile(text, **level)
    assert program(arrays).y.tolist() == [[1, 5, 9], [13, 17, 21]]
    again = loopc.compile(str(program), **level)
    assert list(again.inputs) == list(program.inputs)
    assert again(arrays).y.tolist() == [[1, 5, 9], [13, 17, 21]]


def test_a_module_finds_dims_in_the_order_in_which_they_follow() -> None:
    text = "dim S = 2*G, G = D + 1\ninput x[3*D]\nfor i < S: y[i] = x[i]\n"
    scope: dict = {"__name__": "module"}
    exec(loopc.compile(text).source, scope)
    assert scope["forward"](x=np.arange(6.0))["y"].tolist() == [0, 1, 2, 3, 4, 5]


HALVES = "def f(x[2*D]) -> y[D]:\n    for d < D: y[d] = x[d] + x[D+d]\nw[:] = f(a[:])\n"
STEPS = "def f(x[N+1]) -> y[N]:\n    for i < N: y[i] = x[i+1] - x[i]\nfor b: w[b,:] = f(a[b,:])\n"
EVERY = "def f(x[2*N-1]) -> y[N]:\n    for i < N: y[i] = x[2*i]\nw[:] = f(a[:])\n"
PAIR = "def f(x[N], z[N*N]) -> s:\n    s = sum[i](x[i]) + sum[j](z[j])\nw = f(a[:], b[:])\n"
COUNT = "def f(x[n], n: int) -> s:\n    s = sum[i < n](x[i])\ninput a[N], k: int\nw = f(a[:], k)\n"


@pytest.mark.parametrize(
    ("text", "arrays", "expected"),
    [
        (HALVES, {"a": [1.0, 2, 3, 4]}, [4, 6]),
        (STEPS, {"a": [[1.0, 2, 4], [0, 3, 4]]}, [[1, 2], [3, 1]]),
        (EVERY, {"a": [1.0, 2, 3, 4, 5]}, [1, 3, 5]),
        (PAIR, {"a": [1.0, 2], "b": [1.0, 1, 1, 1]}, 7),
        (COUNT, {"a": [1.0, 2], "k": 2}, 3),
        ("def f(x[N]) -> s: s = N\nw = f(a[:])\n", {"a": [1.0, 2]}, 2),
    ],
)
def test_a_def_knows_the_sizes_of_its_arguments(
    level: dict, text: str, arrays: dict, expected: object
) -> None:
    assert loopc.compile(text, **level)(arrays).w.tolist() == expected


@pytest.mark.parametrize(
    ("text", "arrays"),
    [
        (HALVES, {"a": np.ones(5)}),
        (EVERY, {"a": np.ones(6)}),
        (PAIR, {"a": np.ones(2), "b": np.ones(5)}),
        (COUNT, {"a": np.ones(3), "k": 2}),
        ("def f(x[3]) -> s: s = x[0] + x[1]\nw = f(a[:])\n", {"a": np.ones(4)}),
        ("def f(x[N,N]) -> s: s = sum[i](x[i,0])\nw = f(a[:,:])\n", {"a": np.ones((3, 4))}),
    ],
)
def test_an_argument_of_another_size_is_refused(level: dict, text: str, arrays: dict) -> None:
    program = loopc.compile(text, **level)
    with pytest.raises(loopc.ShapeError) as caught:
        program(arrays)
    assert caught.value.code in ("L0208", "L0214")
    with pytest.raises(loopc.ShapeError):
        program.jvp(arrays, {"a": arrays["a"]})


def test_inputs_that_nothing_declares_have_the_sizes_that_a_def_asks() -> None:
    text = (
        "def f(x[N], z[N], c[3]) -> s:\n    s = sum[i](x[i]) + sum[j](z[j]) + c[0]\n"
        "for b  y[b] = f(p[b,:], q[b,:], r[:])\n"
    )
    program = loopc.compile(text)
    shapes = {name: array.shape for name, array in program.inputs.items()}
    assert shapes["p"] == shapes["q"]
    assert shapes["r"] == ("3",)
    with pytest.raises(loopc.ShapeError) as caught:
        program(p=np.ones((2, 3)), q=np.ones((2, 4)), r=np.ones(3))
    assert caught.value.code == "L0208"


def test_a_declared_size_that_does_not_fit_is_told_as_it_is_declared() -> None:
    text = "input x[T,D]\ndim h[T+1,D]\nfor t, d: h[t+1,d] = h[t,d] + x[t,d]\noutput h\n"
    with pytest.raises(loopc.LoopcError) as caught:
        loopc.compile(text)
    found = str(caught.value)
    assert "index `t` has two sizes: T+1 from `h` and T from `x`" in found
    assert "`for t < T: …`" in found
    assert found.count("error[") == 1


FULL = [1, 12, 123, 234, 345, 456, 560, 600]
GUARDED = [
    ("for t,k if k <= t: y[t] += w[k] x[t-k]", FULL[:6]),
    ("for t  y[t] = sum[k if k <= t](w[k] x[t-k])", FULL[:6]),
    ("for t,k  y[t] += where(t - k >= 0, w[k] x[t-k], 0)", FULL[:6]),
    ("for t,k  y[t] += w[k] x[t-k]", [0, 0, *FULL[2:6]]),
    ("for t,k if t > k: y[t] += w[k] x[t-k-1]", [0, *FULL[:6]]),
    ("for t,k if 0 <= t-k and t-k < N: y[t] += w[k] x[t-k]", FULL),
    ("for t,k if t+k < N: y[t] += w[k] x[t+k]", [321, 432, 543, 654, 65, 6]),
    ("for t,k if k < 2: y[t] += w[k] x[t+k]", [21, 32, 43, 54, 65]),
    ("for t,k if k != 1: y[t] += w[k] x[t+k]", [301, 402, 503, 604]),
    ("for t,k < 2 if k <= t: y[t] += sum[k](w[k] x[t+k])", [321, 864, 1086, 1308]),
    ("for t,k if k <= 2*t: y[t] += w[k] x[2*t-k]", [1, 123, 345]),
]


@pytest.mark.parametrize(("text", "expected"), GUARDED)
def test_a_range_goes_as_far_as_guards_keep_accesses_inside(
    level: dict, text: str, expected: list
) -> None:
    text = f"input x[N], w[K]\n{text}\noutput y\n"
    program = loopc.compile(text, **level)
    given = {"x": np.arange(1.0, 7), "w": np.array([1.0, 10, 100])}
    assert program(given).y.tolist() == expected
    assert loopc.compile(str(program), **level)(given).y.tolist() == expected

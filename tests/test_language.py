"""Each example of the language's page gives what it says it gives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopc

PAGE = Path(__file__).parents[1] / "docs" / "language.md"
TEXTS = re.findall(r"```loops\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
NAMES = {"inf": np.inf, "nan": np.nan, "__builtins__": {}}


def named(text: str, word: str) -> dict[str, Any]:
    """Return the arrays of the line `# word a = …; b = …`."""
    (line,) = re.findall(rf"^# {word} (.*)$", text, re.MULTILINE)
    pairs = (part.split(" = ") for part in line.split("; "))
    return {name: np.asarray(eval(value, NAMES)) for name, value in pairs}


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t.split("\n")[1][:30])
def test_example(text: str) -> None:
    given, gives = named(text, "given"), named(text, "gives")
    for options in ({"backend": "reference"}, {"opt": 0}, {"opt": 2}):
        out = loopc.compile(text, **options)(given)
        assert set(out) == set(gives)
        for name, value in gives.items():
            assert out[name].shape == value.shape
            np.testing.assert_allclose(out[name], value, rtol=1e-12, err_msg=name)
    again = loopc.compile(str(loopc.compile(text)))(given)
    for name, value in gives.items():
        np.testing.assert_allclose(again[name], value, rtol=1e-12, err_msg=name)


def test_a_reduction_over_the_index_that_symbolic_steps_are_made_of_leaves_the_steps_alone() -> (
    None
):
    text = """input x[N,K], y[N]
dim u[K,N]
for k < K:
    for a in range(k, N, k + 1):
        t[k] += sum[k < K](x[a,k]) + a
        u[k,a] = cumsum[k < K](x[a,k] y[a])
        v[k] += sum[k < K, j < N if j != k](sum[a < 2](x[j,k] x[a,k]) y[a])
output t, u, v
"""
    rng = np.random.default_rng(0)
    x, y = rng.integers(-3, 4, (7, 3)).astype(float), rng.integers(-3, 4, 7).astype(float)
    t, u, v = np.zeros(3), np.zeros((3, 7)), np.zeros(3)
    for k in range(3):
        for a in range(k, 7, k + 1):
            t[k] += x[a].sum() + a
            u[k, a] = (x[a, : k + 1] * y[a]).sum()
            v[k] += sum((x[:, q].sum() - x[q, q]) * (x[0, q] + x[1, q]) * y[a] for q in range(3))
    program = loopc.compile(text)
    for each in (
        program,
        loopc.compile(text, backend="reference"),
        loopc.compile(text, opt=0),
        loopc.compile(str(program)),
    ):
        found = each(x=x, y=y)
        for name, value in (("t", t), ("u", u), ("v", v)):
            np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_an_index_as_an_argument_stands_in_ranges_steps_and_subscripts() -> None:
    text = (
        "def h(v[I], n) -> y:\n"
        "    for i in range(n, I, n + 1): y += v[i] + sum[j < I](v[j]) n\n"
        "def half(n) -> y:\n    y = n / 2\n"
        "def one(v[I], n) -> y:\n    y = v[n]\n"
        "def root(n: float) -> y:\n    y = sqrt(n)\n"
        "input x[K,N]\n"
        "for i < K: q[i] = h(x[i,:], i)\n"
        "for j < K: r[j] = half(j) + root(j)\n"
        "for v < K: s[v] = one(x[v,:], v)\n"
        "output q, r, s\n"
    )
    x = np.arange(21.0).reshape(3, 7)
    rows = ((x[i], i) for i in range(3))
    expected = {
        "q": [sum(v[k] + v.sum() * n for k in range(n, 7, n + 1)) for v, n in rows],
        "r": [n / 2 + np.sqrt(n) for n in range(3)],
        "s": np.diagonal(x),
    }
    program = loopc.compile(text)
    assert "q[i] +=" in str(program)  # no array holds the argument
    for each in (program, loopc.compile(text, backend="reference"), loopc.compile(str(program))):
        found = each(x=x)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-15, err_msg=name)


def test_a_place_may_not_depend_on_the_last_index_that_it_names() -> None:
    text = """input x[3]
dim t[3]
for k < 3:
    for c in range(k, 3, 2):
        t[2] = x[(3*c+1) % 3] + k
output t
"""
    x = np.array([5.0, 7.0, 11.0])
    np.testing.assert_array_equal(loopc.compile(text)(x=x)["t"], [0, 0, 9])

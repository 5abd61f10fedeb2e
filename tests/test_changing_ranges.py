"""Gradients of loops whose ranges and guards the program itself changes."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.ir.limits import Limits
from loopc.ir.unbuild_expr import expr_text

GROWS = "input x[N]\nparam w\nn = 1\nfor t < N:\n    y[t] = {}\n    if n < N: n = n + 1\n"
GROWS += "L = sum[i](y[i]**2)\n"

PROGRAMS = {
    "a row's ends are scalars": """
input ptr[R]: int, col[E]: int
param v[E], x[M]
for i < R - 1:
    s = ptr[i]
    e = ptr[i+1]
    acc = 0
    for k in range(s, e): acc += v[k] tanh(x[col[k]] acc + 1)
    L += acc**2
""",
    "a count that grows": """
input x[N]
param w
n = 0
for t < N:
    if x[t] > 0: n += 1
    for k < n: s = tanh(w s + x[k])
L = s**2
""",
    "no axis says how far": """
input x[N]
param w
for i: far[i] = i // 2 + 1
for i:
    h = x[i]
    for k < far[i]: h = sin(w h + k)
    L += h
""",
    "a size from a size": """
input x[N], m: int
param w
half = m // 2
s = x[0]
for t < 3:
    for k < half: s = sin(w s + k) + s
    half = half // 2
L = s
""",
    "a range that shrinks": """
input x[N]
param w
for i: a[i] = w x[i]
m = N
for t < N:
    for i < m - 1: a[i] = (a[i] + a[i+1])**2 / 4
    m = m - 1
L = a[0]
""",
    "both ends move": """
input x[N]
param w
low = 0
high = 0
s = x[0]
for t < N:
    low -= 1
    high += 1
    for k in range(low, high): s = sin(w s + k)
L = s
""",
    "nests and choices": """
input x[N]
param w
n = 0
s = 0.1
for a < 2:
    for t < N:
        n = where(x[t] > 0, n + 1, max(n - 1, 0))
        for k < n, j < k + 1: s = s + 0.1 tanh(w s + x[t] j)
    n = min(n, 2)
for k < n: L += s**2 w
""",
    "a remainder under a guard": """
input x[N]
param w
s = 0.1
for t < N if x[t] > 0:
    m = (3 t + 1) % 4
    for k in reversed(range(1, m)): s = sin(w s + x[t])
    m = 0
L = s
""",
    "a sum": GROWS.format("sum[k < n](sin(x[k] w))"),
    "a mean": GROWS.format("mean[k < n](x[k] w)**2"),
    "a product": GROWS.format("prod[k < n](x[k] w)"),
    "a guarded product": GROWS.format("prod[k if k < n](x[k] w)"),
    "a maximum": GROWS.format("max[k < n](x[k] w)"),
    "a stable sum": GROWS.format("logsumexp[k < n](x[k] w) + logsumexp[k < n](sin(w) x[k])"),
    "a sum in a sum": GROWS.format("sum[k < n](sin(sum[j < n](x[j] x[k] w)))"),
}


def arrays_of(program: loopc.Program) -> dict[str, object]:
    """Return arrays for the inputs of a program."""
    rng = np.random.default_rng(7)
    given: dict[str, object] = {
        "ptr": np.array([0, 2, 2, 5]),
        "col": np.array([0, 1, 2, 1, 0]),
        "v": rng.standard_normal(5),
        "x": np.array([0.4, -0.3, 1.1, 0.7]),
        "w": 0.7,
        "m": 9,
    }
    return {n: a for n, a in given.items() if n in {**program.inputs, **program.params}}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_range_was_is_kept_for_the_adjoint(name: str) -> None:
    text = PROGRAMS[name]
    found = []
    for how in (
        {"opt": 0},
        {"opt": 2},
        {"opt": 2, "checkpoint": 2},
        {"backend": "reference"},
    ):
        program = loopc.compile(text, **how)
        arrays = arrays_of(program)
        assert loopc.gradcheck(program, **arrays), how
        gradients = program.grad(arrays)
        again = loopc.compile(str(program.adjoint), opt=how.get("opt", 2))
        printed = again(arrays)
        for each in gradients:
            np.testing.assert_allclose(printed[f"{each}.grad"], gradients[each], rtol=1e-12)
        ones = {n: np.ones(np.shape(arrays[n])) for n in program.wrt}
        found.append({**gradients, "hvp": program.hvp(arrays, ones)["w" if "w" in ones else "v"]})
    for other in found[1:]:
        for each, value in found[0].items():
            np.testing.assert_allclose(other[each], value, rtol=1e-9, atol=1e-12)


def test_a_range_without_a_bound_asks_for_a_guard() -> None:
    text = "input n[T]: int\nparam w\ns = 1\nfor t, k < n[t]: s = sin(w s)\nL = s\n"
    n = np.array([3, 1])
    with pytest.raises(loopc.DifferentiationError, match="L0605") as error:
        loopc.compile(text).grad(n=n, w=0.5)
    assert "`for k < N if k < …`" in error.value.hint
    repaired = loopc.compile(text.replace("k < n[t]", "k < 9 if k < n[t]"))
    assert loopc.gradcheck(repaired, n=n, w=0.5)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("n = 0\nfor t < T: n += 2", "0", "2*T"),
        ("n = 5\nfor t < T: n = n - 1", "-T", "5"),
        ("n = 0\nfor t < T, k < 3: n = where(t > k, n + 1, 7)", "0", "3*T+7"),
        ("for t < T:\n    n = t // 2\n    x[t] = n", "0", "max((T+1)//2-1, 0)"),
        ("for t < T:\n    n = min(m, t)\n    x[t] = n", "min(m, 0)", "max(min(T-1, m), 0)"),
        ("n = m % 4", "0", "m%4"),
        ("for t < T:\n    n = n * 2 + 1\n    x[t] = n", None, None),
    ],
)
def test_how_large_an_integer_can_be(text: str, low: str | None, high: str | None) -> None:
    source = f"input m: int, x[T]\n{text}\nfor i < n: y += x[i]\n"
    program = loopc.compile(source)._program
    limits = Limits(program.body, {a.name: a for a in program.arrays})
    stop = program.body[-1].indices[0].stop
    found = (limits.low(stop, ()), limits.high(stop, ()))
    assert tuple(None if f is None else expr_text(f) for f in found) == (low, high)

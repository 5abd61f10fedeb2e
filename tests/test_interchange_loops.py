"""Nests whose loops run in order, by one loop: the values and gradients of any order are kept."""

from __future__ import annotations

import importlib
import random

import numpy as np
import pytest

import loopc

RANGES = ("range({o})", "range({o}+1, N)", "range({o}, N)", "reversed(range({o}))")
INTERCHANGE = importlib.import_module("loopc.passes.interchange_loops")


def program(seed: int) -> str:
    """Return blocks in triangular loops that change a matrix in place."""
    rng = random.Random(seed)
    lines: list[str] = []

    def cell(names: str) -> str:
        return f"A[{rng.choice(names)},{rng.choice(names)}]"

    def block(names: str, indent: str) -> None:
        for _ in range(rng.choice((1, 1, 2))):
            if len(names) < 3 and rng.random() < 0.7:
                name = "ijk"[len(names)]
                span = rng.choice(RANGES).format(o=rng.choice(names))
                lines.append(f"{indent}for {name} in {span}:")
                block(names + name, indent + "    ")
            else:
                target, one, two = cell(names), cell(names), cell(names)
                value = rng.choice(
                    (f"-= 0.3 {one} {two}", f"= {target} / (2 + {one}**2)", f"+= sin({one})")
                )
                lines.append(f"{indent}{target} {value}")

    lines.append(f"for i in {rng.choice(('range(N)', 'reversed(range(N))'))}:")
    block("i", "    ")
    loss = "for i < N, j < N: L += A[i,j] sin(A[i,j] + i)"
    return "\n".join(("param A[N,N]", *lines, loss, "output L, A"))


@pytest.mark.parametrize("chunk", range(8))
def test_any_nest_computes_the_same(chunk: int) -> None:
    for seed in range(chunk * 12, chunk * 12 + 12):
        text = program(seed)
        given = {"A": np.random.default_rng(seed).uniform(-0.7, 0.7, (5, 5))}
        (found, gradients), (expected, others) = (
            loopc.compile(text, wrt=["A"], loss="L", backend=b).value_and_grad(given)
            for b in ("numpy", "reference")
        )
        for name in ("L", "A"):
            np.testing.assert_allclose(found[name], expected[name], 1e-9, 1e-9, err_msg=text)
        np.testing.assert_allclose(gradients["A"], others["A"], 1e-7, 1e-8, err_msg=text)


def test_the_nests_are_interchanged_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[object] = []
    moved = INTERCHANGE._moved
    monkeypatch.setattr(INTERCHANGE, "_moved", lambda *a: found.append(a) or moved(*a))
    for seed in range(96):
        assert loopc.compile(program(seed)).source
    assert len(found) >= 5


def test_a_name_that_is_taken_is_not_used() -> None:
    text = """
param A[N,N]
for i < N:
    for j < i:
        for k < j: A[i,j] -= A[i,k] A[k,j]
        A[i,j] = A[i,j] / A[j,j] + 0.1 sum[j1 < N](sin(j1 + j))
    for j in range(i, N), k < i: A[i,j] -= A[i,k] A[k,j]
output A
"""
    given = {"A": np.random.default_rng(0).standard_normal((5, 5)) + 5 * np.eye(5)}
    expected = loopc.compile(text, backend="reference")(given)["A"]
    np.testing.assert_allclose(loopc.compile(text)(given)["A"], expected, 1e-12)


def test_loops_that_data_give_stay() -> None:
    text = """
param A[N,N]
input n[N]: int
for i < N:
    for j in range(n[i]):
        for k < j: A[i,j] -= 0.1 A[i,k] A[k,j]
        A[i,j] = A[i,j] / (2 + A[j,j]**2)
output A
"""
    given = {"A": np.random.default_rng(0).standard_normal((4, 4)), "n": np.array([0, 1, 4, 2])}
    expected = loopc.compile(text, backend="reference")(given)["A"]
    np.testing.assert_allclose(loopc.compile(text)(given)["A"], expected, 1e-12)


def test_data_are_not_looked_up_at_the_times_of_others() -> None:
    text = """
input pN[0]: int
output t5, t6
dim t5[3, 0], t6[3, 0]
for c < 3: t4[c] = c
for a < 0, b < 3:
    for c < min(pN[a], 3):
        t5[c,a] += t6[reflect(c-1),clamp(pN[a]+1)]
        t6[wrap(-c),pad(2*c-1)] += t4[c]
"""
    assert loopc.compile(text)(pN=np.zeros(0, int))["t5"].shape == (3, 0)


def test_a_statement_that_does_not_run_at_all_times_keeps_its_loops() -> None:
    text = """
input one[N,M,K], x0[4,4]
for k < K:
    t1[1,1] = x0[1,1] / 9
    for b < M, i < N:
        if k >= i and M < 1:
            t1[2*b-1,i] = tanh(t1[i-k,2*k-1] / 9)
L = t1[1,1]
"""
    program = loopc.compile(text, wrt=["x0"], loss="L")
    _, gradients = program.value_and_grad(one=np.ones((3, 3, 4)), x0=np.ones((4, 4)))
    assert gradients["x0"][1, 1] == pytest.approx(1 / 9)

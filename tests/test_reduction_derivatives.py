"""Derivatives of reductions by where they stand: their adjoint needs what each run of them gave."""

from __future__ import annotations

import numpy as np
import pytest

from fuzz.directions import judge_directions
from fuzz.programs import Case

STATEMENTS = {
    "under a condition of data": "for i: t[i] = where(c[i] > 0, R(x[p[K]] c[K])**2, x[i])",
    "in a sum under a guard": "for i: t[i] = sum[j < N if c[j] > 0](R(x[p[K]] c[K]) z[i,j])",
    "in a maximum under a guard": "for i: t[i] = max[j < N if c[j] < 9](R(x[p[K]] c[K]) z[i,j])",
    "in a condition": "for i: t[i] += (c[i] > 0 and R(x[p[K]]) > 0) x[i]",
    "scattered": "for i: t[p[i]] = R(x[K] c[K])",
    "twice in each cell": "for i < N: t[i // 2] = R(x[K] c[K])",
    "into the nearest cell": "for i < N: t[clamp(i+1)] = R(x[K] c[K])",
    "outside the array": "for i < N: t[pad(i+1)] = R(x[K] c[K])",
    "every other cell": "for i in range(0, N, 2): t[i] = R(x[K] c[K])",
    "beside another statement": "for i:\n    y[i] = 2 x[i]\n    t[i] = R(x[K] c[K])",
    "in place": "for i: x[i] = R(x[K] c[K])\nfor i: t[i] = 3 x[i]",
    "in place under a guard": "for i if c[i] > 0: x[i] = R(x[K] c[K])\nfor i: t[i] = 3 x[i]",
    "in place in a loop": "for j < N:\n    for i < N: t[i] = R(x[K] z[K,j] + t[K])",
}
OPS = {"max": "k", "logsumexp": "k", "prod": "k", "softmax": "i", "cummax": "i"}


def check(text: str, arrays: dict[str, np.ndarray]) -> None:
    verdict = judge_directions(Case(text, arrays, smooth=True), 1)
    assert verdict.kind == "ok", (verdict.reason, verdict.detail)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("place", STATEMENTS)
def test_a_reduction(place: str, op: str) -> None:
    index = OPS[op]
    text = STATEMENTS[place].replace("R(", f"{op}[{index} < N](").replace("K", index)
    text = f"input x[N], c[N], z[N,N], p[N]: int\ndim t[N]\n{text}\noutput t\n"
    rng = np.random.default_rng(1)
    arrays = {"x": rng.standard_normal(4), "c": rng.standard_normal(4)}
    arrays |= {"z": rng.standard_normal((4, 4)), "p": np.array([1, 3, 0, 1])}
    check(text, arrays)


DOMAINS = {
    "a triangle": "k < N, c <= k",
    "a triangle without its diagonal, backwards": "k < N, c in reversed(range(k))",
    "a triangle that follows the loop": "k <= i, c in range(k, N)",
    "a band": "k < N, c in range(max(k-1,0), min(k+2,N))",
    "steps": "k in range(0, N, 2), c in range(k, N, 2)",
    "data": "k < p[i], c < p[k]",
    "data under a guard": "k < p[i], c in range(k, N) if p[c] != 1",
    "three that follow each other": "k < N, c <= k, d in range(c, k+1)",
    "a box": "k < N, c < i + 1",
}


@pytest.mark.parametrize("op", ["sum", "mean", "prod", "max", "min", "logsumexp"])
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_reduction_over(domain: str, op: str) -> None:
    third = " z[d,k]" if "d in" in DOMAINS[domain] else ""
    text = f"for i: t[i] = {op}[{DOMAINS[domain]}](x[k] z[k,c] w[i] + x[c]{third})"
    text = f"input x[N], w[N], z[N,N], p[N]: int\ndim t[N]\n{text}\noutput t\n"
    rng = np.random.default_rng(2)
    arrays = {"x": rng.standard_normal(4), "w": rng.standard_normal(4)}
    arrays |= {"z": rng.standard_normal((4, 4)), "p": np.array([1, 3, 2, 1])}
    check(text, arrays)

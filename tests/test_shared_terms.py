"""A gradient's exponentials are those of the reduction itself."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

LOSSES = {
    "cross-entropy": """
        input z[N,C], y[N]: int
        for n  s[n] = logsumexp[c](z[n,c])
        for n  L += s[n] - z[n,y[n]]
    """,
    "a temperature": """
        input z[N,C], t[N,C]
        for n  s[n] = logsumexp[c](z[n,c] / 2 + t[n,c])
        for n,c  L += exp(t[n,c]) (s[n] - z[n,c] / 2)
    """,
    "columns": """
        input z[N,C]
        for c  s[c] = logsumexp[n](z[n,c])
        for c  L += s[c]**2
    """,
    "an output": """
        input z[N,C]
        for n  s[n] = logsumexp[c](z[n,c])
        for n  L += s[n]**2
        output s, L
    """,
    "one value in every other cell": """
        input z[N,C]
        for n in range(0, N, 2): s[n] = logsumexp[c](z[1,c])
        for n in range(0, N, 2): L += s[n]**2
        output s, L
    """,
    "terms that change behind it": """
        input z[N,C]
        for n,c  w[n,c] = 2 z[n,c]
        for n  s[n] = logsumexp[c](w[n,c])
        for n,c  w[n,c] = z[n,c] - 1
        for n,c  L += w[n,c] exp(w[n,c] - s[n])
    """,
    "a value that changes behind it": """
        input z[N,C]
        for n  s[n] = logsumexp[c](z[n,c])
        for n  s[n] = s[n] + 1
        for n,c  L += exp(z[n,c] - s[n])
    """,
}


def _arrays(program: loopc.Program, dtype: str, rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {"N": rows, "C": 7}
    found = {}
    for name, kind in program.inputs.items():
        shape = [sizes[str(e)] for e in kind.shape]
        whole = kind.dtype == "int"
        found[name] = rng.integers(0, 7, shape) if whole else rng.standard_normal(shape)
        found[name] = found[name].astype(int if whole else dtype)
    return found


@pytest.mark.parametrize("special", [None, np.inf, -np.inf, np.nan, 200.0, "row"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LOSSES)
def test_any_terms_give_the_references_gradient(name: str, dtype: str, special: object) -> None:
    program = loopc.compile(LOSSES[name], wrt="z", loss="L")
    plain = loopc.compile(LOSSES[name], wrt="z", loss="L", backend="reference")
    given = _arrays(program, dtype, 6)
    if special == "row":
        given["z"][1], given["z"][2], given["z"][3, :2] = -np.inf, 1e4, (-1e4, 1e4)
    elif special is not None:
        given["z"][1, 2], given["z"][3, 4], given["z"][1, 3] = special, special, 95
    found, expected = program.value_and_grad(given), plain.value_and_grad(given)
    near = {"rtol": 2e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(found[0]["L"], expected[0]["L"], **near)
    np.testing.assert_allclose(found[1]["z"], expected[1]["z"], **near)


@pytest.mark.parametrize("name", ["cross-entropy", "a temperature", "columns", "an output"])
def test_a_term_has_one_exponential(name: str) -> None:
    program = loopc.compile(LOSSES[name], wrt="z", loss="L")
    program.value_and_grad(_arrays(program, "float64", 50))
    (made,) = program._runnables.values()
    lines = [line for line in made.source.splitlines() if "np.exp(" in line]
    again = [line for line in lines if "[...] = " in line]  # where something is not finite
    assert len(again) == 1
    assert len(lines) == (4 if "exp(t" in LOSSES[name] else 3)

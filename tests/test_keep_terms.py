"""Terms that are added to shifted cells are computed once; edges of arrays are padded once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc
from loopc import passes

KEPT = {
    "a norm of differences": "for i < H, j < W: L += sqrt((x[i,pad(j+1)] - x[i,pad(j-1)])**2 + "
    "(x[pad(i+1),j] - x[pad(i-1),j])**2 + 0.1)",
    "neighbours": "for i < H - 1, j < W - 1: L += sqrt((x[i+1,j] - x[i,j])**2 + "
    "(x[i,j+1] - x[i,j])**2 + 0.1)",
    "second differences": "for i in range(1, H-1), j: L += w[i] tanh(x[i+1,j] - 2 x[i,j] + "
    "x[i-1,j])**2",
    "round the edge": "for i,j  d[i,j] = (x[wrap(i+1),j] - x[i,j])**2 / (1 + (x[wrap(i+1),j] - "
    "x[i,j])**2)\nfor i,j  L += d[i,j] w[i]",
    "up to the edge": "for i,j  L += w[i] exp(x[i,clamp(j+1)] - x[i,j]) sin(x[i,j] - "
    "x[i,clamp(j-2)])",
    "a literal of its own": "for i in range(H - 1), j: L += abs(x[i+1,j] - 3 x[i,j]) w[i]",
}
"""Programs of `x[H,W]` and `w[H]` that keep a term."""

PADDED = {
    "far beyond both edges": "for i < H, j < W: L += (x[pad(i-3),j] - x[i,pad(j+9)])**2 w[i]",
    "an array that is made before": "for i,j  y[i,j] = tanh(x[i,j])\n"
    "for i < H, j < W: L += y[i,pad(j-1)] y[pad(i+1),pad(j+1)] w[i]",
    "two arrays, and one of them by places": "for i < H, j < W: L += x[i,pad(j-1)] w[pad(i+1)] + "
    "x[pad(i+1),j] w[pad(i-1)] + x[p[i],j]**2",
    "under a guard": "for i < H, j < W if x[i,pad(j+1)] > x[i,pad(j-1)]: L += x[i,pad(j+1)] - "
    "x[i,pad(j-1)]**2",
    "conditions and integers": "for i < H, j < W: L += x[i,j] where(p[pad(i-1)] == p[pad(i+1)], "
    "x[i,pad(j+1)], w[i] x[i,pad(j-2)])",
    "a part of an axis": "for i < H - 1, j < W: L += x[pad(i-1),j] x[pad(i+2),j] w[i]",
}
"""Programs that read a copy with zeros round it."""

OTHERS = {
    "what is written afterwards": "for i < H, j < W: y[i,j] = x[i,pad(j-1)] - x[i,pad(j+1)]\n"
    "for i,j  x[i,j] = 2 y[i,j]\nfor i,j  L += x[i,j]**2",
    "one that is inside": "for i < H - 2, j < W: L += x[pad(i-1),j] x[i+2,j] x[pad(i+1),j]",
    "backwards, two apart": "for i in reversed(range(2, H)), j < W: L += (w[i] x[i,j] x[i-2,j] + "
    "x[i,j])**3",
    "under a guard": "for i in range(H - 1), j if w[i] > 0: L += tanh(x[i+1,j] - x[i,j]) w[i]",
    "a recurrence": "for i in range(1, H), j: x[i,j] += tanh(x[i-1,j]) w[i]\nfor i,j  L += x[i,j]",
    "a sum in it": "for i in range(H - 1), j: L += exp(x[i+1,j] - x[i,j]) sum[k](x[k,j])",
    "places that are data": "for i in range(H - 1), j: L += (x[p[i],j] - x[i+1,j])**3 w[i]",
    "a pad that lets a read be outside": "dim y[H,W]\n"
    "for i < H, j < W: y[pad(i+1),j] += x[i,j] w[i]\nfor i,j  L += y[i,j]**2",
    "a pad beside other modes": "dim y[H,W,H]\n"
    "for i,j  y[wrap(3*i-4),pad(2*j-1),clamp(2*i)] += x[i,j]\nfor i,j,k  L += y[i,j,k]**2",
    "transposed": "for i < 4, j < 4: L += exp(x[i+1,j] - x[j,i+1]) x[i,j] x[j,i]",
}


def compiled(text: str, **options: Any) -> Any:
    given = [
        "x[H,W]",
        *(["w[H]"] if "w[" in text else []),
        *(["p[H]: int"] if "p[" in text else []),
    ]
    return loopc.compile(f"input {', '.join(given)}\n{text}\noutput L\n", loss="L", **options)


def given(program: Any) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    found = {"x": rng.normal(size=(7, 5)), "w": rng.normal(size=7), "p": rng.integers(0, 7, 7)}
    return {n: a for n, a in found.items() if n in program.inputs}


@pytest.mark.parametrize("name", [*KEPT, *PADDED, *OTHERS])
def test_values_and_gradients_are_those_of_the_loops(name: str) -> None:
    text = {**KEPT, **PADDED, **OTHERS}[name]
    program, reference = (compiled(text, backend=b) for b in ("numpy", "reference"))
    values, gradients = program.value_and_grad(given(program))
    expected, slopes = reference.value_and_grad(given(program))
    np.testing.assert_allclose(values.L, expected.L, rtol=1e-12)
    for key, value in slopes.items():
        np.testing.assert_allclose(gradients[key], value, rtol=1e-10, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", KEPT)
def test_a_term_is_computed_once(name: str) -> None:
    found = passes.run(compiled(KEPT[name]).with_adjoint.ir, 2)
    assert "term1" in {a.name for a in found.arrays}


@pytest.mark.parametrize("name", PADDED)
def test_an_array_is_padded_once(name: str) -> None:
    found = passes.run(compiled(PADDED[name]).with_adjoint.ir, 2)
    assert any(a.name.endswith("_padded") for a in found.arrays)
    for text in OTHERS.values():
        other = passes.run(compiled(text).with_adjoint.ir, 2)
        assert not any(a.name.endswith("_padded") for a in other.arrays)


def test_a_root_is_taken_once_and_no_pad_is_written() -> None:
    program = compiled(KEPT["neighbours"])
    assert sum("np.sqrt(" in line for line in program.source.splitlines()) <= 4
    program = compiled(KEPT["a norm of differences"])
    body = program.source[program.source.index("def _value_and_grad(") :]
    assert "_add_windows(" not in body


def test_what_a_term_reads_stays_between_its_uses() -> None:
    text = """
        input x[N], g[N]
        for i in range(1, N): a[i-1] += x[i] exp(g[i])
        for i  g[i] = 2
        for i in range(1, N): b[i] += x[i] exp(g[i])
        output a, b
    """
    arrays = {"x": np.arange(5.0), "g": np.arange(5.0) - 2}
    found, expected = (loopc.compile(text, backend=b)(arrays) for b in ("numpy", "reference"))
    for name in ("a", "b"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)


def test_gradients_are_written_with_literals_in_front() -> None:
    text = "for i < H - 1, j: L += sqrt((x[i+1,j] - x[i,j])**2 + x[i,j]**2)"
    lines = str(compiled(text).adjoint).splitlines()
    assert not any("0.5" in line for line in lines), lines

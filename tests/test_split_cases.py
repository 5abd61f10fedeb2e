"""Conditions on an index as ranges: both cases of a choice, and guards that do not look it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loopc

TEXTS = [
    "for i, j: y[i,j] = where(i == 0, x[i,j], x[i-1,j] w[j])",
    "for i, j: y[i,j] = where(j != M - 1, x[i,j+1] - x[i,j], 0)",
    "for i, j: y[i,j] = 2 where(i > 1, x[i-2,j], 1) + where(not i > 1, w[j], x[i-1,j])",
    "for i, j: y[i,j] = where(j < M//2, -x[i,wrap(j+M//2)], x[i,wrap(j-M//2)]) w[j]",
    "for i, j: y[i,j] = where(i == 0, where(j == 0, 3, x[i,j-1]), x[i-1,j]) + w[j]",
    "for i, j if not i == 0 and j != 0: y[i,j] = x[i-1,j-1]",
    "for i < N, j < M: y[i,j] = sum[k < M if k != 0 and k <= j](x[i,k-1] w[k])",
    "for i in reversed(range(N)), j: y[i,j] = where(i == N - 1, x[i,j], x[i+1,j])",
    "for i < N, j < M: y[i,j] = where(2*i == 4, x[i,j], x[(2*i) % N,j])",
    "for i < N:\n  for j < M: y[i,j] = where(j == 0, x[i,j], y[i,j-1] + x[i,j-1])",
    "for i < N, j < M: y[N - 1 - i,j] += where(i > 0, x[i-1,j], x[N-1,j] w[j])",
    "for i < N:\n  for j < M: y[0,j] = where(i > 0, x[i-1,j], w[j])",
    "for i < N, j < M: y[i,j] = where(i == 5, x[i,j], x[max(i-1, 0),j])",
    "for i < N, j < M: y[i,j] = where(i == 7, 1, x[max(i-1, 0),j]) // 2",
    "for i < N, j < M: y[i,j] = where(i > 0, x[i-1,j], 0) + sum[i < N](where(i > 0, x[i-1,j], 0))",
    "for i < N, j < M: y[i,j] = sum[k < M](where(i > 0, x[i-1,k], w[k]) w[j])",
    "for i < N, j < M: y[i,j] = where(j < max[k in range(M-1, -1, -1)](1), x[0,clamp(j-1)], 1)",
    "for i < N, j < M, u < 2: y[i,j] += where(u == 1, w[j], x[i,j]) x[i,clamp(j+u)]",
]


@pytest.mark.parametrize("shape", [(5, 4), (1, 1), (2, 1), (0, 3)])
@pytest.mark.parametrize("text", TEXTS)
def test_cases_are_the_references(text: str, shape: tuple[int, int]) -> None:
    if ("% N" in text or "x[0" in text) and not shape[0]:
        return
    text = f"input x[N,M], w[M]\ndim y[N,M]\n{text}\noutput y\n"
    rng = np.random.default_rng(0)
    x, w, seed = (rng.integers(-3, 4, s).astype(float) for s in (shape, shape[1:], shape))
    plain = loopc.compile(text, backend="reference")
    expected, given = plain(x=x, w=w).y, {"x": x, "w": w}
    slopes = plain.vjp(given, {"y": seed}) if "//" not in text else {}
    for opt in range(3):
        program = loopc.compile(text, opt=opt)
        np.testing.assert_array_equal(program(given).y, expected)
        for name, slope in slopes.items():
            np.testing.assert_array_equal(program.vjp(given, {"y": seed})[name], slope)


@pytest.mark.parametrize("number", [0, 1, 2, 4, 5, 7])
def test_cells_beside_are_slices(
    number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOOPC_CACHE", str(tmp_path))
    program = loopc.compile(f"input x[N,M], w[M]\ndim y[N,M]\n{TEXTS[number]}\noutput y\n")
    program(x=np.ones((5, 4)), w=np.ones(4))
    (source,) = (path.read_text() for path in tmp_path.rglob("*.py"))
    assert "_gather" not in source
    assert "_picked" not in source


def test_a_choice_between_cells_of_one_place_stays_one_statement() -> None:
    text = "input x[N], w[N]\nfor i: y[i] = where(i > 2, x[i], w[i])\noutput y\n"
    assert "if " not in loopc.compile(text).source.split("def _forward")[1].split("\n\n")[0]


@pytest.mark.parametrize("beside", ["{} + (n[i] > 0)", "{} (n[i] > 0)", "max({}, n[i] > 0)"])
def test_cases_that_were_of_another_type_stay_one_statement(beside: str) -> None:
    value = beside.format("where(i == N - 1, 3, n[i+1])")
    text = f"input n[N]: int\nfor i: y[i] = {value}\noutput y\n"
    n = np.array([2, 1, -3], np.int32)
    expected = loopc.compile(text, backend="reference")(n=n).y
    assert expected.dtype == np.int32
    np.testing.assert_array_equal(loopc.compile(text)(n=n).y, expected, strict=True)

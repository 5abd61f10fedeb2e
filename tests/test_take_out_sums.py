"""Sums that a recurrence leaves alone: one product in front of it, forward and backward."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.passes.take_out_sums import take_out_sums

HEAD = "input x[T,D], w[D,H], u[H,H], b[H], m[T]\n"

TAKEN = [
    "for t < T:\n"
    "  for j: h[t+1,j] = clip(b[j] + sum[i](x[t,i] w[i,j]) + sum[k](h[t,k] u[k,j]), -9, 9)",
    "for t < T:\n  for j: h[t+1,j] = clip(sum[i](x[t,i] w[i,j]) h[t,j], -9, 9) + b[j]",
    "for t < T:\n  for j: h[t+1,j] = clip(h[t,j] - max(sum[i](x[t,i] w[i,j]), b[j]), -9, 9)",
    "for t < T if m[t] > 0:\n  for j: h[t+1,j] = clip(h[t,j] + sum[i](x[t,i] w[i,j]), -9, 9)",
    "for j, t < T: h[t+1,j] = clip(h[t,j] + sum[i](x[t,i] w[i,j]), -9, 9)",
    "for t in reversed(range(T)):\n  for j: h[t,j] = clip(h[t+1,j] + sum[i](x[t,i] w[i,j]), -9, 9)",
]
LEFT = [
    "for t < T:\n  for j: h[t+1,j] = where(m[t] > 0, sum[i](x[t,i] w[i,j]), h[t,j])",
    "for t < T:\n  for j: h[0,j] = clip(h[0,j] + sum[i](x[t,i] w[i,j]), -9, 9)",
    "for t < T:\n  for j: h[t+1,j] = clip(sum[k](h[t,k] u[k,j]) + m[t], -9, 9)",
    "for t < T, j: h[t,j] = b[j] + sum[i](x[t,i] w[i,j])",
    "for t < T:\n  for j if h[t,j] > -5: h[t+1,j] = clip(h[t,j] + sum[i](x[t,i] w[i,j]), -9, 9)",
    "for t < T:\n  for j: h[t+1,j] = clip(h[t,j] + sum[i](w[i,j] u[j,j]), -9, 9)",
]


def _text(text: str) -> str:
    return f"{HEAD}dim h[T+1,H]\n{text}\nfor t < T, j: L += h[t,j] h[t+1,j]\noutput h, L\n"


def _given() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {"x": (5, 3), "w": (3, 4), "u": (4, 4), "b": (4,), "m": (5,)}
    return {n: rng.integers(-2, 3, s).astype(float) for n, s in sizes.items()}


@pytest.mark.parametrize("text", TAKEN + LEFT)
def test_recurrences_are_the_references(text: str) -> None:
    plain, given = loopc.compile(_text(text), backend="reference", loss="L"), _given()
    given = {n: a for n, a in given.items() if n in plain.inputs}
    expected, (_, slopes) = plain(given), plain.value_and_grad(given)
    for opt in range(3):
        program = loopc.compile(_text(text), opt=opt, loss="L")
        np.testing.assert_array_equal(program(given).h, expected.h)
        for name, slope in program.value_and_grad(given)[1].items():
            np.testing.assert_array_equal(slope, slopes[name])


@pytest.mark.parametrize("text", TAKEN)
def test_a_sum_is_taken_out(text: str) -> None:
    program = loopc.compile(_text(text))._program
    assert len(take_out_sums(program).arrays) == len(program.arrays) + 1


@pytest.mark.parametrize("text", LEFT)
def test_a_sum_is_left(text: str) -> None:
    program = loopc.compile(_text(text))._program
    assert take_out_sums(program) is program


def test_the_loop_has_one_product_left() -> None:
    source = loopc.compile(_text(TAKEN[0])).source.split("def _forward")[1]
    before, inside = source.split("for t in range")[:2]
    assert before.count("@") == 1
    assert inside.split("# program.loops:5")[0].count("@") == 1

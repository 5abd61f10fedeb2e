"""Programs that random ones shrank to, judged again in every way to run and differentiate them."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from fuzz.directions import judge_directions
from fuzz.gradients import judge_gradient
from fuzz.judge import _einsum_as_written, judge
from fuzz.programs import Case
from programs_shrunk import EMPTY, PROGRAMS, REAL, VALUES, whole


@pytest.mark.parametrize("way", range(9))
@pytest.mark.parametrize("name", REAL)
def test_derivatives_at_real_numbers(name: str, way: int) -> None:
    rng = np.random.default_rng(way)
    arrays = {"x": rng.standard_normal(3), "w": rng.standard_normal(3)}
    verdict = judge_directions(Case(f"input x[N], w[N]\n{REAL[name]}", arrays, smooth=True), way)
    assert verdict.kind == "ok", (verdict.reason, verdict.detail)


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_in_every_way(name: str) -> None:
    text, arrays = PROGRAMS[name]
    verdict = judge(Case(text, arrays))
    assert (verdict.kind, verdict.reason) == ("ok", ""), verdict.detail


@pytest.mark.parametrize("name", VALUES)
def test_values_alone(name: str) -> None:
    text, arrays = VALUES[name]
    verdict = judge(Case(text, arrays, smooth=True))
    assert (verdict.kind, verdict.reason) == ("ok", ""), verdict.detail


@pytest.mark.parametrize("way", range(4))
@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives_in_every_way(name: str, way: int) -> None:
    text, arrays = PROGRAMS[name]
    verdict = judge_gradient(Case(text, arrays), way)
    assert (verdict.kind, verdict.reason) == ("ok", ""), verdict.detail


@pytest.mark.parametrize("name", EMPTY)
def test_empty_reductions(name: str) -> None:
    text, arrays = EMPTY[name]
    verdict = judge(Case(text, arrays))
    assert (verdict.kind, verdict.reason) == ("ok", ""), verdict.detail


@pytest.mark.parametrize("opt", range(3))
@pytest.mark.parametrize("name", EMPTY)
def test_derivatives_of_empty_reductions(name: str, opt: int) -> None:
    text, arrays = EMPTY[name]
    program = loopc.compile(text, opt=opt)
    seeds = {"s": np.ones_like(program(**arrays)["s"])}
    found = program.vjp(arrays, seeds)
    expected = loopc.compile(text, backend="reference").vjp(arrays, seeds)
    assert dict(found).keys() == dict(expected).keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)
    tangents = {n: np.ones_like(arrays[n]) for n in program.wrt}
    found = program.jvp(arrays, tangents)
    for key, value in loopc.compile(text, backend="reference").jvp(arrays, tangents).items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


@pytest.mark.parametrize("opt", range(3))
def test_no_cell_is_picked_for_a_maximum_of_nothing(opt: int) -> None:
    text = "input x[N,C], p[K]: int\nfor k: s[k] = max[n](x[n,p[k]])\n"
    program, given = loopc.compile(text, opt=opt), {"x": np.zeros((0, 0)), "p": np.array([0, 1])}
    np.testing.assert_array_equal(program(given)["s"], [-np.inf, -np.inf])
    np.testing.assert_array_equal(program.jvp(given, {"x": given["x"]})["s"], [0, 0])
    assert program.vjp(given, {"s": np.ones(2)})["x"].shape == (0, 0)


def test_a_program_runs_on_full_arrays_after_empty_ones() -> None:
    program = loopc.compile("input a[C], b[N,C]\nfor c, n: s[c] += a[c] b[n,c]\n")
    a = np.array([np.nan, 2.0])
    for n in (0, 3, 0, 1):
        expected = [np.nan, 2.0 * n] if n else [0, 0]
        np.testing.assert_array_equal(program(a=a, b=np.ones((n, 2)))["s"], expected)


@pytest.mark.parametrize("op", ["softmax", "logsoftmax"])
@pytest.mark.parametrize("guard", ["j <= i", "m[j] > 0 and j != i", "i > 0"])
def test_a_guard_round_a_softmax_over_all_of_its_index(op: str, guard: str) -> None:
    text = f"for i < N, j < N if {guard}: y[i,j] = {op}[j < N](z x[i,j])\n"
    text = f"input x[N,N], m[N], g[N,N], z\n{text}for i, j: L += y[i,j] g[i,j]\noutput L\n"
    arrays = {"x": whole(3, 3), "m": whole(3), "g": whole(3, 3)[::-1], "z": np.array(0.5)}
    report = loopc.gradcheck(loopc.compile(text, wrt=["x", "z"]), arrays)
    assert report, str(report)


def test_the_judge_knows_that_einsum_takes_an_infinite_factor_out() -> None:
    text = """\
input x[N,K], y[M]
for i<N, b<M if y[b] < 0: t[i,b] max= y[b]
for k, b, i  s[b] += t[i,b] x[i,k]
output s
"""
    arrays = {"x": np.array([[0.0, 3.0, 1.0, 3.0, -2.0]]), "y": np.ones(5)}
    verdict = judge(Case(text, arrays), ("opt0", "opt2"))
    assert (verdict.kind, verdict.reason) == ("rejected", "inf for NaN")


def test_the_judge_makes_products_before_it_sums_them() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(-3, 4, (2, 5)).astype(float), rng.integers(-3, 4, (5, 5)).astype(float)
    for equation, factors in (("ij,jk->ki", (a, b)), ("jj,ij->i", (b, a)), ("ij,->", (a, b[0, 0]))):
        assert (_einsum_as_written(equation, *factors) == np.einsum(equation, *factors)).all()
    with np.errstate(invalid="ignore"):
        assert np.isnan(_einsum_as_written("i,k->i", np.array([np.inf]), np.zeros(2))).all()

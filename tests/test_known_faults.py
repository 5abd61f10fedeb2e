"""Programs on which other systems are or were wrong: `regress/*.loops`, values in their comments.

A file's comments give its arrays (`#   x = [0.0, 1.0]`), what comes out (`#   y -> [0, 1]`), the
gradient of the sum of all outputs (`#   x.grad -> …`) and the derivative of that along ones
(`#   x.grad.dot -> …`). What is not given is compared with central differences.
"""

from __future__ import annotations

import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loopc

FILES = sorted((Path(__file__).parent / "regress").glob("*.loops"))
ENTRY = re.compile(r"#   (\S+) (=|->) (.*)")
KINKS = ("r01_guard_inside", "r05_ties", "r06", "r30", "r34_derivative", "r35", "r36", "r50")
"""Where differences of the gradient are no second derivative."""


def entries(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays and the expected values of a file."""
    arrays: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for name, kind, value in ENTRY.findall(text):
        parsed = eval(value, {"inf": math.inf, "nan": math.nan})
        (arrays if kind == "=" else expected)[name] = np.array(parsed)
    return arrays, expected


def close(found: Any, wanted: Any, what: str) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-13, err_msg=what)


def floats(program: loopc.Program) -> list[str]:
    return [n for n, t in program.outputs.items() if t.dtype == "float"]


def difference(
    program: loopc.Program, arrays: dict[str, Any], of: list[str], name: str
) -> np.ndarray:
    """Return the slope of the sum of `of` by each cell of an array."""
    base = np.array(arrays[name], float)
    found = np.zeros(base.shape)
    for cell in np.ndindex(base.shape):
        ends = []
        step = 1e-6 * max(1.0, abs(base[cell]))
        for sign in (1, -1):
            moved = base.copy()
            moved[cell] += sign * step
            out = program({**arrays, name: moved})
            ends.append(sum(np.sum(out[n]) for n in of))
        found[cell] = (ends[0] - ends[1]) / (2 * step)
    return found


def module_of(program: loopc.Program) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "generated"}
    exec(program.source, namespace)
    return namespace


@pytest.fixture(params=FILES, ids=lambda p: p.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def ways(text: str) -> list[loopc.Program]:
    return [
        loopc.compile(text, backend="reference"),
        loopc.compile(text, opt=0),
        loopc.compile(text, opt=2),
    ]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_values(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    arrays, expected = entries(text)
    reference, *others = ways(text)
    wanted = reference(arrays)
    for name in set(expected) & set(wanted):
        close(wanted[name], expected[name], name)
    for program in others:
        standalone = module_of(program)["forward"](**arrays)
        for found in (program(arrays), standalone):
            for name, value in wanted.items():
                close(found[name], value, name)
                assert found[name].dtype == value.dtype


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_first_derivatives(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    arrays, expected = entries(text)
    program = loopc.compile(text)
    of = floats(program)
    if not of or not program.wrt:
        return
    outputs = program(arrays)
    ones = {n: np.ones(np.shape(outputs[n])) for n in of}
    wanted = {n: expected.get(f"{n}.grad", difference(program, arrays, of, n)) for n in program.wrt}
    for way in ways(text):
        printed = loopc.compile(str(way.adjoint), opt=0) if len(of) == 1 else None
        found = [way.vjp(arrays, ones)]
        if printed is not None:
            given = {**arrays, f"{of[0]}.grad": ones[of[0]]}
            names = {*printed.inputs, *printed.params}
            out = printed({n: v for n, v in given.items() if n in names})
            found.append({n: out[f"{n}.grad"] for n in way.wrt})
        for name, value in wanted.items():
            for one in found:
                tolerance = 1e-11 if f"{name}.grad" in expected else 2e-6
                np.testing.assert_allclose(
                    one[name], value, rtol=tolerance, atol=tolerance, err_msg=name
                )
            direction = np.random.default_rng(0).random(np.shape(value))
            tangents = way.jvp(arrays, {name: direction})
            total = sum(np.sum(tangents[n]) for n in of)
            close(total, np.sum(found[0][name] * direction), f"{name}, forward")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_second_derivatives(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    arrays, expected = entries(text)
    program = loopc.compile(text)
    of = floats(program)
    if not of or not program.wrt:
        return
    outputs = program(arrays)
    for way in ways(str(program.adjoint)):
        names = {*way.inputs, *way.params}
        given = {**arrays, **{f"{n}.grad": np.ones(np.shape(outputs[n])) for n in of}}
        given = {n: v for n, v in given.items() if n in names}
        gradients = list(way.outputs)
        ones = {n: np.ones(np.shape(arrays[n.removesuffix(".grad")])) for n in gradients}
        wrt = [n for n in program.wrt if n in names]
        if not wrt:
            continue
        again = loopc.compile(str(way), wrt=wrt)
        back = again.vjp(given, ones)
        there = again.jvp(given, {n: np.ones(np.shape(arrays[n])) for n in wrt})
        for name in wrt:
            if f"{name}.grad.dot" in expected:
                close(back[name], expected[f"{name}.grad.dot"], name)
            elif not path.stem.startswith(KINKS):
                slope = difference(again, given, gradients, name)
                np.testing.assert_allclose(back[name], slope, rtol=1e-5, atol=1e-5, err_msg=name)
            close(back[name], there[f"{name}.grad"], f"{name}: the Hessian is symmetric")


# Faults of calls rather than of values


def test_r17_an_extent_of_one_is_not_broadcast() -> None:
    program = loopc.compile("for i,j  y[j] += A[i,j] B[i,j]\n")
    with pytest.raises(loopc.ShapeError) as caught:
        program(A=np.ones((1, 5)), B=np.ones((5, 5)))
    assert "`A`" in str(caught.value)
    assert "`B`" in str(caught.value)


@pytest.mark.parametrize("text", ["for i  y[i] = A[i,i]\n", "for i,j  y[j,i] = A[i,j]\n"])
def test_r22_results_share_no_memory(text: str) -> None:
    a = np.arange(9.0).reshape(3, 3)
    for opt in (0, 2):
        program = loopc.compile(text, opt=opt)
        first, second = program(A=a).y, program(A=a).y
        assert not np.shares_memory(first, a)
        assert not np.shares_memory(first, second)


@pytest.mark.parametrize("kind", ["bool", "int8", "uint8", "int32"])
def test_r40_sums_of_small_integers_do_not_wrap(kind: str) -> None:
    m = np.full(1000, 1, kind)
    for way in ways("for i  n += m[i]\n"):
        assert way(m=m).n == 1000


def test_r41_nan_wins_and_the_first_one_is_found() -> None:
    x = np.array([1.0, math.nan, 2.0, math.nan])
    for way in ways(
        "for i  m max= x[i]\nfor i  n min= x[i]\na = argmax[i](x[i])\noutput m, n, a\n"
    ):
        out = way(x=x)
        assert math.isnan(out.m)
        assert math.isnan(out.n)
        assert out.a == 1


def test_r43_bounds_are_exact_integers() -> None:
    with pytest.raises(loopc.BoundsError):
        loopc.compile("for i < 3: y[i] = x[1099511627776*i]\n")(x=np.ones(4))


def test_r44_a_gradient_is_not_overwritten_by_the_next_one() -> None:
    program = loopc.compile("for i  L += (x[i] - 1)**2\n")
    quick = program.specialize(x=np.zeros(3))
    first = quick(np.zeros(3))["L"]
    quick(np.ones(3))
    assert float(first) == 3.0
    gradient = program.grad(x=np.zeros(3)).x
    program.grad(x=np.ones(3))
    np.testing.assert_array_equal(gradient, -2 * np.ones(3))


def test_r45_a_program_is_safe_to_call_from_threads() -> None:
    program = loopc.compile("for i,j  h[i] += W[i,j] x[j]\nfor i  L += tanh(h[i])\n")
    rng = np.random.default_rng(0)
    cases = [(rng.standard_normal((n, n + 1)), rng.standard_normal(n + 1)) for n in range(2, 10)]
    wanted = [program.grad(W=w, x=x).W for w, x in cases]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda c: program.grad(W=c[0], x=c[1]).W, cases * 20))
    for n, value in enumerate(found):
        np.testing.assert_array_equal(value, wanted[n % len(cases)])

"""Derivatives of derivatives: in every mode, within programs, and by whole tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import loopc
from loopc.ir.function_row import Function
from loopc.ir.functions import FUNCTIONS
from loopc.ir.reductions import REDUCTIONS, Reduction

RNG = np.random.default_rng(0)
STEP = 1e-5

NET = """
param W[H,I], V[H]
input x[I]
for j  h[j] = tanh(sum[i](W[j,i] x[i]))
for j  L += V[j] h[j]**2
"""
PENALTY = """
param W[H], A[H,I]
input x[I]
for h  s[h] = tanh(sum[i](A[h,i] x[i]))
for h  D += W[h] s[h]
backward D wrt x
for i  P += x.grad[i]**2
L = (sqrt(P) - 1)**2 + D
output L
"""
INNER_STEP = """
param w[I]
input x[N,I], y[N], lr
for n  p[n] = sum[i](x[n,i] w[i]**2)
for n  l += (p[n] - y[n])**2
backward l wrt w
for i  w[i] -= lr w.grad[i]
for n  q[n] = sum[i](x[n,i] w[i]**2)
for n  L += (q[n] - y[n])**2
backward L wrt w as g2
output L, w.g2
"""
PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "network": (
        NET,
        {
            "W": RNG.standard_normal((3, 4)),
            "V": RNG.standard_normal(3),
            "x": RNG.standard_normal(4),
        },
    ),
    "penalty of a gradient": (
        PENALTY,
        {
            "W": RNG.standard_normal(3),
            "A": RNG.standard_normal((3, 4)),
            "x": RNG.standard_normal(4),
        },
    ),
    "loss after an inner step": (
        INNER_STEP,
        {
            "w": RNG.standard_normal(3),
            "x": RNG.standard_normal((5, 3)),
            "y": RNG.standard_normal(5),
            "lr": 0.02,
        },
    ),
}


def slopes(f: Callable[[Any], Any], x: Any) -> Any:
    """Return the central differences of an array by an array."""
    found = []
    for cell in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[cell] = STEP
        found.append((np.asarray(f(x + step)) - np.asarray(f(x - step))) / (2 * STEP))
    shape = np.shape(found[0])
    return np.moveaxis(np.array(found), 0, -1).reshape(*shape, *x.shape)


@pytest.mark.parametrize("backend", ["numpy", "reference"])
@pytest.mark.parametrize("name", list(PROGRAMS))
def test_hessians_are_symmetric_and_right(name: str, backend: str) -> None:
    text, arrays = PROGRAMS[name]
    program = loopc.compile(text, loss="L", backend=backend)
    assert loopc.gradcheck(program, arrays, tolerance=1e-6)
    for wrt in program.wrt:
        hessian = program.hessian(wrt, **arrays)
        size = arrays[wrt].size
        flat = hessian.reshape(size, size)
        np.testing.assert_allclose(flat, flat.T, rtol=1e-10, atol=1e-12)
        expected = slopes(lambda v, n=wrt: program.grad({**arrays, n: v})[n], arrays[wrt])
        np.testing.assert_allclose(hessian, expected, rtol=1e-5, atol=1e-6)
        direction = RNG.standard_normal(arrays[wrt].shape)
        product = program.hvp(arrays, {wrt: direction})[wrt]
        np.testing.assert_allclose(product.ravel(), flat @ direction.ravel(), rtol=1e-9, atol=1e-12)


def test_a_gradient_within_a_program_is_the_gradient() -> None:
    arrays = PROGRAMS["loss after an inner step"][1]
    program = loopc.compile(INNER_STEP, loss="L")
    np.testing.assert_allclose(program(arrays)["w.g2"], program.grad(arrays).w, rtol=1e-9)


def test_the_suffix_stands_before_wrt_or_behind_its_names() -> None:
    text = "param x[N], a\nfor i  E += sin(a x[i])\nbackward E as g wrt x, a\n"
    text += "L = sum[i](x.g[i] a.g)\n"
    before = loopc.compile(text)
    behind = loopc.compile(text.replace("as g wrt x, a", "wrt x, a as g"))
    assert str(before) == str(behind)
    assert loopc.gradcheck(before, x=np.array([0.3, -0.4]), a=0.7)


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (0, 3), (1, 1)])
def test_jacobians_of_wide_and_tall_functions(shape: tuple[int, int]) -> None:
    program = loopc.compile("for j,i  y[j] += W[j,i] tanh(x[i])\n")
    w, x = RNG.standard_normal(shape), RNG.standard_normal(shape[1])
    jacobian = program.jacobian("y", "x", W=w, x=x)
    np.testing.assert_allclose(jacobian, w * (1 - np.tanh(x) ** 2), rtol=1e-12)
    by_weights = program.jacobian("y", "W", W=w, x=x)
    expected = np.eye(shape[0])[:, :, None] * np.tanh(x)
    np.testing.assert_allclose(by_weights, expected, rtol=1e-12)
    narrow = program.jacobian("y", "x", W=np.float32(w), x=np.float32(x))
    assert narrow.dtype == np.float32


def test_jacobian_and_hessian_of_a_scalar_by_a_scalar() -> None:
    program = loopc.compile("param b; input x[N]\nL = sum[n](exp(b x[n]))\noutput L")
    x = np.array([0.5, -1.0, 2.0])
    jacobian = program.jacobian("L", "b", b=0.3, x=x)
    hessian = program.hessian("b", b=0.3, x=x)
    assert jacobian.shape == hessian.shape == ()
    np.testing.assert_allclose(jacobian, np.sum(x * np.exp(0.3 * x)), rtol=1e-12)
    np.testing.assert_allclose(hessian, np.sum(x**2 * np.exp(0.3 * x)), rtol=1e-12)


def test_a_large_jacobian_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    from loopc.api import derivatives

    program = loopc.compile("for t in range(1, T): h[t] = 0.5 h[t-1] + x[t]**2\n")
    x = RNG.standard_normal(9)
    whole = program.jacobian("h", "x", x=x)
    monkeypatch.setattr(derivatives, "CELLS", 20)
    np.testing.assert_array_equal(program.jacobian("h", "x", x=x), whole)
    np.testing.assert_allclose(whole, slopes(lambda v: program(x=v).h, x), atol=1e-8)


def test_what_a_loss_is_linear_in_has_second_derivative_zero() -> None:
    program = loopc.compile("param x[N], y[N]\nfor i  L += x[i] + y[i]**2\n")
    arrays = {"x": np.ones(3), "y": np.ones(3)}
    products = program.hvp(arrays, {"x": np.ones(3)})
    np.testing.assert_array_equal(products.x, np.zeros(3))
    np.testing.assert_array_equal(products.y, np.zeros(3))
    np.testing.assert_array_equal(program.hvp(arrays, {"y": np.ones(3)}).y, 2 * np.ones(3))
    np.testing.assert_array_equal(program.hessian("x", **arrays), np.zeros((3, 3)))


def test_derivatives_to_the_fifth_order() -> None:
    text, x = "y = exp(2*x)*sin(x)\n", 0.3
    orders = [((2 + 1j) ** n * np.exp((2 + 1j) * x)).imag for n in range(6)]
    back, there = loopc.compile(text), loopc.compile(text)
    for expected in orders[1:]:
        back = loopc.compile(str(back), wrt=["x"]).adjoint
        there = loopc.compile(str(there), wrt=["x"]).tangent
        (found,) = back(x=x).values()
        np.testing.assert_allclose(found, expected, rtol=1e-10)
        (found,) = there({n: x if n == "x" else 1.0 for n in there.inputs}).values()
        np.testing.assert_allclose(found, expected, rtol=1e-10)


# The tables, walked


def written(row: Function) -> str:
    """Return a call of a function."""
    names = [f"{p}[i]" for p in row.params]
    if row.infix is None:
        return f"{row.name}({', '.join(names)})"
    symbol = row.infix.symbol
    return f"{symbol} {names[0]}" if len(names) == 1 else f"{names[0]} {symbol} {names[1]}"


def check_second(program: loopc.Program, arrays: dict[str, Any], ordinary: Any) -> None:
    """Compare Hessian-vector products with differences at ordinary cells; all must be finite.

    Both orders of modes, NumPy and the reference agree everywhere.
    """
    reference = loopc.compile(str(program), wrt=program.wrt, backend="reference")
    for name in program.wrt:
        direction = RNG.random(np.shape(arrays[name])) + 0.5
        products = program.hvp(arrays, {name: direction})
        plain = reference.hvp(arrays, {name: direction})
        ends = [
            program.grad({**arrays, name: arrays[name] + s * STEP * direction}) for s in (1, -1)
        ]
        twice = twice_back(program, arrays, {name: direction})
        for other in program.wrt:
            found = products[other]
            assert np.isfinite(found).all(), (name, other)
            np.testing.assert_allclose(found, plain[other], rtol=1e-11, atol=1e-13)
            np.testing.assert_allclose(
                twice[other][ordinary], found[ordinary], rtol=1e-10, atol=1e-12
            )
            slope = (ends[0][other] - ends[1][other]) / (2 * STEP)
            np.testing.assert_allclose(found[ordinary], slope[ordinary], rtol=2e-5, atol=2e-6)


def twice_back(
    program: loopc.Program, arrays: dict[str, Any], tangents: dict[str, Any]
) -> dict[str, Any]:
    """Return the Hessian-vector product by the adjoint of the adjoint."""
    first = loopc.compile(str(program.adjoint), wrt=None)
    names = {*first.inputs, *first.params}
    zeros = {n: np.zeros(np.shape(arrays[n])) for n in program.wrt}
    wrt = [n for n in program.wrt if n in names]
    if not wrt:
        return zeros
    again = loopc.compile(str(program.adjoint), wrt=wrt)
    given = {n: v for n, v in arrays.items() if n in names}
    return {**zeros, **again.vjp(given, {f"{n}.grad": v for n, v in tangents.items()})}


@pytest.mark.parametrize(
    "row", [r for r in FUNCTIONS if r.partials is not None and r.samples], ids=lambda r: r.name
)
def test_second_derivatives_of_functions(row: Function) -> None:
    points = [*row.samples, *(arguments for arguments, _ in row.kinks)]
    points = [p for p in points if np.isfinite(p).all()]
    arrays: dict[str, Any] = {
        p: np.array([q[n] for q in points], float) for n, p in enumerate(row.params)
    }
    arrays["w"] = RNG.random(len(points)) + 0.5
    slopes_of = [p for p, t in zip(row.params, row.partials or (), strict=False) if t != "0"]
    program = loopc.compile(
        f"for i  y[i] = {written(row)}\nfor i  L += w[i] y[i]\n", wrt=slopes_of, loss="L"
    )
    assert slopes_of
    check_second(program, arrays, slice(0, len(row.samples)))


@pytest.mark.parametrize("guard", ["", " if k >= i", " if A[i,k] > 0"])
@pytest.mark.parametrize(
    "row",
    [r for r in REDUCTIONS if r.name and r.result not in ("int", "bool")],
    ids=lambda r: r.name,
)
def test_second_derivatives_of_reductions(row: Reduction, guard: str) -> None:
    body = f"{row.name}[k{guard}](A[i,k])"
    if row.form == "pointwise":
        total = "for i,k: L += where(abs(y[i,k]) < inf, w[i,k] y[i,k]**2, 0)\n"
        text = f"for i,k  y[i,k] = {body}\n{total}"
    else:
        text = f"for i  y[i] = {body}\nfor i: L += where(abs(y[i]) < inf, w[i,0] y[i]**2, 0)\n"
    program = loopc.compile(text, wrt=["A"])
    w = RNG.random((3, 4)) + 0.5
    check_second(program, {"A": RNG.standard_normal((3, 4)), "w": w}, ...)
    zeros = np.array([[0.0, 2.0, 3.0, 1.0], [0.0, 0.0, 2.0, 0.0], [1.0, 0.0, 0.0, 1.0]])
    smooth = row.name in ("sum", "mean", "prod", "cumsum", "cumprod") and "A" not in guard
    check_second(program, {"A": zeros, "w": w}, ... if smooth else slice(0, 0))
    if row.name not in ("sum", "mean", "prod", "cumsum", "cumprod"):
        low = np.array([[-np.inf, 1.0, -np.inf, 0.0], [-np.inf] * 4, [1.0, 2.0, -np.inf, 3.0]])
        check_second(program, {"A": low, "w": w}, slice(0, 0))

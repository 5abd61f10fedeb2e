"""The table of scalar functions, walked: every row is checked in the same ways."""

from __future__ import annotations

import math

import numpy as np
import pytest

import loopc
from loopc.ir import helpers
from loopc.ir.derive import expand_primes, partial
from loopc.ir.functions import FUNCTIONS, Function, order
from loopc.ir.interpret import interpret
from loopc.ir.nodes import Access, Array, Call, Expr, Program, Read, Update

SMOOTH = [r for r in FUNCTIONS if r.partials is not None and r.samples]
SPECIAL = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e300, -1e300, 1e-300)


def ids(row: Function) -> str:
    return row.name


def evaluate(expr: Expr, values: tuple[float, ...], params: tuple[str, ...]) -> float:
    """Run an expression of scalar inputs by the interpreter."""
    arrays = tuple(Array(p, "input", ()) for p in params)
    body = (Update(Access("value"), "=", expr),)
    program = Program((), (*arrays, Array("value", "temp", ())), body, ("value",))
    given = {p: np.asarray(v, float) for p, v in zip(params, values, strict=True)}
    return float(interpret(program, given, {})["value"])


def call(row: Function, primes: int = 0) -> Call:
    return Call(row.name + "'" * primes, tuple(Read(Access(p)) for p in row.params))


@pytest.mark.parametrize("row", SMOOTH, ids=ids)
def test_partials_are_the_slopes(row: Function) -> None:
    for sample in row.samples:
        for n, _ in enumerate(row.params):
            if row.partials is not None and row.partials[n] == "0":
                continue  # by this parameter there is none
            slope = partial(row.name, n, call(row).args, expand=True)
            found = 0.0 if slope is None else evaluate(expand_primes(slope), sample, row.params)
            step = 1e-6 * max(1.0, abs(sample[n]))
            ends = [
                float(row.scalar(*sample[:n], sample[n] + s * step, *sample[n + 1 :]))
                for s in (1, -1)
            ]
            expected = (ends[0] - ends[1]) / (2 * step)
            assert found == pytest.approx(expected, rel=2e-6, abs=2e-7), (sample, n)


@pytest.mark.parametrize("row", [r for r in SMOOTH if len(r.params) == 1], ids=ids)
def test_the_second_derivative_is_the_slope_of_the_first(row: Function) -> None:
    if order(row.name):
        return
    first, second = expand_primes(call(row, 1)), expand_primes(call(row, 2))
    for (x,) in row.samples:
        step = 1e-5 * max(1.0, abs(x))
        ends = [evaluate(first, (x + s * step,), row.params) for s in (1, -1)]
        expected = (ends[0] - ends[1]) / (2 * step)
        assert evaluate(second, (x,), row.params) == pytest.approx(expected, rel=2e-5, abs=2e-6)


@pytest.mark.parametrize("row", [r for r in FUNCTIONS if r.kinks], ids=ids)
def test_conventions_at_kinks_hold(row: Function) -> None:
    for arguments, expected in row.kinks:
        for n, value in enumerate(expected):
            slope = partial(row.name, n, call(row).args, expand=True)
            found = 0.0 if slope is None else evaluate(expand_primes(slope), arguments, row.params)
            assert found == pytest.approx(value), (arguments, n)


def text_of(row: Function, primes: int = 0) -> str:
    names = [f"{p}[i]" for p in row.params]
    if row.infix is None:
        return f"{row.name}{chr(39) * primes}({', '.join(names)})"
    symbol = row.infix.symbol
    return f"{symbol} {names[0]}" if len(names) == 1 else f"{names[0]} {symbol} {names[1]}"


@pytest.mark.parametrize("row", FUNCTIONS, ids=ids)
def test_numpy_gives_the_scalar_meaning(row: Function) -> None:
    """At ordinary points and at every combination of special ones."""
    special = [(x,) * 1 for x in SPECIAL] if len(row.params) == 1 else []
    if len(row.params) == 2:
        special = [(x, y) for x in SPECIAL for y in SPECIAL]  # type: ignore[misc]
    points = [*row.samples, *(() if row.refuses else special)]
    arrays = {p: np.array([q[n] for q in points]) for n, p in enumerate(row.params)}
    text = f"for i  out_[i] = {text_of(row)}\n"
    found = loopc.compile(text)(arrays).out_
    expected = loopc.compile(text, backend="reference")(arrays).out_
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-300, err_msg=str(points))


@pytest.mark.parametrize("row", [r for r in FUNCTIONS if r.samples], ids=ids)
def test_float32_stays_float32(row: Function) -> None:
    arrays = {
        p: np.array([q[n] for q in row.samples], np.float32) for n, p in enumerate(row.params)
    }
    out = loopc.compile(f"for i  out_[i] = {text_of(row)}\n")(arrays).out_
    assert out.dtype != np.float64


@pytest.mark.parametrize("row", [r for r in SMOOTH if len(r.params) == 1], ids=ids)
def test_primes_can_be_written(row: Function) -> None:
    if row.infix is not None:
        return
    x = np.array([s[0] for s in row.samples])
    text = f"for i  a[i] = {text_of(row, 1)}\nfor i  b[i] = {text_of(row, 2)}\n"
    found = loopc.compile(text)({row.params[0]: x})
    expected = loopc.compile(text, backend="reference")({row.params[0]: x})
    for name in ("a", "b"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-300)


def test_single_precision_keeps_its_digits() -> None:
    """In single precision throughout: errors beside those that rounding the argument makes."""
    text = "output y, slope\nfor i: y[i] = {0}(x[i])\nfor i: slope[i] = {0}'(x[i])\n"
    x = np.concatenate([np.linspace(-12, 12, 20001), 10.0 ** np.arange(-30, 0)])
    x = x.astype(np.float32)
    for name in ("gelu", "mills", "erf", "sigmoid", "softplus", "silu"):
        program = loopc.compile(text.format(name))
        found = program({"x": x})
        wide = loopc.compile(text.format(name))({"x": x.astype(np.float64)})
        for result in ("y",) if name == "mills" else ("y", "slope"):  # its slope is a difference
            value, expected = found[result], wide[result]
            assert value.dtype == np.float32, name
            bound = 5e-7 * (1 + np.abs(x) ** 2 / 2) * np.abs(expected) + (result == "slope") * 3e-7
            worst = np.argmax(np.abs(value - expected) - bound)
            assert np.abs(value - expected)[worst] <= bound[worst], (name, result, x[worst])


@pytest.mark.parametrize("name", ["gelu", "erf", "sigmoid", "softplus", "silu"])
def test_single_precision_has_the_scalar_functions_limits(name: str) -> None:
    text = (
        f"output y, z\nfor i: y[i] = {name}(x[i])\nfor i: z[i] = 2 * {name}'(x[i]) * x[i] + y[i]\n"
    )
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 3e38, -3e38, 1e-38, -200, 200], np.float32)
    found = loopc.compile(text)({"x": x})
    expected = loopc.compile(text, backend="reference")({"x": x})
    for result in ("y", "z"):
        np.testing.assert_allclose(found[result], expected[result], rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("name", ["erf", "softplus", "log1p"])
def test_helpers_take_and_fill_arrays_of_any_layout(name: str) -> None:
    space: dict = {"np": np}
    exec(getattr(helpers, name.upper()), space)
    call = space[f"_{name}"]
    for dtype in (np.float32, np.float64):
        x = np.random.default_rng(0).uniform(0.1, 2, (70, 30)).astype(dtype)
        expected = call(x)
        for each in (
            np.asfortranarray(x),
            np.tile(x, 2)[:, 20:50],
            np.repeat(x, 2, axis=1)[:, ::2],
        ):
            np.testing.assert_array_equal(call(each), call(np.ascontiguousarray(each)))
        for out in (np.empty((30, 70), dtype).T, np.empty((70, 90), dtype)[:, 30:60]):
            call(x, out=out)
            np.testing.assert_array_equal(out, expected)


def test_log1p_in_single_precision_has_the_digits_of_the_logarithm() -> None:
    program = loopc.compile("output y\nfor i: y[i] = log1p(x[i])\n")
    small = 10.0 ** np.arange(-37, 0)
    x = np.concatenate([np.linspace(-0.999, 12, 20001), small, -small, 10.0 ** np.arange(1, 38)])
    x = x.astype(np.float32)
    found, expected = program(x=x).y, np.log1p(x.astype(np.float64))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=5e-7)
    for limit in (np.inf, -1.0, -1.5, np.nan):
        ends = np.append(x, np.float32(limit))
        with np.errstate(all="ignore"):
            expected_end = np.log1p(np.float32(limit))
        np.testing.assert_array_equal(program(x=ends).y[-1], expected_end)
        np.testing.assert_allclose(program(x=ends).y[:-1], expected, rtol=5e-7)


def test_sigmoid_keeps_what_is_left_of_it_below_the_normal_numbers() -> None:
    text = "output y\nfor i: y[i] = -log(sigmoid(x[i])) + x[i]\n"
    x = np.array([-103, -95, -88.8, -20, 20, 95], np.float32)
    found = loopc.compile(text)({"x": x})["y"]
    np.testing.assert_array_equal(found, loopc.compile(text, backend="reference")({"x": x})["y"])


@pytest.mark.parametrize(
    "exponent",
    [*range(-8, 0), -12, -16, *range(3, 9), 12, 15, 16, -3.5, -2.5, -1.5, -0.5, 1.5, 2.5, 3.5],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_powers_are_products_and_roots(exponent: float, dtype: type) -> None:
    x = np.array([[0.0, -0.0, 1, 2.5], [-0.7, 1e5, np.inf, np.nan]], dtype)
    for value in (f"x[i,j]**({exponent})", f"1 + (x[i,j] + 0)**({exponent}) - x[i,j]"):
        text = f"output y\nfor i,j: y[i,j] = {value}\n"
        program = loopc.compile(text)
        expected = loopc.compile(text, backend="reference")(x=x).y
        assert "power" not in program.source.partition("def _value_and_grad")[0]
        for found in (program(x=x).y, program.specialize(x=x)(x)["y"]):
            near, least = (1.5e-6, 1e-38) if dtype is np.float32 else (3e-15, 0)
            np.testing.assert_allclose(found, expected, rtol=near, atol=least)
            zero = (expected == 0) & (found == 0)
            np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(expected[zero]))


@pytest.mark.parametrize("shape", [(8192,), (64, 128), (300, 30), (70, 3, 40), (5, 7)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_bound_of_an_array_of_any_shape_is_that_of_its_cells(
    shape: tuple[int, ...], dtype: str
) -> None:
    x = np.random.default_rng(1).normal(size=shape).astype(dtype)
    x.flat[:3] = np.nan, np.inf, -np.inf
    names = "ijk"[: len(shape)]
    cell = f"[{','.join(names)}]"
    text = (
        f"for {','.join(names)}  y{cell} = min(max(x{cell}, -0.5), 1) + relu(x{cell})\noutput y\n"
    )
    turned = np.ascontiguousarray(x.T).T
    for given in (x, turned):
        found = loopc.compile(text)(x=given)["y"]
        expected = np.minimum(np.maximum(x, dtype_of(dtype, -0.5)), 1) + np.maximum(x, 0)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == dtype


def dtype_of(dtype: str, number: float) -> np.generic:
    return np.dtype(dtype).type(number)


def test_a_sign_is_not_put_in_its_arguments_place() -> None:
    """NumPy takes eight times as long there."""
    text = "for i,j: L += abs(x[i,j] - y[i,j]) exp(x[i,j])\n"
    source = loopc.compile(text, wrt="x", loss="L").source
    (call,) = {line.strip() for line in source.splitlines() if "np.sign(" in line}
    argument, out = call.removeprefix("np.sign(").removesuffix(")").split(", out=")
    assert argument != out

"""The table of reductions, walked: NumPy against the reference, at the edges too."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.ir.reductions import REDUCTIONS, Reduction

INF, NAN = np.inf, np.nan
ROWS = [
    [0.3, -1.2, 2.5, 2.5],
    [-INF, 1.0, -INF, 0.0],
    [-INF, -INF, -INF, -INF],
    [NAN, 1.0, 2.0, INF],
    [INF, INF, 0.0, 1.0],
    [0.0, 0.0, 0.0, 0.0],
]
NAMED = [r for r in REDUCTIONS if r.name]


def ids(row: Reduction) -> str:
    return row.name


def text_of(row: Reduction, guard: str = "") -> str:
    if row.form == "pointwise":
        return f"for i,k  y[i,k] = {row.name}[k{guard}](A[i,k])\n"
    return f"for i  y[i] = {row.name}[k{guard}](A[i,k])\n"


@pytest.mark.parametrize("guard", ["", " if k >= i", " if k != 1"])
@pytest.mark.parametrize("row", NAMED, ids=ids)
def test_numpy_gives_the_references_values(row: Reduction, guard: str) -> None:
    a = np.array(ROWS)
    if guard == " if k >= i":
        a = a[:4]  # argmax of nothing is an error
    with np.errstate(all="ignore"):
        expected = loopc.compile(text_of(row, guard), backend="reference")(A=a).y
    found = loopc.compile(text_of(row, guard))(A=a).y
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("kind", ["int64", "int8", "bool", "float32"])
@pytest.mark.parametrize("row", NAMED, ids=ids)
def test_types_are_the_references(row: Reduction, kind: str) -> None:
    a = np.random.default_rng(0).integers(0, 2, (3, 5)).astype(kind)
    expected = loopc.compile(text_of(row), backend="reference")(A=a).y
    found = loopc.compile(text_of(row))(A=a).y
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("row", NAMED, ids=ids)
def test_over_an_empty_range(row: Reduction) -> None:
    a = np.zeros((2, 0))
    if row.name.startswith("arg"):
        for backend in ("numpy", "reference"):
            with pytest.raises(loopc.BoundsError) as caught:
                loopc.compile(text_of(row), backend=backend)(A=a)
            assert caught.value.code == "L0232"
        return
    expected = loopc.compile(text_of(row), backend="reference")(A=a).y
    found = loopc.compile(text_of(row))(A=a).y
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("op", ["+=", "-=", "*=", "max=", "min="])
def test_operators_accumulate_from_their_identity(op: str) -> None:
    a = np.array(ROWS)
    text = f"for i,k  y[i] {op} A[i,k]\n"
    expected = loopc.compile(text, backend="reference")(A=a).y
    np.testing.assert_allclose(loopc.compile(text)(A=a).y, expected)


@pytest.mark.parametrize("row", [r for r in NAMED if r.result not in ("int", "bool")], ids=ids)
def test_gradients_agree_with_differences(row: Reduction) -> None:
    a = np.random.default_rng(1).standard_normal((3, 4))
    for guard in ("", " if k != 1") if row.outside != -INF else ("",):
        program = loopc.compile(text_of(row, guard), loss="y")
        assert loopc.gradcheck(program, A=a, tolerance=1e-7)


HALF, THIRD = 1 / 2, 1 / 3
KINKS: dict[str, list[tuple[str, list[float], list[float]]]] = {
    "sum": [("", [0, INF, 1], [1, 1, 1])],
    "prod": [
        ("", [0, 2, 3], [6, 0, 0]),
        ("", [0, 0, 3], [0, 0, 0]),
        (" if k != 0", [0, 0, 3], [0, 3, 0]),
    ],
    "max": [
        ("", [1, 3, 3], [0, HALF, HALF]),
        ("", [3, 3, 3], [THIRD] * 3),
        (" if k > 0", [3, 3, 3], [0, HALF, HALF]),
        ("", [-INF, -INF, 1], [0, 0, 1]),
    ],
    "min": [("", [1, 1, 3], [HALF, HALF, 0]), ("", [3, 3, 3], [THIRD] * 3)],
    "mean": [("", [0, 0, 0], [THIRD] * 3), (" if k > 0", [0, 0, 0], [0, HALF, HALF])],
    "logsumexp": [
        ("", [-INF, -INF, -INF], [0, 0, 0]),
        ("", [-INF, 0, 0], [0, HALF, HALF]),
        (" if k > 3", [1, 1, 1], [0, 0, 0]),
    ],
    "softmax": [("", [-INF, -INF, -INF], [0, 0, 0]), (" if k > 3", [1, 1, 1], [0, 0, 0])],
    "logsoftmax": [("", [-INF, -INF, -INF], [0, 0, 0]), ("", [-INF, 0, 0], [0, 0, 0])],
    "cumsum": [("", [0, 0, INF], [3, 2, 1])],
    "cumprod": [("", [0, 2, 3], [1 + 2 + 6, 0, 0]), ("", [2, 0, 3], [1, 2 + 6, 0])],
    "cummax": [
        ("", [1, 1, 0], [2, 1, 0]),
        ("", [1, 1, 1], [1 + HALF + THIRD, HALF + THIRD, THIRD]),
        ("", [-INF, -INF, 1], [1.5, 0.5, 1]),
    ],
    "cummin": [("", [1, 1, 2], [2, 1, 0])],
}
"""By reduction: guard, entries, and the gradient of the sum of all finite results."""


@pytest.mark.parametrize("row", [r for r in NAMED if r.result not in ("int", "bool")], ids=ids)
def test_conventions_where_no_derivative_is(row: Reduction) -> None:
    at = "y[k]" if row.form == "pointwise" else "y"
    for guard, entries, expected in KINKS[row.name]:
        body = f"{row.name}[k{guard}](x[k])"
        loop = "for k  " if row.form == "pointwise" else ""
        for backend, opt in (("reference", 0), ("numpy", 0), ("numpy", 2)):
            program = loopc.compile(f"{loop}{at} = {body}\n", backend=backend, opt=opt)
            out = program(x=entries).y
            seed = np.where(np.isneginf(out), 0.0, 1.0) if row.name == "logsoftmax" else None
            found = program.grad(x=entries, seed=np.ones(out.shape) if seed is None else seed)
            np.testing.assert_allclose(found.x, expected, atol=1e-15, err_msg=f"{entries}{guard}")
            slope = program.jvp({"x": entries}, {"x": [1.0, 1.0, 1.0]}).y
            assert np.sum(slope) == pytest.approx(np.sum(expected)) or seed is not None


@pytest.mark.parametrize("target", ["y", "y[p[k]]", "y[k // 4]"])
@pytest.mark.parametrize(
    ("op", "entries", "expected"),
    [
        ("*=", [0, 2, 3], [6, 0, 0]),
        ("*=", [0, 0, 3], [0, 0, 0]),
        ("max=", [3, 3, 3], [THIRD] * 3),
        ("min=", [1, 3, 1], [HALF, 0, HALF]),
        ("-=", [INF, 0, 1], [-1, -1, -1]),
    ],
)
def test_operators_at_kinks(
    target: str, op: str, entries: list[float], expected: list[float]
) -> None:
    declared = "" if target == "y" else "dim y[1]\n"
    arrays = {"x": np.array(entries, float)} | ({"p": [0, 0, 0]} if "p" in target else {})
    for backend, opt in (("reference", 0), ("numpy", 0), ("numpy", 2)):
        text = f"{declared}for k < 3: {target} {op} x[k]\n"
        program = loopc.compile(text, opt=opt, backend=backend, wrt=["x"])
        seed = np.ones(program(arrays).y.shape)
        np.testing.assert_allclose(program.grad(arrays, seed=seed).x, expected)
        slope = program.jvp(arrays, {"x": [1.0, 1.0, 1.0]}).y
        assert np.sum(slope) == pytest.approx(np.sum(expected))


def shared(
    x: np.ndarray, seed: np.ndarray, sign: int, counts: np.ndarray, order: list[int]
) -> np.ndarray:
    """Return the gradient of a running extreme by its definition: ties share each value evenly."""
    found = np.zeros(len(x))
    for place, at in enumerate(order):
        upto = [j for j in order[: place + 1] if counts[j]]
        best = max((sign * x[j] for j in upto), default=-INF)
        tied = [j for j in upto if sign * x[j] == best]
        for j in tied:
            found[j] += seed[at] / len(tied)
    return found


UP, DOWN = list(range(7)), list(range(7))[::-1]
NO = np.arange(7)
RUNNING_EXTREMES = {
    "for i  y[i] = cummax[i](x[i])": (1, NO >= 0, UP),
    "for i  y[i] = -cummin[i](x[i])": (-1, NO >= 0, UP),
    "for i  y[i] = cummax[i if i % 3 != 0](x[i])": (1, NO % 3 != 0, UP),
    "for i  y[i] = cummax[i if i % 3 == 2](x[i]) / 2": (1, NO % 3 == 2, UP),
    "for i < 7: y[i] = cummax[i in reversed(range(7))](x[i])": (1, NO >= 0, DOWN),
    "for i < 7: y[i] = cummin[i in reversed(range(7)) if i != 5](x[i])": (-1, NO != 5, DOWN),
    "for i < 7: y[i] = cummax[i in range(2, 7)](x[i])": (1, NO >= 2, UP),
    "for i  y[i] = cummax[i](exp(x[i]))": (1, NO >= 0, UP),
    "for i  y[i] = cummax[i](sum[k](x[i] A[k,k]))": (1, NO >= 0, UP),
    "for t < 2: for i  y[i] = cummax[i](x[i]) + stopgrad(y[i])": (1, NO >= 0, UP),
}


@pytest.mark.parametrize("text", RUNNING_EXTREMES)
def test_terms_of_running_extremes_share_evenly(text: str) -> None:
    sign, counts, order = RUNNING_EXTREMES[text]
    scale = -1 if "-cummin" in text else 0.5 if "/ 2" in text else 1
    rng = np.random.default_rng(3)
    if text.startswith("for t"):
        text = "for t < 2:\n    " + text.removeprefix("for t < 2: ")
    programs = [
        loopc.compile(text, opt=opt, backend=backend, wrt=["x"])
        for backend, opt in (("reference", 0), ("numpy", 0), ("numpy", 1), ("numpy", 2))
    ]
    printed = loopc.compile(str(programs[0].adjoint), backend="reference")
    for _ in range(5):
        x, seed = rng.integers(0, 3, 7).astype(float), rng.integers(-3, 4, 7).astype(float)
        arrays = {"x": x} | ({"A": np.eye(3)} if "A[" in text else {})
        inner = np.exp(x) if "exp" in text else np.full(7, 3.0 if "A[" in text else 1.0)
        expected = scale * inner * shared(x, seed, sign, counts, order)
        slope = rng.standard_normal(7)
        for program in programs:
            np.testing.assert_allclose(program.vjp(arrays, {"y": seed})["x"], expected, atol=1e-12)
            dot = program.jvp(arrays, {"x": slope})["y"]
            np.testing.assert_allclose(dot @ seed, expected @ slope, atol=1e-12)
        back = printed({**arrays, "y.grad": seed})
        np.testing.assert_allclose(back["x.grad"], expected, atol=1e-12)


def test_no_term_has_a_share_in_a_running_nan() -> None:
    for backend in ("reference", "numpy"):
        program = loopc.compile("for i  y[i] = cummax[i](x[i])", backend=backend)
        arrays = {"x": np.array([1, 1, np.nan, 2])}
        np.testing.assert_array_equal(program.vjp(arrays, {"y": np.ones(4)})["x"], [1.5, 0.5, 0, 0])
        slope = program.jvp(arrays, {"x": np.array([1.0, 3, 5, 7])})["y"]
        np.testing.assert_array_equal(slope, [1, 2, 0, 0])


def test_running_extremes_of_rows_have_second_derivatives() -> None:
    text = "for t,i  y[t,i] = cummax[i](x[t,i]**2)\nfor t,i  L += y[t,i]**2\n"
    x = np.array([[1.0, -1, 0, 2], [3, 3, 3, 1], [2, 1, 2, 2]])
    slope = np.random.default_rng(5).standard_normal(x.shape)
    text += "backward L wrt x\nfor t,i  G += x.grad[t,i] v[t,i]\nbackward G wrt x as g2\n"
    results = [
        loopc.compile(text, backend=backend, opt=opt, outputs=["x.g2"])(x=x, v=slope)["x.g2"]
        for backend, opt in (("reference", 0), ("numpy", 0), ("numpy", 2))
    ]
    for found in results[1:]:
        np.testing.assert_allclose(found, results[0], rtol=1e-12)
    apart = x + 0.1 * np.arange(12).reshape(3, 4)
    program = loopc.compile(text, outputs=["x.g2"])
    first = loopc.compile(text, outputs=["x.grad"])
    step = 1e-6 * slope
    after = first(x=apart + step, v=slope)["x.grad"] - first(x=apart - step, v=slope)["x.grad"]
    np.testing.assert_allclose(program(x=apart, v=slope)["x.g2"], after / 2e-6, rtol=1e-6)


def test_terms_of_running_extremes_over_two_indices_share_evenly() -> None:
    for backend, opt in (("reference", 0), ("numpy", 0), ("numpy", 2)):
        text = "for a < 3, b < 2: y[a,b] = cummax[a < 3, b < 2](x[a,b])"
        program = loopc.compile(text, backend=backend, opt=opt)
        x, seed = np.array([[1.0, 0], [1, 1], [0, 2]]), np.arange(1.0, 7).reshape(3, 2)
        expected = shared(x.ravel(), seed.ravel(), 1, np.ones(6), list(range(6)))
        np.testing.assert_allclose(program.vjp({"x": x}, {"y": seed})["x"].ravel(), expected)


@pytest.mark.parametrize("op", ["softmax", "logsoftmax"])
@pytest.mark.parametrize(
    ("loops", "ranges"),
    [
        ("i < N, j", "i in range(1, N), j"),
        ("i < N, j < M", "i in range(0, N, 2), j in range(1, M)"),
        ("i < M, j < M", "i < M, j < i + 1"),
        ("i < N, j < M", "i in range(2, N), j in range(0, i)"),
        ("i < N, j < M", "i in reversed(range(1, N)), j if i + j > 2"),
    ],
)
def test_parts_of_two_axes(op: str, loops: str, ranges: str) -> None:
    """A point outside of one range has no value, and the other index is still to be looked up."""
    text = f"param x[N,M]\nfor {loops}: y[i,j] = {op}[{ranges}](x[i,j])\n"
    text += "for i, j: L += where(abs(y[i,j]) < inf, y[i,j]**2 (i + 2 j), 0)\n"
    x = np.random.default_rng(0).standard_normal((4, 3))
    arrays = {"x": x}
    judge = loopc.compile(text, backend="reference")
    for opt in (0, 2):
        program = loopc.compile(text, opt=opt)
        outcome, slope = program.value_and_grad(arrays)
        np.testing.assert_allclose(outcome["L"], judge(arrays)["L"], rtol=1e-12)
        np.testing.assert_allclose(slope.x, judge.grad(arrays).x, rtol=1e-9, atol=1e-12)
        second = program.hvp(arrays, {"x": 1 + x}).x
        np.testing.assert_allclose(second, judge.hvp(arrays, {"x": 1 + x}).x, rtol=1e-9)
    assert loopc.gradcheck(judge, arrays)


@pytest.mark.parametrize("opt", [0, 1, 2])
def test_tangents_of_tied_running_extremes_in_a_window_are_averaged(opt: int) -> None:
    """The inner maxima have the names of indices that are unrolled: their guards are their own."""
    program = loopc.compile("for a < 7, b < 1: y[a] += cummax[a < 7, b < 1](x[a + b])", opt=opt)
    x, slope = np.array([1.0, 1, 1, 1, 0, 1, 2]), np.arange(1.0, 8)
    found = program.jvp({"x": x}, {"x": slope})["y"]
    np.testing.assert_allclose(found, [1, 1.5, 2, 2.5, 2.5, 3.2, 7])


@pytest.mark.parametrize("op", ["max", "cummin"])
def test_what_an_extreme_read_is_recorded_before_it_has_a_value(op: str) -> None:
    """`w` has no known extent, so that its reads are recorded where they are evaluated alone."""
    text = (
        f"input w[M], v[N,3]\nfor c < 3:\n    for a < N, k < 3: m[c,a,k] = {op}[k](v[a,k] w[k])\n"
        "    for a < N: w[a] += m[c,a,2]\n"
    )
    if op == "max":
        text = text.replace("a < N, k < 3: m[c,a,k]", "a < N: m[c,a]").replace(
            "max[k]", "max[k < 3]"
        )
        text = text.replace("m[c,a,2]", "m[c,a]")
    else:
        text = text.replace("cummin[k]", "cummin[k < 3]")
    rng = np.random.default_rng(0)
    arrays = {"w": rng.standard_normal(4), "v": rng.standard_normal((4, 3))}
    for opt in (0, 2):
        assert loopc.gradcheck(
            loopc.compile(text, wrt=["w", "v"], outputs=["w"], opt=opt), **arrays
        )


def test_hoisted_loops_clash_with_no_index_when_differentiated_again() -> None:
    text = (
        "input x[K], w[K]\ndim t[K]\nfor i < K: t[i] = 1\n"
        "for k < K:\n    t[k] += tanh(cummax[k < K](x[k] t[k]))\n    t[0] *= tanh(t[(k + 1) % K])\n"
        "for k < K: L += t[k]**2\nbackward L wrt x\nfor k < K: G += x.grad[k] w[k]\n"
    )
    program = loopc.compile(text, wrt=["x"], outputs=["G"])
    rng = np.random.default_rng(2)
    assert loopc.gradcheck(program, x=rng.standard_normal(4), w=rng.standard_normal(4))


def test_two_reductions_over_one_index_of_which_a_guard_narrows_one() -> None:
    text = (
        "input x[N,N], z[N,N]\nfor i, j: y[i,j] = exp(x[i,j]) + max[a < N](exp(x[a,j]) + z[i,a])"
        " * sum[a < N if a < N-1](sin(x[a,i]) + exp(z[j,a]))\n"
    )
    x = np.arange(25.0).reshape(5, 5) % 7 / 5
    z = x[::-1] - x.T
    expected = loopc.compile(text, backend="reference")(x=x, z=z)["y"]
    np.testing.assert_allclose(loopc.compile(text)(x=x, z=z)["y"], expected, rtol=1e-12)


def _points(n: int, m: int) -> dict[str, np.ndarray]:
    """Return points of three coordinates, of which those of x and y differ."""
    rng = np.random.default_rng(n)
    return {"x": rng.integers(-3, 4, (n, 3)) + 0.5, "y": rng.integers(-3, 4, (m, 3)) + 0.0}


@pytest.mark.parametrize("opt", [0, 1, 2])
@pytest.mark.parametrize(
    "value",
    [
        "sum[c](abs(x[i,c] - y[j,c]))",
        "sum[c]((x[i,c] - y[j,c])**2)",
        "max[c](x[i,c] - y[j,c])",
        "min[c if c != i](x[i,c] y[j,c] - c)",
        "prod[c](x[i,c] - y[j,c])",
        "any[c](x[i,c] > y[j,c])",
        "mean[c if x[i,c] > y[j,c]](x[i,c] - y[j,c])",
        "logsumexp[c](x[i,c] - y[j,c])",
    ],
)
def test_pairs_of_points_have_their_coordinates_taken_one_by_one(value: str, opt: int) -> None:
    text = f"input x[N,3], y[M,3]\noutput d\nfor i,j: d[i,j] = {value}\n"
    program = loopc.compile(text, opt=opt)
    for n, m in ((4, 5), (1, 1), (0, 2), (2, 0)):
        given = _points(n, m)
        expected = loopc.compile(text, backend="reference")(given)
        np.testing.assert_allclose(program(given).d, expected.d, rtol=1e-14)
    forward = program.source.partition("def _value_and_grad")[0]
    assert ("[:, None, :]" in forward) == (opt == 0 or value[:4] in ("any[", "logs"))


@pytest.mark.parametrize("opt", [1, 2])
@pytest.mark.parametrize("value", ["sum[c](abs(x[i,c] - y[j,c]))", "max[c](abs(x[i,c] - y[j,c]))"])
def test_gradients_of_pairs_of_points_come_coordinate_by_coordinate(value: str, opt: int) -> None:
    text = f"param x[N,3], y[M,3]\noutput d\nfor i,j if i != j: d[i,j] = {value}\n"
    program = loopc.compile(text, opt=opt)
    for n, m in ((4, 5), (1, 1), (0, 2), (2, 0)):
        given = _points(n, m)
        seed = {"d": np.random.default_rng(n).random((n, m))}
        expected = loopc.compile(text, backend="reference").vjp(given, seed)
        found = program.vjp(given, seed)
        for name in ("x", "y"):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-13, atol=1e-15)
    assert "[:, None, :]" not in program.source

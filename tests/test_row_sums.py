"""Sums along rows and columns as products with ones, and the largest cells of short rows."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

SUMS = {
    "rows": "for a,b: y[a,b] = sum[c](x[a,b,c])",
    "columns": "for b,c: y[b,c] = sum[a](x[a,b,c])",
    "what is left is turned": "for c,b: y[c,b] += sum[a](x[a,b,c])",
    "the first two axes": "for c: y[c] += sum[b,a](x[a,b,c])",
    "the last two axes": "for a: y[a] = 2 sum[b,c](x[a,b,c]) + 1",
    "the axis between": "for a,c: y[a,c] = sum[b](x[a,b,c])",
    "the outer axes": "for b: y[b] = sum[a,c](x[a,b,c])",
    "in a tile": (
        "for a,b: m[a,b] = sum[c](x[a,b,c])\n"
        "for a,b,c: z[a,b,c] = (x[a,b,c] - m[a,b]) (x[a,b,c] + 1)\n"
        "for a,b: y[a,b] = sum[c](z[a,b,c] + 2 x[a,b,c])"
    ),
    "the first axes of what a tile makes": (
        "for a,b,c: z[a,b,c] = (x[a,b,c] - 1) (x[a,b,c] + 1)\n"
        "for c: y[c] = sum[a,b](z[a,b,c] + 2 x[a,b,c])"
    ),
    "an axis between of what a tile makes": (
        "for a,b,c: z[a,b,c] = (x[a,b,c] - 1) (x[a,b,c] + 1)\n"
        "for b: y[b] = sum[a,c](z[a,b,c] + 2 x[a,b,c])"
    ),
    "all but a last axis that runs in blocks": (
        "for c: m[c] = sum[a,b](x[a,b,c])\n"
        "for a,b,c: z[a,b,c] = (x[a,b,c] - m[c]) (2 + x[a,b,c])\n"
        "for c: y[c] = sum[a,b](z[a,b,c] + 1)"
    ),
    "steps of two": "for a: y[a] = sum[b,c in range(0, C, 2)](x[a,b,c] (c + 1))",
    "columns of blocks": "for a,b: m[a,b] = sum[c](2 x[a,b,c] + 1)\nfor b: y[b] += sum[a](m[a,b])",
}
SHAPES = [(3, 4, 5), (1, 4, 5), (0, 4, 5), (3, 0, 5), (3, 4, 0), (5, 1, 1), (18, 17, 3)]


def _layouts(x: np.ndarray) -> list[np.ndarray]:
    return [x, np.asfortranarray(x), np.repeat(x, 2, axis=-1)[..., ::2], x[::-1]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", SUMS)
def test_sums_are_the_references(name: str, dtype: str) -> None:
    text = f"input x[A,B,C]\n{SUMS[name]}\noutput y"
    program, plain = loopc.compile(text), loopc.compile(text, backend="reference")
    for shape in SHAPES:
        given = np.random.default_rng(0).integers(-4, 5, shape).astype(dtype)
        for x in _layouts(given):
            found, expected = program(x=x).y, plain(x=x).y
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["rows", "columns", "in a tile"])
def test_what_is_not_finite_stays_in_its_row(name: str, bad: float) -> None:
    text = f"input x[A,B,C]\n{SUMS[name]}\noutput y"
    x = np.ones((3, 4, 5))
    x[1, 2, 3] = bad
    expected = loopc.compile(text, backend="reference")(x=x).y
    np.testing.assert_array_equal(loopc.compile(text)(x=x).y, expected)


@pytest.mark.parametrize("count", [100, 4096, 100_000])
def test_sums_of_many_terms_are_as_exact(count: int) -> None:
    x = np.random.default_rng(0).random((4, count)).astype(np.float32)
    rows = loopc.compile("input x[A,B]\nfor a: y[a] = sum[b](x[a,b])")
    columns = loopc.compile("input x[A,B]\nfor a: y[a] = sum[b](x[b,a])")
    for found in (rows(x=x).y, columns(x=np.ascontiguousarray(x.T)).y):
        np.testing.assert_allclose(found, x.sum(axis=1, dtype=np.float64), rtol=2e-5)


@pytest.mark.parametrize("columns", [1, 2, 7, 24, 25, 60])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_short_rows_have_their_largest_cells(columns: int, dtype: str) -> None:
    text = (
        "input x[A,B,C]\nfor a,b: y[a,b] = max[c](x[a,b,c])\nfor a,b: z[a,b] = min[c](2 x[a,b,c])\n"
        "for a,b: w[a,b] = logsumexp[c](x[a,b,c])\nfor a,b,c: v[a,b,c] = softmax[c](x[a,b,c])\n"
        "output y, z, w, v"
    )
    program, plain = loopc.compile(text), loopc.compile(text, backend="reference")
    rng = np.random.default_rng(0)
    for shape in [(3, 4, columns), (0, 4, columns), (9, 7, columns)]:
        x = rng.standard_normal(shape).astype(dtype)
        x[:1, 1, 0], x[:1, 2, -1], x[:1, 3, 0] = np.nan, -np.inf, np.inf
        found, expected = program(x=x), plain(x=x)
        for name, value in expected.items():
            rtol = 1e-5 if dtype == "float32" else 1e-13
            np.testing.assert_allclose(found[name], value, rtol, atol=rtol / 10, err_msg=name)


@pytest.mark.parametrize("rows", [20, 1, 0])
def test_sums_along_the_last_axes_of_a_block_are_products(rows: int) -> None:
    text = (
        "input x[A,B,C,D]\nfor a,b: m[a,b] = mean[c,d](x[a,b,c,d])\n"
        "for a,b: v[a,b] = mean[c,d]((x[a,b,c,d] - m[a,b])**2)\n"
        "for a,b,c,d: L += exp(-(x[a,b,c,d] - m[a,b])**2 / (v[a,b] + 0.1))\noutput L\n"
    )
    program, plain = (loopc.compile(text, loss="L", backend=b) for b in ("numpy", "reference"))
    assert ".reshape(*" in program.source
    x = np.random.default_rng(0).normal(size=(3, rows, 4, 5)).transpose(0, 1, 3, 2)
    for given in (x, np.ascontiguousarray(x), x.astype(np.float32)):
        values, gradients = program.value_and_grad(x=given)
        expected, slopes = plain.value_and_grad(x=given)
        close = 1000 * float(np.finfo(given.dtype).eps)
        np.testing.assert_allclose(values["L"], expected["L"], rtol=close)
        np.testing.assert_allclose(gradients["x"], slopes["x"], rtol=close, atol=close)


def test_a_number_of_steps_is_a_factor_of_the_terms() -> None:
    text = (
        "input x[A,B,C]\nfor a: y[a] = sum[b, c in reversed(range(0, C, 2)) if x[a,b,c] > "
        "x[clamp(c),b,0]](x[a,b,c])\noutput y\n"
    )
    x = np.random.default_rng(0).normal(size=(30, 3, 4))
    for given in (x, x[:, :, :3], x[:1, :, :2], x[:20, :1]):
        expected = loopc.compile(text, backend="reference")(x=given).y
        np.testing.assert_allclose(loopc.compile(text)(x=given).y, expected, rtol=1e-12)


@pytest.mark.parametrize(
    "shape", [(9, 3), (1700, 3), (1, 40, 41, 3), (50, 30, 2, 2), (64, 1), (30, 300)]
)
@pytest.mark.parametrize("order", ["x[{}] - m[{}]", "m[{1}] - x[{0}]", "x[{}] / m[{}] + x[{}]"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_short_row_beside_an_array_is_one_of_each_of_its_rows(
    shape: tuple[int, ...], order: str, dtype: str
) -> None:
    indices = [*"abcd"][: len(shape)]
    own, last = ",".join(indices), ",".join(indices[-max(1, len(shape) - 2) :])
    value = order.format(own, last, own)
    text = f"for {own}: y[{own}] = ({value}) * (x[{own}] + 1) - m[{last}]\noutput y"
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    m = rng.standard_normal(shape[-max(1, len(shape) - 2) :]).astype(dtype)
    x.flat[:2], m.flat[0] = (np.nan, np.inf), 0
    program, expected = loopc.compile(text), loopc.compile(text, backend="reference")(x=x, m=m).y
    assert m.ndim > 1 or "_long_rows" in program.source
    for array in (x, np.asfortranarray(x), np.repeat(x, 2, axis=-1)[..., ::2]):
        found = program(x=array, m=m).y
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=2e-6 if dtype == "float32" else 1e-14)


def test_standardised_columns_are_computed_once_and_as_they_lie() -> None:
    """A mean by columns goes over `d,n`: what it is taken of stays `x[n,d]` in memory."""
    text = """
        input x[N,D], t[N,D]
        for d  m[d] = mean[n](x[n,d])
        for d  v[d] = mean[n]((x[n,d] - m[d])**2)
        for n,d  z[n,d] = (x[n,d] - m[d]) / sqrt(v[d] + 1e-5)
        for n,d  L += (z[n,d] - t[n,d])**4
    """
    source = loopc.compile(text, wrt="x", loss="L").source.partition("def _value_and_grad")[2]
    assert source.count("np.subtract, x_part") == 1
    assert ".T" not in source
    assert "runs=(0,)" in source

"""Sums of products of which a guard leaves terms out: matmuls, and what is not finite there."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

PROGRAMS = {
    "a factor has all of the mask's axes": """
        input P[I,J], V[J,D]
        for i,j,d if j <= i: O[i,d] += P[i,j] V[j,d]
    """,
    "the mask is a factor of its own": """
        input a[I], b[J], V[J,D], m[I,J]
        for i,j,d if m[i,j] > 0: O[i,d] += a[i] b[j] V[j,d]
    """,
    "a factor is zero outside the mask": """
        input Q[I,D], K[J,D], V[J,D]
        for i,j,d if j <= i: S[i,j] += Q[i,d] K[j,d] / sqrt(D)
        for i,j if j <= i: P[i,j] = softmax[j if j <= i](S[i,j])
        for i,j,d if j <= i: O[i,d] += P[i,j] V[j,d]
    """,
    "a sum of products and a divisor": """
        input A[I,K], B[K,J], c[I], x[J]
        for i,j,k if k != i and c[i] != 0: Y[i,j] -= (A[i,k] B[k,j]) / c[i] + A[i,k] x[j]
    """,
    "no term, divided by how many there are": """
        input g[I], t[I], x[J,D], u[I,J]
        for i,j,d if j > i: Y[i,d] += g[i] / t[i] * x[j,d]
        for i,j,d if j > i: Z[i,d] += u[i,j] x[j,d] / t[i]
    """,
    "a factor is a sum of products": """
        input C[I,J], A[I,K], B[J,K], a[K], b[K]
        for i,j,k if j <= i: s += C[i,j] (A[i,k] B[j,k] + a[k] A[i,k])
        for i,j,k if j <= i: y[i] += C[i,j] (A[i,k] B[j,k] + a[k] b[k])
        for i,j,k  z[i] -= C[i,j] (A[i,k] B[j,k] + B[j,k] b[k]) 0.5
    """,
    "pairs of points": """
        input x[I,D], q[I]
        for i,j if i < j: r[i,j] = sum[d]((x[i,d] - x[j,d])**2) + 0.1
        for i,j,d if i < j: F[i,d] += q[j] / r[i,j] (x[i,d] - x[j,d])
        for i,j if i < j: s[i,j] = q[i] / r[i,j]**6
        for i,j,d if i < j: F[i,d] += s[i,j] (x[i,d] - x[j,d])
        for i,j,d if i < j: G[j,d] -= s[i,j] (x[i,d] - x[j,d])
    """,
    "inside an expression": """
        input A[I,K], B[K,J], n[J]
        for i,j  Y[i,j] = where(n[j] > 0, sum[k if k < i](A[i,k] B[k,j]) / n[j], 7)
    """,
}


def arrays(text: str, dtype: type, *, special: bool) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {"I": 5, "J": 4, "K": 5, "D": 3}
    found = {}
    for name, kind in loopc.compile(text).inputs.items():
        shape = tuple(sizes[str(e)] for e in kind.shape)
        found[name] = rng.standard_normal(shape).astype(dtype)
        if name == "t":
            found[name][-2:] = 0  # no j is greater there
        if special and shape and name != "t":
            found[name].flat[-1] = np.inf
            found[name].flat[len(found[name].flat) // 2] = np.nan
    return found


@pytest.mark.parametrize("special", [False, True], ids=["finite", "nan and inf"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_terms_left_out_do_not_count(name: str, special: bool) -> None:
    given = arrays(PROGRAMS[name], np.float64, special=special)
    expected = loopc.compile(PROGRAMS[name], backend="reference")(given)
    for opt in (0, 1, 2):
        found = loopc.compile(PROGRAMS[name], opt=opt)(given)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-12, err_msg=str(opt))


@pytest.mark.parametrize("name", PROGRAMS)
def test_float32_stays_float32(name: str) -> None:
    found = loopc.compile(PROGRAMS[name])(arrays(PROGRAMS[name], np.float32, special=False))
    assert all(v.dtype == np.float32 for v in found.values())


def test_a_guarded_contraction_is_a_matmul() -> None:
    program = loopc.compile(PROGRAMS["a factor is zero outside the mask"])
    forward, gradient = 2, 2 + 4
    assert program.source.count(" @ ") == forward + gradient


def test_a_difference_of_points_in_a_guarded_sum_is_multiplied_out() -> None:
    """Forces of pairs: no array of differences has a cell for each coordinate of each pair."""
    text = """
        input x[N,3], q[N]
        for i,j if i < j: L += q[i] q[j] / sqrt(sum[d]((x[i,d] - x[j,d])**2) + 0.01)
    """
    program = loopc.compile(text, wrt="x", loss="L")
    rng = np.random.default_rng(0)
    x, q = rng.standard_normal((300, 3)), rng.standard_normal(300)
    gradient = program.value_and_grad(x=x, q=q)[1]["x"]
    expected = loopc.compile(text, wrt="x", loss="L", opt=0).value_and_grad(x=x, q=q)[1]["x"]
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-9)
    gradient = program.source.partition("def _value_and_grad")[2]
    assert gradient.count("np.matmul(sum1_grad") == 2  # with ones and with the points


@pytest.mark.parametrize("opt", [0, 2])
@pytest.mark.parametrize("left", ["for i  y[i] = sum[k if k != i]", "y = sum[i,k if k != i]"])
def test_a_sum_that_is_made_anew_keeps_its_type(left: str, opt: int) -> None:
    program = loopc.compile(f"{left}(3 * A[i,k] v[k])\ninput A[N,N], v[N]\n", opt=opt)
    v = np.array([np.inf, 1, 1], np.float32)
    found = program(A=np.ones((3, 3), np.float32), v=v).y
    assert found.dtype == np.float32


HELD = {
    "under a guard": "for i < N if ok[i]: y[i] = sum[a if s[p[i]] > x[a]](x[a])",
    "in a branch": "for i < N: y[i] = where(ok[i], sum[a if s[p[i]] > x[a]](x[a] w[i]), 1)",
    "a maximum": "for i < N: y[i] = where(ok[i], max[a if s[p[i]] > x[a]](x[a]), 1)",
    "a mean": "for i < N: y[i] = where(ok[i], mean[a if s[p[i]] > x[a]](x[a]), 1)",
    "a count": "for i < N: y[i] = where(ok[i], sum[a if s[p[i]] > x[a]](1), 1)",
    "a divisor": "for i < N: y[i] = sum[a if x[a] > 0.4 and ok[i]]"
    "(x[a] w[i] / sum[c < K if s[p[i]] > x[c] - 2](1))",
    "a running sum": "for i < N, k < K: "
    "z[i,k] = where(ok[i], cumsum[k if s[p[i]] > x[k]](x[k]), 1)",
}


@pytest.mark.parametrize("opt", range(3))
@pytest.mark.parametrize("name", HELD)
def test_a_guard_is_not_evaluated_where_its_sum_is_not_needed(name: str, opt: int) -> None:
    text = f"input ok[N]: bool, p[N]: int, s[M], x[K], w[N]\n{HELD[name]}\n"
    given = {"ok": np.array([True, False]), "p": np.array([0, 7]), "s": np.array([1.0, 0])}
    given |= {"x": np.array([0.5, 2, 0.3]), "w": np.array([2.0, 3])}
    program = loopc.compile(text, opt=opt)
    expected = loopc.compile(text, backend="reference")(given)
    for key, value in program(given).items():
        np.testing.assert_array_equal(value, expected[key])


@pytest.mark.parametrize("opt", range(3))
@pytest.mark.parametrize("extent", [0, 1, 7, 70_000])
def test_a_mask_with_an_index_of_its_own_leaves_out_what_is_not_finite(
    extent: int, opt: int
) -> None:
    text = (
        "input d[N], x[N], lo[I], hi[I]\nfor i, n if lo[i] <= x[n] and x[n] < hi[i]: s[i] += d[n]\n"
    )
    rng = np.random.default_rng(0)
    given = {"d": rng.integers(-9, 9, extent).astype(float), "x": rng.random(extent)}
    given |= {"lo": np.array([0.0, 0.5, 0.25]), "hi": np.array([0.5, 1.0, 0.25])}
    given["d"][extent // 2 : extent // 2 + 1] = np.nan
    given["x"][extent // 2 : extent // 2 + 1] = 0.75
    inside = (given["lo"][:, None] <= given["x"]) & (given["x"] < given["hi"][:, None])
    expected = np.where(inside, given["d"], 0).sum(axis=1)
    np.testing.assert_array_equal(loopc.compile(text, opt=opt)(given)["s"], expected)


def test_no_product_of_a_sum_is_spread_out() -> None:
    text = PROGRAMS["a factor is a sum of products"]
    assert "[:, None, :]" not in loopc.compile(text).source

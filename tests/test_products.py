"""Products as matmuls, convolutions, scatters and distances: values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import loopc

SIZES = {"B": 3, "I": 4, "J": 5, "K": 3, "N": 6, "C": 2, "D": 3, "H": 7, "W": 6, "S": 3, "R": 2}

PROGRAMS = {
    "batch in the middle": "for i,b,j,k  L[i,b,j] += A[i,b,k] E[b,k,j]",
    "batch that lies fastest": "for b,i,k,j  L[i,j,b] += A[i,k,b] E[k,j,b]",
    "heads": "for b,h,t,e,d  L[b,h,t,e] += W[h,e,d] X[b,t,d]",
    "sum over heads": "for b,t,d,h,e  L[b,t,d] += W[d,h,e] O[b,h,t,e]",
    "a row and a column": "for b,i,k  L[b,i] += A[b,i,k] v[b,k]",
    "trace of a product": "for i,j  L += A[i,j] E[j,i]",
    "a chain": "for i,j,k,n  L[i,n] += A[i,j] E[j,k] F[k,n]",
    "quotients of products": """
        for i,j,k  y[k,j] += g[i,k] p[i,j] / z[i]
        for i,j,k  y[k,j] -= -(g[i,k] p[i,j] v[j] / z[i]) / (z[i] + 2)
        for i,j,k  y[k,j] += 3 (g[i,k] / c p[i,j] / z[i]) / w[i,j]
        for i,j,k  y[k,j] += g[i,k] p[i,j] / sqrt((z[i]**2 + 1) (v[j]**2 + 1)) / (h[k]**2 + 1)
    """,
    "scalings": "for i,j,k  L[i,j] -= s A[i,k] E[k,j] v[k] / 2",
    "valid": "for n,d,p,q,c,k,s  y[n,d,p,q] += w[d,c,k,s] x[n,c,p+k,q+s]",
    "steps": "for n,d,p,q,c,k,s  y[n,d,p,q] += w[d,c,k,s] x[n,c,2*p+k,3*q+s]",
    "channels last": "for n,p,q,d,c,k,s  y[n,p,q,d] += w[k,s,c,d] x[n,p+k,q+s,c]",
    "padded": """
        input x[N,C,H,W], w[D,C,S,S]
        for n, d, p < H, q < W, c, k, s: y[n,d,p,q] += w[d,c,k,s] x[n,c,pad(p+2*k-2),pad(q+s-1)]
    """,
    "padded and in steps": """
        input x[N,H], w[S]
        for n, p < (H + 1) // 2, k: y[n,p] += w[k] x[n,pad(2*p+k-1)]
    """,
    "shifted out": "for i < 8: y[i] = x[pad(i-2)] + 2 x[pad(i+9)]",
    "pooled": "for n,c,p,q  y[n,c,p,q] = max[k<2, s<2](x[n,c,2*p+k,2*q+s])",
    "overlapping pools": "for c,p  y[c,p] = max[k<3](x[c,p+k]) + mean[k<2](x[c,p+k])",
    "smallest of a few": "for c,p  y[c,p] = min[k<3 if k != 1](x[c,p+k])",
    "rows with repeats": """
        input E[R,D], w[N]: int
        for n,d  y[n,d] = E[w[n] % R,d]**2
    """,
    "cells with repeats": """
        input x[N], w[N]: int, v[N]: int
        dim z[2,3]
        for n  z[w[n] % 2,v[n] % 3] += x[n]
    """,
    "a bias inside": "for b,t,d,j  y[b,t,d] += M[d,j] relu(u[b,t,j] - a[j])",
    "a Gaussian kernel": "for i,j  y[i,j] = exp(-0.5 sum[k]((x[i,k] - z[j,k])**2))",
    "a difference summed": "for i,j,k  y[i,k] += S[i,j] (x[i,k] - z[j,k]) / 2",
}


def arrays(program: Any, dtype: type = np.float64, sizes: dict[str, int] = SIZES) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    found = {}
    for name, kind in {**program.inputs, **program.params}.items():
        shape = tuple(_size(str(e), sizes) for e in kind.shape)
        integer = kind.dtype == "int"
        found[name] = rng.integers(0, 9, shape) if integer else rng.normal(size=shape).astype(dtype)
    return found


def _size(dim: str, sizes: dict[str, int]) -> int:
    """Return the extent of a dim: by its own letter where the text has no other name for it."""
    return sizes.get(dim, sizes.get(dim[-1], 6))


def check(text: str, given: dict[str, Any], **tolerance: float) -> None:
    reference = loopc.compile(text, backend="reference")
    output = next(n for n, t in reference.outputs.items() if t.dtype == "float")
    expected = reference(given)
    seed = np.random.default_rng(1).normal(size=expected[output].shape)
    seed = seed.astype(expected[output].dtype)
    for opt in (1, 2):
        program = loopc.compile(text, opt=opt, loss=output)
        for key, value in expected.items():
            np.testing.assert_allclose(program(given)[key], value, **tolerance)
        grads = program.grad(given, seed=seed)
        for key, value in (
            loopc.compile(text, backend="reference", loss=output).grad(given, seed=seed).items()
        ):
            np.testing.assert_allclose(grads[key], value, **tolerance)


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_the_references(name: str) -> None:
    given = arrays(loopc.compile(PROGRAMS[name]))
    check(PROGRAMS[name], given, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["heads", "valid", "padded", "pooled", "a Gaussian kernel"])
def test_float32_stays_float32(name: str) -> None:
    program = loopc.compile(PROGRAMS[name])
    given = arrays(program, np.float32)
    output = next(iter(program.outputs))
    seed = np.ones(program(given)[output].shape, np.float32)
    results = {**program(given), **program.grad(given, seed=seed)}
    assert {v.dtype for v in results.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", ["heads", "sum over heads", "batch in the middle", "padded"])
def test_nothing_is_a_size_like_any_other(name: str) -> None:
    program = loopc.compile(PROGRAMS[name])
    for missing in ("B", "N", "D", "H"):
        given = arrays(program, sizes={**SIZES, missing: 0})
        check(PROGRAMS[name], given, rtol=1e-11, atol=1e-12)


QUOTIENT = "input p[I,J], g[I,K], z[I]\nfor i, j, k{}: y[j,k] += g[i,k] p[i,j] / z[i]\n"


@pytest.mark.parametrize("divisor", [2.0, 1e-310, 0.0, np.inf, np.nan])
@pytest.mark.parametrize("guard", ["", " if j <= i"])
def test_quotients_in_products_are_those_that_are_written(divisor: float, guard: str) -> None:
    given = arrays(loopc.compile(QUOTIENT.format(guard)))
    given["z"][1] = divisor
    given["g"] /= 99
    expected = loopc.compile(QUOTIENT.format(guard), backend="reference")(given)
    for opt in (1, 2):
        found = loopc.compile(QUOTIENT.format(guard), opt=opt)(given)
        np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-11)


@pytest.mark.parametrize("dtype", ["int8", "int64", "float32"])
def test_a_product_of_integers_wraps_round_before_it_is_divided(dtype: str) -> None:
    rng = np.random.default_rng(0)
    given = {n: (40 * rng.integers(1, 4, s)).astype(dtype) for n, s in (("p", (4, 3)), ("z", 4))}
    given["g"] = given["p"][:, :2]
    expected = loopc.compile(QUOTIENT.format(""), backend="reference")(given)["y"]
    for opt in (1, 2):
        found = loopc.compile(QUOTIENT.format(""), opt=opt)(given)["y"]
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        QUOTIENT.format(""),
        QUOTIENT.format(" if j <= i"),
        "for i,j,k  y[i,k] += A[i,j] x[j,k] / sqrt(g[i] g[j])",
    ],
)
def test_a_quotient_of_a_product_is_not_spread_out(text: str) -> None:
    """A weighted mean and its gradients: arrays have no cell for each term but to be exact."""
    source = loopc.compile(text, loss="y").source
    lines = [line.split("lambda: ")[0].split(" else ")[0] for line in source.splitlines()]
    spread = [line for line in lines if "[:, None, :]" in line or "[:, :, None]" in line]
    assert all("[...] = " in line for line in spread)
    assert source.count("@") + source.count("np.matmul(") >= 4


def test_many_rows_at_once_are_added_in_order() -> None:
    text = PROGRAMS["rows with repeats"]
    rng = np.random.default_rng(2)
    given = {"E": rng.normal(size=(40, 3)), "w": np.minimum(rng.zipf(1.3, 500), 1000)}
    program = loopc.compile(text)
    seed = rng.normal(size=(500, 3))
    expected = np.zeros_like(given["E"])
    row = given["w"] % 40
    np.add.at(expected, row, seed * 2 * given["E"][row])
    np.testing.assert_array_equal(program.grad(given, seed=seed)["E"], expected)


def test_what_is_not_finite_is_computed_as_it_is_written() -> None:
    for name in ("a Gaussian kernel", "a difference summed"):
        given = arrays(loopc.compile(PROGRAMS[name]))
        given["x"][1, 0], given["z"][2, 1] = np.inf, -np.inf
        check(PROGRAMS[name], given, rtol=1e-11, atol=1e-12)


def test_distances_that_are_read_elsewhere_stay_exact() -> None:
    text = "for i,j  y[i,j] = sqrt(sum[k]((x[i,k] - z[j,k])**2))"
    x = np.random.default_rng(0).normal(size=(5, 3)) + 1e6
    assert (np.diag(loopc.compile(text)(x=x, z=x)["y"]) == 0).all()


@pytest.mark.parametrize("name", ["heads", "sum over heads", "batch in the middle", "valid"])
def test_a_product_of_two_is_one_matmul(name: str) -> None:
    source = loopc.compile(PROGRAMS[name]).source
    forward = source[source.index("def _forward") : source.index("def forward")]
    assert forward.count(" @ ") == 1
    assert "einsum" not in source


def test_the_gradient_of_a_bias_is_a_sum_of_a_gradient() -> None:
    source = loopc.compile(PROGRAMS["a bias inside"]).source
    assert "a.grad[j] -= u.grad[b,t,j]" in source


def test_a_layer_under_the_loops_of_a_batch_has_one_cell_a_point() -> None:
    text = """
        use nn
        input x[B,T,C], y[B,T]: int
        for b,t  L += cross_entropy(x[b,t,:], y[b,t])
        output L
    """
    assert "[b,t,b,t]" not in str(loopc.compile(text).adjoint)


def test_the_order_of_a_chain_follows_the_extents_of_the_call() -> None:
    program = loopc.compile(PROGRAMS["a chain"])
    rng = np.random.default_rng(0)
    for first, second in ((2, 9), (300, 9), (2, 300)):
        given = {
            "A": rng.normal(size=(first, 20)),
            "E": rng.normal(size=(20, 20)),
            "F": rng.normal(size=(20, second)),
        }
        expected = given["A"] @ given["E"] @ given["F"]
        np.testing.assert_allclose(program(given)["L"], expected, rtol=1e-12)
    sources = {r.source for r in program._runnables.values()}
    assert {s.partition("L = ")[2].partition("\n")[0] for s in sources} == {
        "(A @ E) @ F",
        "A @ (E @ F)",
    }


@pytest.mark.parametrize(
    "term", ["a[n,i] b[n,j]", "(a[n,i] - m[i]) (b[n,j] - m[j])", "a[n,i] a[n,j]"]
)
@pytest.mark.parametrize("count", [5, 1, 0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_a_mean_of_products_is_a_sum_of_products(term: str, count: int, dtype: type) -> None:
    text = f"input a[N,I], b[N,I], m[I]\nfor i,j  y[i,j] = mean[n]({term})\n"
    rng = np.random.default_rng(0)
    shapes = {"a": (count, 3), "b": (count, 3), "m": (3,)}
    given = {n: rng.integers(-4, 5, s).astype(dtype) for n, s in shapes.items() if n in term}
    text = text if "m" in given else text.replace(", m[I]", "")
    given.setdefault("b", np.zeros((count, 3), dtype))
    expected = loopc.compile(text, backend="reference")(given)["y"]
    found = loopc.compile(text)(given)["y"]
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    forward = loopc.compile(text).source.partition("def _value_and_grad")[0]
    assert " @ " in forward or "np.matmul" in forward


def test_a_batch_of_one_stays_a_batch() -> None:
    text = """
        input x[N,M], p[N]: int, w[K]
        for k < K, a < N, c < K: y[a,pad(2*a-1)] -= cumsum[c < K, a < N](x[p[p[a]],clamp(k)])
        dim y[N,N]
    """
    given = {"x": np.array([[2.0, 3.0]]), "p": np.array([0]), "w": np.zeros(2)}
    program = loopc.compile(text)
    fast = program.specialize(given)
    expected = loopc.compile(text, backend="reference")(given)["y"]
    np.testing.assert_array_equal(fast(*(given[n] for n in fast.inputs))["y"], expected)


RECURRENT = """
input x[T,B,H]
param U[H,H], V[H,H]
for t < T, b, j: h[t+1,b,j] = tanh(x[t,b,j] + sum[k](U[j,k] h[t,b,k]) + sum[k](V[k,j] h[t,b,k]))
"""


def test_a_transposed_weight_is_copied_once_in_front_of_a_serial_loop() -> None:
    forward, _, both = loopc.compile(RECURRENT).source.partition("def _value_and_grad")
    assert forward.count("U_T = np.ascontiguousarray(U.T)") == 1
    assert "@ U_T" in forward
    assert "V_T" not in forward
    assert both.count("V_T = np.ascontiguousarray(V.T)") == 1  # its adjoint multiplies by it


def test_a_weight_that_changes_in_a_loop_is_not_copied_in_front_of_it() -> None:
    text = RECURRENT.replace("for t < T, b, j: h", "for t < T:\n    for b, j: h")
    text += "    for j, k: U[j,k] -= 0.1 h[t+1,0,j] h[t,0,k]\noutput h, U\n"
    program = loopc.compile(text)
    assert "U_T" not in program.source
    rng = np.random.default_rng(0)
    arrays = {"x": rng.standard_normal((4, 2, 3)), "U": rng.standard_normal((3, 3))}
    arrays["V"] = rng.standard_normal((3, 3))
    expected = loopc.compile(text, backend="reference")(arrays)
    np.testing.assert_allclose(program(arrays)["h"], expected["h"], rtol=1e-12)

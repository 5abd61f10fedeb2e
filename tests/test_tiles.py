"""Tiles: programs whose steps run block by block, in blocks as small as can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import loopc
from fuzz.judge import judge
from fuzz.programs import Case
from loopc.api.samples import samples
from loopc.backends.numpy import helpers
from loopc.ir.dtypes import INTEGER
from loopc.ir.nodes import Const, Extent
from loopc.ir.unbuild_expr import expr_text
from loopc.lower.blocks import extents
from loopc.lower.plan import Assign, Range, Renamed
from programs_shrunk import PROGRAMS
from support import TESTS

CORPUS = sorted((TESTS / "corpus").glob("*.loops"))

LIMITS = (1, 40)
"""Bytes of a block: one point of the shared indices, and a few."""


@pytest.fixture(params=LIMITS)
def small_blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for parameter, value in (("limit", request.param), ("run", 1)):
        small = helpers.with_default("_blocks", parameter, value)
        assert small != helpers.HELPERS["_blocks"]
        monkeypatch.setitem(helpers.HELPERS, "_blocks", small)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_blocks_of_any_size_give_the_references_values(path: Path) -> None:
    text = path.read_text()
    program = loopc.compile(text)
    arrays = samples(program, {}, {}, seed=3)
    expected = loopc.compile(text, backend="reference")(arrays)
    for name, value in program(arrays).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", PROGRAMS)
def test_shrunk_programs_in_blocks_of_any_size(name: str) -> None:
    text, arrays = PROGRAMS[name]
    verdict = judge(Case(text, arrays), ("opt2",))
    assert (verdict.kind, verdict.reason) == ("ok", ""), verdict.detail


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_gradients_by_blocks_are_those_of_plain_operations(path: Path) -> None:
    plain, fast = (loopc.compile(path.read_text(), opt=opt) for opt in (0, 2))
    try:
        plain.loss  # noqa: B018 - not every program has one
    except loopc.LoopcError:
        return
    if not plain.wrt or plain.ir.array(plain.loss).shape:
        return
    arrays = samples(plain, {}, {}, seed=3)
    expected = plain.grad(arrays)
    for name, value in fast.grad(arrays).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-10, atol=1e-12, err_msg=name)


def test_layers_and_attention_are_one_loop_over_blocks() -> None:
    text = """
        input x[N,D], g[D], b[D]
        for n    m[n] = mean[d](x[n,d])
        for n    v[n] = mean[d]((x[n,d] - m[n])**2)
        for n,d  y[n,d] = (x[n,d] - m[n]) / sqrt(v[n] + 1e-5) g[d] + b[d]
        for n,d  z[n,d] = softmax[d](gelu(y[n,d]))
        output z
    """
    assert loopc.compile(text).source.count("_blocks((") == 2  # the forward pass, and both


@pytest.mark.usefixtures("small_blocks")
def test_a_block_that_is_kept_is_read_backwards() -> None:
    text = (
        "output t, y\nfor i,j: t[i,j] = exp(x[i,j])\n"
        "for i < N, j < M: y[i,j] = sum[k < K](tanh(t[i,M-1-j] + 0*k)) + i\ninput x[N,M], w[K]\n"
    )
    arrays = {"x": np.linspace(-1, 1, 15).reshape(5, 3), "w": np.ones(4)}
    expected = loopc.compile(text, backend="reference")(arrays)
    np.testing.assert_allclose(loopc.compile(text)(arrays).y, expected.y, rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("far", [1.0, 1e200, np.inf, np.nan])
def test_distances_in_blocks_are_made_anew_where_they_overflow(far: float) -> None:
    text = """
        input w[I,J]
        param x[I,K], y[J,K]
        for i,j  L += w[i,j] exp(-sum[k]((x[i,k] - y[j,k])**2) / 1e3)
    """
    rng = np.random.default_rng(5)
    arrays = {n: rng.random(s) for n, s in (("w", (5, 4)), ("x", (5, 2)), ("y", (4, 2)))}
    arrays["x"][3, 1] = far
    program = loopc.compile(text)
    assert "_finite(" in program.source
    found, gradients = program.value_and_grad(arrays)
    plain = loopc.compile(text, backend="reference")
    expected, slopes = plain.value_and_grad(arrays)
    np.testing.assert_allclose(found.L, expected.L, rtol=1e-12)
    for name in ("x", "y"):
        np.testing.assert_allclose(gradients[name], slopes[name], rtol=1e-10, atol=1e-14)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("few", [0, 1 << 20])
def test_no_nan_gets_through_a_condition(
    dtype: type, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(helpers.HELPERS, "_kept", helpers.with_default("_kept", "few", few))
    text = (
        "input x[N,D], G[N,D]\noutput y\n"
        "for n,d: y[n,d] = where(x[n,d] > 0, 2 G[n,d], 0) + where(x[n,d] > 0, 0, 1 + G[n,d])\n"
    )
    x = np.array([[1, -1], [-1, 1], [np.nan, 0]], dtype)
    G = np.array([[np.nan, 2], [np.inf, -np.inf], [3, -0.0]], dtype)
    program = loopc.compile(text)
    assert "_kept(" in program.source
    reference = loopc.compile(text, backend="reference")
    for each in (x, x * 0, x * 0 + 1):
        expected = reference({"x": each, "G": G})
        np.testing.assert_array_equal(program({"x": each, "G": G}).y, expected.y)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    "body",
    [
        "for k < 2: s += sum[i if s < 2 p[i] + x[i]](x[i] s abs(x[i]) + p[i])",
        "for k < 2: s += sum[i](x[i] tanh(x[i] + s) abs(p[i] - s) - p[i] s)",
    ],
)
def test_a_sum_that_reads_what_it_is_added_to_is_taken_as_a_whole(body: str) -> None:
    text = f"input x[N], p[N], s\noutput s\n{body}\n"
    arrays = {"x": np.arange(5.0) - 2.5, "p": np.array([2.0, -1, 0, 1, 3]), "s": np.array(1.5)}
    found = loopc.compile(text)(arrays)
    expected = loopc.compile(text, backend="reference")(arrays)
    np.testing.assert_allclose(found.s, expected.s, rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(("op", "by"), [("mean", "1"), ("sum", "(K - min(j, K))")])
def test_a_mean_of_nothing_is_nan_in_blocks_too(op: str, by: str) -> None:
    text = f"""
        input x[K], w[M]
        for j < M:
            s = {op}[k in range(min(j, K), K)](tanh(x[k] w[j]) exp(x[k]) abs(x[k] - 1) x[k]) / {by}
            y[j] = s + s
        for j  y[j] *= s
        output y
    """
    arrays = {"x": np.arange(4.0) - 1.5, "w": np.arange(6.0)}
    found, expected = (loopc.compile(text, backend=b)(arrays).y for b in ("numpy", "reference"))
    assert np.isnan(expected[5])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
def test_a_vector_times_a_block_goes_into_a_buffer() -> None:
    text = """
        for b, s, a  e[b,s] += v[a] tanh(x[b,s,a])
        for b, s     y[b,s] = softmax[s](e[b,s])
        output y
    """
    rng = np.random.default_rng(0)
    given = {"v": rng.standard_normal(4), "x": rng.standard_normal((3, 5, 4))}
    terms = np.exp(np.tanh(given["x"]) @ given["v"])
    expected = terms / terms.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(loopc.compile(text)(given)["y"], expected, rtol=1e-12)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("divisor", [3.0, 1e-310, 0.0, np.inf, np.nan])
def test_a_sum_of_quotients_is_a_product_or_made_anew(divisor: float) -> None:
    text = """
        output g, h
        for n,d  u[n,d] = tanh(a[n,d])
        for n,d  g[d] += u[n,d] b[n,d] / r[n]
        for n    h[n] = sum[d](u[n,d] b[n,d] w[d])
    """
    rng = np.random.default_rng(0)
    arrays = {n: rng.random(s) / 99 for n, s in (("a", (5, 3)), ("b", (5, 3)), ("w", 3))}
    arrays["r"] = np.array([1.0, 2.0, divisor, 4.0, 0.5])  # 1 / 1e-310 is no double
    program = loopc.compile(text)
    found, expected = program(arrays), loopc.compile(text, backend="reference")(arrays)
    assert "np.divide(1, " in program.source
    assert np.isfinite(expected.g).all() == (divisor != 0 and not np.isnan(divisor))
    for name in ("g", "h"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)


PIECES = ("2*m", "2*m+1", "m", "m+1", "m+M")


def random_pieces(rng: np.random.Generator) -> str:
    """Return a program that writes and reads pieces of rows, which overlap, of two arrays."""
    lines = ["input x[N,M], w[N,M]", "dim t[N,2*M+1], u[N,2*M+1]"]
    for _ in range(int(rng.integers(4, 9))):
        own, other = rng.permutation(["t", "u"])
        at, first, second = (str(rng.choice(PIECES)) for _ in range(3))
        op = str(rng.choice(["=", "+=", "max="]))
        value = f"{other}[n,{first}] x[n,m] + w[n,m] {other}[n,{second}]"
        if rng.random() < 0.4:
            value = str(rng.choice(["x[n,m]", "sin(w[n,m]) + x[n,m]", f"{other}[n,{first}]"]))
        lines.append(f"for n, m < M: {own}[n,{at}] {op} {value}")
        if rng.random() < 0.3:
            lines.append(f"for n, j < 2*M: {other}[n,j] = {own}[n,j] + 1")
    lines += ["for n, j < 2*M+1: y[n,j] = t[n,j] - u[n,j]", "for n, j < 2*M+1: L += t[n,j] u[n,j]"]
    return "\n".join(lines)


@pytest.mark.filterwarnings("ignore:warning.L0334")
@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("seed", range(12))
def test_pieces_of_rows_are_written_and_read_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = random_pieces(rng)
    given = {n: rng.standard_normal((3, 4)) for n in ("x", "w")}
    expected = loopc.compile(text, backend="reference")(given)
    for name, value in loopc.compile(text)(given).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-10, err_msg=f"{name}\n{text}")


POOLS = {
    "apart": "y[n,c,p] = max[k<2](a[n,c,2*p+k])",
    "overlapping": "y[n,c,p] = max[k<3](a[n,c,2*p+k])",
    "mean": "y[n,c,p] = mean[k<2](a[n,c,2*p+k])",
}


def pooled(kind: str) -> str:
    return f"""
        input x[N,C,W], G[N,D,P]
        param w[D,C,K]
        for n, c, q, i, k  a[n,c,q] += w[c,i,k] x[n,i,q+k]
        for n, c, p        {POOLS[kind]}
        for n, c, p        L += y[n,c,p] G[n,c,p]
        output L
    """


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("sizes", [(3, 2, 10, 4, 3), (1, 1, 6, 1, 1), (0, 2, 10, 4, 3)])
def test_a_pool_and_its_gradient_run_in_the_tile_of_the_convolution(
    kind: str, sizes: tuple[int, ...]
) -> None:
    n, c, w, d, p = sizes
    rng = np.random.default_rng(0)
    shapes = {"x": (n, c, w), "G": (n, d, p), "w": (d, c, 3)}
    given = {k: rng.integers(-3, 4, s).astype(np.float32) for k, s in shapes.items()}
    fast, judge = (
        loopc.compile(pooled(kind), wrt=("x", "w"), **how)
        for how in ({"threads": 2}, {"backend": "reference"})
    )
    expected = judge.grad(given)
    for name, value in fast.grad(given).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-5, err_msg=name)
    (made,) = fast._runnables.values()
    assert n == 0 or kind == "mean" or made.source.count(" _tile(\n") == 1


@pytest.mark.usefixtures("small_blocks")
def test_an_array_is_made_by_those_who_read_it_and_lies_block_by_block() -> None:
    text = """
        input x[N,D]
        param mu[K,D], q[K,D], l[K,D,D]
        for n, k, i     z[n,k,i] += exp(q[k,i]) (x[n,i] - mu[k,i])
        for n, k, i, j if j < i:  z[n,k,i] += l[k,i,j] (x[n,j] - mu[k,j])
        for n, k        e[n,k] = sum[i](q[k,i]) - 0.5 sum[i](z[n,k,i]**2)
        for n           L += logsumexp[k](e[n,k])
    """
    rng = np.random.default_rng(0)
    shapes = {"x": (7, 6), "mu": (5, 6), "q": (5, 6), "l": (5, 6, 6)}
    given = {k: rng.standard_normal(s) for k, s in shapes.items()}
    fast, plain = loopc.compile(text, threads=2), loopc.compile(text, opt=0)
    expected = plain.grad(given)
    for name, value in fast.grad(given).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-10, err_msg=name)
    (made,) = fast._runnables.values()
    assert "z = np.empty((K, N, D), dtype).transpose(1, 0, 2)" in made.source
    assert "z_grad =" not in made.source


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("for i,j  y[i,j] = exp(A[i,j]) / sum[k](exp(A[i,k]))\n", "i"),
        ("for i,j  y[i,j] = A[i,j] / sum[j](exp(A[i,j]))\nfor i,j  z[i,j] = tanh(y[i,j])\n", "i"),
        ("for i,j  y[i,j] = exp(A[i,j]) exp(sum[k](exp(A[j,k])))\n", "i"),
        ("for i,j  y[i,j] = exp(A[i,j]) tanh(A[j,i])\n", "i, j"),
        ("for i,j  y[i,j] = exp(-sum[k]((A[i,k] - A[j,k])**2)) / sum[k](A[i,k]**2)\n", "i, j"),
    ],
)
def test_no_block_makes_a_sum_anew_that_a_larger_block_needs_once(text: str, shared: str) -> None:
    program = loopc.compile(text)
    A = np.random.default_rng(0).standard_normal((6, 6))
    expected = loopc.compile(text, backend="reference")({"A": A})
    for name, value in program({"A": A}).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-12, err_msg=name)
    assert f"in blocks of {shared}, whose" in program.source


EXCITING = """
    input t[N], a, b
    for i  s[i] = sum[j if j < i](exp(-b (t[i] - t[j])))
    for i  L += log(1 + a s[i]) - a / b (1 - exp(-b t[i]))
"""
"""A self-exciting process (Hawkes): `b.grad` has two sums, of points and of pairs."""


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("special", [0.5, np.inf, np.nan])
def test_sums_of_points_and_pairs_in_one_tile(special: float) -> None:
    given = {"t": np.array([0.1, 0.4, special, 1.1, 1.7, 2.9]), "a": 0.5, "b": 1.5}
    program = loopc.compile(EXCITING, wrt=("a", "b"), loss="L")
    expected = loopc.compile(EXCITING, wrt=("a", "b"), loss="L", backend="reference").grad(given)
    for name, value in program.grad(given).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-12, err_msg=name)


def test_what_is_computed_of_pairs_is_no_array_but_a_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"t": np.linspace(0.1, 9, 64), "a": 0.5, "b": 1.5}
    program = loopc.compile(EXCITING, wrt=("a", "b"), loss="L")
    program.grad(given)
    cells, exp = [], np.exp
    counted = lambda x, **to: cells.append(np.size(x)) or exp(x, **to)  # noqa: E731
    monkeypatch.setattr(np, "exp", counted)
    program.grad(given)
    assert sum(cells) == 64 * 64 + 64


@pytest.mark.parametrize(("step", "size"), [(1, "M"), (-1, "M+1"), (2, "(M+1)//2")])
def test_the_size_of_an_axis_that_an_index_alone_has(step: int, size: str) -> None:
    start, stop = (Extent("M"), Const(-1)) if step < 0 else (Const(0), Extent("M"))
    turned = Renamed(Range(start, stop, step, ("b",)), "b", "j", ("j",))
    found = extents(Assign("y", turned, ("j",), INTEGER, cast=False, fresh=True))
    assert {axis: expr_text(e) for axis, e in found.items()} == {"b": size, "j": size}

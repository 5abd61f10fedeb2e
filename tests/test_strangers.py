"""What programs written from the page alone came upon: integers of floats, parts of arrays."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import loopc

LEVELS = [{"opt": 0}, {"opt": 1}, {"opt": 2}, {"backend": "reference"}]


@pytest.fixture(params=LEVELS, ids=str)
def level(request: pytest.FixtureRequest) -> dict:
    return request.param


@pytest.mark.parametrize(
    ("text", "arrays"),
    [
        ("for k: y[k] = x[floor(g[k])]\n", {"x": np.ones(3), "g": [0.5, np.nan]}),
        ("for k: y[k] = x[clamp(floor(g[k]))]\n", {"x": np.ones(3), "g": [0.5, np.inf]}),
        ("for k: y[k] = x[pad(int(g[k]))]\n", {"x": np.ones(3), "g": [0.5, -1e300]}),
        ("for i, j < ceil(g[i]): y[i] += j\n", {"g": [1.5, np.nan]}),
        ("input n[N]: int, m[N]: int\nfor i: y[i] = n[i]**m[i]\n", {"n": [2], "m": [-1]}),
        ("for i < 3: y[i] = 2**(1-i)\n", {}),
    ],
)
def test_what_is_no_integer_is_an_error_with_its_place(
    level: dict, text: str, arrays: dict
) -> None:
    program = loopc.compile(text, **level)
    with pytest.raises(loopc.BoundsError) as caught:
        program(arrays)
    assert caught.value.code == "L0233"
    assert caught.value.span is not None


def test_masked_points_are_not_looked_at(level: dict) -> None:
    text = (
        "input m[N]: int, g[N], x[K]\n"
        "for i if m[i] >= 0: a[i] = 2**m[i]\n"
        "for i: b[i] = where(m[i] < 0, 0, 3**m[i])\n"
        "for i if g[i] == g[i]: c[i] = x[floor(g[i])]\n"
        "for i: d[i] = sum[k < 2 if k == m[i]](2**m[i])\n"
    )
    found = loopc.compile(text, **level)(m=[1, -1, 0], g=[0.5, np.nan, 1.0], x=[5.0, 7.0])
    assert found.a.tolist() == [2, 0, 1]
    assert found.b.tolist() == [3, 0, 1]
    assert found.c.tolist() == [5, 0, 7]
    assert found.d.tolist() == [2, 0, 1]


def test_arithmetic_round_a_whole_number_is_that_of_integers(level: dict) -> None:
    text = "input x[N], g[K]\nfor k: y[k] = x[floor(g[k]) + 2**25 - 2**25]\n"
    found = loopc.compile(text, **level)(
        x=np.arange(3, dtype=np.float32), g=np.array([1.5, 2.0], np.float32)
    )
    assert found.y.tolist() == [1, 2]  # in float32 they would be 0 and 2


def test_the_size_of_a_complex_number_is_a_float_of_its_width(level: dict) -> None:
    text = "input z[N]: complex, x[N]\nfor i: r[i] = abs(z[i]) + x[i]\nfor i: s[i] = abs(z[i])\n"
    narrow = np.array([3 + 4j], np.complex64)
    found = loopc.compile(text, **level)(z=narrow, x=np.ones(1, np.float32))
    assert (found.r.dtype, found.s.dtype) == (np.float32, np.float32)
    assert found.r.tolist() == [6]
    wide = loopc.compile(text, **level)(z=narrow, x=np.ones(1))
    assert wide.r.dtype == np.float64


def test_assigned_inputs_are_returned(level: dict) -> None:
    text = "input m[N], g[N], w[N]\nfor i  m[i] = 0.5 m[i] + g[i]\nfor i  w[i] -= m[i]\n"
    found = loopc.compile(text, **level)(m=[2.0], g=[1.0], w=[3.0])
    assert {n: v.tolist() for n, v in found.items()} == {"m": [2.0], "w": [1.0]}


def test_a_gradient_that_is_zero_has_the_type_of_its_array(level: dict) -> None:
    program = loopc.compile("input A[N], r[N]\nfor i  q[i] = 2 r[i]\n", **level)
    ones = np.ones(2, np.float32)
    found = program.vjp({"A": ones, "r": ones}, {"q": ones})
    assert found["A"].dtype == np.float32
    assert found["A"].tolist() == [0, 0]


def test_a_dim_that_the_adjoint_does_not_need_may_be_given(level: dict) -> None:
    program = loopc.compile("dim S\nfor s < S: p[s] = s\nfor i  L += x[i]**2\n", **level)
    assert program.grad(x=[1.0], S=3)["x"].tolist() == [2.0]


def test_a_derived_program_takes_what_its_program_takes(level: dict) -> None:
    text = "input a[N], b[N]\nfor i  L += a[i]**2\nfor i  z[i] = sin(b[i])\noutput L, z\n"
    program = loopc.compile(text, wrt=["a"], loss="L", **level)
    given = {"a": np.array([1.0, 2.0], np.float32), "b": np.ones(2, np.float32)}
    assert program.adjoint(given)["a.grad"].tolist() == [2, 4]
    assert program.tangent({**given, "a.dot": given["b"]})["L.dot"] == 6
    assert program.adjoint.specialize(given)(given["a"])["a.grad"].tolist() == [2, 4]
    with pytest.raises(loopc.LoopcError, match="L0702"):
        program.adjoint({**given, "c": 1.0})
    dots = program.jvp(given, {"a": given["b"]})
    assert dots.z.tolist() == [0, 0]
    assert {n: str(t.dtype) for n, t in dots.items()} == {"L": "float32", "z": "float32"}


def test_a_module_keeps_the_width_of_its_floats(tmp_path: Path) -> None:
    """Floats of two declared widths keep them; others that are given take the wider one."""
    lines = "for i  y[i] = a[i] b[i]\nfor i  z[i] = a[i]**2\nfor i  L += y[i] b[i]\n"
    narrow, wide = np.array([1.5, 2.0], np.float32), np.array([0.1, 0.2])
    for declared, kinds in (("input a[N]: float32, b[N]: float64\n", "84"), ("", "88")):
        program = loopc.compile(declared + lines, loss="L", outputs=["y", "z"])
        program.save(tmp_path / "m.py")
        module = runpy.run_path(str(tmp_path / "m.py"))
        found = module["forward"](a=narrow, b=wide)
        assert [found[n].dtype.itemsize for n in "yz"] == [int(k) for k in kinds]
        np.testing.assert_array_equal(found["y"], program(a=narrow, b=wide).y)
        gradient = module["value_and_grad"](a=narrow, b=wide)[1]["b"]
        assert gradient.dtype == np.float64
        np.testing.assert_allclose(gradient, program.grad(a=narrow, b=wide).b, rtol=1e-12)


def test_a_sum_in_front_of_a_sum_prints_as_it_reads() -> None:
    text = "input s[N], g\nfor i  y += logaddexp(s[i] + g, logaddexp(s[i] - g, g))\n"
    adjoint = str(loopc.compile(text).adjoint)
    assert str(loopc.compile(adjoint)) == adjoint


def test_a_range_that_another_follows_is_not_taken_for_a_whole_axis(level: dict) -> None:
    text = "input A[N,N]\nfor j, i in range(j+1, N): t[j] += A[i,j]\nfor j < N-1: u[j] = t[j]\n"
    assert loopc.compile(text, **level)(A=np.ones((3, 3))).u.tolist() == [2, 1]


def test_the_gradient_of_a_part_of_an_array_runs_over_the_part(level: dict) -> None:
    text = (
        "input a[N], b[M]\nfor i  y[i] = a[i]\nfor j  y[N+j] = b[j]\n"
        "for k < N+M: L += (k + 1) y[k]**2\n"
    )
    found = loopc.compile(text, **level).grad(a=[1.0, 2.0], b=[3.0])
    assert {n: v.tolist() for n, v in found.items()} == {"a": [2, 8], "b": [18]}


@pytest.mark.parametrize(
    "text", ["for i < N: y[i] = x[i]\n", "dim N = 3\ninput x[N]\nfor i  y[i] = x[i]\n"]
)
def test_a_dim_that_is_stated_must_fit_the_arrays(level: dict, text: str) -> None:
    program = loopc.compile(text, **level)
    assert program(x=[1.0, 2.0, 3.0], N=3).y.tolist() == [1, 2, 3]
    with pytest.raises(loopc.ShapeError, match="axis 1 of `x` is 5 long; `N` is 3"):
        program(x=np.ones(5), N=3)


@pytest.mark.parametrize("statement", ["t[p[i] % 1] += 1", "t[0*i] = p[i]", "t[i//3] max= p[i]"])
def test_a_subscript_that_is_always_0_moves_along_nothing(level: dict, statement: str) -> None:
    text = f"input p[3]: int\ndim t[1]\nfor i < 3: {statement}\n"
    assert loopc.compile(text, **level)(p=[1, 2, 3]).t.tolist() == [3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("input x[N]\ny = 1 / N\n", np.inf),
        ("input x[N]\ny = (1 / N)**2 - 0.5 / N\n", np.nan),
        ("input x[N]\ny = 0.0**(N-1) + 10.0**(400*(N+1))\n", np.inf),
        ("dim h[4]\nh[0] = 1\nfor t < 3: h[t+1] = exp(-h[t]) + 1 / (t - 1)**2\ny = h[2]\n", np.inf),
        ("dim h[4]\nh[0] = 1\nfor t < 3: h[t+1] = h[t] + 10 // t + 7 % t\ny = h[3]\n", 17),
        ("y = 2**70\n", 0),
    ],
)
def test_numbers_that_are_no_arrays_follow_ieee_too(
    level: dict, text: str, expected: float
) -> None:
    found = loopc.compile(text, **level)({"x": np.ones(0)} if "x[" in text else {})
    np.testing.assert_allclose(found.y, expected)


def test_an_empty_array_is_one_of_integers_too(level: dict) -> None:
    program = loopc.compile(
        "input p[K]: int, on[K]: bool, x[N]\nfor k  y[k] = x[p[k]] on[k]\n", **level
    )
    nothing = np.array([])
    assert program(p=nothing, on=nothing, x=np.ones(2)).y.shape == (0,)


def test_positions_of_no_rows_are_none(level: dict) -> None:
    text = "for a  k[a] = argmax[b](s[a,b])\nfor a  y[a] = s[a,argmin[b if b > 0](s[a,b])]\n"
    found = loopc.compile(text, **level)(s=np.ones((0, 3)))
    assert (found.k.shape, found.y.shape) == ((0,), (0,))


def test_rows_of_a_ragged_array_are_assigned(level: dict) -> None:
    text = (
        "input ptr[P]: int, val[E]\ndim q[E]\n"
        "for s < P-1, e in range(ptr[s], ptr[s+1]): z[s] += val[e]\n"
        "for s < P-1, e in range(ptr[s], ptr[s+1]): q[e] = val[e] / z[s]\n"
    )
    found = loopc.compile(text, **level)(ptr=[0, 2, 2, 3], val=[1.0, 3.0, 5.0])
    assert found.q.tolist() == [0.25, 0.75, 1]


@pytest.mark.parametrize("mode", ["clamp", "wrap", "reflect"])
def test_an_axis_without_cells_has_no_nearest_one(level: dict, mode: str) -> None:
    program = loopc.compile(f"input s[A,B]\nfor a, i < 3: y[a,i] = s[a,{mode}(i)]\n", **level)
    with pytest.raises(loopc.BoundsError):
        program(s=np.ones((2, 0)))
    assert program(s=np.ones((0, 0))).y.shape == (0, 3)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize(
    ("loops", "at", "size"),
    [
        ("i, j <= i", "i*(i+1)//2 + j", lambda n: n * (n + 1) // 2),
        ("i, j if j <= i", "i*(i+1)//2 + j", lambda n: n * (n + 1) // 2),
        ("i in range(1, N), j < i", "i*(i-1)//2 + j", lambda n: n * (n - 1) // 2),
        ("i, j in range(i, N)", "i*(2*N-i-1)//2 + j", lambda n: n * (n + 1) // 2),
        ("i, j in range(i, N)", "i*N - i*(i+1)//2 + j", lambda n: n * (n + 1) // 2),
        ("i, j if i <= j", "(j**2 + j)//2 + i", lambda n: n * (n + 1) // 2),
    ],
)
def test_a_packed_triangle_is_as_long_as_it_is_written(
    level: dict, loops: str, at: str, size: Callable[[int], int], n: int
) -> None:
    """The bound of a polynomial is what it takes at an end, not the sum of what its terms do."""
    text = f"input A[N,N]\nfor {loops}: v[{at}] = A[i,j]\nfor {loops}: s += v[{at}] A[i,j]\n"
    a = np.arange(1.0, n * n + 1).reshape(n, n)
    found = loopc.compile(text, outputs=["v", "s"], **level)(A=a)
    assert found.v.shape == (size(n),)
    assert (found.v > 0).all()
    assert found.s == (found.v**2).sum()


def test_terms_that_grow_against_each_other_do_not_lengthen_an_array(level: dict) -> None:
    program = loopc.compile("for i < 4: q[i + (3-i)//2] = 1\n", **level)
    assert program().q.tolist() == [0, 1, 1, 1]


RANGES = [(a, b, s) for a in (0, 2, 7) for b in (0, 3, 8) for s in (1, 3, 9, -1, -2)]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_step_may_be_any_number_that_a_call_gives(level: dict, *, backwards: bool) -> None:
    text = """
input a: int, b: int, s: int, x[N]
output n, z, t
for k in range(a, b, s):
    n += 1
    z = 2 z + x[k]
t = sum[k in range(a, b, s)](k x[k])
"""
    if backwards:
        text = text.replace("range(a, b, s)", "reversed(range(a, b, s))")
    program = loopc.compile(text, **level)
    x = np.arange(1.0, 9)
    for a, b, s in RANGES:
        found = program(a=a, b=b, s=s, x=x)
        z = 0.0
        order = range(a, b, s)
        for k in reversed(order) if backwards else order:
            z = 2 * z + x[k]
        assert (found.n, found.z, found.t) == (len(order), z, sum(k * x[k] for k in order))
    with pytest.raises(loopc.ShapeError, match="L0213"):
        program(a=0, b=3, s=0, x=x)


def test_a_step_may_follow_an_index(level: dict) -> None:
    sieve = """
for n < N: p[n] = n >= 2
for i in range(2, N) if p[i] == 1:
    for j in range(i*i, N, i): p[j] = 0
"""
    found = loopc.compile(sieve, outputs=["p"], **level)(N=30)
    primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    assert np.flatnonzero(found.p).tolist() == primes
    transform = """
input x[N]: complex, w[N]: complex, levels: int
output y
for i < N: y[i] = x[i]
for s < levels:
    for i in range(0, N, 2**(s+1)), j < 2**s:
        t = w[j * (N // 2**(s+1))] y[i+j+2**s]
        u = y[i+j]
        y[i+j] = u + t
        y[i+j+2**s] = u - t
"""
    x = np.array([3.0, 1, 4, 1, 5, 9, 2, 6]) + 0j
    turned = x.reshape(2, 2, 2).transpose(2, 1, 0).ravel()
    w = np.exp(-2j * np.pi * np.arange(8) / 8)
    found = loopc.compile(transform, **level)(x=turned, w=w, levels=3)
    np.testing.assert_allclose(found.y, np.fft.fft(x), rtol=1e-12, atol=1e-12)


def test_a_gradient_goes_through_a_step_that_is_no_literal() -> None:
    text = "input x[N], s: int\nfor i in range(1, N, s), j in range(i, N, s): L += x[i] x[j]**2\n"
    program = loopc.compile(text)
    given = {"x": np.arange(1.0, 9), "s": 3}
    expected = loopc.compile(text, backend="reference").grad(given).x
    np.testing.assert_allclose(program.grad(given).x, expected)
    assert loopc.gradcheck(program, **given).passed
    np.testing.assert_allclose(loopc.compile(str(program.adjoint))(given)["x.grad"], expected)


def test_a_loop_over_the_points_of_a_reduction_takes_its_range(level: dict) -> None:
    text = (
        "input x[N,N]\n"
        "for i, j: p[i,j] = softmax[j <= i](x[i,j])\n"
        "for i, j: c[i,j] = cumsum[j in reversed(range(N))](x[i,j])\n"
        "for i, j: d[i,j] = cumsum[j in range(1, 3)](x[i,j])\n"
    )
    x = np.arange(9.0).reshape(3, 3) / 9
    found = loopc.compile(text, **level)(x=x)
    powers = np.tril(np.exp(x))
    assert np.allclose(found.p, powers / powers.sum(1, keepdims=True))
    assert np.allclose(found.c, np.cumsum(x[:, ::-1], 1)[:, ::-1])
    assert np.allclose(found.d[:, 1:], np.cumsum(x[:, 1:], 1))


@pytest.mark.parametrize("op", ["softmax", "logsoftmax"])
def test_forward_and_reverse_mode_agree_where_some_terms_are_masked(level: dict, op: str) -> None:
    program = loopc.compile(f"for i, j: y[i,j] = {op}[j](x[i,j])\n", **level)
    x = np.array([[1.0, -np.inf, 2.0], [-np.inf, -np.inf, -np.inf]])
    cells = np.eye(x.size).reshape(-1, *x.shape)
    columns = [program.jvp({"x": x}, {"x": cell}).y.ravel() for cell in cells]
    rows = [program.vjp({"x": x}, {"y": cell}).x.ravel() for cell in cells]
    np.testing.assert_allclose(np.stack(columns, 1), np.stack(rows), rtol=1e-14, atol=0)
    assert np.all(np.isfinite(rows))
    assert np.isclose(rows[1][0], 0 if op == "softmax" else -1 / (1 + np.e))

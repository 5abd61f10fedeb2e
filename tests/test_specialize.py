"""`specialize`, and what calls remember of earlier ones."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import loopc

NET = """
input x[I], k: int
param W[J,I], b[J]
for j,i  h[j] += W[j,i] x[i]
for j    s[j] = tanh(k h[j] + b[j])
for j    L += s[j]**2
output L, s
"""
RNG = np.random.default_rng(0)
ARRAYS = {
    "x": RNG.standard_normal(4),
    "k": 2,
    "W": RNG.standard_normal((3, 4)),
    "b": RNG.standard_normal(3),
}


@pytest.fixture(params=["numpy", "reference"])
def program(request: pytest.FixtureRequest) -> loopc.Program:
    return loopc.compile(NET, backend=request.param)


def test_it_gives_what_the_program_gives(program: loopc.Program) -> None:
    fast = program.specialize(ARRAYS)
    assert fast.inputs == ("x", "k", "W", "b")
    arrays = tuple(ARRAYS[n] for n in fast.inputs)
    outputs, gradients = program.value_and_grad(ARRAYS)
    for _ in range(2):
        found, slopes = fast.value_and_grad(*arrays)
        for name, value in outputs.items():
            np.testing.assert_array_equal(found[name], value)
            np.testing.assert_array_equal(fast(*arrays)[name], value)
        for name, value in gradients.items():
            np.testing.assert_array_equal(slopes[name], value)
            np.testing.assert_array_equal(fast.grad(*arrays)[name], value)


def test_results_go_where_they_are_wanted_and_are_fresh_elsewhere(program: loopc.Program) -> None:
    fast = program.specialize(ARRAYS)
    arrays = tuple(ARRAYS[n] for n in fast.inputs)
    s, slope = np.empty(3), np.empty((3, 4))
    found = fast(*arrays, out={"s": s})
    assert found.s is s
    np.testing.assert_array_equal(s, program(ARRAYS).s)
    assert fast.grad(*arrays, out={"W": slope}).W is slope
    np.testing.assert_array_equal(slope, program.grad(ARRAYS).W)
    assert not np.shares_memory(fast(*arrays).s, fast(*arrays).s)
    first, second = fast.grad(*arrays), fast.grad(*arrays)
    assert not np.shares_memory(first.W, second.W)


def test_results_are_made_in_the_callers_arrays_where_nothing_else_is_read() -> None:
    program = loopc.compile("input x[N]\nfor i: y[i] = exp(x[i]) - 1\nfor i: z[i] = y[i]**2\n")
    x = np.linspace(-1, 1, 7)
    fast = program.specialize(x=x)
    expected = program(x=x).z.copy()
    for _ in range(3):
        z = np.full(7, np.nan)
        assert fast(x, out={"z": z}).z is z
        np.testing.assert_array_equal(z, expected)
    wide = np.full((7, 2), np.nan)
    np.testing.assert_array_equal(fast(x, out={"z": wide[:, 0]}).z, expected)
    np.testing.assert_array_equal(wide[:, 0], expected)
    whole = np.concatenate([x, np.zeros(3)])
    np.testing.assert_array_equal(fast(whole[:7], out={"z": whole[3:]}).z, expected)


def test_what_is_made_once_reads_nothing_that_calls_write() -> None:
    program = loopc.compile(
        "input s[N], y[N]\nfor i: r[i] = sum[j](sigmoid((s[i] - s[j]) * 5))\n"
        "for i: L += (r[i] - y[i])**2\noutput L\n",
        wrt=["s"],
    )
    fast = program.specialize(s=np.ones(5), y=np.ones(5))
    for seed in range(3):
        s, y = np.random.default_rng(seed).standard_normal((2, 5))
        np.testing.assert_array_equal(fast.grad(s, y).s, program.grad(s=s, y=y).s)


def test_the_end_of_a_tile_is_one_term_of_what_is_made_of_it() -> None:
    program = loopc.compile(
        "input x[N,M], p[N]: int\nfor i < N, j < N: t[i,j] = 2 i\nfor a < N if a == 1:\n"
        "    if 1 < x[a,a % M] != a and t[p[N-1-a],clamp(-1)] < 2:\n"
        "        y += where(clip(N, -2, 3) < 3 x[clamp(a-1),pad(2*a-1)], M, clip(N, -2, 3))\n"
    )
    x, p = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]), np.array([3, 2, 0, 1])
    assert program.specialize(x=x, p=p)(x, p).y == program(x=x, p=p).y != 0


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        (lambda f, a: f(*a, out=3), "L0709", "a mapping of arrays by name"),
        (lambda f, a: f(*a, out={"s": 3}), "L0703", "type int"),
        (lambda f, a: f(*a, out={"s": [1.0, 2.0, 3.0]}), "L0703", "type list"),
        (lambda f, a: f(*a, out={"s": np.empty(3, int)}), "L0703", "does not fit"),
        (lambda f, a: f(*a, out={"s": np.empty((3, 1))}), "L0703", "2 dimensions"),
        (lambda f, a: f(*a, out={"s": np.broadcast_to(0.0, 3)}), "L0703", "written"),
        (lambda f, a: f(*a[1:], x=a[0]), "L0702", "`x`, `k`, `W`, `b`"),
        (lambda f, a: f.grad(*a[1:], x=a[0]), "L0702", "by position"),
        (lambda f, a: f.grad(*a, out={"q": np.empty(3)}), "L0705", "`q`"),
        (lambda f, a: f.value_and_grad(*a, out={"W": np.empty(3)}), "L0709", "a pair"),
        (lambda f, a: f.value_and_grad(*a, out=({}, 3)), "L0709", "a mapping"),
    ],
)
def test_wrong_calls_say_what_is_wrong(
    program: loopc.Program, call: Callable[..., object], code: str, says: str
) -> None:
    fast = program.specialize(ARRAYS)
    with pytest.raises(loopc.LoopcError, match=says) as raised:
        call(fast, tuple(ARRAYS[n] for n in fast.inputs))
    assert raised.value.code == code


def test_memory_is_kept_from_call_to_call_but_for_results() -> None:
    fast = loopc.compile(NET).specialize(ARRAYS)
    arrays = tuple(ARRAYS[n] for n in fast.inputs)
    first = fast.value_and_grad(*arrays)
    kept = [{n: a.copy() for n, a in part.items()} for part in first]
    other = tuple(a if np.ndim(a) == 0 else a + 1 for a in arrays)
    for _ in range(3):
        fast.value_and_grad(*other)
    for part, copies in zip(first, kept, strict=True):
        for name, array in copies.items():
            assert part[name].tobytes() == array.tobytes()


def test_threads_and_callers_of_one_specialized_program_do_not_meet() -> None:
    fast = loopc.compile(NET).specialize(ARRAYS)
    cases = []
    for n in range(16):
        arrays = tuple(a if np.ndim(a) == 0 else a + n for a in (ARRAYS[i] for i in fast.inputs))
        cases.append((arrays, fast.value_and_grad(*arrays)))

    def call(number: int) -> None:
        arrays, expected = cases[number % len(cases)]
        for found, wanted in zip(fast.value_and_grad(*arrays), expected, strict=True):
            assert all(found[n].tobytes() == a.tobytes() for n, a in wanted.items())

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(call, range(1600)))


def test_other_arrays_are_refused() -> None:
    fast = loopc.compile(NET).specialize(ARRAYS)
    x, k, w, b = (ARRAYS[n] for n in fast.inputs)
    with pytest.raises(loopc.LoopcError, match="`b` is missing"):
        fast(x, k, w)
    with pytest.raises(loopc.LoopcError, match="argument 5"):
        fast(x, k, w, b, b)
    with pytest.raises(loopc.ShapeError):
        fast(x[1:], k, w[:, 1:], b)
    with pytest.raises(loopc.ShapeError):
        fast(x, k, w, b, out={"s": np.empty(4)})
    with pytest.raises(loopc.LoopcError):
        fast(x, k, w, b, out={"z": np.empty(4)})
    assert fast(x, k, w, b).L.dtype == np.float64


def test_a_call_like_an_earlier_one_is_checked_as_far_as_it_differs() -> None:
    program = loopc.compile("input x[N], n: int\nfor i < n: y[i] = x[i]\noutput y\n")
    x = np.arange(4.0)
    for n in (2, 3, np.array(4), np.array(1)):
        assert program(x=x, n=n).y.shape == (int(n),)
    with pytest.raises(loopc.BoundsError):
        program(x=x, n=5)
    with pytest.raises(loopc.BoundsError):
        program(x=x, n=np.array(6))
    assert program(x=x.astype(np.float32), n=2).y.dtype == np.float32
    assert program(x=list(x), n=2).y.dtype == np.float64
    with pytest.raises(loopc.LoopcError):
        program(x=x, n=2, z=1)
    scaled = loopc.compile("input a, x[N]\nfor i  y[i] = a x[i]\n")
    for a in (2.0, 3.0, 4, np.float64(5)):
        np.testing.assert_array_equal(scaled(a=a, x=x).y, float(a) * x)
    narrow = x.astype(np.float32)
    for a in (2.0, 3.0):
        assert scaled(a=a, x=narrow).y.dtype == np.float32


def test_the_first_gradient_of_other_types_is_that_of_the_types_it_is_for() -> None:
    program = loopc.compile("input x[N]\nparam w[N]\nfor i: L += tanh(w[i]) x[i]\noutput L")
    x, w = np.linspace(0, 1, 4), np.linspace(1, 2, 4)
    fast = program.specialize(x=x, w=w)
    fast.grad(x.astype(np.float32), w.astype(np.float32))
    found = fast.grad(x, w).w
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, (1 - np.tanh(w) ** 2) * x, rtol=1e-14, atol=0)


def test_a_limit_of_memory_holds_for_a_specialized_program() -> None:
    program = loopc.compile(NET, memory_limit=10)
    for call in (program, program, program.specialize):
        with pytest.raises(loopc.LimitError):
            call(ARRAYS)
    assert "matmul" in str(loopc.compile(NET, memory_limit=10).explain(ARRAYS))


def test_a_reduction_over_all_axes_of_another_one_is_over_all() -> None:
    text = """
        input x[N], y[N,K]
        dim t[K]
        for k < K, b < N, a < N: t[clamp(k-1)] min= sum[i < N](y[clamp(i+a),k] x[b])
    """
    rng = np.random.default_rng(3)
    arrays = {"x": rng.standard_normal(3), "y": rng.standard_normal((3, 2))}
    program = loopc.compile(text)
    expected = loopc.compile(text, backend="reference")(arrays)
    found = program.specialize(arrays)(*(arrays[n] for n in ("x", "y")))
    np.testing.assert_allclose(found.t, expected.t, rtol=1e-12)


@pytest.mark.parametrize("value", ["sum[i,j](x[i,j])", "max[i,j](x[i,j])", "prod[i](x[i,0])"])
def test_reductions_are_called_without_detours(value: str) -> None:
    text = f"input x[N,M]\ny = {value}\noutput y\n"
    x = np.arange(1.0, 13).reshape(3, 4)
    program = loopc.compile(text)
    forward = program.source.partition("def _forward")[2].partition("INPUTS")[0]
    assert ".reduce(" in forward
    plain = loopc.compile(text, backend="reference")(x=x).y
    for found in (program(x=x).y, program.specialize(x=x)(x)["y"]):
        np.testing.assert_array_equal(found, plain)


@pytest.mark.parametrize("last", ["u[i,j] t[j,i]", "u[i,j] + x[i,j]"])
@pytest.mark.parametrize("again", ["", "for i, j: t[i,j] = min(t[i,j], 3)\n"])
def test_a_cell_of_a_buffer_is_read_in_each_call(again: str, last: str) -> None:
    text = (
        "input x[N,N], u[N,N]\n"
        "for i, j: t[i,j] = clip(2 x[i,j] + 1, -4, 4)\n"
        "for i in reversed(range(1, N - 1)), j in range(1, N - 1):\n"
        "    u[i-1,j+1] += clip(u[i,j+1] - t[1,1] + 2 i, -9, 9)\n"
        f"{again}for i, j: y[i,j] = {last}\noutput y\n"
    )
    program = loopc.compile(text)
    x, u = np.arange(16.0).reshape(4, 4) / 4 - 2, np.arange(16.0).reshape(4, 4) / 9
    fast = program.specialize(x=x, u=u)
    for scale in (1, 0.3, 0.6):
        found, expected = fast(scale * x, u), program(x=scale * x, u=u)
        np.testing.assert_array_equal(found["y"], expected["y"])


@pytest.mark.filterwarnings("error")
def test_what_is_made_once_warns_of_nothing() -> None:
    text = "input x[N]\nfor i < N: y[i] = logsoftmax[i < N - 1](hypot(i, 1.5)) + x[i]\n"
    program, x = loopc.compile(text), np.ones(1)
    for given in (x, np.ones(4)):
        fast = program.specialize(x=given)
        np.testing.assert_array_equal(fast(given)["y"], program(x=given)["y"])


def test_a_block_over_a_range_that_the_extents_leave_empty() -> None:
    text = """
        input x, w[N,M,K], t[M,K], p[M]: int
        for b < M if 3 < b and not w[pad(2*b-1),M-1-b,clamp(b)] < 0:
            y += where(x < x, t[clamp(p[b]+1),clamp(b)], x) - 1
        output y
    """
    w = np.array([[[3.0, -2, 3], [-2, -1, -1]]])
    given = {"x": np.array(2.0), "w": w, "t": np.ones((2, 3)), "p": np.array([1, 0])}
    fast = loopc.compile(text).specialize(given)
    assert fast(*(given[n] for n in fast.inputs))["y"] == 0

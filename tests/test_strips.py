"""Triangles run in strips of rows, with the columns alone that these have, and give the same."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest

import loopc
from fuzz.triangles import case, judge_triangle
from fuzz.varied import varied
from loopc.backends.numpy import helpers
from loopc.ir.affine import Affine
from loopc.lower import strips
from loopc.lower.bands import Band, Values, band_of
from loopc.lower.plan import Apply, Lit, Range, Scalar

ATTENTION = """
input q[B,T,D], k[B,T,D], v[B,T,D], G[B,T,D]
for b,i,j,d  s[b,i,j] += q[b,i,d] k[b,j,d] / sqrt(D)
for b,i,j    P[b,i,j] = softmax[j if CONDITION](s[b,i,j])
for b,i,j,d  o[b,i,d] += P[b,i,j] v[b,j,d]
for b,i,d    L += o[b,i,d] G[b,i,d]
output L
"""

PROGRAMS = {
    "attention": ATTENTION.replace("CONDITION", "j <= i"),
    "attention to what follows": ATTENTION.replace("CONDITION", "j > i - 1"),
    "attention to neighbours": ATTENTION.replace("CONDITION", "j <= i and i - j < 3"),
    "attention to both sides": ATTENTION.replace("CONDITION", "abs(i - j) < 3"),
    "shares by hand": """
input q[T,D], k[T,D], v[T,D], G[T,D]
for i,j,d if j <= i: s[i,j] += q[i,d] k[j,d]
for i,j if j <= i:   e[i,j] = exp(s[i,j])
for i,j if j <= i:   z[i] += e[i,j]
for i,j,d if j <= i: o[i,d] += e[i,j] v[j,d] / z[i]
for i,d  L += o[i,d] G[i,d]
output L
""",
    "pairs of points": """
input q[T,3]
for i,j,d if j < i: r[i,j] += (q[i,d] - q[j,d])**2
for i,j if j < i:   L += 4 (1 / r[i,j]**6 - 1 / r[i,j]**3)
output L
""",
    "pairs that are ranked": """
input u[T], w[T]
for i,j if i < j: L += max(0, 1 - (u[i] - u[j]) (w[i] - w[j]))
output L
""",
    "a product's triangle": """
input A[T,D], G[T,T]
for i,j,d if j <= i: C[i,j] += A[i,d] A[j,d]
for i,j  L += C[i,j]**2 G[i,j]
output L, C
""",
    "a triangle times a matrix": """
input A[T,T], B[T,D], G[T,D]
for i,j,d if j >= i: C[i,d] += A[i,j] B[j,d]
for i,d  L += C[i,d] G[i,d]
output L
""",
    "a triangle below a shifted diagonal": """
input A[T,D], B[S,D], G[T,S]
for i,j,d if j < i - 1: C[i,j] += A[i,d] B[j,d]
for i,j  L += tanh(C[i,j]) G[i,j] C[i,j]
output L
""",
    "a sum over heads of columns": """
input q[B,T,D], k[B,T,D], w[T], u[T]
for b,i,j if i < j: s[b,i,j] = w[j] q[b,j,0]
for b,i,j if i < j: e[b,i,j] = 2 s[b,i,j]
for b,i,j,d if i < j: o[b,i,d] += e[b,i,j] k[b,j,d]
for b,i,j: y[b,j] += e[b,i,j] u[i]
for b,i,d  L += o[b,i,d]
output L
""",
    "what nobody reads": """
input q[B,T,D], k[B,T,D]
for b,i,j,d if i > j + 1: s[b,i,j] += q[b,i,d] k[b,j,d]
for b,i,d  L += q[b,i,d]
output L
""",
}


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make strips of few rows, of small arrays, too."""
    monkeypatch.setenv("LOOPC_CACHE", "off")
    monkeypatch.setattr(strips, "LEAST", 1)
    monkeypatch.setattr(strips, "CELLS", 1)
    text = helpers.HELPERS["_strip"]
    for name, value in (("least", "2"), ("each", "1"), ("unit", "1")):
        helpers.HELPERS["_strip"] = helpers.with_default("_strip", name, value)
    yield
    helpers.HELPERS["_strip"] = text


def arrays(program: loopc.Program, rows: int = 9) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {"B": 3, "T": rows, "S": rows - 2, "D": 4, "3": 3}
    shapes = {n: [sizes[str(d)] for d in t.shape] for n, t in program.inputs.items()}
    return {n: rng.standard_normal(shape) for n, shape in shapes.items()}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_the_reference_s(name: str, threads: int) -> None:
    program = loopc.compile(PROGRAMS[name], loss="L", threads=threads)
    given = arrays(program)
    reference = loopc.compile(PROGRAMS[name], loss="L", backend="reference")
    (expected, others), (found, gradients) = (p.value_and_grad(given) for p in (reference, program))
    for n in expected:
        np.testing.assert_allclose(found[n], expected[n], 1e-10, 1e-10)
    for n in others:
        np.testing.assert_allclose(gradients[n], others[n], 1e-10, 1e-10)
    assert "_strip(" in program.source


@pytest.mark.parametrize("name", PROGRAMS)
def test_saved_modules_and_specialised_calls_give_the_same(name: str) -> None:
    program = loopc.compile(PROGRAMS[name], loss="L")
    given = arrays(program)
    values, gradients = program.value_and_grad(given)
    module: dict = {}
    exec(compile(program.source, name, "exec"), module)
    saved = module["value_and_grad"](**given)
    fast = program.specialize(given)
    ordered = [given[n] for n in program.inputs]
    out = {n: np.full_like(gradients[n], 7) for n in gradients}
    fast.value_and_grad(*ordered)
    again = fast.value_and_grad(*ordered, out=({}, out))
    for others in (saved, again):
        for n in values:
            np.testing.assert_allclose(others[0][n], values[n], 1e-12, 1e-12)
        for n in gradients:
            np.testing.assert_allclose(others[1][n], gradients[n], 1e-12, 1e-12)
    assert all(again[1][n] is out[n] for n in gradients)


def test_columns_beyond_a_strip_are_not_computed() -> None:
    source = loopc.compile(PROGRAMS["attention"]).source
    assert "v[b_from:b_to, :j_stop]" in source
    assert "in strips of i" in source


@pytest.mark.parametrize("name", ["v", "k", "q", "G"])
@pytest.mark.parametrize("value", [np.inf, np.nan, 1e200])
def test_what_is_not_finite_outside_makes_nan_as_it_is_written(name: str, value: float) -> None:
    text = PROGRAMS["attention"]
    program = loopc.compile(text, loss="L")
    given = arrays(program)
    given[name][1, 6, 2] = value
    reference = loopc.compile(text, loss="L", backend="reference")
    with np.errstate(all="ignore"):
        expected, found = reference.value_and_grad(given), program.value_and_grad(given)
    for part, other in zip(expected, found, strict=True):
        for n in part:
            assert (np.isfinite(part[n]) == np.isfinite(other[n])).all()
            known = np.isfinite(part[n])
            np.testing.assert_allclose(other[n][known], part[n][known], 1e-10, 1e-10)


@pytest.mark.parametrize(
    "statement",
    [
        "for i,j  s[i,j] = u[i] + u[j]\nfor i,j if j <= i: L += s[i,j]**2 sin(u[j])\noutput L, s",
        "for i,j  s[i,j] = exp(u[i] + u[j])\nfor i,j if j <= i: L += s[i,j]**2\noutput L, s",
        "for i,j if j <= i: s[i,j] = exp(u[i] u[j])\nfor i,j  L += (s[i,j] - u[i] - u[j])**2",
        "for i,j if j <= i: s[i,j] = exp(u[i] u[j])\nfor i  L += max[j](s[i,j] - 9)",
        "for i,j if j <= i: s[i,j] = exp(u[i] u[j])\nfor i,j,k  L += s[i,j] s[i,k] u[j] u[k]",
        "for i,j if j <= i: s[i,j] = exp(u[i] u[j])\nfor i,j  L += s[i,j] s[j,i] u[j]",
        "for i,j if j <= i: s[i,j] = exp(u[i] u[j])\nfor i  L += prod[j](s[i,j] + 1)",
    ],
)
def test_what_is_read_outside_is_there(statement: str) -> None:
    text = f"input u[T]\n{statement}\n"
    program, reference = (loopc.compile(text, loss="L", backend=b) for b in ("numpy", "reference"))
    given = {"u": np.random.default_rng(0).uniform(-1, 1, 9)}
    expected, found = reference.value_and_grad(given), program.value_and_grad(given)
    for part, other in zip(expected, found, strict=True):
        for n in part:
            np.testing.assert_allclose(other[n], part[n], 1e-10, 1e-10)


@pytest.mark.parametrize("place", ["k[j]", "k[k[j]]", "int(v[j])"])
def test_a_subscript_beyond_all_strips_is_refused(place: str) -> None:
    program = loopc.compile(
        "input u[T], k[T]: int, v[T], w[V]\n"
        f"for i,j  s[i,j] = exp(u[i]) w[{place}]\n"
        "for i,j if j < i: L += s[i,j]**2 sin(u[j])\n"
    )
    given = {"u": np.ones(9), "k": np.arange(9) % 2, "v": np.zeros(9), "w": np.ones(4)}
    program(given)
    given["v" if "v" in place else "k"][-1] = 77
    with pytest.raises(loopc.BoundsError):
        program(given)


def test_few_rows_make_no_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips, "LEAST", 128)
    made: list[object] = []
    own = strips.roles
    monkeypatch.setattr(strips, "roles", lambda *args: made.append(args) or own(*args))
    program = loopc.compile(PROGRAMS["attention"], loss="L")
    program.value_and_grad(arrays(program, 9))
    assert not made
    program.value_and_grad(arrays(program, 130))
    assert made


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    program = loopc.compile(PROGRAMS["attention"], loss="L", threads=1)
    others = loopc.compile(PROGRAMS["attention"], loss="L", threads=3)
    given = arrays(program, 40)
    expected, found = program.value_and_grad(given), others.value_and_grad(given)
    for part, other in zip(expected, found, strict=True):
        assert all(np.array_equal(part[n], other[n]) for n in part)


# Bands


def rows() -> Range:
    return Range(strips.Const(0), strips.Const(9), 1, ("i",))


def columns(start: int = 0) -> Range:
    return Range(strips.Const(start), strips.Const(9), 1, ("j",))


AXES = ("i", "j")
LESS = Apply("neg", (columns(),), ("j",))


@pytest.mark.parametrize(
    ("fn", "args", "low", "high"),
    [
        ("le", (columns(), rows()), None, 0),
        ("lt", (columns(), rows()), None, -1),
        ("ge", (columns(), rows()), 0, None),
        ("gt", (columns(), rows()), 1, None),
        ("eq", (columns(), rows()), 0, 0),
        ("le", (columns(2), rows()), None, -2),
        ("lt", (Apply("add", (rows(), LESS), AXES), Lit(2)), -1, None),
        ("ge", (Apply("add", (columns(), Lit(3)), ("j",)), rows()), -3, None),
        ("le", (columns(), columns()), None, None),
        ("le", (Apply("mul", (Lit(2), columns()), ("j",)), rows()), None, None),
        ("le", (columns(), Scalar(strips.Const(4))), None, None),
    ],
)  # fmt: skip
def test_the_band_of_a_condition(fn: str, args: tuple, low: int | None, high: int | None) -> None:
    ends = [None if n is None else Affine(n) for n in (low, high)]
    assert band_of(Apply(fn, args, AXES), "i", "j") == Band(*ends)


def test_a_band_holds_narrower_ones() -> None:
    lower = Band(None, Affine(0))
    assert lower.holds(Band(None, Affine(-1)))
    assert lower.holds(Band(Affine(-2), Affine(0)))
    assert not lower.holds(Band(None, Affine(1)))
    assert not lower.holds(Band(Affine(0), None))
    assert not Band(Affine(-1), Affine(0)).holds(Band(None, Affine(0)))


def test_numbers_alone_need_no_norms() -> None:
    values = Values(Band(None, Affine(0)), "i", "j", {}, (), {})
    for fn in ("mul", "add"):
        found = values.of(Apply(fn, (Lit(0.5), Lit(0.25)), ()))
        assert found is not None
        assert not found.needs


@pytest.mark.parametrize("seed", range(0, 400, 5))
def test_random_triangles(seed: int) -> None:
    with varied(seed):
        verdict = judge_triangle(case(random.Random(seed)), seed)
    assert verdict.kind in ("ok", "rejected"), f"{verdict.reason}\n{verdict.detail}"

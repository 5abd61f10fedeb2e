"""Gradients of `max=` in blocks: its terms share evenly unless something sees them come in."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

HEAD = "input x[V,F], W[3,F,F], src[E]: int, dst[E]: int\ndim m[3,V,F], h[4,V,F]\n"
LAYERS = """
for v,f: h[0,v,f] = x[v,f]
for l < 3:
    {step}
    for v,f: h[l+1,v,f] = h[l,v,f] + sum[g](W[l,f,g] m[l,v,g])
for v,f  L += h[3,v,f]**2 (f + 1)
output L
"""
SCATTER = "for e,f: m[l,dst[e],f] max= h[l,src[e],f]"
REDUCTION = "for v,f: m[l,v,f] = max[e if dst[e] == v](h[l,src[e],f])"


@pytest.fixture(scope="module")
def graph() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x": rng.integers(-1, 2, (5, 2)).astype(float),
        "W": rng.integers(-1, 2, (3, 2, 2)).astype(float),
        "src": rng.integers(0, 5, 16),
        "dst": np.r_[np.arange(5), rng.integers(0, 5, 11)],
    }


@pytest.mark.parametrize("opt", [0, 2])
def test_ties_of_a_scatter_in_a_loop_share_as_those_of_a_reduction(
    graph: dict[str, np.ndarray], opt: int
) -> None:
    found, expected = (
        loopc.compile(HEAD + LAYERS.format(step=step), opt=opt, wrt=("x", "W"), loss="L")
        for step in (SCATTER, REDUCTION)
    )
    for name, value in expected.grad(graph).items():
        np.testing.assert_allclose(found.grad(graph)[name], value, rtol=1e-12, err_msg=name)
    way = {"x": np.ones((5, 2)), "W": np.ones((3, 2, 2))}
    assert found(graph)["L"] == expected(graph)["L"]
    np.testing.assert_allclose(found.jvp(graph, way)["L"], expected.jvp(graph, way)["L"])


def test_no_loop_runs_over_the_terms(graph: dict[str, np.ndarray]) -> None:
    program = loopc.compile(HEAD + LAYERS.format(step=SCATTER), wrt=("x", "W"), loss="L")
    for made in (program.source, program.tangent.source):
        assert "for e in range" not in made
        assert "for l in range" in made


GROWING = {
    "read between steps": "for e:\n    m[dst[e]] max= x[src[e]]\n    L += m[dst[e]] (e + 1)\n",
    "of itself": (
        "for v: m[v] = 0.01 x[v]\nfor e: m[dst[e]] max= x[src[e]] + 0.5 * m[src[e]]\n"
        "for v  L += m[v]**2\n"
    ),
    "begun anew": (
        "for t < 3:\n    for v: m[v] = -inf\n    for e: m[dst[e]] max= x[src[e]] (t + 1)\n"
        "    for v: L += m[v]**2\n"
    ),
    "over all rounds": (
        "for t < 3:\n    for e: m[dst[e]] max= x[src[e]] (t - 1)\n    for v: L += m[v]**2\n"
    ),
    "read before": (
        "for t < 3:\n    for v: L += max(m[t,v], -9)**2\n"
        "    for e: m[t,dst[e]] max= x[src[e]] (t + 1)\nfor t < 3, v: L += m[t,v]**3\n"
    ),
}


@pytest.mark.parametrize("name", GROWING)
def test_gradients_of_what_is_seen_growing(name: str) -> None:
    rank = "3,V" if "m[t" in GROWING[name] else "V"
    text = f"input x[V], src[E]: int, dst[E]: int\ndim m[{rank}]\n{GROWING[name]}output L\n"
    rng = np.random.default_rng(1)
    given = {"x": rng.random(5) + 0.1, "src": rng.integers(0, 5, 12)}
    given["dst"] = np.r_[np.arange(5), rng.integers(0, 5, 7)]
    for opt in (0, 2):
        program = loopc.compile(text, opt=opt, wrt=("x",), loss="L")
        assert loopc.gradcheck(program, given).passed
        tangent = program.jvp(given, {"x": np.ones(5)})["L"]
        np.testing.assert_allclose(tangent, program.grad(given)["x"].sum(), rtol=1e-10)


PRIOR = {
    "prior": (
        "for v m[v] = w[v]**2\nfor e: m[dst[e]] max= x[src[e]] w[src[e]]\nfor v L += m[v]**3\n"
    ),
    "min": (
        "for v m[v] = w[v]**2\nfor e: m[dst[e]] min= x[src[e]] w[src[e]]\nfor v L += m[v]**3\n"
    ),
    "rows": (
        "for v,u m[v,u] = w[v] x[u]\n"
        "for e,u: m[dst[e],u] max= x[src[e]] w[u]\n"
        "for v,u L += m[v,u]**3\n"
    ),
    "padded": (
        "for v m[v] = w[v]**2\n"
        "for e: m[pad(dst[e]+1)] max= x[src[e]] w[src[e]]\n"
        "for v L += m[v]**3\n"
    ),
    "clamped": (
        "for v m[v] = w[v]**2\n"
        "for e: m[clamp(dst[e]+1)] max= x[src[e]] w[src[e]]\n"
        "for v L += m[v]**3\n"
    ),
    "guard": (
        "for v m[v] = w[v]**2\n"
        "for e if dst[e] > 0: m[dst[e]] max= x[src[e]] w[src[e]]\n"
        "for v L += m[v]**3\n"
    ),
    "scalar": ("L = w[0]\nfor e: L max= x[src[e]] w[src[e]]\n"),
    "scalar in": (
        "for v:\n    m[v] = w[v]\n    for e: m[v] max= x[src[e]] w[v]\nfor v L += m[v]**3\n"
    ),
    "input": ("for e: w[dst[e]] max= x[src[e]] x[dst[e]]\nfor v L += w[v]**3\n"),
    "twice": (
        "for e: m[dst[e]] max= x[src[e]]\n"
        "for e: m[src[e]] max= x[dst[e]] w[src[e]]\n"
        "for v L += m[v]**3\n"
    ),
    "int too": (
        "for v m[v] = w[v]**2\n"
        "for e: m[dst[e]] max= where(e > 5, x[src[e]], 0)\n"
        "for v L += m[v]**3\n"
    ),
    "two loops": (
        "for v m[v] = w[v]**2\nfor e,f<2: m[dst[e]] max= x[src[e]] w[f]\nfor v L += m[v]**3\n"
    ),
    "serial": (
        "for v d[0,v] = w[v]\n"
        "for t < 4:\n"
        "    for v: d[t+1,v] = d[t,v]\n"
        "    for e: d[t+1,dst[e]] min= d[t,src[e]] + x[src[e]] w[dst[e]]\n"
        "for v L += d[4,v]**2\n"
        "dim d[5,V]\n"
    ),
    "serial line": (
        "for v d[0,v] = w[v]\n"
        "for t < 4, v: d[t+1,v] = d[t,v]\n"
        "for t < 4, e: d[t+1,dst[e]] min= d[t,src[e]] + x[src[e]] w[dst[e]]\n"
        "for v L += d[4,v]**2\n"
        "dim d[5,V]\n"
    ),
    "in place": (
        "for v d[v] = w[v]\n"
        "for t < 4, e: d[dst[e]] min= d[src[e]] + x[src[e]] w[dst[e]]\n"
        "for v L += d[v]**2\n"
    ),
    "held": (
        "for v m[v] = w[v]**2\n"
        "for t < 3:\n"
        "    for e: m[dst[e]] max= x[src[e]] w[src[e]] (t + 1)\n"
        "    for v: m[v] *= 0.9\n"
        "for v L += m[v]**3\n"
    ),
    "reduction": (
        "for v m[v] = w[v]**2\nfor e: m[dst[e]] max= sum[v](x[v] w[src[e]])\nfor v L += m[v]**3\n"
    ),
    "softmax": (
        "for v m[v] = w[v]**2\nfor v: m[v//2] max= softmax[v](x[v] w[v])\nfor v L += m[v]**3\n"
    ),
}
"""What has values before: these and the terms, as a group, share evenly."""


@pytest.mark.parametrize("name", PRIOR)
def test_terms_are_compared_with_what_is_there(name: str) -> None:
    text = PRIOR[name]
    shape = "" if "dim" in text or "m[v,u]" in text or "m[" not in text else "dim m[V]\n"
    text = f"input x[V], w[V], src[E]: int, dst[E]: int\n{shape}{text}output L\n"
    rng = np.random.default_rng(0)
    given = {n: rng.standard_normal(5) for n in ("x", "w")}
    given |= {n: rng.integers(0, 5, 9) for n in ("src", "dst")}
    way = {n: rng.standard_normal(5) for n in ("x", "w")}
    for opt in (0, 2):
        program = loopc.compile(text, opt=opt, wrt=("x", "w"), loss="L")
        given = {n: given[n] for n in program.inputs}
        assert loopc.gradcheck(program, given).passed
        gradient, printed = program.grad(given), loopc.compile(str(program.adjoint))
        again = printed({n: given[n] for n in printed.inputs})
        for wrt, value in gradient.items():
            np.testing.assert_allclose(again[f"{wrt}.grad"], value, rtol=1e-12, err_msg=wrt)
        along = sum(float((gradient[n] * way[n]).sum()) for n in way)
        np.testing.assert_allclose(program.jvp(given, way)["L"], along, rtol=1e-10)
        serial = name == "in place"
        assert ("for e in range" in program.source) == serial


def test_an_infinite_value_before_keeps_its_adjoint() -> None:
    text = (
        "for v m[v] = x[v]\nfor e: m[dst[e]] min= y[e]\noutput m\ninput dst[E]: int, x[V], y[E]\n"
    )
    given = {"x": np.array([np.inf, 2.0, np.inf]), "y": np.array([2.0, 3.0, np.inf])}
    found = loopc.compile(text).vjp({"dst": np.array([1, 1, 2]), **given}, {"m": np.ones(3)})
    np.testing.assert_array_equal(found["x"], [1, 0.5, 1])
    np.testing.assert_array_equal(found["y"], [0.5, 0, 0])

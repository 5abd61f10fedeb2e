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

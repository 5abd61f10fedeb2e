"""Recurrences along a last axis: arrays in memory such that their steps are rows."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

PROGRAMS = {
    "a temporary": """
for i, j in range(1, M): p[i,j] = 0.5 / (2 - 0.5 p[i,j-1] x[i,j])
for i, j in range(1, M): y[i] += p[i,j] w[i]
""",
    "a system for each row": """
for i:
    c[i,0] = 0.5 / (3 + x[i,0])
    d[i,0] = w[i] / (3 + x[i,0])
    for j in range(1, M):
        c[i,j] = 0.5 / (3 + x[i,j]**2 - 0.5 c[i,j-1])
        d[i,j] = (x[i,j] + 0.5 d[i,j-1]) / (3 + x[i,j]**2 - 0.5 c[i,j-1])
    y[i,M-1] = d[i,M-1]
    for j in reversed(range(M-1)): y[i,j] = d[i,j] - c[i,j] y[i,j+1]
""",
    "integers, the largest of nothing": """
for i, j in range(1, M): k[i,j] max= where(x[i,j] > k[i,j-1], j, k[i,j-1])
for i, j: y[i,j] = k[i,j] + w[i]
""",
    "edges": """
for i, j: y[i,j] = x[i,j] + 0.5 x[i,clamp(j-1)] y[i,pad(j-1)] - 0.25 y[i,pad(j-2)] y[i,pad(j-1)]
""",
    "three axes": """
for i, a < 2, j in range(1, M): t[i,a,j] = sin(t[i,a,j-1]) w[i] + x[i,j] (a + 1)
for i, a < 2, j: y[a,i] += t[i,a,j]**2
""",
}
HEAD = "input x[N,M], w[N]\noutput y\n"


@pytest.mark.parametrize("shape", [(4, 5), (3, 2), (1, 6), (300, 400)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_the_same(name: str, shape: tuple[int, int]) -> None:
    text = HEAD + PROGRAMS[name]
    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal(shape), "w": rng.standard_normal(shape[0])}
    fast, plain = loopc.compile(text, wrt=["x", "w"], loss="y"), loopc.compile(text, opt=1)
    if shape[0] < 10:
        plain = loopc.compile(text, backend="reference")
    y = fast(given)["y"]
    np.testing.assert_allclose(y, plain(given)["y"], 1e-11, 1e-12)
    cotangent = {"y": rng.standard_normal(y.shape)}
    slow = loopc.compile(text, wrt=["x", "w"], loss="y", opt=1)
    expected = slow.vjp(given, cotangent)
    found = fast.vjp(given, cotangent)
    for name_, value in expected.items():
        np.testing.assert_allclose(found[name_], value, 1e-10, 1e-12, err_msg=name_)


def test_an_iteration_takes_rows() -> None:
    source = loopc.compile(HEAD + PROGRAMS["a system for each row"]).source
    for text in ("c[j - 1, ", "d[j - 1, ", "x_turned[j, ", "y_turned[j + 1]", "y_turned.T"):
        assert text in source


def test_a_running_sum_stays() -> None:
    text = "input x[N,M]\nfor i, j in range(1, M): c[i,j] = c[i,j-1] + x[i,j]\noutput c"
    source = loopc.compile(text).source
    assert "turned" not in source
    assert "accumulate" in source


def test_errors_name_the_axes_of_the_program() -> None:
    text = HEAD.replace("w[N]", "w[N], p[N]: int")
    text += PROGRAMS["a system for each row"].replace("+ x[i,0]", "+ x[i,p[i]]", 1)
    assert "x_turned" in loopc.compile(text).source
    with pytest.raises(loopc.LoopcError, match=r"axis 2 of `x`, index `p\[i\]`") as caught:
        loopc.compile(text)(x=np.ones((3, 2)), w=np.ones(3), p=np.array([0, 2, 1]))
    assert "c[i,0] = 0.5" in str(caught.value)

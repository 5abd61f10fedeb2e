"""The adjoint of a running sum is one from the end, wherever it stands."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

SUMS = {
    "guarded loop": (
        "for i,j if j <= i:\n"
        "    p[i,j] = cumsum[j if j <= i](x[i,j] w[j])\n"
        "for i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "outer guard": (
        "for i,j if i > 1:\n    p[i,j] = cumsum[j](x[i,j] w[j])\nfor i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "guard in": (
        "for i,j p[i,j] = cumsum[j if j != 2](x[i,j] w[j])\nfor i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "range part": (
        "for i, j in range(1,N): p[i,j] = cumsum[j in range(1,N)](x[i,j] w[j])\n"
        "for i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "other range": (
        "for i, j: p[i,j] = cumsum[j in range(0,N,2)](x[i,j] w[j]) + w[j]\n"
        "for i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "reversed": (
        "for i, j  p[i,j] = cumsum[j in reversed(range(N))](x[i,j] w[j])\n"
        "for i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "reversed both": (
        "for i, j in reversed(range(N)): p[i,j] = cumsum[j in reversed(range(N))](x[i,j] w[j])\n"
        "for i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "inside": (
        "for i, j  p[i,j] = sin(cumsum[j](x[i,j] w[j])) * w[j]\nfor i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "twice": (
        "for i, j  p[i,j] = cumsum[j](cumsum[j](x[i,j] w[j]))\nfor i,j L += (p[i,j]+1)**2 w[j]\n"
    ),
    "own": (
        "for i, j  y[i,j] = x[i,j]**2\n"
        "for i,j  y[i,j] = cumsum[j](y[i,j] w[j])\n"
        "for i,j L += (y[i,j]+1)**2 w[j]\n"
    ),
    "rows": ("for i, j  p[i,j] = cumsum[i](x[i,j] w[i])\nfor i,j L += (p[i,j]+1)**2 w[j]\n"),
    "serial": (
        "for t in range(1,N):\n"
        "    for j: h[t,j] = cumsum[j](h[t-1,j] w[j] + x[t,j])\n"
        "for t,j L += h[t,j]**2\n"
    ),
    "in place serial": (
        "for j h[j] = w[j]\n"
        "for t in range(1,N):\n"
        "    for j: h[j] = cumsum[j](h[j] w[j]/4 + x[t,j])\n"
        "for j L += h[j]**2\n"
    ),
    "lookup": ("for i, j  p[i,j] = cumsum[j](x[i,j] w[j])\nfor i L += p[i,N-1-i]**2\n"),
    "two dims": ("for i, j  p[i,j] = cumsum[i,j](x[i,j] w[j])\nfor i,j L += p[i,j]**2\n"),
    "scalar": ("for i, j  p[i,j] = x[i,j] cumsum[j](w[j])\nfor i,j L += p[i,j]**2\n"),
    "empty": (
        "for i, j  p[i,j] = cumsum[j in range(2,2)](x[i,j] w[j]) + x[i,j]\nfor i,j L += p[i,j]**2\n"
    ),
    "at": ("for i  p[i] = cumsum[i](w[i])\nfor i L += p[i]**2 x[i,i]\n"),
}


@pytest.mark.parametrize("name", SUMS)
def test_first_and_second_derivatives_and_the_printed_adjoint(name: str) -> None:
    text = f"input x[N,N], w[N]\n{SUMS[name]}output L\n"
    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((4, 4)), "w": rng.standard_normal(4)}
    way = {n: rng.standard_normal(a.shape) for n, a in given.items()}
    for opt in (0, 2):
        program = loopc.compile(text, opt=opt, loss="L", wrt=("x", "w"))
        assert loopc.gradcheck(program, given).passed
        printed = loopc.compile(str(program.adjoint))(given)
        ahead, behind = (
            program.grad({n: a + step * way[n] for n, a in given.items()}) for step in (1e-5, -1e-5)
        )
        for name, value in program.grad(given).items():
            np.testing.assert_allclose(printed[f"{name}.grad"], value, rtol=1e-12)
        for name, value in program.hvp(given, way).items():
            slope = (ahead[name] - behind[name]) / 2e-5
            np.testing.assert_allclose(value, slope, rtol=1e-5, atol=1e-5, err_msg=name)


def test_it_is_read_as_one() -> None:
    program = loopc.compile("for i  c[i] = cumsum[i](x[i]**2)\nfor i  L += sin(c[i])\noutput L\n")
    assert str(program.adjoint_loops()).splitlines()[-2:] == [
        "for i in reversed(range(I)): c_sum[i] = cumsum[i in reversed(range(I))](c.grad[i])",
        "for i  x.grad[i] += 2 c_sum[i] x[i]",
    ]
    assert "for i in range" not in program.source

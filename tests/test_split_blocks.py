"""Gradients of blocks with a reduction that does not depend on all of their loops."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

BLOCKS = {
    "softmax": "for i,j:\n    p[i,j] = softmax[j](x[i,j])\n    L += p[i,j]**2 w[j]\n",
    "cumsum": "for i,j:\n    c[i,j] = cumsum[j](x[i,j] w[j])\n    L += sin(c[i,j])\n",
    "cummax": "for i,j:\n    c[i,j] = cummax[j](x[i,j] w[j])\n    L += sin(c[i,j])\n",
    "cumprod": "for i,j:\n    c[i,j] = cumprod[j](x[i,j] w[j])\n    L += sin(c[i,j])\n",
    "max": "for i,j:\n    y[i,j] = x[i,j] - max[k](x[i,k] w[k])\n    L += y[i,j]**2 w[j]\n",
    "of the outer loop": (
        "for i,j:\n    y[i,j] = x[i,j] - logsumexp[k](x[j,k] w[k])\n    L += y[i,j]**2 w[j]\n"
    ),
    "further inside": (
        "for i,j:\n    for k: y[i,j,k] = x[i,k] - max[m](x[i,m] w[m])\n"
        "    L += sin(w[j]) y[i,j,j]\n"
    ),
    "between others": (
        "for i,j:\n    y[i,j] = x[i,j]**2\n    p[i,j] = softmax[j](x[i,j] w[j])\n"
        "    q[i,j] = prod[k](w[k] + x[i,k]) y[i,j]\n    L += p[i,j] q[i,j]\n"
    ),
    "guarded": (
        "for i,j if j <= i:\n    p[i,j] = softmax[j if j <= i](x[i,j])\n    L += p[i,j]**2 w[j]\n"
    ),
}
"""Blocks that are split."""

WHOLE = {
    "reads what grows": (
        "for i,j:\n    s[i] += x[i,j] w[j]\n    p[i,j] = softmax[j](x[i,j] s[i])\n"
        "    L += p[i,j]**2 w[j]\n"
    ),
    "reads what is made": (
        "for i,j:\n    y[i,j] = x[i,j] w[j]\n    p[i,j] = softmax[j](y[i,j])\n"
        "    L += p[i,j]**2 w[j]\n"
    ),
    "feeds the next time": (
        "for t in range(1, N):\n    for j: h[t,j] = tanh(h[t-1,j] + x[t,j])\n    for j:\n"
        "        p[t,j] = softmax[j](h[t,j] w[j])\n        h[t,j] *= p[t,j]\n"
        "for t,j  L += h[t,j]**2\n"
    ),
    "under a condition that changes": (
        "for i,j if j <= i and L < 100:\n    p[i,j] = softmax[j](x[i,j])\n    L += p[i,j]**2 w[j]\n"
    ),
}
"""Blocks whose statements depend on each other."""


@pytest.mark.filterwarnings("ignore:warning.L0335")
@pytest.mark.parametrize("name", [*BLOCKS, *WHOLE])
def test_gradients_are_right(name: str) -> None:
    text = f"input x[N,N], w[N]\n{BLOCKS.get(name) or WHOLE[name]}output L\n"
    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((4, 4)), "w": rng.standard_normal(4)}
    for opt in (0, 2):
        program = loopc.compile(text, opt=opt, loss="L", wrt=("x", "w"))
        assert loopc.gradcheck(program, given).passed


@pytest.mark.parametrize("name", BLOCKS)
def test_a_reduction_is_kept_once_for_each_point_that_it_depends_on(name: str) -> None:
    text = f"input x[N,N], w[N]\n{BLOCKS[name]}output L\n"
    program = loopc.compile(text, loss="L", wrt=("x", "w"))
    arrays = loopc.compile(str(program.adjoint)).ir.arrays
    made = [a for a in arrays if a.name.rstrip("0123456789") in ("max", "prod", "logsumexp")]
    others = [a for a in arrays if a not in made and not a.name.startswith("y")]
    assert all(len(a.shape or ()) == 1 for a in made)
    assert max(len(a.shape or ()) for a in others) == 2

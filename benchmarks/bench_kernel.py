"""A Gaussian kernel matrix of two sets of points, weighted on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input G[N,M]
param x[N,D], y[M,D]

for i,j  K[i,j] = exp(-0.5 sum[k]((x[i,k] - y[j,k])**2))
for i,j  L += K[i,j] G[i,j]
output L
"""

WRT = ("x", "y")


def data(n: int, m: int, d: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        shapes = {"G": (n, m), "x": (n, d), "y": (m, d)}
        arrays = {k: rng.standard_normal(s, dtype=np.float32) for k, s in shapes.items()}
        return {k: a if k == "G" else a / np.float32(np.sqrt(d)) for k, a in arrays.items()}

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: |x|² + |y|² - 2 x y by one product."""
    G, x, y = a["G"], a["x"], a["y"]

    def run() -> tuple[float, dict[str, np.ndarray]]:
        k = x @ y.T
        k -= 0.5 * np.einsum("id,id->i", x, x)[:, None]
        k -= 0.5 * np.einsum("jd,jd->j", y, y)
        np.exp(k, out=k)
        k *= G
        rows, columns = k.sum(axis=1), k.sum(axis=0)
        dx = k @ y
        dx -= rows[:, None] * x
        dy = k.T @ x
        dy -= columns[:, None] * y
        return float(rows.sum()), {"x": dx, "y": dy}

    return run


def torch_loss(G: Any, x: Any, y: Any) -> Any:
    """The loss in PyTorch, by one product."""
    import torch

    s = x @ y.T - 0.5 * (x**2).sum(1)[:, None] - 0.5 * (y**2).sum(1)
    return (torch.exp(s) * G).sum()


def jax_loss(G: Any, x: Any, y: Any) -> Any:
    """The loss in JAX, by one product."""
    import jax.numpy as jnp

    s = x @ y.T - 0.5 * (x**2).sum(1)[:, None] - 0.5 * (y**2).sum(1)
    return (jnp.exp(s) * G).sum()


def autograd_loss(G: Any, x: Any, y: Any) -> Any:
    """The loss in autograd's NumPy, by one product."""
    import autograd.numpy as anp

    half = np.float32(0.5)
    s = anp.dot(x, y.T) - half * anp.sum(x**2, axis=1)[:, None] - half * anp.sum(y**2, axis=1)
    return anp.sum(anp.exp(s) * G)


WORKLOAD = Workload(
    name="kernel",
    text=TEXT,
    sizes={
        "20×20, d=4": data(20, 20, 4),
        "500×500, d=32": data(500, 500, 32),
        "2000×2000, d=32": data(2000, 2000, 32),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    autograd=autograd_loss,
    rtol=2e-3,
)

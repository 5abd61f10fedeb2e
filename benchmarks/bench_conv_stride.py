"""A convolution, 3×3, in steps of two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.bench_conv_pool import patches
from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input x[N,C,H,W], G[N,D,P,Q]
param w[D,C,K,S]

for n,d,p,q,c,k,l  y[n,d,p,q] += w[d,c,k,l] x[n,c,2*p+k,2*q+l]
for n,d,p,q        L += y[n,d,p,q] G[n,d,p,q]
output L
"""

WRT = ("x", "w")


def data(n: int, c: int, h: int, d: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        half = (h - 3) // 2 + 1
        shapes = {"x": (n, c, h, h), "G": (n, d, half, half), "w": (d, c, 3, 3)}
        arrays = {k: rng.standard_normal(s, dtype=np.float32) for k, s in shapes.items()}
        arrays["w"] /= np.float32(np.sqrt(9 * c))
        return arrays

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: im2col and one matmul an image."""
    x, G, w = a["x"], a["G"], a["w"]
    n, c, _h, _ = x.shape
    d, p = w.shape[0], G.shape[2]
    flat = w.reshape(d, -1)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        columns = patches(x, p, p, step=2)
        y = flat @ columns
        dy = G.reshape(n, d, -1)
        loss = np.vdot(y, dy)
        dw = np.matmul(dy, columns.transpose(0, 2, 1)).sum(axis=0)
        back = np.matmul(flat.T, dy).reshape(n, c, 3, 3, p, p)
        dx = np.zeros_like(x)
        for i in range(3):
            for j in range(3):
                dx[:, :, i : i + 2 * p : 2, j : j + 2 * p : 2] += back[:, :, i, j]
        return float(loss), {"x": dx, "w": dw.reshape(w.shape)}

    return run


def torch_loss(x: Any, G: Any, w: Any) -> Any:
    """The loss in PyTorch."""
    import torch

    return (torch.nn.functional.conv2d(x, w, stride=2) * G).sum()


def jax_loss(x: Any, G: Any, w: Any) -> Any:
    """The loss in JAX."""
    import jax

    return (jax.lax.conv(x, w, (2, 2), "VALID") * G).sum()


WORKLOAD = Workload(
    name="conv_stride",
    text=TEXT,
    sizes={
        "2×3×9×9→4": data(2, 3, 9, 4),
        "4×16×32×32→32": data(4, 16, 32, 32),
        "16×32×32×32→64": data(16, 32, 32, 64),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    rtol=1e-3,
)

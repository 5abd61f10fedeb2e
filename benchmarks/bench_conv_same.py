"""A padded, dilated convolution, 3×3: the size is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input x[N,C,H,W], G[N,D,H,W]
param w[D,C,K,S]

for n,d,p<H,q<W,c,k,l:  y[n,d,p,q] += w[d,c,k,l] x[n,c,pad(p+2*k-2),pad(q+2*l-2)]
for n,d,p,q  L += y[n,d,p,q] G[n,d,p,q]
output L
"""

WRT = ("x", "w")


def data(n: int, c: int, h: int, d: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        shapes = {"x": (n, c, h, h), "G": (n, d, h, h), "w": (d, c, 3, 3)}
        arrays = {k: rng.standard_normal(s, dtype=np.float32) for k, s in shapes.items()}
        arrays["w"] /= np.float32(np.sqrt(9 * c))
        return arrays

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: one padded copy, im2col and one matmul an image."""
    x, G, w = a["x"], a["G"], a["w"]
    n, c, h, _ = x.shape
    d = w.shape[0]
    flat = w.reshape(d, -1)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        wide = np.zeros((n, c, h + 4, h + 4), x.dtype)
        wide[:, :, 2:-2, 2:-2] = x
        s = wide.strides
        columns = np.lib.stride_tricks.as_strided(
            wide, (n, c, 3, 3, h, h), (s[0], s[1], 2 * s[2], 2 * s[3], s[2], s[3])
        ).reshape(n, -1, h * h)
        y = flat @ columns
        dy = G.reshape(n, d, -1)
        loss = np.vdot(y, dy)
        dw = np.matmul(dy, columns.transpose(0, 2, 1)).sum(axis=0)
        back = np.matmul(flat.T, dy).reshape(n, c, 3, 3, h, h)
        dx = np.zeros_like(wide)
        for i in range(3):
            for j in range(3):
                dx[:, :, 2 * i : 2 * i + h, 2 * j : 2 * j + h] += back[:, :, i, j]
        return float(loss), {"x": dx[:, :, 2:-2, 2:-2].copy(), "w": dw.reshape(w.shape)}

    return run


def torch_loss(x: Any, G: Any, w: Any) -> Any:
    """The loss in PyTorch."""
    import torch

    return (torch.nn.functional.conv2d(x, w, padding=2, dilation=2) * G).sum()


def jax_loss(x: Any, G: Any, w: Any) -> Any:
    """The loss in JAX."""
    import jax

    y = jax.lax.conv_general_dilated(x, w, (1, 1), ((2, 2), (2, 2)), rhs_dilation=(2, 2))
    return (y * G).sum()


WORKLOAD = Workload(
    name="conv_same",
    text=TEXT,
    sizes={
        "2×3×8×8→4": data(2, 3, 8, 4),
        "4×16×32×32→32": data(4, 16, 32, 32),
        "16×32×32×32→64": data(16, 32, 32, 64),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    rtol=1e-3,
)

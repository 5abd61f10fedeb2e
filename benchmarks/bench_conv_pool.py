"""A convolution, 3×3, and max pooling, 2×2, channels first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input x[N,C,H,W], G[N,D,P,Q]
param w[D,C,K,S], bias[D]

for n,d,p,q,c,k,l  a[n,d,p,q] += w[d,c,k,l] x[n,c,p+k,q+l]
for n,d,p,q        a[n,d,p,q] += bias[d]
for n,d,p,q        y[n,d,p,q] = max[k<2, l<2](a[n,d,2*p+k,2*q+l])
for n,d,p,q        L += y[n,d,p,q] G[n,d,p,q]
output L
"""

WRT = ("x", "w", "bias")


def data(n: int, c: int, h: int, d: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        half = (h - 2) // 2
        shapes = {"x": (n, c, h, h), "G": (n, d, half, half), "w": (d, c, 3, 3), "bias": (d,)}
        arrays = {k: rng.standard_normal(s, dtype=np.float32) for k, s in shapes.items()}
        arrays["w"] /= np.float32(np.sqrt(9 * c))
        return arrays

    return make


def patches(x: np.ndarray, rows: int, columns: int, step: int = 1) -> np.ndarray:
    """Return the 3×3 patches as columns: (N, C·9, rows·columns)."""
    s = x.strides
    view = np.lib.stride_tricks.as_strided(
        x,
        (x.shape[0], x.shape[1], 3, 3, rows, columns),
        (s[0], s[1], s[2], s[3], step * s[2], step * s[3]),
    )
    return view.reshape(x.shape[0], -1, rows * columns)


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: im2col and one matmul an image; pooling by the four strided slices."""
    x, G, w, bias = a["x"], a["G"], a["w"], a["bias"]
    n, c, _h, _ = x.shape
    d, p = w.shape[0], x.shape[2] - 2
    flat = w.reshape(d, -1)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        columns = patches(x, p, p)
        y = (flat @ columns).reshape(n, d, p, p)
        y += bias[:, None, None]
        parts = [y[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        top = np.maximum(np.maximum(parts[0], parts[1]), np.maximum(parts[2], parts[3]))
        loss = np.vdot(top, G)
        hits = [part == top for part in parts]
        share = G / (hits[0].astype(np.float32) + hits[1] + hits[2] + hits[3])
        dy = np.empty_like(y)
        for number, hit in enumerate(hits):
            np.multiply(share, hit, out=dy[:, :, number // 2 :: 2, number % 2 :: 2])
        dy = dy.reshape(n, d, -1)
        dw = np.matmul(dy, columns.transpose(0, 2, 1)).sum(axis=0)
        back = np.matmul(flat.T, dy).reshape(n, c, 3, 3, p, p)
        dx = np.zeros_like(x)
        for i in range(3):
            for j in range(3):
                dx[:, :, i : i + p, j : j + p] += back[:, :, i, j]
        db = dy.sum(axis=(0, 2))
        return float(loss), {"x": dx, "w": dw.reshape(w.shape), "bias": db}

    return run


def torch_loss(x: Any, G: Any, w: Any, bias: Any) -> Any:
    """The loss in PyTorch."""
    import torch

    f = torch.nn.functional
    return (f.max_pool2d(f.conv2d(x, w, bias), 2) * G).sum()


def jax_loss(x: Any, G: Any, w: Any, bias: Any) -> Any:
    """The loss in JAX."""
    import jax

    y = jax.lax.conv(x, w, (1, 1), "VALID") + bias[:, None, None]
    window = (1, 1, 2, 2)
    return (jax.lax.reduce_window(y, -np.inf, jax.lax.max, window, window, "VALID") * G).sum()


WORKLOAD = Workload(
    name="conv_pool",
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

"""The tensor operation of the last slide: a batched contraction and σ, summed to a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input G[H,I,J]
param A[H,I,K], B[H,J,K]

for h,i,j,k  Ỹ[h,i,j] += A[h,i,k] B[h,j,k]
for h,i,j    Y[h,i,j] = σ(Ỹ[h,i,j])
for h,i,j    L += Y[h,i,j] G[h,i,j]
output L
"""

WRT = ("A", "B")


def data(h: int, i: int, j: int, k: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        return {
            "G": rng.standard_normal((h, i, j), dtype=np.float32),
            "A": rng.standard_normal((h, i, k), dtype=np.float32),
            "B": rng.standard_normal((h, j, k), dtype=np.float32),
        }

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: three batched matmuls, in-place elementwise passes."""
    G, A, B = a["G"], a["A"], a["B"]

    def run() -> tuple[float, dict[str, np.ndarray]]:
        y = A @ B.transpose(0, 2, 1)
        np.negative(y, out=y)
        np.exp(y, out=y)
        y += 1
        np.reciprocal(y, out=y)
        d = y * G
        loss = d.sum()
        d *= 1 - y
        return float(loss), {"A": d @ B, "B": d.transpose(0, 2, 1) @ A}

    return run


def torch_loss(G: Any, A: Any, B: Any) -> Any:
    """The loss in PyTorch."""
    import torch

    return (torch.sigmoid(torch.einsum("hik,hjk->hij", A, B)) * G).sum()


def jax_loss(G: Any, A: Any, B: Any) -> Any:
    """The loss in JAX."""
    import jax
    import jax.numpy as jnp

    return (jax.nn.sigmoid(jnp.einsum("hik,hjk->hij", A, B)) * G).sum()


def autograd_loss(G: Any, A: Any, B: Any) -> Any:
    """The loss in autograd's NumPy."""
    import autograd.numpy as anp

    return anp.sum(G / (1 + anp.exp(-anp.matmul(A, anp.swapaxes(B, 1, 2)))))


WORKLOAD = Workload(
    name="seed_tensor",
    text=TEXT,
    sizes={
        "tiny": data(2, 8, 8, 4),
        "medium": data(8, 128, 128, 64),
        "h16 i,j256 k64": data(16, 256, 256, 64),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    autograd=autograd_loss,
)

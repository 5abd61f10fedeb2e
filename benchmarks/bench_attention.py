"""Causal attention of several heads, softmax(q k / √D) v with no look ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input q[B,H,T,D], k[B,H,T,D], v[B,H,T,D], G[B,H,T,D]

for b,h,i,j,d  s[b,h,i,j] += q[b,h,i,d] k[b,h,j,d] / sqrt(D)
for b,h,i,j    P[b,h,i,j] = softmax[j if j <= i](s[b,h,i,j])
for b,h,i,j,d  o[b,h,i,d] += P[b,h,i,j] v[b,h,j,d]
for b,h,i,d    L += o[b,h,i,d] G[b,h,i,d]
output L
"""

WRT = ("q", "k", "v")


def data(b: int, h: int, t: int, d: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        return {n: rng.standard_normal((b, h, t, d), dtype=np.float32) for n in "qkvG"}

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: batched matmuls, softmax in place, all heads at once."""
    q, k, v, G = a["q"], a["k"], a["v"], a["G"]
    t, d = q.shape[2:]
    scale = np.float32(1 / np.sqrt(d))
    mask = np.triu(np.full((t, t), -np.inf, np.float32), 1)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        p = (q * scale) @ k.transpose(0, 1, 3, 2)
        p += mask
        p -= p.max(axis=3, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=3, keepdims=True)
        o = p @ v
        loss = np.vdot(o, G)
        dv = p.transpose(0, 1, 3, 2) @ G
        ds = G @ v.transpose(0, 1, 3, 2)
        ds -= np.einsum("bhid,bhid->bhi", o, G)[..., None]
        ds *= p
        ds *= scale
        return float(loss), {"q": ds @ k, "k": ds.transpose(0, 1, 3, 2) @ q, "v": dv}

    return run


def torch_loss(q: Any, k: Any, v: Any, G: Any) -> Any:
    """The loss in PyTorch, by its own fused attention."""
    import torch

    o = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return (o * G).sum()


def jax_loss(q: Any, k: Any, v: Any, G: Any) -> Any:
    """The loss in JAX."""
    import jax
    import jax.numpy as jnp

    s = jnp.einsum("bhid,bhjd->bhij", q, k) / np.sqrt(q.shape[3]).astype(np.float32)
    s = jnp.where(jnp.tril(jnp.ones(s.shape[2:], bool)), s, -jnp.inf)
    return (jnp.einsum("bhij,bhjd->bhid", jax.nn.softmax(s), v) * G).sum()


WORKLOAD = Workload(
    name="attention",
    text=TEXT,
    sizes={
        "B1 H2 T16 D8": data(1, 2, 16, 8),
        "B4 H8 T64 D64": data(4, 8, 64, 64),
        "B4 H8 T256 D64": data(4, 8, 256, 64),
        "B1 H8 T1024 D64": data(1, 8, 1024, 64),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    main="B4 H8 T256 D64",
)

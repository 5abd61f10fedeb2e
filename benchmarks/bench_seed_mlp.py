"""The network of the first slide with a minibatch index: two layers, σ, softmax, -ln P[y]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input x[B,I], y[B]: int
param W0[H,I], B0[H], W1[C,H], B1[C]

for b,j,i  h̃[b,j] += W0[j,i] x[b,i]
for b,j    h[b,j] = σ(h̃[b,j] - B0[j])
for b,k,j  s̃[b,k] += W1[k,j] h[b,j]
for b,k    s[b,k] = σ(s̃[b,k] - B1[k])
for b,k    P[b,k] = softmax[k](s[b,k])
for b      L += -ln P[b,y[b]]
output L
"""

WRT = ("W0", "B0", "W1", "B1")


def data(batch: int, inputs: int, hidden: int, classes: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)

        def normal(*shape: int) -> np.ndarray:
            return rng.standard_normal(shape, dtype=np.float32)

        return {
            "x": normal(batch, inputs),
            "y": rng.integers(0, classes, batch),
            "W0": normal(hidden, inputs) / np.float32(np.sqrt(inputs)),
            "B0": normal(hidden),
            "W1": normal(classes, hidden) / np.float32(np.sqrt(hidden)),
            "B1": normal(classes),
        }

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: the adjoint derived by hand, every product a matmul, shared values once."""
    x, y, W0, B0, W1, B1 = (a[k] for k in ("x", "y", "W0", "B0", "W1", "B1"))
    rows = np.arange(len(y))

    def run() -> tuple[float, dict[str, np.ndarray]]:
        h = x @ W0.T
        h -= B0
        np.negative(h, out=h)
        np.exp(h, out=h)
        h += 1
        np.reciprocal(h, out=h)
        s = h @ W1.T
        s -= B1
        np.negative(s, out=s)
        np.exp(s, out=s)
        s += 1
        np.reciprocal(s, out=s)
        p = np.exp(s - s.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[rows, y]).sum()
        p[rows, y] -= 1
        p *= s * (1 - s)
        dh = p @ W1
        dh *= h * (1 - h)
        grads = {
            "W0": dh.T @ x,
            "B0": -dh.sum(axis=0),
            "W1": p.T @ h,
            "B1": -p.sum(axis=0),
        }
        return float(loss), grads

    return run


def torch_loss(x: Any, y: Any, W0: Any, B0: Any, W1: Any, B1: Any) -> Any:
    """The loss in PyTorch."""
    import torch

    h = torch.sigmoid(x @ W0.T - B0)
    s = torch.sigmoid(h @ W1.T - B1)
    return torch.nn.functional.cross_entropy(s, y, reduction="sum")


def jax_loss(x: Any, y: Any, W0: Any, B0: Any, W1: Any, B1: Any) -> Any:
    """The loss in JAX."""
    import jax
    import jax.numpy as jnp

    h = jax.nn.sigmoid(x @ W0.T - B0)
    s = jax.nn.sigmoid(h @ W1.T - B1)
    return -jnp.take_along_axis(jax.nn.log_softmax(s), y[:, None], axis=1).sum()


def autograd_loss(x: Any, y: Any, W0: Any, B0: Any, W1: Any, B1: Any) -> Any:
    """The loss in autograd's NumPy."""
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    h = 1 / (1 + anp.exp(-(anp.dot(x, W0.T) - B0)))
    s = 1 / (1 + anp.exp(-(anp.dot(h, W1.T) - B1)))
    return anp.sum(logsumexp(s, axis=1) - s[np.arange(len(y)), y])


WORKLOAD = Workload(
    name="seed_mlp",
    text=TEXT,
    sizes={
        "tiny": data(4, 8, 6, 3),
        "batch 64": data(64, 784, 256, 10),
        "large": data(1024, 1024, 4096, 1000),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    autograd=autograd_loss,
)

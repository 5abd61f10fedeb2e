"""A recurrent layer with tanh over a batch of sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input x[T,B,I], G[T,B,H]
param W[H,I], U[H,H], c[H]

for t < T:
    for b,j,i  a[t,b,j] += W[j,i] x[t,b,i]
    for b,j,k  a[t,b,j] += U[j,k] h[t,b,k]
    for b,j    h[t+1,b,j] = tanh(a[t,b,j] + c[j])
for t < T, b, j: L += h[t+1,b,j] G[t,b,j]
output L
"""

WRT = ("W", "U", "c")


def data(t: int, b: int, i: int, h: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        shapes = {"x": (t, b, i), "G": (t, b, h), "W": (h, i), "U": (h, h), "c": (h,)}
        arrays = {k: rng.standard_normal(s, dtype=np.float32) for k, s in shapes.items()}
        arrays["W"] /= np.float32(2 * np.sqrt(i))
        arrays["U"] /= np.float32(2 * np.sqrt(h))
        return arrays

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: the input's product before the loop, the weights' gradients after it."""
    x, G, W, U, c = a["x"], a["G"], a["W"], a["U"], a["c"]
    t, b, i = x.shape
    size = len(c)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        h = np.zeros((t + 1, b, size), x.dtype)
        np.matmul(x.reshape(-1, i), W.T, out=h[1:].reshape(-1, size))
        h[1:] += c
        for n in range(t):
            h[n + 1] += h[n] @ U.T
            np.tanh(h[n + 1], out=h[n + 1])
        loss = np.vdot(h[1:], G)
        d = np.multiply(h[1:], h[1:])
        np.subtract(1, d, out=d)
        carried = np.zeros((b, size), x.dtype)
        for n in reversed(range(t)):
            d[n] *= G[n] + carried
            np.matmul(d[n], U, out=carried)
        flat = d.reshape(-1, size)
        grads = {
            "W": flat.T @ x.reshape(-1, i),
            "U": flat.T @ h[:-1].reshape(-1, size),
            "c": flat.sum(axis=0),
        }
        return float(loss), grads

    return run


def torch_loss(x: Any, G: Any, W: Any, U: Any, c: Any) -> Any:
    """The loss in PyTorch, the input's product before the loop."""
    import torch

    h = x.new_zeros(x.shape[1], len(c))
    total = x.new_zeros(())
    a = x @ W.T + c
    for n in range(x.shape[0]):
        h = torch.tanh(a[n] + h @ U.T)
        total = total + (h * G[n]).sum()
    return total


def jax_loss(x: Any, G: Any, W: Any, U: Any, c: Any) -> Any:
    """The loss in JAX: a scan, the input's product before it."""
    import jax
    import jax.numpy as jnp

    def step(h: Any, a: Any) -> Any:
        h = jnp.tanh(a + h @ U.T)
        return h, h

    start = jnp.zeros((x.shape[1], len(c)), x.dtype)
    _, h = jax.lax.scan(step, start, x @ W.T + c)
    return (h * G).sum()


WORKLOAD = Workload(
    name="rnn",
    text=TEXT,
    sizes={
        "T8 B4 H16": data(8, 4, 16, 16),
        "T50 B32 H128": data(50, 32, 128, 128),
        "T100 B32 H256": data(100, 32, 256, 256),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    rtol=1e-3,
)

"""ADBench's Gaussian mixture: log-likelihood with triangular inverse covariance factors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input x[N,D]
param alpha[K], mu[K,D], q[K,D], l[K,D,D]

for n,k,i              z[n,k,i] += exp(q[k,i]) (x[n,i] - mu[k,i])
for n,k,i,j if j < i:  z[n,k,i] += l[k,i,j] (x[n,j] - mu[k,j])
for n,k                e[n,k] = alpha[k] + sum[i](q[k,i]) - 0.5 sum[i](z[n,k,i]**2)
for n                  L += logsumexp[k](e[n,k])
L -= N * logsumexp[k](alpha[k])
for k,i                L += q[k,i] - 0.5 exp(q[k,i])**2
for k,i,j if j < i:    L -= 0.5 l[k,i,j]**2
output L
"""

WRT = ("alpha", "mu", "q", "l")


def data(n: int, d: int, k: int) -> Callable[[], Arrays]:
    """Return a maker of float64 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        shapes = {"x": (n, d), "alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d, d)}
        arrays = {name: rng.standard_normal(s) for name, s in shapes.items()}
        arrays["q"] *= 0.1
        arrays["l"] *= 0.1
        return arrays

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: a batched matmul by a triangular factor with the diagonal put in."""
    x, alpha, mu, q, low = (a[name] for name in ("x", "alpha", "mu", "q", "l"))
    n, d = x.shape
    lower = np.tril(np.ones((d, d)), -1)
    diagonal = np.arange(d)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        exp = np.exp(q)
        factor = low * lower
        factor[:, diagonal, diagonal] = exp
        y = x - mu[:, None, :]
        z = y @ factor.transpose(0, 2, 1)
        e = np.einsum("kni,kni->kn", z, z)
        e *= -0.5
        e += (alpha + q.sum(axis=1))[:, None]
        top = e.max(axis=0)
        e -= top
        np.exp(e, out=e)
        total = e.sum(axis=0)
        loss = (np.log(total) + top).sum()
        e /= total
        weight = np.exp(alpha - alpha.max())
        share = weight / weight.sum()
        loss -= n * (np.log(weight.sum()) + alpha.max())
        loss += q.sum() - 0.5 * (exp**2).sum() - 0.5 * ((low * lower) ** 2).sum()
        z *= -e[..., None]
        dfactor = z.transpose(0, 2, 1) @ y
        rows = e.sum(axis=1)
        grads = {
            "alpha": rows - n * share,
            "mu": -(z.sum(axis=1)[:, None, :] @ factor)[:, 0],
            "q": dfactor[:, diagonal, diagonal] * exp + rows[:, None] + 1 - exp**2,
            "l": (dfactor - low) * lower,
        }
        return float(loss), grads

    return run


def torch_loss(x: Any, alpha: Any, mu: Any, q: Any, l: Any) -> Any:  # noqa: E741
    """The loss in PyTorch."""
    import torch

    factor = torch.tril(l, -1) + torch.diag_embed(torch.exp(q))
    z = (x - mu[:, None, :]) @ factor.transpose(1, 2)
    e = alpha[:, None] + q.sum(1)[:, None] - 0.5 * (z**2).sum(2)
    total = torch.logsumexp(e, 0).sum() - len(x) * torch.logsumexp(alpha, 0)
    prior = q.sum() - 0.5 * (torch.exp(q) ** 2).sum() - 0.5 * (torch.tril(l, -1) ** 2).sum()
    return total + prior


def jax_loss(x: Any, alpha: Any, mu: Any, q: Any, l: Any) -> Any:  # noqa: E741
    """The loss in JAX."""
    import jax
    import jax.numpy as jnp

    factor = jnp.tril(l, -1) + jax.vmap(jnp.diag)(jnp.exp(q))
    z = (x - mu[:, None, :]) @ factor.transpose(0, 2, 1)
    e = alpha[:, None] + q.sum(1)[:, None] - 0.5 * (z**2).sum(2)
    total = jax.nn.logsumexp(e, 0).sum() - len(x) * jax.nn.logsumexp(alpha)
    return total + q.sum() - 0.5 * (jnp.exp(q) ** 2).sum() - 0.5 * (jnp.tril(l, -1) ** 2).sum()


WORKLOAD = Workload(
    name="gmm",
    text=TEXT,
    sizes={
        "n10 d4 k3": data(10, 4, 3),
        "n1000 d20 k10": data(1000, 20, 10),
        "n1000 d64 k25": data(1000, 64, 25),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    rtol=1e-8,
)

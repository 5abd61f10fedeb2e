"""A residual branch: x + gelu(layernorm(x)), gelu exact (by erf)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input x[N,D], G[N,D]
param g[D], c[D]

for n    m[n] = mean[d](x[n,d])
for n    v[n] = mean[d]((x[n,d] - m[n])**2)
for n,d  u[n,d] = g[d] (x[n,d] - m[n]) / sqrt(v[n] + 1e-5) + c[d]
for n,d  y[n,d] = x[n,d] + gelu(u[n,d])
for n,d  L += y[n,d] G[n,d]
output L
"""

WRT = ("x", "g", "c")


def data(n: int, d: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        shapes = {"x": (n, d), "G": (n, d), "g": (d,), "c": (d,)}
        return {k: rng.standard_normal(s, dtype=np.float32) for k, s in shapes.items()}

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: layernorm's adjoint by hand, passes in place."""
    x, G, g, c = a["x"], a["G"], a["g"], a["c"]
    size = x.shape[1]

    def run() -> tuple[float, dict[str, np.ndarray]]:
        z = x - x.mean(axis=1, keepdims=True)
        r = 1 / np.sqrt(np.einsum("nd,nd->n", z, z) / size + np.float32(1e-5))
        z *= r[:, None]
        u = z * g
        u += c
        e = erf(u * np.float32(np.sqrt(0.5)))
        e += 1
        e *= np.float32(0.5)
        loss = np.vdot(u * e + x, G)
        d = u * u
        d *= np.float32(-0.5)
        np.exp(d, out=d)
        d *= np.float32(1 / np.sqrt(2 * np.pi))
        d *= u
        d += e
        d *= G
        dc = d.sum(axis=0)
        dg = np.einsum("nd,nd->d", d, z)
        d *= g
        first = d.mean(axis=1)
        second = np.einsum("nd,nd->n", d, z) / size
        d -= first[:, None]
        z *= second[:, None]
        d -= z
        d *= r[:, None]
        d += G
        return float(loss), {"x": d, "g": dg, "c": dc}

    return run


def torch_loss(x: Any, G: Any, g: Any, c: Any) -> Any:
    """The loss in PyTorch, by its own layernorm and gelu."""
    import torch

    f = torch.nn.functional
    return ((x + f.gelu(f.layer_norm(x, x.shape[1:], g, c))) * G).sum()


def jax_loss(x: Any, G: Any, g: Any, c: Any) -> Any:
    """The loss in JAX."""
    import jax

    m = x.mean(axis=1, keepdims=True)
    v = ((x - m) ** 2).mean(axis=1, keepdims=True)
    u = g * (x - m) * jax.lax.rsqrt(v + 1e-5) + c
    return ((x + jax.nn.gelu(u, approximate=False)) * G).sum()


def autograd_loss(x: Any, G: Any, g: Any, c: Any) -> Any:
    """The loss in autograd's NumPy."""
    import autograd.numpy as anp
    from autograd.scipy.special import erf as aerf

    m = anp.mean(x, axis=1, keepdims=True)
    v = anp.mean((x - m) ** 2, axis=1, keepdims=True)
    u = g * (x - m) / anp.sqrt(v + np.float32(1e-5)) + c
    y = np.float32(0.5) * u * (1 + aerf(u * np.float32(np.sqrt(0.5))))
    return anp.sum((x + y) * G)


WORKLOAD = Workload(
    name="layernorm_gelu",
    text=TEXT,
    sizes={"64×64": data(64, 64), "1024×1024": data(1024, 1024), "8192×1024": data(8192, 1024)},
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    autograd=autograd_loss,
)

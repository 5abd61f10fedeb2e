"""Rows of a table by number, and their gradient: a gather and a scatter-add with repeats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input w[N]: int, G[N,D]
param E[V,D]

for n,d  y[n,d] = E[w[n],d]
for n,d  L += y[n,d]**2 G[n,d]
output L
"""

WRT = ("E",)


def data(v: int, d: int, n: int) -> Callable[[], Arrays]:
    """Return a maker of a table, of word numbers as frequent as words are, and of weights."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        words = np.minimum(rng.zipf(1.3, n) - 1, v - 1)
        return {
            "w": rng.permutation(v)[words],
            "G": rng.standard_normal((n, d), dtype=np.float32),
            "E": rng.standard_normal((v, d), dtype=np.float32),
        }

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: a loop over rows, which beats `np.add.at` and sorting here."""
    w, G, E = a["w"], a["G"], a["E"]

    def run() -> tuple[float, dict[str, np.ndarray]]:
        y = E[w]
        d = y * G
        loss = np.vdot(d, y)
        d *= 2
        dE = np.zeros_like(E)
        for row, add in zip(w.tolist(), d, strict=True):
            target = dE[row]
            np.add(target, add, out=target)
        return float(loss), {"E": dE}

    return run


def torch_loss(w: Any, G: Any, E: Any) -> Any:
    """The loss in PyTorch."""
    import torch

    return (torch.nn.functional.embedding(w, E) ** 2 * G).sum()


def jax_loss(w: Any, G: Any, E: Any) -> Any:
    """The loss in JAX."""
    return (E[w] ** 2 * G).sum()


WORKLOAD = Workload(
    name="embedding",
    text=TEXT,
    sizes={
        "100×8, 32": data(100, 8, 32),
        "5000×128, 2048": data(5000, 128, 2048),
        "50000×256, 8192": data(50000, 256, 8192),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
)

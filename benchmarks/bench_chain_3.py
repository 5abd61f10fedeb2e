"""A product of three matrices in one statement; the order from the left is not the best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input G[I,L]
param A[I,J], B[J,K], C[K,L]

for i,j,k,l  Y[i,l] += A[i,j] B[j,k] C[k,l]
for i,l      loss += Y[i,l] G[i,l]
output loss
"""

WRT = ("A", "B", "C")


def data(i: int, j: int, k: int, last: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        shapes = {"G": (i, last), "A": (i, j), "B": (j, k), "C": (k, last)}
        return {n: rng.standard_normal(s, dtype=np.float32) for n, s in shapes.items()}

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: from the right, the product of B and C used again for A's gradient."""
    G, A, B, C = a["G"], a["A"], a["B"], a["C"]

    def run() -> tuple[float, dict[str, np.ndarray]]:
        right = B @ C
        loss = np.vdot(A @ right, G)
        left = A.T @ G
        return float(loss), {"A": G @ right.T, "B": left @ C.T, "C": B.T @ left}

    return run


def torch_loss(G: Any, A: Any, B: Any, C: Any) -> Any:
    """The loss in PyTorch, in the best order."""
    return (A @ (B @ C) * G).sum()


def jax_loss(G: Any, A: Any, B: Any, C: Any) -> Any:
    """The loss in JAX, in the best order."""
    return (A @ (B @ C) * G).sum()


def autograd_loss(G: Any, A: Any, B: Any, C: Any) -> Any:
    """The loss in autograd's NumPy, in the best order."""
    import autograd.numpy as anp

    return anp.sum(anp.dot(A, anp.dot(B, C)) * G)


WORKLOAD = Workload(
    name="chain_3",
    text=TEXT,
    sizes={
        "8×4×8×4": data(8, 4, 8, 4),
        "256×64×256×64": data(256, 64, 256, 64),
        "1024×128×1024×128": data(1024, 128, 1024, 128),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    autograd=autograd_loss,
    main="256×64×256×64",
    loss="loss",
    rtol=1e-3,
)

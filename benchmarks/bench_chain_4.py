"""A product of four matrices, written as three statements from the left, which is the worst."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input G[I,M]
param A[I,J], B[J,K], C[K,L], D[L,M]

for i,k,j  X[i,k] += A[i,j] B[j,k]
for i,l,k  Y[i,l] += X[i,k] C[k,l]
for i,m,l  Z[i,m] += Y[i,l] D[l,m]
for i,m    loss += Z[i,m] G[i,m]
output loss
"""

WRT = ("A", "B", "C", "D")


def data(*extents: int) -> Callable[[], Arrays]:
    """Return a maker of float32 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        i, j, k, last, m = extents
        shapes = {"G": (i, m), "A": (i, j), "B": (j, k), "C": (k, last), "D": (last, m)}
        return {n: rng.standard_normal(s, dtype=np.float32) for n, s in shapes.items()}

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: from the right, the products used again for the gradients."""
    G, A, B, C, D = a["G"], a["A"], a["B"], a["C"], a["D"]

    def run() -> tuple[float, dict[str, np.ndarray]]:
        cd = C @ D
        bcd = B @ cd
        loss = np.vdot(A @ bcd, G)
        ag = A.T @ G
        bag = B.T @ ag
        grads = {"A": G @ bcd.T, "B": ag @ cd.T, "C": bag @ D.T, "D": C.T @ bag}
        return float(loss), grads

    return run


def torch_loss(G: Any, A: Any, B: Any, C: Any, D: Any) -> Any:
    """The loss in PyTorch, as it is written."""
    return (A @ B @ C @ D * G).sum()


def jax_loss(G: Any, A: Any, B: Any, C: Any, D: Any) -> Any:
    """The loss in JAX, as it is written."""
    return (A @ B @ C @ D * G).sum()


def autograd_loss(G: Any, A: Any, B: Any, C: Any, D: Any) -> Any:
    """The loss in autograd's NumPy, as it is written."""
    import autograd.numpy as anp

    return anp.sum(anp.dot(anp.dot(anp.dot(A, B), C), D) * G)


WORKLOAD = Workload(
    name="chain_4",
    text=TEXT,
    sizes={
        "8×4×8×4×2": data(8, 4, 8, 4, 2),
        "512×512×512×512×64": data(512, 512, 512, 512, 64),
        "1024×1024×1024×1024×64": data(1024, 1024, 1024, 1024, 64),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    autograd=autograd_loss,
    main="512×512×512×512×64",
    loss="loss",
    rtol=1e-3,
)

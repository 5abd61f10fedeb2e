"""Jacobi's stencil of five points, two half steps a step, and its gradient by the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input steps: int, G[N,N]
param A[N,N], B[N,N]

for t < steps:
    for i in range(1,N-1), j in range(1,N-1): B[i,j] = 0.2 (A[i,j] + A[i,j-1] + A[i,j+1] + A[i+1,j] + A[i-1,j])
    for i in range(1,N-1), j in range(1,N-1): A[i,j] = 0.2 (B[i,j] + B[i,j-1] + B[i,j+1] + B[i+1,j] + B[i-1,j])
for i,j  L += A[i,j] G[i,j]
output L
"""  # noqa: E501

WRT = ("A", "B")


def data(n: int, steps: int) -> Callable[[], Arrays]:
    """Return a maker of float64 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        return {"steps": steps, **{k: rng.standard_normal((n, n)) for k in ("G", "A", "B")}}

    return make


def _step(target: np.ndarray, a: np.ndarray) -> None:
    inner = target[1:-1, 1:-1]
    np.add(a[1:-1, 1:-1], a[1:-1, :-2], out=inner)
    inner += a[1:-1, 2:]
    inner += a[2:, 1:-1]
    inner += a[:-2, 1:-1]
    inner *= 0.2


def _back(source: np.ndarray, target: np.ndarray) -> None:
    """Take the adjoint of a half step from where it wrote to where it read."""
    d = 0.2 * source[1:-1, 1:-1]
    source[1:-1, 1:-1] = 0
    target[1:-1, 1:-1] += d
    target[1:-1, :-2] += d
    target[1:-1, 2:] += d
    target[2:, 1:-1] += d
    target[:-2, 1:-1] += d


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: slices, in place."""
    G, A, B, steps = a["G"], a["A"], a["B"], a["steps"]

    def run() -> tuple[float, dict[str, np.ndarray]]:
        x, y = A.copy(), B.copy()
        for _ in range(steps):
            _step(y, x)
            _step(x, y)
        loss = np.vdot(x, G)
        dx, dy = G.copy(), np.zeros_like(G)
        for _ in range(steps):
            _back(dx, dy)
            _back(dy, dx)
        return float(loss), {"A": dx, "B": dy}

    return run


def _half(b: Any, a: Any) -> Any:
    total = a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
    return b, 0.2 * total


def torch_loss(steps: int, G: Any, A: Any, B: Any) -> Any:
    """The loss in PyTorch."""
    import torch

    def half(b: Any, a: Any) -> Any:
        inner = torch.cat([b[1:-1, :1], _half(b, a)[1], b[1:-1, -1:]], 1)
        return torch.cat([b[:1], inner, b[-1:]], 0)

    for _ in range(int(steps)):
        B = half(B, A)
        A = half(A, B)
    return (A * G).sum()


def jax_loss(steps: int, G: Any, A: Any, B: Any) -> Any:
    """The loss in JAX: a scan of 100 steps, as reverse mode needs a fixed number."""
    import jax

    def step(state: Any, _: Any) -> Any:
        a, b = state
        b = b.at[1:-1, 1:-1].set(_half(b, a)[1])
        a = a.at[1:-1, 1:-1].set(_half(a, b)[1])
        return (a, b), None

    (a, _), _ = jax.lax.scan(step, (A, B), None, length=STEPS)
    return (a * G).sum()


STEPS = 100

WORKLOAD = Workload(
    name="jacobi",
    text=TEXT,
    sizes={
        "30², 100 steps": data(30, STEPS),
        "250², 100 steps": data(250, STEPS),
        "1300², 100 steps": data(1300, STEPS),
    },
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    torch=torch_loss,
    torch_compiles=False,
    rtol=1e-8,
)

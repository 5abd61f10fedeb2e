"""Seidel's stencil: every cell reads what the sweep has just written; serial in both indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Arrays, Runner, Workload

TEXT = """
input steps: int, G[N,N]
param A[N,N]

for t < steps, i in range(1,N-1), j in range(1,N-1): A[i,j] = (A[i-1,j-1] + A[i-1,j] + A[i-1,j+1] + A[i,j-1] + A[i,j] + A[i,j+1] + A[i+1,j-1] + A[i+1,j] + A[i+1,j+1]) / 9
for i,j  L += A[i,j] G[i,j]
output L
"""  # noqa: E501

WRT = ("A",)
STEPS = 10


def data(n: int, steps: int) -> Callable[[], Arrays]:
    """Return a maker of float64 arrays of these extents."""

    def make() -> Arrays:
        rng = np.random.default_rng(0)
        return {"steps": steps, **{k: rng.standard_normal((n, n)) for k in ("G", "A")}}

    return make


def numpy_peer(a: Arrays) -> Runner:
    """Expert NumPy: what does not recur by rows, the recurrence along a row on Python numbers."""
    G, A, steps = a["G"], a["A"], a["steps"]
    n = len(A)

    def run() -> tuple[float, dict[str, np.ndarray]]:
        x = A.copy()
        for _ in range(steps):
            for i in range(1, n - 1):
                row, up, down = x[i], x[i - 1], x[i + 1]
                c = up[:-2] + up[1:-1] + up[2:] + row[1:-1] + row[2:]
                c += down[:-2] + down[1:-1] + down[2:]
                last = float(row[0])
                new = []
                for value in c.tolist():
                    last = (last + value) / 9
                    new.append(last)
                row[1:-1] = new
        loss = np.vdot(x, G)
        g = G.copy()
        for _ in range(steps):
            for i in range(n - 2, 0, -1):
                row, up, down = g[i], g[i - 1], g[i + 1]
                carried = 0.0
                new = []
                for value in row[-2:0:-1].tolist():
                    carried = (value + carried) / 9
                    new.append(carried)
                d = np.array(new[::-1])
                row[0] += d[0]
                row[1:-1] = d
                row[2:] += d
                for other in (up, down):
                    other[:-2] += d
                    other[1:-1] += d
                    other[2:] += d
        return float(loss), {"A": g}

    return run


def jax_loss(steps: int, G: Any, A: Any) -> Any:
    """The loss in JAX: scans over steps, rows and cells."""
    import jax
    import jax.numpy as jnp

    def sweep(x: Any, _: Any) -> Any:
        def row(up: Any, below: Any) -> Any:
            own, down = below
            c = up[:-2] + up[1:-1] + up[2:] + own[1:-1] + own[2:]
            c = c + down[:-2] + down[1:-1] + down[2:]

            def cell(last: Any, value: Any) -> Any:
                new = (last + value) / 9
                return new, new

            _, inner = jax.lax.scan(cell, own[0], c)
            new = jnp.concatenate([own[:1], inner, own[-1:]])
            return new, new

        _, rows = jax.lax.scan(row, x[0], (x[1:-1], x[2:]))
        return jnp.concatenate([x[:1], rows, x[-1:]]), None

    x, _ = jax.lax.scan(sweep, A, None, length=STEPS)
    return (x * G).sum()


WORKLOAD = Workload(
    name="seidel",
    text=TEXT,
    sizes={"10², 10 steps": data(10, STEPS), "40², 10 steps": data(40, STEPS)},
    wrt=WRT,
    numpy=numpy_peer,
    jax=jax_loss,
    rtol=1e-8,
)

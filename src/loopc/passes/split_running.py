"""Say running reductions over several indices by plain ones.

Rewrite:   y[p,q] = cumsum[i,k](x[i,k])  ->  y[p,q] = sum[i,k if i < p or i == p and k <= q](x[i,k])
Requires:  nothing.
           Keeps: the order of the terms, and so every value; the cost grows to its square.
"""

from __future__ import annotations

from loopc.diagnostics.record import replace
from loopc.ir.nodes import Program
from loopc.ir.running import without_running


def split_running(program: Program) -> Program:
    """Return the program without running reductions over several indices."""
    body = without_running(program.body)
    same = all(a is b for a, b in zip(body, program.body, strict=True))
    return program if same else replace(program, body=body)

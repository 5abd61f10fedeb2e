"""Guard the loops and sums that have no term in the call at hand.

Rewrite:   for c, n: s[c] += a[c] b[n,c]    ->  for c, n if N > 0: s[c] += a[c] b[n,c]
           mu[c] = sum[n](x[n,c] / w[c])    ->  mu[c] = sum[n if N > 0](x[n,c] / w[c])
Requires:  ranges that the call's dims and scalars make empty.
Keeps:     every value. Passes and lowering take factors out of sums, and 0 terms times NaN is NaN:
           behind a guard they know that there may be no term. Only a call that has an empty range
           runs such a program; it is made apart from that for all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from loopc.ir.bind import evaluate
from loopc.ir.bounds import extent
from loopc.ir.nodes import Call, Const, Expr, For, Index, Node, Program, Reduce
from loopc.ir.visit import conjunction, map_children, walk


def empty_ranges(
    program: Program, dims: Mapping[str, int], scalars: Mapping[str, int]
) -> frozenset[Expr]:
    """Return the extents of a program's ranges that are not positive in a call."""
    sizes = {extent(i) for i in walk(program) if isinstance(i, Index)}
    return frozenset(s for s in sizes if _is_empty(s, dims, scalars))


def _is_empty(size: Expr, dims: Mapping[str, int], scalars: Mapping[str, int]) -> bool:
    try:
        return evaluate(size, dims, scalars) <= 0
    except KeyError:  # it depends on other indices or on cells, and is a mask anyway
        return False


def guard_empty(program: Program, empty: frozenset[Expr]) -> Program:
    """Return the program with guards round what runs over ranges of these extents."""

    def visit(node: Node) -> Node:
        new = map_children(node, visit)
        if isinstance(new, For) or (isinstance(new, Reduce) and new.op == "sum"):
            sizes = dict.fromkeys(extent(i) for i in new.indices)
            tests = [Call("gt", (s, Const(0))) for s in sizes if s in empty]
            if tests:
                own = () if new.guard is None else (new.guard,)
                return replace(new, guard=conjunction(*tests, *own))
        return new

    return map_children(program, visit) if empty else program

"""Guard the loops and reductions that may have no term.

Rewrite:   for c, n: s[c] += a[c] b[n,c]    ->  for c, n if N > 0: s[c] += a[c] b[n,c]
           mu[c] = sum[n](x[n,c] / w[c])    ->  mu[c] = sum[n if N > 0](x[n,c] / w[c])
Requires:  `guard_empty`: ranges that the call's dims and scalars make empty; `guard_factors`: sums
           with a factor that does not depend on each index that they are added up over.
Keeps:     every value. Passes and lowering take factors out of sums, and 0 terms times NaN is NaN:
           behind a guard they know that there may be no term. Only a call that has an empty range
           runs a program of `guard_empty`, which is made apart from that for all others; a module
           that is saved runs for all extents, and is made by `guard_factors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

from loopc.ir.affine import Affine, affine, at_least
from loopc.ir.bind import evaluate
from loopc.ir.bounds import extent
from loopc.ir.dtypes import DType, infer_dtypes, of_expr
from loopc.ir.nodes import Call, Const, Expr, For, Index, Node, Program, Reduce
from loopc.ir.visit import conjunction, free_indices, map_children, reads, updates, walk


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

    def tests(node: For | Reduce) -> tuple[Expr, ...]:
        return tuple(s for s in map(extent, node.indices) if s in empty)

    return _guarded(program, tests) if empty else program


def guard_factors(program: Program) -> Program:
    """Return the program with guards round sums that may have no term and a factor to take out."""
    types = infer_dtypes(program, {})

    def tests(node: For | Reduce) -> tuple[Expr, ...]:
        sums = _sums(node)
        return tuple(
            extent(i)
            for i in node.indices
            if _may_be_empty(i)
            and any(_lacks(v, i.name, types) for v, kept in sums if i.name not in kept)
        )

    return _guarded(program, tests)


def _guarded(program: Program, tests: Callable[[For | Reduce], tuple[Expr, ...]]) -> Program:
    """Return the program with guards against extents that are not positive."""

    def visit(node: Node) -> Node:
        new = map_children(node, visit)
        if isinstance(new, For | Reduce):
            found = [Call("gt", (s, Const(0))) for s in dict.fromkeys(tests(new))]
            if found:
                own = () if new.guard is None else (new.guard,)
                return replace(new, guard=conjunction(*found, *own))
        return new

    return map_children(program, visit)


def _sums(node: For | Reduce) -> list[tuple[Expr, tuple[str, ...]]]:
    """Return the terms of what is a sum, not a recurrence, and the indices of what it goes into."""
    if isinstance(node, Reduce):
        return [(node.body, ())] if node.op == "sum" else []
    inside = [u for _, u in updates(node.body)]
    written = {u.target.array for u in inside}
    return [
        (u.value, free_indices(u.target))
        for u in inside
        if u.op == "+=" and written.isdisjoint(a.array for a in reads(u))
    ]


def _may_be_empty(index: Index) -> bool:
    size = extent(index)
    form = affine(size)
    sure = form is not None and at_least(form, Affine(1))
    return not sure and not free_indices(size) and all(not a.subscripts for a in reads(size))


def _lacks(value: Expr, index: str, types: Mapping[str, DType]) -> bool:
    """Whether a factor of a term, not surely finite, is the same for all values of an index."""
    match value:
        case Call("add" | "mul" | "div" | "neg", args) if index in free_indices(value):
            return any(_lacks(a, index, types) for a in args)
        case Const(number):
            return not abs(number) < inf
        case _:
            dtype = of_expr(value, types)
            whole = dtype is not None and dtype.kind in "bi"
            return index not in free_indices(value) and not whole

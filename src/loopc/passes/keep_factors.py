"""Keep a factor of a product that another statement computes, too.

Rewrite:   for b,f,d  y[b,d] += M[d,f] relu(f[b,f])    ->  for b,f    relu1[b,f] = relu(f[b,f])
           for b,f,d  g[d,f] += u[b,d] relu(f[b,f])        for b,f,d  y[b,d] += M[d,f] relu1[b,f]
                                                           for b,f,d  g[d,f] += u[b,d] relu1[b,f]
Requires:  a function of one argument that is a factor of a sum of products, which needs all of its
           values at once anyway, and the same value, or a derivative that is arithmetic of it, in
           another statement. `reuse_values` reads it where it still holds.
Keeps:     every value.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopc.analysis.products import parts
from loopc.diagnostics.record import replace
from loopc.ir.derive import function_of
from loopc.ir.functions import lookup
from loopc.ir.nodes import Call, Expr, Index, IndexRef, Program, Stmt, Update
from loopc.ir.visit import canonical, free_indices, is_box, reads, unguarded, walk
from loopc.ir.workspace import Names


def keep_factors(program: Program) -> Program:
    """Return the program with statements that keep factors."""
    uses: dict[Expr, set[int]] = {}
    first: dict[Expr, tuple[int, Call, Update, tuple[Index, ...]]] = {}
    for number, stmt in enumerate(program.body):
        for call in walk(stmt):
            if isinstance(call, Call) and _is_function(call):
                uses.setdefault(canonical(function_of(call)), set()).add(number)
        for factor, update, indices in _factors(stmt):
            first.setdefault(canonical(factor), (number, factor, update, indices))
    names = Names.of(program)
    before: dict[int, list[Stmt]] = {}
    for key, (number, factor, update, indices) in first.items():
        if len(uses[key]) > 1:
            before.setdefault(number, []).extend(names.keep(factor, indices, update.span))
    if not any(before.values()):
        return program
    body = tuple(s for n, stmt in enumerate(program.body) for s in (*before.get(n, ()), stmt))
    return replace(program, body=body, arrays=tuple(names.arrays.values()))


def _is_function(call: Call) -> bool:
    row = lookup(call.fn)
    return row is not None and row.infix is None and len(row.params) == 1 and bool(reads(call))


def _factors(stmt: Stmt) -> Iterator[tuple[Call, Update, tuple[Index, ...]]]:
    """Yield the functions that are factors of a sum over a box, with its update and its loops."""
    indices, stmt = unguarded(stmt)
    if not isinstance(stmt, Update) or stmt.op not in ("+=", "-="):
        return
    if not is_box(indices):
        return
    kept = set(free_indices(stmt.target))
    factors = [f for f in parts(stmt.value).factors if free_indices(f)]
    if len(factors) < 2 or all(i.name in kept for i in indices):
        return
    for factor in factors:
        if not isinstance(factor, Call) or not _is_function(factor):
            continue
        if function_of(factor) is not factor:
            continue
        arrays = {a.array for a in reads(factor)}
        alone = all(isinstance(s.at, IndexRef) for a in reads(factor) for s in a.subscripts)
        if alone and stmt.target.array not in arrays and not set(free_indices(factor)) <= kept:
            yield factor, stmt, tuple(i for i in indices if i.name in free_indices(factor))

"""Multiply by what belongs to every cell of a sum of products after the sum.

Rewrite:   for b,f,d  g[b,f] += u[b,d] M[d,f] relu'(a[b,f])  ->  for b,f,d  g[b,f] += u[b,d] M[d,f]
                                                                 for b,f    g[b,f] *= relu'(a[b,f])
Requires:  the first statement that writes `g`, each point of whose other loops has a cell of its
           own; a function of these indices, all of them, beside a product that has them all.
Keeps:     every value, up to rounding. The second statement is elementwise: it can run block by
           block with those that read `g`.
"""

from __future__ import annotations

from loopc.analysis.products import is_plain, parts
from loopc.diagnostics.record import replace
from loopc.ir.nodes import Call, Expr, Index, Program, Read, Stmt, Update
from loopc.ir.visit import free_indices, is_box, loop, mul, neg, reads, unguarded, updates


def split_factors(program: Program) -> Program:
    """Return the program with such factors in statements of their own."""
    temps = {a.name for a in program.arrays if a.kind == "temp" and not a.dtype}
    body: list[Stmt] = []
    for stmt in program.body:
        body += _split(stmt, temps)
        temps -= {u.target.array for _, u in updates((stmt,))}
    same = len(body) == len(program.body)
    return program if same else replace(program, body=tuple(body))


def _split(stmt: Stmt, fresh: set[str]) -> tuple[Stmt, ...]:
    """Return a statement as two; `fresh` are the arrays that nothing has written yet."""
    whole = stmt
    indices, stmt = unguarded(stmt)
    if not isinstance(stmt, Update) or stmt.op != "+=" or stmt.target.array not in fresh:
        return (whole,)
    if not is_plain(Read(stmt.target)) or not is_box(indices):
        return (whole,)
    kept = set(free_indices(stmt.target))
    found = parts(stmt.value)
    outer = [f for f in found.factors if isinstance(f, Call) and set(free_indices(f)) == kept]
    inner = [f for f in found.factors if f not in outer]
    if not outer or not _is_product(inner, kept, indices):
        return (whole,)
    if any(a.array == stmt.target.array for a in reads(stmt.value)):
        return (whole,)
    value = mul(*inner)
    for divisor in found.divisors:
        value = Call("div", (value, divisor))
    first = replace(stmt, value=neg(value) if found.negative else value)
    second = replace(stmt, op="*=", value=mul(*outer))
    own = tuple(i for i in indices if i.name in kept)
    made = (*loop(indices, None, first), *loop(own, None, second))
    return tuple(replace(s, span=whole.span) for s in made)


def _is_product(factors: list[Expr], kept: set[str], indices: tuple[Index, ...]) -> bool:
    """Whether factors with different indices are summed, and every cell has them all."""
    summed = {i.name for i in indices} - kept
    own = {frozenset(free_indices(f)) for f in factors if summed & set(free_indices(f))}
    used = {n for f in factors for n in free_indices(f)}
    return bool(summed) and len(own) > 1 and kept | summed == used

"""Statements that are hoisted from expressions: the loops that they need, and what they compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loopc.analysis.dependence import leaves, overwrites_itself
from loopc.autodiff.partials import sensitive
from loopc.diagnostics.record import replace
from loopc.ir.functions import lookup as lookup_function
from loopc.ir.functions import order
from loopc.ir.nodes import Access, Call, Const, Expr, For, Index, Node, Read, Reduce, Stmt, Update
from loopc.ir.reductions import lookup
from loopc.ir.sites import is_inside, sites_of
from loopc.ir.visit import free_indices, loop, updates, walk
from loopc.ir.workspace import Names


def with_ranges(indices: Sequence[Index], loops: tuple[Index, ...]) -> list[Index]:
    """Return indices with the loops that their ranges use."""
    wanted = {i.name for i in indices}
    for index in reversed(loops):
        if index.name in wanted:
            wanted |= set(free_indices(index))
    return [i for i in loops if i.name in wanted]


def computed(cell: Access, value: Reduce) -> tuple[Stmt, ...]:
    """Return the statements that compute a reduction; without a rule of its own, step by step."""
    row = lookup(value.op)
    assert row is not None
    if row.adjoint:
        return (Update(cell, "=", value, span=value.span),)
    assert row.form == "fold", value.op
    assert row.fn, value.op
    start = Update(cell, "=", Const(row.identity), span=value.span)
    step = Call(row.fn, (Read(cell), value.body))
    return start, *loop(value.indices, value.guard, Update(cell, "=", step, span=value.span))


def in_used_loops(indices: tuple[Index, ...], stmt: Stmt) -> tuple[Stmt, ...]:
    """Put a hoisted statement into the loops that it uses."""
    wanted = set(free_indices(stmt))
    kept = tuple(with_ranges([i for i in indices if i.name in wanted], indices))
    if isinstance(stmt, For) and stmt.guard is None:
        return loop((*kept, *stmt.indices), None, *stmt.body)
    if isinstance(stmt, For):
        return (replace(stmt, indices=(*kept, *stmt.indices)),)
    return loop(kept, None, stmt)


def may_be_outside(node: Node, loops: Sequence[Index], names: Names) -> bool:
    """Whether hoisted code may read outside an array; one that it makes has room for it."""
    own = {u.target.array for _, u in updates((node,))} if isinstance(node, Stmt) else ()
    for site in sites_of(node, {i.name: i for i in loops}):
        size = (names.arrays[site.access.array].shape or ())[site.axis]
        if site.access.array not in own and not is_inside(site.at, site.ranges, size):
            return True
    return False


def is_repeatable(value: Expr, is_active: Callable[[str], bool]) -> bool:
    """Whether a value comes out the same, to the last bit, wherever it is computed.

    The adjoint of an extreme looks for the terms that are equal to it.
    """
    if not any(is_active(a.array) for a in sensitive(value)):
        return True
    return not any(
        isinstance(n, Reduce) or (isinstance(n, Call) and not is_exact(n.fn)) for n in walk(value)
    )


def is_exact(fn: str) -> bool:
    """Whether IEEE 754 gives a function of floats one value."""
    row = lookup_function(fn)
    assert row is not None
    return not order(fn) and (row.result != "float" or row.infix is not None) and fn != "pow"


def has_a_cell_each(update: Update, loops: tuple[Index, ...]) -> bool:
    """Whether an assignment stores its value at each point of its loops, and no two in one cell."""
    if any(s.mode != "strict" for s in update.target.subscripts):
        return False
    (leaf,) = leaves(loop(loops, None, update))
    return not overwrites_itself(leaf.levels, update)

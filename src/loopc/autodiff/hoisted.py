"""Statements that are hoisted from expressions: the loops that they need, and what they compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loopc.analysis.dependence import leaves, overwrites_itself
from loopc.autodiff.partials import sensitive
from loopc.diagnostics.record import replace
from loopc.ir.bounds import conjuncts, first, last
from loopc.ir.comparisons import always_holds
from loopc.ir.functions import lookup as lookup_function
from loopc.ir.functions import order
from loopc.ir.nodes import Access, Call, Const, Expr, For, Index, Node, Read, Reduce, Stmt, Update
from loopc.ir.reductions import lookup
from loopc.ir.sites import is_inside, sites_of
from loopc.ir.visit import free_indices, loop, reads, substitute, updates, walk
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


def in_used_loops(
    indices: tuple[Index, ...],
    stmt: Stmt,
    guard: Expr | None = None,
    around: tuple[Index, ...] = (),
) -> tuple[Stmt, ...]:
    """Put a hoisted statement into the loops that it uses, where a guard holds in some others.

    `around`: the loops round all of these.
    """
    wanted = set(free_indices(stmt))
    kept = tuple(with_ranges([i for i in indices if i.name in wanted], indices))
    if guard is not None:
        condition = _somewhere(guard, (*around, *indices), (*around, *kept), stmt)
        if condition is not None:
            return loop(kept, condition, stmt)
    if isinstance(stmt, For) and stmt.guard is None:
        return loop((*kept, *stmt.indices), None, *stmt.body)
    if isinstance(stmt, For):
        return (replace(stmt, indices=(*kept, *stmt.indices)),)
    return loop(kept, None, stmt)


def _somewhere(
    guard: Expr, indices: tuple[Index, ...], kept: tuple[Index, ...], stmt: Stmt
) -> Expr | None:
    """Return the condition that a guard holds for some values of the indices that are not kept.

    None: it does at an end of a range that the statement has as well, and so is not empty.
    """
    left = {*free_indices(guard)} - {i.name for i in kept}
    used = with_ranges([i for i in indices if i.name in left], indices)
    lost = tuple(i for i in used if i not in kept)
    if not lost:
        return guard
    own = stmt.indices if isinstance(stmt, For) else ()
    if len(lost) == 1 and any((i.start, i.stop) == (lost[0].start, lost[0].stop) for i in own):
        around = {i.name: i for i in indices if i is not lost[0]}
        for end in (first(lost[0]), last(lost[0])):
            parts = (substitute(c, {lost[0].name: end}) for c in conjuncts(guard))
            if all(always_holds(part, around) for part in parts):
                return None
    return Reduce("any", lost, None, guard)


def leaves_loops(update: Update, value: Reduce, guard: Expr) -> bool:
    """Whether a reduction under a guard is the same in all iterations of a loop that this is of."""
    steady = all(a.array != update.target.array for a in reads(guard))
    return steady and not {*free_indices(guard)} <= {*free_indices(replace(value, at=()))}


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

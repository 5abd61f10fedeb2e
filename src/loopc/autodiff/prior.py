"""`T[s] max= e` where `T` has values before: the terms are compared with each other first.

    for e: d[dst[e]] min= c[e]   ->   for e: d_of[dst[e]] min= c[e]
                                      for v: d[v] = where(d_of[v] != inf, min(d[v], d_of[v]), d[v])

Each step would else be a minimum of what the steps before it left, one after the other. Of equal
terms each has an equal share, and all of them as much as a value before that is equal to them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loopc.analysis.dependence import leaves, overwrites_itself
from loopc.autodiff.growing import is_alone
from loopc.autodiff.loops import carrying
from loopc.autodiff.partials import sensitive
from loopc.diagnostics.record import replace
from loopc.ir.nodes import Call, Const, For, Index, IndexRef, Read, Stmt, Subscript, Update
from loopc.ir.reductions import by_op
from loopc.ir.visit import free_indices, loop, updates
from loopc.ir.workspace import Names


def compared_first(
    stmt: For,
    loops: Sequence[Index],
    top: Stmt,
    writers: dict[str, list[Update]],
    is_active: Callable[[str], bool],
    names: Names,
) -> tuple[Stmt, ...]:
    """Return the loops of a `max=` as those of its terms and that of the values before.

    Nothing, if it is none, if there are no values before, or if a step sees what others left.

    Args:
        stmt: the loops.
        loops: the loops round these.
        top: all of them.
        writers: the updates of each array, to which the new ones are added.
        is_active: whether an array is differentiated.
        names: the arrays, to which that of the terms is added.
    """
    update = stmt.body[0]
    if len(stmt.body) > 1 or not isinstance(update, Update) or update.op not in ("max=", "min="):
        return ()
    name = update.target.array
    if not is_active(name) or not any(is_active(a.array) for a in sensitive(update.value)):
        return ()
    if is_alone(update, writers[name], names.arrays[name], top):
        return ()
    found = _in_two(stmt, update, loops, names)
    for _, new in updates(found):
        writers.setdefault(new.target.array, []).append(new)
    return found


def _in_two(stmt: For, update: Update, loops: Sequence[Index], names: Names) -> tuple[Stmt, ...]:
    """Return the loops of the terms and that of the values before, for one that needs both."""
    prefix, rest = carrying(stmt)
    inner = replace(stmt, indices=rest)
    (leaf,) = leaves((inner,))
    if not rest or not overwrites_itself(leaf.levels, update):
        return ()
    around, target = [*loops, *prefix], update.target
    name = names.fresh(f"{target.array}_of".replace(".", "_"))
    cell = names.countable_cells(name, around, around, update.span, (update,))
    if isinstance(cell, Index):
        return ()
    own = {i.name for i in rest}
    moving = [n for n, s in enumerate(target.subscripts) if own & {*free_indices(s)}]
    shape = names.arrays[target.array].shape or ()
    room = names.arrays[name].shape or ()
    names.arrays[name] = replace(names.arrays[name], shape=(*room, *(shape[n] for n in moving)))
    indices = {n: Index(names.fresh("i", numbered=True), Const(0), shape[n]) for n in moving}
    here = {n: Subscript(IndexRef(i.name)) for n, i in indices.items()}
    step = replace(cell, subscripts=(*cell.subscripts, *(target.subscripts[n] for n in moving)))
    best = Read(replace(cell, subscripts=(*cell.subscripts, *here.values())))
    whole = replace(
        target, subscripts=tuple(here.get(n, s) for n, s in enumerate(target.subscripts))
    )
    row = by_op(update.op)
    assert row is not None
    came = Call("ne", (best, Const(row.identity)))
    value = Call("where", (came, Call(row.fn, (Read(whole), best)), Read(whole)))
    both = Update(whole, "=", value, span=update.span)
    terms = replace(inner, body=(replace(update, target=step),))
    return loop(prefix, None, terms, *loop(tuple(indices.values()), None, both))

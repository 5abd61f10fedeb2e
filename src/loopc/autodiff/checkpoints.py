"""Checkpoints: the state of a serial loop is kept every so many steps, and these are run again.

Rewrite:   for t: { record(t); step(t) }  …  for t in reversed: adjoint(t)
           ->  for n: { saved[n] = state;  for t in part n: step(t) }  …
               for n in reversed: { state = saved[n];  for t in part n: { record(t); step(t) }
                                    for t in reversed(part n): adjoint(t) }
What is recorded then takes the memory of one part. Source: Griewank and Walther, Evaluating
Derivatives, ch. 12 (one level of uniform checkpoints).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from loopc.analysis.dependence import Leaf, Ref, common_loops, leaves, may_meet
from loopc.diagnostics.record import record
from loopc.ir.affine import Affine, affine, plus, to_expr
from loopc.ir.bounds import extent
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Read,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.reductions import by_op
from loopc.ir.visit import loop, map_children, reads, updates, walk
from loopc.ir.workspace import Names


@record()
class Sweep:
    """One statement of a program: plain, with what it records, and its adjoint."""

    plain: Stmt
    recorded: tuple[Stmt, ...]
    adjoint: tuple[Stmt, ...]


def with_checkpoints(
    sweeps: Sequence[Sweep], every: int, names: Names, outside: Collection[str]
) -> list[Sweep]:
    """Return the statements with checkpoints in their serial loops, where these can be had.

    Args:
        sweeps: the statements of a program in order.
        every: the steps between two checkpoints.
        names: the arrays, to which the checkpoints are added.
        outside: arrays that must keep all of their values.
    """
    done = list(sweeps)
    for number, sweep in enumerate(sweeps):
        others = [s for n, o in enumerate(sweeps) if n != number for s in (*o.recorded, *o.adjoint)]
        used = {a.array for s in others for a in _accesses(s)} | set(outside)
        later = {u.target.array for o in sweeps[number + 1 :] for _, u in updates((o.plain,))}
        made = _parts(sweep, every, names, used, later)
        if made is not None:
            done[number] = made
    return done


def _parts(
    sweep: Sweep, every: int, names: Names, used: Collection[str], later: Collection[str]
) -> Sweep | None:
    """Return a serial loop's sweep in parts; None if it has none, or needs what is lost later."""
    plain = sweep.plain
    if len(sweep.recorded) != 1 or len(sweep.adjoint) != 1:
        return None
    (forward,), (back,) = sweep.recorded, sweep.adjoint
    if not isinstance(plain, For) or not isinstance(forward, For) or not isinstance(back, For):
        return None
    if not plain.indices or not back.indices or plain.indices[0].step != 1:
        return None
    index = plain.indices[0]
    if back.indices[0].name != index.name or back.indices[0].step != -1:
        return None
    written = list(dict.fromkeys(u.target.array for _, u in updates((plain,))))
    steady = [n for n in written if _is_steady(n, plain)]
    if set(later) & ({a.array for a in _reads(plain)} - set(written) | set(steady)):
        return None
    local = _local(index, (plain, forward, back), names, used)
    state = [n for n in written if n not in steady and n not in local]
    return _in_parts(sweep, index, every, names, state, local)


def _in_parts(
    sweep: Sweep,
    index: Index,
    every: int,
    names: Names,
    state: list[str],
    local: dict[str, int],
) -> Sweep:
    """Put a sweep together from its parts."""
    plain, (forward,), (back,) = sweep.plain, sweep.recorded, sweep.adjoint
    assert isinstance(plain, For)
    assert isinstance(forward, For)
    assert isinstance(back, For)
    assert index.start is not None
    assert index.stop is not None
    part = names.fresh("part")
    count = Call("floordiv", (plus(extent(index), every - 1), Const(every)))
    parts = Index(part, Const(0), count, written=True)
    low_expr: Expr = Call("mul", (Const(every), IndexRef(part)))
    if index.start != Const(0):
        low_expr = Call("add", (index.start, low_expr))
    high = Call("min", (plus(low_expr, every), index.stop))
    steps = replace(index, start=low_expr, stop=high, written=True)
    backwards = replace(index, start=plus(high, -1), stop=plus(low_expr, -1), step=-1, written=True)
    for name, axis in local.items():
        shape = list(names.arrays[name].shape or ())
        shape[axis] = Const(every)
        names.arrays[name] = replace(names.arrays[name], shape=tuple(shape))
    here = Call("add", (IndexRef(index.name), Call("neg", (low_expr,))))
    saves: list[Stmt] = []
    restores: list[Stmt] = []
    again: dict[str, str] = {}
    for name in state:
        array = names.arrays[name]
        saved, again[name] = (
            names.fresh(f"{name}_{s}".replace(".", "_")) for s in ("saved", "again")
        )
        shape_ = tuple(array.shape or ())
        names.arrays[saved] = Array(saved, "temp", (count, *shape_), span=array.span)
        names.arrays[again[name]] = Array(again[name], "temp", shape_, span=array.span)
        saves.extend(_copies(array, saved, part, None))
        restores.extend(_copies(array, saved, part, again[name]))
    first = replace(_localised(plain, local, here, {}), indices=(steps, *plain.indices[1:]))
    second = replace(_localised(forward, local, here, again), indices=(steps, *forward.indices[1:]))
    third = replace(_localised(back, local, here, again), indices=(backwards, *back.indices[1:]))
    fresh, again_fresh = (_started(x, local, names) for x in (plain, forward))
    made = {u.target.array for _, u in updates((forward,))}
    zeros = _started(back, {n: axis for n, axis in local.items() if n not in made}, names)
    return Sweep(
        plain,
        (For((parts,), None, (*saves, *fresh, first), span=plain.span),),
        (
            For(
                (replace(parts, start=plus(count, -1), stop=Const(-1), step=-1),),
                None,
                (*restores, *again_fresh, second, *zeros, third),
                span=plain.span,
            ),
        ),
    )


def _cells(array: Array) -> tuple[tuple[Index, ...], tuple[Subscript, ...]]:
    indices = tuple(
        Index(f"i{n + 1}", Const(0), e, written=True) for n, e in enumerate(array.shape or ())
    )
    return indices, tuple(Subscript(IndexRef(i.name)) for i in indices)


def _copies(array: Array, saved: str, part: str, to: str | None) -> tuple[Stmt, ...]:
    """Save an array, or copy what was saved to another one."""
    indices, cell = _cells(array)
    kept = Access(saved, (Subscript(IndexRef(part)), *cell))
    if to is None:
        made = Update(kept, "=", Read(Access(array.name, cell)), span=array.span)
    else:
        made = Update(Access(to, cell), "=", Read(kept), span=array.span)
    return loop(indices, None, made)


def _started(stmt: For, local: dict[str, int], names: Names) -> list[Stmt]:
    """Give the arrays of a part the value that they start from, as if no part had been before."""
    made: list[Stmt] = []
    for name in local:
        first = next((u for _, u in updates((stmt,)) if u.target.array == name), None)
        if first is None:
            continue
        row = by_op(first.op)
        start = Const(0 if row is None else row.identity)
        array = names.arrays[name]
        indices, cell = _cells(array)
        made.extend(loop(indices, None, Update(Access(name, cell), "=", start, span=array.span)))
    return made


def _localised(node: For, local: dict[str, int], here: Expr, again: dict[str, str]) -> For:
    """Rename the state, and count the cells of what is local to a part from the part's start."""

    def step(child: Node) -> Node:
        child = map_children(child, step)
        if isinstance(child, Access) and child.array in local:
            axis = local[child.array]
            subscripts = list(child.subscripts)
            subscripts[axis] = Subscript(here)
            return replace(child, subscripts=tuple(subscripts))
        if isinstance(child, Access) and child.array in again:
            return replace(child, array=again[child.array])
        return child

    return step(node)  # type: ignore[return-value]


def _local(
    index: Index, stmts: Sequence[Stmt], names: Names, used: Collection[str]
) -> dict[str, int]:
    """Return the arrays that a step alone uses, each with the axis that counts the steps."""
    axes: dict[str, set[int]] = {}
    for stmt in stmts:
        for access in _accesses(stmt):
            if names.arrays[access.array].kind != "temp" or access.array in used:
                continue
            here = {
                n
                for n, s in enumerate(access.subscripts)
                if s.mode == "strict" and _counts(s.at, index)
            }
            axes[access.array] = axes.get(access.array, here) & here
    return {name: min(found) for name, found in axes.items() if found}


def _counts(at: Expr, index: Index) -> bool:
    """Whether a subscript is the number of the step, from 0 or from the range's start."""
    here = IndexRef(index.name)
    return at == here or (index.start is not None and at == _minus(here, index.start))


def _minus(a: Expr, b: Expr) -> Expr:
    """Return a - b in the form that subscripts of new arrays have."""
    form = affine(b)
    return a if form is None else to_expr(Affine(0, ((a, 1),)) - form)


def _is_steady(name: str, stmt: For) -> bool:
    """Whether running any step again gives the same values.

    So it is if every step assigns cells of its own, and reads none before it is assigned.
    """
    found = leaves((stmt,))
    mine = [leaf for leaf in found if leaf.update.target.array == name]
    if any(leaf.update.op != "=" for leaf in mine):
        return False
    if any(may_meet(a, a.refs[0], b, b.refs[0], 0) for a in mine for b in mine):
        return False
    return not any(
        _is_read_before(leaf, ref, write)
        for leaf in found
        for ref in leaf.refs
        if not ref.write and ref.access.array == name
        for write in mine
    )


def _is_read_before(leaf: Leaf, ref: Ref, write: Leaf) -> bool:
    """Whether a statement reads a cell that another one assigns after it."""
    common = common_loops(leaf, write)
    if any(may_meet(leaf, ref, write, write.refs[0], level) for level in range(common)):
        return True
    later = write is leaf or write.number > leaf.number
    return later and may_meet(leaf, ref, write, write.refs[0], None, common)


def _accesses(stmt: Stmt) -> list[Access]:
    return [n for n in walk(stmt) if isinstance(n, Access)]


def _reads(stmt: Stmt) -> list[Access]:
    return list(reads(stmt))

"""Checkpoints: the state of a serial loop is kept every so many steps, and these are run again.

Rewrite:   for t: { record(t); step(t) }  …  for t in reversed: adjoint(t)
           ->  for n: { saved[n] = state;  for t in part n: step(t) }  …
               for n in reversed: { state = saved[n];  for t in part n: { record(t); step(t) }
                                    for t in reversed(part n): adjoint(t) }
What is recorded then takes the memory of one part. A part that runs again may itself run in parts,
and so on: each level costs one more run of the steps. Source: Griewank and Walther, Evaluating
Derivatives, ch. 12 (multilevel checkpointing, parts of one length on each level).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field

from loopc.analysis.dependence import Leaf, Ref, common_loops, leaves, may_meet
from loopc.diagnostics.record import record, replace
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


@record()
class Checkpointed:
    """A serial loop with checkpoints.

    Attributes:
        steps: how many it has.
        saved: the arrays that hold its states, one for each part.
        local: the arrays that hold what a part records.
    """

    steps: Expr
    saved: tuple[str, ...]
    local: tuple[str, ...]


@record()
class Checkpoints:
    """Where checkpoints are to be, and are.

    Attributes:
        every: the steps between two of them, on each level, outermost first.
        loops: the serial loops that have them; those inside others behind these.
    """

    every: tuple[int, ...]
    loops: list[Checkpointed] = field(default_factory=list)


NONE = Checkpoints(())


def with_checkpoints(
    sweeps: Sequence[Sweep], wanted: Checkpoints, names: Names, outside: Collection[str]
) -> list[Sweep]:
    """Return the statements with checkpoints in their serial loops, where these can be had.

    Args:
        sweeps: the statements of a program in order.
        wanted: the steps between checkpoints; the loops that have them are added.
        names: the arrays, to which the checkpoints are added.
        outside: arrays that must keep all of their values.
    """
    done = list(sweeps)
    for number, sweep in enumerate(sweeps):
        others = [s for n, o in enumerate(sweeps) if n != number for s in (*o.recorded, *o.adjoint)]
        used = {a.array for s in others for a in _accesses(s)} | set(outside)
        later = {u.target.array for o in sweeps[number + 1 :] for _, u in updates((o.plain,))}
        made = _parts(sweep, wanted, names, used, later)
        if made is not None:
            recorded, back = (tuple(map(_copied, s)) for s in (made.recorded, made.adjoint))
            done[number] = Sweep(made.plain, recorded, back)
    return done


def _parts(
    sweep: Sweep,
    wanted: Checkpoints,
    names: Names,
    used: Collection[str],
    later: Collection[str],
    most: int = 0,
) -> Sweep | None:
    """Return a serial loop's sweep in parts; None if it has none, or needs what is lost later.

    If it is a part itself, it has `most` steps.
    """
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
    loop_ = _Loop(index, used, tuple(state), local, most)
    return _in_parts(sweep, loop_, wanted, names)


@record()
class _Loop:
    """A serial loop: its index, its state, what a step alone uses, its steps if it is a part."""

    index: Index
    used: Collection[str]
    state: tuple[str, ...]
    local: dict[str, int]
    most: int


def _in_parts(sweep: Sweep, loop_: _Loop, wanted: Checkpoints, names: Names) -> Sweep:
    """Put a sweep together from its parts."""
    index, every = loop_.index, wanted.every[0]
    assert index.start is not None
    assert index.stop is not None
    part = names.fresh("part")
    count = Call("floordiv", (plus(extent(index), every - 1), Const(every)))
    if loop_.most:
        count = Call("min", (count, Const(-(-loop_.most // every))))
    held = count.args[-1] if loop_.most else count
    parts = Index(part, Const(0), count, written=True)
    low: Expr = Call("mul", (Const(every), IndexRef(part)))
    if index.start != Const(0):
        low = Call("add", (index.start, low))
    high = Call("min", (plus(low, every), index.stop))
    steps = replace(index, start=low, stop=high, written=True)
    back = replace(index, start=plus(high, -1), stop=plus(low, -1), step=-1, written=True)
    for name, axis in loop_.local.items():
        shape = list(names.arrays[name].shape or ())
        shape[axis] = Const(every)
        names.arrays[name] = replace(names.arrays[name], shape=tuple(shape))
    here = _minus(IndexRef(index.name), low)
    again: dict[str, str] = {}
    saves, restores = _states(loop_.state, names, part, held, again)
    wanted.loops.append(Checkpointed(extent(index), tuple(saves), tuple(loop_.local)))
    if len(wanted.every) > 1:  # the parts of a part hold less
        for name in loop_.local:
            again[name] = names.fresh(f"{name}_again".replace(".", "_"))
            names.arrays[again[name]] = replace(names.arrays[name], name=again[name])
    own = {again.get(n, n): axis for n, axis in loop_.local.items()}

    def placed(stmt: Stmt, at: Index, renamed: Mapping[str, str]) -> For:
        assert isinstance(stmt, For)
        inside = _localised(stmt, loop_.local, here, renamed)
        return replace(inside, indices=(at, *inside.indices[1:]))

    first = placed(sweep.plain, steps, {})
    whole = Sweep(
        placed(sweep.plain, steps, again),
        (placed(sweep.recorded[0], steps, again),),
        (placed(sweep.adjoint[0], back, again),),
    )
    body = _once_more(whole, loop_, own, wanted, names)
    backwards = replace(parts, start=plus(count, -1), stop=Const(-1), step=-1)
    span = sweep.plain.span
    fresh = _started(first, loop_.local, names)
    copies = (s for each in saves.values() for s in each)
    return Sweep(
        sweep.plain,
        (For((parts,), None, (*copies, *fresh, first), span=span),),
        (For((backwards,), None, (*restores, *body), span=span),),
    )


def _states(
    state: Sequence[str], names: Names, part: str, held: Expr, again: dict[str, str]
) -> tuple[dict[str, tuple[Stmt, ...]], list[Stmt]]:
    """Return the statements that save a state, by the array they save to, and that restore it.

    Args:
        state: the arrays.
        names: all arrays; those that hold the states, `held` of each, are added.
        part: the index of the parts.
        held: how many there are.
        again: takes the names of the arrays in the run of a part.
    """
    saves: dict[str, tuple[Stmt, ...]] = {}
    restores: list[Stmt] = []
    for name in state:
        array = names.arrays[name]
        saved, again[name] = (
            names.fresh(f"{name}_{s}".replace(".", "_")) for s in ("saved", "again")
        )
        shape = tuple(array.shape or ())
        names.arrays[saved] = Array(saved, "temp", (held, *shape), span=array.span)
        names.arrays[again[name]] = Array(again[name], "temp", shape, span=array.span)
        saves[saved] = _copies(array, saved, part, None)
        restores.extend(_copies(array, saved, part, again[name]))
    return saves, restores


def _once_more(
    sweep: Sweep, loop_: _Loop, local: dict[str, int], wanted: Checkpoints, names: Names
) -> tuple[Stmt, ...]:
    """Return the statements that run a part again and its adjoint, itself in parts if wanted."""
    (forward,), (back,) = sweep.recorded, sweep.adjoint
    made = {u.target.array for _, u in updates((forward,))}
    starts = [
        *_started(forward, local, names),
        *_started(back, {n: axis for n, axis in local.items() if n not in made}, names),
    ]
    number = len(wanted.loops)
    rest = replace(wanted, every=wanted.every[1:])
    inner = _parts(sweep, rest, names, loop_.used, (), wanted.every[0]) if rest.every else None
    if inner is None:
        return (*starts, forward, back)
    own = wanted.loops[number].local
    starts = [s for s in starts if not _writes(s, own)]
    return (*starts, *inner.recorded, *inner.adjoint)


def _copied(stmt: Stmt) -> Stmt:
    """Return a statement as objects of its own: each run of a part is rewritten alone."""
    if not isinstance(stmt, For):
        return replace(stmt)
    return replace(stmt, body=tuple(map(_copied, stmt.body)))


def _writes(stmt: Stmt, names: Collection[str]) -> bool:
    return any(u.target.array in names for _, u in updates((stmt,)))


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


def _started(stmt: Stmt, local: dict[str, int], names: Names) -> list[Stmt]:
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


def _localised(node: For, local: dict[str, int], here: Expr, again: Mapping[str, str]) -> For:
    """Rename the state, and count the cells of what is local to a part from the part's start."""

    def step(child: Node) -> Node:
        child = map_children(child, step)
        if isinstance(child, Access) and child.array in local:
            axis = local[child.array]
            subscripts = list(child.subscripts)
            subscripts[axis] = Subscript(here)
            array = again.get(child.array, child.array)
            return replace(child, array=array, subscripts=tuple(subscripts))
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

"""Add past the edges of an array into one with these cells round it, and from there once.

Rewrite:   for i  g[clamp(i-1)] += a[i]   ->   for i  g_past[i] += a[i]
           for i  g[clamp(i+2)] += b[i]        for i  g_past[i+3] += b[i]
                                               if N > 0: for k < N + 3: g[clamp(k-1)] += g_past[k]
           (slices, where every statement looks for the cells past the edges otherwise)
Requires:  several such sums, by indices that run over whole axes, beside literals, each axis in one
           mode; nothing reads the array between the first of them and the last, or writes it but to
           add to it.
Keeps:     every value up to the rounding of a reassociated sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from loopc.analysis.dependence import only_leaf
from loopc.analysis.edges import SEVERAL, Axis, Place, axis_of, is_shift, place_of
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import plus
from loopc.ir.bounds import ascending
from loopc.ir.nodes import (
    Access,
    Array,
    Const,
    Index,
    IndexRef,
    Program,
    Read,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import loop, reads, updates, with_update
from loopc.ir.workspace import Names


@record()
class _Sum:
    """A statement that adds to cells beside indices: which one of the program, and where to."""

    number: int
    stmt: Stmt
    update: Update
    places: tuple[Place, ...]


def add_once(program: Program) -> Program:
    """Return the program with arrays for what is added past the edges of others."""
    arrays = {a.name: a for a in program.arrays}
    found: dict[str, list[_Sum]] = {}
    for number, stmt in enumerate(program.body):
        own = _sum(number, stmt, arrays)
        if own is not None:
            found.setdefault(own.update.target.array, []).append(own)
    names = Names.of(program)
    body: list[tuple[Stmt, ...]] = [(stmt,) for stmt in program.body]
    for name, sums in found.items():
        axes = [axis_of(places) for places in zip(*(s.places for s in sums), strict=True)]
        between = program.body[sums[0].number : sums[-1].number + 1]
        if len(sums) >= SEVERAL and None not in axes and _is_added(name, between):
            _collect(arrays[name], tuple(filter(None, axes)), sums, body, names)
    if len(names.arrays) == len(arrays):
        return program
    new = tuple(stmt for stmts in body for stmt in stmts)
    return replace(program, body=new, arrays=tuple(names.arrays.values()))


def _sum(number: int, stmt: Stmt, arrays: Mapping[str, Array]) -> _Sum | None:
    """Return a statement that adds past edges; None: it does something else."""
    leaf = only_leaf(stmt)
    if leaf is None or leaf.update.op != "+=":
        return None
    target = leaf.update.target
    ranges = {level.index.name: ascending(level.index) for level in leaf.levels}
    shape = arrays[target.array].shape or ()
    found = [place_of(s, n, ranges) for s, n in zip(target.subscripts, shape, strict=True)]
    places = tuple(p for p in found if p is not None)
    if len(places) < len(found) or not any(p.is_past for p in places) or not is_shift(target):
        return None
    if any(p.mode == "pad" for p in places):
        return None
    return _Sum(number, stmt, leaf.update, places)


def _is_added(name: str, stmts: tuple[Stmt, ...]) -> bool:
    """Whether statements do nothing with an array but add to it."""
    others = (a.array for s in stmts for a in reads(s))
    written = (u.op for _, u in updates(stmts) if u.target.array == name)
    return name not in others and all(op == "+=" for op in written)


def _collect(
    array: Array,
    axes: tuple[Axis, ...],
    sums: Sequence[_Sum],
    body: list[tuple[Stmt, ...]],
    names: Names,
) -> None:
    """Let sums go to an array of their own, and behind the last of them from there."""
    shape, span = array.shape or (), array.span
    name = names.fresh(f"{array.name}_past".replace(".", "_"))
    sizes = tuple(plus(n, a.low + a.high) for n, a in zip(shape, axes, strict=True))
    names.arrays[name] = Array(name, "temp", sizes, span=span)
    for each in sums:
        moved = zip(each.update.target.subscripts, axes, strict=True)
        places = tuple(Subscript(plus(s.at, axis.low)) for s, axis in moved)
        target = replace(each.update.target, array=name, subscripts=places)
        body[each.number] = (with_update(each.stmt, replace(each.update, target=target)),)
    body[sums[-1].number] += tuple(_folded(array, axes, name, names))


def _folded(array: Array, axes: tuple[Axis, ...], past: str, names: Names) -> Iterator[Stmt]:
    """Yield the statements that add what is past the edges, one axis after the other."""
    shape, span = array.shape or (), array.span
    sizes = list(names.arrays[past].shape or ())
    moved = [n for n, axis in enumerate(axes) if axis.low + axis.high]
    for number in moved:
        indices = [Index(names.fresh("i", numbered=True), Const(0), n) for n in sizes]
        at = [Subscript(IndexRef(i.name)) for i in indices]
        cell = Access(past, tuple(at), span=span)
        indices[number], at[number], guard = axes[number].around(
            shape[number], indices[number].name
        )
        sizes[number] = shape[number]
        past = array.name if number == moved[-1] else names.fresh(past, numbered=True)
        if past != array.name:
            names.arrays[past] = Array(past, "temp", tuple(sizes), span=span)
        onto = Access(past, tuple(at), span=span)
        yield from loop(tuple(indices), guard, Update(onto, "+=", Read(cell), span=span))

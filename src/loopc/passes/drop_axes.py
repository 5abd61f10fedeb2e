"""Drop the axes of a temporary along which all of its values are the same.

Rewrite:   for i,j    g[i,j] += 1                  ->             g += 1
           for i,j,k  a[i,k] += g[i,j] b[k,j]         for i,j,k   a[i,k] += g b[k,j]
Requires:  the temporary is no output; every statement that writes it does so alone in its loops,
           over the whole of the axis, and takes nothing from the index there but cells that are the
           same as well; nothing that is evaluated may stop the run, since it is evaluated now
           even if the axis is empty. Keeps: every value; sums over the axis up to rounding.
Source: the greatest solution of a data-flow problem, e.g. Muchnick, Advanced Compiler Design, ch.
8.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TypeAlias

from loopc.diagnostics.record import record, replace
from loopc.ir.bounds import is_whole
from loopc.ir.functions import lookup
from loopc.ir.nodes import (
    Access,
    Call,
    Const,
    Expr,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.sites import is_inside, sites
from loopc.ir.visit import children, free_indices, reads, updates, walk
from loopc.ir.workspace import without_axes

Axis: TypeAlias = tuple[str, int]
"""An array and which of its axes."""


@record()
class _Write:
    """Loops round one statement that writes an axis by an index of theirs."""

    nest: For
    name: str


_Writes: TypeAlias = dict[Axis, list[_Write]]


def drop_axes(program: Program) -> Program:
    """Return the program with smaller temporaries."""
    writes = _even(_writes(program))
    writes = _even(_read_inside(program, writes)) if writes else writes
    if not writes:
        return program
    new = without_axes(program, _by_array(writes))
    pairs = zip(program.body, new.body, strict=True)
    return replace(new, body=tuple(s for old, stmt in pairs for s in _smaller(old, stmt, writes)))


def _by_array(axes: Iterable[Axis]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for name, axis in axes:
        found.setdefault(name, set()).add(axis)
    return found


def _writes(program: Program) -> _Writes:
    """Return the axes that are written as a whole wherever they are written."""
    shapes = {a.name: a.shape or () for a in program.arrays if a.kind == "temp"}
    for name in program.outputs:
        shapes.pop(name, None)
    found: _Writes = {}
    refused: set[Axis] = set()
    for loops, update in updates(program.body):
        name = update.target.array
        for axis, size in enumerate(shapes.get(name, ())):
            write = _write(loops, update, axis, size)
            if write is None:
                refused.add((name, axis))
            else:
                found.setdefault((name, axis), []).append(write)
    return {axis: each for axis, each in found.items() if axis not in refused}


def _write(loops: Sequence[For], update: Update, axis: int, size: Expr) -> _Write | None:
    """Return the loops that write the whole of an axis with one statement, if they do."""
    subscript = update.target.subscripts[axis]
    at = subscript.at
    if not isinstance(at, IndexRef) or subscript.mode != "strict":
        return None
    if sum(at.name in free_indices(s) for s in update.target.subscripts) > 1:
        return None
    bound = [(n, i) for n, f in enumerate(loops) for i in f.indices if i.name == at.name]
    if len(bound) != 1:
        return None
    ((depth, index),) = bound
    if not is_whole(index, size):
        return None
    alone = all(len(f.body) == 1 for f in loops[depth:])
    return _Write(loops[depth], at.name) if alone else None


def _may_stop(nest: Stmt) -> bool:
    """Whether a function has no value for some arguments, or an index is data, or takes a cell."""
    for node in walk(nest):
        if isinstance(node, Call) and _refuses(node):
            return True
        if isinstance(node, Index) and reads(node):
            return True
        if isinstance(node, Access) and any(
            s.mode != "strict" or reads(s) for s in node.subscripts
        ):
            return True
    return False


def _refuses(call: Call) -> bool:
    if call.fn == "pow":  # of integers, to a negative one
        by = call.args[1]
        return not isinstance(by, Const) or isinstance(by.value, complex) or by.value < 0
    row = lookup(call.fn)
    return row is None or row.refuses


def _read_inside(program: Program, writes: _Writes) -> _Writes:
    """Return the axes that are read inside alone, and not while they are written.

    The loops that write them read nothing outside, and do nothing that may stop the run.
    """
    shapes = {a.name: a.shape or () for a in program.arrays}
    unsure = {
        site.access
        for site in sites(program)
        if not is_inside(site.at, site.ranges, shapes[site.access.array][site.axis])
    }
    accesses = (n for stmt in program.body for n in walk(stmt) if isinstance(n, Access))
    moded = (a for a in accesses if any(s.mode != "strict" for s in a.subscripts))
    loose = {a.array for a in (*unsure, *moded)}

    def may_go(axis: Axis, write: _Write) -> bool:
        name, number = axis
        bound = {i.name for n in walk(write.nest) if isinstance(n, Reduce) for i in n.indices}
        own = [n for n in walk(write.nest) if isinstance(n, Access)]
        cells = (a.subscripts[number].at for a in own if a.array == name)
        same = all(at == IndexRef(write.name) for at in cells)
        inside = unsure.isdisjoint(own) and not _may_stop(write.nest)
        return write.name not in bound and same and inside

    return {
        axis: found
        for axis, found in writes.items()
        if axis[0] not in loose and all(may_go(axis, write) for write in found)
    }


def _even(writes: _Writes) -> _Writes:
    """Return the axes along which what is written depends on no index, as these are dropped."""
    while True:
        dropped = _by_array(writes)
        even = {
            axis: found
            for axis, found in writes.items()
            if not any(_is_uneven(write, dropped) for write in found)
        }
        if len(even) == len(writes):
            return even
        writes = even


def _is_uneven(write: _Write, dropped: Mapping[str, Container[int]]) -> bool:
    """Whether something inside of loops depends on the index of an axis that they write."""
    nest = write.nest
    others = (i for i in nest.indices if i.name != write.name)
    guard = () if nest.guard is None else (nest.guard,)
    return any(_depends(node, write.name, dropped) for node in (*others, *guard, *nest.body))


def _depends(node: Node, name: str, dropped: Mapping[str, Container[int]]) -> bool:
    """Whether a node uses an index other than as a subscript that is dropped."""
    if name not in free_indices(node):
        return False
    if isinstance(node, IndexRef):
        return True
    below: Sequence[Node] = children(node)
    if isinstance(node, Access) and node.array in dropped:
        axes = dropped[node.array]
        below = [s for n, s in enumerate(node.subscripts) if n not in axes]
    return any(_depends(child, name, dropped) for child in below)


def _smaller(old: Stmt, new: Stmt, axes: Container[Axis]) -> tuple[Stmt, ...]:
    """Return what `new`, a statement without the axes, is without the loops over them."""
    if not isinstance(old, For) or not isinstance(new, For):
        return (new,)
    names = _names(old, axes)
    inner = zip(old.body, new.body, strict=True)
    body = tuple(s for was, stmt in inner for s in _smaller(was, stmt, axes))
    left = tuple(i for i in new.indices if i.name not in names)
    if left or new.guard is not None:
        return (replace(new, indices=left, body=body),)
    return body


def _names(stmt: Stmt, axes: Container[Axis]) -> set[str]:
    """Return the indices of the axes that the update that stands alone in loops writes."""
    while isinstance(stmt, For) and len(stmt.body) == 1:
        (stmt,) = stmt.body
    if not isinstance(stmt, Update):
        return set()
    target = stmt.target
    ats = (s.at for n, s in enumerate(target.subscripts) if (target.array, n) in axes)
    return {at.name for at in ats if isinstance(at, IndexRef)}

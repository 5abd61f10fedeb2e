"""Read an array itself, not a copy that was taken of it.

Rewrite:   for t, n: c[t,n] = h[t,n];  for t, n: y[n] += c[t,n]
           ->  for t, n: y[n] += h[t,n]
Requires:  the copy is a temporary, written once, whole, without a condition; it is read in later
           statements alone; nothing writes what it was taken of afterwards. Keeps: every value.
Records of what a loop overwrites are such copies where each iteration has cells of its own by now.
Source: copy propagation, e.g. Muchnick, Advanced Compiler Design, ch. 12.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_

from loopc.analysis.dependence import Leaf, Ref, leaves, writes_after
from loopc.diagnostics.record import record, replace
from loopc.ir.bounds import ascending, is_whole
from loopc.ir.nodes import (
    Access,
    Array,
    For,
    IndexRef,
    Node,
    Program,
    Read,
    Stmt,
    Update,
)
from loopc.ir.visit import map_children, reads, substitute, touches, updates, uses


@record()
class _Copy:
    """A copy: its indices, one for each axis, and the cell that it is taken of."""

    indices: tuple[str, ...]
    source: Access


def drop_copies(program: Program) -> Program:
    """Return the program without copies of what stays as it is."""
    arrays = {a.name: a for a in program.arrays}
    found: dict[str, _Copy] = {}
    places = [
        (number, leaf)
        for number, stmt in enumerate(program.body)
        if isinstance(stmt, For)
        for leaf in leaves((stmt,))
    ]
    for number, leaf in places:
        copy = _copy(leaf, arrays, program)
        if copy is None or copy.source.array in found:
            continue
        if _is_read_later(leaf.update.target.array, number, program) and not any(
            at > number or writes_after(other, leaf, Ref(copy.source, (), write=False))
            for at, other in places
            if at >= number and other.update.target.array == copy.source.array
        ):
            found[leaf.update.target.array] = copy
    if not found:
        return program
    body = tuple(s for stmt in program.body for s in _without(_reading(stmt, found), found))
    kept = tuple(a for a in program.arrays if a.name not in found)
    return replace(program, body=body, arrays=kept)


def _copy(leaf: Leaf, arrays: Mapping[str, Array], program: Program) -> _Copy | None:
    """Return an update as a copy of some array into the whole of another one."""
    update, target = leaf.update, arrays[leaf.update.target.array]
    if update.op != "=" or not isinstance(update.value, Read) or leaf.guards or leaf.moving:
        return None
    source = update.value.access
    if target.kind != "temp" or target.name in program.outputs or target.dtype or not target.shape:
        return None
    ranges = {level.index.name: level.index for level in leaf.levels}
    names = [s.at.name for s in update.target.subscripts if isinstance(s.at, IndexRef)]
    if not len(names) == len({*names}) == len(target.shape) == len(ranges) == len(leaf.levels):
        return None
    strict = all(s.mode == "strict" for s in (*update.target.subscripts, *source.subscripts))
    if not strict or source.array == target.name or any(reads(s) for s in source.subscripts):
        return None
    sizes = zip(names, target.shape, strict=True)
    whole = all(is_whole(ascending(ranges[n]), size) for n, size in sizes)
    return _Copy(tuple(names), source) if whole else None


def _is_read_later(name: str, number: int, program: Program) -> bool:
    """Whether an array is written once, and read in later statements of the program alone."""
    for at, stmt in enumerate(program.body):
        count = uses(stmt).get(name, 0)
        if at <= number and count != (at == number):
            return False
        found = touches(stmt).get(name, ()) if at > number else ()
        if any(s.mode != "strict" for access in found for s in access.subscripts):
            return False
        if found and any(update.target.array == name for _, update in updates((stmt,))):
            return False
    return True


def _reading(stmt: Stmt, found: Mapping[str, _Copy]) -> Stmt:
    """Return a statement that reads the arrays, not their copies."""

    def put(node: Node) -> Node:
        new = map_children(node, put)
        if not isinstance(new, Read) or new.access.array not in found:
            return new
        copy = found[new.access.array]
        places = (s.at for s in new.access.subscripts)
        return replace(
            new, access=substitute(copy.source, dict(zip(copy.indices, places, strict=True)))
        )

    return put(stmt)  # type: ignore[return-value]


def _without(stmt: Stmt, found: Mapping[str, _Copy]) -> Sequence[Stmt]:
    """Return a statement without the copies."""
    if isinstance(stmt, Update):
        return () if stmt.target.array in found else (stmt,)
    if not isinstance(stmt, For):
        return (stmt,)
    body = tuple(s for child in stmt.body for s in _without(child, found))
    if len(body) == len(stmt.body) and all(map(is_, body, stmt.body)):
        return (stmt,)
    return (replace(stmt, body=body),) if body else ()

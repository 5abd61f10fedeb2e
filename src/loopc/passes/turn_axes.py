"""Lay an array out such that a loop that runs in order goes over its first axis.

Rewrite:   for j in range(1, N), i: p[i,j] = b p[i,j-1] + x[i,j]
           ->  for j in range(1, N), i: p[j,i] = b p[j-1,i] + x[i,j]       (j runs in order)
Requires:  for more of its accesses than not (those in loops in order count twice) the array's last
           subscript stays while others run. Of an input a copy is taken then, to an output one at
           the end; arrays that are both stay as they are. Keeps: every value.
What an iteration takes are cells next to each other then, not one cell of each row.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopc.analysis.dependence import leaves
from loopc.analysis.recurrences import running_term
from loopc.analysis.serial import serial_loops
from loopc.diagnostics.record import replace
from loopc.ir.nodes import (
    Access,
    Array,
    Const,
    For,
    Index,
    IndexRef,
    Program,
    Read,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import free_indices, reads, written_names
from loopc.ir.workspace import Names, with_last_axis_first

NEVER = 1 << 30
"""More copies than are worth it."""


def turn_axes(program: Program) -> Program:
    """Return the program with other arrays in memory."""
    gains = {a.name: -2 * _copies(a, program) for a in program.arrays if len(a.shape or ()) > 1}
    in_order: set[str] = set()
    for stmt in program.body if gains else ():
        for access, serial, parallel in _accesses(stmt):
            if access.array in gains:
                *others, last = (set(free_indices(s)) for s in access.subscripts)
                across = not last & parallel and any(o & parallel for o in others)
                moves = across and bool(last & serial)
                gains[access.array] += 2 if moves else 1 if across else -1
                if moves:
                    in_order.add(access.array)
    running = {name for stmt in program.body if in_order for name in _running(stmt)}
    turned = {name for name in in_order - running if gains[name] > 0}
    return _turned(program, turned) if turned else program


def _copies(array: Array, program: Program) -> int:
    """Return how many copies of an array it takes to have it in another order."""
    if array.kind == "temp":
        return int(array.name in program.outputs)
    changes = array.name in written_names(program) or array.name in program.outputs
    return NEVER if changes else 1


def _running(stmt: Stmt) -> Iterator[str]:
    """Yield the arrays along which a loop runs that is no loop of the code: a running sum."""
    for leaf in leaves((stmt,)):
        if any(running_term(leaf.update, level.index) is not None for level in leaf.levels):
            yield leaf.update.target.array


def _accesses(stmt: Stmt) -> Iterator[tuple[Access, set[str], set[str]]]:
    """Yield the accesses of a statement, with the indices that run in order and the others."""
    serial = serial_loops(stmt) if isinstance(stmt, For) else frozenset()
    for leaf in leaves((stmt,)):
        names = [level.index.name for level in leaf.levels]
        ordered = {n for d, n in enumerate(names) if (leaf.number, d) in serial}
        for access in (leaf.update.target, *reads(leaf.update)):
            inner = {n for s in access.subscripts for n in free_indices(s)} - {*names}
            yield access, ordered, {*names, *inner} - ordered


def _turned(program: Program, turned: set[str]) -> Program:
    """Return the program with the last axis of arrays first, of copies for those of a caller."""
    names = Names.of(program)
    before: list[Stmt] = []
    after: list[Stmt] = []
    new: dict[str, str] = {}
    for array in program.arrays:
        if array.name not in turned:
            continue
        name = array.name if not _copies(array, program) else names.fresh(f"{array.name}_turned")
        new[array.name] = name
        assert array.shape is not None
        shape = (array.shape[-1], *array.shape[:-1])
        names.arrays[name] = Array(
            name, "temp", shape, array.dtype, turned=array.name, span=array.span
        )
        if name != array.name:
            copy = _copied(array, name)
            (after if array.kind == "temp" else before).append(copy)
    body = (with_last_axis_first(stmt, new) for stmt in program.body)
    return replace(program, body=(*before, *body, *after), arrays=tuple(names.arrays.values()))


def _copied(array: Array, other: str) -> Stmt:
    """Return the loops that take an input into its copy, or an output out of it."""
    indices = [Index(f"i{n + 1}", Const(0), e) for n, e in enumerate(array.shape or ())]
    cell = tuple(Subscript(IndexRef(i.name)) for i in indices)
    own, copy = Access(array.name, cell), Access(other, (cell[-1], *cell[:-1]))
    target, source = (own, copy) if array.kind == "temp" else (copy, own)
    update = Update(target, "=", Read(source), span=array.span)
    return For((indices[-1], *indices[:-1]), None, (update,), span=array.span)

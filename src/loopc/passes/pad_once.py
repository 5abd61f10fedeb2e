"""Read cells past the edges of an array from one copy with these round it.

Rewrite:   for i  y[i] = x[pad(i-1)] - x[pad(i+2)]   ->   for i1  x_padded[i1+1] = x[i1]
                                                          for i   y[i] = x_padded[i] - x_padded[i+3]
           for i  y[i] = x[wrap(i-1)] - x[wrap(i+2)]
              ->  if N > 0: for i1 < N + 3: x_padded[i1] = x[wrap(i1-1)], and so on
           (slices, which may run in blocks, where every access makes a copy of its own otherwise)
Requires:  several such accesses in statements that compute cell by cell, by indices that run over
           whole axes, beside literals, or a window past edges, x[clamp(i+u-2)]; each axis in one
           mode; nothing writes the array from the first of them on.
Keeps:     every value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loopc.analysis.dependence import only_leaf
from loopc.analysis.edges import SEVERAL, Axis, Place, axis_of, is_shift, is_window, place_of
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import plus
from loopc.ir.bounds import ascending
from loopc.ir.nodes import (
    Access,
    Array,
    Const,
    Index,
    IndexRef,
    Node,
    Program,
    Read,
    Reduce,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import (
    children,
    conjunction,
    contains,
    free_indices,
    loop,
    map_children,
    updates,
)
from loopc.ir.workspace import Names


@record()
class _Padded:
    """An array with the cells past its edges round it.

    Attributes:
        source: the array.
        name: of the copy.
        axes: what is in front of and behind each.
        first: the statement before which it is made.
    """

    source: Array
    name: str
    axes: tuple[Axis, ...]
    first: int


def pad_once(program: Program) -> Program:
    """Return the program with copies of arrays that are read beyond their edges."""
    arrays = {a.name: a for a in program.arrays}
    found: dict[str, dict[Access, tuple[Place, ...]]] = {}
    first: dict[str, int] = {}
    for number, stmt in enumerate(program.body):
        for access, places in _accesses(stmt, arrays):
            found.setdefault(access.array, {})[access] = places
            first.setdefault(access.array, number)
    names = Names.of(program)
    copies: dict[str, _Padded] = {}
    for name, own in found.items():
        later = {u.target.array for _, u in updates(program.body[first[name] :])}
        moved = sum(any(p.is_past for p in places) for places in own.values())
        axes = [axis_of(places) for places in zip(*own.values(), strict=True)]
        if name in later or None in axes:
            continue
        zeros = all(axis is not None and axis.mode == "pad" for axis in axes)
        if moved < (2 if zeros else SEVERAL) and not any(map(is_window, own)):
            continue
        padded = names.fresh(f"{name}_padded".replace(".", "_"))
        copies[name] = _Padded(arrays[name], padded, tuple(filter(None, axes)), first[name])
    if not copies:
        return program
    body: list[Stmt] = []
    for number, stmt in enumerate(program.body):
        for copy in copies.values():
            if copy.first == number:
                body += _made(copy, names)
        body.append(_reading(stmt, copies, arrays))
    return replace(program, body=tuple(body), arrays=tuple(names.arrays.values()))


def _accesses(
    stmt: Stmt, arrays: Mapping[str, Array]
) -> Iterator[tuple[Access, tuple[Place, ...]]]:
    """Yield the cells and windows that a statement reads past edges of whole axes, and where."""
    leaf = only_leaf(stmt)
    if leaf is None:
        return
    loops = {level.index.name: ascending(level.index) for level in leaf.levels}
    for access, inner in _reads(leaf.update.value, loops):
        if all(s.mode == "strict" for s in access.subscripts):
            continue
        shape = arrays[access.array].shape or ()
        found = [place_of(s, n, inner) for s, n in zip(access.subscripts, shape, strict=True)]
        places = tuple(p for p in found if p is not None)
        if len(places) < len(found):
            continue
        alone = not contains(leaf.update.value, Reduce) and is_shift(access)
        if is_window(access) or (alone and {*free_indices(Read(access))} == {*loops}):
            yield access, places


def _reads(node: Node, ranges: Mapping[str, Index]) -> Iterator[tuple[Access, Mapping[str, Index]]]:
    """Yield what a node reads, with the indices round it."""
    if isinstance(node, Reduce):
        ranges = {**ranges, **{i.name: ascending(i) for i in node.indices}}
    if isinstance(node, Read):
        yield node.access, ranges
    if contains(node, Access):
        for child in children(node):
            yield from _reads(child, ranges)


def _made(copy: _Padded, names: Names) -> tuple[Stmt, ...]:
    """Return the statement that makes a copy."""
    shape, span = copy.source.shape or (), copy.source.span
    sizes = tuple(plus(n, a.low + a.high) for n, a in zip(shape, copy.axes, strict=True))
    names.arrays[copy.name] = Array(copy.name, "temp", sizes, span=span)
    indices, to, at, guards = [], [], [], []
    for size, axis in zip(shape, copy.axes, strict=True):
        name = names.fresh("i", numbered=True)
        if axis.mode == "pad":
            index, subscript = Index(name, Const(0), size), Subscript(IndexRef(name))
            to.append(Subscript(plus(IndexRef(name), axis.low)))
        else:
            index, subscript, condition = axis.around(size, name)
            to.append(Subscript(IndexRef(name)))
            guards.append(condition)
        indices.append(index)
        at.append(subscript)
    value = Read(Access(copy.source.name, tuple(at)))
    update = Update(Access(copy.name, tuple(to)), "=", value, span=span)
    return loop(tuple(indices), conjunction(*dict.fromkeys(guards)) if guards else None, update)


def _reading(stmt: Stmt, copies: Mapping[str, _Padded], arrays: Mapping[str, Array]) -> Stmt:
    """Return a statement that reads the copies."""
    known = dict(_accesses(stmt, arrays))

    def put(node: Node) -> Node:
        if isinstance(node, Read) and node.access in known and node.access.array in copies:
            copy = copies[node.access.array]
            moved = zip(node.access.subscripts, copy.axes, strict=True)
            places = tuple(Subscript(plus(s.at, axis.low)) for s, axis in moved)
            return replace(node, access=replace(node.access, array=copy.name, subscripts=places))
        return map_children(node, put)

    return put(stmt) if known else stmt  # type: ignore[return-value]

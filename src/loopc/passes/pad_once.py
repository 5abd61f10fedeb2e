"""Read padded cells from one copy of an array with zeros round it.

Rewrite:   for i  y[i] = x[pad(i-1)] - x[pad(i+2)]   ->   for i1  x_padded[i1+1] = x[i1]
                                                          for i   y[i] = x_padded[i] - x_padded[i+3]
           (slices, which may run in blocks, where every access makes a copy of its own otherwise)
Requires:  several such accesses in statements that compute cell by cell, by indices that run over
           whole axes, beside literals; nothing writes the array from the first of them on.
Keeps:     every value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loopc.analysis.dependence import only_leaf
from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine, plus
from loopc.ir.bounds import ascending, is_whole
from loopc.ir.nodes import (
    Access,
    Array,
    Const,
    Expr,
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
from loopc.ir.visit import contains, free_indices, loop, map_children, reads, updates
from loopc.ir.workspace import Names


@record()
class _Padded:
    """An array with zeros round it.

    Attributes:
        source: the array.
        name: of the copy.
        pads: how many zeros are in front of and behind each axis.
        first: the statement before which it is made.
    """

    source: Array
    name: str
    pads: tuple[tuple[int, int], ...]
    first: int


def pad_once(program: Program) -> Program:
    """Return the program with copies of arrays that are read beyond their edges."""
    arrays = {a.name: a for a in program.arrays}
    found: dict[str, dict[Access, tuple[int, ...]]] = {}
    first: dict[str, int] = {}
    for number, stmt in enumerate(program.body):
        for access, offsets in _accesses(stmt, arrays):
            found.setdefault(access.array, {})[access] = offsets
            first.setdefault(access.array, number)
    names = Names.of(program)
    copies: dict[str, _Padded] = {}
    for name, own in found.items():
        later = {u.target.array for _, u in updates(program.body[first[name] :])}
        if name not in later and sum(any(offsets) for offsets in own.values()) > 1:
            columns = zip(*own.values(), strict=True)
            pads = tuple((max(0, -min(c)), max(0, *c)) for c in columns)
            padded = names.fresh(f"{name}_padded".replace(".", "_"))
            copies[name] = _Padded(arrays[name], padded, pads, first[name])
    if not copies:
        return program
    body: list[Stmt] = []
    for number, stmt in enumerate(program.body):
        for copy in copies.values():
            if copy.first == number:
                body += _made(copy, names)
        body.append(_reading(stmt, copies, arrays))
    return replace(program, body=tuple(body), arrays=tuple(names.arrays.values()))


def _accesses(stmt: Stmt, arrays: Mapping[str, Array]) -> Iterator[tuple[Access, tuple[int, ...]]]:
    """Yield what a statement that computes cell by cell reads of whole axes, with the offsets."""
    leaf = only_leaf(stmt)
    if leaf is None or contains(leaf.update.value, Reduce):
        return
    ranges = {level.index.name: ascending(level.index) for level in leaf.levels}
    accesses = reads(leaf.update.value)
    if not any(s.mode == "pad" for a in accesses for s in a.subscripts):
        return
    for access in accesses:
        shape = arrays[access.array].shape or ()
        places = [_offset(s, n, ranges) for s, n in zip(access.subscripts, shape, strict=True)]
        offsets = tuple(p for p in places if p is not None)
        if len(offsets) == len(places) and {*free_indices(Read(access))} == {*ranges}:
            yield access, offsets


def _offset(subscript: Subscript, size: Expr, ranges: Mapping[str, Index]) -> int | None:
    """Return how far beside an index of a whole axis a subscript is; None: it is another one."""
    form = affine(subscript.at)
    if form is None or len(form.terms) != 1 or reads(subscript):
        return None
    ((atom, factor),) = form.terms
    if not isinstance(atom, IndexRef) or factor != 1 or not is_whole(ranges[atom.name], size):
        return None
    inside = subscript.mode == "strict" and form.constant == 0
    return int(form.constant) if inside or subscript.mode == "pad" else None


def _made(copy: _Padded, names: Names) -> tuple[Stmt, ...]:
    """Return the statement that makes a copy."""
    shape = copy.source.shape or ()
    indices = tuple(Index(names.fresh("i", numbered=True), Const(0), n) for n in shape)
    sizes = tuple(plus(n, low + high) for n, (low, high) in zip(shape, copy.pads, strict=True))
    names.arrays[copy.name] = Array(copy.name, "temp", sizes, span=copy.source.span)
    at = tuple(Subscript(IndexRef(i.name)) for i in indices)
    lows = (low for low, _ in copy.pads)
    to = tuple(Subscript(plus(IndexRef(i.name), low)) for i, low in zip(indices, lows, strict=True))
    span = copy.source.span
    update = Update(Access(copy.name, to), "=", Read(Access(copy.source.name, at)), span=span)
    return loop(indices, None, update)


def _reading(stmt: Stmt, copies: Mapping[str, _Padded], arrays: Mapping[str, Array]) -> Stmt:
    """Return a statement that reads the copies."""
    known = dict(_accesses(stmt, arrays))

    def put(node: Node) -> Node:
        if isinstance(node, Read) and node.access in known and node.access.array in copies:
            copy = copies[node.access.array]
            moved = zip(node.access.subscripts, copy.pads, strict=True)
            places = tuple(Subscript(plus(s.at, low)) for s, (low, _) in moved)
            return replace(node, access=replace(node.access, array=copy.name, subscripts=places))
        return map_children(node, put)

    return put(stmt) if known else stmt  # type: ignore[return-value]

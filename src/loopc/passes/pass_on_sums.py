"""Add to who adds an array up what is added to a few cells of it; all others are zero.

Rewrite:   for n    p.grad[n,y[n]] -= 1 / N
           for n,c  z.grad[n,c] += p.grad[n,c] - exp(p[n,c]) d[n]
              ->  for n,c  z.grad[n,c] -= exp(p[n,c]) d[n]
                  for n    z.grad[n,y[n]] -= 1 / N
Requires:  a temporary that sums of few cells alone write, and that is read behind these, whole, as
           a term of sums, alone or times literals: 0 times anything else may be NaN. What is added
           is the same at the end. Subscripts that may be outside are looked at elsewhere, too: a
           cotangent has those of the value.
Keeps:     every value up to the rounding of a reassociated `+=`.
"""

from __future__ import annotations

from math import isfinite, prod
from typing import TypeAlias

from loopc.analysis.dependence import Leaf, only_leaf
from loopc.analysis.products import is_plain, parts
from loopc.diagnostics.record import record, replace
from loopc.ir.bounds import ascending, extent, is_whole, runs_over
from loopc.ir.dtypes import infer_dtypes, is_same
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Access, Array, Const, Expr, For, IndexRef, Program, Read, Stmt
from loopc.ir.visit import (
    add,
    conjunction,
    reads,
    substitute,
    summands,
    touches,
    updates,
    with_update,
)

FEW = 64
"""Cells of which one costs as much by a subscript as all of them in a row."""


def pass_on_sums(program: Program, sizes: Magnitudes) -> Program:
    """Return the program without arrays that are zero but for a few cells."""
    arrays = {a.name: a for a in program.arrays}
    for name in dict.fromkeys(u.target.array for _, u in updates(program.body)):
        array = arrays[name]
        if array.kind == "temp" and name not in program.outputs and not array.dtype:
            program = _without(program, array, sizes)
    return program


@record()
class _Reader:
    """A statement that adds the array up.

    Attributes:
        stmt: the statement.
        leaf: it, with its loops.
        read: the cell that is read.
        term: the term that it is.
        rest: the other terms.
    """

    stmt: Stmt
    leaf: Leaf
    read: Access
    term: Expr
    rest: tuple[Expr, ...]


_Uses: TypeAlias = tuple[dict[int, tuple[Stmt, Leaf]], dict[int, _Reader]]
"""The statements that add to an array, and those that add it up, by number."""


def _without(program: Program, array: Array, sizes: Magnitudes) -> Program:
    """Return the program without one array, if it is added up alone."""
    found = _uses(program, array, sizes)
    if found is None:
        return program
    writers, readers = found
    between = program.body[min(writers) + 1 : max(readers) + 1]
    written = {u.target.array for _, u in updates(between)} | {array.name}
    if any(a.array in written for stmt, _ in writers.values() for a in reads(stmt)):
        return program
    body: list[Stmt] = []
    for number, stmt in enumerate(program.body):
        if number in readers:
            body += _added(readers[number], tuple(writers.values()))
        elif number not in writers:
            body.append(stmt)
    kept = tuple(a for a in program.arrays if a.name != array.name)
    return _typed(replace(program, body=tuple(body), arrays=kept), program, sizes)


def _typed(new: Program, old: Program, sizes: Magnitudes) -> Program:
    """Return the new program with the types of the old one; the old one if they cannot be kept.

    A sum of the array has the type of the array, and what is added to this may be a number alone.
    """
    types, found = infer_dtypes(old, sizes.kinds), infer_dtypes(new, sizes.kinds)
    others = {n for n, dtype in found.items() if not is_same(dtype, types[n])}
    like: dict[str, str] = {}
    for name in others:
        own = types[name]
        twin = next((n for n in found if n not in others and is_same(types[n], own)), None)
        if twin is None or own.kind not in "fc":
            return old
        like[name] = twin
    arrays = (replace(a, like=like[a.name]) if a.name in like else a for a in new.arrays)
    return replace(new, arrays=tuple(arrays)) if like else new


def _uses(program: Program, array: Array, sizes: Magnitudes) -> _Uses | None:
    """Return the statements that add to an array, and those behind them that add it up."""
    writers: dict[int, tuple[Stmt, Leaf]] = {}
    readers: dict[int, _Reader] = {}
    for number, stmt in enumerate(program.body):
        if array.name not in touches(stmt):
            continue
        leaf = only_leaf(stmt)
        if leaf is None:
            return None
        if leaf.update.target.array != array.name:
            reader = _reader(stmt, leaf, array)
            if reader is None:
                return None
            readers[number] = reader
        elif readers or not _adds_to_few(leaf, array, sizes):
            return None
        else:
            writers[number] = (stmt, leaf)
    return (writers, readers) if writers and readers else None


def _adds_to_few(leaf: Leaf, array: Array, sizes: Magnitudes) -> bool:
    """Whether a statement adds to few cells of an array, none of which is outside of it alone."""
    shape, target = array.shape or (), leaf.update.target
    strict = all(s.mode == "strict" for s in target.subscripts)
    if leaf.update.op != "+=" or not strict or len(leaf.levels) >= len(shape):
        return False
    ranges = {level.index.name: level.index for level in leaf.levels}
    places = zip(target.subscripts, shape, strict=True)
    if "." not in array.name and not all(runs_over(s.at, ranges, size) for s, size in places):
        return False
    instances = prod(sizes.typical(extent(index)) for index in ranges.values())
    return prod(map(sizes.typical, shape)) >= FEW * instances


def _reader(stmt: Stmt, leaf: Leaf, array: Array) -> _Reader | None:
    """Return a statement that adds up all of an array; None: it does something else with it."""
    update = leaf.update
    own = tuple(a for a in reads(stmt) if a.array == array.name)
    if update.op != "+=" or len(own) != 1 or update.target.array in {a.array for a in reads(stmt)}:
        return None
    terms = summands(update.value)
    for number, term in enumerate(terms):
        found = parts(term)
        read = next((f for f in found.factors if isinstance(f, Read) and f.access == own[0]), None)
        if read is None:
            continue
        others = (*(f for f in found.factors if f is not read), *found.divisors)
        if is_plain(read) and all(map(_is_exact, others)) and _is_all(own[0], leaf, array):
            return _Reader(stmt, leaf, own[0], term, (*terms[:number], *terms[number + 1 :]))
    return None


def _is_exact(factor: Expr) -> bool:
    """Whether 0 times a factor, or divided by it, is 0."""
    return isinstance(factor, Const) and factor.value != 0 and isfinite(abs(factor.value))


def _is_all(read: Access, leaf: Leaf, array: Array) -> bool:
    """Whether loops read every cell of an array once."""
    ranges = {level.index.name: ascending(level.index) for level in leaf.levels}
    names = [s.at.name for s in read.subscripts if isinstance(s.at, IndexRef)]
    if len(ranges) != len(leaf.levels) or {*names} != {*ranges}:
        return False
    return all(is_whole(ranges[n], s) for n, s in zip(names, array.shape or (), strict=True))


def _added(reader: _Reader, writers: tuple[tuple[Stmt, Leaf], ...]) -> tuple[Stmt, ...]:
    """Return a statement without the array, and what it adds of it from each of its sums."""
    update = reader.leaf.update
    found: list[Stmt] = []
    if reader.rest:
        found.append(with_update(reader.stmt, replace(update, value=add(*reader.rest))))
    for stmt, leaf in writers:
        subscripts = zip(reader.read.subscripts, leaf.update.target.subscripts, strict=True)
        values = {own.at.name: at.at for own, at in subscripts if isinstance(own.at, IndexRef)}
        value = _scaled(reader, leaf.update.value)
        inner: Stmt = replace(update, target=substitute(update.target, values), value=value)
        if reader.leaf.guards:
            guards = (substitute(g, values) for g in reader.leaf.guards)
            inner = For((), conjunction(*guards), (inner,), span=update.span)
        found.append(with_update(stmt, inner))
    return tuple(found)


def _scaled(reader: _Reader, value: Expr) -> Expr:
    """Return a value with the literals and the sign that the array has where it is added up."""
    found = parts(reader.term)
    return found.times(*(value if f == Read(reader.read) else f for f in found.factors))

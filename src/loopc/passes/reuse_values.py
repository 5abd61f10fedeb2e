"""Read what an array holds already instead of computing it again.

Rewrite:   for j  h[j] = σ(a[j] - b[j])           ->  for j  h[j] = σ(a[j] - b[j])
           for j  g[j] += d[j] σ'(a[j] - b[j])        for j  g[j] += d[j] h[j] (1 - h[j])
Requires:  the first statement gives every cell of `h` its value, and nothing that it reads or
           writes is written before the second; a derivative only where it is arithmetic of the
           function's own value. Keeps: every value; a derivative up to rounding.
Source: value numbering, e.g. Muchnick, Advanced Compiler Design, ch. 12.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from loopc.diagnostics.record import record
from loopc.ir.affine import equal
from loopc.ir.derive import expand_primes
from loopc.ir.functions import lookup, order
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
    Read,
    Reduce,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import free_indices, map_children, reads, substitute, updates, walk


@record()
class _Held:
    """An array that holds `value`, over the ranges of its indices."""

    array: str
    value: Expr
    indices: tuple[Index, ...]
    subscripts: tuple[str, ...]


def reuse_values(program: Program) -> Program:
    """Return the program with values read where an array holds them."""
    held: list[_Held] = []
    body: list[Stmt] = []
    shapes = {a.name: a.shape or () for a in program.arrays}
    written: set[str] = set()
    for stmt in program.body:
        new = _rewritten(stmt, held)
        body.append(new)
        touched = {u.target.array for _, u in updates((new,))}
        held = [h for h in held if not (_arrays(h) & touched)]
        found = _holding(new, shapes, written)
        if found is not None and found.array not in {a.array for a in reads(found.value)}:
            held.append(found)
        written |= touched
    changed = any(a is not b for a, b in zip(body, program.body, strict=True))
    return replace(program, body=tuple(body)) if changed else program


def _arrays(held: _Held) -> set[str]:
    return {held.array, *(a.array for a in reads(held.value))}


def _single(stmt: Stmt) -> tuple[tuple[Index, ...], Update] | None:
    """Return the loops and the update of a statement that is one update without a guard."""
    indices: tuple[Index, ...] = ()
    while isinstance(stmt, For) and stmt.guard is None and len(stmt.body) == 1:
        indices = (*indices, *stmt.indices)
        stmt = stmt.body[0]
    return (indices, stmt) if isinstance(stmt, Update) else None


def _holding(stmt: Stmt, shapes: Mapping[str, tuple[Expr, ...]], written: set[str]) -> _Held | None:
    """Return what a statement leaves in its array, if that is one expression in every cell."""
    single = _single(stmt)
    if single is None:
        return None
    indices, update = single
    name = update.target.array
    first = update.op in ("=", "+=") and name not in written
    if not isinstance(update.value, Call) or not (update.op == "=" or first):
        return None
    ranges = {i.name: i for i in indices}
    places: list[str] = []
    for subscript, size in zip(update.target.subscripts, shapes[name], strict=True):
        at = subscript.at
        if not isinstance(at, IndexRef) or at.name in places or subscript.mode != "strict":
            return None
        index = ranges[at.name]
        if index.step != 1 or index.stop is None or not equal(index.stop, size):
            return None
        if index.start != Const(0):
            return None
        places.append(at.name)
    if len(places) != len(indices) or _has_reduction(update.value):
        return None
    return _Held(name, update.value, indices, tuple(places))


def _has_reduction(expr: Expr) -> bool:
    return any(isinstance(n, Reduce) for n in walk(expr))


def _rewritten(stmt: Stmt, held: list[_Held]) -> Stmt:
    single = _single(stmt)
    if single is None or not held:
        return stmt
    indices, update = single
    ranges = {i.name: i for i in indices}
    usable = [h for h in held if h.array != update.target.array]

    def value(node: Node) -> Node:
        if isinstance(node, Reduce):
            return node
        if isinstance(node, Call):
            found = _read(node, usable, ranges) or _derivative(node, usable, ranges)
            if found is not None:
                return found
        inner = map_children(node, value)
        if isinstance(inner, Call) and inner is not node:
            return _read(inner, usable, ranges) or inner
        return inner

    new = value(update.value)
    return stmt if new is update.value else _with_value(stmt, new)  # type: ignore[arg-type]


def _with_value(stmt: Stmt, value: Expr) -> Stmt:
    if isinstance(stmt, For):
        return replace(stmt, body=(_with_value(stmt.body[0], value),))
    assert isinstance(stmt, Update)
    return replace(stmt, value=value)


def _read(node: Call, held: list[_Held], ranges: Mapping[str, Index]) -> Expr | None:
    """Return the read of an array that holds the value of an expression."""
    for each in held:
        names = _matched(each, node, ranges)
        if names is not None:
            cells = tuple(Subscript(IndexRef(names[i])) for i in each.subscripts)
            return Read(Access(each.array, cells, span=node.span), span=node.span)
    return None


def _matched(held: _Held, node: Call, ranges: Mapping[str, Index]) -> dict[str, str] | None:
    """Return how the indices of what is held are called in an equal expression."""
    if node.fn != _head(held) or len(free_indices(node)) != len(free_indices(held.value)):
        return None
    names = dict(zip(free_indices(held.value), free_indices(node), strict=True))
    own = {i.name: i for i in held.indices}
    if set(names) != set(held.subscripts):
        return None
    for mine, other in names.items():
        a, b = own[mine], ranges.get(other)
        if b is None or (a.start, a.stop, a.step) != (b.start, b.stop, b.step):
            return None
    renamed = substitute(held.value, {a: IndexRef(b) for a, b in names.items()})
    return names if renamed == node else None


def _head(held: _Held) -> str:
    assert isinstance(held.value, Call)
    return held.value.fn


def _derivative(node: Call, held: list[_Held], ranges: Mapping[str, Index]) -> Expr | None:
    """Return a derivative as arithmetic of the function's own value, if an array holds that."""
    if order(node.fn) != 1 or _read(replace(node, fn=node.fn[:-1]), held, ranges) is None:
        return None
    row = lookup(node.fn)
    assert row is not None
    spellings = {row.name, *row.aliases}

    def put(inner: Node) -> Node:
        if isinstance(inner, Call) and inner.fn in spellings and inner.args == node.args:
            read = _read(replace(node, fn=node.fn[:-1]), held, ranges)
            assert read is not None
            return read
        return map_children(inner, put)

    result = put(expand_primes(node))
    return result if _is_arithmetic(result) else None  # type: ignore[return-value]


def _is_arithmetic(node: Node) -> bool:
    return all(_is_operator(n) for n in _calls(node))


def _calls(node: Node) -> Iterator[Call]:
    return (n for n in walk(node) if isinstance(n, Call))


def _is_operator(call: Call) -> bool:
    row = lookup(call.fn)
    return row is not None and row.infix is not None

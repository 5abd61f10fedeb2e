"""What the cells of an array start from: the identity of what writes them first, written out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from loopc.diagnostics.record import replace
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Const,
    Expr,
    Index,
    IndexRef,
    Read,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.reductions import by_op
from loopc.ir.visit import loop


def filled(name: str, like: Array, number: Any) -> tuple[Stmt, ...]:
    """Return the statements that give the cells of an array of another one's shape a number."""
    return _each(name, like, lambda _: Const(number))


def copied(name: str, like: Array) -> tuple[Stmt, ...]:
    """Return the statements that give the cells of an array those of another one of its shape."""
    return _each(name, like, Read)


def _each(name: str, like: Array, value: Callable[[Access], Expr]) -> tuple[Stmt, ...]:
    """Return the statements that give each cell a value, by the cell of `like` at its place."""
    indices = tuple(
        Index(f"i{n + 1}", Const(0), extent, written=True)
        for n, extent in enumerate(like.shape or ())
    )
    cell = Access(name, tuple(Subscript(IndexRef(i.name)) for i in indices))
    same = replace(cell, array=like.name)
    return loop(indices, None, Update(cell, "=", value(same), span=like.span))


def is_only_source(update: Update, others: Iterable[Update], array: Array) -> bool:
    """Whether nothing but `max=` gives an array values: at most its identity is assigned before."""
    row = by_op(update.op)
    assert row is not None
    return array.kind == "temp" and all(
        w.op == "=" and _number(w.value) == row.identity for w in others
    )


def _number(value: Expr) -> Any:
    match value:
        case Const(number):
            return number
        case Call("neg", (Const(number),)):
            return -number
        case _:
            return None

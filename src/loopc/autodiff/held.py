"""Guards and ranges whose values an adjoint cannot compute again: kept for every time round."""

from __future__ import annotations

from collections.abc import Collection

from loopc.diagnostics.record import replace
from loopc.ir.nodes import Call, Const, Expr, For, Index, Node, Read, Stmt, Update
from loopc.ir.visit import loop, reads
from loopc.ir.workspace import Names


def with_held_head(
    stmt: For, loops: tuple[Index, ...], names: Names, later: Collection[str]
) -> tuple[Stmt, ...]:
    """Return loops with the first range or guard kept that reads an array of `later`; none: ().

    Raises:
        DifferentiationError: L0605, there is no telling how often it is evaluated.
    """

    def changes(node: Node) -> bool:
        return any(a.array in later for a in reads(node))

    for at, index in enumerate(stmt.indices):
        if changes(index):
            return _with_held_range(stmt, at, loops, names)
    if stmt.guard is not None and changes(stmt.guard):
        return _with_held_guard(stmt, stmt.guard, loops, names)
    return ()


def _with_held_guard(
    stmt: For, guard: Expr, loops: tuple[Index, ...], names: Names
) -> tuple[Stmt, ...]:
    cell, first = _held("condition", guard, (*loops, *stmt.indices), names, stmt)
    guarded = For((), Call("ne", (cell, Const(0))), stmt.body, span=stmt.span)
    return loop(stmt.indices, None, first, guarded)


def _with_held_range(
    stmt: For, at: int, loops: tuple[Index, ...], names: Names
) -> tuple[Stmt, ...]:
    """Return loops in which the range of one index is what it was when its loop began."""
    outer, index, inner = stmt.indices[:at], stmt.indices[at], stmt.indices[at + 1 :]
    ends: dict[str, Read] = {}
    first: list[Stmt] = []
    for name in ("start", "stop"):
        end = getattr(index, name)
        if any(True for _ in reads(end)):
            ends[name], update = _held(name, end, (*loops, *outer), names, stmt)
            first.append(update)
    held = replace(index, start=ends.get("start", index.start), stop=ends.get("stop", index.stop))
    return loop(outer, None, *first, replace(stmt, indices=(held, *inner)))


def _held(
    name: str, value: Expr, loops: tuple[Index, ...], names: Names, stmt: For
) -> tuple[Read, Update]:
    cell = names.cells(names.fresh(name, numbered=True), loops, loops, stmt.span, (value,))
    update = Update(cell, "=", value, span=stmt.span)
    if names.limits is not None:
        names.limits.assigned(update, loops)
    return Read(cell), update

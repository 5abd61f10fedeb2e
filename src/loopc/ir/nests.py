"""Other statements in a nest of loops."""

from __future__ import annotations

from collections.abc import Sequence

from loopc.diagnostics.record import replace
from loopc.ir.nodes import For, Stmt, Update
from loopc.ir.visit import updates


def with_statements(stmt: Stmt, update: Update, depth: int, new: Sequence[Stmt]) -> list[Stmt]:
    """Return a statement with others in the place of an update and its loops from a depth on."""
    if not any(u is update for _, u in updates((stmt,))):
        return [stmt]
    if not isinstance(stmt, For) or depth == 0:
        return [*new]
    count = len(stmt.indices)
    if depth < count:
        return [replace(stmt, indices=stmt.indices[:depth], guard=None, body=tuple(new))]
    body = [s for child in stmt.body for s in with_statements(child, update, depth - count, new)]
    return [replace(stmt, body=tuple(body))]

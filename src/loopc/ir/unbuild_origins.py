"""Comments that say of what statement of a program derived statements are the adjoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loopc.diagnostics.record import replace
from loopc.ir.nodes import For, Stmt, Update
from loopc.ir.visit import walk
from loopc.syntax import tree

_WIDTH = 70
"""Characters beyond which a statement is cut off."""


def with_origins(
    module: tree.Module, body: tuple[Stmt, ...], derived: tuple[Stmt, ...]
) -> tree.Module:
    """Return the tree of a program with a comment above each block of derived statements.

    Args:
        module: the tree; its last statements are those of `body`.
        body: the program's statements.
        derived: which of them are derived.
    """
    head = module.body[: len(module.body) - len(body)]
    tail = _commented(module.body[len(head) :], body, frozenset(derived))
    return replace(module, body=(*head, *tail))


def _commented(
    made: tuple[tree.Statement, ...], body: Iterable[Stmt], derived: frozenset[Stmt] | None
) -> Iterator[tree.Statement]:
    """Yield the statements with their comments; `derived` None: all are."""
    last = ""
    for node, stmt in zip(made, body, strict=True):
        if derived is not None and stmt not in derived:
            yield node
        elif isinstance(node, tree.For | tree.If) and isinstance(stmt, For) and not node.inline:
            yield replace(node, body=tuple(_commented(node.body, stmt.body, None)))
            last = ""
        else:
            origin = _origin(stmt)
            is_new = origin not in ("", last)
            yield replace(node, above=(f"# adjoint of `{origin}`",)) if is_new else node
            last = origin


def _origin(stmt: Stmt) -> str:
    """Return the first line of the statement that one is derived from, as written."""
    span = next((u.span for u in walk(stmt) if isinstance(u, Update)), None)
    if span is None or "=" not in span.text:
        return ""  # the start of a derivative, which has the place of the loss's name
    line = span.source.line(span.line).partition("#")[0]
    text = span.text.partition("\n")[0] if ";" in line else line
    text = " ".join(text.split())
    goes_on = span.end_line > span.line or len(text) > _WIDTH
    return text[:_WIDTH].rstrip() + " …" if goes_on else text

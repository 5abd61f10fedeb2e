"""The source line that generated code stands under."""

from __future__ import annotations

from loopc.analysis.dependence import Leaf
from loopc.diagnostics.render import escaped
from loopc.ir.nodes import Call, For, Stmt
from loopc.ir.unbuild import statement
from loopc.syntax.printer import print_statement


def source_line(leaf: Leaf) -> str:
    """Return `mlp.loops:7  for j,i  h̃[j] += W0[j,i] x[i]`."""
    stmt: Stmt = leaf.update
    indices = tuple(level.index for level in leaf.levels)
    if indices or leaf.guards:
        guard = leaf.guards[0] if len(leaf.guards) == 1 else None
        if len(leaf.guards) > 1:
            guard = Call("and", leaf.guards)
        stmt = For(indices, guard, (leaf.update,))
    text = " ".join(print_statement(statement(stmt)).split("\n")).replace("     ", " ")
    span = leaf.update.span
    line = text if span is None else f"{span.file}:{span.line}  {text}"
    return escaped(line).replace("\n", "\\n")

"""The source line that generated code stands under."""

from __future__ import annotations

from loopc.analysis.dependence import Leaf
from loopc.diagnostics.render import escaped
from loopc.ir.nodes import Call, For, Stmt
from loopc.ir.unbuild import statement
from loopc.syntax.printer import print_statement


def in_loops(leaf: Leaf) -> Stmt:
    """Return an update with the loops and guards round it, as one statement."""
    indices = tuple(level.index for level in leaf.levels)
    if not indices and not leaf.guards:
        return leaf.update
    guard = leaf.guards[0] if len(leaf.guards) == 1 else None
    if len(leaf.guards) > 1:
        guard = Call("and", leaf.guards)
    return For(indices, guard, (leaf.update,))


def source_line(leaf: Leaf) -> str:
    """Return `mlp.loops:7  for j,i  h̃[j] += W0[j,i] x[i]`."""
    text = " ".join(print_statement(statement(in_loops(leaf))).split("\n")).replace("     ", " ")
    span = leaf.update.span
    line = text if span is None else f"{span.file}:{span.line}  {text}"
    return escaped(line).replace("\n", "\\n")

"""Whether anything sees the value of `T[s] max= e` before its last step.

If nothing does, the terms that are equal to the final value share its adjoint; else each step is a
maximum of two numbers, in the order of the loops.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.analysis.dependence import Leaf, Ref, common_loops, leaves, may_meet
from loopc.ir.nodes import Stmt, Update
from loopc.ir.visit import reads


def is_seen_growing(update: Update, others: Sequence[Update], top: Stmt) -> bool:
    """Whether a cell is read and then takes a step, or another statement writes it in between.

    Args:
        update: the statement.
        others: all other updates of its array.
        top: the loops round it.
    """
    block = leaves((top,))
    if any(leaf.update is other for leaf in block for other in others):
        return True
    name = update.target.array
    if all(a.array != name for a in reads(top)):
        return False
    own = next((leaf for leaf in block if leaf.update is update), None)
    seen = ((leaf, ref) for leaf in block for ref in leaf.refs if ref.access.array == name)
    return own is None or any(_comes_first(a, x, own) for a, x in seen if not x.write)


def _comes_first(reader: Leaf, read: Ref, own: Leaf) -> bool:
    """Whether a cell may be read before a step of it."""
    write, common = own.refs[0], common_loops(reader, own)
    if any(may_meet(reader, read, own, write, level) for level in range(common)):
        return True
    return reader.number <= own.number and may_meet(reader, read, own, write, None, common)


def is_whole(update: Update, count: int, top: Stmt) -> bool:
    """Whether all steps of a cell come in one run of the innermost `count` loops round a step."""
    own = next((leaf for leaf in leaves((top,)) if leaf.update is update), None)
    if own is None:
        return False
    write, outer = own.refs[0], len(own.levels) - count
    return not any(may_meet(own, write, own, write, level) for level in range(outer))

"""Whether the terms of `T[s] max= e` alone make its values, and nothing sees these before the last.

If so, the terms that are equal to the final value share its adjoint; else each step is a maximum of
two numbers, in the order of the loops.
"""

from __future__ import annotations

from collections.abc import Sequence

from loopc.analysis.dependence import Leaf, Ref, common_loops, leaves, may_meet
from loopc.autodiff.starts import is_only_source
from loopc.ir.nodes import Array, Stmt, Update
from loopc.ir.visit import reads


def is_alone(update: Update, writers: Sequence[Update], array: Array, top: Stmt) -> bool:
    """Whether equal terms of a `max=` share evenly.

    Args:
        update: the statement.
        writers: all updates of its array.
        array: the array.
        top: the loops round the statement.
    """
    others = [w for w in writers if w is not update]
    return is_only_source(update, others, array) and not _is_seen_growing(update, others, top)


def _is_seen_growing(update: Update, others: Sequence[Update], top: Stmt) -> bool:
    """Whether a cell is read and then takes a step, or another statement writes it in between."""
    block = leaves((top,))
    if any(leaf.update is other for leaf in block for other in others):
        return True
    name = update.target.array
    if all(a.array != name for a in reads(top)):
        return False
    own = _leaf_of(update, top)
    seen = ((leaf, ref) for leaf in block for ref in leaf.refs if ref.access.array == name)
    return own is None or any(_comes_first(a, x, own) for a, x in seen if not x.write)


def _leaf_of(update: Update, top: Stmt) -> Leaf | None:
    return next((leaf for leaf in leaves((top,)) if leaf.update is update), None)


def _comes_first(reader: Leaf, read: Ref, own: Leaf) -> bool:
    """Whether a cell may be read before a step of it."""
    write, common = own.refs[0], common_loops(reader, own)
    if any(may_meet(reader, read, own, write, level) for level in range(common)):
        return True
    return reader.number <= own.number and may_meet(reader, read, own, write, None, common)


def is_whole(update: Update, count: int, top: Stmt) -> bool:
    """Whether all steps of a cell come in one run of the innermost `count` loops round a step."""
    own = _leaf_of(update, top)
    if own is None:
        return False
    write, outer = own.refs[0], len(own.levels) - count
    return not any(may_meet(own, write, own, write, level) for level in range(outer))

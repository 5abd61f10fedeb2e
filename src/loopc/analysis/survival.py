"""Whether what a statement has written and read is still there later in its block."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from loopc.analysis.dependence import Leaf, Ref, common_loops, may_meet
from loopc.analysis.products import is_plain
from loopc.ir.nodes import Access, Expr, IndexRef, Node, Read
from loopc.ir.visit import free_indices, map_children, substitute


def survives(held: Leaf, touched: Collection[str], block: Sequence[Leaf]) -> bool:
    """Whether no later instance in a block writes what a leaf has written or read.

    Args:
        held: the leaf.
        touched: the arrays that matter.
        block: the leaves of the block.
    """
    for leaf in (leaf for leaf in block if leaf.update.target.array in touched):
        common = common_loops(held, leaf)
        if any(clashes(held, leaf, level, 0) for level in range(common)):
            return False
        if held.number < leaf.number and clashes(held, leaf, None, common):
            return False
    return True


def clashes(held: Leaf, leaf: Leaf, level: int | None, common: int) -> bool:
    """Whether `leaf` may write a cell that `held` touches, in a later iteration of `level`."""
    target = Ref(leaf.update.target, (), write=True, op=leaf.update.op)
    return any(
        ref.access.array == target.access.array
        and (leaf is not held or not ref.write)
        and may_meet(held, ref, leaf, target, level, common)
        for ref in held.refs
    )


def has_cells(leaf: Leaf) -> bool:
    """Whether an update has a cell of its own for each point of its loops."""
    names = sorted(level.index.name for level in leaf.levels)
    return is_plain(Read(leaf.update.target)) and sorted(free_indices(leaf.update.target)) == names


def indices_at(own: Access, at: Access) -> dict[str, IndexRef]:
    """Return which indices a plain access of an array has in the place of another one's."""
    return {
        a.at.name: b.at
        for a, b in zip(own.subscripts, at.subscripts, strict=True)
        if isinstance(a.at, IndexRef) and isinstance(b.at, IndexRef)
    }


def from_copies(value: Expr, leaf: Leaf, block: Sequence[Leaf]) -> Expr:
    """Return a value of an update with what was copied before it read from the copies."""
    kept: dict[str, Leaf] = {}
    for other in block:
        if other.number >= leaf.number:
            break
        kept.pop(other.update.target.array, None)
        source = other.update.value
        shared = common_loops(other, leaf)
        if other.update.op == "=" and not other.guards and isinstance(source, Read):
            names = {level.index.name for level in other.levels[shared:]}
            if is_plain(source) and {*free_indices(source)} == names and has_cells(other):
                kept[source.access.array] = other
    if not kept or leaf.update.target.array in kept:
        return value

    def visit(node: Node) -> Node:
        copy = kept.get(node.access.array) if isinstance(node, Read) else None
        if copy is None or not is_plain(node):  # type: ignore[arg-type]
            return map_children(node, visit)
        source = copy.update.value
        assert isinstance(source, Read)
        assert isinstance(node, Read)
        return Read(substitute(copy.update.target, indices_at(source.access, node.access)))

    return visit(value)  # type: ignore[return-value]

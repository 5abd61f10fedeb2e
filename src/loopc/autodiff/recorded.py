"""What an adjoint needs and the program overwrites: recorded before it is lost.

A value is recorded per statement instance: `x_kept[i] = x[i]` in the statement's own loops, in
front of it. Source: Griewank and Walther, Evaluating Derivatives, ch. 4 (to-be-recorded analysis).
"""

from __future__ import annotations

from dataclasses import replace

from loopc.analysis.dependence import Leaf, Ref, common_loops, may_meet, overwrites_itself
from loopc.ir.nodes import Access, Backward, Expr, For, Index, Node, Read, Reduce, Stmt, Update
from loopc.ir.visit import free_indices, loop, map_children, opened_reduction, reads
from loopc.ir.workspace import Names


class Recorder:
    """Knows what is overwritten, and collects what is recorded in front of which statement."""

    def __init__(self, leaves: tuple[Leaf, ...], names: Names) -> None:
        self.leaves = leaves
        self.names = names
        self.writers: dict[str, list[Leaf]] = {}
        for leaf in leaves:
            self.writers.setdefault(leaf.update.target.array, []).append(leaf)
        self.before: dict[int, list[Stmt]] = {}
        self.kept: dict[tuple[int, Access, tuple[Index, ...]], Access] = {}

    # Facts

    def keeps_result(self, leaf: Leaf) -> bool:
        """Whether the cell that a statement gives its value still has it at the end.

        A read of that cell in the adjoint then means this value, not the one before.
        """
        ref = leaf.refs[0]
        update = leaf.update
        if any(a == update.target for a in reads(update.value)):
            return False
        if update.op in ("+=", "*=") or (update.op == "=" and self.repeats(leaf)):
            return False
        others = self.writers_of(update.target.array)
        return not any(self._overwrites(other, leaf, ref) for other in others if other is not leaf)

    def writers_of(self, array: str) -> list[Leaf]:
        """Return the leaves that write an array, in the order of the text."""
        return self.writers.get(array, [])

    def repeats(self, leaf: Leaf) -> bool:
        """Whether a statement writes a cell more than once."""
        return overwrites_itself(leaf.levels, leaf.update)

    def shares_loop(self, a: Leaf, b: Leaf) -> bool:
        """Whether two statements stand in one loop."""
        return common_loops(a, b) > 0

    def _overwrites(self, other: Leaf, leaf: Leaf, ref: Ref) -> bool:
        """Whether `other`, a writer of its array, may write `ref` of `leaf` after `leaf`."""
        write = other.refs[0]
        common = common_loops(leaf, other)
        if any(may_meet(leaf, ref, other, write, level) for level in range(common)):
            return True
        later = other.number > leaf.number or (other is leaf and not ref.write)
        return later and may_meet(leaf, ref, other, write, None, common)

    def _is_lost(self, leaf: Leaf, access: Access, inner: tuple[Index, ...]) -> bool:
        if access == leaf.update.target and self.keeps_result(leaf):
            return False
        ref = Ref(access, inner, write=False)
        others = self.writers_of(access.array)
        return any(self._overwrites(other, leaf, ref) for other in others)

    # Recording

    def expr(self, leaf: Leaf, expr: Expr, inner: tuple[Index, ...]) -> Expr:
        """Replace the reads whose values are lost by reads of what is recorded."""
        around = {level.index.name for level in leaf.levels}

        def step(node: Node, bound: tuple[Index, ...]) -> Node:
            if isinstance(node, Reduce):
                opened = opened_reduction(node, around | {i.name for i in bound})
                inside = (*bound, *opened.indices)
                kept = map_children(opened, lambda child: step(child, inside))
                return node if kept == opened else kept
            if isinstance(node, Read) and self._is_lost(leaf, node.access, bound):
                return Read(self._keep(leaf, node.access, bound), span=node.span)
            return map_children(node, lambda child: step(child, bound))

        return step(expr, inner)  # type: ignore[return-value]

    def access(self, leaf: Leaf, access: Access, inner: tuple[Index, ...]) -> Access:
        """Replace the reads in an access's subscripts."""
        subscripts = tuple(replace(s, at=self.expr(leaf, s.at, inner)) for s in access.subscripts)
        return access if subscripts == access.subscripts else replace(access, subscripts=subscripts)

    def _keep(self, leaf: Leaf, access: Access, bound: tuple[Index, ...]) -> Access:
        """Return the cell that records an access's value."""
        loops = [level.index for level in leaf.levels]
        used = set(free_indices(access))
        extra = tuple(i for i in bound if i.name in used)
        key = (leaf.number, access, extra)
        if key in self.kept:
            return self.kept[key]
        name = self.names.fresh(f"{access.array}_kept".replace(".", "_"))
        changed = (access.array, *(a.array for s in access.subscripts for a in reads(s)))
        shared = max(self._changes_inside(leaf, array) for array in changed)
        needed = used | {i.name for i in loops[:shared]}
        own = [*(i for i in loops if i.name in needed), *extra]
        cell = self.names.cells(name, own, [*loops, *extra], leaf.update.span, (leaf.update,))
        record = Update(cell, "=", Read(access), span=leaf.update.span)
        self.before.setdefault(leaf.number, []).extend(loop(extra, None, record))
        self.kept[key] = cell
        return cell

    def _changes_inside(self, leaf: Leaf, array: str) -> int:
        """Return how many loops round a statement write an array: each iteration sees another."""
        return max((common_loops(leaf, o) for o in self.writers_of(array)), default=0)

    def forward(self, body: tuple[Stmt, ...]) -> list[tuple[Stmt, ...]]:
        """Return each of the statements with what it must record."""
        count = iter(range(len(self.leaves)))

        def step(stmt: Stmt) -> list[Stmt]:
            match stmt:
                case Update():
                    return [*self.before.get(next(count), ()), stmt]
                case For():
                    inner = tuple(s for child in stmt.body for s in step(child))
                    return [stmt if inner == stmt.body else replace(stmt, body=inner)]
                case Backward():
                    return [stmt]

        return [tuple(step(stmt)) for stmt in body]

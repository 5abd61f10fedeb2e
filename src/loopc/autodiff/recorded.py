"""What an adjoint needs and the program overwrites: recorded before it is lost.

A value is recorded per statement instance: `x_kept[i] = x[i]` in the statement's own loops, in
front of it; of several that are only needed added up, their sum is: `x_kept[i] = x[i+1] - x[i]`.
Where only values from before the loops are needed, and an instance has more than one cell's share
of them, the array is recorded as a whole in front of the loops.
Source: Griewank and Walther, Evaluating Derivatives, ch. 4 (to-be-recorded analysis).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopc.analysis.dependence import (
    Leaf,
    Ref,
    common_loops,
    overwrites_itself,
    writes_after,
    writes_before,
)
from loopc.autodiff.hoisted import with_ranges
from loopc.autodiff.loops import wrapped
from loopc.autodiff.starts import copied
from loopc.diagnostics.record import replace
from loopc.ir.bounds import tighten
from loopc.ir.nodes import (
    Access,
    Array,
    Backward,
    Call,
    Expr,
    For,
    Index,
    Node,
    Read,
    Reduce,
    Stmt,
    Update,
)
from loopc.ir.sites import LAZY, evaluated_where, is_inside
from loopc.ir.visit import (
    contains,
    free_indices,
    loop,
    map_children,
    opened_reduction,
    reads,
    walk,
)
from loopc.ir.workspace import Names

TOTAL = frozenset({"add", "neg", "mul", "div"})
"""Functions that have a value for all arguments, and so may be evaluated where they are not."""


class Recorder:
    """Knows what is overwritten, and collects what is recorded in front of which statement."""

    def __init__(self, leaves: tuple[Leaf, ...], names: Names) -> None:
        self.leaves = leaves
        self.names = names
        self.writers: dict[str, list[Leaf]] = {}
        for leaf in leaves:
            self.writers.setdefault(leaf.update.target.array, []).append(leaf)
        self.before: dict[int, list[Stmt]] = {}
        self.outside: dict[int, list[tuple[int, tuple[Index, ...], Update]]] = {}
        self.copies: dict[tuple[int, str], str] = {}
        self.kept: dict[tuple[int, Expr, tuple[Index, ...], tuple[Expr, ...]], Access] = {}

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
        return not any(writes_after(other, leaf, ref) for other in others if other is not leaf)

    def writers_of(self, array: str) -> list[Leaf]:
        """Return the leaves that write an array, in the order of the text."""
        return self.writers.get(array, [])

    def repeats(self, leaf: Leaf) -> bool:
        """Whether a statement writes a cell more than once."""
        return overwrites_itself(leaf.levels, leaf.update)

    def shares_loop(self, a: Leaf, b: Leaf) -> bool:
        """Whether two statements stand in one loop."""
        return common_loops(a, b) > 0

    def inside(self, leaf: Leaf) -> tuple[Update, ...]:
        """Return the updates that run at every point at which a statement does."""
        around = [leaf.update]
        for other in self.leaves:
            outside = other.levels == leaf.levels[: len(other.levels)]
            held = other.guards == leaf.guards[: len(other.guards)]
            steady = not any(a.array in self.writers for g in other.guards for a in reads(g))
            if outside and held and steady and other is not leaf:
                around.append(other.update)
        return tuple(around)

    def _is_lost(self, leaf: Leaf, access: Access, inner: tuple[Index, ...]) -> bool:
        if self._is_result(leaf, access):
            return False
        ref = Ref(access, inner, write=False)
        others = self.writers_of(access.array)
        return any(writes_after(other, leaf, ref) for other in others)

    def _is_lost_sum(self, leaf: Leaf, total: Expr, bound: tuple[Index, ...]) -> bool:
        """Whether several values of a sum are lost that takes no more cells than one of them."""
        terms = dict.fromkeys(reads(total))
        own = set(reads(leaf.update.value))
        if contains(total, Reduce) or not own.issuperset(terms):
            return False
        if any(self._is_result(leaf, a) for a in terms):
            return False
        lost = [a for a in terms if self._is_lost(leaf, a, bound)]
        used = set(free_indices(total))
        return len(lost) > 1 and any(used <= set(free_indices(a)) for a in lost)

    def _is_result(self, leaf: Leaf, access: Access) -> bool:
        """Whether a read means the value that a statement gives its cell."""
        return access == leaf.update.target and self.keeps_result(leaf)

    # Recording

    def expr(
        self, leaf: Leaf, expr: Expr, inner: tuple[Index, ...], holds: tuple[Expr, ...] = ()
    ) -> Expr:
        """Replace the reads whose values are lost by reads of what is recorded.

        Args:
            leaf: the statement that the values are of.
            expr: the expression.
            inner: the indices of sums round it.
            holds: the conditions under which it is evaluated, with the values that they have there.
        """
        around = {level.index.name for level in leaf.levels}

        def step(node: Node, bound: tuple[Index, ...], held: tuple[Expr, ...]) -> Node:
            if not contains(node, Read):
                return node
            match node:
                case Reduce():
                    opened = opened_reduction(node, around | {i.name for i in bound})
                    inside = (*bound, *opened.indices)
                    guards = (*held, *(() if opened.guard is None else (opened.guard,)))
                    kept = map_children(
                        opened,
                        lambda c: step(c, inside, guards if c is opened.body else held),
                    )
                    return node if kept == opened else kept
                case Read(access) if self._is_lost(leaf, access, bound):
                    old = self._from_before(leaf, access, bound)
                    cell = self._keep(leaf, node, bound, held) if old is None else old
                    return Read(cell, span=node.span)
                case Call("add") if self._is_lost_sum(leaf, node, bound):
                    return Read(self._keep(leaf, node, bound, held), span=node.span)
                case Call(fn, args) if fn in LAZY:
                    places = zip(args, evaluated_where(node), strict=True)
                    new = tuple(step(a, bound, (*held, *h)) for a, h in places)
                    return node if new == args else replace(node, args=new)  # type: ignore[arg-type]
                case _:
                    return map_children(node, lambda child: step(child, bound, held))

        return step(expr, inner, holds)  # type: ignore[return-value]

    def access(
        self, leaf: Leaf, access: Access, inner: tuple[Index, ...], holds: tuple[Expr, ...] = ()
    ) -> Access:
        """Replace the reads in an access's subscripts."""

        def subscript(node: Node) -> Node:
            return map_children(node, lambda at: self.expr(leaf, at, inner, holds))  # type: ignore[arg-type]

        return map_children(access, subscript)

    def ranges(self, leaf: Leaf, inner: tuple[Index, ...]) -> tuple[Index, ...]:
        """Replace the reads in the ranges of the indices of sums."""
        return tuple(
            map_children(index, lambda end, n=n: self.expr(leaf, end, inner[:n]))  # type: ignore[misc]
            for n, index in enumerate(inner)
        )

    def _keep(
        self, leaf: Leaf, value: Expr, bound: tuple[Index, ...], holds: tuple[Expr, ...]
    ) -> Access:
        """Return the cell that records a value."""
        loops = [level.index for level in leaf.levels]
        used = set(free_indices(value))
        accesses = reads(value)
        calls = (n.fn for n in walk(value) if isinstance(n, Call))
        total = all(fn in TOTAL for fn in calls)
        if total and all(self._is_inside(leaf, a, bound) for a in accesses):
            holds = ()
        # What is recorded in front of a statement cannot be chosen by its result.
        holds = tuple(c for c in holds if not any(self._is_result(leaf, a) for a in reads(c)))
        inner = used | {n for c in holds for n in free_indices(c)}
        extra = tuple(with_ranges([i for i in bound if i.name in inner], bound))
        key = (leaf.number, value, extra, holds)
        if key in self.kept:
            return self.kept[key]
        name = self._fresh(accesses[0].array)
        own = [*self._own_loops(leaf, value), *extra]
        cell = self.names.cells(name, own, [*loops, *extra], leaf.update.span, self.inside(leaf))
        record = Update(cell, "=", value, span=leaf.update.span)
        depth = self._outside(leaf, own, extra, accesses)
        if holds or depth == len(loops):
            self.before.setdefault(leaf.number, []).append(wrapped(extra, holds, record))
        else:
            self.outside.setdefault(leaf.number, []).append((depth, extra, record))
        self.kept[key] = cell
        return cell

    def _outside(
        self,
        leaf: Leaf,
        own: Sequence[Index],
        extra: Sequence[Index],
        accesses: Sequence[Access],
    ) -> int:
        """Return how many loops round a statement a record needs: others are not put round it."""
        names = [level.index.name for level in leaf.levels]
        wanted = {*(i.name for i in own), *(n for i in extra for n in free_indices(i))}
        depth = 1 + max((n for n, name in enumerate(names) if name in wanted), default=-1)
        plain = not leaf.guards and len({*names}) == len(names)
        if plain and all(self._is_inside(leaf, a, tuple(extra)) for a in accesses):
            return depth
        return len(names)

    def _own_loops(self, leaf: Leaf, value: Expr) -> list[Index]:
        """Return the loops round a statement at each of whose points a value may be another one."""
        shared = max(self._changes_inside(leaf, a.array) for a in reads(value))
        changing = leaf.levels[:shared]
        used = {*free_indices(value), *(level.index.name for level in changing)}
        return [level.index for level in leaf.levels if level.index.name in used]

    def _fresh(self, array: str) -> str:
        return self.names.fresh(f"{array}_kept".replace(".", "_"))

    def _from_before(self, leaf: Leaf, access: Access, bound: tuple[Index, ...]) -> Access | None:
        """Return the cell of a copy of all that an array holds in front of the loops.

        None: the loops may have changed the cell, or a copy has more axes than what is read.
        """
        array = self.names.arrays[access.array]
        read = set(free_indices(access))
        axes = len(self._own_loops(leaf, Read(access))) + sum(i.name in read for i in bound)
        few = array.shape is not None and len(array.shape) < axes
        if not few or not leaf.levels or any(reads(s) for s in access.subscripts):
            return None
        if self._is_changed_before(leaf, Ref(access, bound, write=False)):
            return None
        key = leaf.levels[0].key[0], array.name
        if key not in self.copies:
            copy = self._fresh(array.name)
            self.names.arrays[copy] = Array(copy, "temp", array.shape)
            self.copies[key] = copy
        return replace(access, array=self.copies[key])

    def _is_changed_before(self, leaf: Leaf, ref: Ref) -> bool:
        """Whether the loops round a statement may write what it reads before it does."""
        return any(
            self.shares_loop(other, leaf) and writes_before(other, leaf, ref)
            for other in self.writers_of(ref.access.array)
        )

    def _is_inside(self, leaf: Leaf, access: Access, bound: tuple[Index, ...]) -> bool:
        """Whether an access has a cell wherever its statement runs."""
        ranges = {i.name: i for i in (*(level.index for level in leaf.levels), *bound)}
        for guard in leaf.guards:
            ranges = tighten(ranges, guard)
        shape = self.names.arrays[access.array].shape or ()
        return all(
            s.mode != "strict" or is_inside(s.at, ranges, size)
            for s, size in zip(access.subscripts, shape, strict=True)
        )

    def _changes_inside(self, leaf: Leaf, array: str) -> int:
        """Return how many loops round a statement write an array: each iteration sees another."""
        return max((common_loops(leaf, o) for o in self.writers_of(array)), default=0)

    def forward(self, body: tuple[Stmt, ...]) -> list[tuple[Stmt, ...]]:
        """Return each of the statements with what it must record."""
        numbers = [leaf.number for leaf in reversed(self.leaves)]

        def step(stmt: Stmt, depth: int) -> list[Stmt]:
            match stmt:
                case Update():
                    return [*self.before.get(numbers.pop(), ()), stmt]
                case For(indices, _, body):
                    first = len(self.leaves) - len(numbers)
                    deeper = depth + len(indices)
                    inner = tuple(s for child in body for s in step(child, deeper))
                    new = stmt if inner == body else replace(stmt, body=inner)
                    return [
                        *(
                            loop((*indices[: own - depth], *extra), None, record)[0]
                            for number in range(first, len(self.leaves) - len(numbers))
                            for own, extra, record in self.outside.get(number, ())
                            if depth <= own < deeper
                        ),
                        new,
                    ]
                case Backward():
                    return [stmt]

        copies = [self._copied(number) for number in range(len(body))]
        return [(*copy, *step(stmt, 0)) for copy, stmt in zip(copies, body, strict=True)]

    def _copied(self, number: int) -> Iterator[Stmt]:
        """Yield the copies in front of a statement at the top."""
        for (top, name), copy in self.copies.items():
            if top == number:
                yield from copied(copy, self.names.arrays[name])

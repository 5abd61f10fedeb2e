"""The order in which the factors of a product are multiplied two at a time.

Source: dynamic programming over subsets, as in Pfeifer, Haegeman and Verstraete, Faster
identification of optimal contraction sequences for tensor networks (2014); a sum of products that
is there already costs nothing, which opt_einsum's search cannot take into account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from math import prod
from typing import Any, TypeAlias

from loopc.analysis.products import Leaf, Product
from loopc.diagnostics.record import record
from loopc.ir.bounds import extent
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Expr, Index

Key: TypeAlias = tuple[Any, ...]
"""What equal sums of products have in common, whatever their indices are called."""

CALL = 50_000
"""What a NumPy call costs, in multiplications of a large matmul."""
PASS = 8
"""What it costs to read or write one cell, in these."""
CELL = 12
"""What a product of two cells costs that is no matmul, in these."""
_EQUAL = 3
"""The most equal factors whose places are tried."""


@record()
class Node:
    """The sum of the product of some of the leaves.

    Attributes:
        axes: its indices.
        key: of it, and the order of its axes in the key.
        cost: of its last product; 0 for a leaf.
        halves: the two sets of leaves that it is made of; None: it is a leaf.
    """

    axes: tuple[str, ...]
    key: Key
    cost: float
    halves: tuple[int, int] | None


class Order:
    """The best order of a product's factors.

    Attributes:
        found: the product.
        nodes: what is made, by the set of leaves in it, as bits.
    """

    def __init__(
        self, found: Product, sizes: Magnitudes, since: Mapping[Key, int] | None = None
    ) -> None:
        self.found = found
        self.sizes = sizes
        self.extents = {n: sizes.typical(extent(i)) for n, i in found.ranges.items()}
        self.leaves = found.leaves
        self.nodes: dict[int, Node] = {}
        self._totals: dict[int, float] = {}
        self._best: dict[int, float] = {}
        self._search(since or {})

    @property
    def whole(self) -> int:
        """All leaves."""
        return (1 << len(self.leaves)) - 1

    @property
    def cost(self) -> float:
        """What the product costs, with what is known free."""
        if len(self.leaves) > 1:
            return self._best[self.whole]
        return self.copy_cost + PASS * self._cells(self.nodes[1].axes)

    @property
    def copy_cost(self) -> float:
        """What it costs to add a sum that is there."""
        return CALL + PASS * self._cells(self.found.kept)

    def sums(self, subset: int = 0) -> Iterator[Key]:
        """Yield the keys of what is made on the way to the product."""
        halves = self.nodes[subset or self.whole].halves
        if subset and halves is not None:
            yield self.nodes[subset].key
        for half in halves or ():
            yield from self.sums(half)

    def _search(self, since: Mapping[Key, int]) -> None:
        for subset in range(1, self.whole + 1):
            axes = self._kept(subset)
            key = self.key(subset, axes)
            if subset & (subset - 1) == 0:
                self.nodes[subset] = Node(self._leaf(subset).axes, key, 0, None)
                self._totals[subset] = 0
                continue
            best: tuple[float, float, tuple[int, int]] | None = None
            for a, b in _halves(subset):
                cost = self._pair(a, b, axes)
                total = cost + self._totals[a] + self._totals[b]
                if best is None or total < best[0]:
                    best = (total, cost, (a, b))
            assert best is not None
            self.nodes[subset] = Node(axes, key, best[1], best[2])
            self._best[subset] = best[0]
            number = self.found.number
            self._totals[subset] = 0 if since.get(key, number) < number else best[0]

    def _leaf(self, subset: int) -> Leaf:
        return self.leaves[subset.bit_length() - 1]

    def members(self, subset: int) -> list[Leaf]:
        """Return the leaves of a set."""
        return [leaf for n, leaf in enumerate(self.leaves) if subset >> n & 1]

    def laid_out(self, axes: Sequence[str], left: Sequence[str], right: Sequence[str]) -> list[str]:
        """Return the axes of a product as they best lie in memory: a batch, rows, columns.

        The columns are the fewer ones, so that products of one chain are laid out alike.
        """
        batch = [x for x in axes if x in left and x in right]
        rows, columns = ([x for x in axes if x in own and x not in batch] for own in (left, right))
        if self._cells(rows) < self._cells(columns):
            rows, columns = columns, rows
        return [*batch, *rows, *columns]

    def _kept(self, subset: int) -> tuple[str, ...]:
        """Return the indices of a set of leaves that the result or another leaf has."""
        others = {x for leaf in self.members(self.whole & ~subset) for x in leaf.axes}
        wanted = others | set(self.found.kept)
        own = dict.fromkeys(x for leaf in self.members(subset) for x in leaf.axes)
        return tuple(x for x in own if x in wanted)

    def _cells(self, axes: Sequence[str]) -> int:
        return prod(self.extents[x] for x in axes if x in self.extents)

    def _pair(self, a: int, b: int, axes: tuple[str, ...]) -> float:
        """Return what the product of two sums costs."""
        left, right = self.nodes[a].axes, self.nodes[b].axes
        cost = float(CALL + PASS * (self._cells(left) + self._cells(right) + self._cells(axes)))
        left = tuple(x for x in left if x in axes or x in right)
        right = tuple(x for x in right if x in axes or x in left)
        work = self._cells(tuple(dict.fromkeys((*left, *right))))
        summed = any(x not in axes for x in left)
        free = set(left) ^ set(right)
        return cost + work * (1 if summed and free else CELL)

    # Keys

    def key(self, subset: int, axes: Sequence[str]) -> Key:
        """Return the key of the sum over all indices of some leaves but `axes`."""
        members = sorted(self.members(subset), key=lambda leaf: leaf.ident)
        return min(self._numbered(order, axes) for order in _orders(members))

    def numbering(self, subset: int) -> tuple[str, ...]:
        """Return the axes of a sum in the order in which its key has them."""
        axes = self.nodes[subset].axes
        members = sorted(self.members(subset), key=lambda leaf: leaf.ident)
        order = min(_orders(members), key=lambda order: self._numbered(order, axes))
        numbers = dict.fromkeys(x for leaf in order for x in leaf.axes)
        return tuple(x for x in numbers if x in axes)

    def _numbered(self, order: Sequence[Leaf], axes: Sequence[str]) -> Key:
        numbers: dict[str, int] = {}
        for leaf in order:
            for axis in leaf.axes:
                numbers.setdefault(axis, len(numbers))
        ranges = tuple(repr(_range(self.found.ranges.get(x))) for x in numbers)
        return (
            tuple((leaf.ident, tuple(numbers[x] for x in leaf.axes)) for leaf in order),
            tuple(sorted(numbers[x] for x in axes)),
            ranges,
        )


def _range(index: Index | None) -> tuple[Expr | None, Expr | None, int] | None:
    return None if index is None else (index.start, index.stop, index.step)


def _halves(subset: int) -> Iterator[tuple[int, int]]:
    """Yield the ways to split a set in two, the part with the first leaf first."""
    first = subset & -subset
    rest = subset ^ first
    part = rest
    while part:
        part = (part - 1) & rest
        yield first | part, rest ^ part


def _orders(members: Sequence[Leaf]) -> Iterator[Sequence[Leaf]]:
    """Yield the orders of sorted leaves in which only equal ones change places."""
    groups: list[list[Leaf]] = []
    for leaf in members:
        if groups and groups[-1][0].ident == leaf.ident:
            groups[-1].append(leaf)
        else:
            groups.append([leaf])
    if all(len(g) == 1 for g in groups):
        yield members
        return
    yield from _joined(groups)


def _joined(groups: Sequence[Sequence[Leaf]]) -> Iterator[Sequence[Leaf]]:
    if not groups:
        yield []
        return
    for rest in _joined(groups[1:]):
        for own in permutations(groups[0]) if len(groups[0]) <= _EQUAL else [groups[0]]:
            yield [*own, *rest]

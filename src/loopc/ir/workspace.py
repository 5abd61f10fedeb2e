"""Arrays that a transformation adds: one cell per point of some loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loopc.diagnostics import catalogue
from loopc.diagnostics.span import Span
from loopc.ir.affine import Affine, affine, at_least, plus, to_expr
from loopc.ir.bounds import bounds, first, last
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Expr,
    Index,
    IndexRef,
    Node,
    Reduce,
    Subscript,
)
from loopc.ir.visit import children, free_indices, fresh_name, is_known_before, reads


@dataclass
class Names:
    """The arrays of a program under construction."""

    arrays: dict[str, Array]
    taken: set[str]

    def fresh(self, name: str, *, numbered: bool = False) -> str:
        """Return `name`, with a number behind it where it is taken."""
        if numbered or name in self.taken:
            name = fresh_name(name, self.taken)
        self.taken.add(name)
        return name

    def cells(
        self,
        name: str,
        indices: Sequence[Index],
        loops: Sequence[Index],
        span: Span | None,
        inside: Sequence[Node] = (),
    ) -> Access:
        """Add an array with a cell for each point of `indices`; return the access of that cell.

        Args:
            name: the array's name, new.
            indices: the loops that tell its cells apart.
            loops: all loops round the statement, outermost first.
            span: where it is needed.
            inside: what is evaluated at every point: an index whose range is data has no more
                values than an axis in which it stands alone there.

        Raises:
            DifferentiationError: L0605, the loops' ranges are data.
        """
        found = self.countable_cells(name, indices, loops, span, inside)
        if isinstance(found, Index):
            raise catalogue.error("L0605", span, index=found.name)
        return found

    def countable_cells(
        self,
        name: str,
        indices: Sequence[Index],
        loops: Sequence[Index],
        span: Span | None,
        inside: Sequence[Node] = (),
    ) -> Access | Index:
        """Do the same, or return an index whose range is data."""
        ranges = {i.name: i for i in loops}
        computed = {n for n, a in self.arrays.items() if a.kind == "temp"}
        shape: list[Expr] = []
        subscripts: list[Subscript] = []
        for index in indices:
            axis = _axis(self.arrays, index, inside) if _follows_data(index) else None
            if axis is not None:
                shape.append(axis)
                subscripts.append(Subscript(IndexRef(index.name)))
                continue
            outer = dict(ranges)
            outer.pop(index.name, None)
            high = bounds(last(index), outer).high
            low = bounds(first(index), outer).low
            if high is None or free_indices(high) or not is_known_before(high, computed):
                return index
            form = None if low is None else affine(low)
            if form is not None and at_least(form, Affine(0)):
                shape.append(plus(high, 1))
                subscripts.append(Subscript(IndexRef(index.name)))
            elif form is not None:
                top = affine(high)
                assert top is not None
                shape.append(to_expr(top - form + Affine(1)))
                subscripts.append(
                    Subscript(to_expr(Affine(0, ((IndexRef(index.name), 1),)) - form))
                )
            else:
                return index
        self.arrays[name] = Array(name, "temp", tuple(shape), span=span)
        return Access(name, tuple(subscripts), span=span)


def _follows_data(index: Index) -> bool:
    return any(a.subscripts for a in reads(index))


def _axis(arrays: dict[str, Array], index: Index, inside: Sequence[Node]) -> Expr | None:
    """Return the extent of an axis in which an index stands alone, always evaluated."""
    for node in inside:
        for access in _always(node):
            shape = arrays[access.array].shape or ()
            for subscript, extent in zip(access.subscripts, shape, strict=True):
                if subscript == Subscript(IndexRef(index.name)):
                    return extent
    return None


def _always(node: Node) -> Iterator[Access]:
    """Yield the accesses that are evaluated whenever `node` is."""
    if isinstance(node, Access):
        yield node
    below = list(children(node))
    if isinstance(node, Call) and node.fn in ("where", "and", "or"):
        below = below[:1]
    if isinstance(node, Reduce) and node.guard is not None:
        return
    for child in below:
        yield from _always(child)

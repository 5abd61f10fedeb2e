"""Arrays that a transformation adds, one cell per point of some loops, or makes smaller."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from loopc.diagnostics import catalogue
from loopc.diagnostics.record import replace
from loopc.diagnostics.span import Span
from loopc.ir.affine import Affine, affine, at_least, plus, to_expr
from loopc.ir.bounds import bounds, first, last
from loopc.ir.functions import lookup
from loopc.ir.limits import Limits
from loopc.ir.nodes import (
    Access,
    Array,
    Call,
    Expr,
    Index,
    IndexRef,
    Node,
    Program,
    Reduce,
    Stmt,
    Subscript,
    Update,
)
from loopc.ir.visit import (
    N,
    children,
    free_indices,
    fresh_name,
    is_known_before,
    loop,
    map_children,
    written_names,
)


@dataclass
class Names:
    """The arrays of a program under construction.

    Attributes:
        arrays: by name.
        taken: names that are not free.
        written: those of the arrays, inputs among them, that the program writes.
        limits: what is known of the integers that the program computes.
    """

    arrays: dict[str, Array]
    taken: set[str]
    written: Collection[str] = ()
    limits: Limits | None = None

    @classmethod
    def of(cls, program: Program) -> Names:
        """Return the arrays of a program."""
        arrays = {a.name: a for a in program.arrays}
        taken = {*arrays, *(d.name for d in program.dims)}
        return cls(arrays, taken, written_names(program))

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
        shape: list[Expr] = []
        subscripts: list[Subscript] = []
        for index in indices:
            axis = self._axis_of(index, loops, inside)
            if axis is None:
                return index
            shape.append(axis[0])
            subscripts.append(Subscript(axis[1]))
        self.arrays[name] = Array(name, "temp", tuple(shape), span=span)
        return Access(name, tuple(subscripts), span=span)

    def keep(self, call: Call, indices: Sequence[Index], span: Span | None) -> tuple[Stmt, ...]:
        """Return the statement that keeps a function; (): its values cannot be counted."""
        row = lookup(call.fn)
        assert row is not None
        name = self.fresh(row.name, numbered=True)
        cell = self.countable_cells(name, indices, indices, span)
        if isinstance(cell, Index):
            return ()
        return loop(tuple(indices), None, Update(cell, "=", call, span=span))

    def _axis_of(
        self, index: Index, loops: Sequence[Index], inside: Sequence[Node]
    ) -> tuple[Expr, Expr] | None:
        """Return an extent that has room for an index, and the place of the index in it."""
        here = IndexRef(index.name)
        outer = {i.name: i for i in loops if i.name != index.name}
        low, high = bounds(first(index), outer).low, bounds(last(index), outer).high
        form = None if low is None else affine(low)
        if high is None or not self._is_known(high) or form is None:
            axis = _axis(self.arrays, index, inside)
            if axis is not None:
                return axis, here
            at = next((n for n, i in enumerate(loops) if i.name == index.name), len(loops))
            if self.limits is not None:
                high = self.limits.high(last(index), loops[:at])
                low = self.limits.low(first(index), loops[:at])
            form = None if low is None or self.limits is None else affine(low)
        if high is None or form is None:
            return None
        if at_least(form, Affine(0)):
            return plus(high, 1), here
        top = affine(high)
        if top is None or not self._is_known(to_expr(form)):
            return None
        return to_expr(top - form + Affine(1)), to_expr(Affine(0, ((here, 1),)) - form)

    def _is_known(self, expr: Expr) -> bool:
        """Whether an expression has one value, known before a run: of dims and scalar inputs."""
        temps = {n for n, a in self.arrays.items() if a.kind == "temp"}
        return not free_indices(expr) and is_known_before(expr, temps.union(self.written))


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


def without_axes(program: Program, dropped: Mapping[str, Set[int]]) -> Program:
    """Return the program without axes of some arrays: all cells along one are one cell."""
    arrays = tuple(
        replace(
            a,
            shape=tuple(e for n, e in enumerate(a.shape or ()) if n not in dropped[a.name]),
            declared=False,
        )
        if a.name in dropped
        else a
        for a in program.arrays
    )
    body = tuple(_accesses_without(stmt, dropped) for stmt in program.body)
    return replace(program, body=body, arrays=arrays)


def with_last_axis_first(node: N, names: Mapping[str, str]) -> N:
    """Return a node that accesses arrays by new names, with the last subscript first."""
    node = map_children(node, lambda child: with_last_axis_first(child, names))
    if not isinstance(node, Access) or node.array not in names:
        return node
    subscripts = (node.subscripts[-1], *node.subscripts[:-1])
    return replace(node, array=names[node.array], subscripts=subscripts)


def _accesses_without(node: N, dropped: Mapping[str, Set[int]]) -> N:
    """Return a node whose accesses have no subscripts for some axes."""
    node = map_children(node, lambda child: _accesses_without(child, dropped))
    if not isinstance(node, Access) or node.array not in dropped:
        return node
    axes = dropped[node.array]
    kept = tuple(s for n, s in enumerate(node.subscripts) if n not in axes)
    return replace(node, subscripts=kept)

"""What lowering knows of the program round a statement, and what it finds out that must hold."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from loopc.diagnostics import catalogue
from loopc.diagnostics.record import replace
from loopc.ir.attained import is_attained
from loopc.ir.bounds import bounds
from loopc.ir.dtypes import INTEGER, DType, of_expr
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Access, Array, Const, Expr, Extent, Index, IndexRef, Node, Read, Reduce
from loopc.ir.sites import is_inside, used_ranges
from loopc.ir.unbuild_expr import expr_text, refused_text
from loopc.ir.visit import free_indices, is_known_before, map_children, reads, substitute, walk
from loopc.lower.domain import count
from loopc.lower.fresh import is_fresh
from loopc.lower.plan import Apply, Assign, Lit, Part, Require, Step, Value, View
from loopc.lower.value_types import type_of

SIZE = Extent("cells°")
"""The number of points of a flattened domain, which the run finds."""

MOST = 400_000
"""The expressions that one statement may have, those of all conditions it evaluates included."""

_FAR = 2**40
"""Further than any range: the end of one that has no values."""


@dataclass
class Rows:
    """The arrays that waves use as one row of cells, and the numbers that places in them share.

    Attributes:
        arrays: whether each is written.
        number: of the nest.
        fixed: numbers that are the same for all waves, by their expressions.
        moving: numbers of one wave.
    """

    number: int
    arrays: dict[str, bool] = field(default_factory=dict)
    fixed: dict[Expr, str] = field(default_factory=dict)
    moving: dict[Expr, str] = field(default_factory=dict)

    def let(self, numbers: dict[Expr, str], stem: str, value: Expr) -> Expr:
        """Return the dim that holds a number."""
        if isinstance(value, Const):
            return value
        if value not in numbers:
            same = sum(name.startswith(stem) for name in numbers.values())
            more = f"_{same + 1}" if same else ""
            numbers[value] = f"{stem}°{self.number}{more}"
        return Extent(numbers[value])


@dataclass
class Context:
    """The arrays of a program, their types, and the sizes that a run must check first.

    Attributes:
        arrays: by name.
        types: of every array.
        opt: 0 keeps one operation per loop.
        once: how many statements write a temporary, of those whose cells are each one's own.
        requires: what a run must check first.
        counted: the arrays that the plan makes for itself, and the index whose values they have.
        proved: subscripts that are inside, whatever their indices' ranges seem to say.
        waves: how many nests have been skewed.
        filled: the extents of ranges that surely have a value.
        reduced: what the index names of the statement's reductions stand for.
        rows: what the waves being lowered use as one row of cells; None: there are no waves.
        spots: lowers the accesses that move in the planes being lowered; None: there are none.
        lowered: how many expressions the statement had so far, equal ones each time.
        held: what conditions of many expressions are, which have a value before the statement.
        sizes: what is known of extents.
    """

    arrays: dict[str, Array]
    types: dict[str, DType]
    opt: int = 2
    computed: frozenset[str] = frozenset()
    forgiving: frozenset[str] = frozenset()
    once: Mapping[str, int] = field(default_factory=dict)
    requires: dict[Require, None] = field(default_factory=dict)
    counted: dict[str, Index] = field(default_factory=dict)
    proved: set[tuple[Access, int]] = field(default_factory=set)
    waves: int = 0
    rows: Rows | None = None
    spots: Callable[[Access], Value | None] | None = None
    zero_outside: dict[str, frozenset[Expr]] = field(default_factory=dict)
    measured: list[Step] = field(default_factory=list)
    occupied: dict[Index, None] = field(default_factory=dict)
    known: dict[Expr, DType | None] = field(default_factory=dict)
    reduced: dict[str, Index] = field(default_factory=dict)
    filled: frozenset[Expr] = frozenset()
    lowered: int = 0
    held: dict[Hashable, Value] = field(default_factory=dict)
    sizes: Magnitudes = field(default_factory=Magnitudes)

    def add(self, array: Array, dtype: DType, index: Index) -> None:
        """Add an array that the plan makes for itself, of values of `index`."""
        self.arrays[array.name] = array
        self.types[array.name] = dtype
        self.counted[array.name] = index

    def type_of(self, expr: Expr) -> DType | None:
        """Return the type of an expression; that of an array does not change."""
        try:
            return self.known[expr]
        except KeyError:
            self.known[expr] = of_expr(expr, self.types)
            return self.known[expr]

    def note_zero_outside(self, target: Access, masks: tuple[Expr, ...]) -> None:
        """Note that the cells of a target where one of `masks` does not hold are 0."""
        names = _positions(target)
        if names is not None and all(n in names for m in masks for n in free_indices(m)):
            found = frozenset(substitute(m, names) for m in masks)
            self.zero_outside[target.array] = found

    def is_zero_outside(self, expr: Expr, mask: Expr) -> bool:
        """Whether `expr` is the read of a cell that is 0 where a mask does not hold."""
        if not isinstance(expr, Read) or expr.access.array not in self.zero_outside:
            return False
        names = _positions(expr.access)
        if names is None:
            return False
        return substitute(mask, names) in self.zero_outside[expr.access.array]

    def measure(self, value: Value) -> Expr:
        """Return an integer scalar that is to take a value before the statement runs."""
        name = f"size°{len(self.arrays)}"
        self.arrays[name] = Array(name, "temp", (), "int")
        self.types[name] = INTEGER
        value = Apply("max", (Apply("min", (value, Lit(_FAR)), ()), Lit(-_FAR)), ())
        self.measured.append(Assign(name, value, (), INTEGER, True, True))
        return Read(Access(name))

    def hold(self, value: Value, axes: tuple[str, ...], shape: tuple[Expr, ...]) -> Value:
        """Return a view of an array that is to take a value before the statement runs."""
        dtype = type_of(value, self.types.get)
        if dtype is None:
            return value
        name = f"held°{len(self.arrays)}"
        self.arrays[name] = Array(name, "temp", shape)
        self.types[name] = dtype
        fresh = is_fresh(value)
        self.measured.append(Assign(name, value, axes, dtype, False, fresh, shape))
        parts = (Part(Const(0), a, n, 1, True) for a, n in zip(axes, shape, strict=True))
        return View(name, tuple(parts), axes)

    def take_measured(self) -> tuple[Step, ...]:
        """Return the steps of what was measured or held since they were taken last."""
        steps = tuple(self.measured)
        self.measured.clear()
        self.held.clear()
        return steps

    def take_occupied(self) -> tuple[Index, ...]:
        """Return the indices that must have a value if what was required since is to be inside."""
        found = tuple(self.occupied)
        self.occupied.clear()
        return found

    def count(self) -> None:
        """Count an expression that is lowered.

        Raises:
            LimitError: L0007: the statement multiplies by conditions in conditions.
        """
        self.lowered += 1
        if self.lowered > MOST:
            raise catalogue.error("L0007", why="reductions stand in conditions of reductions")

    def forget(self) -> None:
        """Drop what was measured or required for a statement that is lowered in another way."""
        self.lowered = 0
        self.measured.clear()
        self.held.clear()
        self.occupied.clear()
        self.reduced.clear()

    def as_indices(self, expr: Expr) -> Expr:
        """Return an expression with the index in place of the array that has its values."""

        def put(node: Node) -> Node:
            if isinstance(node, Read) and node.access.array in self.counted:
                return IndexRef(self.counted[node.access.array].name)
            return map_children(node, put)

        return put(expr) if self.counted else expr  # type: ignore[return-value]

    def extent(self, array: str, axis: int) -> Expr:
        """Return the extent of an array's axis."""
        shape = self.arrays[array].shape
        assert shape is not None
        return shape[axis]

    def is_inside(self, access: Access, axis: int, ranges: Mapping[str, Index]) -> bool:
        """Whether a subscript is inside for all sizes, over `ranges`."""
        if self.proved and (access, axis) in self.proved:
            return True
        at = self.as_indices(access.subscripts[axis].at)
        own = {i.name: i for i in self.counted.values()}
        return is_inside(at, {**own, **ranges}, self.extent(access.array, axis))

    @contextmanager
    def assuming(self, subscripts: Iterable[tuple[Access, int]]) -> Iterator[None]:
        """Take subscripts to be inside for as long as a statement is lowered."""
        new = set(subscripts) - self.proved
        self.proved |= new
        try:
            yield
        finally:
            self.proved -= new

    def _is_made_in_the_run(self, expr: Expr) -> bool:
        """Whether a size is found while the program runs: a cell, counted, or by a reduction."""
        counted = (isinstance(n, Extent) and "°" in n.name for n in walk(expr))
        measured = ("°" in a.array for a in reads(expr))
        reduced = (isinstance(n, Reduce) for n in walk(expr))
        known = is_known_before(expr, self.computed)
        return not known or any(counted) or any(measured) or any(reduced)

    def require_cells(self, access: Access, axis: int, ranges: Mapping[str, Index]) -> None:
        """Let the run check beforehand that a mode which takes a cell of an axis has one to take.

        Sizes that are counted in the run are left out.
        """
        extent = self.extent(access.array, axis)
        counts = tuple(count(i) for i in ranges.values() if not free_indices(i))
        if free_indices(extent) or any(self._is_made_in_the_run(e) for e in (extent, *counts)):
            return
        if len(counts) < len(ranges) or isinstance(extent, Const):
            return
        where = self.place(access, axis, access.subscripts[axis].at)
        self.requires[Require(Const(0), Const(0), extent, counts, where)] = None

    def require_inside(self, access: Access, axis: int, ranges: Mapping[str, Index]) -> bool:
        """Let the run check a subscript beforehand; False: the sizes alone do not tell."""
        at = access.subscripts[axis].at
        used = used_ranges(at, dict(ranges))
        ends = bounds(at, used)
        if not is_attained(at, used):
            return False
        if ends.low is None or ends.high is None:
            return False
        counts = tuple(count(i) for i in ranges.values() if not free_indices(i))
        extent = self.extent(access.array, axis)
        sizes = (ends.low, ends.high, extent)
        if any(self._is_made_in_the_run(e) for e in (*sizes, *counts)):
            return False
        if any(free_indices(e) for e in sizes):
            return False
        where = self.place(access, axis, at)
        self.requires[Require(ends.low, ends.high, extent, counts, where)] = None
        return True

    def place(self, access: Access, axis: int, at: Expr) -> str:
        """Return what an error says about the place of a subscript; `at`: as the program has it."""
        turned = self.arrays[access.array].turned
        if turned:
            first, *others = access.subscripts
            access = replace(access, array=turned, subscripts=(*others, first))
            axis = (axis - 1) % len(access.subscripts)
        return place(access, axis, at)


def _positions(access: Access) -> dict[str, Expr] | None:
    """Return the axis that each index stands alone in; None: some subscript is no single index."""
    names: dict[str, Expr] = {}
    for axis, subscript in enumerate(access.subscripts):
        at = subscript.at
        if subscript.mode != "strict" or not isinstance(at, IndexRef) or at.name in names:
            return None
        names[at.name] = IndexRef(f"#{axis}")
    return names


def place(access: Access, axis: int, at: Expr) -> str:
    """Return what an error says about the place of a subscript; `at`: as the program has it."""
    span = access.subscripts[axis].span or access.span
    where = "" if span is None else f"{span.file}:{span.line}: "
    return f"{where}axis {axis + 1} of `{access.array}`, index `{expr_text(at)}`"


def place_of(expr: Expr) -> str:
    """Return what an error says about the place of an expression."""
    where = "" if expr.span is None else f"{expr.span.file}:{expr.span.line}: "
    return f"{where}`{refused_text(expr)}`"

"""Loops that are on single cells alone: they run on Python numbers, not on arrays.

NumPy takes as long for one cell as Python for five. The loop's arrays are made lists before it and
stored back once behind it. An array of which the loop may use few cells stays as it is: it is
read cell by cell, and if it is written the loop is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loopc.diagnostics.record import record
from loopc.ir import reductions
from loopc.ir.dtypes import ORDER, DType
from loopc.ir.nodes import Const, Expr, Extent
from loopc.ir.visit import free_indices, reads
from loopc.ir.visit import walk as walk_expr
from loopc.lower.plan import (
    Apply,
    Assign,
    Cast,
    Cells,
    Gather,
    Let,
    Lit,
    Loop,
    Note,
    Numbers,
    Part,
    Position,
    Scalar,
    Scatter,
    Step,
    Store,
    Value,
    View,
    When,
)
from loopc.lower.plan_visit import walk
from loopc.lower.value_types import type_of

WORD = 62
"""The bits that an integer expression may have, so that it is the same in 64 bits."""

SIZE = 40
"""More bits than an index or an extent has."""


def on_numbers(
    step: Step, shapes: Mapping[str, tuple[Expr, ...]], types: Mapping[str, DType]
) -> Step:
    """Return a loop as one on numbers, where all that is in it is on single cells."""
    if not isinstance(step, Loop):
        return step
    survey = _Survey(types)
    try:
        survey.steps((step,), ())
        cells = tuple(_held(name, survey, len(shapes[name])) for name in survey.accesses)
        return Numbers((step,), cells, _bits(survey))
    except _Unfit:
        return step


class _Unfit(Exception):  # noqa: N818 - no error: the loop stays as it is
    """The loop has more than single cells in it."""


@record()
class _Access:
    """One access of a loop.

    Attributes:
        places: the subscript of each dimension; None: it follows data.
        loops: the loops round it.
        write: whether it is written.
    """

    places: tuple[Expr | None, ...]
    loops: tuple[str, ...]
    write: bool


@dataclass
class _Survey:
    """What is in a loop.

    Attributes:
        types: of all arrays.
        accesses: of each array; of one that sizes read there may be none.
        sized: the arrays that sizes read.
        changing: the dims that the loop sets.
        integers: the integer values that are stored or compared.
    """

    types: Mapping[str, DType]
    accesses: dict[str, list[_Access]] = field(default_factory=dict)
    sized: set[str] = field(default_factory=set)
    changing: set[str] = field(default_factory=set)
    integers: list[Value] = field(default_factory=list)

    def steps(self, steps: Sequence[Step], loops: tuple[str, ...]) -> None:
        for step in steps:
            match step:
                case Note():
                    pass
                case Let(dim, value):
                    self.changing.add(dim)
                    self.size(value)
                case Loop(index, start, stop, _, body):
                    self.size(start)
                    self.size(stop)
                    self.steps(body, (*loops, index))
                case When(condition, body):
                    self.value(condition, loops)
                    self.steps(body, loops)
                case Store(View() as target, op, value):
                    self.write(target, op, value, loops)
                case Assign(array, value, order=()):
                    self.write(View(array, (), ()), "=", value, loops)
                case Scatter(array, indices, op=op, value=value, axes=(), mask=None):
                    self.write(Gather(array, indices, (), ()), op, value, loops)
                case _:
                    raise _Unfit

    def write(self, target: View | Gather, op: str, value: Value, loops: tuple[str, ...]) -> None:
        """Take in a cell that gets a value, which is of no wider kind."""
        self.access(target, loops, write=True)
        for part in target.indices if isinstance(target, Gather) else ():
            if isinstance(part, Position):
                self.value(part.at, loops)
        if op != "=":
            row = reductions.by_op(op)
            assert row is not None
            value = Apply(row.fn, (target, value), ())
        self.value(value, loops)
        own, new = self.types[target.array], type_of(value, self.types.get)
        if new is None or ORDER.index(new.kind) > ORDER.index(own.kind):
            raise _Unfit

    def value(self, value: Value, loops: tuple[str, ...]) -> None:
        for each in walk(value):
            if each.axes or not isinstance(each, Lit | Scalar | View | Gather | Apply | Cast):
                raise _Unfit
            dtype = type_of(each, self.types.get)
            if dtype is None or dtype.kind == "c":
                raise _Unfit
            if isinstance(each, View | Gather):
                self.access(each, loops)
            elif isinstance(each, Scalar):
                self.size(each.expr)
            elif isinstance(each, Apply) and dtype.kind == "i":
                self.integers.append(each)

    def access(self, cell: View | Gather, loops: tuple[str, ...], *, write: bool = False) -> None:
        places = tuple(map(self.place, cell.parts if isinstance(cell, View) else cell.indices))
        found = _Access(places, loops, write)
        self.accesses.setdefault(cell.array, []).append(found)

    def place(self, place: Part | Position) -> Expr | None:
        if isinstance(place, Part):
            if place.axis:
                raise _Unfit
            self.size(place.start)
            return None if reads(place.start) else place.start
        self.size(place.extent)
        if isinstance(place.at, Scalar) and place.mode == "strict" and place.safe:
            return None if reads(place.at.expr) else place.at.expr
        return None

    def size(self, expr: Expr) -> None:
        for access in reads(expr):
            self.sized.add(access.array)
            self.accesses.setdefault(access.array, [])


def _held(name: str, survey: _Survey, rank: int) -> Cells:
    """Return how the loop has an array."""
    accesses = survey.accesses[name]
    written = any(a.write for a in accesses)
    fixed = tuple(_fixed([a.places[n] for a in accesses], accesses, survey) for n in range(rank))
    if fixed and None not in fixed:
        fixed = (*fixed[:-1], None)  # a slice shares the array's memory, a cell does not
    listed = name not in survey.sized and _is_dense(fixed, accesses)
    if written and not listed:
        raise _Unfit
    return Cells(name, fixed if listed else (None,) * rank, written, listed)


def _fixed(
    places: Sequence[Expr | None], accesses: Sequence[_Access], survey: _Survey
) -> Expr | None:
    """Return the one place in a dimension that all accesses have; None: there are several."""
    first = places[0] if places else None
    if first is None or any(p != first for p in places):
        return None
    moving = {n for a in accesses for n in a.loops}
    lets = (n.name for n in walk_expr(first) if isinstance(n, Extent))
    still = moving.isdisjoint(free_indices(first)) and survey.changing.isdisjoint(lets)
    return first if still else None


def _is_dense(fixed: Sequence[Expr | None], accesses: Sequence[_Access]) -> bool:
    """Whether the loop uses much of an array: each dimension has a loop of its own."""
    dims = [n for n, place in enumerate(fixed) if place is None]
    if len(dims) <= 1:
        return True
    for access in accesses:
        used = {i for n in dims for i in free_indices(access.places[n] or Const(0))}
        if len(used & set(access.loops)) < len(dims):
            return False
    return True


def _bits(survey: _Survey) -> int:
    """Return how many bits an integer cell may have for all values to be right in 64."""
    if not survey.integers:
        return 0
    for bits in range(WORD, 15, -1):
        if all(_most(value, bits) <= WORD for value in survey.integers):
            return bits
    raise _Unfit


def _most(value: Value, cell: int) -> int:
    """Return the bits that an integer value may have, a cell having at most `cell`."""
    match value:
        case Lit(number):
            return number.bit_length() if isinstance(number, int) else WORD + 1
        case Scalar():
            return SIZE
        case Cast(arg):
            return _most(arg, cell)
        case Apply(fn, args):
            parts = [_most(a, cell) for a in args]
            if fn == "mul":
                return sum(parts)
            if fn == "add":
                return max(parts) + (len(parts) - 1).bit_length()
            return WORD + 1 if fn == "pow" else max(parts)
        case _:
            return cell

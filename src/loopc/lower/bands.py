"""Bands of points of two indices, and what values are outside of them.

The points of a triangle `j <= i` lie in a band `i + low <= j <= i + high`. What is summed over its
columns can be left out outside of it where it is 0 there: because of a condition, or as a product
with such a value, if the other factors are finite. By the inequality of Cauchy and Schwarz a sum
of products is no larger than the product of its factors' norms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import TypeAlias

from loopc.diagnostics.record import record
from loopc.ir import reductions
from loopc.ir.affine import Affine, affine
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Expr, Extent
from loopc.lower.plan import (
    Along,
    Apply,
    Cast,
    Checked,
    Contract,
    Exactly,
    Flip,
    Fold,
    Gather,
    Lit,
    Position,
    Range,
    Renamed,
    Scalar,
    Selected,
    Strided,
    Take,
    Value,
    View,
)
from loopc.lower.plan_visit import children

MOST = 4
"""The norms, and the products of them, by which a value is known to be finite."""

Norms: TypeAlias = frozenset[tuple[str, ...]]
"""Products of norms, as the names of the arrays."""

EMPTY: Norms = frozenset()
ONE: Norms = frozenset({()})


@record()
class Band:
    """The points with `row + low <= column <= row + high`, by places on the axes.

    None: no such end.
    """

    low: Affine | None
    high: Affine | None

    def holds(self, other: Band) -> bool:
        """Whether all points of another band are in this one, as far as this one has ends."""
        low = self.low is None or (other.low is not None and _at_least(other.low, self.low))
        return low and (
            self.high is None or (other.high is not None and _at_least(self.high, other.high))
        )


def _at_least(a: Affine, b: Affine) -> bool:
    rest = a - b
    return rest.is_constant and rest.constant >= 0


def band_of(condition: Value, row: str, column: str) -> Band:
    """Return the band that a condition holds in."""
    if not isinstance(condition, Apply):
        return Band(None, None)
    if condition.fn == "and":
        bands = [band_of(c, row, column) for c in condition.args]
        low = next((b.low for b in bands if b.low is not None), None)
        return Band(low, next((b.high for b in bands if b.high is not None), None))
    if condition.fn in ("ge", "gt"):
        b, a = condition.args
    elif condition.fn in ("le", "lt", "eq"):
        a, b = condition.args
    else:
        return Band(None, None)
    forms = _linear(a), _linear(b)
    if forms[0] is None or forms[1] is None:
        return Band(None, None)
    steps = {axis: forms[0][0].get(axis, 0) - forms[1][0].get(axis, 0) for axis in (row, column)}
    others = {*forms[0][0], *forms[1][0]} - {row, column}
    room = forms[1][1] - forms[0][1] - Affine(int(condition.fn in ("lt", "gt")))
    ends = (steps[row], steps[column])
    if others or ends not in ((-1, 1), (1, -1)):
        return Band(None, None)
    if condition.fn == "eq":
        own = room if ends == (-1, 1) else Affine(0) - room
        return Band(own, own)
    return Band(None, room) if ends == (-1, 1) else Band(Affine(0) - room, None)


def _linear(value: Value) -> tuple[dict[str, int], Affine] | None:
    """Return a value as a sum of places on axes, each so many times, and a size."""
    match value:
        case Lit(int() as number) if not isinstance(number, bool):
            return {}, Affine(number)
        case Scalar(expr):
            form = _size(expr)
            return None if form is None else ({}, form)
        case Range(start, _, 1, (axis,)):
            form = _size(start)
            return None if form is None else ({axis: 1}, form)
        case Apply("neg", (arg,)):
            inner = _linear(arg)
            return None if inner is None else _difference(({}, Affine(0)), inner)
        case Apply("add", (first, *rest)):
            found = _linear(first)
            for arg in rest:
                negated = _linear(Apply("neg", (arg,), arg.axes))
                if found is None or negated is None:
                    return None
                found = _difference(found, negated)
            return found
        case _:
            return None


def _size(expr: Expr) -> Affine | None:
    form = affine(expr)
    known = form is not None and all(isinstance(atom, Extent) for atom, _ in form.terms)
    return form if known else None


def _difference(
    a: tuple[dict[str, int], Affine], b: tuple[dict[str, int], Affine]
) -> tuple[dict[str, int], Affine]:
    axes = dict.fromkeys((*a[0], *b[0]))
    return {x: a[0].get(x, 0) - b[0].get(x, 0) for x in axes}, a[1] - b[1]


@record()
class Outside:
    """What a value is outside of a band.

    Attributes:
        number: the number that it is; None: some number that is finite.
        bounds: the arrays whose norms' product bounds it, for each of its terms.
        needs: the products of norms that have to be finite for all this.
    """

    number: bool | int | float | None
    bounds: Norms = frozenset()
    needs: Norms = frozenset()

    @property
    def is_zero(self) -> bool:
        """Whether it is 0."""
        return self.number is not None and self.number == 0

    @property
    def is_finite(self) -> bool:
        """Whether it is a finite number."""
        return self.number is None or math.isfinite(self.number)


@dataclass
class Values:
    """Says what values of a step are outside of a band.

    Attributes:
        band: which.
        row, column: the step's axes.
        arrays: what the arrays that have rows and columns are there; None: anything.
        written: the arrays that the steps write.
        types: of all arrays.
    """

    band: Band
    row: str
    column: str
    arrays: Mapping[str, Outside | None]
    written: Collection[str]
    types: Mapping[str, DType]

    def excludes(self, condition: Value) -> bool:
        """Whether a condition holds at no point outside."""
        return self.band.holds(band_of(condition, self.row, self.column))

    def of(self, value: Value) -> Outside | None:
        """Return what a value is outside; None: anything."""
        match value:
            case Lit(number):
                return None if isinstance(number, complex) else Outside(number)
            case Apply():
                return self._function(value)
            case Cast(arg):
                inner = self.of(arg)
                return inner if inner is not None and inner.is_zero else None
            case View(array) | Strided(array) | Gather(array):
                return self._array(value, array)
            case Contract(args):
                return _product([self.of(a) for a in args])
            case Selected(mask=mask):
                return Outside(0) if self.excludes(mask) else None
            case Exactly(exact=exact):
                return self.of(exact)
            case _:
                return None

    def _array(self, value: Value, array: str) -> Outside | None:
        if array in self.arrays:
            return self.arrays[array] if isinstance(value, View) else None
        dtype = self.types[array]
        if array in self.written or dtype.kind != "f" or dtype.weak:
            return None
        norms = frozenset({(array,)})
        return Outside(None, norms, norms)

    def _function(self, value: Apply) -> Outside | None:
        if self.excludes(value):
            return Outside(False)
        if value.fn == "where":
            condition, *others = value.args
            found = [self.of(a) for a in (others[1:] if self.excludes(condition) else others)]
            return found[0] if all(each == found[0] for each in found) else None
        found = [self.of(a) for a in value.args]
        match value.fn:
            case "mul":
                return _product(found)
            case "add":
                return _sum(found)
            case "neg":
                return found[0] if found[0] is not None and found[0].number in (0, None) else None
            case "pow" if _is_power(value.args[1]) and found[0] is not None and found[0].is_zero:
                return found[0]
            case _:
                return None

    # Reductions

    def needs(self, value: Value) -> Norms | None:
        """Return what has to be finite so that a value is the same if the outside is left out.

        None: it is not the same.
        """
        found = self._own_needs(value)
        for child in children(value):
            inner = None if found is None else self.needs(child)
            found = None if found is None or inner is None else found | inner
        return found

    def _own_needs(self, value: Value) -> Norms | None:
        own = {self.row, self.column}
        match value:
            case Fold(op, arg, over, mask=mask):
                left_out = Outside(identity(op)) if _excluded(self, mask) else self.of(arg)
                return self._reduced(set(arg.axes), set(over), left_out, identity(op))
            case Along(op, arg, over):
                if self.column not in over:
                    return EMPTY
                left_out = self.of(arg) if has_passes(op) else None
                return self._reduced(set(arg.axes), set(over), left_out, -math.inf)
            case Contract(args, axes) | Selected(args=args, axes=axes):
                every = {x for a in args for x in a.axes}
                return self._reduced(every, every - set(axes), self.of(value), 0)
            case Renamed(_, old, new):
                return None if own & {old, new} else EMPTY
            case Flip(_, axis) | Take(_, axis):
                return None if axis in own else EMPTY
            case Gather() | Checked():
                return None if self._is_refused(value) else EMPTY
            case _:
                return EMPTY

    def _is_refused(self, value: Gather | Checked) -> bool:
        """Whether a subscript or an argument outside may be one that the run has to refuse."""
        if isinstance(value, Checked):
            return self.column in value.arg.axes
        if value.mask is not None and self.excludes(value.mask):
            return False
        places = (p for p in value.indices if isinstance(p, Position) and not p.safe)
        return any(self.column in p.at.axes for p in places)

    def _reduced(
        self, every: set[str], over: set[str], left_out: Outside | None, neutral: float | None
    ) -> Norms | None:
        """Return what a reduction needs that leaves out terms outside."""
        if self.column not in every or not over & {self.row, self.column}:
            return EMPTY
        if self.row not in every or left_out is None or neutral is None:
            return None
        return left_out.needs if left_out.number == neutral else None


def _product(factors: Sequence[Outside | None]) -> Outside | None:
    return _combined(factors, any, lambda each: {tuple(sorted(chain(*n))) for n in product(*each)})


def _sum(terms: Sequence[Outside | None]) -> Outside | None:
    return _combined(terms, all, lambda each: set(chain(*each)))


def _combined(
    parts: Sequence[Outside | None],
    makes_zero: Callable[[Iterable[bool]], bool],
    bounds: Callable[[list[Norms]], set[tuple[str, ...]]],
) -> Outside | None:
    """Return what a product or a sum is: 0 if any part is, or all are, else a finite number."""
    known = [p for p in parts if p is not None]
    if len(known) < len(parts) or not all(p.is_finite for p in known):
        return None
    needs = EMPTY.union(*(p.needs for p in known))
    if makes_zero(p.is_zero for p in known):
        return Outside(0, EMPTY, needs)
    if any(p.number is not None and abs(p.number) > 1 for p in known):
        return None
    found = frozenset(bounds([p.bounds or ONE for p in known]))
    return Outside(None, found, needs | (found - ONE)) if len(found) <= MOST else None


def _is_power(exponent: Value) -> bool:
    """Whether a power is 0 at 0."""
    number = exponent.value if isinstance(exponent, Lit) else 0
    return not isinstance(number, complex) and number > 0


def _excluded(values: Values, mask: Value | None) -> bool:
    return mask is not None and values.excludes(mask)


def identity(op: str) -> float | None:
    """Return the term that changes no value of a reduction; None: there is none."""
    row = reductions.lookup(op)
    known = row is not None and (row.form == "fold" or has_passes(op))
    return row.identity if row is not None and known else None


def has_passes(op: str) -> bool:
    """Whether a reduction goes over its terms several times, as a softmax does."""
    row = reductions.lookup(op)
    return row is not None and "exp(" in row.definition

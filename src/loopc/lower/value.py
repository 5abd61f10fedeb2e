"""Expressions over a box as array values with named axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loopc.diagnostics.record import record, replace
from loopc.ir.affine import affine, is_nonnegative
from loopc.ir.bounds import bounds
from loopc.ir.derive import expand_primes
from loopc.ir.dtypes import FLOAT, INTEGER, DType, as_float, is_reciprocal, of_call
from loopc.ir.functions import TO_INTEGER, lookup, order
from loopc.ir.nodes import Call, Const, Expr, Extent, Index, IndexRef, Read, Reduce
from loopc.ir.sites import LAZY, evaluated_where, used_ranges
from loopc.ir.visit import conjunction, free_indices
from loopc.lower import access, growth, reduction
from loopc.lower.context import Context, place_of
from loopc.lower.domain import Box, count
from loopc.lower.factors import as_float_sum, without_casts
from loopc.lower.plan import Apply, Cast, Checked, Lit, Range, Scalar, Value
from loopc.lower.plan_visit import walk

WORK = 2
"""The operations from which on a value that is scattered is made before."""

MANY = 500
"""The expressions from which a condition is evaluated once, before its statement."""


@record()
class Lowering:
    """Lowers expressions at the points of a box.

    Attributes:
        context: the program.
        box: the parallel indices.
        serial: the indices that are Python variables, with their ranges.
        masks: conditions under which the value is needed; it may be anything elsewhere.
        absorbed: whether the value may be off by rounding; see `growth`.
    """

    context: Context
    box: Box
    serial: Mapping[str, Index]
    masks: tuple[Expr, ...] = ()
    absorbed: bool = False

    @property
    def order(self) -> tuple[str, ...]:
        """The axes in the order of the loops."""
        return tuple(self.box.indices)

    @property
    def ranges(self) -> dict[str, Index]:
        """All indices in scope, outermost first."""
        return {**self.serial, **{i.name: i for i in self.box.gone}, **self.box.indices}

    def under(self, *conditions: Expr) -> Lowering:
        """Return the lowering for what is needed only where `conditions` hold."""
        return replace(self, masks=(*self.masks, *conditions))

    def union(self, *values: Value) -> tuple[str, ...]:
        """Return the axes that values have together, in order."""
        found = {axis for v in values for axis in v.axes}
        return tuple(axis for axis in self.order if axis in found)

    def type_of(self, expr: Expr) -> DType | None:
        """Return the type of an expression."""
        return self.context.type_of(expr)

    def is_parallel(self, expr: Expr) -> bool:
        """Whether an expression depends on an index of the box."""
        return any(name in self.box.indices for name in free_indices(expr))

    def value(self, expr: Expr) -> Value:
        """Lower an expression."""
        self.context.count()
        match expr:
            case Const(value):
                return Lit(value)
            case Extent():
                return Scalar(expr)
            case IndexRef(name):
                return self._index(name)
            case Read(cell):
                return access.read(self, cell)
            case Call():
                return self._call(expr)
            case Reduce():
                return reduction.reduce(self, expr)

    def condition(
        self, conditions: tuple[Expr, ...], needed: tuple[Expr, ...] = ()
    ) -> Value | None:
        """Lower a conjunction, each condition where those before it hold; None: always.

        Where what is `needed` does not hold, it may be anything. One of many expressions, gathers
        under conditions of their own, is evaluated before the statement and once.
        """
        conditions = tuple(dict.fromkeys(conditions))
        context, before = self.context, self.context.lowered
        key = (conditions, needed, *self.ranges.values())
        if key in context.held:
            return context.held[key]
        value = replace(self, masks=needed).held(conditions)
        moves = context.rows is not None or context.spots is not None
        if value is None or not value.axes or moves or context.lowered - before < MANY:
            return value
        shape = tuple(count(self.box.indices[a], self.serial) for a in value.axes)
        context.held[key] = context.hold(value, value.axes, shape)
        return context.held[key]

    def kept(self, value: Value, order: Sequence[str] = ()) -> Value:
        """Return a value of several operations as an array's, which a tile may make.

        Its axes are those of `order`, if these are all.
        """
        inside = (v for v in walk(value) if isinstance(v, Apply) and v.axes)
        work = sum(max(1, len(v.args) - 1) for v in inside)
        if self.context.opt < 2 or self.serial or work < WORK:
            return value
        axes = tuple(order) if set(order) == set(value.axes) else value.axes
        return self.context.hold(value, axes, tuple(count(self.box.indices[a], {}) for a in axes))

    def held(self, conditions: tuple[Expr, ...]) -> Value | None:
        """Lower a conjunction, which is needed only where the masks hold; None: always."""
        if not conditions:
            return None
        return self.value(conjunction(*conditions))

    def masked(self, value: Value, fill: float) -> Value:
        """Return the value where the masks hold, `fill` elsewhere."""
        return self.where(self.condition(self.masks), value, fill)

    def where(self, mask: Value | None, value: Value, fill: float) -> Value:
        """Return the value where a mask holds, `fill` elsewhere."""
        if mask is None:
            return value
        match value:
            case Apply("where", (held, _, Lit(other))) if held == mask and other == fill:
                return value
        return Apply("where", (mask, value, Lit(fill)), self.union(mask, value))

    def _index(self, name: str) -> Value:
        index = self.box.indices.get(name)
        if index is None:
            return Scalar(IndexRef(name))
        assert index.start is not None
        assert index.stop is not None
        return Range(index.start, index.stop, index.step, (name,))

    def _call(self, expr: Call) -> Value:
        if self._is_size(expr):
            return Scalar(expr)
        row = lookup(expr.fn)
        assert row is not None, expr.fn
        sizes = tuple(a for a in expr.args if self._is_size(a))
        if expr.fn in ("max", "min") and len(sizes) > 1:  # Python's, which has no type
            rest = tuple(a for a in expr.args if a not in sizes)
            expr = replace(expr, args=(Call(expr.fn, sizes), *rest))
        absorbed = growth.absorbs(expr.fn, absorbed=self.absorbed)
        inner = self if absorbed == self.absorbed else replace(self, absorbed=absorbed)
        args = inner._lazily(expr) or [inner.value(a) for a in expr.args]
        types = [self.type_of(a) for a in expr.args]
        if expr.fn == TO_INTEGER:
            return self._integer(expr, args[0], types[0])
        if expr.fn == "pow" and all(t is not None and t.kind in "bi" for t in types):
            return self._power(expr, args, types)
        if order(expr.fn):
            return self._derivative(expr, self.applied(expr.fn, args, types))
        return self.applied(expr.fn, args, types)

    def _derivative(self, expr: Call, value: Value) -> Value:
        """Give a derivative the type of its function: that of `relu` is a comparison, or 0."""
        full = expand_primes(expr)
        found, dtype = self.type_of(full), self.type_of(expr)
        if dtype is None:
            return value
        if isinstance(full, Const):
            return Cast(Lit(full.value), dtype, ())
        if found is None or found.kind == dtype.kind:
            return value
        weak = INTEGER if dtype.kind == "i" else FLOAT
        return Cast(value, weak if dtype.weak else dtype, value.axes)

    def _integer(self, expr: Call, value: Value, dtype: DType | None) -> Value:
        if dtype is not None and dtype.kind == "i":
            return value
        if dtype is not None and dtype.kind == "b":
            return Cast(value, INTEGER, value.axes)
        return self._checked("_integer", expr, value)

    def _power(self, expr: Call, args: list[Value], types: Sequence[DType | None]) -> Value:
        """Lower a power of integers: a float where a minus is written, else not of a negative."""
        base, exponent = args
        if is_reciprocal(expr):
            base = Cast(base, FLOAT, base.axes)
            return self.applied(expr.fn, [base, exponent], [as_float(INTEGER), types[1]])
        if not self._is_nonnegative(expr.args[1], types[1]):
            exponent = self._checked("_exponent", expr, exponent)
        return self.applied(expr.fn, [base, exponent], types)

    def _is_nonnegative(self, expr: Expr, dtype: DType | None) -> bool:
        if dtype is not None and dtype.kind == "b":
            return True
        low = bounds(expr, used_ranges(expr, self.ranges)).low
        return low is not None and is_nonnegative(low)

    def _checked(self, helper: str, expr: Call, value: Value) -> Value:
        """Let a helper look at an argument where it is needed."""
        value = self.masked(value, 0)
        return Checked(helper, value, place_of(expr), INTEGER, value.axes)

    def applied(self, fn: str, args: Sequence[Value], types: Sequence[DType | None]) -> Value:
        """Return a function of values of given types, none of them promoted where it is weak."""
        row = lookup(fn)
        assert row is not None, fn
        joined = of_call(fn, types)
        counted = row.counts_bools and all(
            t is not None and (t.kind == "b" or t.weak) for t in types
        )
        args = without_casts(args, types) if fn == "mul" else args
        if fn == "add" and joined is not None:
            args = _counted(args, types, joined)
        if joined is not None:
            if fn != "where":
                args = _before_floats(args, types, joined, infix=row.infix is not None)
            is_float = joined.kind == "f" and (
                fn == "pow" or (row.result == "float" and fn != "div")
            )
            args = _widened(args, types) if is_float and joined.weak else args
        typed = [
            self._typed(v, t, joined, as_int=counted and row.result != "bool")
            for v, t in zip(args, types, strict=True)
        ]
        return Apply(fn, tuple(typed), self.union(*typed))

    def _lazily(self, expr: Call) -> list[Value] | None:
        """Lower the branches of a choice under its condition."""
        if expr.fn not in LAZY:
            return None
        places = zip(expr.args, evaluated_where(expr), strict=True)
        return [self.under(*holds).value(arg) for arg, holds in places]

    def _is_size(self, expr: Expr) -> bool:
        """Whether an expression is integer arithmetic of dims and serial indices alone."""
        if self.is_parallel(expr) or not _is_arithmetic(expr):
            return False
        return affine(expr) is not None

    def _typed(
        self, value: Value, own: DType | None, joined: DType | None, *, as_int: bool
    ) -> Value:
        """Keep NumPy from promoting what is weak, and from treating sums of bools as `or`."""
        if own is None or joined is None:
            return value
        if own.kind == "b" and as_int and not isinstance(value, Lit | Cast):
            return Cast(value, INTEGER, value.axes)
        if isinstance(value, Lit | Scalar) or (isinstance(value, Cast) and value.dtype == joined):
            return value
        meets_float = not joined.weak and joined.kind in "fc"
        if meets_float and (own.kind == "i" or (own.weak and value.axes)):
            return as_float_sum(value, joined) or Cast(value, joined, value.axes)
        if own.weak and not value.axes:
            return Cast(value, own, ())
        return value


def _widened(args: Sequence[Value], types: Sequence[DType | None]) -> Sequence[Value]:
    """Return arguments of a float function, integers as floats: NumPy's would be as narrow."""
    narrow = [
        t is not None and t.kind in "bi" and t != INTEGER and not isinstance(a, Lit | Scalar)
        for a, t in zip(args, types, strict=True)
    ]
    return [Cast(a, FLOAT, a.axes) if n else a for a, n in zip(args, narrow, strict=True)]


def _before_floats(
    args: Sequence[Value], types: Sequence[DType | None], joined: DType, *, infix: bool
) -> Sequence[Value]:
    """Return the arguments, what would be float64 in front of narrower floats as one of those.

    A bool makes an array of a literal or a size that it meets, `max(2, 1.5)` a number of NumPy's.
    """
    strong = [t is not None and t.kind in "fc" and not t.weak for t in types]
    first = strong.index(True) if True in strong else 0
    weak = [t is not None and t.weak for t in types[:first]]
    bools = [t is not None and t.kind == "b" for t in types[:first]]
    if not any(weak):
        return args
    if all(weak) and not infix and first > 1:
        bools[0] = True
    cast = [Cast(a, joined, a.axes) if b else a for a, b in zip(args[:first], bools, strict=True)]
    return [*cast, *args[first:]]


def _counted(
    args: Sequence[Value], types: Sequence[DType | None], joined: DType
) -> Sequence[Value]:
    """Return terms of which no two are bools: NumPy's sum of those is `or`."""
    bools = [
        t is not None and t.kind == "b" and not isinstance(a, Lit)
        for a, t in zip(args, types, strict=True)
    ]
    if sum(bools) < 2:
        return args
    dtype = joined if joined.kind in "fc" and not joined.weak else INTEGER
    return [Cast(a, dtype, a.axes) if b else a for a, b in zip(args, bools, strict=True)]


def _is_arithmetic(expr: Expr) -> bool:
    match expr:
        case Const(value):
            return isinstance(value, int) and not isinstance(value, bool)
        case Extent() | IndexRef():
            return True
        case Call("add" | "mul" | "neg" | "floordiv" | "mod" | "max" | "min", args):
            return all(_is_arithmetic(a) for a in args)
        case _:
            return False

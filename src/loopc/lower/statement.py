"""One update over its parallel indices as array operations."""

from __future__ import annotations

from collections.abc import Mapping

from loopc.diagnostics.record import record, replace
from loopc.ir import reductions
from loopc.ir.bounds import ascending, extent
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Access, Call, Const, Expr, Index, Update
from loopc.ir.visit import free_indices, substitute
from loopc.lower import access as accesses
from loopc.lower import reshapes, windows
from loopc.lower.context import Context
from loopc.lower.domain import Box, NeedSerial, box, count, may_be_empty
from loopc.lower.flatten import AXIS, flattened, ragged
from loopc.lower.folds import folded
from loopc.lower.fresh import is_fresh
from loopc.lower.last_values import last_values
from loopc.lower.offsets import FewOffsets, one_by_one
from loopc.lower.plan import (
    Alloc,
    Apply,
    Assign,
    Cast,
    Expand,
    Lit,
    Overlap,
    Part,
    Row,
    RowStore,
    Scalar,
    Scatter,
    Step,
    Store,
    Strided,
    Value,
    View,
    When,
)
from loopc.lower.sums import coordinates, total
from loopc.lower.value import Lowering


@record()
class Job:
    """An update to be lowered.

    Attributes:
        update: the update.
        parallel: its parallel indices, outermost first.
        serial: the indices that are Python variables, narrowed by what stands inside them.
        written: the same as the program has them.
        guards: the guards round it.
        fresh: whether its target has no cells yet, and may be made whole by this update.
        first: whether each iteration changes a cell of its own, which is 0.
        pristine: whether its target is an input that has not been written: a change of all of it
            makes a new array.
        occupied: indices without which there is nothing to do, and accesses may be outside.
    """

    update: Update
    parallel: tuple[Index, ...]
    serial: Mapping[str, Index]
    written: Mapping[str, Index]
    guards: tuple[Expr, ...]
    fresh: bool
    first: bool = False
    pristine: bool = False
    occupied: tuple[Index, ...] = ()


def lower_update(context: Context, job: Job) -> tuple[Step, ...]:
    """Return the steps of an update.

    Raises:
        NeedSerial: one of the parallel indices must run in order.
    """
    target = accesses.without_multiples_of_zero(job.update.target)
    if target is not job.update.target:
        job = replace(job, update=replace(job.update, target=target))
    context.zero_outside.pop(target.array, None)
    context.forget()
    try:
        return _lower_box(context, job)
    except NeedSerial as need:
        context.forget()
        return _lower_flat(context, job, need)


def _lower_flat(context: Context, job: Job, need: NeedSerial) -> tuple[Step, ...]:
    """Return the steps of an update whose domain is no box, or whose order counts."""
    names = {i.name for i in job.parallel}
    before = tuple(g for g in job.guards if names.isdisjoint(free_indices(g)))
    guards = [g for g in job.guards if g not in before]
    conditions = (*_nonempty(job), *before)
    chosen = job.parallel if job.update.op == "=" else ragged(job.parallel)
    if not chosen:
        raise need
    rest = tuple(i for i in job.parallel if i not in chosen)
    apart = {i.name for i in rest}
    own = [g for g in guards if apart.isdisjoint(free_indices(g))]
    flat = flattened(context, chosen, job.serial, own)
    others = tuple(substitute(g, flat.cells) for g in guards if g not in own)
    update = substitute(job.update, flat.cells)
    new = replace(
        job,
        update=update,
        parallel=(AXIS, *rest),
        guards=(*flat.guards, *others),
        fresh=job.fresh and not conditions,
        first=False,
        pristine=False,
    )
    return _when(context, job, conditions, (*flat.steps, *_lower_box(context, new)))


def _lower_box(context: Context, job: Job) -> tuple[Step, ...]:
    """Return the steps of an update whose domain is a box, but for masks."""
    backwards = {i.name for i in job.parallel if i.step < 0}
    domain = box(tuple(ascending(i) for i in job.parallel), job.guards)
    update = job.update
    some = (Call("gt", (count(i, job.serial), Const(0))) for i in job.occupied)
    conditions: list[Expr] = [*_nonempty(job), *domain.scalars, *some]
    update, inside = _where_it_writes(Lowering(context, domain, job.serial), update, conditions)
    if update.op == "=":
        update, domain = last_values(update, domain, backwards, conditions)
    lowering = Lowering(context, domain, job.serial, domain.masks)
    pristine = job.pristine and not conditions
    fresh = job.fresh and not conditions
    target = _Target(
        lowering, update, fresh, bool(backwards), first=fresh or job.first, pristine=pristine
    )
    try:
        with context.assuming((update.target, n) for n in inside):
            steps = target.steps()
    except FewOffsets as few:
        context.forget()
        return tuple(s for each in one_by_one(job, few.names) for s in _lower_box(context, each))
    occupied = context.take_occupied()
    if not set(occupied) <= set(job.occupied):
        context.take_measured()
        return _lower_box(context, replace(job, occupied=(*job.occupied, *occupied)))
    return _when(context, job, tuple(conditions), steps)


def _where_it_writes(
    lowering: Lowering, update: Update, conditions: list[Expr]
) -> tuple[Update, set[int]]:
    """Make padded numbers of a target conditions of the update; return where they stand."""
    target = accesses.without_modes(lowering, update.target)
    axes = range(len(target.subscripts) if lowering.context.opt else 0)
    found = {n for n in axes if accesses.is_padded_alone(lowering, target, n)}
    for axis in sorted(found):
        at, size = target.subscripts[axis].at, lowering.context.extent(target.array, axis)
        conditions += [Call("ge", (at, Const(0))), Call("lt", (at, size))]
    if found:
        subscripts = tuple(
            replace(s, mode="strict") if n in found else s for n, s in enumerate(target.subscripts)
        )
        target = replace(target, subscripts=subscripts)
    same = target is update.target
    return update if same else replace(update, target=target), found


def _when(
    context: Context, job: Job, conditions: tuple[Expr, ...], steps: tuple[Step, ...]
) -> tuple[Step, ...]:
    inside = (*context.take_measured(), *steps)
    test = Lowering(context, Box({}), job.written).condition(conditions)
    return inside if test is None else (*context.take_measured(), When(test, inside))


def _nonempty(job: Job) -> list[Expr]:
    """Return the conditions under which ranges that follow serial indices have a value."""
    return [
        Call("gt", (extent(i), Const(0)))
        for i in job.parallel
        if any(n in job.written for n in free_indices(i))
        and not any(n == p.name for n in free_indices(i) for p in job.parallel)
        and may_be_empty(i, job.written)
    ]


class _Target:
    """Chooses how a value gets into its array."""

    def __init__(
        self,
        lowering: Lowering,
        update: Update,
        fresh: bool,
        backwards: bool,
        *,
        first: bool,
        pristine: bool,
    ) -> None:
        self.lowering = lowering
        self.context = lowering.context
        self.update = update
        self.array = update.target.array
        self.dtype: DType = self.context.types[self.array]
        self.fresh = fresh
        self.first = first
        self.pristine = pristine
        self.backwards = backwards

    def steps(self) -> tuple[Step, ...]:
        target = self.update.target
        kept = free_indices(target)
        over = [n for n in self.lowering.order if n not in kept]
        few = coordinates(self.lowering, self.update, over)
        if few:
            raise FewOffsets(few)
        view = self._view(target)
        if view is None:
            return self._scatter(over)
        value = self._value(over)
        if isinstance(view, View) and self._covers(view):
            return self._whole(view, value)
        return self._store(view, value)

    def _view(self, target: Access) -> View | Row | None:
        plain = replace(self.lowering, masks=()) if self.lowering.masks else self.lowering
        if not accesses.is_affine(plain, target):
            return None
        if not windows.stays_inside(self.lowering, target):
            return None
        return accesses.slices(plain, target) or accesses.row(plain, target, written=True)

    def _value(self, over: list[str]) -> Value:
        """Return the value, reduced over the indices that the target lacks."""
        forgiven = self.array in self.context.forgiving
        lowering = replace(self.lowering, absorbed=forgiven)
        if self.update.op == "=" or not over:
            return lowering.value(self.update.value)
        if self.update.op == "+=":
            return total(lowering, self.update.value, over)
        row = reductions.by_op(self.update.op)
        assert row is not None
        return folded(self.lowering, row.name, self.update.value, over, into=self.dtype)

    def _is_masked(self) -> bool:
        """Whether the masks are still to be applied to the value."""
        reduced = self.update.op != "=" and any(
            n not in free_indices(self.update.target) for n in self.lowering.order
        )
        return bool(self.lowering.masks) and not reduced

    def _covers(self, view: View) -> bool:
        return all(p.axis and p.whole for p in view.parts)

    def _whole(self, view: View, value: Value) -> tuple[Step, ...]:
        """The value is the whole array, or changes the whole of it."""
        masked = self._is_masked()
        if masked and self.fresh and self.update.op in ("=", "+="):
            value = self.lowering.masked(value, 0)
            masked = False
            self.context.note_zero_outside(self.update.target, self.lowering.masks)
        if not masked and (self.fresh or self.update.op == "="):
            return self._assign(view, value)
        if not view.parts:
            return self._scalar(view, value, masked=masked)
        if self.pristine and self.update.op == "+=" and not masked:
            axes = self.lowering.union(view, value)
            if set(axes) == set(view.axes):
                return self._assign(view, Apply("add", (view, value), axes))
        return self._store(view, value)

    def _assign(self, view: View, value: Value) -> tuple[Step, ...]:
        shape = self.context.arrays[self.array].shape
        assert shape is not None
        if isinstance(value, Lit | Scalar) and view.axes:
            return self._filled(view, value, shape)
        if set(value.axes) != set(view.axes):
            counts = tuple(
                count(self.lowering.box.indices[a], self.lowering.serial) for a in view.axes
            )
            value = Expand(value, counts, view.axes)
        cast = not self._has_type()
        return (Assign(self.array, value, view.axes, self.dtype, cast, is_fresh(value), shape),)

    def _filled(self, view: View, value: Lit | Scalar, shape: tuple[Expr, ...]) -> tuple[Step, ...]:
        if isinstance(value, Lit):
            return (Alloc(self.array, shape, self.dtype, value.value),)
        made = Alloc(self.array, shape, self.dtype, 0)
        return (made, Store(view, "=", value))

    def _has_type(self) -> bool:
        """Whether the value comes out in the array's type by itself."""
        if self.dtype.weak:
            return True
        own = self.lowering.type_of(self.update.value)
        if own is None or own.weak or own.kind != self.dtype.kind:
            return False
        return own.kind == "f" and set(own.sources) == set(self.dtype.sources)

    def _scalar(self, view: View, value: Value, *, masked: bool) -> tuple[Step, ...]:
        """`L += value` of an array without dimensions, which is a plain variable."""
        assert not masked
        row = reductions.by_op(self.update.op)
        assert row is not None
        new = Apply(row.fn, (view, value), ())
        return (Assign(self.array, new, (), self.dtype, not self._has_type(), True),)

    def _store(self, view: View | Row, value: Value) -> tuple[Step, ...]:
        if self._is_masked():
            mask = self.lowering.condition(self.lowering.masks)
            assert mask is not None
            if self.update.op == "+=":
                value = self.lowering.masked(value, 0)
            else:
                old: Value = view
                row = reductions.by_op(self.update.op)
                if row is not None:
                    value = Apply(row.fn, (view, value), self.lowering.union(view, value))
                axes = self.lowering.union(mask, value, old)
                return (_stored(view, "=", Apply("where", (mask, value, old), axes)),)
        if isinstance(view, View) and not view.parts:
            return (
                self._scalar(view, value, masked=False)
                if self.update.op != "="
                else (Assign(self.array, value, (), self.dtype, True, True),)
            )
        first = self.first and self.update.op == "+="  # to cells that are 0
        if self.lowering.masks and self.context.once.get(self.array, 1) > 1:
            first = False  # another statement may have written those where the masks do not hold
        return (_stored(view, "=" if first else self.update.op, value),)

    def _scatter(self, over: list[str]) -> tuple[Step, ...]:
        """Write through index arrays; where an axis is no part of them, sum over it first."""
        if self.update.op == "=" and self.backwards:
            raise NeedSerial(next(iter(self.lowering.order), ""))
        target = self.update.target
        window = self._window(target)
        if window is not None:
            return (self._overlap(window, over),)
        inside = accesses.inside_condition(self.lowering, target)
        lowering = self.lowering.under(*inside)
        mask = lowering.condition(lowering.masks)
        if over and not lowering.masks:
            value = self._value(over)
        else:
            value = self.lowering.value(self.update.value)
        order = self.lowering.order
        indices = accesses.indices(lowering, target, () if mask is None else order)
        own = {a for p in indices if isinstance(p, Part) for a in [p.axis]}
        others = [a for a in value.axes if a not in own]
        if mask is not None:
            others += [*mask.axes, *over]
        together, axes = accesses.layout(indices, order, others)
        counts = tuple(count(self.lowering.box.indices[a], self.lowering.serial) for a in axes)
        if value.axes and self.update.op != "=" and not self._has_type():
            value = Cast(value, self.dtype, value.axes)
        if mask is None:
            value = self.lowering.kept(value)
        return (Scatter(self.array, indices, together, self.update.op, value, axes, mask, counts),)

    def _window(self, target: Access) -> Strided | None:
        """Return a target as a view whose cells may meet, if it adds to them."""
        if self.update.op == "+=" and self.dtype.kind != "b":
            window = windows.target(self.lowering, target)
            return window or reshapes.target(self.lowering, target, padded=True)
        if self.update.op != "=":
            return None
        offsets = windows.apart(self.lowering, target)
        if offsets:
            raise FewOffsets(offsets)
        return None if self.lowering.masks else reshapes.target(self.lowering, target)

    def _overlap(self, window: Strided, over: list[str]) -> Step:
        """Add to the cells of overlapping windows; of small ones offset by offset."""
        within = windows.within(window)
        one_by_one = not window.pads and not over and windows.few(self.lowering, within)
        if within and one_by_one:
            raise FewOffsets(within)
        value = self._value(over)
        if self._is_masked():
            value = self.lowering.masked(value, 0)
        if value.axes and not self._has_type():
            value = Cast(value, self.dtype, value.axes)
        order = reshapes.order(window) or windows.order(window)
        value = self.lowering.kept(value, order) if within else value
        return Overlap(self.array, window, self.update.op, value, order)


def _stored(view: View | Row, op: str, value: Value) -> Step:
    return RowStore(view, op, value) if isinstance(view, Row) else Store(view, op, value)

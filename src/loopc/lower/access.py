"""Accesses: an index that stands alone is an axis, an affine access a view, the rest gathers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from loopc.analysis.edges import EDGES
from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, equal, simplify, to_expr
from loopc.ir.bounds import at_point
from loopc.ir.bounds import extent as extent_of
from loopc.ir.dtypes import INTEGER
from loopc.ir.nodes import (
    ZERO,
    Access,
    Call,
    Const,
    Expr,
    Extent,
    Index,
    IndexRef,
    Node,
    Reduce,
    Subscript,
)
from loopc.ir.sites import used_ranges
from loopc.ir.visit import free_indices, reads, walk
from loopc.lower import reshapes, windows
from loopc.lower.domain import count, may_be_empty
from loopc.lower.plan import (
    Apply,
    Cast,
    Gather,
    Lit,
    Part,
    Position,
    Row,
    Strided,
    Value,
    View,
    Window,
)

if TYPE_CHECKING:
    from loopc.lower.value import Lowering


def read(lowering: Lowering, access: Access) -> Value:
    """Lower the value of a cell at each point of the box."""
    spots = lowering.context.spots
    spot = None if spots is None else spots(access)
    if spot is not None:
        return spot
    access = without_multiples_of_zero(without_modes(lowering, access))
    if is_affine(lowering, access) and stays_inside(lowering, access):
        parts = slices(lowering, access)
        if parts is not None:
            return parts
        return row(lowering, access) or reshapes.laid_out(strided(lowering, access))
    window = windows.read(lowering, access) or reshapes.read(lowering, access)
    return _gather(lowering, access) if window is None else window


def without_multiples_of_zero(access: Access) -> Access:
    """Return the access with `0` in the place of `0*i` or `i % 1`, which stay where they are."""
    simple = [simplify(s.at) for s in access.subscripts]
    fewer = [
        set(free_indices(new)) < set(free_indices(s.at)) or _searches(s.at) > _searches(new)
        for s, new in zip(access.subscripts, simple, strict=True)
    ]
    if not any(fewer):
        return access
    places = zip(access.subscripts, simple, fewer, strict=True)
    return replace(access, subscripts=tuple(replace(s, at=a) if f else s for s, a, f in places))


def without_modes(lowering: Lowering, access: Access) -> Access:
    """Return the access without the boundary modes of subscripts that stay inside anyway."""
    if all(s.mode == "strict" for s in access.subscripts):
        return access
    new = (
        replace(s, mode="strict")
        if s.mode != "strict" and lowering.context.is_inside(access, axis, lowering.ranges)
        else s
        for axis, s in enumerate(access.subscripts)
    )
    return replace(access, subscripts=tuple(new))


def is_affine(lowering: Lowering, access: Access) -> bool:
    """Whether every subscript is strict and moves in constant steps."""
    return all(is_regular(lowering, s) for s in access.subscripts)


def is_regular(lowering: Lowering, subscript: Subscript) -> bool:
    """Whether a subscript is strict and moves in constant steps from a known place."""
    if subscript.mode != "strict":
        return False
    form = affine(subscript.at)
    if form is None:
        return False
    names = lowering.box.indices
    return all(
        isinstance(atom, IndexRef)
        or not (any(n in names for n in free_indices(atom)) or _is_found(atom))
        for atom, _ in form.terms
    )


def _is_found(atom: Expr) -> bool:
    """Whether a size reads arrays or is searched for, as the last index of a guarded loop is."""
    return _is_data(atom) or _searches(atom)


def _searches(expr: Expr) -> bool:
    """Whether a reduction is evaluated, as for the last index of a guarded loop."""
    return any(isinstance(node, Reduce) for node in walk(expr))


def stays_inside(lowering: Lowering, access: Access) -> bool:
    """Whether a regular access is inside at every point of the box, or the run checks that."""
    return all(stays_inside_at(lowering, access, axis) for axis in range(len(access.subscripts)))


def stays_inside_at(lowering: Lowering, access: Access, axis: int) -> bool:
    """Whether a regular subscript is inside at every point of the box, or the run checks that."""
    if lowering.context.is_inside(access, axis, lowering.ranges):
        return True
    if lowering.masks or lowering.box.scalars:
        return False
    others = _maybe_empty(lowering, access, axis)
    if any(i.name in lowering.box.reduced for i in others):
        return False
    if not _is_window(lowering, access):  # the helper of a window sees to it
        lowering.context.occupied.update(dict.fromkeys(others))
    return lowering.context.require_inside(access, axis, lowering.ranges)


def _is_window(lowering: Lowering, access: Access) -> bool:
    """Whether an access is read and written as a window: two indices in one subscript."""
    names = lowering.box.indices
    crowded = (sum(n in names for n in free_indices(s)) > 1 for s in access.subscripts)
    regular = all(is_regular(lowering, s) for s in access.subscripts)
    return regular and lowering.context.rows is None and any(crowded)


def _others(lowering: Lowering, access: Access, axis: int) -> list[Index]:
    """Return the indices of the box that a subscript has nothing to do with."""
    used = used_ranges(access.subscripts[axis].at, lowering.ranges)
    return [i for n, i in lowering.box.indices.items() if n not in used]


def _maybe_empty(lowering: Lowering, access: Access, axis: int) -> list[Index]:
    """Return the indices without which nothing is accessed, whatever a subscript is."""
    others = [i for i in _others(lowering, access, axis) if may_be_empty(i, lowering.ranges)]
    filled = lowering.context.filled
    return [i for i in others if i.name in lowering.box.reduced or extent_of(i) not in filled]


def _where_run(lowering: Lowering, access: Access) -> tuple[Expr, ...]:
    """Return when a reduction has terms at all, where a subscript may be outside if it has none.

    A range of the reduction is evaluated whether it has terms or not.
    """
    if any(access == a for i in lowering.box.indices.values() for a in reads(i)):
        return ()
    found: dict[Expr, None] = {}
    for axis, subscript in enumerate(access.subscripts):
        inside = lowering.context.is_inside(access, axis, lowering.ranges)
        if is_regular(lowering, subscript) and not inside:
            for index in _others(lowering, access, axis):
                if index.name in lowering.box.reduced and may_be_empty(index, lowering.ranges):
                    found[Call("gt", (count(index), Const(0)))] = None
    return tuple(found)


def slices(lowering: Lowering, access: Access) -> View | None:
    """Return the access as basic slices: at most one index in a subscript, and in one alone."""
    parts: list[Part] = []
    axes: list[str] = []
    for axis, subscript in enumerate(access.subscripts):
        form = affine(subscript.at)
        assert form is not None
        inside = [n for n in free_indices(subscript.at) if n in lowering.box.indices]
        if not inside:
            parts.append(Part(subscript.at))
            continue
        if len(inside) > 1 or inside[0] in axes:
            return None
        index = lowering.box.indices[inside[0]]
        axes.append(index.name)
        extent = lowering.context.extent(access.array, axis)
        parts.append(_part(form, index, extent, lowering.serial))
    return View(access.array, tuple(parts), tuple(axes))


def _part(form: Affine, index: Index, extent: Expr, serial: Mapping[str, Index]) -> Part:
    assert index.start is not None
    assert index.stop is not None
    step = form.coefficient(index.name) * index.step
    start = at_point(to_expr(form), {index.name: index.start})
    whole = step == 1 and form.is_index(index.name)
    whole = whole and equal(start, ZERO) and equal(index.stop, extent)
    return Part(start, index.name, count(index, serial), step, whole)


def strided(lowering: Lowering, access: Access) -> Strided:
    """Return a regular access as a view with strides of its own."""
    forms = [affine(s.at) for s in access.subscripts]
    names = [n for n in lowering.order if any(n in free_indices(s.at) for s in access.subscripts)]
    firsts: dict[str, Expr] = {}
    windows: list[Window] = []
    for name in names:
        index = lowering.box.indices[name]
        assert index.start is not None
        firsts[name] = index.start
        steps = tuple(f.coefficient(name) * index.step for f in forms if f is not None)
        windows.append(Window(name, count(index, lowering.serial), steps))
    starts = tuple(at_point(s.at, firsts) for s in access.subscripts)
    return Strided(access.array, starts, tuple(windows), tuple(names))


def row(lowering: Lowering, access: Access, *, written: bool = False) -> Row | None:
    """Return a regular access as cells at equal steps in memory, where that may be used.

    Along an axis whose first step is upwards, later cells lie behind earlier ones.
    """
    rows = lowering.context.rows
    if rows is None or access.array in lowering.context.counted:
        return None
    found = strided(lowering, access)
    if len(found.windows) != 1:
        return None
    (window,) = found.windows
    steps = [s for s in window.steps if isinstance(s, int)]
    if next(s for s in steps if s) < 0:
        return None
    size: Expr = Const(1)
    start, step = Affine(0), Affine(0)
    for axis in reversed(range(len(steps))):
        place = affine(Call("mul", (found.starts[axis], size)))
        over = affine(Call("mul", (Const(steps[axis]), size)))
        if place is None or over is None:
            return None
        start, step = start + place, step + over
        size = Call("mul", (size, lowering.context.extent(access.array, axis)))
    rows.arrays[access.array] = rows.arrays.get(access.array, False) or written
    least = simplify(Call("max", (to_expr(step), Const(1))))
    stride = rows.let(rows.fixed, "step", least)
    span = rows.let(rows.moving, "span", simplify(Call("mul", (stride, window.count))))
    moving = Affine(0, tuple(t for t in start.terms if _moves(t[0])))
    base = rows.let(rows.moving, "at", to_expr(moving))
    place = affine(base)
    assert place is not None
    return Row(access.array, to_expr(place + start - moving), stride, span, found.axes)


def _moves(atom: Expr) -> bool:
    """Whether a number may change from wave to wave."""
    return any(isinstance(n, IndexRef) or _is_let(n) for n in walk(atom))


def _is_let(node: Node) -> bool:
    return isinstance(node, Extent) and "°" in node.name


def indices(lowering: Lowering, access: Access, axes: Sequence[str]) -> tuple[Position | Part, ...]:
    """Return an access by index arrays; an index that stands alone in one subscript is a slice.

    Args:
        lowering: where the access stands.
        access: the access.
        axes: the axes of a mask over it, along which nothing can be sliced.
    """
    found = _indices(lowering, access, axes)
    taken = {a for p in found if isinstance(p, Position) for a in p.at.axes}
    both = [p.axis for p in found if isinstance(p, Part) and p.axis in taken]
    return _indices(lowering, access, (*axes, *both)) if both else found


def _indices(
    lowering: Lowering, access: Access, axes: Sequence[str]
) -> tuple[Position | Part, ...]:
    used = [n for s in access.subscripts for n in free_indices(s.at)]
    found: list[Position | Part] = []
    for axis, subscript in enumerate(access.subscripts):
        inside = [n for n in free_indices(subscript.at) if n in lowering.box.indices]
        single = len(inside) == 1 and used.count(inside[0]) == 1 and inside[0] not in axes
        if single and is_regular(lowering, subscript) and stays_inside_at(lowering, access, axis):
            index = lowering.box.indices[inside[0]]
            form = affine(subscript.at)
            assert form is not None
            extent = lowering.context.extent(access.array, axis)
            found.append(_part(form, index, extent, lowering.serial))
        else:
            found.append(_position(lowering, access, axis))
    return tuple(found)


def _position(lowering: Lowering, access: Access, axis: int) -> Position:
    subscript, context = access.subscripts[axis], lowering.context
    at = context.as_indices(subscript.at)
    proved = not _is_data(at) and context.is_inside(access, axis, lowering.ranges)
    if subscript.mode == "strict" and not proved and not _is_data(at):
        others = _maybe_empty(lowering, access, axis)
        if not any(i.name in lowering.box.reduced for i in others):
            context.occupied.update(dict.fromkeys(others))
    beside = windows.beside(lowering, subscript) if subscript.mode in EDGES else None
    value, dtype = beside or lowering.value(subscript.at), lowering.type_of(subscript.at)
    if dtype is not None and dtype.kind == "b":  # an array of bools is a mask to NumPy
        value = Cast(value, INTEGER, value.axes)
    if subscript.mode in EDGES and not (lowering.masks or lowering.box.scalars):
        context.require_cells(access, axis, lowering.ranges)
    return Position(
        value,
        subscript.mode,
        subscript.mode != "strict" or proved,
        context.extent(access.array, axis),
        lowering.context.place(access, axis, at),
    )


def layout(
    found: Sequence[Position | Part], order: Sequence[str], others: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the axes of the index arrays, `others` included, and all axes as NumPy orders them."""
    own = {a for p in found if isinstance(p, Position) for a in p.at.axes} | set(others)
    over = tuple(a for a in order if a in own)
    kinds = [isinstance(p, Position) for p in found]
    before = kinds.index(True)
    together = all(kinds[before : before + sum(kinds)])
    slices = [p.axis for p in found if isinstance(p, Part)]
    at = before if together else 0
    return over, (*slices[:at], *over, *slices[at:])


def _is_data(expr: Expr) -> bool:
    return any(True for _ in reads(expr))


def inside_condition(lowering: Lowering, access: Access) -> tuple[Expr, ...]:
    """Return when the padded subscripts of an access are inside."""
    found: list[Expr] = []
    for axis, subscript in enumerate(access.subscripts):
        if subscript.mode == "pad":
            found.append(Call("ge", (subscript.at, Const(0))))
            found.append(Call("lt", (subscript.at, lowering.context.extent(access.array, axis))))
    return tuple(found)


def is_padded_alone(lowering: Lowering, access: Access, axis: int) -> bool:
    """Whether a padded subscript is one number in the box: of serial indices and sizes."""
    subscript = access.subscripts[axis]
    names = lowering.box.indices
    return (
        subscript.mode == "pad"
        and not _is_data(subscript.at)
        and not any(n in names for n in free_indices(subscript.at))
    )


def _one_place(lowering: Lowering, access: Access) -> Gather | None:
    """Return an access whose padded subscripts are numbers as a slice there, or zeros outside."""
    padded = [n for n, s in enumerate(access.subscripts) if s.mode == "pad"]
    if not padded or not all(is_padded_alone(lowering, access, n) for n in padded):
        return None
    found: list[Position | Part] = []
    for axis, part in enumerate(indices(lowering, access, ())):
        number = isinstance(part, Part) or (part.safe and not part.at.axes)
        if not number or access.subscripts[axis].mode not in ("strict", "pad"):
            return None
        found.append(
            replace(part, mode="zero") if isinstance(part, Position) and axis in padded else part
        )
    over, axes = layout(found, lowering.order, ())
    return Gather(access.array, tuple(found), over, axes)


def _gather(lowering: Lowering, access: Access) -> Value:
    if lowering.context.opt and lowering.serial:
        found = _one_place(lowering, access)
        if found is not None:
            return found
    inside = inside_condition(lowering, access)
    lowering = lowering.under(*_where_run(lowering, access))
    mask, found_at = None, indices(lowering, access, ())
    if not all(isinstance(p, Part) or p.safe for p in found_at):
        mask = lowering.condition((*lowering.masks, *inside))
        found_at = indices(lowering, access, () if mask is None else mask.axes)
    over, axes = layout(found_at, lowering.order, () if mask is None else mask.axes)
    gathered = Gather(access.array, found_at, over, axes, mask)
    condition = lowering.held(inside)
    if condition is None:
        return gathered
    zero = Lit(lowering.context.types[access.array].kind != "b" and 0)
    return Apply("where", (condition, gathered, zero), lowering.union(condition, gathered))

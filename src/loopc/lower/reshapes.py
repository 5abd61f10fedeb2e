"""Reshapes: subscripts whose indices count a place together, `x[W*i+j]`, as strided views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loopc.diagnostics.record import replace
from loopc.ir.affine import Affine, affine, at_least, to_expr
from loopc.ir.bounds import at_point
from loopc.ir.nodes import ZERO, Access, Call, Const, Expr, IndexRef, Reduce
from loopc.ir.visit import contains, free_indices, reads
from loopc.lower import access as accesses
from loopc.lower.domain import count
from loopc.lower.plan import Strided, Window
from loopc.lower.windows import Pads, pad_of, shifted

if TYPE_CHECKING:
    from loopc.lower.value import Lowering

Step = int | Expr


def read(lowering: Lowering, access: Access) -> Strided | None:
    """Return an access as a view whose steps may be sizes; None: it is none, or may be outside.

    Beside such axes others may be padded: it is one of a copy with zeros round it then.
    """
    padded = any(s.mode == "pad" for s in access.subscripts)
    if lowering.context.opt == 0 or (padded and lowering.serial):
        return None
    found = [_steps(lowering, s.at) for s in access.subscripts]
    steps = [s for s in found if s is not None]
    pads = _pads(lowering, access, steps) if len(steps) == len(found) else None
    if pads is None:
        return None
    firsts: dict[str, Expr] = {}
    windows: list[Window] = []
    for name in lowering.order:
        if any(name in own for own in steps):
            index = lowering.box.indices[name]
            assert index.start is not None
            firsts[name] = index.start
            moves = tuple(own.get(name, 0) for own in steps)
            windows.append(Window(name, count(index, lowering.serial), moves))
    starts = tuple(at_point(s.at, firsts) for s in access.subscripts)
    view = Strided(access.array, starts, tuple(windows), tuple(firsts))
    return shifted(view, pads) if padded else laid_out(view)


def _pads(lowering: Lowering, access: Access, steps: Sequence[dict[str, Step]]) -> Pads | None:
    """Return how many zeros are to stand round each axis; None: it may be outside, or is else."""
    found: Pads = ()
    for axis, subscript in enumerate(access.subscripts):
        pad: tuple[Expr, Expr] | None = None
        if subscript.mode == "pad" and all(isinstance(s, int) for s in steps[axis].values()):
            pad = pad_of(lowering, access, axis)
        elif subscript.mode == "strict" and accesses.stays_inside_at(lowering, access, axis):
            pad = ZERO, ZERO
        if pad is None:
            return None
        found = (*found, pad)
    return found


def laid_out(window: Strided) -> Strided:
    """Return a view that knows how its axes lie in memory."""
    return replace(window, memory=order(window))


def target(lowering: Lowering, access: Access, *, padded: bool = False) -> Strided | None:
    """Return a target as a view with a cell for each place, or as a `padded` one; None: it is none.

    What is outside of a padded view can be added to a copy with zeros round it, but not be stored.
    """
    window = read(lowering, access)
    if window is None or window.pads:
        return window if padded else None
    return window if order(window) else None


def order(window: Strided) -> tuple[str, ...]:
    """Return the axes of a view as they lie in memory; (): two of its places may be one cell."""
    dims = range(len(window.starts))
    if not all(_is_apart(window, d) for d in dims):
        return ()
    places = {w.axis: [d for d in dims if w.steps[d]] for w in window.windows}
    if any(len(own) != 1 for own in places.values()):
        return ()
    by = {w.axis: _rank(_distance(w.steps[places[w.axis][0]])) for w in window.windows}
    inner = sorted(places, key=by.__getitem__, reverse=True)
    return tuple(sorted(inner, key=lambda axis: places[axis]))


def _steps(lowering: Lowering, at: Expr) -> dict[str, Step] | None:
    """Return by how much a subscript moves with each index; None: in no equal steps."""
    rest = affine(at)
    if rest is None or reads(at) or contains(at, Reduce):
        return None
    steps: dict[str, Step] = {}
    names = [n for n in free_indices(at) if n in lowering.box.indices]
    for name in names:
        slope, rest = rest.collected(IndexRef(name))
        by = to_expr(slope.scaled(lowering.box.indices[name].step))
        if not isinstance(by, Const) and not (at_least(slope, Affine(0)) and slope.terms):
            return None
        if not set(names).isdisjoint(free_indices(by)):
            return None
        steps[name] = int(by.value.real) if isinstance(by, Const) else by
    return steps if set(names).isdisjoint(free_indices(to_expr(rest))) else None


def _is_apart(window: Strided, dim: int) -> bool:
    """Whether each index moves through a dimension by more than those that move by less."""
    moving = [(_distance(w.steps[dim]), w.count) for w in window.windows if w.steps[dim]]
    reach = Affine(0)
    for by, size in sorted(moving, key=lambda m: _rank(m[0])):
        over = affine(Call("mul", (to_expr(by), Call("add", (size, Const(-1))))))
        if over is None or not at_least(by, reach + Affine(1)):
            return False
        reach = reach + over
    return True


def _distance(step: Step) -> Affine:
    form = Affine(abs(step)) if isinstance(step, int) else affine(step)
    assert form is not None
    return form


def _rank(by: Affine) -> tuple[int, int]:
    """Return by what steps are sorted: products of more sizes are the larger ones."""
    factors = [len(a.args) if isinstance(a, Call) and a.fn == "mul" else 1 for a, _ in by.terms]
    return max(factors, default=0), by.constant + sum(c for _, c in by.terms)

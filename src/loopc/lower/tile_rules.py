"""What a step must be to run block by block with others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loopc.diagnostics.record import record
from loopc.ir.functions import is_costly
from loopc.ir.nodes import Expr
from loopc.lower.blocks import can_run_in_blocks, is_window, moves_apart
from loopc.lower.plan import (
    Apply,
    Assign,
    Contract,
    Exactly,
    Fold,
    Gather,
    Overlap,
    Selected,
    Step,
    Store,
    Strided,
    Value,
    View,
)
from loopc.lower.plan_visit import arrays_read, children, walk

Tileable = Assign | Store | Overlap
"""A step that may run in blocks."""


OPERATIONS = 3
"""The operations of a factor of a sum whose temporaries are to stay in the cache."""


def target_axes(step: Tileable) -> tuple[str, ...]:
    """Return the axes of the cells that a step writes."""
    if isinstance(step, Overlap):
        return step.order
    return step.order if isinstance(step, Assign) else step.target.axes


@record()
class Alignment:
    """How an access runs over the shared indices.

    Attributes:
        places: the dimension of each shared index.
        spans: whether it runs over the whole of these dimensions.
        whole: whether it is all of the array.
        parts: its slices, their axes by number.
        ends: of windows that are added to: where they begin in these dimensions, and their number.
    """

    places: tuple[int, ...]
    spans: bool
    whole: bool
    parts: tuple[tuple[int, Expr, Expr | None, int], ...]
    ends: tuple[tuple[Expr, Expr], ...] = ()

    def agrees(self, written: Alignment) -> bool:
        """Whether it touches, at a point of the shared indices, only what is written there."""
        if self.ends or written.ends:
            return (self.places, self.ends) == (written.places, written.ends)
        if self.places != written.places or self.spans != written.spans:
            return False
        return self.spans or (bool(written.parts) and self._along() == written._along())

    def _along(self) -> list[tuple[Expr, Expr | None, int]]:
        """Return its slices of the shared indices' dimensions."""
        return [self.parts[n][1:] for n in self.places]


def written(step: Tileable, axes: Sequence[str]) -> Alignment | None:
    """Return how a step writes its target; None: not each cell at one point."""
    if isinstance(step, Overlap):
        return _overlapping(step, axes)
    if isinstance(step, Assign):
        return Alignment(tuple(step.order.index(a) for a in axes), True, True, ())
    return aligned(step.target, axes)


def views(step: Tileable) -> tuple[View, ...]:
    """Return the parts of arrays that a step writes and reads."""
    target = (step.target,) if isinstance(step, Store) else ()
    return (*target, *(v for v in walk(step.value) if isinstance(v, View)))


def batches(step: Tileable) -> tuple[str, ...]:
    """Return the axes that are a batch of windows in a contraction of a step."""
    if not isinstance(step.value, Contract):
        return ()
    found = [a for a in step.value.args if is_window(a)]
    shared = [x for a in found[:1] for x in a.axes if moves_apart(a, frozenset((x,)))]
    return tuple(x for x in shared if all(x in a.axes for a in found))


def can_be_made_in_blocks(step: Tileable, axes: frozenset[str], rows: bool = False) -> bool:
    """Whether the value of a step can be made from blocks, which may be `rows` of products.

    Windows that overlap are added up one block after the other anyway: so may their product be.
    """
    value = step.value
    if can_run_in_blocks(value, axes, rows=rows):
        return True
    if not isinstance(step, Overlap) or not isinstance(value, Contract):
        return False
    return axes <= set(value.axes) and all(can_run_in_blocks(a, axes) for a in value.args)


def _overlapping(step: Overlap, axes: Sequence[str]) -> Alignment | None:
    """Return how windows lie over the shared indices: other windows alone agree with them."""
    apart = step.window.array not in arrays_read(step.value)
    if not apart or not moves_apart(step.window, frozenset(axes)):
        return None
    steps = {w.axis: w.steps for w in step.window.windows}
    places = tuple(next(d for d, s in enumerate(steps[a]) if s) for a in axes)
    counts = {w.axis: w.count for w in step.window.windows}
    ends = tuple((step.window.starts[d], counts[a]) for d, a in zip(places, axes, strict=True))
    return Alignment(places, False, False, (), ends)


def aligned(view: View, axes: Sequence[str]) -> Alignment | None:
    """Return how a view runs over axes; None: one of them is in no dimension, or in several."""
    own = [p.axis for p in view.parts]
    if any(own.count(a) != 1 for a in axes):
        return None
    places = tuple(own.index(a) for a in axes)
    numbers = {a: n for n, a in enumerate(view.axes)}
    parts = tuple((numbers.get(p.axis, -1), p.start, p.count, p.step) for p in view.parts)
    spans = all(view.parts[n].whole for n in places)
    return Alignment(places, spans, all(p.axis and p.whole for p in view.parts), parts)


def alignments(step: Tileable, name: str, axes: Sequence[str]) -> set[Alignment | None]:
    """Return how a step reads an array."""
    found: set[Alignment | None] = set()
    views = 0
    for value in walk(step.value):
        if isinstance(value, View) and value.array == name:
            found.add(aligned(value, axes))
            views += 1
        elif getattr(value, "array", None) == name:
            found.add(None)
    if views == 0:
        found.add(None)
    return found


def adds_up(step: Tileable, axes: frozenset[str], rows: bool = False) -> bool:
    """Whether a step adds to its target a sum over the shared indices, of other arrays' cells.

    The sum may be a product of `rows` with each other.
    """
    if isinstance(step, Overlap):
        return False
    if isinstance(step, Store):
        apart = step.target.array not in arrays_read(step.value)
        return apart and step.op == "+=" and _is_sum(step.value, axes, rows=rows)
    value = step.value
    if not step.order and isinstance(value, Apply) and value.fn == "add":
        own = View(step.array, (), ())
        terms = [a for a in value.args if a != own]
        if len(terms) == 1 < len(value.args):
            (value,) = terms
    return _is_sum(value, axes, rows=rows) and step.array not in arrays_read(value)


def divides_sums(step: Tileable) -> bool:
    """Whether a sum is divided by something: that of nothing by 0 is NaN, and no sum of blocks."""
    quotients = (v for v in walk(step.value) if isinstance(v, Apply) and v.fn == "div")
    return any(isinstance(v, Fold | Contract) for q in quotients for v in walk(q.args[0]))


def looks_through_windows(step: Tileable, name: str) -> bool:
    """Whether a step computes something of windows of an array cell by cell, as stencils do."""
    inside = walk(step.value)
    if any(isinstance(v, Contract) for v in inside):
        return False
    return any(isinstance(v, Strided) and v.array == name for v in inside)


def reads_itself(step: Step) -> bool:
    """Whether a step gives a new value to an array that it reads."""
    return isinstance(step, Assign) and step.array in arrays_read(step.value)


def _is_sum(value: Value, axes: frozenset[str], *, rows: bool = False) -> bool:
    """Whether a value is linear in sums over all of the shared indices."""
    match value:
        case Fold("sum", arg, over):
            return axes <= set(over) and can_run_in_blocks(arg, axes, rows=rows)
        case Contract(args, kept) | Selected(args=args, axes=kept):
            everywhere = {frozenset(a.axes) for a in args if a.axes}
            if any(is_window(a) and moves_apart(a, axes) for a in args):
                inside = all(axes <= set(a.axes) and can_run_in_blocks(a, axes) for a in args)
                return inside and not axes & set(kept)
            return (
                (rows or len(everywhere) == 1 or _is_spread(args))
                and axes <= frozenset().union(*everywhere)
                and not axes & set(kept)
                and all(can_run_in_blocks(a, axes, rows=rows) for a in args)
            )
        case Exactly(arg, exact):
            return _is_sum(arg, axes, rows=True) and _is_sum(exact, axes, rows=True)
        case Apply("neg", (inner,)):
            return _is_sum(inner, axes, rows=rows)
        case Apply("add", args):
            return all(_is_sum(a, axes, rows=rows) for a in args)
        case Apply("mul", args):
            depending = [a for a in args if _depends(a, axes)]
            return len(depending) == 1 and _is_sum(depending[0], axes, rows=rows)
        case Apply("div", (inner, by)):
            return not _depends(by, axes) and _is_sum(inner, axes, rows=rows)
        case _:
            return False


def _is_spread(args: Sequence[Value]) -> bool:
    """Whether a factor has all axes, and is computed: by several operations, or of fewer axes."""
    everywhere = {x for a in args for x in a.axes}
    full = [a for a in args if everywhere <= set(a.axes)]
    inside = [v for a in full for v in walk(a)]
    if sum(isinstance(v, Apply) and everywhere <= set(v.axes) for v in inside) >= OPERATIONS:
        return True
    leaves = (v for v in inside if isinstance(v, View | Strided | Gather))
    return bool(full) and not any(everywhere <= set(v.axes) for v in leaves)


def repeats(step: Tileable, axes: frozenset[str]) -> bool:
    """Whether each block of some index would do the same operations again, and these are most.

    `y[i,j] = x[i,j] / sum[k](x[i,k])` in blocks of i and j would make the sums anew for each block
    of j, with a term for each k, where the division has no such index. What runs over none of the
    indices is made outside.
    """
    spans = [frozenset(target_axes(step))]
    spans += [frozenset(v.axes).union(*(c.axes for c in children(v))) for v in large(step)]
    return any(
        not any(axis in other and span - axes <= other for other in spans)
        for span in spans
        if span & axes
        for axis in axes - span
    )


def _depends(value: Value, axes: frozenset[str]) -> bool:
    return any(axes & set(v.axes) for v in walk(value))


def functions(step: Tileable) -> frozenset[Value]:
    """Return the functions that a step computes of pairs: of what has several axes."""
    return frozenset(
        v for v in walk(step.value) if isinstance(v, Apply) and len(v.axes) > 1 and is_costly(v.fn)
    )


def large(step: Tileable) -> Iterable[Value]:
    """Yield the operations of a step on arrays."""
    for value in walk(step.value):
        if value.axes or any(c.axes for c in children(value)):
            yield value

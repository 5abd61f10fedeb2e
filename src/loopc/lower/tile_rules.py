"""What a step must be to run block by block with others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loopc.lower.blocks import can_run_in_blocks
from loopc.lower.plan import Apply, Assign, Contract, Fold, Step, Store, Value, View
from loopc.lower.plan_visit import arrays_read, children, walk


def target_axes(step: Assign | Store) -> tuple[str, ...]:
    """Return the axes of the cells that a step writes."""
    return step.order if isinstance(step, Assign) else step.target.axes


def places(step: Assign | Store, axes: Sequence[str]) -> tuple[int, ...] | None:
    """Return the dimensions of the target that shared indices run over, if they run over all."""
    if isinstance(step, Assign):
        return tuple(step.order.index(a) for a in axes)
    return (
        _aligned(step.target, axes) if all(p.axis and p.whole for p in step.target.parts) else None
    )


def _aligned(view: View, axes: Sequence[str]) -> tuple[int, ...] | None:
    """Return the dimension of a view that each axis is the whole of."""
    found = []
    for axis in axes:
        places = [n for n, p in enumerate(view.parts) if p.axis == axis]
        if len(places) != 1 or not view.parts[places[0]].whole:
            return None
        found.append(places[0])
    return tuple(found)


def alignments(step: Assign | Store, name: str, axes: Sequence[str]) -> set[tuple[int, ...] | None]:
    """Return how a step reads an array."""
    found: set[tuple[int, ...] | None] = set()
    views = 0
    for value in walk(step.value):
        if isinstance(value, View) and value.array == name:
            found.add(_aligned(value, axes))
            views += 1
        elif getattr(value, "array", None) == name:
            found.add(None)
    if views == 0:
        found.add(None)
    return found


def adds_up(step: Assign | Store, axes: frozenset[str]) -> bool:
    """Whether a step adds to its target a sum over the shared indices."""
    if isinstance(step, Store):
        return step.op == "+=" and _is_sum(step.value, axes)
    if not step.order and isinstance(step.value, Apply) and step.value.fn == "add":
        own = View(step.array, (), ())
        terms = [a for a in step.value.args if a != own]
        if len(terms) < len(step.value.args):
            return len(terms) == 1 and _is_sum(terms[0], axes)
    return _is_sum(step.value, axes) and step.array not in arrays_read(step.value)


def reads_itself(step: Step) -> bool:
    """Whether a step gives a new value to an array that it reads."""
    return isinstance(step, Assign) and step.array in arrays_read(step.value)


def _is_sum(value: Value, axes: frozenset[str]) -> bool:
    """Whether a value is linear in sums over all of the shared indices."""
    match value:
        case Fold("sum", arg, over):
            return axes <= set(over) and can_run_in_blocks(arg, axes)
        case Contract(args, kept):
            everywhere = {frozenset(a.axes) for a in args if a.axes}
            return (
                len(everywhere) == 1
                and axes <= set().union(*everywhere)
                and not axes & set(kept)
                and all(can_run_in_blocks(a, axes) for a in args)
            )
        case Apply("neg", (inner,)):
            return _is_sum(inner, axes)
        case Apply("add", args):
            return all(_is_sum(a, axes) for a in args)
        case Apply("mul", args):
            depending = [a for a in args if _depends(a, axes)]
            return len(depending) == 1 and _is_sum(depending[0], axes)
        case Apply("div", (inner, by)):
            return not _depends(by, axes) and _is_sum(inner, axes)
        case _:
            return False


def _depends(value: Value, axes: frozenset[str]) -> bool:
    return any(axes & set(v.axes) for v in walk(value))


def large(step: Assign | Store) -> Iterable[Value]:
    """Yield the operations of a step on arrays."""
    for value in walk(step.value):
        if value.axes or any(c.axes for c in children(value)):
            yield value

"""What the value of a step computes several times, as variables that are made in front of it.

    y[...] = f(a + b) * g(a + b)  ->  t1 = a + b
                                      y[...] = f(t1) * g(t1)

Source: value numbering, e.g. Muchnick, Advanced Compiler Design, ch. 12.4.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from loopc.diagnostics.record import replace
from loopc.ir.nodes import ZERO
from loopc.lower.plan import (
    Apply,
    Assign,
    Cast,
    Contract,
    Fold,
    Gather,
    Part,
    RowStore,
    Scatter,
    Store,
    Value,
    View,
)
from loopc.lower.plan_visit import children, map_children
from loopc.lower.value_types import type_of

if TYPE_CHECKING:
    from loopc.backends.numpy.steps import StepSpeller

S = TypeVar("S", bound=Assign | Store | RowStore | Scatter)

_INSIDE = (Apply, Cast, Fold)
"""The values all of whose operands are computed."""

_HELD = (Apply, Contract, Fold, Gather)


def without_repeats(steps: StepSpeller, step: S, lines: list[str]) -> S:
    """Return a step that computes nothing twice; the lines that it needs in front are added."""
    counts = _counted(step.value)
    if all(count < 2 or not _is_work(value) for value, count in counts.items()):
        return step
    known: dict[Value, Value] = {}

    def visit(value: Value) -> Value:
        if value not in known:
            new = map_children(value, visit) if isinstance(value, _INSIDE) else value
            again = counts[value] > 1 and _is_work(value)
            known[value] = _variable(steps, new, lines) if again else new
        return known[value]

    return replace(step, value=visit(step.value))


def _counted(value: Value) -> Counter[Value]:
    """Return how many operands each value is; what stands in two equal values counts once."""
    counts: Counter[Value] = Counter()
    pending = [value]
    while pending:
        each = pending.pop()
        counts[each] += 1
        if counts[each] == 1 and isinstance(each, _INSIDE):
            pending += children(each)
    return counts


def _is_work(value: Value) -> bool:
    return isinstance(value, _HELD) and bool(value.axes)


def _variable(steps: StepSpeller, value: Value, lines: list[str]) -> Value:
    """Return the view of a variable that has a value; the value itself if its type is not known."""
    speller = steps.speller
    dtype = type_of(value, speller.types.get)
    if dtype is None:
        return value
    name = steps.fresh("t")
    lines.append(f"{name} = {speller.fit(value, value.axes)}")
    speller.names.known["array", f"·{name}"] = name
    speller.types = {**speller.types, f"·{name}": dtype}
    parts = tuple(Part(ZERO, axis, None, 1, whole=True) for axis in value.axes)
    return View(f"·{name}", parts, value.axes)

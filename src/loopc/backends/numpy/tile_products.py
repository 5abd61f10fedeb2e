"""Products on blocks: the factors of plain ones, and sums of quotients as products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loopc.diagnostics.record import replace
from loopc.lower import windows
from loopc.lower.plan import Apply, Contract, Exactly, Fold, Lit, Value

if TYPE_CHECKING:
    from loopc.backends.numpy.blocks_graph import Graph


def factors(graph: Graph, given: Sequence[Value], kept: tuple[str, ...]) -> tuple[Value, ...]:
    """Return the factors of a contraction such that what is left is a plain product.

    Those with the same axes are multiplied, each is summed over the axes that it alone has, and the
    smallest scaled by numbers.
    """
    args = [graph.visit(windows.packed(a)) for a in given]
    numbers = [a for a in args if not a.axes]
    arrays = _multiplied(graph, [a for a in args if a.axes])
    if len(arrays) < 2:
        return (*numbers, *arrays)
    for n, array in enumerate(arrays):
        others = {a for m, v in enumerate(arrays) if m != n for a in v.axes}
        over = tuple(a for a in array.axes if a not in kept and a not in others)
        if over:
            left = tuple(a for a in array.axes if a not in over)
            arrays[n] = graph.visit(Fold("sum", array, over, left))
    if numbers:
        n = min(range(len(arrays)), key=lambda n: graph.cost(arrays[n]))
        arrays[n] = graph.visit(Apply("mul", (*numbers, arrays[n]), arrays[n].axes))
    return tuple(arrays)


def _multiplied(graph: Graph, arrays: list[Value]) -> list[Value]:
    """Return factors, in the place of some with the same axes their product."""
    groups: dict[frozenset[str], list[Value]] = {}
    for array in arrays:
        groups.setdefault(frozenset(array.axes), []).append(array)
    if len(groups) == 1:
        return arrays
    products = ((g, Apply("mul", tuple(g), g[0].axes)) for g in groups.values())
    return [g[0] if len(g) == 1 else graph.visit(product) for g, product in products]


def of_quotients(graph: Graph, value: Fold) -> Value | None:
    """Return a sum `sum[n](a[n,d] / r[n])` as the product of a and 1 / r; None: it is none.

    A product of a matrix and a vector takes less than a pass for the division and one for the sum.
    It is not finite where 1 / r is not, for r below 3e-39 in float32: then it is the sum.
    """
    dtype = graph.dtype(value.arg)
    if value.op != "sum" or value.mask is not None or dtype is None or dtype.kind != "f":
        return None
    divisors: list[Value] = []
    inner = value.arg
    while isinstance(inner, Apply) and inner.fn == "div":
        inner, divisor = inner.args
        divisors.append(divisor)
    fewer = all(
        set(d.axes) < set(inner.axes) and not {*d.axes}.isdisjoint(value.over) for d in divisors
    )
    known = all(a in graph.sizes for a in inner.axes)
    if not divisors or not fewer or not known or inner.axes != value.arg.axes:
        return None
    inner, *divisors = map(graph.visit, (inner, *divisors))
    if any(graph.dtype(v) != dtype for v in (inner, *divisors)):
        return None
    terms = inner
    for divisor in divisors:
        terms = Apply("div", (terms, divisor), inner.axes)
    inverse = (Apply("div", (Lit(1), d), d.axes) for d in divisors)
    product = Contract(
        (inner, *inverse), value.axes, tuple((a, graph.sizes[a]) for a in inner.axes)
    )
    fast = graph.visit(product)
    return graph.visit(Exactly(fast, replace(value, arg=terms), value.axes))

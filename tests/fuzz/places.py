"""Bare reductions wherever one may stand: as all of a statement, in a branch, under a guard, in place.

Other strategies bound what a reduction gives, by which it becomes a part of a larger expression.
"""

from __future__ import annotations

from .expressions import access, condition, known, leaf, subscript
from .sketch import INDICES, LIMIT, MOST, Bound, Scope, Sketch, cell

FOLDS = {"max": 2, "min": 2, "sum": 1, "prod": 2}
ALONG = {"cumsum": 1, "cumprod": 1, "cummax": 2, "cummin": 1}
SMOOTH_FOLDS = {"logsumexp": 2, "mean": 1}
SMOOTH_ALONG = {"softmax": 3, "logsoftmax": 1}
UNGUARDED = ("max", "min", "logsumexp", "mean", "logsoftmax", "cummax", "cummin")
"""What is infinite, or no number, where a guard leaves nothing."""


def placed(sketch: Sketch) -> None:
    """A reduction, read where it is computed or through an array."""
    index = sketch.pick("i", "j", "k")
    dim = INDICES[index]
    scope: Scope = {index: Bound(dim)}
    span = sketch.pick(
        *[f"{index} < {dim}"] * 4, f"{index} in reversed(range({dim}))", f"{index} in range(0, {dim}, 2)"
    )  # fmt: skip
    same = [n for n in known(sketch, (dim,)) if n not in sketch.complexes]
    where = sketch.some("placed:", cell=4, in_place=2 if same else 0, temporary=1)
    name = sketch.pick(*same) if where == "in_place" else sketch.fresh()
    if where != "in_place":
        sketch.declare(name, (dim,))
    value, size = _reduction(sketch, scope, name if where == "in_place" else "")
    value, size = _within(sketch, scope, value, size)
    at = subscript(sketch, dim, scope, "write")
    if index not in at:
        at = index
    guard = f" if {condition(sketch, scope)}" if sketch.chance(30) else ""
    if where == "temporary":
        body = [f"m{name} = {value}", f"{cell(name, [at])} {sketch.pick('=', '+=')} 2 * m{name}"]
        sketch.lines += [f"for {span}{guard}:", *(f"    {line}" for line in body)]
    else:
        sketch.lines.append(f"for {span}{guard}: {cell(name, [at])} = {value}")
    sketch.written[name] = (dim,)
    sketch.holds(name, (dim,), 2 * MOST * size)


def _reduction(sketch: Sketch, scope: Scope, of: str) -> tuple[str, int]:
    """Return a reduction, of products with an array if one is named, and a bound."""
    (own,) = scope
    other = sketch.pick(*(n for n in ("a", "b", "c") if sketch.sizes[INDICES[n]] or n == "a"))
    folds = FOLDS | (SMOOTH_FOLDS if sketch.smooth else {})
    along = ALONG | (SMOOTH_ALONG if sketch.smooth else {})
    op = sketch.some("placed:", **folds, **along)
    index = other if op in folds else own
    inside = {**scope, index: Bound(INDICES[index])}
    factors = [access(sketch, inside), leaf(sketch, inside)]
    text, size = " * ".join(f.text for f in factors), factors[0].size * factors[1].size
    if of:
        at = subscript(sketch, sketch.arrays[of].dims[0], inside)
        text, size = f"{cell(of, [at])} * ({factors[0].text})", factors[0].size * LIMIT
    if size > LIMIT // MOST or op in ("prod", "cumprod"):
        high = 2 if op == "prod" else 1
        text, size = f"clip({text}, -{high}, {high})", high
    guard = ""
    if op not in UNGUARDED and sketch.chance(25):
        guard = f" if {condition(sketch, inside)}"
    grown = {"sum": MOST, "cumsum": MOST}.get(op, 1)
    bound = 2**MOST if op in ("prod", "cumprod") else size * grown
    return f"{op}[{index} < {INDICES[index]}{guard}]({text})", bound


def _within(sketch: Sketch, scope: Scope, value: str, size: int) -> tuple[str, int]:
    """Put a reduction into a branch, a condition or another reduction, or leave it bare."""
    other = leaf(sketch, scope)
    form = sketch.some("placed:", bare=5, branch=2, condition=1, summed=1, largest=1)
    if form == "branch":
        text = f"where({condition(sketch, scope)}, {value}, {other.text})"
        return text, max(size, other.size)
    if form == "condition":
        return f"({condition(sketch, scope)} and {value} > 0) * {other.text}", other.size
    if form in ("summed", "largest"):
        index = sketch.pick("a", "b", "c")
        inside = {**scope, index: Bound(INDICES[index])}
        factor = leaf(sketch, inside)
        size *= factor.size
        if form == "summed":
            guard = condition(sketch, inside)
            text = f"sum[{index} < {INDICES[index]} if {guard}]({value} * {factor.text})"
            return text, size * MOST
        text = f"max[{index} < {INDICES[index]} if {condition(sketch, inside)}]({value} * {factor.text})"
        return f"clip({text}, -9, 9)", 9
    return value, size

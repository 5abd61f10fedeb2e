"""Statements on complex arrays: forward alone, whole numbers, no order and no rounding."""

from __future__ import annotations

from .expressions import access, condition, inner_range, left, subscript
from .sketch import INDICES, Bound, Known, Scope, Sketch, cell

DEPTH = 2
FUNCTIONS = ("exp({} / 9)", "sin({} / 9)", "cos({} / 9)", "tanh({} / 9)", "sqrt({})")


def complex_numbers(sketch: Sketch) -> None:
    """One statement, or a recurrence, on the complex input and what was made of it."""
    if sketch.gradient or sketch.wild:
        return
    if not sketch.complexes:
        sketch.complexes["z0"] = ("N",)
        sketch.complexes["z1"] = ("N", "M")
        sketch.inputs["z0"] = Known(("N",), 3, "complex")
        sketch.inputs["z1"] = Known(("N", "M"), 3, "complex")
    name = sketch.fresh()
    form = sketch.some("complex:", update=4, recurrence=1, scattered=1)
    if form == "recurrence":
        sketch.declare(name, ("N",))
        value = expression(sketch, {"t": Bound("N")}, 1)
        previous = sketch.pick("t-1", "clamp(t-2)", "wrap(t-1)")
        sketch.lines.append(
            f"for t in range(1, N): {name}[t] = where(pN[t] > 0, -{name}[{previous}], 0) + {value}"
        )
        sketch.complexes[name] = ("N",)
        return
    names = sketch.rng.sample(("i", "j", "k", "a"), sketch.rng.choice((1, 2, 2)))
    scope: Scope = {}
    ranges = []
    for index in names:
        text, scope[index] = inner_range(sketch, index, scope)
        ranges.append(text)
    kept = [n for n in names if sketch.chance(70)]
    dims = tuple(INDICES[n] for n in kept)
    target = kept
    if form == "scattered":
        target = [subscript(sketch, d, scope, "write") for d in dims]
    sketch.declare(name, dims)
    op = sketch.pick("+=", "+=", "-=", "=" if len(kept) == len(names) else "+=")
    if form == "scattered" and op == "=":
        op = "+="
    guard = f" if {condition(sketch, scope)}" if sketch.chance(25) else ""
    value = expression(sketch, scope, DEPTH)
    sketch.note(f"complex:op:{op}")
    sketch.lines.append(f"for {', '.join(ranges)}{guard}: {cell(name, target)} {op} {value}")
    sketch.complexes[name] = dims


def expression(sketch: Sketch, scope: Scope, depth: int) -> str:
    """Return a complex value, no larger than a few hundred."""
    kinds = {"cell": 3, "add": 2, "mul": 2, "neg": 1, "where": 1, "sum": 1, "real": 1}
    kind = sketch.some("complex:", **(kinds if depth else {"cell": 3, "real": 1}))
    if kind == "cell":
        return _cell(sketch, scope)
    if kind == "real":
        found = access(sketch, scope)
        return found.text if found.size <= 3 else f"clip({found.text}, -3, 3)"
    if kind == "neg":
        return f"(-{expression(sketch, scope, depth - 1)})"
    if kind == "sum":
        free = [i for i in left(scope) if i in ("i", "j", "k")]
        if not free:
            return _cell(sketch, scope)
        index = sketch.pick(*free)
        text, bound = inner_range(sketch, index, scope)
        word = sketch.pick("sum", "sum", "cumsum") if index in scope else "sum"
        return f"{word}[{text}]({expression(sketch, {**scope, index: bound}, 0)})"
    a, b = expression(sketch, scope, depth - 1), expression(sketch, scope, 0)
    if kind == "where":
        return f"where({condition(sketch, scope)}, {a}, {b})"
    if kind == "add":
        return f"({a} {sketch.pick('+', '-')} {b})"
    if sketch.smooth and sketch.chance(40):
        return sketch.pick(*FUNCTIONS).format(a)
    return f"({a} * {b})"


def _cell(sketch: Sketch, scope: Scope) -> str:
    names = [n for n, d in sketch.complexes.items() if not any(sketch.sizes[x] == 0 for x in d)]
    if not names:
        return "2"
    name = sketch.pick(*names)
    at = [subscript(sketch, d, scope) for d in sketch.complexes[name]]
    sketch.note("kind:complex")
    return cell(name, at)

"""Shapes: axes that are one, apart or repeated, and cells that the end of a range treats otherwise.

for i < N, j < M: t[M*i+j] = x[i,j];   for s < 2*N: u[s] = x[s // 2];   where(i == 0, 1, x[i-1])
"""

from __future__ import annotations

import re

from .expressions import capped, condition, leaf
from .sketch import INDICES, LIMIT, MOST, Bound, Scope, Sketch, Term, cell

AFTER = ("{i} > 0", "{i} != 0", "not {i} == 0", "not {i} < 1", "1 <= {i}", "0 < {i}")
BEFORE = ("{i} < {d} - 1", "{i} != {d} - 1", "not {i} == {d} - 1", "{i} + 1 < {d}")
"""When there is a cell before that of an index, and one after it."""

FREE = ("i", "j", "k")
"""Indices that no subscript binds."""


def shape(sketch: Sketch) -> None:
    """An array of another shape, and what is read of it; or a choice by a place."""
    forms = {"merged": _merged, "repeated": _repeated, "chosen": _chosen}
    forms[sketch.some("shape:", merged=3, repeated=3, chosen=3)](sketch)


def _scope(*names: str) -> Scope:
    return {n: Bound(INDICES[n]) for n in names}


def _value(sketch: Sketch, scope: Scope) -> Term:
    """Return one or two cells or numbers."""
    a, b = leaf(sketch, scope), leaf(sketch, scope)
    if sketch.chance(50):
        return capped(sketch, a, LIMIT // MOST**4)
    term = Term(
        f"({a.text} {sketch.pick('+', '-', '*')} {b.text})", max(a.size * b.size, a.size + b.size)
    )
    return capped(sketch, term, LIMIT // MOST**4)


def _renamed(text: str, index: str, by: str) -> str:
    return re.sub(rf"(?<!\w){index}(?!\w)", by, text)


def _head(sketch: Sketch, *ranges: str, guarded: Scope | None = None) -> str:
    """Return loops in any order, sometimes under a guard."""
    guard = f" if {condition(sketch, guarded)}" if guarded and sketch.chance(15) else ""
    return f"for {', '.join(sketch.rng.sample(ranges, len(ranges)))}{guard}:"


def _op(sketch: Sketch) -> str:
    return sketch.pick("=", "=", "+=", "+=", "-=", "max=")


def _merged(sketch: Sketch) -> None:
    """Two axes as one, by digits or by quotient and remainder, and read again by either."""
    i, j = sketch.rng.sample(FREE, 2)
    d, e, flat = INDICES[i], INDICES[j], sketch.fresh()
    scope, both = _scope(i, j), (f"{i} < {d}", f"{j} < {e}")
    sketch.declare(flat, (f"{d}*{e}",))
    sketch.written[flat] = (d if sketch.sizes[e] else e,)  # other statements write to a part of it
    places = [f"{e}*{i}+{j}", f"{i}*{e}+{j}", f"{d}*{e}-1-{e}*{i}-{j}", f"{d}*{j}+{i}"]
    value = _value(sketch, scope)
    if sketch.some("shape:", digits=3, quotients=2) == "digits":
        head = _head(sketch, *both, guarded=scope)
        sketch.lines.append(f"{head} {flat}[{sketch.pick(*places)}] {_op(sketch)} {value.text}")
    else:
        text = _renamed(_renamed(value.text, i, f"(s // {e})"), j, f"(s % {e})")
        sketch.lines.append(f"for s < {d}*{e}: {flat}[s] {_op(sketch)} {text}")
    name = sketch.fresh()
    dims = sketch.rng.choice(((d, e), (e, d), (d,), (e,)))
    sketch.declare(name, dims)
    op = "+=" if len(dims) == 1 else _op(sketch)
    if sketch.some("shape:", digits=3, quotients=2) == "digits":
        factor = leaf(sketch, scope)
        text = f"{flat}[{sketch.pick(*places)}]"
        term = Term(f"{text} {factor.text}", value.size * max(factor.size, 1))
        term = capped(
            sketch, term if sketch.chance(50) else Term(text, value.size), LIMIT // MOST**3
        )
        head = _head(sketch, *both, guarded=scope)
        at = [i if dim == d else j for dim in dims]
        sketch.lines.append(f"{head} {cell(name, at)} {op} {term.text}")
        value = term
    else:
        at = [f"s // {e}" if dim == d else f"s % {e}" for dim in dims]
        sketch.lines.append(f"for s < {d}*{e}: {cell(name, at)} {op} {flat}[s]")
    sketch.holds(name, dims, value.size * MOST)


def _repeated(sketch: Sketch) -> None:
    """An axis times a number: cells that come several times, and what is made of them."""
    names = sketch.rng.sample(FREE, sketch.rng.choice((1, 2)))
    i, rest = names[0], names[1:]
    d, by, wide = INDICES[i], sketch.rng.choice((2, 2, 3)), sketch.fresh()
    beside = [f"{n} < {INDICES[n]}" for n in rest]
    scope = _scope(*names)
    sketch.declare(wide, (f"{by}*{d}", *(INDICES[n] for n in rest)))
    sketch.written[wide] = tuple(INDICES[n] for n in names)
    value = _value(sketch, scope)
    if sketch.some("shape:", quotient=3, offsets=2) == "quotient":
        text = _renamed(value.text, i, f"(s // {by})")
        extra = sketch.pick("", "", f" + s % {by}", f" - (s + 1) // {by}")
        head = _head(sketch, f"s < {by}*{d}", *beside)
        sketch.lines.append(f"{head} {cell(wide, ['s', *rest])} {_op(sketch)} {text}{extra}")
    else:
        place = sketch.pick(f"{by}*{i}+u", f"{by}*{i}+{by - 1}-u", f"{d}*u+{i}")
        head = _head(sketch, f"{i} < {d}", f"u < {by}", *beside, guarded=scope)
        sketch.lines.append(f"{head} {cell(wide, [place, *rest])} {_op(sketch)} {value.text}")
    name = sketch.fresh()
    sketch.declare(name, tuple(INDICES[n] for n in names))
    op = sketch.pick("+=", "+=", "max=", "-=")
    back = sketch.some("shape:", sums=3, offsets=2, beside=2 if sketch.sizes[d] else 0)
    if back == "sums":
        head, target = _head(sketch, f"s < {by}*{d}", *beside), [f"s // {by}", *rest]
        read = cell(wide, ["s", *rest])
    else:
        head, target = _head(sketch, f"{i} < {d}", f"u < {by}", *beside), names
        place = f"{by}*{i}+u"
        if back == "beside":
            mode = sketch.pick("clamp", "wrap", "pad")
            place = sketch.pick(
                f"{mode}({by}*{i}-u)", f"{mode}({by}*{i}+{by}+u)", f"clamp({i} // 2 + u)"
            )
        read = cell(wide, [place, *rest])
    sketch.lines.append(f"{head} {cell(name, target)} {op} {read}")
    sketch.holds(name, sketch.written[name], (value.size + MOST) * by)


def _chosen(sketch: Sketch) -> None:
    """What the first or the last cell of an axis is, and the others from those beside them."""
    names = sketch.rng.sample(FREE, sketch.rng.choice((1, 1, 2)))
    i, scope = names[0], _scope(*names)
    d, after, name = INDICES[names[0]], sketch.chance(60), sketch.fresh()
    sketch.declare(name, tuple(INDICES[n] for n in names))
    test = sketch.pick(*(AFTER if after else BEFORE)).format(i=i, d=d)
    beside, other, factor = (_value(sketch, scope) for _ in range(3))
    moved = _renamed(beside.text, i, f"({i} - 1)" if after else f"({i} + 1)")
    choice, size = f"where({test}, {moved}, {other.text})", max(beside.size, other.size)
    if sketch.chance(30):
        choice = f"where(not {test}, {other.text}, {moved})".replace("not not ", "")
    form = sketch.some("shape:", plain=3, factor=2, guard=2)
    head = _head(sketch, *(f"{n} < {INDICES[n]}" for n in names))
    if form == "guard":
        head, choice = f"{head[:-1]} if {test}:", moved
    elif form == "factor":
        term = capped(sketch, Term(f"{factor.text} {choice}", factor.size * size), LIMIT // MOST)
        choice, size = term.text, term.size
    sketch.lines.append(f"{head} {cell(name, names)} {_op(sketch)} {choice}")
    sketch.holds(name, sketch.written[name], size)

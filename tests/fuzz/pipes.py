"""Pipelines: statements over whole ranges, each of which reads what those before it made.

Layers and losses look like this. What is made in between is seldom an output, and often read by sums
and products alone, so that it may be computed in another order, in blocks, or not at all.
"""

from __future__ import annotations

from .expressions import capped, condition, subscript
from .sketch import INDICES, LIMIT, MOST, Bound, Known, Scope, Sketch, Term, cell

LATEST = 3
"""So many of the arrays made last are read more often."""


def pipe(sketch: Sketch) -> None:
    """Two to five statements."""
    for _ in range(sketch.rng.randint(2, 5)):
        form = sketch.some("pipe:", assigned=4, added=4, block=2)
        target = sketch.rng.sample(list(INDICES), sketch.rng.choice((0, 1, 1, 2, 2, 2, 3)))
        {"assigned": _assigned, "added": _added, "block": _block}[form](sketch, target)
    if sketch.chance(60):
        _loss(sketch)


def _loss(sketch: Sketch) -> None:
    """Sums over all cells of what was made last."""
    loss = sketch.fresh()
    made = [n for n in sketch.written if n in sketch.arrays and n not in sketch.complexes]
    sketch.declare(loss, ())
    size = 0
    for name in made[-sketch.rng.choice((1, 1, 2)) :]:
        dims = sketch.arrays[name].dims
        at: list[str] = []
        for dim in dims:
            at.append(next(n for n, d in INDICES.items() if d == dim and n not in at))
        points = MOST ** len(dims)
        term = Term(cell(name, at), sketch.arrays[name].size)
        other = term if sketch.chance(50) else _factor(sketch, at)
        if sketch.chance(40) and term.size * other.size * points < LIMIT // 2:
            term = Term(f"{term.text} {other.text}", term.size * other.size)
        value = capped(sketch, term, LIMIT // points // 2)
        sketch.lines.append(f"{_head(sketch, at)} {loss} += {value.text}".strip())
        size += value.size * points
    sketch.holds(loss, (), size)


def _scope(names: list[str]) -> Scope:
    return {n: Bound(INDICES[n]) for n in names}


def _head(sketch: Sketch, names: list[str], guarded: int = 0) -> str:
    guard = f" if {condition(sketch, _scope(names))}" if names and sketch.chance(guarded) else ""
    if not names:
        return ""
    return f"for {', '.join(f'{n} < {INDICES[n]}' for n in names)}{guard}:"


def _declared(sketch: Sketch, names: list[str]) -> tuple[str, tuple[str, ...]]:
    name, dims = sketch.fresh(), tuple(INDICES[n] for n in names)
    sketch.declare(name, dims)
    return name, dims


def _assigned(sketch: Sketch, target: list[str]) -> None:
    """`for i,j: t[i,j] = …`, sums inside."""
    value = _terms(sketch, target)
    name, dims = _declared(sketch, target)
    sketch.lines.append(f"{_head(sketch, target)} {cell(name, target)} = {value.text}".strip())
    sketch.holds(name, dims, value.size)


def _added(sketch: Sketch, target: list[str]) -> None:
    """`for k,i,j: t[i,j] += …`: the value may lack some of the indices, the target as well."""
    rest = [n for n in INDICES if n not in target]
    names = [*target, *sketch.rng.sample(rest, sketch.rng.choice((0, 1, 1, 2)))]
    points = MOST ** (len(names) - len(target))
    value = capped(sketch, _terms(sketch, names), LIMIT // points // 2)
    name, dims = _declared(sketch, target)
    sketch.rng.shuffle(names)
    op = sketch.pick("+=", "+=", "+=", "-=")
    head = _head(sketch, names, 20)
    sketch.lines.append(f"{head} {cell(name, target)} {op} {value.text}".strip())
    sketch.holds(name, dims, value.size * points)


def _block(sketch: Sketch, target: list[str]) -> None:
    """A block with a value of its own, or a statement for a part of the indices."""
    value = _terms(sketch, target)
    if not target:
        return
    own = sketch.fresh()
    name, dims = _declared(sketch, target)
    inner = sketch.rng.randrange(len(target))
    outer = target[:inner] or target
    size = min(LIMIT, 2 * value.size + 2)
    lines = [_head(sketch, outer)]
    indent = "    "
    if outer is not target:
        first = _terms(sketch, outer)
        lines += [f"{indent}{own} = {first.text}", f"{indent}{_head(sketch, target[inner:])}"]
        indent = "        "
        size = min(LIMIT, first.size + value.size)
    else:
        lines += [f"{indent}{own} = {value.text}"]
    if size == LIMIT:
        value, own, size = Term("1"), f"clip({own}, -9, 9)", 10
    lines.append(f"{indent}{cell(name, target)} = {own} {sketch.pick('+', '-')} {value.text}")
    sketch.lines.append("\n".join(lines))
    sketch.holds(name, dims, size)


def _terms(sketch: Sketch, names: list[str]) -> Term:
    """Return one to three terms."""
    found = [_term(sketch, names) for _ in range(sketch.rng.choice((1, 1, 1, 2, 3)))]
    text = found[0].text
    for each in found[1:]:
        text = f"{text} {sketch.pick('+', '-')} {each.text}"
    return capped(
        sketch, Term(text if len(found) == 1 else f"({text})", sum(f.size for f in found))
    )


def _term(sketch: Sketch, names: list[str], depth: int = 0) -> Term:
    rest = [n for n in INDICES if n not in names and sketch.sizes[INDICES[n]]]
    kind = sketch.some("pipe:", product=6, fold=3 if rest and depth < 2 else 0, factored=1)
    if kind == "product":
        return _product(sketch, names, sketch.rng.choice((1, 1, 2, 2, 3)))
    if kind == "factored":
        a, b = _product(sketch, names, 1), _product(sketch, names, 2)
        c = _product(sketch, names, 1)
        return capped(sketch, Term(f"{a.text} ({b.text} - {c.text})", a.size * (b.size + c.size)))
    own = sketch.rng.sample(rest, min(len(rest), sketch.rng.choice((1, 1, 2))))
    inner = _term(sketch, [*names, *own], depth + 1)
    op = sketch.pick("sum", "sum", "sum", "max", "min")
    guard = ""
    if op == "sum":
        inner = capped(sketch, inner, LIMIT // MOST ** len(own))
        guard = f" if {condition(sketch, _scope([*names, *own]))}" if sketch.chance(20) else ""
    ranges = ", ".join(f"{n} < {INDICES[n]}" for n in own)
    size = inner.size * (MOST ** len(own) if op == "sum" else 1)
    return Term(f"{op}[{ranges}{guard}]({inner.text})", size)


def _product(sketch: Sketch, names: list[str], count: int) -> Term:
    text, size = "", 1
    for _ in range(count):
        factor = _factor(sketch, names)
        if size * factor.size <= LIMIT // 8:
            text, size = f"{text} {factor.text}".strip(), size * factor.size
    return Term(text or "1", size)


def _factor(sketch: Sketch, names: list[str]) -> Term:
    """Return a cell that some of the indices tell apart, by itself or in a function."""
    dims = {INDICES[n] for n in names}
    fit = [
        n
        for n, k in sketch.arrays.items()
        if set(k.dims) <= dims and k.kind == "float" and n not in sketch.complexes
    ]
    if not fit:
        return Term("2", 2)
    name = sketch.pick(*(fit[-LATEST:] if sketch.chance(60) else fit))
    known: Known = sketch.arrays[name]
    at = [_at(sketch, d, names) for d in known.dims]
    text, size = cell(name, at), known.size
    kind = sketch.some("pipe:", bare=20, positive=1, square=1, sign=1, where=1, less=1, magnitude=1)
    if kind == "positive":
        return Term(f"max({text}, 0)", size)
    if kind == "magnitude":
        return Term(f"abs({text})", size)
    if kind == "square" and size < LIMIT // size:
        return Term(f"{text}**2", size * size)
    if kind == "sign":
        return Term(f"({text} > {sketch.pick('0', '1')})", 1)
    if kind == "where":
        return Term(f"where({text} > 0, {text}, {sketch.pick('0', '-1')})", size)
    if kind == "less" and names:
        return Term(f"({text} - {sketch.pick(*names)})", size + MOST)
    return Term(text, size)


def _at(sketch: Sketch, dim: str, names: list[str]) -> str:
    """Return an index that runs over a dim; seldom something else."""
    if sketch.chance(8):
        return subscript(sketch, dim, _scope(names))
    return sketch.pick(*(n for n in names if INDICES[n] == dim))

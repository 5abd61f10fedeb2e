"""Random programs with arrays that fit, for Hypothesis.

All values are small whole numbers as float64, and the operators keep them so: results are equal bit
for bit, whatever the order of additions. A program is drawn production by production; `Case.used`
says which ones it has.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

EXTENTS = (0, 1, 2, 3, 4)
INDICES = {"i": "N", "j": "M", "k": "K"}


@dataclass
class Sketch:
    """A program under construction."""

    draw: Any
    sizes: dict[str, int]
    arrays: dict[str, tuple[str, ...]] = field(default_factory=dict)
    written: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    defs: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def some(self, **weights: int) -> str:
        """Draw a production by weight, and count it."""
        name = self.pick(*[n for n, w in weights.items() for _ in range(w)])
        self.used[name] += 1
        return name

    def dims(self, least: int, most: int) -> tuple[str, ...]:
        names = self.draw(st.permutations(list(INDICES.values())))
        return tuple(names[: self.draw(st.integers(least, most))])

    def fresh(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def declare(self, name: str, dims: tuple[str, ...]) -> None:
        self.lines.append(f"dim {name}[{', '.join(dims)}]")
        self.written[name] = dims


@dataclass(frozen=True)
class Case:
    """A program, the arrays of a call, and what the program is made of."""

    text: str
    arrays: dict[str, np.ndarray]
    used: Counter[str] = field(default_factory=Counter)

    def __repr__(self) -> str:
        shapes = {n: (a.shape, a.tolist()) for n, a in self.arrays.items()}
        return f"Case(\n{self.text}\n{shapes})"


def index_of(dim: str) -> str:
    return next(i for i, d in INDICES.items() if d == dim)


# Accesses


def subscript(sketch: Sketch, dim: str, bound: set[str]) -> str:
    """A subscript of an axis of extent `dim` that is inside for every index value."""
    index = index_of(dim)
    size = sketch.sizes[dim]
    options: dict[str, list[str]] = {}
    if index in bound:
        options["alone"] = [index] * 6
        options["flipped"] = [f"{dim} - 1 - {index}"]
        options["clamp"] = [f"clamp({index}-1)"]
        options["pad"] = [f"pad({index}+1)"]
        options["wrap"] = [f"wrap({index}+2)"]
        options["reflect"] = [f"reflect({index}-1)"]
        options["gathered"] = [f"p{dim}[{index}]", f"p{dim}[p{dim}[{index}]]"]
        options["quasi_affine"] = [f"{index} // 2", f"{index} - {index} % 2"]
    others = [o for o in sorted(bound) if o != index and o in INDICES]
    if others:
        options["other_index"] = [f"clamp({o})" for o in others]
        options["other_padded"] = [f"pad(2*{o}-1)" for o in others]
        options["two_indices"] = [f"wrap({o}+{index})" for o in others if index in bound]
    if size > 0:
        options["constant"] = [str(sketch.draw(st.integers(0, size - 1)))]
    elif not options:
        options["pad"] = ["pad(0)"]
    if size == 0:  # a cell of nothing can only be outside
        legal = ("alone", "pad", "other_padded", "gathered", "flipped", "quasi_affine")
        options = {n: o for n, o in options.items() if n in legal} or {"pad": ["pad(0)"]}
    kind = sketch.pick(*[n for n, o in options.items() for _ in o])
    sketch.used[f"at:{kind}"] += 1
    return sketch.pick(*options[kind])


def access(sketch: Sketch, bound: set[str]) -> str:
    name = sketch.pick(*sketch.arrays)
    dims = sketch.arrays[name]
    if not dims:
        return name
    return f"{name}[{','.join(subscript(sketch, d, bound) for d in dims)}]"


# Expressions


def expression(  # noqa: C901 - one case per production
    sketch: Sketch, bound: set[str], depth: int = 2
) -> str:
    if depth == 0:
        return sketch.pick(access(sketch, bound), access(sketch, bound), "2", "3", *sorted(bound))
    a = expression(sketch, bound, depth - 1)
    kind = sketch.some(
        leaf=2, add=1, sub=1, mul=2, best=1, where=1, compare=1, neg=1, reduction=1, floor=1,
        logic=1, clip=1, pointwise=1, square=1,
    )  # fmt: skip
    if kind == "leaf":
        return a
    if kind == "neg":
        return f"(-{a})"
    if kind == "floor":
        return f"floor({a} / 2)"
    if kind == "square":
        return f"relu({a})"
    if kind == "reduction":
        return reduction(sketch, bound)
    if kind == "pointwise":
        return pointwise(sketch, bound)
    b = expression(sketch, bound, depth - 1)
    if kind in ("add", "sub", "mul"):
        sign = {"add": "+", "sub": "-", "mul": sketch.pick("*", "")}[kind]
        return f"({a} {sign} {b})" if sign else f"({a}) ({b})"
    if kind == "best":
        return f"{sketch.pick('max', 'min')}({a}, {b})"
    if kind == "compare":
        return f"({a} {sketch.pick('<', '<=', '==', '!=')} {b})"
    if kind == "logic":
        return f"({a} < 1 {sketch.pick('and', 'or')} not {b} > 0)"
    if kind == "clip":
        return f"clip({a}, -2, {sketch.pick('1', '3')})"
    c = expression(sketch, bound, 0)
    return f"where({a} {sketch.pick('<', '>=')} {b}, {c}, {a})"


def inner_range(sketch: Sketch, index: str, bound: set[str]) -> str:
    """The range of a reduction's index, or of a loop further in."""
    dim = INDICES[index]
    outer = [o for o in sorted(bound) if o in INDICES and o != index]
    kind = sketch.some(whole=4, narrowed=1, stepped=1, ragged=1 if outer else 0, follows=2)
    if kind == "narrowed":
        return f"{index} in range(1, {dim})"
    if kind == "stepped":
        return f"{index} in range({sketch.pick('0', *outer)}, {dim}, 2)"
    if kind == "ragged":
        other = sketch.pick(*outer)
        cell = f"p{INDICES[other]}[{other}]"
        return f"{index} in range(min({cell}, {dim}), min(2*{cell}+1, {dim}))"
    if kind == "follows" and outer:
        other = sketch.pick(*outer)
        return sketch.pick(
            f"{index} < min({dim}, {other} + 1)", f"{index} in range(min({other}, {dim}), {dim})"
        )
    return f"{index} < {dim}"


def reduction(sketch: Sketch, bound: set[str]) -> str:
    """A reduction over indices that are not bound yet, if there is one left."""
    left = [i for i in INDICES if i not in bound]
    if not left:
        return expression(sketch, bound, 0)
    count = sketch.pick(1, 1, 2)
    ranges, inside = [], set(bound)
    for index in left[:count] if count > 1 else [sketch.pick(*left)]:
        ranges.append(inner_range(sketch, index, inside))
        inside.add(index)
    guard = ""
    if sketch.pick(True, False):
        guard = f" if {condition(sketch, inside)}"
    op = sketch.some(sum=4, prod=1, max=2, min=2, any=1, all=1)
    body = expression(sketch, inside, 1)
    if op == "prod":
        body = f"clip({body}, -1, 1)"
    call = f"{op}[{', '.join(ranges)}{guard}]({body})"
    if op in ("max", "min"):  # of nothing they are infinite, which no integer is
        return f"max(-9, min(9, {call}))"
    return call


def pointwise(sketch: Sketch, bound: set[str]) -> str:
    """A running reduction along an index of the loops."""
    own = [i for i in sorted(bound) if i in INDICES]
    if not own:
        return expression(sketch, bound, 0)
    index = sketch.pick(*own)
    op = sketch.pick("cumsum", "cumsum", "cummax")
    body = expression(sketch, bound, 0)
    return f"max(-9, min(9, {op}[{index} < {INDICES[index]}]({body})))"


def condition(sketch: Sketch, bound: set[str]) -> str:
    a, b = expression(sketch, bound, 0), expression(sketch, bound, 0)
    first = f"{a} {sketch.pick('<', '<=', '==', '!=', '>')} {b}"
    if sketch.pick(True, False, False):
        c = expression(sketch, bound, 0)
        return f"{first} {sketch.pick('and', 'or')} not {c} < {sketch.pick('0', '1', '2')}"
    return first


# Statements


def header(sketch: Sketch, order: list[str], guard: str = "") -> str:
    ranges, inside = [], set[str]()
    for index in order:
        dim = INDICES[index]
        kind = sketch.some(plain=5, reversed=1, other=2)
        if kind == "reversed":
            ranges.append(f"{index} in reversed(range({dim}))")
        elif kind == "other":
            ranges.append(inner_range(sketch, index, inside))
        else:
            ranges.append(f"{index} < {dim}")
        inside.add(index)
    return f"for {', '.join(ranges)}{guard}: "


def update(sketch: Sketch) -> None:
    """A loop that writes a new array, or one again."""
    order = list(sketch.draw(st.permutations(list(INDICES)))[: sketch.draw(st.integers(0, 3))])
    bound = set(order)
    again = sorted(sketch.written)
    where = sketch.some(new=3, again=1 if again else 0, scattered=1)
    if where == "again":
        name = sketch.pick(*again)
        dims = sketch.written[name]
        target = [subscript(sketch, d, bound) for d in dims]
        if any(sketch.sizes[d] == 0 for d in dims) and not all(t in INDICES for t in target):
            return
    else:
        name = sketch.fresh()
        dims = tuple(d for d in sketch.dims(0, 2) if index_of(d) in bound)
        target = [index_of(d) for d in dims]
        if where == "scattered":
            target = [f"p{d}[{i}]" for d, i in zip(dims, target, strict=True)]
        sketch.declare(name, dims)
    statement(sketch, order, name, dims, target)
    sketch.arrays[name] = dims


def statement(
    sketch: Sketch, order: list[str], name: str, dims: tuple[str, ...], target: list[str]
) -> None:
    bound = set(order)
    cell = f"{name}[{','.join(target)}]" if target else name
    op = sketch.pick("=", "+=", "+=", "-=", "max=", "min=", "*=")
    guard = f" if {condition(sketch, bound)}" if sketch.pick(True, False) and bound else ""
    value = expression(sketch, bound)
    fits = all(any(i in t for t in target) for i in order)
    if op == "=" and not fits:
        op = "+="
    if op == "*=":
        value = f"clip({value}, -1, 1)"
    if op in ("max=", "min="):
        sketch.lines.append(start(name, dims))
    sketch.used[f"op:{op}"] += 1
    line = header(sketch, order, guard) if order else ""
    sketch.lines.append(f"{line}{cell} {op} {value}")


def start(name: str, dims: tuple[str, ...]) -> str:
    """An assignment, so that nothing infinite is left."""
    indices = [index_of(d) for d in dims]
    cell = f"{name}[{','.join(indices)}]" if indices else name
    ranges = ", ".join(f"{i} < {d}" for i, d in zip(indices, dims, strict=True))
    return f"for {ranges}: {cell} = 1" if ranges else f"{cell} = 1"


def recurrence(sketch: Sketch) -> None:
    """A block with a dependence from one iteration to the next."""
    name = sketch.fresh()
    step = sketch.pick("t in range(1, N)", "t in range(2, N)", "t in reversed(range(1, N))")
    inner = sketch.pick("", ", j < M")
    dims = ("N", "M") if inner else ("N",)
    tail = ",j" if inner else ""
    bound = {"j"} if inner else set()
    sketch.declare(name, dims)
    value = expression(sketch, bound, 1)
    sign = sketch.pick("+", "-")
    form = sketch.some(line=1, block=1, guarded=1)
    previous = f"{name}[t-1{tail}]"
    if inner and sketch.pick(True, False):
        op = sketch.pick("max", "min", "sum")
        previous = f"max(-9, min(9, {op}[a < M]({name}[t-1,a] + j)))"
    if form == "line":
        sketch.lines.append(
            f"for {step}{inner}: {name}[t{tail}] = min(9, {previous} {sign} {value})"
        )
    elif form == "guarded":
        guard = f"{previous} < {sketch.pick('1', '2', value)}"
        sketch.lines.append(
            f"for {step}{inner} if {guard}: {name}[t{tail}] = min(9, {previous} {sign} {value} + 1)"
        )
    else:
        other = sketch.fresh()
        sketch.declare(other, dims)
        sketch.lines.append(
            f"for {step}{inner}:\n"
            f"    {other}[t{tail}] = {value} {sign} t\n"
            f"    {name}[t{tail}] = max(-9, min(9, {previous} + {other}[t{tail}]))"
        )
        sketch.arrays[other] = dims
    sketch.arrays[name] = dims


def block(sketch: Sketch) -> None:
    """A loop round several statements, with a scalar or a row that each iteration makes anew."""
    order = list(sketch.draw(st.permutations(list(INDICES)))[: sketch.draw(st.integers(1, 2))])
    bound = set(order)
    dims = tuple(INDICES[i] for i in order)
    own, result = sketch.fresh(), sketch.fresh()
    form = sketch.some(scalar=1, partly=1, inner_loop=1, nested_guard=1)
    left = [i for i in INDICES if i not in bound]
    sketch.declare(result, dims)
    cell = f"{result}[{','.join(order)}]"
    head = f"for {', '.join(f'{i} < {INDICES[i]}' for i in order)}:"
    first = expression(sketch, bound, 1)
    if form == "partly":  # the row of the last iteration is used by the next
        sketch.declare(own, dims[:1])
        sketch.lines.append(
            f"{head}\n    {own}[{order[0]}] = max(-3, min(3, {first}))\n"
            f"    {cell} = {own}[clamp({order[0]}-1)] + {own}[{order[0]}]"
        )
        sketch.arrays[own] = dims[:1]
    elif form == "inner_loop" and left:
        inner = left[0]
        sketch.declare(own, ())
        value = expression(sketch, {*bound, inner}, 1)
        sketch.lines.append(
            f"{head}\n    {own} = {first}\n"
            f"    for {inner_range(sketch, inner, bound)}: {own} += clip({value}, -2, 2)\n"
            f"    {cell} = {own} + 1"
        )
        sketch.arrays[own] = ()
    elif form == "nested_guard":
        sketch.written.pop(own, None)
        sketch.lines.append(
            f"{head}\n    {cell} = {first}\n"
            f"    if {condition(sketch, bound)}: {cell} += {expression(sketch, bound, 1)}"
        )
    else:
        sketch.declare(own, ())
        sketch.lines.append(f"{head}\n    {own} = {first}\n    {cell} = {own} + {own}")
        sketch.arrays[own] = ()
    sketch.arrays[result] = dims


def in_place(sketch: Sketch) -> None:
    """An array changed where it stands, by its own neighbours."""
    name = sketch.fresh()
    sketch.declare(name, ("N",))
    sketch.arrays[name] = ("N",)
    first = expression(sketch, {"i"}, 1)
    step = sketch.some(shifted=1, mirrored=1, gathered_self=1)
    at = {"shifted": "clamp(i-1)", "mirrored": "N-1-i", "gathered_self": "pN[i]"}[step]
    order = sketch.pick("i < N", "i in reversed(range(N))", "i in range(0, N, 2)")
    op = sketch.pick("=", "+=", "max=")
    sketch.lines.append(f"for i < N: {name}[i] = clip({first}, -4, 4)")
    sketch.lines.append(f"for {order}: {name}[i] {op} clip({name}[{at}] + i, -5, 5)")


def call(sketch: Sketch) -> None:
    """A `def`, called over a batch or on cells."""
    name = f"f{len(sketch.defs)}"
    body = sketch.some(rows=1, cells=1, pair=1)
    result = sketch.fresh()
    if body == "cells":
        sketch.defs[name] = f"def {name}(a, b) -> c:\n    c = max(a, b) - min(a, 2)"
        a, b = expression(sketch, {"i", "j"}, 1), expression(sketch, {"i", "j"}, 1)
        sketch.declare(result, ("N", "M"))
        sketch.lines.append(f"for i < N, j < M: {result}[i,j] = {name}({a}, {b})")
        sketch.arrays[result] = ("N", "M")
        return
    two = [n for n, d in sketch.arrays.items() if len(d) == 2]
    if not two:
        return
    array = sketch.pick(*two)
    dims = sketch.arrays[array]
    outer = index_of(dims[0])
    if body == "rows":
        sketch.defs[name] = (
            f"def {name}(v[I]) -> w[I]:\n"
            "    for i  s += v[i]\n"
            "    for i  w[i] = clip(s, -3, 3) - v[i]"
        )
        sketch.declare(result, dims)
        sketch.lines.append(
            f"for {outer} < {dims[0]}: {result}[{outer},:] = {name}({array}[{outer},:])"
        )
        sketch.arrays[result] = dims
    else:
        other = sketch.fresh()
        sketch.defs[name] = (
            f"def {name}(v[I], c) -> lo, hi:\n"
            "    lo = c; hi = c\n"
            "    for i  lo min= v[i]\n"
            "    for i  hi max= v[i]"
        )
        sketch.declare(result, dims[:1])
        sketch.declare(other, dims[:1])
        sketch.lines.append(
            f"for {outer} < {dims[0]}: {result}[{outer}], {other}[{outer}] = "
            f"{name}({array}[{outer},:], {sketch.pick('0', outer)})"
        )
        sketch.arrays[result] = sketch.arrays[other] = dims[:1]


STATEMENTS = {
    "update": update,
    "recurrence": recurrence,
    "block": block,
    "in_place": in_place,
    "call": call,
}


@st.composite
def cases(draw: Any) -> Case:
    """Return a program of a few statements with whole numbers for its arrays."""
    sizes = {d: draw(st.sampled_from(EXTENTS)) for d in INDICES.values()}
    sketch = Sketch(draw, sizes)
    for number in range(draw(st.integers(1, 3))):
        sketch.arrays[f"x{number}"] = sketch.dims(0, 3)
    sketch.arrays["one"] = tuple(INDICES.values())  # names every dim
    given = dict(sketch.arrays)
    for _ in range(draw(st.integers(1, 4))):
        STATEMENTS[sketch.some(update=6, recurrence=2, block=2, in_place=1, call=1)](sketch)
    rng = np.random.default_rng(draw(st.integers(0, 3)))
    arrays: dict[str, np.ndarray] = {}
    for name, dims in given.items():
        arrays[name] = rng.integers(-2, 4, [sizes[d] for d in dims]).astype(float)
    for dim, size in sizes.items():
        arrays[f"p{dim}"] = rng.integers(0, max(size, 1), size)
    declared = [f"{n}[{', '.join(d)}]" if d else n for n, d in given.items()]
    declared += [f"p{d}[{d}]: int" for d in sizes]
    outputs = ", ".join(sketch.written) or "one"
    head = [*sketch.defs.values(), f"input {', '.join(declared)}", f"output {outputs}"]
    return Case("\n".join([*head, *sketch.lines]) + "\n", arrays, sketch.used)

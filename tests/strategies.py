"""Random programs with arrays that fit, for Hypothesis.

All values are small whole numbers as float64, and the operators keep them so: results are equal bit
for bit, whatever the order of additions.
"""

from __future__ import annotations

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
    count: int = 0

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def dims(self, least: int, most: int) -> tuple[str, ...]:
        names = self.draw(st.permutations(list(INDICES.values())))
        return tuple(names[: self.draw(st.integers(least, most))])

    def fresh(self) -> str:
        self.count += 1
        return f"t{self.count}"


@dataclass(frozen=True)
class Case:
    """A program, the arrays of a call, and the sizes of its dims."""

    text: str
    arrays: dict[str, np.ndarray]

    def __repr__(self) -> str:
        shapes = {n: (a.shape, a.tolist()) for n, a in self.arrays.items()}
        return f"Case(\n{self.text}\n{shapes})"


def index_of(dim: str) -> str:
    return next(i for i, d in INDICES.items() if d == dim)


def subscript(sketch: Sketch, dim: str, bound: set[str]) -> str:
    """A subscript of an axis of extent `dim` that is inside for every index value."""
    index = index_of(dim)
    size = sketch.sizes[dim]
    options = []
    if index in bound:
        options += [index] * 6 + [f"{dim} - 1 - {index}", f"clamp({index}-1)", f"pad({index}+1)"]
        options += [f"wrap({index}+2)", f"reflect({index}-1)", f"p{dim}[{index}]"]
    for other in sorted(bound):
        if other != index and INDICES.get(other):
            options += [f"clamp({other})", f"pad(2*{other}-1)"]
    if size > 0:
        options.append(str(sketch.draw(st.integers(0, size - 1))))
    elif not options:
        options.append("pad(0)")
    if size == 0:  # a cell of nothing can only be outside
        options = [o for o in options if o == index or o.startswith(("pad", "p" + dim, dim))]
        options = options or ["pad(0)"]
    return sketch.pick(*options)


def access(sketch: Sketch, bound: set[str]) -> str:
    name = sketch.pick(*sketch.arrays)
    dims = sketch.arrays[name]
    if not dims:
        return name
    return f"{name}[{','.join(subscript(sketch, d, bound) for d in dims)}]"


def expression(sketch: Sketch, bound: set[str], depth: int = 2) -> str:
    if depth == 0:
        return sketch.pick(access(sketch, bound), access(sketch, bound), "2", "3", *sorted(bound))
    a = expression(sketch, bound, depth - 1)
    kind = sketch.pick("leaf", "leaf", "+", "-", "*", "max", "where", "cmp", "neg", "reduce", "int")
    if kind == "leaf":
        return a
    if kind == "neg":
        return f"(-{a})"
    if kind == "int":
        return f"floor({a} / 2)"
    if kind == "reduce":
        return reduction(sketch, bound)
    b = expression(sketch, bound, depth - 1)
    if kind in "+-*":
        return f"({a} {kind} {b})"
    if kind == "max":
        return f"{sketch.pick('max', 'min')}({a}, {b})"
    if kind == "cmp":
        return f"({a} {sketch.pick('<', '<=', '==', '!=')} {b})"
    c = expression(sketch, bound, 0)
    return f"where({a} {sketch.pick('<', '>=')} {b}, {c}, {a})"


def reduction(sketch: Sketch, bound: set[str]) -> str:
    """A reduction over indices that are not bound yet, if there is one left."""
    left = [i for i in INDICES if i not in bound]
    if not left:
        return expression(sketch, bound, 0)
    index = sketch.pick(*left)
    inside = {*bound, index}
    guard = ""
    if sketch.pick(True, False):
        guard = f" if {condition(sketch, inside)}"
    op = sketch.pick("sum", "sum", "max", "min", "any", "all")
    body = expression(sketch, inside, 1)
    if op in ("max", "min"):  # of nothing they are infinite, which no integer is
        return f"max(-9, min(9, {op}[{index} < {INDICES[index]}{guard}]({body})))"
    return f"{op}[{index} < {INDICES[index]}{guard}]({body})"


def condition(sketch: Sketch, bound: set[str]) -> str:
    a, b = expression(sketch, bound, 0), expression(sketch, bound, 0)
    first = f"{a} {sketch.pick('<', '<=', '==', '!=', '>')} {b}"
    if sketch.pick(True, False, False):
        c = expression(sketch, bound, 0)
        return f"{first} {sketch.pick('and', 'or')} not {c} < {sketch.pick('0', '1', '2')}"
    return first


def header(sketch: Sketch, order: list[str], guard: str = "") -> str:
    ranges = []
    for index in order:
        dim = INDICES[index]
        ranges.append(
            sketch.pick(
                *[f"{index} < {dim}"] * 4,
                f"{index} in reversed(range({dim}))",
                f"{index} in range(0, {dim}, 2)",
                f"{index} in range(1, {dim})",
            )
        )
    return f"for {', '.join(ranges)}{guard}: "


def update(sketch: Sketch) -> None:
    """A loop that writes a new array, or one again."""
    order = list(sketch.draw(st.permutations(list(INDICES)))[: sketch.draw(st.integers(0, 3))])
    bound = set(order)
    again = sorted(sketch.written)
    if again and sketch.pick(True, False, False):
        name = sketch.pick(*again)
        dims = sketch.written[name]
        target = [subscript(sketch, d, bound) for d in dims]
        if any(sketch.sizes[d] == 0 for d in dims) and not all(t in INDICES for t in target):
            return
    else:
        name = sketch.fresh()
        dims = tuple(d for d in sketch.dims(0, 2) if index_of(d) in bound)
        target = [index_of(d) for d in dims]
        sketch.lines.append(f"dim {name}[{', '.join(dims)}]" if dims else f"dim {name}[]")
        sketch.written[name] = dims
    cell = f"{name}[{','.join(target)}]" if target else name
    op = sketch.pick("=", "+=", "+=", "-=", "max=", "min=")
    guard = f" if {condition(sketch, bound)}" if sketch.pick(True, False) and bound else ""
    value = expression(sketch, bound)
    fits = all(any(i in t for t in target) for i in order)
    if op == "=" and not fits:
        op = "+="
    if op in ("max=", "min="):
        sketch.lines.append(start(sketch, name, dims))
    line = header(sketch, order, guard) if order else ""
    sketch.lines.append(f"{line}{cell} {op} {value}")
    sketch.arrays[name] = dims


def start(sketch: Sketch, name: str, dims: tuple[str, ...]) -> str:
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
    sketch.lines.append(f"dim {name}[{', '.join(dims)}]")
    value = expression(sketch, bound, 1)
    sign = sketch.pick("+", "-")
    form = sketch.pick("line", "block")
    previous = f"{name}[t-1{tail}]"
    if inner and sketch.pick(True, False):
        op = sketch.pick("max", "min", "sum")
        previous = f"max(-9, min(9, {op}[a < M]({name}[t-1,a] + j)))"
    if form == "line":
        sketch.lines.append(
            f"for {step}{inner}: {name}[t{tail}] = min(9, {previous} {sign} {value})"
        )
    else:
        other = sketch.fresh()
        sketch.lines.append(f"dim {other}[{', '.join(dims)}]")
        sketch.lines.append(
            f"for {step}{inner}:\n"
            f"    {other}[t{tail}] = {value} {sign} t\n"
            f"    {name}[t{tail}] = max(-9, min(9, {previous} + {other}[t{tail}]))"
        )
        sketch.arrays[other] = dims
        sketch.written[other] = dims
    sketch.arrays[name] = dims
    sketch.written[name] = dims


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
        if draw(st.integers(0, 4)) == 0:
            recurrence(sketch)
        else:
            update(sketch)
    rng = np.random.default_rng(draw(st.integers(0, 3)))
    arrays: dict[str, np.ndarray] = {}
    for name, dims in given.items():
        arrays[name] = rng.integers(-2, 4, [sizes[d] for d in dims]).astype(float)
    for dim, size in sizes.items():
        arrays[f"p{dim}"] = rng.integers(0, max(size, 1), size)
    declared = [f"{n}[{', '.join(d)}]" if d else n for n, d in given.items()]
    declared += [f"p{d}[{d}]: int" for d in sizes]
    outputs = ", ".join(sketch.written) or "one"
    head = [f"input {', '.join(declared)}", f"output {outputs}"]
    return Case("\n".join([*head, *sketch.lines]) + "\n", arrays)

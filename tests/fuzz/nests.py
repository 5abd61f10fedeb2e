"""Blocks of any shape: loops within loops, statements between them, arrays that all of them share.

Every array may be read and written anywhere, so that dependences of every kind and distance come up.
"""

from __future__ import annotations

from .expressions import condition, expression, inner_range, subscript
from .sketch import INDICES, Bound, Scope, Sketch, cell

POOL: tuple[tuple[str, ...], ...] = (
    ("N",), ("N",), ("M",), ("K",), ("N", "M"), ("N", "N"), ("K", "N"), (), ("N", "M", "K"),
)  # fmt: skip
"""Shapes of the arrays of a nest."""

STATEMENTS = 4
"""The most statements of a nest."""

GROWN = 2500
"""A bound of what is added up in a nest: 3 a step, in four loops, in all statements."""


def nest(sketch: Sketch) -> None:
    """Loops round statements that read and write a few shared arrays."""
    own: dict[str, bool] = {}
    for _ in range(sketch.rng.choice((1, 2, 2, 3))):
        name = sketch.fresh()
        dims = sketch.rng.choice(POOL)
        sketch.declare(name, dims)
        own[name] = sketch.chance(60)
        if own[name]:
            _begin(sketch, name, dims)
        sketch.holds(name, dims, GROWN)
    made = Nest(sketch, own, sketch.rng.randint(2, STATEMENTS))
    made.loop({}, "")
    for name in sorted(own.keys() - made.written):
        if not own[name]:
            _begin(sketch, name, sketch.written[name])


def _begin(sketch: Sketch, name: str, dims: tuple[str, ...]) -> None:
    """Give an array values before the nest."""
    indices = ("i", "j", "k")[: len(dims)]
    ranges = ", ".join(f"{n} < {d}" for n, d in zip(indices, dims, strict=True))
    head = f"for {ranges}: " if ranges else ""
    value = sketch.pick("1", "2", *indices, *(f"3 - 2*{n}" for n in indices))
    sketch.lines.append(f"{head}{cell(name, list(indices))} = {value}")


class Nest:
    """A nest under construction.

    Attributes:
        own: its arrays, and whether they have a value before it.
        left: how many statements are still to come.
        written: the arrays that have a statement.
    """

    def __init__(self, sketch: Sketch, own: dict[str, bool], left: int) -> None:
        self.sketch = sketch
        self.own = own
        self.left = left
        self.written: set[str] = set()

    def loop(self, scope: Scope, indent: str) -> None:
        """Add a loop and what is in it."""
        sketch = self.sketch
        free = [n for n in INDICES if n not in scope]
        inside = dict(scope)
        ranges = []
        for name in sketch.rng.sample(free, sketch.rng.choice((1, 1, 2))):
            text, bound = f"{name} < {INDICES[name]}", Bound(INDICES[name])
            if sketch.chance(40):
                text, bound = inner_range(sketch, name, inside)
            ranges.append(text)
            inside[name] = bound
        guard = f" if {condition(sketch, inside)}" if sketch.chance(20) else ""
        sketch.lines.append(f"{indent}for {', '.join(ranges)}{guard}:")
        self.body(inside, f"{indent}    ")

    def body(self, scope: Scope, indent: str) -> None:
        """Add one to three statements, loops or guards."""
        for _ in range(self.sketch.rng.choice((1, 2, 2, 3))):
            if self.left < 1:
                break
            kind = self.sketch.some(
                "nest:", update=5, loop=2 if len(scope) < 3 and len(indent) < 12 else 0, guard=1
            )
            if kind == "loop":
                self.loop(scope, indent)
            elif kind == "guard" and len(indent) < 16:
                self.sketch.lines.append(f"{indent}if {condition(self.sketch, scope)}:")
                self.update(scope, f"{indent}    ")
                if self.left and self.sketch.chance(30):
                    self.update(scope, f"{indent}    ")
            else:
                self.update(scope, indent)
        if self.sketch.lines[-1].endswith(":"):
            self.update(scope, indent)

    def update(self, scope: Scope, indent: str) -> None:
        """Add a statement that writes one of the nest's arrays."""
        sketch = self.sketch
        self.left -= 1
        name = sketch.pick(*self.own)
        self.written.add(name)
        at = [subscript(sketch, d, scope, "write") for d in sketch.arrays[name].dims]
        ops = ["=", "=", "=", "+=", "+=", "-=", "*="] + ["max=", "min="] * self.own[name]
        op = sketch.pick(*ops)
        sketch.note(f"nest:op:{op}")
        value = expression(sketch, scope, sketch.rng.choice((1, 1, 2))).text
        high = {"*=": 1, "+=": 3, "-=": 3}.get(op, 9)
        if sketch.smooth:
            value = f"{high} * tanh({value} / 9)"
        else:
            value = f"clip({value}, -{high}, {high})"
        sketch.lines.append(f"{indent}{cell(name, at)} {op} {value}")

"""A random program under construction: what is in scope, and how large its values can become.

Every expression knows a bound of its absolute value. Where values are small whole numbers, sums and
products stay whole numbers far below 2**53, so that results are equal bit for bit whatever the order
of the additions.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

INDICES = {"i": "N", "j": "M", "k": "K", "a": "N", "b": "M", "c": "K"}
"""Index names and the dims that they run over."""

MOST = 4
"""The largest extent."""

LIMIT = 2**20
"""No value in an expression is larger."""


@dataclass(frozen=True)
class Bound:
    """The range of an index in scope: at least `low`, at most its dim less 1 less `high`."""

    dim: str
    low: int = 0
    high: int = 0


Scope = dict[str, Bound]


@dataclass(frozen=True)
class Term:
    """The text of an expression that needs no brackets, and a bound of its absolute value."""

    text: str
    size: int = 1


@dataclass(frozen=True)
class Known:
    """An array that may be read: its dims, a bound of its values, and their kind."""

    dims: tuple[str, ...]
    size: int = 3
    kind: str = "float"


@dataclass
class Sketch:
    """A program under construction."""

    rng: random.Random
    smooth: bool = False
    wild: bool = False
    gradient: bool = False
    placed: bool = False
    sizes: dict[str, int] = field(default_factory=dict)
    arrays: dict[str, Known] = field(default_factory=dict)
    inputs: dict[str, Known] = field(default_factory=dict)
    complexes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    written: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    defs: list[str] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    count: int = 0
    ragged: bool = False

    def pick(self, *options: str) -> str:
        return self.rng.choice(options)

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def some(self, prefix: str = "", /, **weights: int) -> str:
        """Draw a production by weight, and count it."""
        names = [n for n, w in weights.items() if w]
        name = self.rng.choices(names, [weights[n] for n in names])[0]
        self.note(f"{prefix}{name}")
        return name

    def note(self, production: str) -> None:
        self.used[production] += 1

    def fresh(self) -> str:
        self.count += 1
        return f"t{self.count}"

    def declare(self, name: str, dims: tuple[str, ...]) -> None:
        """Add an array of a given shape."""
        if dims:
            self.lines.append(f"dim {name}[{', '.join(dims)}]")
        self.written[name] = dims

    def holds(self, name: str, dims: tuple[str, ...], size: int, kind: str = "float") -> None:
        """Let later expressions read an array."""
        self.arrays[name] = Known(dims, min(size, LIMIT), kind)


def cell(name: str, at: list[str]) -> str:
    """Return the text of an access."""
    return f"{name}[{','.join(at)}]" if at else name


def index_of(dim: str, scope: Scope) -> str | None:
    """Return an index in scope that runs over a dim."""
    return next((i for i, b in scope.items() if b.dim == dim), None)

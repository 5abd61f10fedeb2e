"""Programs over the points of triangles and bands: attentions, pairs of points, triangular matrices.

Random arrays over rows and columns are made of each other, mostly under one condition, summed over
columns, rows or both, and multiplied with matrices; some cells are not finite. The gradients, as
loops, are run by the reference.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from loopc.api.program import Program
from loopc.diagnostics.errors import LoopcError

from .judge import OK, Verdict, at, compiled, crash
from .programs import Case

CONDITIONS = (
    "j <= i",
    "j < i",
    "i <= j",
    "i < j",
    "j >= i - 1",
    "j <= i + 1",
    "i - j < 2 and j <= i",
    "j - i < 3 and i <= j",
    "i > j + 1",
    "j <= i and j >= i - 2",
    "abs(i - j) <= 2",
    "3 > abs(j - i + 1)",
)
STARTS = (
    ("i,j,d", "+= q[{b}i,d] k[{b}j,d]"),
    ("i,j,d", "+= (q[{b}i,d] - k[{b}j,d])**2"),
    ("i,j", "= M[i,j] q[{b}i,0]"),
    ("i,j", "= u[i] - w[j] q[{b}j,0]"),
)
FUNCTIONS = (
    "exp({} / 4)",
    "tanh({})",
    "2 {}",
    "max(0, {})",
    "u[i] {}",
    "w[j] {}",
    "{} + u[i]",
    "1 / (2 + {}**2)",
    "sigmoid({})",
)
WRT = ("q", "k", "v", "M", "u", "w")


@dataclass
class _Text:
    """A program under construction; `batch`: what stands before its rows."""

    rng: random.Random
    batch: str
    condition: str
    lines: list[str] = field(default_factory=list)
    matrices: list[str] = field(default_factory=list)
    sums: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0

    def add(self, indices: str, statement: str, often: float = 0.7) -> None:
        """Add a statement, mostly under the condition."""
        under = self.condition if self.rng.random() < often else ""
        if not under and self.rng.random() < 0.4:
            under = self.rng.choice(CONDITIONS)
        head = f" if {under}:" if under else " "
        self.lines.append(f"for {self.batch}{indices}{head} {statement}")

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def matrix(self) -> str:
        return f"{self.rng.choice(self.matrices)}[{self.batch}i,j]"

    def made(self, name: str) -> str:
        """Return the cell of a new array over rows and columns."""
        self.matrices.append(name)
        return f"{name}[{self.batch}i,j]"

    def start(self) -> None:
        indices, value = self.rng.choice(STARTS)
        self.add(indices, f"{self.made(self.fresh('s'))} {value.format(b=self.batch)}", 0.4)

    def function(self) -> None:
        of = self.rng.choice(FUNCTIONS).format(self.matrix())
        if self.rng.random() < 0.2:
            of = f"{self.matrix()} {self.matrix()}"
        self.add("i,j", f"{self.made(self.fresh('e'))} = {of}")

    def shares(self) -> None:
        term = self.matrix()
        target = self.made(self.fresh("P"))
        line = f"{target} = softmax[j if {self.condition}]({term})"
        self.lines.append(f"for {self.batch}i,j  {line}")

    def rows(self) -> None:
        name, term = self.fresh("z"), self.matrix()
        if self.rng.random() < 0.3:
            line = f"{name}[{self.batch}i] = max[j if {self.condition}]({term})"
            self.lines.append(f"for {self.batch}i  {line}")
        else:
            self.add("i,j", f"{name}[{self.batch}i] += {term}")
            if self.rng.random() < 0.6:
                over = f"{self.matrix()} / (2 + {name}[{self.batch}i]**2)"
                self.add("i,j", f"{self.made(self.fresh('n'))} = {over}")
        self.sums.append((name, f"{self.batch}i"))

    def columns(self) -> None:
        name = self.fresh("y")
        self.add("i,j", f"{name}[{self.batch}j] += {self.matrix()} u[i]")
        self.sums.append((name, f"{self.batch}i"))

    def product(self) -> None:
        name = self.fresh("o")
        to, of = self.rng.choice((("i", "j"), ("j", "i")))
        term = f"{self.matrix()} v[{self.batch}{of},d]"
        self.add("i,j,d", f"{name}[{self.batch}{to},d] += {term}")
        self.sums.append((name, f"{self.batch}i,d"))

    def total(self) -> None:
        factor = self.rng.choice(("u[i]", "w[j]", "M[i,j]", "0.5"))
        self.add("i,j", f"L += {self.matrix()} {factor}")


def case(rng: random.Random) -> Case:
    """Return a program over a triangle, and arrays."""
    batched = rng.random() < 0.35
    text = _Text(rng, "b," if batched else "", rng.choice(CONDITIONS))
    text.start()
    for _ in range(rng.randint(1, 5)):
        steps = (text.start, text.shares, text.rows, text.columns, text.total)
        rng.choice((*steps, text.function, text.function, text.product, text.product))()
    for name, indices in text.sums:
        text.lines.append(f"for {indices}  L += {name}[{indices}] {rng.choice(('g', 'h'))}")
    text.add("i,j", f"L += {text.matrices[-1]}[{text.batch}i,j] M[i,j]", 0.5)
    also = f", {rng.choice(text.matrices)}" if rng.random() < 0.25 else ""
    front = "B," if batched else ""
    given = ", ".join(f"{n}[{front}T,D]" for n in "qkv")
    head = f"input {given}, M[T,T], u[T], w[T], g, h"
    program = "\n".join([head, *text.lines, f"output L{also}", ""])
    return Case(program, _arrays(rng, (rng.randint(1, 3),) if batched else ()), smooth=True)


def _arrays(rng: random.Random, front: tuple[int, ...]) -> dict[str, np.ndarray]:
    extent, depth = rng.randint(2, 9), rng.randint(1, 3)
    shapes = dict.fromkeys("qkv", (*front, extent, depth))
    shapes |= {"M": (extent, extent), "u": (extent,), "w": (extent,), "g": (), "h": ()}
    cells = np.random.default_rng(rng.randrange(1 << 30))
    arrays = {n: np.asarray(cells.standard_normal(shape)) for n, shape in shapes.items()}
    if rng.random() < 0.2:
        array = arrays[rng.choice(WRT)]
        array.flat[rng.randrange(array.size)] = rng.choice((np.inf, -np.inf, np.nan, 1e200))
    return arrays


def judge_triangle(made: Case, seed: int) -> Verdict:
    """Return whether a program and its gradients are what the reference makes of them.

    Where cells are not finite, NaN and inf may stand for each other.
    """
    arrays = made.arrays
    finite = all(np.isfinite(a).all() and np.max(np.abs(a)) < 1e100 for a in arrays.values())
    try:
        program = compiled(made.text)
        expected = _results(at(program, backend="reference", wrt=WRT, loss="L"), arrays)
    except LoopcError as error:
        return Verdict("rejected", error.code, str(error))
    fast = at(program, wrt=WRT, loss="L")
    try:
        found = _results(fast, arrays)
        wrong = _difference(found, expected, finite=finite)
        if not wrong and seed % 4 == 0:
            wrong = _difference(_specialized(fast, arrays), found, finite=True)
    except Exception as error:
        return crash("opt2", error)
    return Verdict("failed", f"{wrong} differs", f"{found}\n{expected}") if wrong else OK


def _results(program: Program, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    values, gradients = program.value_and_grad(_given(program, arrays))
    named = {f"{n}.grad": gradients[n] for n in gradients}
    return {**{n: np.asarray(values[n]) for n in values}, **named}


def _specialized(program: Program, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the results of a specialised program's second call, gradients in given arrays."""
    fast = program.specialize(_given(program, arrays))
    ordered = [arrays[n] for n in program.inputs]
    _, first = fast.value_and_grad(*ordered)
    out = {n: np.full_like(first[n], 7) for n in first if first[n].shape}
    values, gradients = fast.value_and_grad(*ordered, out=({}, out))
    named = {f"{n}.grad": gradients[n] for n in gradients}
    return {**{n: np.asarray(values[n]) for n in values}, **named}


def _given(program: Program, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n: a for n, a in arrays.items() if n in program.inputs}


def _difference(
    found: dict[str, np.ndarray], expected: dict[str, np.ndarray], *, finite: bool
) -> str:
    """Return the first array that differs; where not all is finite, what is finite may alone."""
    for name in expected:
        value, other = expected[name], found[name]
        if not finite:
            known = np.isfinite(value) & (np.abs(value) < 1e100)
            if (np.isfinite(other) & (np.abs(other) < 1e100) != known).any():
                return name
            value, other = value[known], other[known]
        size = float(np.max(np.abs(value), initial=1, where=np.isfinite(value)))
        if not np.allclose(other, value, rtol=1e-7, atol=1e-8 * size, equal_nan=True):
            return name
    return ""

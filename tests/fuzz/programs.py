"""A random program with arrays that fit it."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from .sketch import Known, Sketch
from .statements import statement

EXTENTS = (0, 1, 1, 2, 2, 3, 3, 3, 4)
LARGER = (0, 1, 2, 3, 4, 5)
"""Extents of a second call, where those of the first are not larger: a constant subscript stays inside."""

DIMS = ("N", "M", "K")


WIDTHS = ("int64", "int64", "int32", "int16")


@dataclass(frozen=True)
class Case:
    """A program, the arrays of a call, those of further calls, and what the program is made of."""

    text: str
    arrays: dict[str, np.ndarray]
    others: tuple[dict[str, np.ndarray], ...] = ()
    used: Counter[str] = field(default_factory=Counter)
    smooth: bool = False
    exact: bool = True

    def __repr__(self) -> str:
        shapes = "\n".join(f"{n} = {a.dtype} {a.tolist()}" for n, a in self.arrays.items())
        return f"{self.text}\n{shapes}"


def case(
    rng: random.Random, *, smooth: bool = False, gradient: bool = False, placed: bool = False
) -> Case:
    """Return a program of a few statements.

    Args:
        rng: where choices come from.
        smooth: all functions and real numbers, else whole numbers alone.
        gradient: whether it is to be differentiated: no infinities, arrays of floats only.
        placed: whether most statements are bare reductions.
    """
    sketch = Sketch(rng, smooth=smooth, gradient=gradient, placed=placed)
    sketch.wild = not gradient and rng.randrange(100) < 8
    sketch.sizes = {d: rng.choice(EXTENTS) for d in DIMS}
    _inputs(sketch)
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
        statement(sketch)
    arrays = _arrays(sketch)
    first = sketch.sizes
    sketch.sizes = {d: max(n, rng.choice(LARGER)) for d, n in first.items()}
    others = () if gradient or sketch.sizes == first else (_arrays(sketch),)
    exact = "statement:backward" not in sketch.used
    return Case(_text(sketch), arrays, others, sketch.used, smooth, exact)


def _inputs(sketch: Sketch) -> None:
    rng = sketch.rng
    pool = [
        (),
        ("N",),
        ("M",),
        ("K",),
        ("N", "M"),
        ("M", "N"),
        ("N", "K"),
        ("N", "N"),
        ("K", "M"),
        ("N", "M", "K"),
    ]
    for number in range(rng.choice((1, 2, 2, 3))):
        sketch.inputs[f"x{number}"] = Known(rng.choice(pool))
    if not sketch.wild and rng.randrange(100) < (10 if sketch.gradient else 30):
        kind = rng.choice(("int", "bool"))
        sketch.inputs["n0"] = Known(rng.choice(pool[1:8]), 3 if kind == "int" else 1, kind)
    sketch.inputs["one"] = Known(DIMS)  # names every dim
    sketch.arrays.update(sketch.inputs)


def _arrays(sketch: Sketch) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(sketch.rng.randrange(2**32))
    sizes = sketch.sizes
    arrays: dict[str, np.ndarray] = {}
    single = sketch.rng.randrange(100) < 12
    for name, known in sketch.inputs.items():
        shape = [sizes[d] for d in known.dims]
        if known.kind == "float":
            values = rng.standard_normal(shape) if sketch.smooth else rng.integers(-2, 4, shape)
            dtype = "float32" if single and sketch.rng.randrange(3) else "float64"
            arrays[name] = np.asarray(values).astype(dtype)
            if sketch.wild and name != "one":
                _spoil(sketch, arrays[name])
        elif known.kind == "complex":
            parts = rng.integers(-2, 3, (2, *shape)).astype("float32" if single else "float64")
            arrays[name] = np.asarray(parts[0] + 1j * parts[1])
        elif known.kind == "int":
            arrays[name] = np.asarray(rng.integers(-2, 4, shape)).astype(sketch.pick(*WIDTHS))
        else:
            arrays[name] = np.asarray(rng.integers(0, 2, shape)).astype(bool)
    for dim, size in sizes.items():
        arrays[f"p{dim}"] = rng.integers(0, max(size, 1), size)
        arrays[f"q{dim}"] = rng.integers(-2, size + 2, size)
    arrays["ptr"] = np.sort(rng.integers(0, sizes["K"] + 1, sizes["N"] + 1))
    arrays["row"] = rng.integers(0, max(sizes["N"], 1), sizes["K"])
    arrays["steps"] = np.asarray(rng.integers(0, 3))
    mentioned = _mentioned("\n".join(sketch.lines))
    return {n: a for n, a in arrays.items() if n in mentioned}


def _mentioned(text: str) -> set[str]:
    """Return the names in a text, and that of the input that is always there."""
    return {"one", *re.findall(r"[^\W_]+", text)}


def _spoil(sketch: Sketch, array: np.ndarray) -> None:
    """Put something that is no number into an array."""
    for position in np.ndindex(array.shape):
        if sketch.rng.randrange(4) == 0:
            array[position] = sketch.rng.choice((np.inf, -np.inf, np.nan, 0.0, -0.0))


def _text(sketch: Sketch) -> str:
    lines = "\n".join(sketch.lines)
    mentioned = _mentioned(lines)
    declared = []
    for name, known in sketch.inputs.items():
        if name in mentioned:
            shape = f"[{', '.join(known.dims)}]" if known.dims else ""
            kind = "" if known.kind == "float" else f": {known.kind}"
            declared.append(f"{name}{shape}{kind}")
    others = [f"{letter}{d}[{d}]: int" for d in DIMS for letter in "pq"]
    others += ["ptr[N+1]: int", "row[K]: int", "steps: int"]
    declared += [d for d in others if d.split(":")[0].split("[")[0] in mentioned]
    outputs = ", ".join(_outputs(sketch)) or "one"
    head = [*sketch.defs, f"input {', '.join(declared)}", f"output {outputs}"]
    return "\n".join([*head, lines]) + "\n"


def _outputs(sketch: Sketch) -> list[str]:
    """Return all arrays that are written, or some: what no one sees need not be computed."""
    names = list(sketch.written)
    if len(names) < 2 or sketch.chance(40):
        return names
    sketch.note("outputs:some")
    last = names[-sketch.rng.choice((1, 1, 2, 3)) :]
    return [n for n in names if n in last or sketch.chance(15)]

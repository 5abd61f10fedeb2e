"""Random nests that read what they write at other points: the order of their loops shows."""

from __future__ import annotations

from .expressions import Bound, expression
from .sketch import Sketch, cell

STEPS = ("-1", "", "", "+1")


def sweep(sketch: Sketch) -> None:
    """Arrays of one to three axes, changed by their own cells at any shift, turn or fixed place."""
    names = ["i", "j", "k"][: sketch.rng.choice((2, 2, 3))]
    arrays = [_started(sketch, names)]
    if sketch.chance(40):
        arrays.append(_started(sketch, names[: sketch.rng.choice((1, len(names)))]))
    ranges = (
        f"{n} in {'reversed(range(1, N - 1))' if sketch.chance(40) else 'range(1, N - 1)'}"
        for n in names
    )
    sketch.lines.append(f"for {', '.join(ranges)}:")
    for _ in range(sketch.rng.choice((1, 1, 1, 2, 3))):
        target = _cell(sketch, arrays, names)
        op = sketch.some("sweep:", **{"=": 5, "+=": 2, "max=": 1})
        terms = " - ".join(
            _cell(sketch, arrays, names) for _ in range(sketch.rng.choice((1, 1, 2)))
        )
        value = f"clip({terms} + {sketch.pick('1', '2 i', names[-1])}, -9, 9)"
        sketch.lines.append(f"    {_guard(sketch, names)}{target} {op} {value}")
    for name, axes in arrays:
        inner = ", ".join(f"{n} < N" for n in names[:axes])
        own = cell(name, names[:axes])
        sketch.lines.append(f"for {inner}: {own} = clip({own}, -99, 99)")
        sketch.holds(name, ("N",) * axes, 100)


def _started(sketch: Sketch, names: list[str]) -> tuple[str, int]:
    """Add an array with an axis for each of `names`, all of its cells given a value."""
    name = sketch.fresh()
    sketch.declare(name, ("N",) * len(names))
    first = expression(sketch, {n: Bound("N") for n in names}, 1)
    inner = ", ".join(f"{n} < N" for n in names)
    sketch.lines.append(f"for {inner}: {cell(name, names)} = clip({first.text}, -4, 4)")
    return name, len(names)


def _cell(sketch: Sketch, arrays: list[tuple[str, int]], names: list[str]) -> str:
    name, axes = sketch.rng.choice(arrays)
    order = list(names)
    if sketch.chance(25):
        sketch.rng.shuffle(order)
    fixed = ("1", "2") if sketch.sizes["N"] > 2 else ()  # cells that are there, though no loop runs
    places = (sketch.pick(*[n + sketch.pick(*STEPS)] * 5, f"N-1-{n}", *fixed) for n in order[:axes])
    return cell(name, list(places))


def _guard(sketch: Sketch, names: list[str]) -> str:
    if not sketch.chance(40):
        return ""
    a, b = sketch.rng.sample(names, 2)
    return sketch.pick(f"if {a} >= {b}: ", f"if {a} > {b}: ", f"if {a} + {b} < N: ")

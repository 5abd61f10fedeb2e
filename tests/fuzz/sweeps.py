"""Random nests that read what they write at other points: the order of their loops shows."""

from __future__ import annotations

from dataclasses import dataclass

from .expressions import Bound, expression
from .sketch import Sketch, cell

STEPS = ("-1", "", "", "+1")


def sweep(sketch: Sketch) -> None:
    """Arrays of one to three axes, changed by their own cells at any shift, turn or fixed place."""
    if sketch.chance(50):
        stencil(sketch)
        return
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


@dataclass(frozen=True)
class _Stencil:
    """Two arrays of rows that change step by step; the first one may have a plane for each step.

    Attributes:
        names: of the arrays.
        steps: how many.
        read: of each array, the subscript of the plane that a step reads: `t,`, or nothing.
        written: likewise, of the plane that it writes.
    """

    names: tuple[str, str]
    steps: str
    read: dict[str, str]
    written: dict[str, str]


def stencil(sketch: Sketch) -> None:
    """Rows and columns of two arrays that change each other, step by step."""
    names = (sketch.fresh(), sketch.fresh())
    steps = sketch.pick("2", "3", "K")
    plane = sketch.pick("", "", "t", f"{steps}-1-t")
    back = plane.startswith(steps)
    for name in names:
        planes = bool(plane) and name == names[0]
        first = expression(sketch, {"i": Bound("N"), "j": Bound("M")}, 1)
        sketch.lines.append(f"dim {name}[{f'{steps}+1, ' if planes else ''}N+3, M]")
        at = f"{steps if back else 0}, " if planes else ""
        sketch.lines.append(f"for i < N, j < M: {name}[{at}i+1,j] = clip({first.text}, -4, 4)")
    ends = (f"{plane}+1,", f"{plane},") if back else (f"{plane},", f"{plane}+1,")
    read, written = ({names[0]: end if plane else "", names[1]: ""} for end in ends)
    made = _Stencil(names, steps, read, written)
    turned = not plane and sketch.chance(30)
    sketch.lines.append(f"for t in {f'reversed(range({steps}))' if turned else f'range({steps})'}:")
    for _ in range(sketch.rng.choice((1, 2, 2, 3, 4))):
        sketch.lines.append(f"    {_change(sketch, made)}")
    for name in names:
        found = sketch.fresh()
        lead = sketch.pick("0,", f"{steps},") if plane and name == names[0] else ""
        sketch.declare(found, ("N", "M"))
        value = f"clip({name}[{lead}i,j] + 3 {name}[{lead}i+2,j], -99, 99)"
        sketch.lines.append(f"for i < N, j < M: {found}[i,j] = {value}")
        sketch.holds(found, ("N", "M"), 100)


def _change(sketch: Sketch, of: _Stencil) -> str:
    """Return a statement that changes the inside of an array, a row of it, or a column."""
    name = sketch.rng.choice(of.names)
    kind = sketch.some("stencil:", inside=6, row=2, column=1)
    op = sketch.some("stencil:", **{"=": 4, "+=": 4, "max=": 1})
    i, j = (n if op == "=" else sketch.pick(n, n, f"{n}-1", f"{n}+1") for n in "ij")
    loops = "i in range(1, N+2), j in range(1, M-1)"
    if kind == "row":
        target, cells = (sketch.pick("0", "1", "2"), "j"), (sketch.pick("0", "1", "3-1"), "j")
        loops = "j < M"
    elif kind == "column":
        target, cells = (i, sketch.pick("0", "M-1")), (sketch.pick("i", "i-1"), "0")
        loops = "i in range(1, N+2) if M > 1"
    else:
        target, cells = (i, j), (sketch.pick("i", "i-1", "i+1"), sketch.pick("j", "j+1"))
    terms = [_row_read(sketch, of, name, *at) for at in (cells, (cells[0], target[1]))]
    value = " - ".join(terms[: sketch.rng.choice((1, 2))])
    value = f"clip({value} + {'t' if kind == 'row' else sketch.pick('t', '1', 'i')}, -9, 9)"
    plane = sketch.rng.choice((*[of.written] * 5, of.read))[name]
    return f"for {loops}: {name}[{plane}{target[0]},{target[1]}] {op} {value}"


def _row_read(sketch: Sketch, of: _Stencil, target: str, i: str, j: str) -> str:
    """Return a read, most often of the array that is not written."""
    name = target if sketch.chance(25) else next(n for n in of.names if n != target)
    plane = sketch.rng.choice((of.read, of.read, of.read, of.written))[name]
    return f"{name}[{plane}{i},{j}]"


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

"""Random nests that read what they write at other points: the order of their loops shows."""

from __future__ import annotations

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


def stencil(sketch: Sketch) -> None:
    """Arrays of rows, two or with a plane for each step, that change each other step by step."""
    rows, names = "N+3", [sketch.fresh(), sketch.fresh()]
    steps = sketch.pick("2", "3", "K")
    planes = sketch.pick("", "", "t", f"{steps}-1-t")  # of the plane that a step reads
    back = planes.startswith(steps)
    for number, name in enumerate(names):
        first = expression(sketch, {"i": Bound("N"), "j": Bound("M")}, 1)
        plane = (f"{steps}" if back else "0") if planes and not number else ""
        lead = f"{steps}+1, " if plane else ""
        at = f"{plane}, " if plane else ""
        sketch.lines.append(f"dim {name}[{lead}{rows}, M]")
        inner = f"i < N, j < M: {name}[{at}i+1,j]"
        sketch.lines.append(f"for {inner} = clip({first.text}, -4, 4)")
    before = {names[0]: f"{planes}+1," if back else f"{planes},", names[1]: ""}
    after = {names[0]: f"{planes}," if back else f"{planes}+1,", names[1]: ""}
    if not planes:
        before = after = dict.fromkeys(names, "")

    def read(target: str, i: str, j: str) -> str:
        name = target if sketch.chance(25) else next(n for n in names if n != target)
        lead = sketch.rng.choice((before, before, before, after))[name]
        return f"{name}[{lead}{i},{j}]"

    turned = not planes and sketch.chance(30)
    sketch.lines.append(f"for t in {f'reversed(range({steps}))' if turned else f'range({steps})'}:")
    for _ in range(sketch.rng.choice((1, 2, 2, 3, 4))):
        name = sketch.rng.choice(names)
        kind = sketch.some("stencil:", inside=6, row=2, column=1)
        op = sketch.some("stencil:", **{"=": 4, "+=": 4, "max=": 1})
        i, j = (n if op == "=" else sketch.pick(n, n, f"{n}-1", f"{n}+1") for n in "ij")
        loops = {"inside": "i in range(1, N+2), j in range(1, M-1)", "row": "j < M"}
        if kind == "row":
            target, cells = (sketch.pick("0", "1", "2"), "j"), (sketch.pick("0", "1", "3-1"), "j")
        elif kind == "column":
            target, cells = (i, f"{sketch.pick('0', 'M-1')}"), (sketch.pick("i", "i-1"), "0")
        else:
            target, cells = (i, j), (sketch.pick("i", "i-1", "i+1"), sketch.pick("j", "j+1"))
        terms = [read(name, *cells), read(name, cells[0], target[1])][: sketch.rng.choice((1, 2))]
        value = f"clip({' - '.join(terms)} + {sketch.pick('t', '1', 'i') if kind != 'row' else 't'}, -9, 9)"
        lead = sketch.rng.choice((*[after] * 5, before))[name]
        head = loops.get(kind, "i in range(1, N+2)") + (" if M > 1" if kind == "column" else "")
        sketch.lines.append(f"    for {head}: {name}[{lead}{target[0]},{target[1]}] {op} {value}")
    for number, name in enumerate(names):
        found = sketch.fresh()
        lead = sketch.pick("0,", f"{steps},") if planes and not number else ""
        sketch.declare(found, ("N", "M"))
        read_ = f"{name}[{lead}i,j] + 3 {name}[{lead}i+2,j]"
        sketch.lines.append(f"for i < N, j < M: {found}[i,j] = clip({read_}, -99, 99)")
        sketch.holds(found, ("N", "M"), 100)


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

"""What became of a statement: array operations, contractions, and the loops that are left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loopc.analysis.dependence import Leaf, carriers, leaves
from loopc.backends.numpy.contractions import letters
from loopc.diagnostics.record import record, replace
from loopc.ir.nodes import Program, Stmt
from loopc.ir.visit import updates
from loopc.lower.notes import source_line
from loopc.lower.plan import (
    Along,
    Contract,
    Fold,
    Gather,
    Loop,
    Note,
    Numbers,
    Overlap,
    Planes,
    Running,
    Scatter,
    Selected,
    Step,
    Strided,
    Strips,
    Sweep,
    Tile,
    View,
    When,
)
from loopc.lower.plan_visit import is_value, walk
from loopc.lower.program import lower


@record()
class Left:
    """A Python-level loop that is left.

    Attributes:
        index: over which index.
        carried_by: the arrays through which an iteration depends on earlier ones.
    """

    index: str
    carried_by: tuple[str, ...]

    def __str__(self) -> str:
        why = f" ({', '.join(self.carried_by)})" if self.carried_by else ""
        return f"{self.index}{why}"


@record()
class Lowered:
    """What an update was lowered to.

    Attributes:
        leaf: the update, in its loops.
        how: kinds of operations, each once.
        specs: its contractions, as in `numpy.einsum`.
        loops: the Python-level loops, from the outside in.
    """

    leaf: Leaf
    how: tuple[str, ...]
    specs: tuple[str, ...]
    loops: tuple[Left, ...]


def lowered(program: Program, stmt: Stmt, opt: int) -> list[Lowered]:
    """Return what the updates of a statement of a program are lowered to, in the text's order."""
    block = leaves((stmt,))
    steps = lower(_only(program, stmt), {}, opt, uniform=True).steps
    parts: dict[str, list[_Part]] = {}
    for part in _parts(steps, "", ()):
        parts.setdefault(part.note, []).append(part)
    why = carriers(block) if any(p.around for own in parts.values() for p in own) else {}
    every = tuple(dict.fromkeys(a for arrays in why.values() for a in arrays))
    found: list[Lowered] = []
    for leaf in block:
        own = parts.get(source_line(leaf), [])
        names = dict.fromkeys(name for p in own for name in p.around)
        how = dict.fromkeys(k for p in own for k in _how(p, opt))
        loops = tuple(Left(_shown(name, why), why.get(name, every)) for name in names)
        specs = dict.fromkeys(s for p in own for s in _specs(p.step))
        found.append(Lowered(leaf, tuple(how) or ("elementwise",), tuple(specs), loops))
    return found


@record()
class _Part:
    """A step, the note that it stands under, and the serial loops round it."""

    note: str
    step: Step
    around: tuple[str, ...]


def _parts(steps: Sequence[Step], note: str, around: tuple[str, ...]) -> Iterator[_Part]:
    for step in steps:
        if isinstance(step, Note):
            note = step.text
        elif isinstance(step, Loop):
            yield from _parts(step.body, note, (*around, step.index))
        elif isinstance(step, Sweep):
            stages = [s for stage in step.body for s in stage.tile.body]
            yield from _parts(stages, note, (*around, step.index))
        elif isinstance(step, Planes):
            yield from _parts(step.body, note, (*around, "plane°"))
        elif isinstance(step, Numbers | Strips | Tile | When):
            yield from _parts(step.body, note, around)
        else:
            yield _Part(note, step, around)


def _shown(name: str, why: Mapping[str, object]) -> str:
    """Return the name of a loop's index; a loop over diagonals has those of the nest."""
    return "+".join(why) if "°" in name else name


def _only(program: Program, stmt: Stmt) -> Program:
    """Return the program of one statement; what others write are its inputs."""
    written = {u.target.array for _, u in updates((stmt,))}
    arrays = tuple(
        a if a.name in written or a.kind != "temp" else replace(a, kind="input")
        for a in program.arrays
    )
    return replace(program, arrays=arrays, body=(stmt,), outputs=tuple(sorted(written)))


def _how(part: _Part, opt: int) -> Iterator[str]:
    step = part.step
    if part.around:
        yield "serial"
    adds = isinstance(step, Scatter) or (isinstance(step, Overlap) and step.op != "=")
    if adds:
        yield "scatter"
    if isinstance(step, Running):
        yield "reduction"
    value = getattr(step, "value", None)
    if is_value(value):
        kinds = list(_of_value(value, opt))
        if kinds or adds:
            yield from kinds
        else:
            moved = isinstance(value, View | Strided) or isinstance(step, Overlap)
            yield "view" if moved else "elementwise"


def _of_value(value: Any, opt: int) -> Iterator[str]:
    match value:
        case Contract() | Selected():
            yield "einsum" if opt == 0 else "matmul"
        case Fold() | Along():
            yield "reduction"
        case Gather():
            yield "gather"
        case Strided():
            yield "view"
        case _:
            pass
    for name in ("arg", "args"):
        inner = getattr(value, name, ())
        for child in inner if isinstance(inner, tuple) else (inner,):
            yield from _of_value(child, opt)


def _specs(step: Step) -> Iterator[str]:
    value = getattr(step, "value", None)
    for each in walk(value) if is_value(value) else ():
        if isinstance(each, Contract | Selected):
            yield _spec(each)


def _spec(value: Contract | Selected) -> str:
    """Return a contraction as `numpy.einsum` has it; a mask is a factor."""
    masks = (value.mask,) if isinstance(value, Selected) else ()
    factors = [f.axes for f in (*masks, *value.args) if f.axes]
    letter = letters(list(dict.fromkeys(a for axes in factors for a in axes)))
    inputs = ",".join("".join(letter[a] for a in axes) for axes in factors)
    return f"{inputs}->{''.join(letter[a] for a in value.axes)}"

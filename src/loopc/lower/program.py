"""A resolved program as a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from loopc.analysis.dependence import Leaf, leaves, may_meet
from loopc.analysis.serial import Group
from loopc.ir import reductions
from loopc.ir.bind import solved_for
from loopc.ir.dtypes import infer_dtypes
from loopc.ir.fits import known_fits
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Array, Dim, Expr, Extent, Program, Stmt
from loopc.ir.visit import changing, updates, walk
from loopc.lower.context import Context
from loopc.lower.growth import forgiving
from loopc.lower.numbers import on_numbers
from loopc.lower.plan import (
    Alloc,
    Assign,
    Copy,
    DimRule,
    Plan,
    Step,
)
from loopc.lower.plan_visit import touched
from loopc.lower.planes import without_unread
from loopc.lower.schedule import Scheduler
from loopc.lower.tile_layouts import laid_out
from loopc.lower.tiles import PREPARED, SERIAL, tiled


def lower(
    program: Program,
    kinds: Mapping[str, str],
    opt: int = 2,
    *,
    uniform: bool = False,
    filled: frozenset[Expr] = frozenset(),
    prepared: bool = False,
    sizes: Magnitudes | None = None,
) -> Plan:
    """Return the plan of a program.

    Args:
        program: resolved, without Backward statements.
        kinds: the kind (`b i f c`) of every input and param; those not named are as declared.
        opt: 0 keeps one operation per loop.
        uniform: whether all float inputs have one type.
        filled: the extents of ranges that surely have a value.
        prepared: whether it is for calls of known shapes.
        sizes: what is known of extents.
    """
    arrays = {a.name: a for a in program.arrays}
    types = infer_dtypes(program, kinds, uniform=uniform)
    once = _written_once(program)
    sizes = sizes or Magnitudes()
    context = Context(
        arrays,
        types,
        opt,
        changing(program),
        forgiving(program),
        once,
        filled=filled,
        sizes=sizes,
    )
    builder = _Program(program, context)
    steps = builder.steps()
    shapes = {name: array.shape or () for name, array in context.arrays.items()}
    if opt >= 2:
        inputs = [a.name for a in program.arrays if a.kind != "temp"]
        steps = without_unread(steps, {*inputs, *program.outputs}, context.types)
        serial = PREPARED if prepared else SERIAL
        steps = tiled(steps, inputs, program.outputs, shapes, context.types, serial, sizes=sizes)
        steps = laid_out(steps, program.outputs)
        steps = tuple(on_numbers(s, shapes, context.types) for s in steps)
    dims, free = _dim_rules(program)
    return Plan(
        tuple(a.name for a in program.arrays if a.kind != "temp"),
        shapes,
        dict(context.types),
        dims,
        free,
        tuple(context.requires),
        steps,
        program.outputs,
        {a.name: a.initial for a in program.arrays if a.initial is not None},
        tuple(known_fits(program)),
    )


class _Program:
    """Puts the statements' steps together and allocates before the first touch."""

    def __init__(self, program: Program, context: Context) -> None:
        self.program = program
        self.context = context
        self.scheduler = Scheduler(context)
        self.scheduler.made |= {a.name for a in program.arrays if a.kind != "temp"}
        self.scheduler.pristine |= self.scheduler.made
        self.first_op: dict[str, str] = {}
        for _, update in updates(program.body):
            self.first_op.setdefault(update.target.array, update.op)
        self.own: set[str] = set()

    def steps(self) -> tuple[Step, ...]:
        found: list[Step] = []
        for stmt in self.program.body:
            found.extend(self._statement(stmt))
        never = [n for n in self.program.outputs if n not in self.scheduler.made]
        return (*found, *(self._alloc(self.context.arrays[n]) for n in never))

    def _statement(self, stmt: Stmt) -> Iterator[Step]:
        for _, update in updates((stmt,)):
            self.context.zero_outside.pop(update.target.array, None)
        for group in self.scheduler.groups(stmt):
            yield from self._group(group)

    def _group(self, group: Group) -> Iterator[Step]:
        refs = (r for leaf in group.leaves for r in leaf.refs if not r.write)
        for name in dict.fromkeys(r.access.array for r in refs):
            if name not in self.scheduler.made:
                self.scheduler.made.add(name)
                yield self._alloc(self.context.arrays[name])
        known = set(self.scheduler.made)
        steps = self.scheduler.lowered(group)
        for leaf in group.leaves:
            name = leaf.update.target.array
            array = self.context.arrays[name]
            if _is_made_whole(steps, name) or name in self.own:
                self.own.add(name)
                continue
            self.own.add(name)
            if array.kind != "temp":
                yield Copy(name)
            elif name not in known:
                yield self._alloc(array)
        yield from steps

    def _alloc(self, array: Array) -> Alloc:
        row = reductions.by_op(self.first_op.get(array.name, "="))
        dtype = self.context.types[array.name]
        self.own.add(array.name)
        start = reductions.start(row, "bool" if dtype.kind == "b" else "float64")
        return Alloc(array.name, array.shape or (), dtype, start)


def _written_once(program: Program) -> dict[str, int]:
    """Return how many statements write a temporary, of those whose cells are each one's own."""
    writers: dict[str, list[Leaf]] = {a.name: [] for a in program.arrays if a.kind == "temp"}
    for stmt in program.body:
        for leaf in leaves((stmt,)):
            writers.get(leaf.update.target.array, []).append(leaf)
    return {name: len(found) for name, found in writers.items() if _are_apart(found)}


def _are_apart(writers: Sequence[Leaf], most: int = 8) -> bool:
    """Whether no two of some updates write one cell."""
    if len(writers) < 2:
        return bool(writers)
    if len(writers) > most or any(leaf.update.op not in ("=", "+=") for leaf in writers):
        return False
    return not any(may_meet(a, a.refs[0], b, b.refs[0], None) for a, b in combinations(writers, 2))


def _is_made_whole(steps: Sequence[Step], name: str) -> bool:
    """Whether the first step that writes an array makes it anew."""
    first = next((s for s in steps if name in touched(s)[1]), None)
    return isinstance(first, Assign | Alloc)


def _dim_rules(program: Program) -> tuple[tuple[DimRule, ...], tuple[str, ...]]:
    """Say how each dim follows from the shapes of the inputs."""
    wanted = list(dict.fromkeys(n.name for n in walk(program) if isinstance(n, Extent)))
    rules: list[DimRule] = []
    known: set[str] = set()
    given = [a for a in program.arrays if a.kind != "temp"]
    given.sort(key=lambda a: a.initial is not None)
    for array in given:
        for axis, extent in enumerate(array.shape or ()):
            if isinstance(extent, Extent) and extent.name not in known:
                known.add(extent.name)
                rules.append(DimRule(extent.name, array.name, axis))
    computed = [d for d in program.dims if d.name in wanted and d.value is not None]
    _compute(rules, known, computed)
    _solve(rules, known, given)
    for dim in program.dims:  # in `C*r*r`, a declared `r` is what the caller gives
        if dim.name in wanted and dim.value is None and dim.name not in known:
            known.add(dim.name)
            _compute(rules, known, computed)
            _solve(rules, known, given)
    known |= set(wanted) - {d.name for d in computed}
    _compute(rules, known, computed)
    free = tuple(n for n in wanted if n not in {r.dim for r in rules})
    return tuple(rules), free


def _compute(rules: list[DimRule], known: set[str], computed: Sequence[Dim]) -> None:
    """Add the rules of dims whose value is made of dims that are known."""
    for dim in computed:
        parts = () if dim.value is None else walk(dim.value)
        needed = {n.name for n in parts if isinstance(n, Extent)}
        if dim.name not in known and needed <= known:
            known.add(dim.name)
            rules.append(DimRule(dim.name, value=dim.value))


def _solve(rules: list[DimRule], known: set[str], given: Sequence[Array]) -> None:
    """Add the rules of dims that are the only ones in an extent that are not known yet."""
    changed = True
    while changed:
        changed = False
        for array in given:
            for axis, extent in enumerate(array.shape or ()):
                unknown = {n.name for n in walk(extent) if isinstance(n, Extent)} - known
                name = min(unknown, default="")
                parts = solved_for(extent, name) if len(unknown) == 1 else None
                if parts is not None:
                    known.add(name)
                    rules.append(DimRule(name, array.name, axis, *parts))
                    changed = True


def free_dims(program: Program) -> tuple[str, ...]:
    """Return the dims that no input says, which the caller must give."""
    return _dim_rules(program)[1]

"""The adjoint of a program, as a program: complete and runnable, or its adjoint loops alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loopc.autodiff.checkpoints import NONE, Checkpointed, Checkpoints, with_checkpoints
from loopc.autodiff.normal import normalise
from loopc.autodiff.partials import sensitive
from loopc.autodiff.reverse import Reverse
from loopc.autodiff.starts import filled
from loopc.diagnostics import catalogue
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.record import record, replace
from loopc.ir.build import default_wrt, is_differentiable
from loopc.ir.dtypes import KINDS, infer_dtypes
from loopc.ir.infer import primal_of
from loopc.ir.limits import Limits
from loopc.ir.nodes import (
    Access,
    Array,
    Backward,
    Const,
    Dim,
    Expr,
    Extent,
    For,
    Index,
    IndexRef,
    Node,
    Program,
    Stmt,
    Update,
)
from loopc.ir.visit import contains, map_children, reads, updates, walk
from loopc.ir.workspace import Names


@record()
class Adjoint:
    """What differentiation makes of a program.

    Attributes:
        program: the forward statements that are needed, then the adjoint loops.
        loops: the adjoint loops alone, seeds included.
        gradients: the array that holds the gradient, by name of what it is the gradient of.
        seeds: the input that holds the cotangent, by name of the array; scalars start from 1.
        checkpointed: the serial loops that have checkpoints.
    """

    program: Program
    loops: tuple[Stmt, ...]
    gradients: dict[str, str]
    seeds: dict[str, str]
    checkpointed: Sequence[Checkpointed] = ()


def adjoint(
    program: Program,
    of: Sequence[str],
    wrt: Sequence[str],
    *,
    seeded: bool = False,
    keep: Sequence[str] = (),
    points: Checkpoints = NONE,
) -> Adjoint:
    """Return the adjoint of a resolved program without Backward statements.

    Args:
        program: the program.
        of: what is differentiated.
        wrt: the arrays by which; of a program that assigns to one, its value at the start counts.
        seeded: whether the cotangents of scalars are inputs, too.
        keep: outputs to compute besides.
        points: where checkpoints are to be.

    Raises:
        DifferentiationError: L0603 to L0605.
    """
    names = Names.of(program)
    suffix = free_suffix(program)
    segment = _Segment(program.body, names, suffix)
    made = segment.differentiate(of, wrt, points, seeded=seeded, keep=keep)
    gradients = {name: f"{name}.{suffix}" for name in wrt}
    outputs = (*keep, *gradients.values())
    whole = replace(
        program,
        arrays=tuple(names.arrays.values()),
        body=(*made.forward, *made.loops),
        outputs=outputs,
    )
    seeds = {name: f"{name}.{suffix}" for name in made.seeds}
    return Adjoint(without_unused(whole), made.loops, gradients, seeds, points.loops)


def expand_backward(program: Program, checkpoints: Checkpoints = NONE) -> Program:
    """Replace every Backward statement by its adjoint loops, with checkpoints if so wanted."""
    names = Names.of(program)
    body: tuple[Stmt, ...] = ()
    for place, stmt in enumerate(program.body):
        if not isinstance(stmt, Backward):
            body = (*body, stmt)
            continue
        segment = _Segment(body, names, stmt.suffix)
        rest = program.body[place + 1 :]
        keep = {*program.outputs, *(a.array for s in rest for a in reads(s))}
        keep |= {n for s in rest if isinstance(s, Backward) for n in (s.of, *s.wrt)}
        made = segment.differentiate([stmt.of], stmt.wrt, checkpoints, keep=sorted(keep))
        body = (*made.forward, *made.loops)
    return replace(program, arrays=tuple(names.arrays.values()), body=body)


def check_backward(program: Program, found: list[Diagnostic]) -> None:
    """Append what is wrong with the Backward statements of a resolved program to `found`."""
    if not any(isinstance(s, Backward) for s in program.body):
        return
    flows = list(_flows(program.body))
    kinds = infer_dtypes(program, {})
    adjoints = {f"{n}.{s.suffix}" for s in program.body if isinstance(s, Backward) for n in s.wrt}
    pairs = [(target, sources) for _, target, sources in flows]
    later = set().union(*(_reached(n, pairs) for n in adjoints))  # their types come later
    for number, stmt in enumerate(program.body):
        if not isinstance(stmt, Backward):
            continue
        candidates = ", ".join(f"`{n}`" for n in default_wrt(program)) or "there are none"
        wrong = [n for n in (stmt.of, *stmt.wrt) if kinds[n].kind != "f" and n not in later]
        for name in wrong:
            why = f"it is of type {KINDS[kinds[name].kind]}"
            facts = {"name": name, "why": why, "candidates": candidates}
            found.append(catalogue.diagnostic("L0603", stmt.span, **facts))  # type: ignore[arg-type]
        before = [(t, s) for place, t, s in flows if place < number]
        idle = [n for n in stmt.wrt if stmt.of not in _reached(n, before)]
        if idle and not wrong:
            listed = ", ".join(f"`{n}`" for n in idle)
            found.append(catalogue.diagnostic("L0606", stmt.span, name=stmt.of, wrt=listed))


def _flows(body: tuple[Stmt, ...]) -> Iterator[tuple[int, str, set[str]]]:
    """Yield the number of a statement, an array that it writes, and what that depends on."""
    for number, stmt in enumerate(body):
        if isinstance(stmt, Backward):
            every = {a.array for s in body[:number] for a in walk(s) if isinstance(a, Access)}
            for name in stmt.wrt:
                yield number, f"{name}.{stmt.suffix}", every | {stmt.of}
        for _, update in updates((stmt,)):
            yield number, update.target.array, {a.array for a in sensitive(update.value)}


def _reached(name: str, flows: Sequence[tuple[str, set[str]]]) -> set[str]:
    """Return the arrays that depend on `name`."""
    reached = {name}
    changed = True
    while changed:
        new = {t for t, sources in flows if sources & reached} - reached
        reached |= new
        changed = bool(new)
    return reached


@record()
class _Made:
    forward: tuple[Stmt, ...]
    loops: tuple[Stmt, ...]
    seeds: tuple[str, ...]


class _Segment:
    """The statements up to a point of a program, to be differentiated there."""

    def __init__(self, body: tuple[Stmt, ...], names: Names, suffix: str) -> None:
        self.body = body
        self.names = names
        self.suffix = suffix

    def differentiate(
        self,
        of: Sequence[str],
        wrt: Sequence[str],
        checkpoints: Checkpoints,
        *,
        seeded: bool = False,
        keep: Sequence[str] = (),
    ) -> _Made:
        active = active_arrays(self.body, self.names, of, wrt)
        self.names.limits = Limits(self.body, self.names.arrays)
        body = normalise(self.body, active.__contains__, self.names)
        active = active_arrays(body, self.names, of, wrt)
        body = self._set_aside(body, active | set(wrt), {*of, *wrt})
        active = active_arrays(body, self.names, of, wrt)
        for name in self._ordered(active | set(wrt)):
            self._add(name, "temp")
        seeds: list[str] = []
        start: list[Stmt] = []
        for name in of:
            if name not in active:
                continue
            if self.names.arrays[name].shape or seeded:
                self._add(name, "input")
                seeds.append(name)
            else:
                target = Access(f"{name}.{self.suffix}")
                start.append(Update(target, "=", Const(1), span=self.names.arrays[name].span))
        reverse = Reverse(body, active, self.suffix, self.names)
        sweeps = reverse.sweeps()
        if checkpoints.every:
            outside = {*of, *wrt, *keep, *(f"{n}.{self.suffix}" for n in (*of, *wrt))}
            sweeps = with_checkpoints(sweeps, checkpoints, self.names, outside)
        loops = tuple(s for sweep in reversed(sweeps) for s in sweep.adjoint)
        loops = tuple(_ranges_written(s, self.names.arrays) for s in loops)
        loops = (*start, *loops, *self._zeros(loops, wrt, seeds))
        return _Made(tuple(s for w in sweeps for s in w.recorded), loops, tuple(seeds))

    def _set_aside(
        self, body: tuple[Stmt, ...], bases: set[str] | frozenset[str], kept: set[str]
    ) -> tuple[Stmt, ...]:
        """Rename what an earlier `backward` of this suffix has left: every one starts from zero."""
        written = {u.target.array for _, u in updates(body)}
        old = [f"{name}.{self.suffix}" for name in self._ordered(bases)]
        renamed = {n: self.names.fresh(n) for n in old if n in written and n not in kept}
        for name, new in renamed.items():
            self.names.arrays[new] = replace(self.names.arrays[name], name=new)

        def step(node: Node) -> Node:
            node = map_children(node, step)
            if isinstance(node, Access) and node.array in renamed:
                return replace(node, array=renamed[node.array])
            return node

        return tuple(step(s) for s in body) if renamed else body  # type: ignore[misc]

    def _ordered(self, names: set[str] | frozenset[str]) -> list[str]:
        order = {name: number for number, name in enumerate(self.names.arrays)}
        return sorted(names, key=order.__getitem__)

    def _add(self, name: str, kind: str) -> None:
        """Add the adjoint array of an array."""
        base = self.names.arrays[name]
        new = f"{name}.{self.suffix}"
        old = self.names.arrays.get(new)
        self.names.taken.add(new)
        if old is None or old.kind != kind:
            dtype = base.dtype if kind == "input" else ""
            made = Array(new, kind, base.shape, dtype, span=base.span)  # type: ignore[arg-type]
            self.names.arrays[new] = made

    def _zeros(
        self, loops: tuple[Stmt, ...], wrt: Sequence[str], seeds: Sequence[str]
    ) -> list[Stmt]:
        """Give a gradient to what nothing depends on."""
        written = {u.target.array for _, u in updates(loops)}
        made: list[Stmt] = []
        for name in wrt:
            full = f"{name}.{self.suffix}"
            if full in written or name in seeds:
                continue
            made.extend(filled(full, self.names.arrays[name], 0))
        return made


def _ranges_written(stmt: Stmt, given: dict[str, Array]) -> Stmt:
    """Mark the ranges that an array's axis would not give: those of a loop over a part of it.

    In `for i  y[i] = a[i]` the index need not run over all of `y`; in the adjoint, which reads
    `y.grad[i]`, it would.
    """
    parts: set[tuple[str, Expr]] = set()
    for node in walk(stmt):
        array = given.get(node.array) if isinstance(node, Access) else None
        if isinstance(node, Access) and array is not None:
            places = zip(node.subscripts, array.shape or (), strict=True)
            parts |= {(s.at.name, e) for s, e in places if isinstance(s.at, IndexRef)}

    def step(node: Node) -> Node:
        if not contains(node, Index):
            return node
        node = map_children(node, step)
        return replace(node, written=True) if isinstance(node, Index) and is_part(node) else node

    def is_part(index: Index) -> bool:
        return not index.written and any(n == index.name and e != index.stop for n, e in parts)

    return step(stmt) if parts else stmt  # type: ignore[return-value]


def active_arrays(
    body: tuple[Stmt, ...], names: Names, of: Sequence[str], wrt: Sequence[str]
) -> frozenset[str]:
    """Return the arrays that depend on `wrt` and that `of` depends on."""
    flows = [
        (u.target.array, {a.array for a in sensitive(u.value)} | _own(u)) for _, u in updates(body)
    ]
    fixed = {n for n, a in names.arrays.items() if not is_differentiable(a)}
    varied = set(wrt) - fixed
    useful = set(of) - fixed
    changed = True
    while changed:
        before = len(varied) + len(useful)
        for target, sources in flows:
            if sources & varied and target not in fixed:
                varied.add(target)
        for target, sources in reversed(flows):
            if target in useful:
                useful |= sources - fixed
        changed = len(varied) + len(useful) != before
    return frozenset(varied & useful)


def _own(update: Update) -> set[str]:
    return set() if update.op == "=" else {update.target.array}


def free_suffix(program: Program, stem: str = "grad") -> str:
    """Return the first of grad, grad2 … that no array of the program has yet."""
    taken = {a.name for a in program.arrays}
    number = 1
    while True:
        suffix = stem if number == 1 else f"{stem}{number}"
        if not any(name.endswith(f".{suffix}") for name in taken) or not taken:
            return suffix
        number += 1


def without_unused(program: Program) -> Program:
    """Drop the statements and arrays that no output needs."""
    body = _needed(program.body, set(program.outputs))
    used = {*program.outputs, *_typing(program, body)}
    for stmt in body:
        used |= {node.array for node in walk(stmt) if isinstance(node, Access)}
    arrays = [a for a in program.arrays if a.name in used]
    for array in arrays:
        for extent in array.shape or ():
            used |= {a.array for a in reads(extent)}
    arrays = [a for a in program.arrays if a.name in used or _gives_dim(a, program, body, arrays)]
    dims = _used_dims(program, body, arrays)
    return replace(program, dims=dims, arrays=tuple(arrays), body=body)


def _typing(program: Program, body: tuple[Stmt, ...]) -> Iterator[str]:
    """Yield the inputs whose gradients are literals alone, which have the type of the inputs."""
    computed = {u.target.array for _, u in updates(body) if not isinstance(u.value, Const)}
    names = {a.name for a in program.arrays}
    for name in program.outputs:
        base = primal_of(name, names)
        if base is not None and name not in computed and program.array(base).kind != "temp":
            yield base


def _gives_dim(array: Array, program: Program, body: Sequence[Stmt], kept: Sequence[Array]) -> bool:
    """Whether an input is all that says how large a dim is."""
    if array.kind == "temp":
        return False
    given = {e for a in kept if a.kind != "temp" for e in a.shape or () if isinstance(e, Extent)}
    wanted = {e for e in array.shape or () if isinstance(e, Extent)}
    shapes = (e for a in kept for e in a.shape or ())
    needed = {n for node in (*shapes, *body) for n in walk(node) if isinstance(n, Extent)}
    known = {d.name for d in program.dims if d.value is not None}
    return any(e in needed and e not in given and e.name not in known for e in wanted)


def _used_dims(
    program: Program, body: tuple[Stmt, ...], arrays: Sequence[Array]
) -> tuple[Dim, ...]:
    used = {n.name for s in body for n in walk(s) if isinstance(n, Extent)}
    used |= {
        n.name for a in arrays for e in a.shape or () for n in walk(e) if isinstance(n, Extent)
    }
    return tuple(d for d in program.dims if d.name in used)


def _needed(body: tuple[Stmt, ...], wanted: set[str]) -> tuple[Stmt, ...]:
    """Return the statements that write what is wanted, or what these read."""
    changed = True
    while changed:
        size = len(wanted)
        for loops, update in reversed(list(updates(body))):
            if update.target.array in wanted:
                wanted |= {a.array for a in reads(update)}
                for node in loops:
                    wanted |= {a.array for i in node.indices for a in reads(i)}
                    wanted |= set() if node.guard is None else {a.array for a in reads(node.guard)}
        changed = len(wanted) != size

    def step(stmt: Stmt) -> list[Stmt]:
        match stmt:
            case Update(target):
                return [stmt] if target.array in wanted else []
            case For():
                inner = tuple(s for child in stmt.body for s in step(child))
                own = stmt if inner == stmt.body else replace(stmt, body=inner)
                return [own] if inner else []
            case Backward():
                return [stmt]

    return tuple(s for stmt in body for s in step(stmt))

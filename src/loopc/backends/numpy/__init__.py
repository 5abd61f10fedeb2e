"""NumPy: plans as modules that need nothing but NumPy."""

from __future__ import annotations

import linecache
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loopc.backends import Backend, Case, Module, Saved
from loopc.backends.numpy.checks import checked_once
from loopc.backends.numpy.docstrings import docstring
from loopc.backends.numpy.functions import FunctionHelpers
from loopc.backends.numpy.heads import dim_lines, fit_lines, require_lines
from loopc.backends.numpy.helpers import HELPERS
from loopc.backends.numpy.names import PythonNames
from loopc.backends.numpy.prepared import BUFFER, Prepared, Spare, function_text
from loopc.backends.numpy.release import needed, released
from loopc.backends.numpy.steps import StepSpeller
from loopc.backends.numpy.values import Speller
from loopc.diagnostics.record import record, replace
from loopc.ir.bind import evaluate
from loopc.ir.dtypes import REAL
from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Array, Const, Program
from loopc.lower.plan import Plan, Require, Strips, Tile
from loopc.lower.program import lower

INDENT = "    "


@dataclass
class _Text:
    """A module's text under construction: what its functions need goes in front of them."""

    opt: int
    checks: bool
    threads: int | None = None
    types: Mapping[str, str] | None = None
    extents: Mapping[str, int] = field(default_factory=dict)
    by_extents: bool = False
    arrays: bool = False
    helpers: dict[str, str] = field(default_factory=dict)
    functions: FunctionHelpers = field(default_factory=FunctionHelpers)
    parts: list[str] = field(default_factory=list)

    def add(self, plan: Plan, name: str, results: Sequence[Mapping[str, str]]) -> None:
        """Add the function that runs a plan and returns a dict (or several) of its arrays."""
        names = PythonNames()
        speller = Speller(names, self.opt, self.helpers, {}, self.functions)
        speller.types, speller.shapes, speller.hints.extents = (
            plan.dtypes,
            plan.shapes,
            self.extents,
        )
        speller.hints.tiles = any(isinstance(s, Strips | Tile) for s in plan.steps)
        args = [speller.name("array", n) for n in plan.inputs]
        args += [speller.name("dim", n) for n in plan.free]
        prepared = None if self.types is None else self._prepared(plan, speller)
        dims = [] if prepared else list(dim_lines(plan, speller))
        head = list(_initial_lines(plan, speller)) if self.checks else []
        head += list(_shape_lines(plan, speller)) if self.checks else []
        head += list(fit_lines(plan, speller)) if self.checks else []
        head += require_lines(plan, speller)
        steps = StepSpeller(speller, prepared, {n for r in results for n in r.values()})
        body = list(steps.lines(plan.steps)) if plan.steps else []
        types = list(_dtype_lines(plan, speller, self.types or {}))
        result = ", ".join(_result(plan, speller, r) for r in results)
        self.by_extents = self.by_extents or speller.hints.by_extents
        self.arrays = self.arrays or any(plan.shapes.values())
        again = prepared.given_back(body) if prepared else types
        lines = [*head, *again, *body, f"return {result}"]
        if self.opt > 0:
            fixed = {speller.name("array", n) for n in set(plan.inputs) - _written(plan)}
            fixed |= {text for (role, _), text in names.known.items() if role == "dim"}
            lines = list(checked_once(lines, fixed, names.fresh))
        lines = [*needed(dims, lines), *lines]
        if self.opt > 0 and not prepared and any(len(s) > 1 for s in plan.shapes.values()):
            lines.insert(0, f"np.setbufsize({BUFFER})  # no copies of short rows; until it returns")
        if self.opt > 0:
            kept = {speller.name("array", n) for r in results for n in r.values()}
            kept |= {speller.name("array", n) for n in set(plan.inputs) - _written(plan)}
            kept |= prepared.names if prepared else set()
            numbers = names.numbers(speller.scalars) | set(speller.dtypes.values())
            lines = list(released(lines, numbers, kept))
        if prepared:
            text = prepared.text(name, [*args, f"{speller.name('out', 'out')}={{}}"], types, lines)
        else:
            text = function_text(name, args, lines)
        self.parts.append(text)

    def _prepared(self, plan: Plan, speller: Speller) -> Prepared:
        """Return what calls for fixed shapes and types make once; dims are numbers from here on."""
        known = {("dim", n): str(value) for n, value in self.extents.items()}
        speller.names.known.update(known)
        speller.fixed = self.extents
        return Prepared(speller.dtypes)

    def text(self, docstring: str) -> str:
        """Return the module."""
        head = f'"""{docstring}"""\n\n' if docstring else ""
        threaded = "_tile" in self.helpers
        head += _THREAD_IMPORTS if threaded else ""
        head += "import numpy as np\n"
        head += _THREADS.format(self.threads) if threaded else ""
        defined = [*self.helpers.values(), *self.functions.texts.values()]
        if self.opt > 1 and self.arrays:
            defined += [HELPERS["_keep_pages"], "_keep_pages()\n"]
        return "\n\n".join([head, *defined, *self.parts])


_THREAD_IMPORTS = """\
import contextvars
import ctypes
import os
import queue
import sys
import threading

"""

_THREADS = """
THREADS = {}  # None: LOOPC_THREADS, or as many as there are processors
"""


def _dtype_lines(plan: Plan, speller: Speller, types: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines that make types: of those of the inputs, where `types` does not say them."""
    for sources, name in speller.dtypes.items():
        parts = [_dtype(s, plan, speller, types) for s in sources]
        common = parts[0] if len(parts) == 1 else f"np.result_type({', '.join(parts)})"
        yield f"{name} = {common}"


def _dtype(source: str, plan: Plan, speller: Speller, types: Mapping[str, str]) -> str:
    name = source.removeprefix(REAL)
    real = ".type().real.dtype" if name != source else ""
    if name in types:
        return f'np.dtype("{types[name]}"){real}'
    if name in plan.inputs:
        return f"{speller.name('array', name)}.dtype{real}"
    return f'np.dtype("{name}"){real}'


def _initial_lines(plan: Plan, speller: Speller) -> Iterator[str]:
    """Make the inputs that are not given and have a value of their own."""
    given = [n for n in plan.inputs if n not in plan.initials and plan.dtypes[n].kind == "f"]
    for name, initial in plan.initials.items():
        array = speller.name("array", name)
        dtype = {"b": "bool", "i": "int"}.get(plan.dtypes[name].kind, "float")
        if dtype == "float" and given:
            dtype = f"{speller.name('array', given[0])}.dtype"
        shape = speller.sizes(plan.shapes[name])
        yield f"if {array} is None:"
        yield f"{INDENT}{array} = np.full({shape}, {speller.size(initial)}, {dtype})"


def _shape_lines(plan: Plan, speller: Speller) -> Iterator[str]:
    """Check the shapes of inputs, but for axes that a dim was just taken from."""
    taken = {(r.array, r.axis) for r in plan.dims if r.factor == Const(1) and r.offset is None}
    for name in plan.inputs:
        shape = plan.shapes[name]
        if not all((name, axis) in taken for axis in range(len(shape))):
            array = speller.name("array", name)
            yield f'{speller.helper("_shape")}("{name}", {array}, {speller.sizes(shape)})'


def _result(plan: Plan, speller: Speller, names: Mapping[str, str]) -> str:
    parts = []
    written = _written(plan)
    for key, array in names.items():
        text = speller.name("array", array)
        if not plan.shapes[array]:
            text = f"np.asarray({text})"
        if array in plan.inputs and array not in written:
            name = speller.name("array", array)
            text = f"{name}.copy()" if plan.shapes[array] else f"np.array({name})"
        parts.append(f'"{key}": {text}')
    return f"{{{', '.join(parts)}}}"


def _written(plan: Plan) -> set[str]:
    found: set[str] = set()

    def visit(steps: Iterable[Any]) -> None:
        for step in steps:
            body = getattr(step, "body", None)
            if body is not None:
                visit(body)
            target = getattr(step, "target", None)
            found.add(getattr(step, "array", "") if target is None else target.array)

    visit(plan.steps)
    return found


# In the process


@record()
class Compiled:
    """A function made of generated text."""

    source: str
    function: Any
    inputs: tuple[str, ...]
    free: tuple[str, ...]
    by_extents: bool

    def __call__(self, arrays: Mapping[str, Any], dims: Mapping[str, int]) -> dict[str, Any]:
        """Run it on arrays that have been checked."""
        result: dict[str, Any] = self.function(
            *map(arrays.__getitem__, self.inputs), *map(dims.__getitem__, self.free)
        )
        return result

    def peak_bytes(self, arrays: Mapping[str, Any], dims: Mapping[str, int]) -> int | None:
        """Return the most bytes that a run takes at a time, its results among them."""
        from loopc.backends.numpy.footprint import peak_bytes

        code = compile(self.source, "<loopc>", "exec")
        given = [*(arrays[n] for n in self.inputs), *(dims[n] for n in self.free)]
        return peak_bytes(code, "_forward", given)

    def positional(
        self, names: Sequence[str], dims: Mapping[str, int], fixed: Mapping[str, Any]
    ) -> Callable[..., dict[str, Any]]:
        """Return it as a function of arrays in order; if that is its own order, itself."""
        function: Callable[..., dict[str, Any]] = self.function
        if tuple(names) == self.inputs and not self.free:
            return function
        places = [n if n in fixed else list(names).index(n) for n in self.inputs]
        rest = tuple(dims[n] for n in self.free)

        def ordered(*arrays: Any, **out: Any) -> dict[str, Any]:
            taken = (fixed[p] if isinstance(p, str) else arrays[p] for p in places)
            return function(*taken, *rest, **out)

        return ordered


def build(program: Program, case: Case) -> Compiled:
    """Return a program, runnable; shapes have been checked before."""
    prepared = case.types is not None
    sizes = Magnitudes(case.extents)
    plan = lower(
        program,
        case.kinds,
        case.opt,
        uniform=case.uniform,
        filled=case.filled,
        prepared=prepared,
        sizes=sizes,
    )
    if prepared:
        plan = replace(plan, requires=tuple(_open(plan, case.extents)))
    text = _Text(case.opt, False, case.threads, case.types, case.extents)
    text.add(plan, "_forward", [{n: n for n in program.outputs}])
    source = text.text("")
    namespace = _executed(source)
    run = namespace["_forward"] if case.types is None else Spare(namespace["_prepare"])
    by_extents = text.by_extents or sizes.by_extents
    return Compiled(source, run, plan.inputs, plan.free, by_extents)


def _open(plan: Plan, extents: Mapping[str, int]) -> Iterator[Require]:
    """Yield the conditions of a plan that do not hold by these extents alone."""
    for need in plan.requires:
        try:
            empty = any(evaluate(c, extents, {}) <= 0 for c in need.counts)
            low, high, extent = (
                evaluate(e, extents, {}) for e in (need.low, need.high, need.extent)
            )
        except (KeyError, ZeroDivisionError):
            yield need
            continue
        if not empty and (low < 0 or high >= extent):
            yield need


def saved(made: Compiled) -> Saved:
    """Return what is needed to make a program runnable again."""
    return Saved(made.source, made.inputs, made.free, made.by_extents)


def revive(kept: Saved) -> Compiled:
    """Make a program runnable again."""
    function = _executed(kept.source)["_forward"]
    return Compiled(kept.source, function, tuple(kept.inputs), tuple(kept.free), kept.by_extents)


def _executed(source: str) -> dict[str, Any]:
    """Run a module's text; tracebacks can show its lines."""
    name = f"<loopc {zlib.crc32(source.encode()):08x}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"__name__": "loopc_generated"}
    exec(compile(source, name, "exec"), namespace)
    return namespace


# Alone


def emit(module: Module) -> str:
    """Return the text of a module that stands alone."""
    text = _Text(module.opt, checks=True, threads=module.threads)
    program = module.forward
    uniform = _has_one_float(program)
    plan = lower(program, module.kinds, module.opt, uniform=uniform)
    text.add(plan, "_forward", [{n: n for n in program.outputs}])
    text.parts.append(_table(program, plan))
    text.parts.append(_INPUTS)
    text.parts.append(_FORWARD)
    gradient = None
    if module.gradient is not None:
        gradient = lower(module.gradient, module.kinds, module.opt, uniform=uniform)
        results = [{n: n for n in program.outputs}, dict(module.gradients)]
        text.add(gradient, "_value_and_grad", results)
        text.parts.append(_GRADIENT.replace("NAMES", _names(gradient, module.gradient)))
    return text.text(docstring(module, plan, gradient))


def _has_one_float(program: Program) -> bool:
    """Whether all floats that a module takes have one type: its `_inputs` sees to that."""
    declared = (a.dtype or "float" for a in program.arrays if a.kind != "temp")
    return len({d for d in declared if d.startswith("float")}) <= 1


def _table(program: Program, plan: Plan) -> str:
    """Return the table of inputs: dimensions, type, default."""
    lines = ["INPUTS = {"]
    for name in plan.inputs:
        array = program.array(name)
        lines.append(f"{INDENT}{_entry(array)}")
    lines += [f'{INDENT}"{dim}": (0, "int", False),' for dim in plan.free]
    return "\n".join([*lines, "}"]) + "\n"


def _entry(array: Array) -> str:
    initial = array.initial is not None
    return f'"{array.name}": ({len(array.shape or ())}, "{array.dtype or "float"}", {initial}),'


def _names(plan: Plan, program: Program) -> str:
    entries = ", ".join(_entry(program.array(n)).rstrip(",") for n in plan.inputs)
    dims = ", ".join(f'"{d}": (0, "int", False)' for d in plan.free)
    return "{" + ", ".join(e for e in (entries, dims) if e) + "}"


_INPUTS = '''\
def _inputs(table, arrays):
    """Return the arguments in order, as arrays; a Python number takes the arrays' float type."""
    unknown = [name for name in arrays if name not in table and name not in INPUTS]
    missing = [name for name in table if name not in arrays and not table[name][2]]
    if unknown or missing:
        raise TypeError(f"L0701: missing {missing}, unknown {unknown}")
    types = [getattr(a, "dtype", None) for name, a in arrays.items() if name in table]
    floats = [t for t in types if getattr(t, "kind", "") == "f"]
    common = np.result_type(*floats) if floats else np.dtype(np.float64)
    found = []
    for name, (rank, kind, _) in table.items():
        if name not in arrays:
            found.append(None)
            continue
        value = arrays[name]
        if kind == "int" and rank == 0 and isinstance(value, int):
            array = np.asarray(value)
        elif kind.startswith("float") and not hasattr(value, "dtype"):
            array = np.asarray(value, common)
        else:
            array = np.asarray(value)
        if kind in ("float32", "float64"):
            array = array.astype(kind)
        elif kind == "float" and array.dtype.kind in "iubf":
            array = array.astype(common, copy=False)
        elif kind in ("int", "bool") and array.dtype.kind not in {"int": "iu", "bool": "b"}[kind]:
            raise TypeError(f"L0401: {name} must be of type {kind}, not {array.dtype}")
        if array.ndim != rank:
            raise ValueError(f"L0207: {name} must have {rank} dimensions, not {array.ndim}")
        found.append(array)
    return found
'''

_FORWARD = '''\
def forward(**arrays):
    """Return the outputs by name."""
    return _forward(*_inputs(INPUTS, arrays))
'''

_GRADIENT = '''\
def value_and_grad(**arrays):
    """Return the outputs and the gradients, both by name."""
    return _value_and_grad(*_inputs(NAMES, arrays))
'''

BACKEND = Backend("numpy", (), build, emit, saved, revive)

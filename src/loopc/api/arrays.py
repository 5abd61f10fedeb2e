"""A call's arguments as checked NumPy arrays."""

from __future__ import annotations

import difflib
import math
import operator
import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from loopc.diagnostics import catalogue
from loopc.diagnostics.record import record
from loopc.ir import bind
from loopc.ir.magnitude import FEW
from loopc.ir.nodes import Array, Program

KIND = {"u": "i"}
COMPILED = ("wrt", "loss", "outputs", "dtype", "opt", "backend", "memory_limit", "checkpoint")
"""Options of `compile`, which a call is sometimes given."""


@record()
class Call:
    """The arrays of a call, its integer scalars, the value of every dim; types to compile for.

    Attributes:
        alone: whether what is compiled is for these shapes and types alone.
    """

    arrays: dict[str, Any]
    scalars: dict[str, int]
    dims: dict[str, int]
    kinds: tuple[tuple[str, str], ...]
    uniform: bool
    alone: bool = False

    @property
    def types(self) -> dict[str, str] | None:
        """The types to compile for alone, by name."""
        return {n: str(a.dtype) for n, a in self.arrays.items()} if self.alone else None

    @property
    def magnitudes(self) -> tuple[int, ...]:
        """The powers of two that the dims are between; few are counted."""
        found = (self.dims[name] for name in sorted(self.dims))
        return tuple(n if n <= FEW else FEW + n.bit_length() for n in found)


def take(
    program: Program,
    given: Mapping[str, Any],
    dtype: str | None = None,
    as_floats: frozenset[str] = frozenset(),
    known: dict[Any, dict[str, int]] | None = None,
) -> Call:
    """Return the arguments of a call, checked.

    Args:
        program: a resolved program.
        given: the arguments by name: arrays or what NumPy makes arrays of, and dims.
        dtype: the type for all float inputs, if it is fixed.
        as_floats: names whose integers are taken as floats, since a gradient is taken by them.
        known: dims that earlier calls found, by shapes and scalars; this call's are added.

    Raises:
        CallError: L0701 to L0703. DTypeError: L0401. ShapeError, BoundsError: see `ir.bind`.
    """
    inputs = [a for a in program.arrays if a.kind != "temp"]
    names = {a.name for a in inputs}
    sizes: dict[str, int] = {}
    if given.keys() != names:
        sizes = _dims(program, given, names)
        _check_names(inputs, given, names, sizes)
    plain = {a.name: _plain(a.name, given[a.name], a.dtype) for a in inputs if a.name in given}
    common = np.dtype(dtype) if dtype else _common(plain)
    arrays = {
        a.name: _typed(a, plain[a.name], common, forced=dtype is not None, floats=as_floats)
        for a in inputs
        if a.name in plain
    }
    scalars = {n: int(v) for n, v in arrays.items() if v.ndim == 0 and v.dtype.kind in "iu"}
    shapes = {n: v.shape for n, v in arrays.items()}
    dims = _bound(program, shapes, {**scalars, **sizes}, {} if known is None else known)
    for array in inputs:
        if array.name not in arrays:
            arrays[array.name] = _initial(array, dims, scalars, common)
    kinds = tuple((n, KIND.get(v.dtype.kind, v.dtype.kind)) for n, v in arrays.items())
    floats = {v.dtype for v in arrays.values() if v.dtype.kind == "f"}
    return Call(arrays, scalars, dims, kinds, len(floats) <= 1)


CACHED = 256
"""Sets of shapes whose dims are remembered."""


def _bound(
    program: Program,
    shapes: dict[str, tuple[int, ...]],
    scalars: dict[str, int],
    known: dict[Any, dict[str, int]],
) -> dict[str, int]:
    """Return the dims of a call; shapes that were seen before are not checked again."""
    key = (tuple(shapes.items()), tuple(scalars.items()))
    found = known.get(key)
    if found is None:
        found = bind.bind(program, shapes, scalars)
        check_extents(program, found, scalars)
        if len(known) >= CACHED:
            known.clear()
        known[key] = found
    return found


def check_kinds(program: Program, call: Call) -> None:
    """Refuse complex arrays under functions that have no meaning for them.

    Raises:
        DTypeError: L0404.
    """
    kinds = dict(call.kinds)
    if "c" in kinds.values():
        from loopc.ir.check_types import check_complex
        from loopc.ir.dtypes import infer_dtypes

        catalogue.raise_all(check_complex(program, infer_dtypes(program, kinds)))


def _dims(program: Program, given: Mapping[str, Any], names: set[str]) -> dict[str, int]:
    """Return the arguments that are dims."""
    known = dims_of(program)
    return {n: dim_value(n, given[n]) for n in given if n in known and n not in names}


def names_of(program: Program) -> set[str]:
    """Return what a call may give a program: its inputs and params, and dims."""
    return {a.name for a in program.arrays if a.kind != "temp"} | dims_of(program)


def unneeded(program: Program, derived: Program) -> frozenset[str]:
    """Return what a call may give a program and a program derived from it does not take."""
    return frozenset(names_of(program) - names_of(derived))


def without(given: Mapping[str, Any], dropped: frozenset[str]) -> dict[str, Any]:
    """Return a call's arrays but for some."""
    return {n: v for n, v in given.items() if n not in dropped} if dropped else dict(given)


def dims_of(program: Program) -> set[str]:
    """Return the names of a program's dims."""
    from loopc.ir.nodes import Extent
    from loopc.ir.visit import walk

    found = {d.name for d in program.dims}
    return found | {n.name for n in walk(program) if isinstance(n, Extent)}


def dim_value(name: str, value: Any) -> int:
    """Return the value that a call gives a dim.

    Raises:
        DTypeError: L0401, it is no integer. ShapeError: L0209, it is below 0.
    """
    try:
        number = operator.index(value)
    except TypeError:
        given = str(getattr(value, "dtype", type(value).__name__))
        repair = f"pass `{name}` as an integer: it is a dim"
        raise catalogue.error(
            "L0401", name=name, given=given, expected="int", repair=repair
        ) from None
    if number < 0:
        raise catalogue.error("L0209", dim=name, value=number)
    return number


def check_extents(program: Program, dims: Mapping[str, int], scalars: Mapping[str, int]) -> None:
    """Refuse arrays that no memory can hold, before anything is allocated.

    Raises:
        LimitError: L0003.
    """
    limit = memory()
    for array in program.arrays:
        cells = math.prod(bind.shape_of(array, dims, scalars))
        if cells > limit:  # a cell has a byte at least
            raise catalogue.error("L0005", array.span, array=array.name, cells=cells, limit=limit)


@lru_cache(maxsize=1)
def memory() -> int:
    """Return the bytes of memory that this machine has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # no such question on this system
        return 2**47


def merged(arrays: object, named: Mapping[str, Any], what: str = "arrays") -> dict[str, Any]:
    """Return a call's arrays by name; `what`: what they are called.

    Raises:
        CallError: L0709, the first argument is no mapping.
    """
    if arrays is None:
        return dict(named)
    if type(arrays) is not dict and not isinstance(arrays, Mapping):
        kind, repair = "a mapping from names to arrays", "give arrays by name: `p(x=…)`"
        given = type(arrays).__name__
        if what != "arrays":
            repair = f"give {what} by name: `{{'x': …}}`"
        raise catalogue.error("L0709", name=what, kind=kind, given=given, repair=repair)
    return {**arrays, **named}


def _check_names(
    inputs: list[Array], given: Mapping[str, Any], names: set[str], sizes: Mapping[str, int]
) -> None:
    expected = ", ".join(f"`{a.name}`" for a in inputs) or "no arrays"
    missing = [a for a in inputs if a.name not in given and a.initial is None]
    for name in given:
        if name in names or name in sizes:
            continue
        close = _like(str(name), [a.name for a in missing])
        if close or not missing:
            close = close or _like(str(name), list(names))
            repair = f"did you mean `{close[0]}`?" if close else f"the program takes {expected}"
            if name in COMPILED:
                repair = f"it is an option of the compiler: `loopc.compile(…, {name}=…)`"
            raise catalogue.error("L0702", name=name, repair=repair)
    if missing:
        raise catalogue.error("L0701", missing[0].span, name=missing[0].name, expected=expected)


def _like(name: str, known: list[str]) -> list[str]:
    """Return the one of the known names that a name may be a slip of, if there is one."""
    folded = [k for k in known if k.casefold() == name.casefold()]
    return folded[:1] or difflib.get_close_matches(name, known, 1, 0.6)


def _plain(name: str, value: Any, dtype: str) -> Any:
    """Return a NumPy array, or the Python number that was given."""
    if isinstance(value, bool | int | float | complex):
        if isinstance(value, int) and not -(2**63) <= value < 2**64:
            why = "it is an integer beyond 64 bits"
            raise catalogue.error("L0703", name=name, why=why, repair="pass a float")
        return value
    if _is_masked(value):
        raise catalogue.error(
            "L0703", name=name, why="it is a masked array", repair="fill it: `x.filled(0)`"
        )
    if getattr(value, "requires_grad", False) is True:
        raise catalogue.error(
            "L0703",
            name=name,
            why="it is a tensor that requires grad, which loopc would not see",
            repair="pass `x.detach()`",
        )
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise catalogue.error("L0703", name=name, why=str(error), repair="pass an array") from error
    if array.size == 0 and array.dtype.kind == "f" and dtype in ("int", "bool"):
        return array.astype(dtype)  # `[]` and `np.array([])` say nothing of a type
    if array.dtype.kind not in "biufc":
        why = f"its elements are of type {array.dtype}"
        raise catalogue.error("L0703", name=name, why=why, repair="pass an array of numbers")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _is_masked(value: Any) -> bool:
    """Whether a value is a masked array: there is none where NumPy's module was never imported."""
    masked = sys.modules.get("numpy.ma")
    return masked is not None and isinstance(value, masked.MaskedArray)


def _common(plain: Mapping[str, Any]) -> Any:
    """Return the type that Python numbers take: that of the floats that are given."""
    floats = [v.dtype for v in plain.values() if hasattr(v, "dtype") and v.dtype.kind == "f"]
    return np.result_type(*floats) if floats else np.dtype(np.float64)


def _typed(array: Array, value: Any, common: Any, *, forced: bool, floats: frozenset[str]) -> Any:
    """Return the array in a type that its declaration allows."""
    is_number = isinstance(value, bool | int | float | complex)
    if is_number:
        value = np.asarray(value)
    kind = KIND.get(value.dtype.kind, value.dtype.kind)
    match array.dtype:
        case "int":
            allowed = kind == "i"
        case "bool":
            allowed = kind == "b"
        case "complex":
            return value if kind == "c" else value.astype(np.complex128)
        case "float32" | "float64":
            allowed = kind in "fib"
            if allowed:
                return value.astype(array.dtype, copy=False)
        case "float":
            allowed = kind in "fib"
        case _:
            allowed = True
    if not allowed:
        raise catalogue.error(
            "L0401",
            array.span,
            name=array.name,
            expected=array.dtype,
            given=str(value.dtype),
            repair=f"pass `{array.name}` as an array of type {array.dtype}",
        )
    _refuse_complex(array, kind, floats)
    as_float = array.dtype == "float" or array.name in floats or (is_number and not array.dtype)
    if (as_float and kind in "ib") or (forced and kind == "f") or (is_number and kind == "f"):
        return value.astype(common)
    return value


def _refuse_complex(array: Array, kind: str, floats: frozenset[str]) -> None:
    if kind == "c" and array.name in floats:
        facts = {"name": array.name, "why": "its values are complex", "candidates": "real ones"}
        raise catalogue.error("L0603", array.span, **facts)  # type: ignore[arg-type]


def _initial(array: Array, dims: Mapping[str, int], scalars: Mapping[str, int], common: Any) -> Any:
    """Return an input that is not given and has a value of its own."""
    from loopc.ir.nodes import Const

    shape = bind.shape_of(array, dims, scalars)
    assert array.initial is not None
    if isinstance(array.initial, Const):
        value: Any = array.initial.value
    else:
        from loopc.ir.interpret import interpret
        from loopc.ir.nodes import Access, Update

        body = (Update(Access("value"), "=", array.initial),)
        one = Program((), (Array("value", "temp", ()),), body, ("value",))
        value = interpret(one, {}, dims)["value"]
    dtype = {"int": np.int64, "bool": np.bool_, "float32": np.float32, "float64": np.float64}
    return np.full(shape, value, dtype.get(array.dtype, common))

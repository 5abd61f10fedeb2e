"""Types by inference: which inputs decide the width of each array's numbers.

A kind is one of `b` (bool), `i` (integer), `f` (float), `c` (complex). The kinds of the inputs are
known before a program is lowered; widths are not, so a type is a kind and the inputs it is promoted
from: `float32` in, `float32` out, without the compiler knowing which. Literals and the values of
indices, and counts of bools, are weak: they take the type of what they meet. So are floats made of
integers alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loopc.diagnostics.record import record, replace
from loopc.ir.functions import lookup
from loopc.ir.infer import primal_of
from loopc.ir.nodes import (
    Array,
    Call,
    Const,
    Expr,
    Extent,
    IndexRef,
    Program,
    Read,
    Reduce,
    Update,
)
from loopc.ir.reductions import by_op
from loopc.ir.reductions import lookup as lookup_reduction
from loopc.ir.visit import reads, updates

ORDER = "bifc"
"""Kinds from the narrowest to the widest."""

FIXED = {"b": "bool", "i": "int64", "f": "float64", "c": "complex128"}
"""What a type of each kind is where no input decides."""

KINDS = {"b": "bool", "i": "int", "f": "float", "c": "complex"}
"""What a kind is called."""

DECLARED = {"": "f", "float": "f", "float32": "f", "float64": "f"} | {
    "int": "i",
    "bool": "b",
    "complex": "c",
}
"""The kind that a declared type has; an array of no declared type is taken for a float."""


_PYTHON = {bool: "b", int: "i", float: "f", complex: "c"}
"""The kind of a Python number."""


@record()
class DType:
    """A kind, what it is promoted from, and whether it gives way to others.

    Attributes:
        kind: `b`, `i`, `f` or `c`.
        sources: names of inputs, and NumPy dtype names, in order; the width is that of their
            promotion. Integers do not count next to a float.
        weak: made of literals and indices alone, or a float made of integers.
    """

    kind: str
    sources: tuple[str, ...] = ()
    weak: bool = False


INTEGER = DType("i", ("int64",))
"""What counts, positions and sums of integers are."""

FLOAT = DType("f", ("float64",))
"""What literals become where nothing else says."""


_WEAK = {t: DType(k, (), weak=True) for t, k in _PYTHON.items()}
"""What a literal is, by its Python type."""

_BOOL = DType("b", ("bool",))


def of_kinds(program: Program, kinds: Mapping[str, str]) -> Program:
    """Return the program with inputs declared to be of the kinds that are given."""
    arrays = tuple(
        replace(a, dtype=KINDS[kinds[a.name]])
        if a.kind != "temp" and kinds.get(a.name, DECLARED[a.dtype]) != DECLARED[a.dtype]
        else a
        for a in program.arrays
    )
    return program if arrays == program.arrays else replace(program, arrays=arrays)


def infer_dtypes(
    program: Program, kinds: Mapping[str, str], *, uniform: bool = False
) -> dict[str, DType]:
    """Return the type of every array.

    Args:
        program: a resolved program without Backward statements.
        kinds: the kind of every input and param that is given; others have the declared kind.
        uniform: whether all inputs of kind `f` have one type.
    """
    if kinds or uniform:
        return _inferred(program, kinds, uniform=uniform)
    try:
        return dict(program.types)
    except AttributeError:
        program.types = _inferred(program, kinds)
        return dict(program.types)


def _inferred(
    program: Program, kinds: Mapping[str, str], *, uniform: bool = False
) -> dict[str, DType]:
    types: dict[str, DType] = {}
    floats = ""
    for array in program.arrays:
        if array.kind != "temp":
            kind = kinds.get(array.name, DECLARED[array.dtype])
            floats = floats or (array.name if kind == "f" else "")
            source = floats if uniform and kind == "f" else array.name
            types[array.name] = DType(kind, (source,))
        elif array.dtype:
            types[array.name] = _declared(array)
    fixed = frozenset(types)
    names = {a.name for a in program.arrays}
    bases = {a.name: a.like or primal_of(a.name, names) for a in program.arrays}
    deciding = [(u, _deciding(u, bases)) for _, u in updates(program.body)]
    changed = names
    while changed:
        before, changed = changed, set()
        for update, arrays in deciding:
            if before.isdisjoint(arrays) and changed.isdisjoint(arrays):
                continue  # it would find what it found
            name = update.target.array
            new = _target_type(update, types, fixed, bases[name])
            if new is not None and types.get(name) != new:
                types[name] = new
                changed.add(name)
    return {a.name: _settled(types.get(a.name), a) for a in program.arrays}


def _deciding(update: Update, bases: Mapping[str, str | None]) -> set[str]:
    """Return the arrays whose types decide that of an update's target."""
    base = bases[update.target.array]
    own = {update.target.array, *(a.array for a in reads(update.value))}
    return own if base is None else own | {base}


def _declared(array: Array) -> DType:
    kind = DECLARED[array.dtype]
    return DType(kind, (array.dtype if array.dtype.startswith("float3") else FIXED[kind],))


def _target_type(
    update: Update, types: Mapping[str, DType], fixed: frozenset[str], base: str | None
) -> DType | None:
    """Return the type of an update's target with this update taken in; None: nothing new."""
    name = update.target.array
    if name in fixed:
        return None
    if base is not None and base in types and types[base].kind in "fc":
        return types[base]
    value = of_expr(update.value, types)
    row = by_op(update.op)
    if value is None:
        return None
    if row is not None and value.kind in "bi" and update.op in ("+=", "*="):
        value = _accumulated(value)
    old = types.get(name)
    return value if old is None else join(old, value)


def _accumulated(value: DType) -> DType:
    """Sums and products of integers are int64; a count of bools is a number like a literal."""
    return DType("i", ("int64",), weak=value.weak or value.kind == "b")


def _settled(value: DType | None, array: Array) -> DType:
    """Return the type of an array at the end; the cotangent 1 of a scalar stays weak."""
    if value is None:
        return FLOAT
    if value.weak and array.shape == () and "." in array.name:
        return DType("f", (), weak=True)
    if value.weak:
        return DType(value.kind, (FIXED[value.kind],))
    return value


def join(a: DType, b: DType) -> DType:
    """Return the type of an operation on both.

    As NumPy promotes, but that floats alone decide the width of a float: an integer beside a
    float32 becomes a float32.
    """
    if a is b and not (a.weak and a.sources):
        return a
    kind = max(a.kind, b.kind, key=ORDER.index)
    deciding = "fc" if kind in "fc" else "bi"
    strong = [part for part in (a, b) if not part.weak and part.kind in deciding]
    if not strong:
        return DType(kind, (), weak=True)
    sources = tuple(dict.fromkeys(s for part in strong for s in part.sources))
    if all(part.kind == kind for part in strong) or len(strong) == 2:
        return DType(kind, sources)
    if kind == "c":  # complex literal, real array: a complex of that width
        return DType(kind, (*sources, "complex64"))
    return DType(kind, (FIXED[kind],))


def is_same(a: DType, b: DType) -> bool:
    """Whether arrays of both types have one type, whatever the inputs are."""
    return (a.kind, {*a.sources}) == (b.kind, {*b.sources})


def as_float(value: DType) -> DType:
    """Return the type of a function's value: at least a float."""
    return value if value.kind in "fc" else DType("f", (), weak=True)


REAL = "real "
"""Stands in a type's sources in front of a complex one whose real part counts."""


def as_real(value: DType) -> DType:
    """Return the type of the size of a number: a complex one's is a float."""
    if value.kind != "c":
        return value
    return DType("f", tuple(f"{REAL}{s}" for s in value.sources), weak=value.weak)


def of_expr(expr: Expr, types: Mapping[str, DType]) -> DType | None:
    """Return the type of an expression; None while an array in it has no type yet."""
    match expr:
        case Read(access):
            return types.get(access.array)
        case IndexRef() | Extent():
            return _WEAK[int]
        case Const(value):
            return _WEAK[type(value)]
        case Call(fn, args):
            dtype = of_call(fn, [of_expr(a, types) for a in args])
            return as_float(dtype) if dtype is not None and is_reciprocal(expr) else dtype
        case Reduce(op, body=body):
            return of_reduction(op, of_expr(body, types))


def is_reciprocal(call: Call) -> bool:
    """Whether a power is written with a minus, `2**-k`, and so is a float."""
    match call:
        case Call("pow", (_, Const(value))) if not isinstance(value, complex):
            return value < 0
        case Call("pow", (_, Call("neg"))):
            return True
        case _:
            return False


def of_call(fn: str, parts: Sequence[DType | None]) -> DType | None:
    """Return the type of a function of values of given types."""
    row = lookup(fn)
    assert row is not None, fn
    if row.result == "bool":
        return _BOOL
    if row.result == "int":
        return INTEGER
    known = [p for p in (parts[1:] if row.name == "where" else parts) if p is not None]
    if not known:
        return None
    joined = known[0]
    for part in known[1:]:
        joined = join(joined, part)
    if row.result == "float":
        return as_float(joined)
    if row.result == "real":
        joined = as_real(joined)
    if joined.kind == "b" and row.counts_bools:
        return DType("i", () if joined.weak else ("int64",), weak=joined.weak)
    return joined


def of_reduction(op: str, body: DType | None) -> DType | None:
    """Return the type of a reduction of values of a given type."""
    row = lookup_reduction(op)
    assert row is not None, op
    if row.result == "bool":
        return _BOOL
    if row.result == "int":
        return INTEGER
    if body is None:
        return None
    if row.result == "float":
        return as_float(body)
    return _accumulated(body) if body.kind in "bi" and row.fn in ("add", "mul") else body


def concrete(dtype: DType, given: Mapping[str, str]) -> str:
    """Return the NumPy name of a type, from the NumPy names of the inputs' types."""
    import numpy as np

    parts = [_numpy_type(s, given) for s in dtype.sources] or [np.dtype(FIXED[dtype.kind])]
    result = np.result_type(*parts)
    if ORDER.index({"u": "i"}.get(result.kind, result.kind)) < ORDER.index(dtype.kind):
        return FIXED[dtype.kind]
    return str(result)


def _numpy_type(source: str, given: Mapping[str, str]) -> Any:
    import numpy as np

    name = source.removeprefix(REAL)
    dtype = np.dtype(given.get(name, name))
    return dtype if name == source else np.empty(0, dtype).real.dtype

"""The types of a plan's values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loopc.ir import reductions
from loopc.ir.dtypes import DType, as_float, join, of_call
from loopc.lower.plan import (
    Along,
    Apply,
    Bound,
    Cast,
    Checked,
    Contract,
    Exactly,
    Expand,
    Flip,
    Fold,
    Gather,
    Lit,
    Packed,
    Range,
    Renamed,
    Row,
    Scalar,
    Selected,
    Spot,
    Strided,
    Take,
    Value,
    View,
)


def type_of(value: Value, of: Callable[[str], DType | None]) -> DType | None:
    """Return the type of a value, None if it is not known; `of` gives those of arrays."""
    match value:
        case Lit(number):
            kind = {bool: "b", int: "i", float: "f", complex: "c"}[type(number)]
            return DType(kind, (), weak=True)
        case Scalar():
            return DType("i", (), weak=True)
        case Range():
            return DType("i", ("int64",))
        case View(array) | Strided(array) | Row(array) | Spot(array) | Gather(array):
            return of(array)
        case Cast(dtype=dtype) | Checked(dtype=dtype) | Bound(dtype=dtype):
            return dtype
        case Apply(fn, args):
            parts = [type_of(a, of) for a in args]
            return None if any(p is None for p in parts) else of_call(fn, parts)
        case Renamed(arg) | Flip(arg) | Packed(arg) | Expand(arg) | Take(arg) | Exactly(arg):
            return type_of(arg, of)
        case Fold(op, arg) | Along(op, arg):
            return _of_reduction(op, type_of(arg, of))
        case Contract(args) | Selected(args):
            return _joined([type_of(a, of) for a in args])


def _of_reduction(op: str, body: DType | None) -> DType | None:
    row = reductions.lookup(op)
    if row is None or body is None or body.kind != "f":
        return None
    if row.result == "float":
        return as_float(body)
    return body if row.result not in ("bool", "int") else None


def _joined(types: Sequence[DType | None]) -> DType | None:
    known = [t for t in types if t is not None]
    if len(known) < len(types) or not known:
        return None
    result = known[0]
    for each in known[1:]:
        result = join(result, each)
    return result

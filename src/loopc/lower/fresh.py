"""Which values have memory of their own: what is written to them changes no array."""

from __future__ import annotations

from loopc.ir.functions import lookup
from loopc.lower.plan import (
    Apply,
    Cast,
    Contract,
    Exactly,
    Expand,
    Flip,
    Fold,
    Gather,
    Renamed,
    Row,
    Strided,
    Value,
    View,
)


def is_fresh(value: Value) -> bool:
    """Whether a value's memory is surely its own."""
    match value:
        case View() | Strided() | Row() | Expand() | Flip():
            return False
        case Apply(fn, args):
            row = lookup(fn)
            copies = row is None or row.numpy != "{x}"
            return copies or all(is_fresh(a) for a in args)
        case Cast(arg) | Renamed(arg):
            return is_fresh(arg)
        case Gather(over=over) | Fold(over=over):
            return bool(over)  # an array at numbers alone is a view
        case Contract(args):
            return len(args) > 1
        case Exactly(arg, exact):
            return is_fresh(arg) and is_fresh(exact)
        case _:
            return True

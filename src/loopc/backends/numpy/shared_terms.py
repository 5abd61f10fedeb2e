"""What a gradient computes of a reduction's terms and value, by what the reduction has computed.

    for n    s[n] = logsumexp[c](z[n,c])      # exponentials of z[n,c] - top[n] are summed
    for n,c  z.grad[n,c] += exp(z[n,c] - s[n])  ->  these times exp(top[n] - s[n])

The table of reductions says both texts (`shared`). Where the result is not finite, the run computes
it as it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import repeat

from loopc.backends.numpy.inline import by_folds, parsed
from loopc.diagnostics.record import replace
from loopc.ir import reductions
from loopc.ir.dtypes import DType
from loopc.ir.nodes import Call, Expr, Read
from loopc.lower.plan import Apply, Assign, Exactly, Fold, Overlap, Store, Value, View
from loopc.lower.plan_visit import arrays_read, touched
from loopc.lower.value_types import type_of


@dataclass
class SharedTerms:
    """The reductions that arrays of a tile hold at a point of its body, by array.

    An array that others read, too, has a view of the block.
    """

    held: dict[str, tuple[Fold, View | None]] = field(default_factory=dict)

    def note(self, step: Assign | Store | Overlap, types: Mapping[str, DType]) -> None:
        """Take note of a step of a tile; `types`: of the arrays in memory."""
        written, value = touched(step)[1], step.value
        for name, (fold, _) in list(self.held.items()):
            if name in written or written & arrays_read(fold):
                del self.held[name]
        row = reductions.lookup(value.op) if isinstance(value, Fold) else None
        if row is None or not row.shared or not isinstance(value, Fold) or value.mask is not None:
            return
        if isinstance(step, Assign) and not step.cast:
            self.held[step.array] = value, None
        if not isinstance(step, Store) or step.op != "=":
            return
        if types[step.target.array] == type_of(value, types.get):
            self.held[step.target.array] = value, step.target

    def found(self, value: Apply, sizes: Mapping[str, Expr]) -> Value | None:
        """Return a value by what a reduction of the same terms computes; None: there is none."""
        for array, (fold, block) in self.held.items():
            row = reductions.lookup(fold.op)
            assert row is not None
            assert row.shared is not None
            own: dict[str, Value] = {}
            pattern, text = row.shared
            if not _matches(value, parsed(pattern), own) or own["x"] != fold.arg:
                continue
            result = own["y"]
            if not isinstance(result, View) or result.array != array or fold.kind != "f":
                continue
            same = all(p.whole for p in result.parts) if block is None else result == block
            if same and result.axes == fold.axes:
                made = by_folds(text, fold.arg, fold.over, sizes, {"y": result})
                return None if made is None else Exactly(made, value, value.axes)
        return None


def _matches(value: Value, pattern: Expr, own: dict[str, Value]) -> bool:
    """Whether a value has the form of an expression; `own`: what its names stand for."""
    match pattern:
        case Read(access):
            return own.setdefault(access.array, value) == value
        case Call(fn, args) if isinstance(value, Apply) and value.fn == fn:
            given, more = value.args, len(value.args) - len(args)
            if more > 0:  # a sum of three terms may be one of two and another
                given = (replace(value, args=given[: more + 1]), *given[more + 1 :])
            return more >= 0 and all(map(_matches, given, args, repeat(own)))
        case _:
            return False

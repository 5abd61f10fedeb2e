"""What helps to choose between spellings of the same value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loopc.ir.bind import evaluate
from loopc.ir.nodes import Expr

TYPICAL = 64
"""An extent of which nothing is known."""


@dataclass
class Hints:
    """Hints for the value at hand.

    Attributes:
        extents: the dims of the call at hand, as far as known.
        by_extents: whether something was chosen by them.
        order: the axes of the array that the value goes into, as they lie in memory.
    """

    extents: Mapping[str, int] = field(default_factory=dict)
    by_extents: bool = False
    order: tuple[str, ...] = ()

    def typical(self, expr: Expr, *, decides: bool = True) -> int:
        """Return the extent that an expression of dims has in the call at hand, or a typical one.

        Args:
            expr: the extent.
            decides: whether other extents are worth a module of their own.
        """
        try:
            extent = evaluate(expr, self.extents, {})
        except KeyError:  # a serial index, an integer of data, or a module for any call
            return TYPICAL
        self.by_extents = self.by_extents or decides
        return max(extent, 1)

    def wished(self, axes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the order in which a value with these axes would best lie in memory."""
        same = len(axes) == len(self.order) and set(axes) == set(self.order)
        return self.order if same else axes

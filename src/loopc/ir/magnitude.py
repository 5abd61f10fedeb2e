"""The extents of the call at hand, for choices between ways to do the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loopc.ir.bind import evaluate
from loopc.ir.nodes import Expr

TYPICAL = 64
"""An extent of which nothing is known."""

FEW = 4
"""The largest number that a module may be made for alone."""


@dataclass
class Magnitudes:
    """What extents are in numbers, and types.

    Attributes:
        extents: the dims of the call at hand, as far as known.
        by_extents: whether something was chosen by them.
        kinds: the kind (`b i f c`) of every input that is given.
    """

    extents: Mapping[str, int] = field(default_factory=dict)
    by_extents: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)

    def typical(self, expr: Expr, *, decides: bool = True) -> int:
        """Return the extent that an expression of dims has in the call at hand, or a typical one.

        Args:
            expr: the extent.
            decides: whether other extents are worth a module of their own.
        """
        extent = self.known(expr, decides=decides)
        return TYPICAL if extent is None else max(extent, 1)

    def known(self, expr: Expr, *, decides: bool = True) -> int | None:
        """Return the extent that an expression of dims has in the call at hand, if that is known.

        Args:
            expr: the extent.
            decides: whether other extents are worth a module of their own.
        """
        try:
            extent = evaluate(expr, self.extents, {})
        except KeyError:  # a serial index, an integer of data, or a module for any call
            return None
        self.by_extents = self.by_extents or decides
        return extent

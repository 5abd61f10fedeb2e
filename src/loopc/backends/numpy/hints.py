"""What helps to choose between spellings of the same value."""

from __future__ import annotations

from dataclasses import dataclass, field

from loopc.ir.magnitude import Magnitudes
from loopc.ir.nodes import Expr


@dataclass
class Hints(Magnitudes):
    """Hints for the value at hand.

    Attributes:
        order: the axes of the array that the value goes into, as they lie in memory.
        tiles: whether the program has tiles, in whose way threads of BLAS would be.
        counts: sizes that are not negative.
    """

    order: tuple[str, ...] = ()
    tiles: bool = False
    counts: set[Expr] = field(default_factory=set)

    def wished(self, axes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the order in which a value with these axes would best lie in memory."""
        same = len(axes) == len(self.order) and set(axes) == set(self.order)
        return self.order if same else axes

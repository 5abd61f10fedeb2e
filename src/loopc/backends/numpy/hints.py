"""What helps to choose between spellings of the same value."""

from __future__ import annotations

from dataclasses import dataclass

from loopc.ir.magnitude import Magnitudes


@dataclass
class Hints(Magnitudes):
    """Hints for the value at hand.

    Attributes:
        order: the axes of the array that the value goes into, as they lie in memory.
    """

    order: tuple[str, ...] = ()

    def wished(self, axes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the order in which a value with these axes would best lie in memory."""
        same = len(axes) == len(self.order) and set(axes) == set(self.order)
        return self.order if same else axes

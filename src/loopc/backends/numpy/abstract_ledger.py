"""What memory is in use, counted as arrays without cells come and go."""

from __future__ import annotations


class Ledger:
    """The bytes in use, and the most that there have been at a time."""

    def __init__(self) -> None:
        self.used = 0
        self.peak = 0

    def take(self, size: int) -> None:
        """Count bytes as used from here on."""
        self.used += size
        self.peak = max(self.peak, self.used)

    def borrow(self, size: int) -> None:
        """Count bytes as used for a moment."""
        self.peak = max(self.peak, self.used + size)


HEADER = 112
"""The bytes of an array without its cells."""


class Memory:
    """The memory of an array and its views."""

    __slots__ = ("cells", "ledger", "size")

    def __init__(self, ledger: Ledger, cells: int) -> None:
        self.ledger = ledger
        self.cells = cells
        self.size = cells + HEADER if cells else 0
        ledger.take(self.size)

    def __del__(self) -> None:
        self.ledger.used -= self.size

"""An update in its statement, and the loops round it that hold others, too."""

from __future__ import annotations

from loopc.analysis.dependence import Leaf
from loopc.diagnostics.record import record
from loopc.ir.nodes import Index, Stmt, Update


@record()
class Spot:
    """An update, and how many of its loops it shares.

    Attributes:
        number: of its statement of the program.
        stmt: the statement.
        leaf: the update.
        depth: how many loops round it hold others, too, or run in order.
    """

    number: int
    stmt: Stmt
    leaf: Leaf
    depth: int

    @property
    def update(self) -> Update:
        """The update."""
        return self.leaf.update

    @property
    def levels(self) -> tuple[Index, ...]:
        """The loops round it."""
        return tuple(level.index for level in self.leaf.levels)

    @property
    def outer(self) -> tuple[Index, ...]:
        """The loops that it shares."""
        return self.levels[: self.depth]

    @property
    def inner(self) -> tuple[Index, ...]:
        """The loops of its own."""
        return self.levels[self.depth :]

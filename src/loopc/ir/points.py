"""The values of indices whose ranges are made of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TypeAlias

from loopc.ir.nodes import Const, Index

Point: TypeAlias = Mapping[str, Const]


def literal(index: Index) -> range | None:
    """Return the values of an index whose range is made of numbers; None: it is not."""
    if not (isinstance(index.start, Const) and isinstance(index.stop, Const)):
        return None
    return range(int(index.start.value.real), int(index.stop.value.real), index.step)


def points(indices: Mapping[str, Index], names: Sequence[str]) -> list[Point]:
    """Return the values of indices that have literal ranges, in the order of their loops."""
    ranges = [found for n in names if (found := literal(indices[n])) is not None]
    return [{n: Const(v) for n, v in zip(names, at, strict=True)} for at in product(*ranges)]

"""Cells at equal steps in memory, which the waves of a skewed nest read and write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loopc.backends.numpy.texts import ATOM, SUM, Text
from loopc.lower.plan import Row, Spot, Unfold

if TYPE_CHECKING:
    from loopc.backends.numpy.values import Speller


def spell(speller: Speller, value: Row | Spot) -> Text:
    """Spell the cells as a slice of the array's memory."""
    assert isinstance(value, Row), "a plane's cells have a variable"
    start, step = speller.size(value.start, SUM), speller.size(value.step)
    start = "" if start == "0" else start
    span = speller.size(value.span, SUM)
    stop = f"{start} + {span}" if start else span
    inside = f"{start}:{stop}" + ("" if step == "1" else f":{step}")
    return Text(f"{speller.name('row', value.array)}[{inside}]", ATOM, value.axes)


def unfold(speller: Speller, step: Unfold) -> Iterator[str]:
    """Yield the lines that name an array's memory; what is written must be no copy of it."""
    name = speller.name("array", step.array)
    if step.written:
        yield f"{name} = np.ascontiguousarray({name})"
    yield f"{speller.name('row', step.array)} = {name}.reshape(-1)"

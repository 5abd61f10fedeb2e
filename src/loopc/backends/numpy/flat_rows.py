"""Rows of a block as one run of memory, with the cells between their ends as well.

    np.add(A[t, i:j, 1:9], A[t, i:j, :8], out=w)  # 8 of 10 cells in each row
    ->  np.add(A_flat[t, 10 * i + 1:10 * i + 1 + cells], A_flat[t, 10 * i:10 * i + cells], out=w)

A call takes as long for a row as for a hundred cells of it. What the cells between two rows get is
never read: the last operation takes the rows alone, by views with gaps. Where a value is added to
an array, these cells are zeros, of the sign that leaves what they are added to as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from loopc.backends.numpy import calls, row_sums
from loopc.backends.numpy.integers import PRODUCT, SUM
from loopc.backends.numpy.release import NAME
from loopc.backends.numpy.tile_items import (
    Add,
    Buffer,
    Operation,
    Write,
    name_of,
    only_written,
    place_of_write,
)
from loopc.backends.numpy.tiles import TileSpeller
from loopc.backends.numpy.values import Speller
from loopc.ir.affine import equal
from loopc.ir.nodes import Expr
from loopc.lower.plan import Apply, Expand, Store, Value, View
from loopc.lower.plan_visit import walk


@dataclass
class FlatSpeller(TileSpeller):
    """Spells a tile of rows of which one is behind the other in memory.

    Attributes:
        behind: the extents of what is behind the index of rows in memory; (): it is no such tile.
        flat: the variables in which rows and these are one dimension, by the arrays and how many
            dimensions are in front of them; all stages of a sweep have them together.
        columns: how many cells a row has along each of its dimensions.
        cells: the variables that hold how many cells a run has, by their texts.
        fills: what the cells between rows hold, by buffers that are added to arrays.
        gaps: the views of the rows alone, by buffers.
    """

    behind: tuple[Expr, ...] = ()
    flat: dict[tuple[str, int], str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    cells: dict[str, str] = field(default_factory=dict)
    fills: dict[str, str] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        views = list(self._views())
        found = self._extents(views[0]) if views else ()
        fits = all(self._is_of(v, found) for v in views) and any(map(_has_gaps, views))
        dims = {o.dims for o in self._needed() if o.axes}
        fits = fits and len(dims) == 1 and all(map(self._has_call, self._needed()))
        if fits and self._adds_alike():
            self.behind = found
            self.columns = [self.speller.count(d) for d in (dims.pop() or ())[1:]]

    # Which tiles

    def _needed(self) -> Iterator[Operation]:
        yield from (item for item in self.items if isinstance(item, Operation))

    def _views(self) -> Iterator[View]:
        """Yield the accesses of rows."""
        for operation in self._needed():
            if isinstance(operation.value, View) and operation.axes:
                yield operation.value
        for item in self.items:
            if isinstance(item, Write):
                yield item.view
            elif isinstance(item, Add) and isinstance(item.step, Store):
                yield item.step.target

    def _extents(self, view: View) -> tuple[Expr, ...]:
        shape, rank = self.speller.shapes.get(view.array, ()), len(view.axes)
        return shape[len(shape) - rank + 1 :] if 1 < rank <= len(shape) else ()

    def _is_of(self, view: View, behind: tuple[Expr, ...]) -> bool:
        """Whether a view is of rows in an array whose dimensions behind these are so long."""
        if self.steps.prepared is not None and view.array in self.steps.results:
            return False  # it may be the caller's, with gaps
        own, parts = self._extents(view), view.parts[len(view.parts) - len(view.axes) :]
        same = bool(own) and len(own) == len(behind) and all(map(equal, own, behind))
        return same and all(
            p.axis == a and p.step == 1 for p, a in zip(parts, view.axes, strict=True)
        )

    def _has_call(self, operation: Operation) -> bool:
        """Whether an operation is one call on whole rows, or such rows as they are in memory."""
        value = operation.value
        if not operation.axes:
            return True
        if _is_filled(value):
            return only_written(self.items, operation)
        if isinstance(value, View):
            start = self.items.index(operation)
            changed = place_of_write(self.items, value.array, start)
            return changed >= self.last[operation.number] and not value.array.startswith("·")
        views = (v for v in walk(value) if isinstance(v, View) and v.axes)
        if not all(v.array.startswith("·") for v in views):
            return False  # all of an array, which has no rows
        return operation.varies and bool(self._key(operation)) and calls.has_call(value)

    def _adds_alike(self) -> bool:
        """Whether each value that is added to arrays is always added, or always subtracted."""
        signs: dict[int, bool] = {}
        for item in self.items:
            if isinstance(item, Add):
                step = item.step
                found = _added(step.value)
                if not isinstance(step, Store) or step.op != "+=" or found is None:
                    return False
                view, negative = found
                number = int(view.array[1:])
                dtype = self.graph.operations[number].dtype
                if dtype is None or dtype.kind != "f" or view.axes != step.target.axes:
                    return False
                if signs.setdefault(number, negative) != negative:
                    return False
        self.signs = signs
        return True

    # Lines

    def prepare(self) -> None:
        """Spell all operations; what is taken by rows alone needs no run."""
        super().prepare()
        used = Counter(w for line in self.body for w in re.findall(NAME, line.partition("#")[0]))
        self.body = [line for line in self.body if used[line.partition(" = ")[0]] != 1]

    def allocations(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the lines that make the buffers."""
        for line, name in zip(super().allocations(names), self.memory(names), strict=True):
            if name in self.fills:
                shape, dtype = self.memory(names)[name]
                yield f"{name} = np.full({shape}, {self.fills[name]}, {dtype})"
            else:
                yield line

    def block(self) -> Iterator[str]:
        """Yield the lines of a block."""
        yield from (f"{name} = {text}" for text, name in self.cells.items())
        for buffer, operation in self.made:
            yield f"{buffer.name} = {buffer.memory}[:{self._cells(operation)}]"
            if buffer.name in self.gaps:
                yield f"{self.gaps[buffer.name]} = {self._with_gaps(buffer, operation)}"
        yield from self.body

    def _shape(self, operation: Operation, names: Sequence[str]) -> str:
        return " * ".join([*names, *(self.speller.size(n, PRODUCT) for n in self.behind)])

    def _cells(self, operation: Operation) -> str:
        """Return the variable that holds the cells from the first one of a block to its last."""
        assert operation.dims is not None
        first, *others = (self.speller.size(d, SUM) for d in operation.dims)
        text = f"{first} - 1"
        for number, (extent, own) in enumerate(zip(self.behind, others, strict=True)):
            less = "" if number == len(others) - 1 else " - 1"
            text = f"({text}) * {self.speller.size(extent, PRODUCT)} + {own}{less}"
        if text not in self.cells:
            self.cells[text] = self.speller.names.fresh("cells")
        return self.cells[text]

    def _with_gaps(self, buffer: Buffer, operation: Operation) -> str:
        """Return the rows alone of the memory of a buffer."""
        assert operation.dims is not None
        rows = self.speller.size(operation.dims[0])
        sizes = [self.speller.size(n) for n in self.behind]
        most = " * ".join([f"({rows})", *(self.speller.size(n, PRODUCT) for n in self.behind)])
        parts = ", ".join(f":{self.speller.size(d)}" for d in operation.dims[1:])
        return f"{buffer.memory}[:{most}].reshape({', '.join([rows, *sizes])})[:, {parts}]"

    def _run(self, view: View, operation: Operation) -> str:
        """Return the run of memory from the first cell of a view to its last."""
        lead = len(self.speller.shapes[view.array]) - len(self.behind) - 1
        flat = self.flat.get((view.array, lead))
        if flat is None:
            own = self.speller.name("array", view.array)
            flat = self.flat[view.array, lead] = self.speller.names.fresh(f"{own}_flat")
        before = [self.speller.size(p.start) for p in view.parts[:lead]]
        first, *others = (self.speller.size(p.start, SUM) for p in view.parts[lead:])
        for extent, start in zip(self.behind, others, strict=True):
            size = self.speller.size(extent, PRODUCT)
            bare = first if first.isidentifier() or first.isdigit() else f"({first})"
            first = f"{bare} * {size}" + (f" + {start}" if start != "0" else "")
        cells = self._cells(operation)
        return f"{flat}[{', '.join([*before, f'{first}:{first} + {cells}'])}]"

    # Operations

    def _leaf(self, operation: Operation, place: int) -> None:
        view = operation.value
        assert isinstance(view, View)
        if not operation.axes:
            super()._leaf(operation, place)
            return
        name = self._part_of(view.array, self._run(view, operation))
        self.take(operation, Buffer(name, owned=False))

    def _computed(self, operation: Operation, place: int) -> None:
        if not operation.axes or _is_filled(operation.value):
            super()._computed(operation, place)
            return
        signed = self.signs.get(operation.number)
        target = self._target(operation, place) if signed is None else None
        if target is None and signed is None:
            made = calls.call(self.speller, self.graph, operation)
            assert isinstance(operation.value, Apply)
            buffer = self.buffer(operation, place, operation.value.args)
            self.body.append(f"{made}, out={buffer.name})")
            self.take(operation, buffer)
            return
        with self._gapped(operation.below):
            made = calls.call(self.speller, self.graph, operation)
        if target is None:
            name = self.steps.fresh("w")
            memory = self.speller.names.fresh(f"{name}_memory")
            target = Buffer(name, self._key(operation), owned=False, memory=memory)
            self.made.append((target, operation))
            self.fills[memory] = "0.0" if signed else "-0.0"
            self.body.append(f"{made}, out={self._gap(name)})")
        else:
            self.body.append(f"{made}, out={target.name})")
        self.take(operation, target)

    def _target(self, operation: Operation, place: int) -> Buffer | None:
        alone = only_written(self.items, operation)
        return super()._target(operation, place) if alone else None

    def _write(self, item: Write) -> None:
        with self._gapped((item.number,)):
            super()._write(item)

    def _add(self, item: Add) -> None:
        found = _added(item.step.value)
        assert found is not None
        assert isinstance(item.step, Store)
        view, negative = found
        number = int(view.array[1:])
        operation = self.graph.operations[number]
        if isinstance(operation.value, View):  # the cells between its rows are no zeros
            with self._gapped((number,)):
                super()._add(item)
            return
        target = item.step.target
        name = self._part_of(target.array, self._run(target, operation))
        value = self.speller.names.of(view.array, "array")
        self.body.append(f"{name} {'-' if negative else '+'}= {value}")

    @contextmanager
    def _gapped(self, numbers: Sequence[int]) -> Iterator[None]:
        """Let the names of some operations be those of their rows alone."""
        known = self.speller.names.known
        before = {n: known["array", name_of(n)] for n in numbers}
        for number in numbers:
            operation = self.graph.operations[number]
            if isinstance(operation.value, View) and operation.axes:
                text = calls.text(self.speller, operation.value, operation.axes)
                known["array", name_of(number)] = self._part_of(operation.value.array, text)
            elif operation.axes and not _is_filled(operation.value):
                known["array", name_of(number)] = self._gap(before[number])
        yield
        for number, name in before.items():
            known["array", name_of(number)] = name

    def _gap(self, buffer: str) -> str:
        """Return the name of the rows alone of a buffer."""
        return self.gaps.setdefault(buffer, f"{buffer}_rows")


def _has_gaps(view: View) -> bool:
    """Whether a view leaves out cells between two of its rows."""
    return not all(part.whole for part in view.parts[len(view.parts) - len(view.axes) + 1 :])


def _is_filled(value: Value) -> bool:
    """Whether all cells of a value are one number."""
    return isinstance(value, Expand) and not value.arg.axes


def _added(value: Value) -> tuple[View, bool] | None:
    """Return the operation that is added to an array, and whether it is subtracted."""
    match value:
        case Apply("neg", (View() as view,)) if view.array.startswith("·"):
            return view, True
        case View() if value.array.startswith("·"):
            return value, False
        case _:
            return None


def named(
    speller: Speller, flat: Mapping[tuple[str, int], str], lines: Sequence[str]
) -> Iterator[str]:
    """Yield the lines that make the variables of flat arrays which other lines use."""
    words = {w for line in lines for w in re.findall(NAME, line.partition("#")[0])}
    contiguous: set[str] = set()
    for (array, lead), name in flat.items():
        own = speller.name("array", array)
        if name not in words:
            continue
        if own not in contiguous:
            contiguous.add(own)
            yield f"{own} = np.ascontiguousarray({own})"
        rows = row_sums.size_of(speller, speller.shapes[array][lead:])
        shape = f"*{own}.shape[:{lead}], {rows}" if lead else rows
        yield f"{name} = {own}.reshape({shape})"

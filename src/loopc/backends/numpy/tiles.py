"""Tiles as Python: a loop over blocks, each operation a NumPy call into a buffer that is reused.

An operation's buffer is free again after its last use; an operation may write over an operand that
it uses last. The buffers are made before the loop, for the largest block. Source: linear scan
register allocation, Poletto and Sarkar, 1999.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loopc.backends.numpy import calls, tile_choices
from loopc.backends.numpy.blocks_graph import Graph
from loopc.backends.numpy.integers import ATOM
from loopc.backends.numpy.tile_items import (
    Add,
    Buffer,
    Operation,
    Write,
    block_of,
    ends_in,
    in_buffer,
    is_operation,
    name_of,
    only_written,
    place_of_write,
    touched,
)
from loopc.backends.numpy.tile_loops import TileLoop, TileSums, cut, is_small, made
from loopc.lower.blocks import size
from loopc.lower.fresh import is_fresh
from loopc.lower.plan import Apply, Contract, Exactly, Expand, Fold, Note, Tile, Value, View

if TYPE_CHECKING:
    from loopc.backends.numpy.steps import StepSpeller
    from loopc.backends.numpy.strips import Table
    from loopc.ir.nodes import Expr


@dataclass
class TileSpeller:
    """Spells one tile."""

    steps: StepSpeller
    tile: Tile
    head: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    buffers: dict[int, Buffer] = field(default_factory=dict)
    keys: dict[int, tuple[str, ...]] = field(default_factory=dict)
    free: dict[tuple[str, ...], list[Buffer]] = field(default_factory=dict)
    made: list[tuple[Buffer, Operation]] = field(default_factory=list)
    note: str = ""
    in_sweep: bool = False
    table: Table | None = None

    def __post_init__(self) -> None:
        self.speller = self.steps.speller
        self.graph = Graph(self.tile, self.speller.types)
        self.items = self.graph.needed()
        self.blocks = {size(i): i for i in self.tile.indices}
        self.last = self._last_uses()
        self.expiring: dict[int, list[int]] = {}
        for number, place in enumerate(self.last):
            self.expiring.setdefault(place, []).append(number)
        self.placed: dict[int, View] = {}
        self.parts: dict[str, str] = {}
        self.once: dict[str, str] = {}
        self.written = {i.number: i for i in reversed(self.items) if isinstance(i, Write)}
        alone = not self.in_sweep and self.steps.prepared is not None
        self.whole = alone and is_small(self.graph, self.tile, self.speller.hints.extents)
        if self.whole:
            known = self.speller.names.known
            for index in self.tile.indices:
                known["index", index.low] = "0"
                known["index", index.high] = self.speller.size(index.extent, ATOM)
        self.sums = TileSums(self.steps, self.tile, self.whole)

    # Uses

    def _last_uses(self) -> list[int]:
        """Return the item after which each operation's memory is not needed any more."""
        operations = self.graph.operations
        last = [0] * len(operations)
        for place, item in enumerate(self.items):
            for number in touched(item):
                last[number] = place
        for operation in reversed(operations):
            if not is_fresh(operation.value) and not self._is_checked(operation):
                for number in operation.below:
                    last[number] = max(last[number], last[operation.number])
        return last

    # Lines

    def lines(self) -> Iterator[str]:
        """Yield the lines of the tile."""
        self.prepare()
        yield from self.loop()

    def prepare(self) -> None:
        """Spell all operations: the lines of a block, what comes before it, and the buffers."""
        for place, item in enumerate(self.items):
            match item:
                case Note(text):
                    if text != self.note:
                        self.body.append(f"# {text}")
                    self.note = text
                case Operation():
                    self._operation(item, place)
                case Write():
                    self._write(item)
                case Add():
                    self._add(item)
            self._release(place)

    def loop(self) -> Iterator[str]:
        """Yield the lines of the loop over blocks."""
        speller, tile = self.speller, self.tile
        for alloc in tile.made:
            name = speller.name("array", alloc.array)
            text = made(speller, tile, alloc)
            yield from self.steps.empty(name, alloc.array, text, small=self.whole)
        if self.whole:
            yield from self._at_once()
            return
        names = [speller.names.fresh(f"{i.low[:-5]}_block") for i in tile.indices]
        speller.names.known.update({("block", n): n for n in names})
        counts = ", ".join(speller.size(i.extent) for i in tile.indices)
        comma = "," if len(names) == 1 else ""
        limit = ", 1 << 20" if self.graph.splits_rows() else ""  # a matmul wants some rows
        limits = f"({counts}{comma}), {self.cell()}{limit}{cut(self.graph, tile)}"
        sizes = f"{', '.join(names)}{comma} = {speller.helper('_blocks')}({limits})"
        memory, block = self.memory(names), list(self.block())
        loop = TileLoop(self.steps, tile, names, sizes, memory, block, self.sums)
        yield from loop.lines(self.head if self.table is None else ())

    def memory(self, names: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return the shape and type of each buffer for blocks whose sizes have these names."""
        return {b.memory: (self._shape(o, names), self._dtype(o)) for b, o in self.made}

    def allocations(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the lines that make the buffers."""
        for name, (shape, dtype) in self.memory(names).items():
            yield f"{name} = np.empty({shape}, {dtype})"

    def block(self) -> Iterator[str]:
        """Yield the lines of a block."""
        own = [f"{b.name} = {self._part(b.memory, o)}" for b, o in self.made]
        yield from own + self.body if self.table is None else self.table.loop(own + self.body)

    def _at_once(self) -> Iterator[str]:
        """Yield the lines of a tile that is one block."""
        yield from self.sums.starts.values()
        names = [self.speller.count(i.extent) for i in self.tile.indices]
        made = ((b.name, self._shape(o, names), self._dtype(o)) for b, o in self.made)
        setup = [f"{n} = np.empty({shape}, {dtype})" for n, shape, dtype in made]
        yield from self.steps.once([*self.head, *setup])
        yield from self.body
        for index in self.tile.indices:
            for end in (index.low, index.high):
                self.speller.names.known.pop(("index", end))

    def cell(self) -> str:
        """Return the number of bytes of the largest buffer for one point of the tile's indices."""
        found: dict[str, None] = {}
        for _, operation in self.made:
            assert operation.dims is not None
            inner = [d for d in operation.dims if d not in self.blocks]
            sizes = [self._count(d) for d in inner]
            text = " * ".join(s if s.isidentifier() or s.isdigit() else f"({s})" for s in sizes)
            found[f"{text} * {self._dtype(operation)}.itemsize" if text else "8"] = None
        texts = list(found) or ["8"]
        return texts[0] if len(texts) == 1 else f"max({', '.join(texts)})"

    def _shape(self, operation: Operation, names: Sequence[str]) -> str:
        assert operation.dims is not None
        of = {size(i): n for i, n in zip(self.tile.indices, names, strict=True)}
        parts = [of.get(d) or self._count(d) for d in operation.dims]
        return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"

    def _count(self, size: Expr) -> str:
        """Spell an extent in the largest block."""
        largest = {} if self.table is None else self.table.largest
        return largest.get(size) or self.speller.count(size)

    def _part(self, memory: str, operation: Operation) -> str:
        """Return the part of a buffer that a block takes; in a strip it has no gaps."""
        assert operation.dims is not None
        dims = operation.dims
        if self.table is not None:
            sizes = ", ".join(map(self.speller.size, dims))
            return f"{self.speller.helper('_fitting')}({memory}, {sizes})"
        parts = [f":{self.speller.size(d)}" if d in self.blocks else ":" for d in dims]
        while parts and parts[-1] == ":":
            parts.pop()
        return f"{memory}[{', '.join(parts)}]" if parts else memory

    # Operations

    def _operation(self, operation: Operation, place: int) -> None:
        if not operation.varies:
            self._invariant(operation)
            return
        if isinstance(operation.value, View) and not operation.below:
            self._leaf(operation, place)
            return
        self._computed(operation, place)

    def _invariant(self, operation: Operation) -> None:
        name = self.steps.fresh("t")
        self.head.append(f"{name} = {calls.text(self.speller, operation.value, operation.axes)}")
        self.take(operation, Buffer(name, owned=False))

    def _leaf(self, operation: Operation, place: int) -> None:
        """A block of an array in memory."""
        assert isinstance(operation.value, View)
        array = operation.value.array
        text = calls.text(self.speller, operation.value, operation.axes)
        copied = place_of_write(self.items, array, place) < self.last[operation.number]
        if copied or not operation.axes:  # what is no view is made for each
            name = self._cell_of(array, f"{text}.copy()" if copied else text)
        else:
            name = self._named(array, text)
        self.take(operation, Buffer(name, owned=False))

    def _computed(self, operation: Operation, place: int) -> None:
        value = operation.value
        if isinstance(value, Expand) and not value.arg.axes and only_written(self.items, operation):
            self.take(operation, Buffer(self.speller.fit(value.arg, ()), owned=False))
            return
        if isinstance(value, Exactly) and self._is_checked(operation):
            self._checked(operation, value, place)
            return
        key = self._key(operation)
        made = calls.call(self.speller, self.graph, operation)
        if made is None and key and isinstance(value, Apply) and value.fn == "where":
            tile_choices.chosen(self, operation, value, place)
            return
        if made is None or not key:
            name = self.steps.fresh("t")
            full = all(self._is_full(n) for n in operation.below)
            text = calls.text(self.speller, value, operation.axes, full=full)
            text = f"{made})" if made is not None and isinstance(value, Fold) else text
            self.body.append(f"{name} = {text}")
            owned = is_fresh(value) and bool(key)
            self.take(operation, Buffer(name, key, owned=owned))
            return
        buffer = self.buffer(operation, place, calls.replaceable(value))
        self.body.append(f"{made}, out={calls.out(self.speller, operation, buffer.name)})")
        self.take(operation, buffer)

    def _is_full(self, number: int) -> bool:
        """Whether an operation's variable has a cell for each point of its axes in the block."""
        below = self.graph.operations[number]
        if isinstance(below.value, View) and not below.below:
            return below.varies
        return self.buffers[number].owned and bool(self.buffers[number].key)

    def _is_checked(self, operation: Operation) -> bool:
        """Whether an operation is made in memory of its own, and anew where it is not finite."""
        return isinstance(operation.value, Exactly) and in_buffer(operation, self.blocks)

    def _checked(self, operation: Operation, value: Exactly, place: int) -> None:
        """Spell a value that is made anew where it is not finite."""
        fast = self.speller.fit(value.arg, operation.axes)
        exact = self.speller.fit(value.exact, operation.axes)
        buffer = self.buffer(operation, place, (value.arg,))
        if buffer.name != fast:
            self.body.append(f"np.copyto({buffer.name}, {fast})")
        self.body.append(f"if not {self.speller.helper('_finite')}({buffer.name}):")
        self.body.append(f"    {buffer.name}[...] = {exact}")
        self.take(operation, buffer)

    def before(self, text: str) -> str:
        """Return a variable for what is made once, before the loop."""
        name = self.once.get(text)
        if name is None:
            name = self.once[text] = self.steps.fresh("t")
            self.head.append(f"{name} = {text}")
        return name

    # Memory

    def _key(self, operation: Operation) -> tuple[str, ...]:
        """Return what buffers an operation may share: shape and type; (): none."""
        if operation.number not in self.keys:
            dims = operation.dims if in_buffer(operation, self.blocks) else ()
            shape = map(self.speller.size, dims or ())
            self.keys[operation.number] = (*shape, self._dtype(operation)) if dims else ()
        return self.keys[operation.number]

    def _dtype(self, operation: Operation) -> str:
        assert operation.dtype is not None
        return self.speller.dtype(operation.dtype)

    def is_last(self, value: Value, operation: Operation, place: int) -> bool:
        """Whether an operand is a buffer of the same shape that nothing needs after this."""
        if not is_operation(value):
            return False
        number = int(value.array[1:])
        buffer = self.buffers.get(number)
        if buffer is None or not buffer.owned or value.axes != operation.axes:
            return False
        return self.last[number] == place and buffer.key == self._key(operation)

    def buffer(self, operation: Operation, place: int, operands: Sequence[Value]) -> Buffer:
        """Return memory for an operation's value.

        That is the block of an array that it is written to, or an operand's that is used last, or
        a free buffer.
        """
        target = self._target(operation, place)
        if target is not None:
            return target
        for operand in operands:
            inner = operand.args[0] if isinstance(operand, Apply) else operand
            if isinstance(inner, View) and self.is_last(inner, operation, place):
                number = int(inner.array[1:])
                buffer = self.buffers[number]
                self._lose(number)
                return buffer
        key = self._key(operation)
        free = self.free.setdefault(key, [])
        if free:
            return free.pop()
        name = self.steps.fresh("w")
        memory = self.speller.names.fresh(f"{name}_memory")
        buffer = Buffer(name, key, pooled=True, memory=memory)
        self.made.append((buffer, operation))
        return buffer

    def _target(self, operation: Operation, place: int) -> Buffer | None:
        """Return the block of an array that an operation's value is to be written to."""
        write = self.written.get(operation.number)
        if write is None or operation.dtype != self.speller.types[write.view.array]:
            return None
        value = operation.value
        if isinstance(value, Contract) and not calls.takes_product(
            self.speller, self.tile, write, value
        ):
            return None
        early = isinstance(value, Exactly) or (isinstance(value, Apply) and value.fn == "where")
        until = place - 1 if early else place  # these write before all is read
        if any(self.last[n] > until and self._reads(n, write) for n in self.buffers):
            return None
        last = self.last[operation.number]
        if write.view.array in self.graph.versions and not ends_in(self.items, place, write, last):
            return None
        self.placed[operation.number] = write.view
        view = self.speller.view(write.view.array, write.view.parts)
        return Buffer(self._named(write.view.array, view), owned=False)

    def _named(self, array: str, view: str) -> str:
        """Return the name of a part of an array: the array's own where the block is all of it."""
        return view if view.isidentifier() else self._part_of(array, view)

    def _part_of(self, array: str, view: str) -> str:
        """Return the name of a view, which is made once."""
        if view not in self.parts:
            self.parts[view] = self._cell_of(array, view)
        return self.parts[view]

    def _cell_of(self, array: str, text: str) -> str:
        name = self.steps.fresh(f"{self.speller.name('array', array)}_part")
        self.body.append(f"{name} = {text}")
        return name

    def _reads(self, number: int, write: Write) -> bool:
        value = self.graph.operations[number].value
        return isinstance(value, View) and value.array == write.view.array

    def take(self, operation: Operation, buffer: Buffer) -> None:
        """Let an operation's value be in a variable from here on."""
        self.buffers[operation.number] = buffer
        self.speller.names.known["array", name_of(operation.number)] = buffer.name

    def _release(self, place: int) -> None:
        for number in self.expiring.get(place, ()):
            buffer = self.buffers.get(number)
            if buffer is not None and buffer.pooled and buffer.owned:
                self.free.setdefault(buffer.key, []).append(buffer)
                self._lose(number)

    def _lose(self, number: int) -> None:
        """The memory of an operation belongs to another one from here on."""
        self.buffers[number] = Buffer(self.buffers[number].name, owned=False)

    def _write(self, item: Write) -> None:
        if self.placed.get(item.number) == item.view:
            return
        view = self.speller.view(item.view.array, item.view.parts)
        value = self.speller.text(block_of(item.number, item.view.axes))
        self.body.append(f"{view}{'' if view.endswith(']') else '[...]'} = {value}")

    def _add(self, item: Add) -> None:
        self.body.extend(self.sums.lines(item.step))

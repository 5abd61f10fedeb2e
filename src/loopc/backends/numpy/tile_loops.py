"""The loop over a tile's blocks: in place in a serial loop, else a function that threads share."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loopc.backends.numpy.blocks_graph import Graph
from loopc.diagnostics.record import replace
from loopc.ir.bind import evaluate
from loopc.ir.nodes import Const, Expr
from loopc.lower.blocks import size
from loopc.lower.plan import Alloc, Apply, Assign, Overlap, Part, Step, Store, Tile, View

if TYPE_CHECKING:
    from loopc.backends.numpy.steps import StepSpeller
    from loopc.backends.numpy.values import Speller

_PRODUCTS = re.compile(r" @ |matmul\(|dot\(|einsum\(|_finite\(")
"""What calls BLAS."""

_ROWS = re.compile(r"np\.matmul\((.*, )?np\.ones\(|dot\(|_finite\(")
"""What calls it for products of rows."""

_CHEAP = re.compile(
    r"np\.(add|subtract|multiply|negative|divide|copyto|\w+imum|sum|\w+al|logical_\w+)(\.reduce)?[(,]"
)
"""What takes about as long as an addition."""

_COSTLY = 4
"""Additions that other calls take as long as, for the same number of cells."""


SMALL = 1 << 15
"""The cells that are surely a block."""


def is_small(graph: Graph, tile: Tile, extents: Mapping[str, int]) -> bool:
    """Whether all that a tile makes is known to fit into one block."""
    blocks = {size(i): i.extent for i in tile.indices}

    def number(extent: Expr) -> float:
        try:
            return max(evaluate(extent, extents, {}), 0)
        except KeyError:  # it depends on a serial index or on data
            return math.inf

    largest = math.prod(number(i.extent) for i in tile.indices)
    for operation in graph.operations:
        cells = math.prod(number(blocks.get(d, d)) for d in operation.dims or ())
        largest = max(largest, cells)
    return largest <= SMALL


def cut(graph: Graph, tile: Tile) -> str:
    """Spell the argument that names the indices that cut all of a tile's arrays into short runs."""
    several = [o.dims for o in graph.operations if o.dims is not None and len(o.dims) > 1]
    places = tuple(
        n
        for n, index in enumerate(map(size, tile.indices))
        if (own := [d for d in several if index in d]) and all(d[-1] == index for d in own)
    )
    return f", runs={places}" if places else ""


def made(speller: Speller, tile: Tile, alloc: Alloc) -> str:
    """Spell a new array of a tile's, its dimensions as they are to lie in memory."""
    order = dict(tile.orders).get(alloc.array)
    dtype = speller.dtype(alloc.dtype)
    if order is None:
        return f"np.empty({speller.sizes(alloc.shape)}, {dtype})"
    places = ", ".join(str(order.index(d)) for d, _ in enumerate(order))
    shape = speller.sizes(alloc.shape[d] for d in order)
    return f"np.empty({shape}, {dtype}).transpose({places})"


@dataclass
class TileSums:
    """The sums over blocks that a tile adds up to.

    In a function that runs some of the blocks each starts from 0: one that is made by the tile has
    the same name there, one that is added to an array that exists has a name of its own.

    Attributes:
        whole: whether all blocks are one, and no function of some of them is needed.
        starts: the lines that make them, by name.
        after: the steps that add those with own names to their arrays.
    """

    steps: StepSpeller
    tile: Tile
    whole: bool
    starts: dict[str, str] = field(default_factory=dict)
    after: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fresh = {a.array for a in self.tile.sums}
        for alloc in self.tile.sums:
            name = self.steps.speller.name("array", alloc.array)
            self.starts[name] = f"{name} = {self.steps.allocated(alloc)}"

    def lines(self, step: Assign | Store | Overlap) -> Iterator[str]:
        """Yield the lines that add the sum over a block."""
        if isinstance(step, Overlap):
            yield from self.steps.lines((step,))
            return
        name = step.array if isinstance(step, Assign) else step.target.array
        if self.whole or self.steps.around or name in self.fresh:
            yield from self.steps.lines((step,))
        elif isinstance(step, Assign):
            yield from self._scalar(step)
        else:
            yield from self._array(step)

    def _scalar(self, step: Assign) -> Iterator[str]:
        own, old = self._name(step.array), View(step.array, (), ())
        start = Alloc(step.array, (), step.dtype, 0)
        self.starts[own] = f"{own} = {self.steps.allocated(start)}"
        self.after.append(replace(step, value=Apply("add", (old, self._view(own, ())), ())))
        assert isinstance(step.value, Apply)
        args = tuple(self._view(own, ()) if a == old else a for a in step.value.args)
        yield from self.steps.lines((self._renamed(step, own, replace(step.value, args=args)),))

    def _renamed(self, step: Assign, own: str, value: Apply) -> Assign:
        return replace(step, array=f"·{own}", value=value)

    def _array(self, step: Store) -> Iterator[str]:
        speller, target = self.steps.speller, step.target
        own = self._name(target.array)
        self.starts[own] = f"{own} = np.zeros_like({speller.view(target.array, target.parts)})"
        view = self._view(own, target.axes)
        self.after.append(replace(step, value=view))
        yield from self.steps.lines((replace(step, target=view),))

    def _name(self, array: str) -> str:
        names = self.steps.speller.names
        own = names.fresh(f"{self.steps.speller.name('array', array)}_sum")
        names.known["array", f"·{own}"] = own
        return own

    def _view(self, own: str, axes: tuple[str, ...]) -> View:
        parts = tuple(Part(Const(0), a, None, 1, whole=True) for a in axes)
        return View(f"·{own}", parts, axes)


@dataclass
class TileLoop:
    """Spells the loop over a tile's blocks.

    Attributes:
        steps: spells what stands round the tile.
        tile: the tile.
        names: the variables that hold the size of a block of each index.
        sizes: the line that gives them their values.
        memory: the shape and the type of each buffer.
        body: the lines for a block.
        sums: what it adds up to.
    """

    steps: StepSpeller
    tile: Tile
    names: Sequence[str]
    sizes: str
    memory: Mapping[str, tuple[str, str]]
    body: Sequence[str]
    sums: TileSums

    def lines(self, head: Sequence[str]) -> Iterator[str]:
        """Yield the lines; `head`: what is the same for all blocks."""
        if self.steps.around:
            yield from self._in_place(head)
            return
        yield from head
        yield self.sizes
        yield from self._function()

    def _in_place(self, head: Sequence[str]) -> Iterator[str]:
        yield from self.sums.starts.values()
        yield from head
        setup = [self.sizes]
        setup += [f"{n} = np.empty({s}, {t})" for n, (s, t) in self.memory.items()]
        if not self.steps.moved_out(setup):
            yield from setup
        indent = ""
        for low, high, extent, block in self._ends():
            yield f"{indent}for {low} in range(0, {extent}, {block}):"
            indent += "    "
            yield f"{indent}{high} = min({low} + {block}, {extent})"
        for line in self.body:
            yield f"{indent}{_noted(line)}"

    def _function(self) -> Iterator[str]:
        names = self.steps.speller.names
        self.steps.count += 1
        function, blocks = names.fresh(f"tile{self.steps.count}"), names.of("blocks", "tile")
        ends = list(self._ends())
        yield f"def {function}({', '.join([blocks, *self.memory])}):"
        for line in self.sums.starts.values():
            yield f"    {line}"
        yield f"    for {', '.join(low for low, *_ in ends)} in {blocks}:"
        for low, high, extent, block in ends:
            yield f"        {high} = min({low} + {block}, {extent})"
        for line in self.body:
            yield f"        {_noted(line)}"
        sums = ", ".join(self.sums.starts) + ("," if len(self.sums.starts) == 1 else "")
        if sums:
            yield f"    return {sums}"
        call = f"{sums} = " if sums else ""
        yield f"{call}{self.steps.speller.helper('_tile')}("
        *arguments, last = function, *self._arguments(ends)
        yield from (f"    {a}," for a in arguments)
        yield f"    {last})"
        if self.sums.after:
            yield from self.steps.lines(tuple(self.sums.after))

    def _arguments(self, ends: Sequence[tuple[str, str, str, str]]) -> list[str]:
        """Return the arguments of a tile's run: where the blocks start, buffers, what it calls."""
        starts = [f"range(0, {extent}, {block})" for _, _, extent, block in ends]
        if len(starts) > 1:
            lows = [low for low, *_ in ends]
            loops = " ".join(f"for {n} in {s}" for n, s in zip(lows, starts, strict=True))
            starts = [f"[({', '.join(lows)}) {loops}]"]
        if self.memory:
            buffers = ", ".join(f"({shape}, {dtype})" for shape, dtype in self.memory.values())
            starts.append(f"[{buffers}]")
        code = [line for line in self.body if "(" in line and not line.lstrip().startswith("#")]
        work = sum(1 if _CHEAP.search(line) else _COSTLY for line in code)
        starts.append(f"work={work}")
        products = [line for line in code if _PRODUCTS.search(line)]
        if products:
            starts.append("products=True")
        if products and (self.steps.in_strip or all(map(_ROWS.search, products))):
            starts.append("rows=True")
        return starts

    def _ends(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield for each index where its block starts and ends, its extent and a block's size."""
        speller = self.steps.speller
        for index, block in zip(self.tile.indices, self.names, strict=True):
            low, high = speller.name("index", index.low), speller.name("index", index.high)
            yield low, high, speller.size(index.extent), block


def _noted(line: str) -> str:
    """Return a line of a loop; a function in it is called at once, which ruff cannot see."""
    return f"{line}  # noqa: B023" if "lambda:" in line else line

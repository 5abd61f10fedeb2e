"""How much memory a run takes: the generated module runs on arrays without cells.

Everything counts that the module makes: results, arrays, temporaries, buffers of tiles, tables of
indices. Arguments do not, which are the caller's, nor what is made once for all calls. A loop runs
for a few of its iterations: the others take no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from inspect import signature
from math import prod
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from loopc.backends.numpy.abstract import Abstract, Ledger, Memory, fresh
from loopc.backends.numpy.abstract_shapes import form_of

LOST = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a run without cells ends with where it takes a way that no run takes."""

CELLS = 2**20
"""The largest array of integers whose values are looked at, for what they decide."""

ALL = 16
"""The iterations of a loop that all run, as those over strips, whose tables they keep."""


def peak_bytes(code: CodeType, function: str, arguments: Sequence[Any]) -> int | None:
    """Return the most bytes that a call takes at a time; None if that depends on what cells hold.

    Args:
        code: of the module.
        function: the name of the one that is called.
        arguments: in order: integers, and what has a shape and a type.
    """
    ledger = Ledger()
    module: dict[str, Any] = {"__name__": "loopc_generated"}
    exec(code, module)
    threads = module.get("_threads", lambda: 1)()
    models = {"_numbers": _on_numbers(ledger)}
    if "_tile" in module:
        models["_tile"] = _on_threads(ledger, threads, module["_tile"])
    if "_along" in module:
        models["_along"] = _on_axis(ledger)
    if "_places" in module:
        models["_places"] = _on_places(ledger, module)
    if "_edges" in module:
        models["_edges"] = _on_edges(module)
    if "_adds_rows" in module:
        models["_adds_rows"] = _on_rows(ledger, module["_adds_rows"])
    if "_steps" in module:
        models["_steps"] = _on_steps(ledger, module["_steps"])
    module |= {"np": Numpy(ledger), "range": partial(Few, [0]), **models}
    prepare = module.get("_prepare")  # in the module of a specialised program
    call = module[function] if prepare is None else prepare()
    try:
        with np.errstate(all="ignore"):
            call(*(stand_in(a, ledger) for a in arguments))
    except LOST:
        return None
    return ledger.peak


def _on_numbers(ledger: Ledger) -> Any:
    """Return what stands for a loop on Python numbers: its lists, of 8 bytes and a float each."""

    def run(loop: Any, sizes: Any, read: Any, kept: Any, *rest: Any) -> list[Any]:
        arrays = [a for a in (*read, *kept) if isinstance(a, Abstract)]
        small = [a for a in arrays if a.dtype == np.float32 and any(a is k for k in kept)]
        cells = sum(a.size for a in arrays) - sum(a.size for a in small)
        ledger.borrow(32 * cells + 8 * sum(a.size for a in small))
        return [a.dtype.type(0) for a in kept if not a.shape]

    return run


def _on_axis(ledger: Ledger) -> Any:
    """Return what stands for the cells at places of an axis."""

    def run(a: Any, axis: int, rows: Any) -> Any:
        return fresh(ledger, (*a.shape[:axis], *rows.shape, *a.shape[axis + 1 :]), a.dtype)

    return run


def _on_places(ledger: Ledger, module: Mapping[str, Any]) -> Any:
    """Return what stands for the tables of a nest's planes: the largest two of them are run.

    Tables that are remembered are free.
    """
    known: dict[Any, Any] = {}
    spread = FunctionType(module["_spread"].__code__, {"np": np})
    names = {"np": np, "_KNOWN_PLACES": known, "_spread": spread}
    make = FunctionType(module["_places"].__code__, names)

    def run(*args: Any) -> Any:
        lows, tables, rows = make(*args)
        if not known:
            ledger.take(sum(a.nbytes for table in tables for a in table))
        sizes = [len(at) for at in tables[0]]
        most = sorted(range(len(sizes)), key=sizes.__getitem__)[-2:]
        return lows, [[table[n] for n in most] for table in tables], rows

    return run


def _on_edges(module: Mapping[str, Any]) -> Any:
    """Return what finds cells past edges, which are remembered: on arrays with cells."""
    names: dict[str, Any] = {"np": np, "_KNOWN_EDGES": {}}
    if "_reflect" in module:
        names["_reflect"] = FunctionType(module["_reflect"].__code__, {"np": np})
    edges = module["_edges"]
    return FunctionType(edges.__code__, names, argdefs=edges.__defaults__)


def _on_rows(ledger: Ledger, adds_rows: FunctionType) -> Any:
    """Return what stands for sums of rows by how often these come: indices and a block of terms."""
    wide, many, _, part = adds_rows.__defaults__ or ()

    def run(_: Any, cells: Any, row: Any, value: Any) -> bool:
        if cells.shape[1] < wide or value.size < many or cells.dtype != value.dtype:
            return False
        ledger.borrow(4 * row.nbytes + 3 * min(value.nbytes, part * value.dtype.itemsize))
        return True

    return run


def _on_steps(ledger: Ledger, steps: FunctionType) -> Any:
    """Return what stands for the search for runs in an index array: in one of data are none."""
    search = FunctionType(steps.__code__, {"np": np}, argdefs=steps.__defaults__)

    def run(at: Any) -> list[Any]:
        cells = at.cells if isinstance(at, Abstract) else at
        found = [] if cells is None else list(search(cells))
        ledger.borrow((6 if found else 2) * at.nbytes)
        return found

    return run


def _on_threads(ledger: Ledger, threads: int, tile: FunctionType) -> Any:
    """Return what stands for the blocks of a tile on threads: each has buffers of its own.

    The largest chunk of blocks runs: temporaries of a block last until the next one of its chunk
    has made its own, those of a chunk end with it.

    Args:
        ledger: what counts.
        threads: how many there may be.
        tile: the helper that this stands for, whose defaults count.
    """
    defaults = {n: p.default for n, p in signature(tile).parameters.items()}

    def run(function: Any, blocks: Any, memory: Any = (), **rest: Any) -> Any:
        count = _count(blocks)
        given = defaults | rest
        chunks = min(count, given["most"])
        chunk = blocks[: -(-count // max(chunks, 1))]
        small = count * given["work"] < given["least"]
        at_once = 1 if small or chunks < 2 else min(chunks, threads)
        before, own, ledger.peak = ledger.peak, ledger.used, ledger.used
        sums = function(chunk, *(fresh(ledger, _tuple(n), dtype) for n, dtype in memory))
        kept = ledger.used - own
        most = at_once * (ledger.peak - own - kept) + chunks * kept
        ledger.peak = max(before, own + most)
        return None if sums is None else list(sums)

    return run


def _count(blocks: Any) -> int:
    """Return how many blocks a tile has: those of several indices are a list of a few of them."""
    if isinstance(blocks, Few) or not blocks:
        return len(blocks)
    return prod(n.among for n in blocks[0])


def _tuple(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, tuple | list) else (shape,)


class Numpy:
    """The module `np` of a generated module that runs on arrays without cells."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        tricks = SimpleNamespace(as_strided=_as_strided)
        self.lib = SimpleNamespace(stride_tricks=tricks)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = np.float64, **rest: Any) -> Any:
        """Return an array."""
        return fresh(self._ledger, _tuple(shape), dtype)

    zeros = ones = empty

    def full(self, shape: Any, value: Any, dtype: Any = None) -> Any:
        """Return an array."""
        return self.empty(shape, np.asarray(value).dtype if dtype is None else dtype)

    def broadcast_to(self, value: Any, shape: Any) -> Any:
        """Return a view of a value along further dimensions."""
        known: Any = np
        if isinstance(value, Abstract):
            return known.broadcast_to(value, shape)
        value = np.asarray(value)
        steps = [0] * len(_tuple(shape))
        return Abstract(form_of(_tuple(shape), value.dtype, steps), Memory(self._ledger, 0))

    def arange(self, *args: Any, dtype: Any = None) -> Any:
        """Return numbers in a row."""
        return fresh(self._ledger, (len(range(*map(int, args))),), dtype or np.int64)

    def asarray(self, value: Any, dtype: Any = None) -> Any:
        """Return an array as it is, or in a type."""
        if not isinstance(value, Abstract):
            return np.asarray(value, dtype)
        return value if dtype is None else value.astype(dtype, copy=False)

    def ascontiguousarray(self, value: Any) -> Any:
        """Return an array whose last dimension is the fastest."""
        contiguous = not isinstance(value, Abstract) or value.flags.c_contiguous
        return value if contiguous else value.fresh(value.shape)


def _as_strided(array: Any, shape: Any, strides: Any, **rest: Any) -> Any:
    return array.seen(np.lib.stride_tricks.as_strided(array.form, shape, strides))


class Place(int):
    """A number of a range.

    Attributes:
        among: how many numbers the range has.
    """

    among: int


class Few(Sequence[int]):
    """A range of which the first numbers, the last and one between are gone through.

    Attributes:
        every: the range.
        depth: how many such loops are running, in a list; the further in, the fewer numbers.
    """

    def __init__(self, depth: list[int], *ends: Any) -> None:
        self.every = range(*map(int, ends))
        self.depth = depth

    def __len__(self) -> int:
        return len(self.every)

    def __getitem__(self, at: Any) -> Any:
        found = self.every[at]
        if isinstance(found, int):
            return found
        return Few(self.depth, found.start, found.stop, found.step)

    def __iter__(self) -> Iterator[int]:
        count = len(self.every)
        some = [0, 1, 2, count // 2, count - 2, count - 1]
        places = (some, [0, 1, count - 1], [0, count - 1])[min(self.depth[0], 2)]
        all_of_them = len(places) if self.depth[0] else ALL
        self.depth[0] += 1
        try:
            for at in places if count > all_of_them else range(count):
                place = Place(self.every[at])
                place.among = count
                yield place
        finally:
            self.depth[0] -= 1


def stand_in(argument: Any, ledger: Ledger) -> Any:
    """Return what stands for an argument, whose memory is the caller's."""
    if not getattr(argument, "shape", ()):
        return argument
    known = isinstance(argument, np.ndarray)
    form = form_of(argument.shape, argument.dtype, argument.strides if known else None)
    integers = known and argument.dtype.kind in "iu" and argument.size <= CELLS
    return Abstract(form, Memory(ledger, 0), argument if integers else None)

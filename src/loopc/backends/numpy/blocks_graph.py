"""The steps of a tile as single operations on blocks, equal ones once.

Every operation becomes a node; what it reads of other nodes are views of `·n`. An array that the
tile writes stands for the node that holds its value so far, so that only its last value is written
back. Source: value numbering and static single assignment, e.g. Muchnick, Advanced Compiler Design,
ch. 8.11 and 12.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loopc.backends.numpy import choices, counted, edges, row_sums, tile_products
from loopc.backends.numpy.inline import inlined
from loopc.backends.numpy.shared_terms import SharedTerms
from loopc.backends.numpy.signs import in_smallest, is_negative
from loopc.backends.numpy.tile_items import (
    Add,
    Item,
    Operation,
    Write,
    block_of,
    in_order,
    in_pieces,
    is_operation,
    memory_order,
    name_of,
)
from loopc.diagnostics.record import replace
from loopc.ir import reductions
from loopc.ir.dtypes import DType
from loopc.ir.functions import lookup
from loopc.ir.nodes import Const, Expr, IndexRef
from loopc.lower import windows
from loopc.lower.blocks import extents
from loopc.lower.plan import (
    Along,
    Apply,
    Assign,
    Cast,
    Contract,
    Exactly,
    Expand,
    Fold,
    Gather,
    Lit,
    Note,
    Overlap,
    Part,
    Range,
    Renamed,
    Scalar,
    Selected,
    Step,
    Store,
    Strided,
    Tile,
    Value,
    View,
)
from loopc.lower.plan_names import identity, mentions, renamed
from loopc.lower.plan_visit import children, map_children
from loopc.lower.value_types import type_of


@dataclass
class Graph:
    """The operations of a tile, in order."""

    tile: Tile
    types: Mapping[str, DType]
    items: list[Item] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, Expr] = field(default_factory=dict)
    root: Value | None = None
    shared: SharedTerms = field(default_factory=SharedTerms)

    def __post_init__(self) -> None:
        self.ends = {n for i in self.tile.indices for n in (i.low, i.high)}
        self.left: dict[str, int] = {}
        self.partial: set[str] = set()
        self.added = {*(a.array for a in self.tile.sums), *self.tile.apart}
        for step in self.tile.body:
            if isinstance(step, Store) and self._is_block(step):
                name = step.target.array
                self.left[name] = self.left.get(name, 0) + 1
                if not all(self._is_whole(p) for p in step.target.parts):
                    self.partial.add(name)
        pieces = in_pieces(self.tile.body) if self.partial else set()
        self.versions = dict.fromkeys(self.partial & pieces, 0)
        for step in self.tile.body:
            self._step(step)

    def _is_block(self, step: Store) -> bool:
        """Whether a store writes blocks rather than adding to an array as it is."""
        name = step.target.array
        return name not in self.added and any(mentions(p, self.ends) for p in step.target.parts)

    def _is_whole(self, part: Part) -> bool:
        """Whether a slice is a whole dimension or a block of a whole one."""
        starts = any(part.start == IndexRef(i.low) for i in self.tile.indices)
        return bool(part.axis) and (part.whole or (part.step == 1 and starts))

    def _step(self, step: Step) -> None:
        if isinstance(step, Note):
            self.items.append(step)
            return
        assert isinstance(step, Assign | Store | Overlap)
        self.sizes = extents(step)
        self._made(step)
        self.shared.note(step, self.types)

    def _made(self, step: Assign | Store | Overlap) -> None:
        if isinstance(step, Overlap):
            self._overlap(step)
        elif isinstance(step, Assign):
            if step.array in self.tile.local:
                self._assign(step)
            else:
                self._add(step)
        elif self._is_block(step):
            self._store(step)
        else:
            self._add(step)

    def _assign(self, step: Assign) -> None:
        value = Cast(step.value, step.dtype, step.value.axes) if step.cast else step.value
        self.holds[step.array] = self._held(value, step.order)

    def _store(self, step: Store) -> None:
        target, name = step.target, step.target.array
        value = step.value
        if step.op != "=":
            row = reductions.by_op(step.op)
            assert row is not None
            value = Apply(row.fn, (target, value), target.axes)
        number = self._held(Cast(value, self.types[name], value.axes), target.axes)
        if name in self.versions:
            self.items.append(Write(target, number))
            self.versions[name] += 1
            return
        self.holds[name] = number
        self.left[name] = self.left.get(name, 0) - 1
        if self.left[name] == 0 and name not in self.tile.local:
            self.items.append(Write(target, number))

    def _add(self, step: Assign | Store) -> None:
        if isinstance(step, Assign) and isinstance(step.value, Apply):
            first, *rest = step.value.args
            value: Value = replace(step.value, args=(first, *(self.visit(v) for v in rest)))
        else:
            value = self.visit(step.value)
        below = tuple(self._below(value))
        self.items.append(Add(replace(step, value=value), below))

    def _overlap(self, step: Overlap) -> None:
        value = self.visit(in_order(step.value, step.order))
        self.items.append(Add(replace(step, value=value), tuple(self._below(value))))

    def _held(self, value: Value, order: tuple[str, ...]) -> int:
        """Return the operation that has a value, its axes in the given order."""
        value = in_order(value, order)
        self.root = value.arg if isinstance(value, Cast) else value
        found = self.visit(value)
        if found.axes != order or not is_operation(found):
            found = self._operation(Expand(found, tuple(self.sizes[a] for a in order), order))
        assert isinstance(found, View)
        return int(found.array[1:])

    # Values

    def visit(self, value: Value) -> Value:
        """Return a value as a view of the operation that computes it."""
        match value:
            case Lit() | Scalar():
                return value
            case View():
                return self._view(value)
            case Renamed(arg, old, new, _):
                view: Value = renamed(self.visit(arg), {old: new})
                return view
            case Cast(arg, dtype, axes):
                inner = self.visit(arg) if not isinstance(arg, Range) else arg
                if self.dtype(inner) == dtype and axes:
                    return inner
                number = counted.as_float(self, inner, dtype)
                if number is not None:
                    return self.visit(number)
                return self._operation(replace(value, arg=inner))
            case Apply() | Fold() | Along() | Contract():
                return self._function(value)
            case Selected(args, mask, exact, axes):
                held = tuple(map(self._late, (mask, *exact)))
                fast = self._operation(
                    Contract(tile_products.factors(self, args, axes), axes, value.sizes)
                )
                slow = replace(value, args=(fast,), mask=held[0], exact=held[1:])
                return self._operation(Exactly(fast, slow, axes))
            case Exactly(arg, exact):
                return self._operation(replace(value, arg=self.visit(arg), exact=self._late(exact)))
            case _:
                return self._operation(self._inside(value))

    def _function(self, value: Apply | Fold | Along | Contract) -> Value:
        """Return a function, reduction or product by the simplest operations."""
        simpler = self.shared.found(value, self.sizes) if isinstance(value, Apply) else None
        simpler = simpler or inlined(value, self.sizes, self.dtype)
        if simpler is not None:
            return self.visit(simpler)
        match value:
            case Apply():
                return self._apply(value)
            case Fold():
                return self._fold(value)
            case Contract():
                return self._operation(
                    replace(value, args=tile_products.factors(self, value.args, value.axes))
                )
            case _:
                return self._reduction(value)

    def _late(self, value: Value) -> Value:
        """Return a value that the run computes only if it has to, over what there is."""
        if isinstance(value, View):
            return self._view(value)
        return self._renamed_array(map_children(value, self._late))

    def splits_rows(self) -> bool:
        """Whether a product of a block has a factor that is the same for all blocks."""
        return any(
            isinstance(o.value, Contract)
            and any(len(a.axes) > 1 and not self.cost(a)[0] for a in o.value.args)
            for o in self.operations
        )

    def varies(self, value: Value) -> bool:
        """Whether a value differs from block to block."""
        return self.cost(value)[0]

    def cost(self, value: Value) -> tuple[bool, int, bool]:
        """Return what tells large values from small: of blocks, of many axes, computed."""
        if not is_operation(value):
            return (False, len(value.axes), False)
        operation = self.operations[int(value.array[1:])]
        return (operation.varies, len(value.axes), not isinstance(operation.value, View))

    def _inside(self, value: Value) -> Value:
        """Return a value whose parts are views; places past edges are slices, of no array."""
        ranges = isinstance(value, Gather) and edges.axes_of(value.indices) is not None
        own = map_children(value, lambda v: v if ranges and isinstance(v, Range) else self.visit(v))
        return self._renamed_array(own)

    def _renamed_array(self, value: Value) -> Value:
        if isinstance(value, Strided | Gather) and value.array in self.holds:
            return replace(value, array=name_of(self.holds[value.array]))
        return value

    def _view(self, value: View) -> Value:
        number = self.holds.get(value.array)
        if number is not None:
            whole = value.array in self.partial
            whole = whole or all(
                p.axis and (p.whole or mentions(p, self.ends)) for p in value.parts
            )
            if whole:
                return block_of(number, value.axes)
            parts = tuple(map(self._in_block, value.parts))
            return self._operation(replace(value, array=name_of(number), parts=parts))
        if not value.parts or all(p.whole for p in value.parts):
            return value
        return self._operation(value)

    def _in_block(self, part: Part) -> Part:
        """Return a part of an array as that of the operation that holds the block alone."""
        block = mentions(part, self.ends)
        return replace(part, start=Const(0), step=1, whole=True) if block else part

    def _apply(self, value: Apply) -> Value:
        if value.fn == "neg":
            value = in_smallest(value, self.dtype)
        if value.fn == "add" and any(is_negative(a) for a in value.args):
            first, second, *others = value.args
            swapped = is_negative(first) and not is_negative(second)  # -a + b is b - a
            first, *rest = (second, first, *others) if swapped else value.args
            args: list[Value] = [self.visit(first)]
            for arg in rest:
                if isinstance(arg, Apply) and is_negative(arg):
                    args.append(replace(arg, args=(self.visit(arg.args[0]),)))
                else:
                    args.append(self.visit(arg))
        else:
            args = [self.visit(windows.packed(a)) for a in value.args]
        if value.fn == "where":
            args = choices.merged(self, args, value.axes)
        row = lookup(value.fn)
        order = value.axes
        if value is not self.root:
            order = memory_order(args, order, () if self.root is None else self.root.axes)
        if row is None or not row.variadic or len(args) == 2:
            return self._operation(replace(value, args=tuple(args), axes=order))
        result = args[0]
        for arg in args[1:]:
            axes = tuple(a for a in order if a in result.axes or a in arg.axes)
            result = self._operation(Apply(value.fn, (result, arg), axes))
        return result

    def needed(self) -> list[Item]:
        """Return the items but for operations that nothing uses."""
        used: set[int] = set()
        found: list[Item] = []
        for item in reversed(self.items):
            if isinstance(item, Operation) and item.number not in used:
                continue
            if isinstance(item, Operation | Add):
                used.update(item.below)
            elif isinstance(item, Write):
                used.add(item.number)
            found.append(item)
        return found[::-1]

    def _fold(self, value: Fold) -> Value:
        arg = value.arg
        exponent = arg.args[1] if isinstance(arg, Apply) and arg.fn == "pow" else None
        if isinstance(arg, Apply) and isinstance(exponent, Lit) and exponent.value == 2:
            arg = Apply("mul", (arg.args[0], arg.args[0]), arg.axes)
        scaled = tile_products.of_quotients(self, value)
        if scaled is not None:
            return scaled
        if value.op == "sum" and isinstance(arg, Apply) and arg.fn == "mul" and self._is_dot(value):
            *first, last = arg.args
            axes = tuple(n for n in arg.axes if any(n in f.axes for f in first))
            a = self.visit(first[0] if len(first) == 1 else Apply("mul", tuple(first), axes))
            b = self.visit(last)
            if a.axes == b.axes == arg.axes and self.dtype(a) == self.dtype(b):
                return self._operation(replace(value, arg=replace(arg, args=(a, b))))
        return self._reduction(row_sums.in_two(value))

    def _reduction(self, value: Fold | Along) -> Value:
        """Return a reduction, its axes in the order of those of its terms."""
        made = map_children(value, self.visit)
        assert isinstance(made, Fold | Along)
        left = tuple(a for a in made.arg.axes if a in made.axes)
        return self._operation(replace(made, axes=left))

    def _is_dot(self, value: Fold) -> bool:
        """Whether a sum is over the last axis or over all, of floats."""
        own = value.arg.axes
        dtype = self.dtype(value.arg)
        floats = dtype is not None and dtype.kind == "f" and not dtype.weak
        return floats and value.mask is None and (value.over == own[-1:] or not value.axes)

    def _operation(self, value: Value) -> Value:
        key: Any = identity(value)
        if isinstance(value, View) and value.array in self.versions:
            key = (key, self.versions[value.array])
        number = self.known.get(key)
        if number is None:
            number = len(self.operations)
            self.known[key] = number
            below = tuple(self._below(value))
            varies = mentions(value, self.ends) or any(self.operations[n].varies for n in below)
            dims = None
            if all(a in self.sizes for a in value.axes):
                dims = tuple(self.sizes[a] for a in value.axes)
            made = Operation(number, value, dims, self.dtype(value), below, varies)
            self.operations.append(made)
            self.items.append(made)
        return block_of(number, value.axes)

    def _below(self, value: Value) -> list[int]:
        found: dict[int, None] = {}

        def visit(each: Value) -> None:
            name = getattr(each, "array", "")
            if name.startswith("·"):
                found[int(name[1:])] = None
            for child in children(each):
                visit(child)

        visit(value)
        return list(found)

    def dtype(self, value: Value) -> DType | None:
        """Return the type of a value; None if it is not known."""
        return type_of(value, self._array_dtype)

    def _array_dtype(self, array: str) -> DType | None:
        if array.startswith("·"):
            return self.operations[int(array[1:])].dtype
        if array in self.holds:
            return self.operations[self.holds[array]].dtype
        return self.types[array]

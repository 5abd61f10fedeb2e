"""Walks over the values of a plan: the only traversal code for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Set
from operator import is_not
from typing import Any, TypeGuard, get_args

from loopc.diagnostics.record import replace
from loopc.ir.nodes import Node
from loopc.ir.visit import reads
from loopc.lower.plan import (
    Copy,
    Overlap,
    Part,
    Position,
    Row,
    Running,
    Scatter,
    Spot,
    Step,
    Value,
    View,
    Window,
)

_VALUES: frozenset[type] = frozenset(get_args(Value))
_INSIDE = (Position, Part, Window)


def is_value(item: object) -> TypeGuard[Value]:
    """Whether something in a plan is a value."""
    return type(item) in _VALUES


def fields(record: Any) -> tuple[str, ...]:
    """Return the names of a record's fields."""
    kind = type(record)
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(f.name for f in dataclasses.fields(record))
    return _FIELDS[kind]


_FIELDS: dict[type, tuple[str, ...]] = {}


def children(value: Value) -> tuple[Value, ...]:
    """Return the values directly below one."""
    try:
        return value.below  # type: ignore[no-any-return]
    except AttributeError:
        value.below = tuple(_values(value))
        return value.below  # type: ignore[no-any-return]


def items(record: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the fields of a record hold, one by one."""
    for name in holders(type(record)):
        held = getattr(record, name)
        if isinstance(held, tuple):
            for item in held:
                yield name, item
        else:
            yield name, held


def holders(kind: type) -> tuple[str, ...]:
    """Return the names of the fields that may hold values, steps or sizes."""
    if kind not in _HOLDERS:
        held = (f.name for f in dataclasses.fields(kind) if str(f.type) not in _PLAIN)
        _HOLDERS[kind] = tuple(held)
    return _HOLDERS[kind]


_HOLDERS: dict[type, tuple[str, ...]] = {}
_PLAIN = frozenset({"str", "int", "bool", "tuple[str, ...]", "DType", "Mode", "tuple[int, ...]"})
"""The types of fields that hold none of these, as they are annotated."""


def _values(record: Any) -> Iterator[Value]:
    for _, item in items(record):
        if is_value(item):
            yield item
        elif isinstance(item, Position):
            yield from _values(item)


def walk(value: Value) -> tuple[Value, ...]:
    """Return a value and every value below it, parents first."""
    try:
        return value.inside  # type: ignore[no-any-return]
    except AttributeError:
        found: list[Value] = [value]
        for child in children(value):
            found += walk(child)
        value.inside = tuple(found)
        return value.inside  # type: ignore[no-any-return]


def map_children(value: Value, f: Callable[[Value], Value]) -> Value:
    """Apply `f` to the values directly below one."""
    below = children(value)
    new = [f(child) for child in below]
    if not any(map(is_not, new, below)):
        return value
    rest = iter(new)
    result: Value = _mapped(value, lambda _: next(rest))
    return result


def _mapped(record: Any, f: Callable[[Value], Value]) -> Any:
    changed: dict[str, Any] = {}
    for name in holders(type(record)):
        held = getattr(record, name)
        new: Any = tuple(_item(i, f) for i in held) if isinstance(held, tuple) else _item(held, f)
        if isinstance(held, tuple):
            if any(a is not b for a, b in zip(new, held, strict=True)):
                changed[name] = new
        elif new is not held:
            changed[name] = new
    return replace(record, **changed) if changed else record


def _item(item: Any, f: Callable[[Value], Value]) -> Any:
    if is_value(item):
        return f(item)
    if isinstance(item, Position):
        return _mapped(item, f)
    return item


def arrays_read(value: Value) -> Set[str]:
    """Return the arrays that a value reads, in sizes and subscripts too."""
    try:
        return value.reads  # type: ignore[no-any-return]
    except AttributeError:
        found = _arrays_inside(value)
        name = getattr(value, "array", None)
        if name is not None:
            found.add(name)
        value.reads = frozenset(found)
        return value.reads  # type: ignore[no-any-return]


def _arrays_inside(record: Any) -> set[str]:
    """Return the arrays that what is in a record reads: values, sizes and subscripts."""
    found: set[str] = set()
    for _, item in items(record):
        if isinstance(item, Node):
            found.update([a.array for a in reads(item)])
        elif is_value(item):
            found |= arrays_read(item)
        elif isinstance(item, _INSIDE):
            found |= _arrays_inside(item)
    return found


def touched(step: Step) -> tuple[frozenset[str], frozenset[str]]:
    """Return the arrays that a step reads, and those that it writes."""
    try:
        return step.touches  # type: ignore[no-any-return]
    except AttributeError:
        reads, writes = _touched(step)
        step.touches = frozenset(reads), frozenset(writes)
        return step.touches  # type: ignore[no-any-return]


def _touched(step: Step) -> tuple[set[str], set[str]]:
    found: set[str] = set()
    written: set[str] = set()
    for name, item in items(step):
        if name == "target" and isinstance(item, View | Row | Spot):
            written.add(item.array)
            if isinstance(step, Running):
                found.add(item.array)
        if name in ("body", "tile"):
            inner = touched(item)
            found |= inner[0]
            written |= inner[1]
        elif is_value(item) and name != "target":
            found |= arrays_read(item)
        elif isinstance(item, Node):
            found.update([a.array for a in reads(item)])
        elif isinstance(item, (*_INSIDE, View)):
            found |= _arrays_inside(item)
    array = getattr(step, "array", None)
    if array is not None:
        written.add(array)
        if isinstance(step, Copy | Scatter | Overlap):
            found.add(array)
    return found, written

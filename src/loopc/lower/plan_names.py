"""The names in a value of a plan: of its axes, and of the variables in its sizes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from loopc.diagnostics.record import Memo, replace
from loopc.ir.nodes import Node
from loopc.ir.visit import free_indices
from loopc.lower.plan import Value
from loopc.lower.plan_visit import children, fields, holders, items


def mentions(record: Any, names: set[str]) -> bool:
    """Whether a size or a subscript anywhere in a record uses one of some variables."""
    return not names.isdisjoint(_variables(record))


def _variables(record: Any) -> frozenset[str]:
    """Return the variables in the sizes and subscripts anywhere in a record."""
    try:
        return record.free  # type: ignore[no-any-return]
    except AttributeError:
        found: set[str] = set()
        for _, item in items(record):
            if isinstance(item, Node):
                found.update(free_indices(item))
            elif _is_plan(item):
                found |= _variables(item)
        record.free = frozenset(found)
        return record.free  # type: ignore[no-any-return]


_AXES = ("axes", "over", "axis", "old", "new", "memory")


def identity(value: Value) -> tuple[object, ...]:
    """Return what values that are equal but for the names of their axes have in common."""
    names: dict[str, str] = {a: f"{n}" for n, a in enumerate(value.axes)}

    def collect(each: Value) -> None:
        for axis in each.axes:
            names.setdefault(axis, f"{len(names)}")
        for child in children(each):
            collect(child)

    collect(value)
    return _identity(value, names)


def _identity(value: Any, names: Mapping[str, str]) -> tuple[object, ...]:
    found: list[object] = [type(value)]
    for name, deep in _fields(type(value)):
        held = getattr(value, name)
        if name in _AXES:
            own = isinstance(held, tuple)
            found.append(tuple([names.get(a, a) for a in held]) if own else names.get(held, held))
        elif not deep:
            found.append(held)
        elif name == "sizes":
            found.append(tuple([(names.get(a, a), e) for a, e in held]))
        elif isinstance(held, tuple):
            found.append(tuple([_identity(i, names) if _is_plan(i) else i for i in held]))
        else:
            found.append(_identity(held, names) if _is_plan(held) else held)
    return tuple(found)


def _fields(kind: type) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a kind of record, each with whether other records may be in it."""
    if kind not in _FIELDS:
        deep = holders(kind)
        _FIELDS[kind] = tuple((f.name, f.name in deep) for f in dataclasses.fields(kind))
    return _FIELDS[kind]


_FIELDS: dict[type, tuple[tuple[str, bool], ...]] = {}


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a value whose axes go by other names."""
    changed: dict[str, Any] = {}
    for name in fields(value):
        held = getattr(value, name)
        if name in _AXES:
            if isinstance(held, tuple):
                changed[name] = tuple(names.get(a, a) for a in held)
            else:
                changed[name] = names.get(held, held)
        elif name == "sizes":
            changed[name] = tuple((names.get(a, a), e) for a, e in held)
        elif isinstance(held, tuple):
            changed[name] = tuple(_renamed_item(i, names) for i in held)
        else:
            changed[name] = _renamed_item(held, names)
    return replace(value, **changed)


def _renamed_item(item: Any, names: Mapping[str, str]) -> Any:
    return renamed(item, names) if _is_plan(item) else item


def _is_plan(item: Any) -> bool:
    return isinstance(item, Memo) and not isinstance(item, Node)

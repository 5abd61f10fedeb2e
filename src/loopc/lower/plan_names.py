"""The names in a value of a plan: of its axes, and of the variables in its sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loopc.diagnostics.record import Memo, replace
from loopc.ir.nodes import IndexRef, Node
from loopc.ir.visit import walk as walk_expr
from loopc.lower.plan import Value
from loopc.lower.plan_visit import children, fields


def mentions(record: Any, names: set[str]) -> bool:
    """Whether a size or a subscript anywhere in a record uses one of some variables."""
    for name in fields(record):
        held = getattr(record, name)
        for item in held if isinstance(held, tuple) else (held,):
            if isinstance(item, Node):
                if any(isinstance(n, IndexRef) and n.name in names for n in walk_expr(item)):
                    return True
            elif _is_plan(item) and mentions(item, names):
                return True
    return False


_AXES = ("axes", "over", "axis", "old", "new")


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
    for name in fields(value):
        held = getattr(value, name)
        if name in _AXES:
            own = isinstance(held, tuple)
            found.append(tuple([names.get(a, a) for a in held]) if own else names.get(held, held))
        elif name == "sizes":
            found.append(tuple([(names.get(a, a), e) for a, e in held]))
        elif isinstance(held, tuple):
            found.append(tuple([_identity(i, names) if _is_plan(i) else i for i in held]))
        else:
            found.append(_identity(held, names) if _is_plan(held) else held)
    return tuple(found)


def renamed(value: Any, names: Mapping[str, str], axes: tuple[str, ...] | None = None) -> Any:
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
    if axes is not None:
        changed["axes"] = axes
    return replace(value, **changed)


def _renamed_item(item: Any, names: Mapping[str, str]) -> Any:
    return renamed(item, names) if _is_plan(item) else item


def _is_plan(item: Any) -> bool:
    return isinstance(item, Memo) and not isinstance(item, Node)

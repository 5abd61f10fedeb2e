"""The arguments of a call of a `def`: what each formal stands for in its body.

An argument is handed over as it is where the body cannot tell it from a value of its own; else it
is copied into an array of the call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loopc.diagnostics.span import Span
from loopc.ir.build_names import TYPES, names_in, plain_name
from loopc.ir.build_templates import (
    Access,
    Filling,
    Linear,
    filled,
    linear,
    mapped,
    opened,
    wholes,
    written,
)
from loopc.syntax import tree

if TYPE_CHECKING:
    from loopc.ir.build_calls import Expander, Indices


@dataclass(frozen=True)
class Size:
    """An extent that a formal declares, and the axis of the argument that is to have it."""

    of: tuple[str, int]
    dim: tree.Expr
    function: str
    formal: tree.Declared
    axis: int
    span: Span | None


@dataclass
class Arguments:
    """The arguments of one call, in the loops `scope`."""

    expander: Expander
    function: tree.Def
    scope: Indices

    def values(self, group: tree.Group, before: list[tree.Statement]) -> dict[str, Filling] | None:
        """Return what each formal stands for; statements of copies are appended to `before`."""
        function, expander = self.function, self.expander
        given = list(group.items)
        needed = [p for p in function.params if p.value is None]
        if not len(needed) <= len(given) <= len(function.params):
            what = f"takes {len(function.params)} argument(s); {len(given)} are given"
            expander.wrong(function, group.span, what)
            return None
        values: dict[str, Filling] = {}
        for number, formal in enumerate(function.params):
            actual = given[number] if number < len(given) else formal.value
            assert actual is not None
            rank = len(formal.dims or ())
            access = opened(actual, rank) if isinstance(actual, Access) else None
            if access is None and rank:
                place = group.span if actual is formal.value else actual.span
                expander.wrong(function, place, f"takes `{formal.name}` with {rank} dimension(s)")
                return None
            values[formal.name] = self._value(formal, actual, access, before)
        self._take_dims(values)
        return values

    def _value(
        self,
        formal: tree.Declared,
        actual: Any,
        access: Access | None,
        before: list[tree.Statement],
    ) -> Filling:
        assigned = formal.name in written(self.function.body)
        if isinstance(actual, tree.Number) and not assigned:
            if not _is_of_type(actual, formal):
                self.expander.wrong_type(self.function, formal, actual.span)
            return actual  # it may stand in ranges and subscripts
        is_index = isinstance(actual, tree.Name) and actual.name in self.scope
        if access is None or assigned or (is_index and formal.dtype):  # which has a type
            return self._copied(formal, actual, access, before)
        if formal.dtype and self._is_computed(access):
            return self._copied(formal, actual, access, before)
        if formal.dtype:
            self.expander.typed.append((access, self.function, formal))
        return access

    def _copied(
        self,
        formal: tree.Declared,
        actual: Any,
        access: Access | None,
        before: list[tree.Statement],
    ) -> Access:
        """Hand an argument over by value: into an array of its own."""
        expander, scope = self.expander, self.scope
        rank = len(formal.dims or ())
        cell = expander.cell(formal.name, scope, actual.span, rank)
        expander.made[cell.name] = formal if formal.dtype in TYPES else None
        indices = expander.indices(rank)
        value = expander.expr(actual, scope, before) if access is None else filled(access, indices)
        copy: tree.Statement = tree.Assign((filled(cell, indices),), "=", value, span=actual.span)
        if indices:
            loops = tuple(tree.Index(i.name) for i in indices)
            copy = tree.For(loops, None, (copy,), True, span=actual.span)
        before.append(copy)
        return cell

    def _take_dims(self, values: dict[str, Filling]) -> None:
        """Let the dims of formals mean the extents of the arguments; `4*D`: parts of them."""
        expander, function = self.expander, self.function
        parts: list[tuple[Linear, tree.Name]] = []
        sizes: list[Size] = []
        for formal in function.params:
            access = values[formal.name]
            if not isinstance(access, Access):
                continue
            if isinstance(access, tree.Bracket):
                expander.handed.setdefault(plain_name(access.name), access)
            for axis, (place, dim) in enumerate(
                zip(wholes(access), formal.dims or (), strict=False)
            ):
                of = (plain_name(access.name), place)
                found = linear(dim)
                if found is None or found.dim in values:
                    sizes.append(Size(of, dim, function.name, formal, axis, access.span))
                    continue
                name = expander.fresh(found.dim)
                expander.aliases[name] = of
                extent = tree.Name(name, span=dim.span)
                if found.is_plain:
                    values[found.dim] = extent
                else:
                    parts.append((found, extent))
                    sizes.append(Size(of, dim, function.name, formal, axis, access.span))
        for found, extent in parts:
            values.setdefault(found.dim, found.solved(extent))
        for size in sizes:
            self._fit(size, values)

    def _fit(self, size: Size, values: dict[str, Filling]) -> None:
        """Have the extent of an argument checked, if the formal's is made of what is known."""
        if not all(name in values for name in names_in(size.dim)):
            return

        def put(node: Any) -> Any:
            name = node.name if isinstance(node, tree.Name) else None
            return values[name] if name in values else mapped(node, put)

        given = f"{size.of[0]}°{size.of[1]}"
        self.expander.aliases[given] = size.of
        self.expander.sizes.append((given, put(size.dim), size))

    def _is_computed(self, access: Access) -> bool:
        name = plain_name(access.name)
        return name in self.expander.writes or name in self.expander.made


def _is_of_type(number: tree.Number, formal: tree.Declared) -> bool:
    """Whether a literal is a value of a formal's type: only whole numbers are integers."""
    return formal.dtype not in ("int", "bool") or number.text.isdigit()

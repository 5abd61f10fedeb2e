"""Expressions of the tree as expressions of the IR.

Here juxtaposition is read: from left to right, a function followed by one atom or a bracket is a
call, a reduction's bracket followed by round ones is a reduction, everything else is a product.
"""

from __future__ import annotations

from loopc.diagnostics.record import record, replace
from loopc.diagnostics.span import Span
from loopc.ir import functions
from loopc.ir.build_indices import built_index
from loopc.ir.build_names import CONSTANTS, MODES, Names, plain_name
from loopc.ir.build_terms import (
    corrected,
    divided,
    name_of,
    times,
    usage,
)
from loopc.ir.nodes import (
    Access,
    Call,
    Const,
    Expr,
    Extent,
    Index,
    IndexRef,
    Mode,
    Read,
    Reduce,
    Subscript,
)
from loopc.ir.visit import add, free_indices, fresh_name, neg, substitute
from loopc.syntax import tree
from loopc.syntax.printer import print_expr

_COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_DIVISIONS = {"/": "div", "//": "floordiv", "%": "mod"}
_ZERO = Const(0)


@record()
class ExprBuilder:
    """Builds expressions in which the indices `scope` are bound.

    Attributes:
        names: of the program.
        scope: the indices.
        values: what the name of an index stands for where the loop counts its steps.
    """

    names: Names
    scope: frozenset[str] = frozenset()
    values: tuple[tuple[str, Expr], ...] = ()

    def within(self, name: str, value: Expr | None = None) -> ExprBuilder:
        """Return the builder for the inside of a binder."""
        values = tuple(v for v in self.values if v[0] != name)
        own = () if value is None else ((name, value),)
        return replace(self, scope=self.scope | {name}, values=(*values, *own))

    def expr(  # noqa: C901 - one case per kind of node
        self, node: tree.Expr | tree.Whole | tree.Index
    ) -> Expr:
        """Build an expression; what is wrong is reported and stands as 0."""
        match node:
            case tree.Number(text):
                value = int(text) if text.isdigit() else float(text)
                return Const(value, span=node.span)
            case tree.Name():
                return self._name(node)
            case tree.Bracket():
                return self._bracket(node)
            case tree.Group(items):
                if len(items) != 1:
                    self.names.report("L0316", node.span, count=len(items))
                    return _ZERO
                return self.expr(items[0])
            case tree.Chain(operands):
                is_sum = any(o.op in ("+", "-") for o in operands)
                return self._sum(node) if is_sum else self._product(operands, node.span)
            case tree.Power(base, exponent):
                return Call("pow", (self.expr(base), self.expr(exponent)), span=node.span)
            case tree.Compare(first, rest):
                return self._compare(first, rest, node.span)
            case tree.Not(inner):
                return Call("not", (self.expr(inner),), span=node.span)
            case tree.Logic(op, items):
                return Call(op, tuple(self.expr(i) for i in items), span=node.span)
            case tree.Whole():
                self.names.report("L0314", node.span)
                return _ZERO
            case tree.Index():
                self.names.report("L0311", node.span, text=print_expr(node))
                return _ZERO

    # Names and accesses

    def _name(self, node: tree.Name) -> Expr:
        name = plain_name(node.name)
        if name in self.names.substitutes:
            return self.names.substitutes[name]
        row = self.names.function(name)
        if node.primes and row is None:
            self.names.report("L0319", node.span, name=name)
            return _ZERO
        if name in self.scope:
            return dict(self.values).get(name) or IndexRef(name, span=node.span)
        if self.names.is_array(name):
            return self._read(name, (), node.span)
        if name in self.names.dims:
            return Extent(name, span=node.span)
        if name in CONSTANTS:
            return Const(CONSTANTS[name], span=node.span)
        if row is not None:
            self.names.report("L0304", node.span, name=name, usage=usage(row))
            return _ZERO
        return self._unbound(name, node.span)

    def _unbound(self, name: str, span: Span | None) -> Expr:
        """Build a name that nothing declares: a dim if a range ends in it, else a scalar input."""
        if self.names.is_misplaced(name, span):
            return _ZERO
        if name not in self.names.ranged:
            return self._read(name, (), span)
        if self.names.strict:
            self.names.resembling(name, span)
        self.names.dims[name] = span
        return Extent(name, span=span)

    def _read(self, name: str, subscripts: tuple[Subscript, ...], span: Span | None) -> Expr:
        self.names.use(name, len(subscripts), span)
        return Read(Access(name, subscripts, span=span), span=span)

    def _bracket(self, node: tree.Bracket) -> Expr:
        name = plain_name(node.name)
        if self.names.reduction(name) is not None:
            self.names.report("L0309", node.span, name=name, over=_items_text(node))
            return _ZERO
        if self.names.is_misplaced(name, node.span, indices=False):
            return _ZERO
        return self._read(name, self.subscripts(node), node.span)

    def target(self, node: tree.Name | tree.Bracket) -> Access:
        """Build the left side of an update."""
        name = plain_name(node.name)
        what = (
            "an index of the loop"
            if name in self.scope
            else "a dim"
            if name in self.names.dims and name not in self.names.arrays
            else ""
        )
        if what:
            self.names.report("L0313", node.span, name=name, what=what)
        subscripts = self.subscripts(node) if isinstance(node, tree.Bracket) else ()
        self.names.use(name, len(subscripts), node.span)
        return Access(name, subscripts, span=node.span)

    def subscripts(self, node: tree.Bracket) -> tuple[Subscript, ...]:
        """Build the subscripts of an access."""
        if node.guard is not None:
            self.names.report("L0310", node.guard.span, text="if …", name=node.name)
        for item in node.items:
            if isinstance(item, tree.Index):
                self.names.report("L0310", item.span, text=print_expr(item), name=node.name)
        return tuple(self._subscript(i) for i in node.items if not isinstance(i, tree.Index))

    def _subscript(self, item: tree.Expr | tree.Whole | tree.Index) -> Subscript:
        match item:
            case tree.Chain(
                (tree.Operand(_, 0, tree.Name(name)), tree.Operand(op, 0, tree.Group((at,))))
            ) if name in MODES and op in ("", "()") and not self.names.is_array(name):
                mode: Mode = name  # type: ignore[assignment]
                return Subscript(self.expr(at), mode, span=item.span)
            case _:
                return Subscript(self.expr(item), span=item.span)

    # Operators

    def _sum(self, node: tree.Chain) -> Expr:
        terms = []
        for operand in node.operands:
            term = self.expr(operand.expr)
            terms.append(neg(term) if operand.op == "-" else term)
        return replace(add(*terms), span=node.span)

    def _compare(
        self, first: tree.Expr, rest: tuple[tuple[str, tree.Expr], ...], span: Span | None
    ) -> Expr:
        sides = [self.expr(first), *(self.expr(e) for _, e in rest)]
        pairs = [
            Call(_COMPARISONS[op], (sides[n], sides[n + 1]), span=span)
            for n, (op, _) in enumerate(rest)
        ]
        return pairs[0] if len(pairs) == 1 else Call("and", tuple(pairs), span=span)

    def _product(self, operands: tuple[tree.Operand, ...], span: Span | None) -> Expr:
        factors: list[Expr] = []
        at = 0
        while at < len(operands):
            op = operands[at].op
            factor, after = self._applied(operands, at)
            for _ in range(operands[at].negations):
                factor = neg(factor)
            at = after
            if op in _DIVISIONS:
                factors = [divided(_DIVISIONS[op], times(factors, span), factor, span)]
            else:
                factors.append(factor)
        return times(factors, span)

    # Calls

    def _applied(self, operands: tuple[tree.Operand, ...], at: int) -> tuple[Expr, int]:
        """Return the factor that starts at operand `at`, and the operand after it."""
        node = operands[at].expr
        if isinstance(node, tree.Power):
            return self._raised_to_call(node, operands, at)
        if not self._is_head(node):
            before = self.names.errors
            factor = self._plain(node, operands, at)
            if self.names.errors == before:
                return factor, at + 1
            group = operands[at + 1].expr if at + 1 < len(operands) else None
            if not isinstance(group, tree.Group) or len(group.items) == 1:
                return factor, at + 1
            return factor, at + 2  # its arguments are no list that stands for a value
        following = operands[at + 1] if at + 1 < len(operands) else None
        if following is None or following.op not in ("", "()"):
            return self.expr(node), at + 1  # reports the function without an argument
        argument = following.expr
        if isinstance(argument, tree.Power) and isinstance(argument.base, tree.Group):
            base = self._call(node, argument.base)
            return Call("pow", (base, self.expr(argument.exponent)), span=base.span), at + 2
        if isinstance(argument, tree.Group):
            return self._call(node, argument), at + 2
        if isinstance(argument, tree.Power) or following.negations:
            self.names.report("L0305", node.span, name=name_of(node))
            return _ZERO, at + 2
        if isinstance(node, tree.Bracket):
            return self.expr(node), at + 1
        inner, after = self._applied(operands, at + 1)
        assert isinstance(node, tree.Name)
        return self._function(node, [inner], following.span), after

    def _plain(self, node: tree.Expr, operands: tuple[tree.Operand, ...], at: int) -> Expr:
        """Build a factor that is no call; `f(x)` with an unknown `f` looks like one."""
        called = at + 1 < len(operands) and operands[at + 1].op == "()"
        if called and isinstance(node, tree.Name) and not node.primes and not self._is_value(node):
            if plain_name(node.name) in MODES:
                self.names.report("L0315", node.span, name=node.name)
            else:
                self.names.unknown_function(node.name, node.span)
            return _ZERO
        if called and isinstance(node, tree.Bracket):
            self.names.check_reduction(node.name, node.span)
        return self.expr(node)

    def _is_value(self, node: tree.Name) -> bool:
        name = plain_name(node.name)
        known = name in self.scope or name in CONSTANTS or name in self.names.dims
        return known or self.names.is_array(name) or name in self.names.substitutes

    def _raised_to_call(
        self, node: tree.Power, operands: tuple[tree.Operand, ...], at: int
    ) -> tuple[Expr, int]:
        """`x**f(y)`: the tree has the bracket behind the power."""
        exponent, negations = node.exponent, 0
        if isinstance(exponent, tree.Chain) and len(exponent.operands) == 1:
            negations, exponent = exponent.operands[0].negations, exponent.operands[0].expr
        following = operands[at + 1] if at + 1 < len(operands) else None
        if following is None or not isinstance(following.expr, tree.Group):
            return self.expr(node), at + 1
        if not self._is_head(exponent):
            return self.expr(node), at + 1
        value = self._call(exponent, following.expr)
        for _ in range(negations):
            value = neg(value)
        return Call("pow", (self.expr(node.base), value), span=node.span), at + 2

    def _is_head(self, node: tree.Expr) -> bool:
        """Whether a node is a function or a reduction that waits for its argument."""
        match node:
            case tree.Name(name):
                return plain_name(name) not in self.scope and self.names.function(name) is not None
            case tree.Bracket(name):
                return self.names.reduction(name) is not None
            case _:
                return False

    def _call(self, node: tree.Expr, group: tree.Group) -> Expr:
        if isinstance(node, tree.Bracket):
            return self._reduce(node, group)
        assert isinstance(node, tree.Name)
        return self._function(node, [self.expr(i) for i in group.items], group.span)

    def _function(self, node: tree.Name, args: list[Expr], end: Span | None) -> Expr:
        row = functions.lookup(node.name)  # an argument may have made the name an array
        assert row is not None
        span = node.span.to(end) if node.span is not None and end is not None else node.span
        wrong = len(args) < 2 if row.variadic else len(args) != len(row.params)
        if wrong:
            expected = "two or more" if row.variadic else len(row.params)
            facts = {"name": node.name, "expected": expected, "given": len(args)}
            self.names.report("L0303", span, usage=corrected(row), **facts)
            return _ZERO
        if node.primes and len(row.params) != 1:
            self.names.report("L0319", node.span, name=node.name)
            return _ZERO
        return Call(node.name + "'" * node.primes, tuple(args), span=span)

    def _reduce(self, node: tree.Bracket, group: tree.Group) -> Expr:
        row = self.names.reduction(node.name)
        assert row is not None
        span = node.span.to(group.span) if node.span and group.span else node.span
        indices, inner = self.indices(node.items, node.name)
        if not node.items:
            self.names.report("L0309", node.span, name=node.name, over="k")
            return _ZERO
        guard = None if node.guard is None else inner.expr(node.guard)
        if len(group.items) != 1:
            self.names.report("L0316", group.span, count=len(group.items))
            return _ZERO
        body = inner.expr(group.items[0])
        at: tuple[Expr, ...] = ()
        if row.form == "pointwise":
            at = tuple(self._position(i, inner.written(i), node) for i in indices)
        return Reduce(row.name, indices, guard, body, at, span=span)

    def _position(self, index: Index, name: str, node: tree.Bracket) -> Expr:
        """A pointwise reduction's value stands at the loop's index of the same name."""
        if name in self.scope:
            return dict(self.values).get(name) or IndexRef(name, span=index.span)
        self.names.report("L0332", index.span, index=name, name=node.name)
        return _ZERO

    def written(self, index: Index) -> str:
        """Return the name of an index in scope in the text."""
        return next((n for n, v in self.values if v == IndexRef(index.name)), index.name)

    def indices(
        self,
        items: tuple[tree.Expr | tree.Whole | tree.Index, ...],
        of: str,
        *,
        fresh: bool = False,
    ) -> tuple[tuple[Index, ...], ExprBuilder]:
        """Build the indices of a `for` or of a reduction, and the builder for its inside.

        Args:
            items: what is written.
            of: the reduction, or `for`.
            fresh: whether an index of a loop round this one may not be taken again.
        """
        inner = self
        indices: list[Index] = []
        for item in items:
            found = built_index(inner, item, of)
            if found is None:
                continue
            index, value = found
            name = index.name
            taken = {inner.written(other) for other in indices}
            if name in taken | (self.scope if fresh else frozenset()):
                self.names.report("L0312", item.span, name=name)
                continue
            if inner.catches(name):
                index = replace(index, name=inner.free_name(name))
                own = IndexRef(index.name)
                value = own if value is None else substitute(value, {name: own})
            indices.append(index)
            inner = inner.within(name, value)
        return tuple(indices), inner

    def catches(self, name: str) -> bool:
        """Whether an index of a name would hide one that a value in scope is made of."""
        return any(name in free_indices(v) for other, v in self.values if other != name)

    def free_name(self, name: str) -> str:
        """Return a name like an index's that nothing has."""
        taken = {n for _, v in self.values for n in free_indices(v)}
        taken |= self.scope | self.names.dims.keys() | self.names.arrays.keys()
        return fresh_name(name, taken | set(self.names.written))


def _items_text(node: tree.Bracket) -> str:
    return ", ".join(print_expr(i) for i in node.items) or "k"

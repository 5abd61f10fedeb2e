"""Integer index expressions in normal form: sums of integer multiples of atoms.

An atom is an index, an extent, a read, a product of these (as a `mul` call), or an expression that
is none of it (`i // 2`, `max(a, b)`), itself in normal form inside. So the form is a polynomial
with opaque atoms; two expressions that differ only in writing have the same form. Extents are taken
to be at least 0, nothing else is assumed about atoms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from loopc.diagnostics.record import Memo, record
from loopc.ir.functions import TO_INTEGER
from loopc.ir.nodes import Call, Const, Expr, Extent, IndexRef, Read, Reduce
from loopc.ir.visit import free_indices, walk


@record()
class Affine(Memo):
    """`constant` plus the sum of coefficient times atom, atoms in a fixed order."""

    constant: int
    terms: tuple[tuple[Expr, int], ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether no atom is left."""
        return not self.terms

    def coefficient(self, index: str) -> int:
        """Return the coefficient of the bare index `index`."""
        return next((c for atom, c in self.terms if _is_index(atom, index)), 0)

    def without(self, index: str) -> Affine:
        """Return the form without its bare `index` term."""
        return Affine(self.constant, tuple(t for t in self.terms if not _is_index(t[0], index)))

    def collected(self, unknown: IndexRef | Extent) -> tuple[Affine, Affine]:
        """Return slope and rest of `slope * unknown + rest`, the slope without the unknown.

        The rest still has the unknown where that is no plain factor: `i // 2`, `i * i`.
        """
        slope: list[tuple[int, Affine]] = []
        rest: list[tuple[Expr, int]] = []
        for atom, c in self.terms:
            others = [f for f in _factors(atom) if f != unknown]
            bare = len(others) == len(_factors(atom)) - 1
            if bare and not any(n == unknown for f in others for n in walk(f)):
                slope.append((c, _of_factors(others)))
            else:
                rest.append((atom, c))
        return _collect(slope), Affine(self.constant, tuple(rest))

    def is_linear_in(self, index: str) -> bool:
        """Whether `index` occurs at most as a bare term, in no other atom."""
        return all(
            _is_index(atom, index) or index not in free_indices(atom) for atom, _ in self.terms
        )

    def is_index(self, index: str) -> bool:
        """Whether the form is the bare index `index`."""
        if self.constant or len(self.terms) != 1:
            return False
        ((atom, c),) = self.terms
        return c == 1 and _is_index(atom, index)

    def __add__(self, other: Affine) -> Affine:
        if not other.terms:
            k = other.constant
            return Affine(self.constant + k, self.terms) if k else self
        return _collect([(1, self), (1, other)])

    def __sub__(self, other: Affine) -> Affine:
        if not other.terms:
            k = other.constant
            return Affine(self.constant - k, self.terms) if k else self
        if self.terms == other.terms:
            return Affine(self.constant - other.constant)
        return _collect([(1, self), (-1, other)])

    def scaled(self, factor: int) -> Affine:
        """Return the form times an integer."""
        if factor == 1:
            return self
        return _collect([(factor, self)])


def _is_index(atom: Expr, index: str) -> bool:
    return isinstance(atom, IndexRef) and atom.name == index


def _key(atom: Expr) -> tuple[int, str]:
    """Order atoms: indices first, then extents, then the rest."""
    try:
        return atom.rank  # type: ignore[no-any-return]
    except AttributeError:
        kind = 0 if isinstance(atom, IndexRef) else 1 if isinstance(atom, Extent) else 2
        atom.rank = (kind, repr(atom))
        return atom.rank  # type: ignore[no-any-return]


def _collect(parts: Iterable[tuple[int, Affine]]) -> Affine:
    constant = 0
    sums: dict[Expr, int] = {}
    for factor, form in parts:
        constant += factor * form.constant
        for atom, c in form.terms:
            sums[atom] = sums.get(atom, 0) + factor * c
    terms = [(atom, c) for atom, c in sums.items() if c]
    if len(terms) > 1:
        terms.sort(key=lambda term: _key(term[0]))
    return Affine(constant, tuple(terms))


def affine(expr: Expr) -> Affine | None:
    """Return the normal form of an integer expression; None if it cannot be one (a float)."""
    try:
        return expr.affine  # type: ignore[no-any-return]
    except AttributeError:
        expr.affine = _affine(expr)
        return expr.affine  # type: ignore[no-any-return]


def _affine(expr: Expr) -> Affine | None:
    match expr:
        case Const(value):
            return Affine(int(value)) if isinstance(value, int) else None
        case IndexRef() | Extent() | Read():
            return Affine(0, ((expr, 1),))
        case Call(fn) if fn == TO_INTEGER:
            return Affine(0, ((expr, 1),))  # its argument is a float
        case Call(fn, args):
            forms = [affine(a) for a in args]
            rule = _RULES.get(fn)
            if any(f is None for f in forms) or fn in _FLOAT:
                return None
            known = [f for f in forms if f is not None]
            return rule(known) if rule else _opaque(fn, known)
        case Reduce():
            return Affine(0, ((expr, 1),))


def _opaque(fn: str, forms: list[Affine]) -> Affine:
    return Affine(0, ((Call(fn, tuple(to_expr(f) for f in forms)), 1),))


def _factors(atom: Expr) -> tuple[Expr, ...]:
    return atom.args if isinstance(atom, Call) and atom.fn == "mul" else (atom,)


def _of_factors(factors: list[Expr]) -> Affine:
    if not factors:
        return Affine(1)
    atom = factors[0] if len(factors) == 1 else Call("mul", tuple(factors))
    return Affine(0, ((atom, 1),))


def _product(a: Affine, b: Affine) -> Affine:
    parts = [(1, Affine(a.constant * b.constant)), (b.constant, Affine(0, a.terms))]
    parts.append((a.constant, Affine(0, b.terms)))
    for x, c in a.terms:
        for y, d in b.terms:
            factors = sorted((*_factors(x), *_factors(y)), key=_key)
            parts.append((c * d, Affine(0, ((Call("mul", tuple(factors)), 1),))))
    return _collect(parts)


def _mul(forms: list[Affine]) -> Affine:
    result = forms[0]
    for form in forms[1:]:
        result = _product(result, form)
    return result


def _pow(forms: list[Affine]) -> Affine:
    base, exponent = forms
    if not exponent.is_constant or not 1 <= exponent.constant <= 4:
        return _opaque("pow", forms)
    return _mul([base] * exponent.constant)


def _divide(atom: Expr, divisor: Expr) -> Affine | None:
    """Return atom / divisor where that is exact because divisor is one of its factors."""
    factors = list(_factors(atom))
    if divisor not in factors:
        return None
    factors.remove(divisor)
    return _of_factors(factors)


def _split(a: Affine, b: Affine) -> tuple[Affine, Affine] | None:
    """Return q, r with a = b*q + r, as much in q as divides exactly; None for other divisors."""
    if b.is_constant:
        if b.constant == 0:
            return None
        c = b.constant
        whole = [(atom, k // c) for atom, k in a.terms if k % c == 0]
        rest = tuple((atom, k) for atom, k in a.terms if k % c)
        return Affine(a.constant // c, tuple(whole)), Affine(a.constant % c, rest)
    if b.constant or len(b.terms) != 1 or b.terms[0][1] != 1:
        return None
    divisor = b.terms[0][0]
    quotient: list[tuple[int, Affine]] = []
    left: list[tuple[int, Affine]] = [(1, Affine(a.constant))]
    for atom, k in a.terms:
        exact = _divide(atom, divisor)
        if exact is None:
            left.append((k, Affine(0, ((atom, 1),))))
        else:
            quotient.append((k, exact))
    return _collect(quotient), _collect(left)


def _floordiv(forms: list[Affine]) -> Affine:
    a, b = forms
    parts = _split(a, b)
    if parts is None:
        return _opaque("floordiv", forms)
    quotient, rest = parts
    if rest == Affine(0) or (b.is_constant and rest.is_constant):
        # `_split` by a constant leaves 0 <= rest < b (b < rest <= 0 if negative): nothing more
        return quotient
    return quotient + _opaque("floordiv", [rest, b])


def _mod(forms: list[Affine]) -> Affine:
    a, b = forms
    parts = _split(a, b)
    if parts is None:
        return _opaque("mod", forms)
    rest = parts[1]
    if rest == Affine(0) or (b.is_constant and rest.is_constant):
        return rest
    return _opaque("mod", [rest, b])


def _extreme(fn: str) -> Callable[[list[Affine]], Affine]:
    sign = 1 if fn == "max" else -1

    def rule(forms: list[Affine]) -> Affine:
        kept: list[Affine] = []
        for form in _flatten(fn, forms):
            if any(at_least(k.scaled(sign), form.scaled(sign)) for k in kept):
                continue
            kept = [k for k in kept if not at_least(form.scaled(sign), k.scaled(sign))]
            kept.append(form)
        if len(kept) == 1:
            return kept[0]
        return _opaque(fn, sorted(kept, key=repr))

    return rule


def _flatten(fn: str, forms: list[Affine]) -> list[Affine]:
    flat: list[Affine] = []
    for form in forms:
        match form:
            case Affine(0, ((Call(inner, args), 1),)) if inner == fn:
                flat.extend(a for a in map(affine, args) if a is not None)
            case _:
                flat.append(form)
    return flat


_RULES: dict[str, Callable[[list[Affine]], Affine]] = {
    "add": lambda forms: _collect([(1, f) for f in forms]),
    "neg": lambda forms: forms[0].scaled(-1),
    "mul": _mul,
    "pow": _pow,
    "floordiv": _floordiv,
    "mod": _mod,
    "max": _extreme("max"),
    "min": _extreme("min"),
}
_FLOAT = frozenset({"div"})


def at_least(a: Affine, b: Affine) -> bool:
    """Whether a >= b for all values of the dims: what is left over is made of extents alone."""
    return _never_negative(a - b)


def _never_negative(form: Affine) -> bool:
    if form.constant >= 0 and all(c > 0 and _nonnegative(atom) for atom, c in form.terms):
        return True
    for number, (atom, c) in enumerate(form.terms):
        arms = _less(atom, c)
        if arms:
            rest = Affine(form.constant, (*form.terms[:number], *form.terms[number + 1 :]))
            return any(_never_negative(rest + arm) for arm in arms)
    return False


def _less(atom: Expr, c: int) -> list[Affine]:
    """Return forms that `c * atom` is not less than: those of what a function is made of."""
    match atom:
        case Call("max" | "min" as fn, args) if fn == ("max" if c > 0 else "min"):
            return [f.scaled(c) for a in args if (f := affine(a)) is not None]
        case Call("floordiv", (a, Const(by))) if isinstance(by, int) and by > 0 and not c % by:
            form = affine(a)  # a - (by - 1) <= by * (a // by) <= a
            if form is None:
                return []
            return [(form - Affine(by - 1) if c > 0 else form).scaled(c // by)]
        case _:
            return []


def _nonnegative(atom: Expr) -> bool:
    match atom:
        case Extent():
            return True
        case Call("mul", args):
            return all(_nonnegative(a) for a in args)
        case Call("floordiv", (a, b)):
            return is_nonnegative(a) and is_nonnegative(b)
        case Call("mod", (_, b)):
            return is_nonnegative(b)
        case Call("max", args):
            return any(map(is_nonnegative, args))
        case Call("min", args):
            return all(map(is_nonnegative, args))
        case _:
            return False


def is_nonnegative(expr: Expr) -> bool:
    """Whether an expression is 0 or more for all values of the dims for which it has a value."""
    form = affine(expr)
    return form is not None and at_least(form, Affine(0))


def to_expr(form: Affine) -> Expr:
    """Return the expression of a normal form: terms in order, the constant last."""
    try:
        return form.kept  # type: ignore[no-any-return]
    except AttributeError:
        form.kept = _to_expr(form)
        return form.kept  # type: ignore[no-any-return]


def _to_expr(form: Affine) -> Expr:
    parts: list[Expr] = []
    for atom, c in form.terms:
        size = abs(c)
        factors = _factors(atom)
        term = atom if size == 1 else Call("mul", (Const(size), *factors))
        parts.append(term if c > 0 else Call("neg", (term,)))
    if form.constant or not parts:
        k = form.constant
        parts.append(Const(k) if k >= 0 or not parts else Call("neg", (Const(-k),)))
    if len(parts) > 1 and isinstance(parts[0], Call) and parts[0].fn == "neg":
        front = next((n for n, p in enumerate(parts) if not _is_negative(p)), 0)
        parts.insert(0, parts.pop(front))  # `N - i - 1` reads better than `-i + N - 1`
    return parts[0] if len(parts) == 1 else Call("add", tuple(parts))


def _is_negative(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.fn == "neg"


def simplify(expr: Expr) -> Expr:
    """Return the integer expression in normal form; anything else as it is."""
    form = affine(expr)
    return expr if form is None else to_expr(form)


def equal(a: Expr, b: Expr) -> bool:
    """Whether two integer expressions are equal for all values of their atoms."""
    if a is b:
        return True
    x, y = affine(a), affine(b)
    return a == b if x is None or y is None else x == y


def plus(a: Expr, number: int) -> Expr:
    """Return `a + number` in normal form."""
    return simplify(Call("add", (a, Const(number))))

"""Whether linear equations can have a solution in integers.

Two accesses under a checkerboard's guard touch different cells because no integer solves
`i + j = 2 p`, `i' + j' = 2 q`, `i' = i - 1`, `j' = j`. Each equation alone has solutions; so they
are eliminated together, in unknowns that keep the coefficients whole. Source: Banerjee, Dependence
Analysis for Supercomputing, 1988 (the generalised GCD test); Knuth, The Art of Computer
Programming, vol. 2, 4.5.2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from loopc.ir.affine import Affine, affine
from loopc.ir.nodes import Call, Const, Expr, Index, IndexRef
from loopc.ir.visit import reads

Form = dict[str, int]
"""Coefficients by name of the unknown; the constant under "" (the sum is equal to zero)."""


def linear(form: Affine) -> Form:
    """Return the sum as an equation; a remainder `x % m` in it is `x - m q` with an unknown q."""
    result: Form = {"": form.constant}
    for atom, c in form.terms:
        for name, k in _of_atom(atom).items():
            result[name] = result.get(name, 0) + c * k
    return result


def _of_atom(atom: Expr) -> Form:
    match atom:
        case Call("mod", (x, Const(int(m)))):
            inner = affine(x)
            if inner is not None:
                return {**linear(inner), f"{atom!r} quotient": -m}
        case _:
            pass
    return {repr(atom): 1}


def of_guard(guard: Expr) -> Form | None:
    """Return the equation that a guard `a == b` is; None: it is none, or it reads data."""
    if not isinstance(guard, Call) or guard.fn != "eq" or any(True for _ in reads(guard)):
        return None
    a, b = (affine(e) for e in guard.args)
    return None if a is None or b is None else linear(a - b)


def of_range(index: Index) -> Form | None:
    """Return the equation `i = start + step q` of a range in steps."""
    if abs(index.step) == 1 or index.start is None or any(True for _ in reads(index.start)):
        return None
    start = affine(index.start)
    if start is None:
        return None
    form = linear(Affine(0, ((IndexRef(index.name), 1),)) - start)
    return {**form, f"{index.name} steps": -index.step}


def may_hold(equations: Iterable[Form]) -> bool:
    """Whether integers may solve all of the equations."""
    left = [_tidy(e) for e in equations]
    fresh = 0
    while left:
        equation = left.pop()
        constant = equation.pop("", 0)
        if not equation:
            if constant:
                return False
            continue
        divisor = math.gcd(*equation.values())
        if constant % divisor:
            return False
        equation = {n: c // divisor for n, c in equation.items()}
        constant //= divisor
        name = min(equation, key=lambda n: (abs(equation[n]), n))
        c = equation.pop(name)
        if abs(c) == 1:  # name = -c (constant + the rest)
            value = {n: -c * k for n, k in equation.items()} | {"": -c * constant}
            left = [put(e, name, value) for e in left]
            continue
        fresh += 1  # name = new - sum of the whole parts: the coefficients left are remainders
        new = f"{fresh} new"
        value = {n: -(k // c) for n, k in equation.items()} | {new: 1, "": -(constant // c)}
        rest = {n: k % c for n, k in equation.items()} | {new: c, "": constant % c}
        left = [*(put(e, name, value) for e in left), _tidy(rest)]
    return True


def put(equation: Form, name: str, value: Mapping[str, int]) -> Form:
    """Return a sum with another one in the place of an unknown."""
    c = equation.get(name, 0)
    if not c:
        return equation
    result = {n: k for n, k in equation.items() if n != name}
    for n, k in value.items():
        result[n] = result.get(n, 0) + c * k
    return _tidy(result)


def _tidy(equation: Form) -> Form:
    return {n: k for n, k in equation.items() if k or n == ""}

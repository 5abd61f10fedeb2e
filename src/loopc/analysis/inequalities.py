"""Whether linear inequalities can have a solution.

Unknowns are eliminated one after the other, each lower bound of one put against each upper bound
(Fourier and Motzkin); what is left of whole numbers is rounded. Source: Schrijver, Theory of Linear
and Integer Programming, ch. 12.2; Pugh, The Omega test, 1991 (rounding).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

from loopc.analysis.diophantine import Form, put

MOST = 400
"""The inequalities at which the search ends: a solution is taken to be possible then."""

Terms: TypeAlias = tuple[tuple[str, int], ...]
"""Coefficients by unknown; with a constant, the sum is at least zero."""


def may_be_solved(atleast: Iterable[Form], equal: Iterable[Form]) -> bool:
    """Whether integers may make all sums of `atleast` 0 or more, and those of `equal` 0."""
    left = list(equal)
    forms = list(atleast)
    while left:
        equation = {n: c for n, c in left.pop().items() if c}
        name = next((n for n, c in equation.items() if n and abs(c) == 1), None)
        if name is None:
            forms += [equation, {n: -c for n, c in equation.items()}]
            continue
        c = equation.pop(name)
        value = {n: -c * k for n, k in equation.items()}
        left = [put(e, name, value) for e in left]
        forms = [put(f, name, value) for f in forms]
    return _may_hold(forms)


def _may_hold(forms: Iterable[Form]) -> bool:
    rows: dict[Terms, int] = {}
    if not all(_add(rows, form) for form in forms):
        return False
    while rows:
        if len(rows) > MOST:
            return True
        name = _cheapest(rows)
        lower = [(dict(r), c) for r, c in rows.items() if any(n == name and k > 0 for n, k in r)]
        upper = [(dict(r), c) for r, c in rows.items() if any(n == name and k < 0 for n, k in r)]
        rows = {r: c for r, c in rows.items() if all(n != name for n, _ in r)}
        for low, a in lower:
            for high, b in upper:
                p, q = low[name], -high[name]
                form = {n: q * k for n, k in low.items()} | {"": q * a + p * b}
                for n, k in high.items():
                    form[n] = form.get(n, 0) + p * k
                if not _add(rows, form):
                    return False
    return True


def _add(rows: dict[Terms, int], form: Form) -> bool:
    """Add an inequality, divided by what its coefficients share; False: it never holds."""
    terms = sorted((n, c) for n, c in form.items() if n and c)
    constant = form.get("", 0)
    if not terms:
        return constant >= 0
    divisor = math.gcd(*(c for _, c in terms))
    row = tuple((n, c // divisor) for n, c in terms)
    rows[row] = min(constant // divisor, rows.get(row, constant // divisor))
    return True


def _cheapest(rows: Iterable[Terms]) -> str:
    """Return the unknown whose elimination leaves the fewest inequalities."""
    low: dict[str, int] = {}
    high: dict[str, int] = {}
    for row in rows:
        for name, c in row:
            side = low if c > 0 else high
            side[name] = side.get(name, 0) + 1
    names = low.keys() | high.keys()
    return min(names, key=lambda n: (low.get(n, 0) * high.get(n, 0), n))

r"""Tree to LaTeX: what stands between `\[` and `\]`, one line of it for each line of the program.

It prints resolved programs, the trees that `unbuild` makes: every call has its brackets. How a
function is spelled is said by its row. Characters of a program that mean something to LaTeX are
escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loopc.ir import functions, reductions
from loopc.ir.function_row import Function
from loopc.syntax import tree

_ESCAPES = {
    "\\": r"\backslash{}",
    "^": r"\hat{}",
    "~": r"\sim{}",
    **{c: "\\" + c for c in "{}$#%&_"},
}

_MARKS = {
    "\u0300": "grave",
    "\u0301": "acute",
    "\u0302": "hat",
    "\u0303": "tilde",
    "\u0304": "bar",
    "\u0305": "overline",
    "\u0306": "breve",
    "\u0307": "dot",
    "\u0308": "ddot",
    "\u030a": "mathring",
    "\u030c": "check",
    "\u0332": "underline",
    "\u20d7": "vec",
}
"""Combining marks that have a command."""

_LETTERS = """
α alpha β beta γ gamma δ delta ϵ epsilon ε varepsilon ζ zeta η eta θ theta ϑ vartheta ι iota
κ kappa λ lambda μ mu ν nu ξ xi π pi ϖ varpi ρ rho ϱ varrho σ sigma ς varsigma τ tau υ upsilon
ϕ phi φ varphi χ chi ψ psi ω omega
Γ Gamma Δ Delta Θ Theta Λ Lambda Ξ Xi Π Pi Σ Sigma Υ Upsilon Φ Phi Ψ Psi Ω Omega
"""  # noqa: RUF001 - these letters are meant
_GREEK = dict(re.findall(r"(\w) (\w+)", _LETTERS))
"""Letters that have a command."""

_CONSTANTS = {"inf": r"\infty", "pi": r"\pi", "nan": r"\mathrm{nan}"}

_OPS = {
    "=": "=",
    "+=": r"\mathrel{+}=",
    "-=": r"\mathrel{-}=",
    "*=": r"\mathrel{*}=",
    "max=": r"\mathrel{\max}=",
    "min=": r"\mathrel{\min}=",
}
_RELATIONS = {"<": "<", "<=": r"\leq", ">": ">", ">=": r"\geq", "==": "=", "!=": r"\neq"}


def latex_module(module: tree.Module) -> str:
    """Return a program as an `aligned` environment, ending in a newline."""
    lines = [("& " + line) if line else "&" for line in _body(module.body, 0)]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n"


# Statements


def _body(statements: tuple[tree.Statement, ...], depth: int) -> Iterator[str]:
    for number, statement in enumerate(statements):
        if statement.blank and number:
            yield ""
        yield from _statement(statement, depth)


def _statement(statement: tree.Statement, depth: int) -> Iterator[str]:
    margin = r"\quad " * depth
    if not isinstance(statement, tree.For | tree.If):
        yield margin + _simple(statement)
    elif statement.inline:
        (inner,) = _statement(statement.body[0], 0)
        yield rf"{margin}{_head(statement)} \quad {inner}"
    else:
        yield rf"{margin}{_head(statement)}\text{{:}}"
        yield from _body(statement.body, depth + 1)


def _simple(statement: tree.Statement) -> str:
    match statement:
        case tree.Assign(targets, op, value):
            return f"{_listed(targets)} {_OPS[op]} {latex_expr(value)}"
        case tree.Declare(keyword, items):
            return rf"\text{{{keyword} }} {', '.join(_declared(d) for d in items)}"
        case tree.Backward(of, wrt, name):
            text = rf"\text{{backward }} {latex_name(of)}"
            text += rf" \text{{ wrt }} {', '.join(map(latex_name, wrt))}" if wrt else ""
            return text + (rf" \text{{ as }} {latex_name(name)}" if name else "")
        case _:
            raise AssertionError(f"{type(statement).__name__} is resolved before it is printed")


def _head(statement: tree.For | tree.If) -> str:
    if isinstance(statement, tree.If):
        return rf"\text{{if }} {latex_expr(statement.guard)}"
    text = rf"\text{{for }} {_listed(statement.indices)}"
    return text if statement.guard is None else text + _guard(statement.guard)


def _guard(guard: tree.Expr) -> str:
    return rf" \text{{ if }} {latex_expr(guard)}"


def _declared(item: tree.Declared) -> str:
    text = latex_name(item.name)
    text += "" if item.dims is None else f"[{_listed(item.dims)}]"
    text += rf" : \mathrm{{{_escaped(item.dtype)}}}" if item.dtype else ""
    return text + (f" = {latex_expr(item.value)}" if item.value is not None else "")


# Names


def latex_name(name: str) -> str:
    r"""Return a name: one letter stands as it is, with its marks; `.grad` is `.\mathrm{grad}`."""
    stem, *suffixes = name.split(".")
    if not suffixes and stem in _CONSTANTS:
        return _CONSTANTS[stem]
    letters = _letters(stem)
    text = letters[0] if len(letters) == 1 else rf"\mathit{{{_adjacent(letters)}}}"
    return text + "".join(rf".\mathrm{{{_adjacent(_letters(s))}}}" for s in suffixes)


def _letters(name: str) -> list[str]:
    """Return each letter of a name with its marks."""
    found: list[str] = []
    for char in unicodedata.normalize("NFD", name):
        if found and unicodedata.category(char).startswith("M"):
            found[-1] += char
        else:
            found.append(char)
    return [_letter(c[0], c[1:]) for c in found]


def _letter(base: str, marks: str) -> str:
    """Return a letter with its marks; over it the code point of one that has no command."""
    text = "\\" + _GREEK[base] if base in _GREEK else _escaped(base)
    for mark in marks:
        command = _MARKS.get(mark) or rf"overset{{\mathtt{{{ord(mark):X}}}}}"
        text = rf"\{command}{{{text}}}"
    return text


def _adjacent(letters: Iterable[str]) -> str:
    """Join, with a space where a command would run into a letter."""
    text = ""
    for letter in letters:
        text += " " if re.search(r"\\[a-zA-Z]+$", text) and letter[0].isalpha() else ""
        text += letter
    return text


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in text)


# Expressions


def latex_expr(  # noqa: C901 - one case per kind of node
    expr: tree.Expr | tree.Whole | tree.Index,
) -> str:
    """Return an expression in LaTeX."""
    match expr:
        case tree.Number(text):
            return rf"\mathrm{{{text.replace('-', '{-}')}}}" if "e" in text.lower() else text
        case tree.Name(name, primes):
            return latex_name(name) + "'" * primes
        case tree.Whole():
            return "{:}"
        case tree.Index():
            return _index(expr)
        case tree.Bracket(name, items, guard, primes):
            inside = _places(items, guard)
            return f"{latex_name(name)}{chr(39) * primes}_{{{inside}}}"
        case tree.Group(items):
            return rf"\left({_listed(items)}\right)"
        case tree.Chain(operands):
            return _chain(operands)
        case tree.Power(base, exponent):
            return f"{latex_expr(base)}^{{{_bare(exponent)}}}"
        case tree.Compare(first, rest):
            tail = "".join(f" {_RELATIONS[op]} {latex_expr(e)}" for op, e in rest)
            return latex_expr(first) + tail
        case tree.Not(inner):
            return rf"\text{{not }} {latex_expr(inner)}"
        case tree.Logic(op, parts):
            return rf" \text{{ {op} }} ".join(latex_expr(p) for p in parts)


def _listed(items: Iterable[tree.Expr | tree.Whole | tree.Index]) -> str:
    return ", ".join(latex_expr(i) for i in items)


def _places(items: Iterable[tree.Expr | tree.Whole | tree.Index], guard: tree.Expr | None) -> str:
    """Return what stands in square brackets, as a subscript."""
    written = [latex_expr(i) for i in items]
    comma = ", " if any(" " in w for w in written) else ","
    return comma.join(written) + ("" if guard is None else _guard(guard))


def _index(index: tree.Index) -> str:
    if index.bound is None:
        return latex_name(index.name)
    relation = r"\in" if index.relation == "in" else _RELATIONS[index.relation]
    return f"{latex_name(index.name)} {relation} {latex_expr(index.bound)}"


def _bare(expr: tree.Expr) -> str:
    """Return an expression without the brackets that a bar or a raised place makes needless."""
    if isinstance(expr, tree.Group) and len(expr.items) == 1:
        return latex_expr(expr.items[0])
    return latex_expr(expr)


def _chain(operands: tuple[tree.Operand, ...]) -> str:
    """Return a sum, or a product: from the left, what stands before a `/` goes over its bar."""
    if any(o.op in ("+", "-") for o in operands):
        return "".join((f" {o.op} " if o.op else "") + _term(o.expr) for o in operands)
    sign, text, alone, previous = "", "", "", ""
    for number, (first, arguments) in enumerate(_applied(operands)):
        written, bare = _applied_text(first, arguments)
        if number == 0:
            whole = all(o.op not in ("//", "%") for o in operands)
            sign = "-" * first.negations if whole else ""
            text = written if whole else "-" * first.negations + written
            alone = bare if whole else ""
            continue
        text = rf"\left({text}\right)" if previous == "%" else text
        minus = "-" * first.negations
        match first.op:
            case "/":
                over = alone or text
                text = rf"\frac{{{over}}}{{{minus}{written if minus else bare}}}"
            case "//":
                text = rf"\left\lfloor \frac{{{alone or text}}}{{{minus}{written}}} \right\rfloor"
            case "%":
                text = rf"{text} \bmod {minus}{written}"
            case _:
                text += _between(minus + written) + minus + written
        previous, alone = first.op, ""
    return sign + text


def _term(expr: tree.Expr) -> str:
    """Return a term of a sum; a remainder stands in brackets."""
    is_remainder = isinstance(expr, tree.Chain) and expr.operands[-1].op == "%"
    return rf"\left({latex_expr(expr)}\right)" if is_remainder else latex_expr(expr)


def _applied(
    operands: tuple[tree.Operand, ...],
) -> Iterator[tuple[tree.Operand, tree.Expr | None]]:
    """Yield each operand with the arguments that it is applied to."""
    for number, operand in enumerate(operands):
        if operand.op == "()":
            continue
        after = operands[number + 1] if number + 1 < len(operands) else None
        yield operand, after.expr if after is not None and after.op == "()" else None


def _applied_text(first: tree.Operand, arguments: tree.Expr | None) -> tuple[str, str]:
    """Return an operand without its sign, and the same as it may stand over a bar."""
    if arguments is None:
        return latex_expr(first.expr), _bare(first.expr)
    text = _application(first.expr, arguments)
    return text, text


def _between(right: str) -> str:
    """Return what separates two factors: a dot where numbers or signs would run together."""
    return r" \cdot " if re.match(r"\d|-|\\mathrm\{\d", right) else r"\, "


def _application(head: tree.Expr, arguments: tree.Expr) -> str:
    match head:
        case tree.Name(name, primes):
            row = functions.lookup(name)
            items = arguments.items if isinstance(arguments, tree.Group) else ()
            if (
                row is not None
                and "{" in row.latex
                and not primes
                and len(items) == len(row.params)
            ):
                values = (latex_expr(i) for i in items)
                return _filled(row.latex, dict(zip(row.params, values, strict=True)))
            return _operator(row, name) + "'" * primes + latex_expr(arguments)
        case tree.Bracket(name, items, guard):
            inside = _places(items, guard)
            return f"{_operator(reductions.lookup(name), name)}_{{{inside}}}{latex_expr(arguments)}"
        case _:
            return latex_expr(head) + latex_expr(arguments)


def _operator(row: Function | reductions.Reduction | None, name: str) -> str:
    """Return what a function is called by: its row's command, else its name upright."""
    if row is not None and row.latex and "{" not in row.latex:
        return row.latex
    return rf"\operatorname{{{_escaped(name if row is None else row.name)}}}"


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """Put arguments into a template, in one go: they may hold `{x}` themselves."""
    return re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], m[0]), template)

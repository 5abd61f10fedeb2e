"""Random expressions: accesses, arithmetic, reductions, conditions."""

from __future__ import annotations

from .sketch import INDICES, LIMIT, MOST, Bound, Known, Scope, Sketch, Term

SMALL = 9
"""What results are clipped to."""


def subscript(sketch: Sketch, dim: str, scope: Scope, side: str = "read") -> str:
    """Return a subscript of an axis of extent `dim`: inside for every value of the indices."""
    size = sketch.sizes[dim]
    options: dict[str, list[str]] = {}
    for name, bound in scope.items():
        if bound.dim == dim:
            _own(options, name, bound)
        else:
            options.setdefault("other_padded", []).append(f"pad(2*{name}-1)")
            if size and side == "read":
                options.setdefault("other_clamped", []).append(f"clamp({name})")
                options.setdefault("other_mod", []).append(f"{name} % {dim}")
    own = [n for n, b in scope.items() if b.dim == dim]
    if size and side == "read":
        others = [n for n in scope if n not in own]
        if own and others:
            options["two_indices"] = [f"wrap({own[0]}+{others[0]})", f"clamp({own[0]}-{others[0]})"]
        options["constant"] = [str(sketch.rng.randrange(size)), f"{dim} - 1", "clamp(-1)"]
        if dim == "N":
            options["best"] = ["argmax[a < N](p{0}[a])", "argmin[a < N](p{0}[a])"]
            options["best"] = [o.format(dim) for o in options["best"]]
    if size and side == "write":
        options["constant"] = [str(sketch.rng.randrange(size)), f"{dim} - 1"]
    if not options:
        options["pad"] = ["pad(0)"]
    weights = {n: 12 if n == "alone" else 2 for n in options}
    kind = sketch.some(f"{side}:", **weights)
    return sketch.pick(*options[kind])


def _own(options: dict[str, list[str]], name: str, bound: Bound) -> None:
    """Collect what an index that runs over the dim itself may stand in."""
    dim, low, high = bound.dim, bound.low, bound.high
    add = options.setdefault
    add("alone", []).append(name)
    add("flipped", []).append(f"{dim} - 1 - {name}")
    add("clamp", []).extend([f"clamp({name}-1)", f"clamp(2*{name})", f"clamp(1-{name})"])
    add("pad", []).extend([f"pad({name}+1)", f"pad({name}-2)", f"pad(2*{name}-1)"])
    add("wrap", []).extend([f"wrap({name}+2)", f"wrap(-{name})", f"wrap(3*{name}-4)"])
    add("reflect", []).extend([f"reflect({name}-1)", f"reflect({name}+1)"])
    add("gathered", []).extend([f"p{dim}[{name}]", f"p{dim}[{dim}-1-{name}]"])
    add("gathered_twice", []).append(f"p{dim}[p{dim}[{name}]]")
    add("gathered_shifted", []).extend([f"clamp(p{dim}[{name}]+1)", f"pad(p{dim}[{name}]-1)"])
    add("quasi_affine", []).extend(
        [
            f"{name} // 2",
            f"{name} - {name} % 2",
            f"(3*{name}+1) % {dim}",
            f"{dim} - 1 - {name} // 2",
        ]
    )
    if low:
        add("shifted", []).append(f"{name} - {low}")
    if high:
        add("shifted", []).append(f"{name} + {high}")


def access(sketch: Sketch, scope: Scope) -> Term:
    names = [
        n for n in sketch.arrays if not any(sketch.sizes[d] == 0 for d in sketch.arrays[n].dims)
    ]
    if sketch.chance(15):
        names = list(sketch.arrays)
    if not names:
        return Term("2", 2)
    name = sketch.pick(*names, names[-1])
    known = sketch.arrays[name]
    sketch.note(f"kind:{known.kind}")
    at = [subscript(sketch, d, scope) for d in known.dims]
    diagonal = [d for d in known.dims if known.dims.count(d) > 1]
    if diagonal:
        sketch.note("read:diagonal_shape")
    return Term(f"{name}[{','.join(at)}]" if at else name, known.size)


def leaf(sketch: Sketch, scope: Scope) -> Term:
    kind = sketch.some("leaf:", access=6, number=1, index=1 if scope else 0, extent=1)
    if kind == "access":
        return access(sketch, scope)
    if kind == "index":
        return Term(sketch.pick(*scope), MOST)
    if kind == "extent":
        return Term(sketch.pick("N", "M", "K"), MOST)
    if sketch.smooth and sketch.chance(50):
        return Term(sketch.pick("0.5", "1.25", "pi"), 4)
    return Term(sketch.pick("2", "3", "1", "0"), 3)


def capped(sketch: Sketch, term: Term, limit: int = LIMIT) -> Term:
    """Return a term no larger than a limit."""
    if term.size <= limit:
        return term
    if sketch.smooth:
        return Term(f"(3 tanh(0.3 * {term.text}))", 3)
    small = min(limit, SMALL)
    return Term(f"clip({term.text}, -{small}, {small})", small)


KINDS = {
    "leaf": 3, "add": 2, "sub": 2, "mul": 3, "best": 1, "where": 1, "compare": 1, "neg": 1,
    "reduction": 2, "whole": 1, "logic": 1, "clip": 1, "running": 1, "unary": 1, "power": 1,
    "guarded": 1, "three": 1, "half": 1,
}  # fmt: skip


TAME = {n: 0 if n in ("mul", "three") else w for n, w in KINDS.items()}
"""Without products: a sum of them may be factored, which infinities can tell."""


def expression(sketch: Sketch, scope: Scope, depth: int = 2) -> Term:
    if depth <= 0:
        return leaf(sketch, scope)
    kind = sketch.some("expr:", **(TAME if sketch.wild else KINDS))
    if kind == "leaf":
        return leaf(sketch, scope)
    if kind == "reduction":
        return reduction(sketch, scope, depth)
    if kind == "running":
        return running(sketch, scope)
    if kind == "guarded":
        return guarded(sketch, scope)
    a = expression(sketch, scope, depth - 1)
    if kind in ("neg", "whole", "clip", "unary", "power", "half"):
        return _of_one(sketch, kind, a)
    b = expression(sketch, scope, depth - 1)
    if kind in ("add", "sub"):
        sign = "+" if kind == "add" else "-"
        return capped(sketch, Term(f"({a.text} {sign} {b.text})", a.size + b.size))
    if kind == "mul":
        sign = sketch.pick("*", " ", "*")
        text = f"({a.text} * {b.text})" if sign == "*" else f"(({a.text}) ({b.text}))"
        return capped(sketch, Term(text, a.size * b.size))
    if kind == "best":
        return Term(f"{sketch.pick('max', 'min')}({a.text}, {b.text})", max(a.size, b.size))
    if kind == "compare":
        return Term(f"({a.text} {sketch.pick('<', '<=', '==', '!=', '>=')} {b.text})", 1)
    if kind == "logic":
        word = sketch.pick("and", "or")
        return Term(f"({a.text} < 1 {word} not {b.text} > 0)", 1)
    c = leaf(sketch, scope)
    if kind == "three":
        name = sketch.pick("add", "max", "mul")
        if name == "max":
            return Term(f"max({a.text}, {b.text}, {c.text})", max(a.size, b.size, c.size))
        if name == "add":
            return capped(
                sketch, Term(f"({a.text} + {b.text} + {c.text})", a.size + b.size + c.size)
            )
        return capped(sketch, Term(f"({a.text} * {b.text} * {c.text})", a.size * b.size * c.size))
    test = condition(sketch, scope) if sketch.chance(40) else f"{a.text} < {b.text}"
    return Term(f"where({test}, {c.text}, {a.text})", max(a.size, c.size))


SMOOTH = (
    ("sin({})", 1), ("cos({})", 1), ("tanh({})", 1), ("σ({})", 1), ("exp(min({}, 2))", 8),
    ("log1p({0} * {0})", 9), ("sqrt(1 + {0} * {0})", 0), ("softplus({})", 0), ("erf({})", 1),
    ("(1 / (1 + {0} * {0}))", 1), ("atan({})", 2), ("gelu({})", 0), ("silu({})", 0),
    ("logaddexp({}, 0.5)", 0), ("hypot({}, 1.5)", 0), ("expm1(min({}, 1))", 3),
    ("ln(2 + {0} * {0})", 9), ("tan(0.3 * tanh({}))", 1), ("asin(0.9 * sin({}))", 2),
    ("acos(0.9 * cos({}))", 4), ("sinh(tanh({}))", 2), ("cosh(clip({}, -2, 2))", 4),
    ("erfc({})", 2), ("lgamma(2.5 + tanh({}))", 2), ("digamma(2.5 + tanh({}))", 2),
    ("atan2({}, 1.5)", 2), ("(1.5 + tanh({}))**0.7", 2), ("2**sin({})", 2), ("pow(2 + cos({}), 1.5)", 6),
    ("(1 / (2.5 - sin({})))", 1), ("abs(sin({}))", 1), ("tanh'({})", 1), ("σ''({})", 1), ("erf'({})", 2),
    ("gelu'({})", 2), ("(0.7 % (2 + sin({})))", 3), ("hypot(sin({0}), cos(2 * {0}))", 2),
    ("logaddexp({0}, sin({0}))", 0), ("atan2(sin({0}), 1.5 + cos({0}))", 2), ("({0} / (2 + cos({0})))", 0),
)  # fmt: skip


def _of_one(sketch: Sketch, kind: str, a: Term) -> Term:
    if kind == "neg":
        return Term(f"(-{a.text})", a.size)
    if kind == "clip":
        return Term(f"clip({a.text}, -2, {sketch.pick('1', '3')})", 3)
    if kind == "power":
        n = sketch.rng.choice((0, 1, 2, 2, 3))
        return capped(sketch, Term(f"(({a.text})**{n})", max(1, a.size**n)))
    if sketch.smooth and kind in ("half", "unary", "whole"):
        text, size = SMOOTH[sketch.rng.randrange(len(SMOOTH))]
        return Term(text.format(a.text), size or a.size + 2)
    if kind == "half":
        return Term(f"floor({a.text} / {sketch.pick('2', '4')})", a.size)
    if kind == "whole":
        form = sketch.pick(
            "({} // 2)", "({} % 3)", "ceil({} / 2)", "sign({})", "({} % 4)", "round({})"
        )
        return Term(form.format(a.text), max(a.size, 4))
    names = ["relu", "abs", "relu", "stopgrad"]
    if not sketch.gradient:
        names += ["relu'", "abs'", "+"]
    return Term(f"{sketch.pick(*names)}({a.text})", max(a.size, 1))


def guarded(sketch: Sketch, scope: Scope) -> Term:
    """A read that is inside its array only where it is made: `where`, `and` and `or` are lazy."""
    for name, bound in scope.items():
        arrays = [n for n, k in sketch.arrays.items() if k.dims == (bound.dim,)]
        if not arrays:
            continue
        array = sketch.pick(*arrays)
        size = sketch.arrays[array].size
        other = leaf(sketch, scope)
        form = sketch.some("lazy:", where=2, other_branch=1, conjunction=1, disjunction=1, data=1)
        if form == "where":
            return Term(
                f"where({name} >= 1, {array}[{name}-1], {other.text})", max(size, other.size)
            )
        if form == "other_branch":
            text = f"where({name} == {bound.dim} - 1, {other.text}, {array}[{name}+1])"
            return Term(text, max(size, other.size))
        if form == "conjunction":
            return Term(f"({name} > 0 and {array}[{name}-1] > 0)", 1)
        if form == "disjunction":
            return Term(f"({name} < 1 or {array}[{name}-1] > 0)", 1)
        at = f"q{bound.dim}[{name}]"
        text = f"where({at} >= 0 and {at} < {bound.dim}, {array}[{at}], {other.text})"
        return Term(text, max(size, other.size))
    return leaf(sketch, scope)


def inner_range(sketch: Sketch, index: str, scope: Scope) -> tuple[str, Bound]:
    """Return the range of one more index, and what it bounds."""
    dim = INDICES[index]
    outer = list(scope)
    same = [o for o in outer if scope[o].dim == dim]
    kind = sketch.some(
        "range:", whole=6, upto=1, narrowed=1, short=1, stepped=1, reversed=1,
        reversed_step=1, ragged=1 if outer else 0, follows=2 if outer else 0,
        triangle=3 if same else 0, follows_step=1 if outer else 0,
    )  # fmt: skip
    if kind == "upto":
        return f"{index} <= {dim} - 1", Bound(dim)
    if kind == "narrowed":
        return f"{index} in range(1, {dim})", Bound(dim, 1)
    if kind == "short":
        return f"{index} < {dim} - 1", Bound(dim, 0, 1)
    if kind == "stepped":
        step = sketch.pick("2", "2", "3", "3", "M + 1", "K + N + 1")
        text = f"range({sketch.pick('0', '1')}, {dim}, {step})"
        if sketch.chance(10):
            text = f"range({dim} - 1, -1, -M - 1)"
        return f"{index} in {text}", Bound(dim)
    if kind == "reversed":
        return f"{index} in reversed(range({dim}))", Bound(dim)
    if kind == "reversed_step":
        return f"{index} in reversed(range(0, {dim}, 2))", Bound(dim)
    if kind == "triangle":
        o = sketch.pick(*same)
        text = sketch.pick(
            f"{index} <= {o}", f"{index} < {o}", f"{index} in range({o}, {dim})",
            f"{index} in range({o} + 1, {dim})", f"{index} in range({o}, min({o} + 2, {dim}))",
            f"{index} in reversed(range({o}))", f"{index} in range({o} % 2, {dim}, 2)",
        )  # fmt: skip
        return text, Bound(dim)
    if kind == "ragged":
        o = sketch.pick(*outer)
        at = f"p{scope[o].dim}[{o}]"
        text = sketch.pick(
            f"{index} in range(min({at}, {dim}), min(2*{at}+1, {dim}))",
            f"{index} < min({at}, {dim})",
        )
        return text, Bound(dim)
    if kind == "follows":
        o = sketch.pick(*outer)
        text = sketch.pick(
            f"{index} < min({dim}, {o} + 1)", f"{index} in range(min({o}, {dim}), {dim})",
            f"{index} in range(max(0, {o} - 1), min({dim}, {o} + 2))",
        )  # fmt: skip
        return text, Bound(dim)
    if kind == "follows_step":
        step = sketch.pick("2", "2", f"{sketch.pick(*outer)} + 1")
        return f"{index} in range({sketch.pick(*outer)}, {dim}, {step})", Bound(dim)
    return f"{index} < {dim}", Bound(dim)


def left(scope: Scope) -> list[str]:
    """Return the index names that are free."""
    return [i for i in INDICES if i not in scope]


def reduction(sketch: Sketch, scope: Scope, depth: int = 2) -> Term:
    free = left(scope)
    if not free or len(scope) > 4:
        return leaf(sketch, scope)
    count = min(len(free), sketch.rng.choice((1, 1, 1, 2)))
    ranges, inside = [], dict(scope)
    for index in sketch.rng.sample(free, count):
        text, inside[index] = inner_range(sketch, index, inside)
        ranges.append(text)
    guard = f" if {condition(sketch, inside)}" if sketch.chance(35) else ""
    body = expression(sketch, inside, min(depth - 1, 1))
    ops = {"sum": 5, "prod": 1, "max": 2, "min": 2, "any": 1, "all": 1}
    if sketch.smooth:
        ops |= {"mean": 1, "logsumexp": 2}
    if sketch.wild:
        ops["prod"] = 0
    if count == 1 and not guard and _is_full(sketch, ranges[0]):
        ops |= {"argmax": 1, "argmin": 1}
    op = sketch.some("reduce:", **ops)
    head = f"{op}[{', '.join(ranges)}{guard}]"
    if op == "prod":
        return Term(f"{head}(clip({body.text}, -1, 2))", 2 ** (MOST**count))
    call = f"{head}({body.text})"
    if op == "sum":
        return capped(sketch, Term(call, body.size * MOST**count))
    if op in ("any", "all"):
        return Term(call, 1)
    if op in ("argmax", "argmin"):
        return Term(call, MOST)
    if op in ("mean", "logsumexp") or (sketch.wild and sketch.chance(50)):
        return Term(f"clip({call}, -9, 9)" if op != "mean" else call, max(SMALL, body.size))
    return Term(f"max(-9, min(9, {call}))", SMALL)


def _is_full(sketch: Sketch, span: str) -> bool:
    """Whether a range is all of a dim that has cells."""
    index, _, dim = span.partition(" < ")
    return sketch.sizes.get(dim, 0) > 0 and INDICES[index] == dim


def running(sketch: Sketch, scope: Scope) -> Term:
    """A reduction that has a value at each point of a loop."""
    own = [n for n in scope if n in INDICES]
    if not own:
        return leaf(sketch, scope)
    index = sketch.pick(*own)
    dim = scope[index].dim
    others = {n: b for n, b in scope.items() if n != index}
    span = f"{index} < {dim}"
    if sketch.chance(25):
        span = sketch.pick(
            f"{index} in range(1, {dim})",
            f"{index} in reversed(range({dim}))",
            f"{index} in range(0, {dim}, 2)",
            f"{index} < {dim} - 1",
            f"{index} in reversed(range(1, {dim}, 2))",
        )
        sketch.note("running:part")
    op = sketch.some(
        "running:",
        cumsum=3,
        cummax=1,
        cummin=1,
        cumprod=1,
        **({"softmax": 2, "logsoftmax": 1} if sketch.smooth else {}),
    )
    inside = {**others, index: Bound(dim)}
    if len(own) > 1 and sketch.chance(0 if sketch.gradient else 15):
        other = sketch.pick(*(n for n in own if n != index))
        inside[other] = Bound(scope[other].dim)
        span = f"{span}, {other} < {scope[other].dim}"
        sketch.note("running:two")
    body = expression(sketch, inside, 1)
    guard = f" if {condition(sketch, inside)}" if sketch.chance(20) else ""
    if op in ("softmax", "logsoftmax"):
        guard = guard if op == "softmax" else ""
        return Term(f"{op}[{span}{guard}]({body.text})", 9)
    if op == "cumprod":
        two = "" if "," in span else "2"  # the product of many is no larger
        return Term(f"cumprod[{span}{guard}](clip({body.text}, -1, {two or 1}))", 2**MOST)
    if op in ("cummax", "cummin"):
        return Term(f"max(-9, min(9, {op}[{span}{guard}]({body.text})))", SMALL)
    return capped(sketch, Term(f"cumsum[{span}{guard}]({body.text})", body.size * MOST**2))


def condition(sketch: Sketch, scope: Scope) -> str:
    """Return a condition, brackets left out."""
    a, b = leaf(sketch, scope), leaf(sketch, scope)
    names = list(scope)
    form = sketch.some(
        "if:",
        compare=3,
        index=3 if names else 0,
        two_indices=3 if len(names) > 1 else 0,
        word=1,
        chained=1,
    )
    if form == "index":
        name = sketch.pick(*names)
        dim = scope[name].dim
        first = sketch.pick(
            f"{name} > 0", f"{name} < {dim} - 1", f"{name} % 2 == 0", f"{name} == 1", f"{name} >= 1",
            f"2 * {name} < {dim}", f"{name} != 0",
        )  # fmt: skip
    elif form == "two_indices":
        x, y = sketch.rng.sample(names, 2)
        first = f"{x} {sketch.pick('<', '<=', '==', '!=', '>', '>=')} {y}"
    elif form == "chained":
        first = f"{sketch.pick('-1', '0', '1')} {sketch.pick('<', '<=')} {a.text} {sketch.pick('<', '<=', '!=')} {b.text}"
    elif form == "word":
        first = f"not {a.text} < {b.text}"
    else:
        first = f"{a.text} {sketch.pick('<', '<=', '==', '!=', '>')} {b.text}"
    if sketch.chance(25):
        c = leaf(sketch, scope)
        word = sketch.some("word:", **{"and": 1, "or": 1})
        return f"{first} {word} {sketch.pick('not ', '')}{c.text} < {sketch.pick('0', '1', '2')}"
    return first


def known(sketch: Sketch, dims: tuple[str, ...]) -> list[str]:
    """Return the arrays of a shape."""
    return [n for n, k in sketch.arrays.items() if k.dims == dims]


__all__ = [
    "Known",
    "access",
    "capped",
    "condition",
    "expression",
    "inner_range",
    "leaf",
    "reduction",
]

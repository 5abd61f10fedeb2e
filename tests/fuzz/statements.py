"""Random statements: updates, blocks, recurrences, calls, gradients."""

from __future__ import annotations

from .complexes import complex_numbers
from .expressions import capped, condition, expression, inner_range, known, leaf, subscript
from .nests import nest
from .pipes import pipe
from .places import placed
from .shapes import shape
from .sketch import INDICES, LIMIT, MOST, Bound, Scope, Sketch, Term, cell, index_of
from .sweeps import sweep

FREE = ("i", "j", "k", "a", "b", "c")


def loops(sketch: Sketch, count: int) -> tuple[list[str], Scope]:
    """Return the ranges of nested loops, and their scope."""
    names = sketch.rng.sample(FREE, count)
    ranges: list[str] = []
    scope: Scope = {}
    for name in names:
        text, bound = f"{name} < {INDICES[name]}", Bound(INDICES[name])
        if sketch.chance(35):
            text, bound = inner_range(sketch, name, scope)
        ranges.append(text)
        scope[name] = bound
    return ranges, scope


def mentions(target: list[str], name: str) -> bool:
    """Whether a subscript moves with an index."""
    words = "".join(ch if ch.isalnum() else " " for ch in ",".join(target)).split()
    return name in words


def update(sketch: Sketch) -> None:
    """A loop that writes a new array, or one again, or an input."""
    count = sketch.rng.choices((0, 1, 2, 3), (1, 4, 5, 2))[0]
    ranges, scope = loops(sketch, count)
    again = [n for n in sketch.written if n not in sketch.complexes]
    where = sketch.some("target:", new=5, again=3 if again else 0, scattered=2, input=1)
    if where in ("again", "input"):
        names = (
            again
            if where == "again"
            else [n for n, k in sketch.inputs.items() if k.kind == "float"]
        )
        if not names:
            return
        name = sketch.pick(*names)
        dims = sketch.arrays[name].dims if where == "input" else sketch.written[name]
        if any(sketch.sizes[d] == 0 for d in dims) and sketch.chance(70):
            return
        target = [subscript(sketch, d, scope, "write") for d in dims]
    else:
        name = sketch.fresh()
        chosen = [n for n in scope if sketch.chance(75)][:3]
        sketch.rng.shuffle(chosen)
        dims = tuple(scope[n].dim for n in chosen)
        target = list(chosen)
        if where == "scattered":
            target = [subscript(sketch, scope[n].dim, scope, "write") for n in chosen]
        sketch.declare(name, dims)
    if where == "input":
        sketch.written.setdefault(name, dims)
    write(sketch, ranges, scope, name, dims, target)


def write(
    sketch: Sketch, ranges: list[str], scope: Scope, name: str, dims: tuple[str, ...],
    target: list[str],
) -> None:  # fmt: skip
    op = sketch.pick("=", "=", "+=", "+=", "+=", "-=", "max=", "min=", "*=")
    value = expression(sketch, scope)
    if op == "=" and not all(mentions(target, n) for n in scope):
        op = "+="
    sketch.note(f"op:{op}")
    points = MOST ** len(scope)
    old = sketch.arrays[name].size if name in sketch.arrays else 1
    first = name not in sketch.arrays
    if op == "*=":
        value = Term(f"clip({value.text}, -1, 1)", 1)
        size = old
    elif op in ("+=", "-="):
        value = capped(sketch, value, LIMIT // points // 2)
        size = old + value.size * points
    else:
        size = max(old, value.size)
    unbounded = op in ("max=", "min=") and first and (sketch.wild or sketch.chance(50))
    if op in ("max=", "min=") and first and not unbounded:
        start(sketch, name, dims)
    if size > LIMIT:
        size = LIMIT
    head, tail = header(sketch, ranges, scope)
    access = cell(name, target)
    sketch.lines.append(f"{head}{access} {op} {value.text}{tail}")
    if unbounded or size >= LIMIT:
        bounded(sketch, name, dims)
        size = 9
    sketch.holds(name, dims, size)


def bounded(sketch: Sketch, name: str, dims: tuple[str, ...]) -> None:
    """Clip an array where it stands."""
    names = [f"{n}" for n in FREE][: len(dims)]
    ranges = ", ".join(f"{n} < {d}" for n, d in zip(names, dims, strict=True))
    head = f"for {ranges}: " if ranges else ""
    here = cell(name, names)
    sketch.lines.append(f"{head}{here} = clip({here}, -9, 9)")


def start(sketch: Sketch, name: str, dims: tuple[str, ...]) -> None:
    """An assignment, so that nothing infinite is left."""
    names = list(FREE[: len(dims)])
    ranges = ", ".join(f"{n} < {d}" for n, d in zip(names, dims, strict=True))
    head = f"for {ranges}: " if ranges else ""
    sketch.lines.append(f"{head}{cell(name, names)} = 1")


def header(sketch: Sketch, ranges: list[str], scope: Scope) -> tuple[str, str]:
    """Return what stands before and after an update in one of the forms that mean the same loops."""
    guard = f" if {condition(sketch, scope)}" if sketch.chance(35) else ""
    if not ranges:
        return (f"if {guard[4:]}: ", "") if guard else ("", "")
    form = sketch.some(
        "header:", line=6, nested=1, if_block=1 if guard else 0, split=1 if len(ranges) > 1 else 0
    )
    if form == "nested":
        text = "".join(f"{'    ' * n}for {r}:\n" for n, r in enumerate(ranges))
        last = "    " * len(ranges)
        return (f"{text}{last}{guard[1:]}: " if guard else f"{text}{last}"), ""
    if form == "if_block":
        return f"for {', '.join(ranges)}:\n    {guard[1:]}:\n        ", ""
    if form == "split":
        inner = ", ".join(ranges[1:])
        return f"for {ranges[0]}:\n    for {inner}{guard}: ", ""
    return f"for {', '.join(ranges)}{guard}: ", ""


def recurrence(sketch: Sketch) -> None:
    """A dependence from one iteration to the next."""
    name = sketch.fresh()
    step, at = sketch.rng.choice((
        ("t in range(1, N)", "t-1"), ("t in range(2, N)", "t-2"),
        ("t in reversed(range(1, N))", "t-1"), ("t in reversed(range(N-1))", "t+1"),
        ("t < N", "clamp(t-1)"), ("t < N", "wrap(t-1)"), ("t in range(1, N, 2)", "t-1"),
        ("t < N", "pad(t-1)"), ("t < N", "pN[t]"),
    ))  # fmt: skip
    inner = sketch.chance(50)
    dims = ("N", "M") if inner else ("N",)
    tail = ",j" if inner else ""
    scope: Scope = {"t": Bound("N")} | ({"j": Bound("M")} if inner else {})
    sketch.declare(name, dims)
    if sketch.chance(50):
        start(sketch, name, dims)
    value = capped(sketch, expression(sketch, scope, 1), 9)
    sign = sketch.pick("+", "-")
    previous = f"{name}[{at}{tail}]"
    if inner:
        form = sketch.some("state:", own=3, folded=2, neighbour=2, mixed=1)
        if form == "folded":
            op = sketch.pick("max", "min", "sum")
            previous = f"clip({op}[b < M]({name}[{at},b] * {sketch.pick('j', '1', 'b')}), -9, 9)"
        elif form == "neighbour":
            previous = f"{name}[{at},{sketch.pick('clamp(j-1)', 'pad(j+1)', 'M-1-j', 'pM[j]')}]"
        elif form == "mixed":
            previous = f"max({previous}, {name}[{at},clamp(j+1)])"
    form = sketch.some("recurrence:", line=2, block=2, guarded=1, scalar=1, two=1, update=1)
    here = f"{name}[t{tail}]"
    head = f"for {step}{', j < M' if inner else ''}"
    if form == "line":
        text = sketch.pick(
            f"min(9, {previous} {sign} {value.text})", f"{previous} {sign} {value.text}"
        )
        sketch.lines.append(f"{head}: {here} = {text}")
    elif form == "update":
        op = sketch.pick("+=", "-=", "max=")
        sketch.lines.append(f"{head}: {here} {op} clip({previous} {sign} {value.text}, -9, 9)")
    elif form == "guarded":
        guard = f"{previous} < {sketch.pick('1', '2', value.text)}"
        sketch.lines.append(
            f"{head} if {guard}: {here} = min(9, {previous} {sign} {value.text} + 1)"
        )
    elif form == "scalar":
        state = sketch.fresh()
        sketch.declare(state, ())
        sketch.lines.append(f"{state} = {sketch.pick('0', '1')}")
        sketch.lines.append(
            f"{head}:\n    {state} = clip({state} {sign} {value.text}, -9, 9)\n    {here} = {state}"
        )
        sketch.holds(state, (), 9)
    elif form == "two":
        other = sketch.fresh()
        sketch.declare(other, dims)
        sketch.lines.append(
            f"{head}:\n"
            f"    {other}[t{tail}] = clip({previous} {sign} {value.text}, -9, 9)\n"
            f"    {here} = clip({other}[{at}{tail}] - {previous} + {other}[t{tail}], -9, 9)"
        )
        sketch.holds(other, dims, 9)
    else:
        other = sketch.fresh()
        sketch.declare(other, dims)
        sketch.lines.append(
            f"{head}:\n"
            f"    {other}[t{tail}] = {value.text} {sign} t\n"
            f"    {here} = max(-9, min(9, {previous} + {other}[t{tail}]))"
        )
        sketch.holds(other, dims, 13)
    sketch.holds(name, dims, 90)


def block(sketch: Sketch) -> None:
    """A loop round several statements, with a scalar or a row that each iteration makes anew."""
    ranges, scope = loops(sketch, sketch.rng.choice((1, 1, 2)))
    names = list(scope)
    dims = tuple(scope[n].dim for n in names)
    own, result = sketch.fresh(), sketch.fresh()
    free = [n for n in FREE if n not in scope]
    form = sketch.some("block:", scalar=2, partly=1, inner_loop=2, guard=2, row=2, sum=1, mixed=1)
    here = cell(result, names)
    head = (
        f"for {', '.join(ranges)}{f' if {condition(sketch, scope)}' if sketch.chance(20) else ''}:"
    )
    first = capped(sketch, expression(sketch, scope, 1), 99)
    sketch.declare(result, dims)
    if form == "partly":  # the row of the last iteration is used by the next
        sketch.declare(own, dims[:1])
        sketch.lines.append(
            f"{head}\n    {own}[{names[0]}] = max(-3, min(3, {first.text}))\n"
            f"    {here} = {own}[clamp({names[0]}-1)] + {own}[{names[0]}]"
        )
        sketch.holds(own, dims[:1], 3)
    elif form == "inner_loop":
        inner = sketch.pick(*free)
        span, bound = inner_range(sketch, inner, scope)
        value = expression(sketch, {**scope, inner: bound}, 1)
        sketch.declare(own, ())
        op = sketch.pick("+=", "-=", "max=")
        sketch.lines.append(
            f"{head}\n    {own} = {first.text}\n"
            f"    for {span}: {own} {op} clip({value.text}, -2, 2)\n"
            f"    {here} = {own} + 1"
        )
        sketch.holds(own, (), 200)
    elif form == "row":
        inner = sketch.pick(*free)
        dim = INDICES[inner]
        sketch.declare(own, (dim,))
        inside = {**scope, inner: Bound(dim)}
        value = capped(sketch, expression(sketch, inside, 1), 99)
        last = sketch.pick("sum", "max", "min")
        wrap = f"{last}[{inner} < {dim}]({own}[{inner}])"
        sketch.lines.append(
            f"{head}\n    for {inner} < {dim}: {own}[{inner}] = {value.text}\n"
            f"    {here} = {wrap if last == 'sum' else f'clip({wrap}, -9, 9)'}"
        )
        sketch.holds(own, (dim,), 99)
    elif form == "guard":
        sketch.lines.append(
            f"{head}\n    {here} = {first.text}\n"
            f"    if {condition(sketch, scope)}: {here} += {capped(sketch, expression(sketch, scope, 1), 99).text}"
        )
    elif form == "sum":
        total = sketch.fresh()
        sketch.declare(total, ())
        sketch.lines.append(f"{head}\n    {here} = {first.text}\n    {total} += {here}")
        sketch.holds(total, (), 2000)
    elif form == "mixed":  # two statements of which the second reads the first's neighbours
        sketch.declare(own, dims)
        at = [sketch.pick(f"clamp({n}-1)", n, f"clamp({n}+1)") for n in names]
        sketch.lines.append(
            f"{head}\n    {cell(own, names)} = {first.text}\n"
            f"    if {condition(sketch, scope)}:\n"
            f"        {here} = {cell(own, at)} + {leaf(sketch, scope).text}\n"
            f"        {here} -= {cell(own, names)}"
        )
        sketch.holds(own, dims, 99)
    else:
        sketch.declare(own, ())
        sketch.lines.append(f"{head}\n    {own} = {first.text}\n    {here} = {own} + {own}")
        sketch.holds(own, (), 99)
    sketch.holds(result, dims, 500)


def in_place(sketch: Sketch) -> None:
    """An array changed where it stands, by its own neighbours."""
    name = sketch.fresh()
    two = sketch.chance(30)
    dims = ("N", "N") if two else ("N",)
    names = ["i", "a"][: len(dims)]
    scope: Scope = {n: Bound("N") for n in names}
    sketch.declare(name, dims)
    first = expression(sketch, scope, 1)
    steps = {
        "shifted": ["clamp(i-1)", "clamp(i+1)", "wrap(i+1)", "pad(i-1)"], "mirrored": ["N-1-i"],
        "gathered_self": ["pN[i]"], "own": ["i"],
    }  # fmt: skip
    step = sketch.some("in_place:", shifted=3, mirrored=1, gathered_self=1, own=1, summed=1)
    order = sketch.pick(
        "i < N", "i in reversed(range(N))", "i in range(0, N, 2)", "i in range(1, N)"
    )
    op = sketch.pick("=", "=", "+=", "max=", "-=", "*=")
    ranges = ", ".join(f"{n} < N" for n in names)
    sketch.lines.append(f"for {ranges}: {cell(name, names)} = clip({first.text}, -4, 4)")
    if step == "summed":
        inner = "sum[b in range(0, min(M, N))]({}[{}])".format(name, "b" if not two else "i,b")
        value = f"clip({inner} - i, -5, 5)"
    else:
        at = sketch.pick(*steps[step])
        other = [at] if not two else [at, sketch.pick("a", "clamp(a-1)", "i")]
        value = f"clip({cell(name, other)} + i, -5, 5)"
    if op == "*=":
        value = f"clip({value}, -1, 2)"
    guard = f" if {condition(sketch, scope)}" if sketch.chance(25) else ""
    head = order if not two else f"{order}, a < N"
    sketch.lines.append(f"for {head}{guard}: {cell(name, names)} {op} {value}")
    sketch.holds(name, dims, 100)


def triangle(sketch: Sketch) -> None:
    """Triangular loops over a square, as in factorisations and substitutions."""
    name = sketch.fresh()
    form = sketch.some("triangle:", solve=1, lower=1, floyd=1, lu=1, band=1)
    square = known(sketch, ("N", "N"))
    matrix = sketch.pick(*square) if square else ""
    scope: Scope = {"i": Bound("N"), "a": Bound("N")}
    entry = (
        f"clip({matrix}[i,a], -1, 1)"
        if matrix
        else f"clip({expression(sketch, scope, 1).text}, -1, 1)"
    )
    if form == "solve":
        sketch.declare(name, ("N",))
        first = capped(sketch, leaf(sketch, {"i": Bound("N")}), 9).text
        order = sketch.pick("i < N", "i in reversed(range(N))")
        span = "a < i" if order == "i < N" else "a in range(i + 1, N)"
        sketch.lines.append(
            f"for {order}:\n    {name}[i] = {first}\n    for {span}: {name}[i] -= {entry} {name}[a]"
        )
        sketch.holds(name, ("N",), 200)
        return
    sketch.declare(name, ("N", "N"))
    if form == "lower":
        span = sketch.pick("a <= i", "a < i", "a in range(i, N)")
        op = sketch.pick("=", "+=", "max=")
        sketch.lines.append(f"for i < N, a < N: {name}[i,a] = 1")
        sketch.lines.append(f"for i < N, {span}: {name}[{sketch.pick('i,a', 'a,i')}] {op} {entry}")
        sketch.holds(name, ("N", "N"), 9)
    elif form == "floyd":
        sketch.lines.append(f"for i < N, a < N: {name}[i,a] = {entry}")
        sketch.lines.append(
            f"for s < N, i < N, a < N: {name}[i,a] {sketch.pick('min=', 'max=')} "
            f"clip({name}[i,s] + {name}[s,a], -9, 9)"
        )
        sketch.holds(name, ("N", "N"), 9)
    elif form == "lu":
        sketch.lines.append(f"for i < N, a < N: {name}[i,a] = {entry}")
        sketch.lines.append(
            f"for s < N, i in range(s + 1, N), a in range(s + 1, N): "
            f"{name}[i,a] = clip({name}[i,a] - {name}[i,s] {name}[s,a], -9, 9)"
        )
        sketch.holds(name, ("N", "N"), 9)
    else:
        sketch.lines.append(
            f"for i < N, a in range(max(0, i - 1), min(N, i + 2)): {name}[i,a] = {entry}"
        )
        sketch.holds(name, ("N", "N"), 1)


def window(sketch: Sketch) -> None:
    """Sums of subscripts: convolution, strides, diagonals, interleaving, shapes from writes."""
    name = sketch.fresh()
    one = known(sketch, ("N",)) or ["pN"]
    x = sketch.pick(*one)
    size = sketch.arrays[x].size if x in sketch.arrays else MOST
    two = known(sketch, ("M",)) or ["pM"]
    w = sketch.pick(*two)
    both = size * (sketch.arrays[w].size if w in sketch.arrays else MOST)
    form = sketch.some(
        "window:", valid=2, same=1, full=1, strided=1, diagonal=2, interleaved=1, halves=1, shifted=1,
        reshape=1, antidiagonal=1, inferred=1,
    )  # fmt: skip
    if form == "valid":
        sketch.declare(name, ("N",))
        sketch.lines.append(f"for i < N - M + 1, j < M: {name}[i] += {x}[i+j] {w}[j]")
        sketch.holds(name, ("N",), both * MOST)
    elif form == "same":
        sketch.declare(name, ("N",))
        mode = sketch.pick("pad", "clamp", "wrap", "reflect")
        sketch.lines.append(f"for i < N, j < M: {name}[i] += {x}[{mode}(i+j-1)] {w}[j]")
        sketch.holds(name, ("N",), both * MOST)
    elif form == "full":
        sketch.lines.append(f"for i < N, j < M: {name}[i+j] += {x}[i] {w}[j]")
        sketch.written[name] = ("N",)
    elif form == "inferred":
        sketch.lines.append(f"for i  {name}[i+1] = {x}[i]")
        sketch.written[name] = ("N",)
        other = sketch.fresh()
        sketch.declare(other, ("N",))
        sketch.lines.append(
            f"for i < N: {other}[i] = {name}[i] {sketch.pick('-', '*')} {name}[i+1]"
        )
        sketch.holds(other, ("N",), size * size + size)
    elif form == "strided":
        sketch.declare(name, ("N",))
        op = sketch.pick("=", "+=")
        sketch.lines.append(f"for i < (N + 1) // 2: {name}[2*i] {op} {x}[N-1-i]")
        sketch.lines.append(f"for i < N // 2: {name}[2*i+1] {op} {x}[2*i]")
        sketch.holds(name, ("N",), size)
    elif form == "diagonal":
        sketch.declare(name, ("N", "N"))
        op = sketch.pick("=", "+=", "-=")
        sketch.lines.append(
            f"for i < N: {name}[i,{sketch.pick('i', 'N-1-i', 'wrap(i+1)')}] {op} {x}[i]"
        )
        other = sketch.fresh()
        sketch.declare(other, ("N",))
        sketch.lines.append(
            f"for i < N: {other}[i] += {name}[{sketch.pick('i,i', 'i,N-1-i')}] {x}[i]"
        )
        sketch.holds(name, ("N", "N"), size)
        sketch.holds(other, ("N",), size * size)
    elif form == "interleaved":
        sketch.lines.append(f"for i < N, b < 2: {name}[2*i+b] = {x}[i] - b")
        sketch.written[name] = ("N",)
    elif form == "halves":
        sketch.lines.append(f"for i < N: {name}[i] = {x}[i]")
        sketch.lines.append(f"for j < M: {name}[N+j] = {w}[j]")
        sketch.written[name] = ("N",)
    elif form == "reshape":
        sketch.lines.append(f"for s < N*M: {name}[s // M, s % M] = {x}[s // M] - {w}[s % M]")
        sketch.written[name] = ("N", "M")
        sketch.lines[-1:] = [f"dim {name}[N, M]", sketch.lines[-1]]
        sketch.holds(name, ("N", "M"), 2 * size + 9)
    elif form == "antidiagonal":
        sketch.declare(name, ("N", "M"))
        sketch.lines.append(
            f"for s < N + M - 1, i in range(max(0, s - M + 1), min(N, s + 1)): "
            f"{name}[i, s-i] = clip({name}[clamp(i-1), s-i] + {name}[i, clamp(s-i-1)], -9, 9) + {x}[i]"
        )
        sketch.holds(name, ("N", "M"), 9 + size)
    else:
        sketch.declare(name, ("N",))
        sketch.lines.append(f"for i < N - 1: {name}[i+1] = {x}[i] - {x}[i+1]")
        sketch.holds(name, ("N",), 2 * size)


def ragged(sketch: Sketch) -> None:
    """Rows whose lengths are data."""
    sketch.ragged = True
    name = sketch.fresh()
    vectors = known(sketch, ("K",))
    values = [*vectors, "pK"]
    v = sketch.pick(*values)
    size = sketch.arrays[v].size if v in sketch.arrays else MOST
    form = sketch.some("ragged:", rows=2, segment=1, reduced=2, extreme=1, nested=1)
    sketch.declare(name, ("N",))
    if form == "rows":
        op = sketch.pick("+=", "-=", "*=")
        value = f"clip({v}[e], -1, 1)" if op == "*=" else f"{v}[e] p[i]".replace("p[i]", "pN[i]")
        sketch.lines.append(f"for i < N, e in range(ptr[i], ptr[i+1]): {name}[i] {op} {value}")
        sketch.holds(name, ("N",), size * MOST * MOST)
    elif form == "segment":
        sketch.lines.append(f"for k < K: {name}[row[k]] += {v}[k]")
        sketch.holds(name, ("N",), size * MOST)
    elif form == "reduced":
        op = sketch.pick("sum", "max", "min")
        guard = sketch.pick("", f" if {v}[e] > 0", " if e != i")
        call = f"{op}[e in range(ptr[i], ptr[i+1]){guard}]({v}[e])"
        call = call if op == "sum" else f"clip({call}, -9, 9)"
        sketch.lines.append(f"for i < N: {name}[i] = {call} - i")
        sketch.holds(name, ("N",), size * MOST + 13)
    elif form == "extreme":
        start(sketch, name, ("N",))
        op = sketch.pick("max=", "min=")
        sketch.lines.append(f"for i < N, e in range(ptr[i], ptr[i+1]): {name}[i] {op} {v}[e]")
        sketch.holds(name, ("N",), size)
    else:
        sketch.lines.append(
            f"for i < N, e in range(ptr[i], ptr[i+1]), j <= min(e, M - 1): {name}[i] += {v}[e] + j"
        )
        sketch.holds(name, ("N",), (size + MOST) * MOST * MOST)


def whole_numbers(sketch: Sketch) -> None:
    """Arrays of integers and truth values, and indices that are computed."""
    name = sketch.fresh()
    form = sketch.some("whole:", count=1, best=2, mask=1, steps=1, index=1, histogram=1)
    if form == "count":
        sketch.declare(name, ("N",))
        sketch.lines.append(
            f"for i < N, j < M if {condition(sketch, {'i': Bound('N'), 'j': Bound('M')})}: {name}[i] += 1"
        )
        sketch.holds(name, ("N",), MOST)
    elif form == "best":
        one = known(sketch, ("N",)) or ["pN"]
        x = sketch.pick(*one)
        if not sketch.sizes["N"]:
            return
        op = sketch.pick("argmax", "argmin")
        sketch.lines.append(f"{name} = {op}[i < N]({x}[i])")
        sketch.written[name] = ()
        other = sketch.fresh()
        sketch.declare(other, ())
        sketch.lines.append(f"{other} = {x}[{name}]")
        sketch.holds(other, (), sketch.arrays[x].size if x in sketch.arrays else MOST)
    elif form == "mask":
        sketch.declare(name, ("N",))
        sketch.lines.append(
            f"for i < N: {name}[i] = pN[i] > 0 and {condition(sketch, {'i': Bound('N')})}"
        )
        sketch.holds(name, ("N",), 1)
    elif form == "steps":
        sketch.declare(name, ("N",))
        value = leaf(sketch, {"i": Bound("N")})
        sketch.lines.append(f"for t < steps, i < N: {name}[i] += {value.text}")
        sketch.holds(name, ("N",), 3 * value.size)
    elif form == "index":
        sketch.declare(name, ("N",))
        sketch.lines.append(f"for i < N: {name}[i] = (pN[i] + {sketch.pick('1', 'i', '2*i')}) % N")
        other = sketch.fresh()
        x = sketch.pick(*(known(sketch, ("N",)) or ["pN"]))
        sketch.declare(other, ("N",))
        sketch.lines.append(f"for i < N: {other}[{name}[i]] += {x}[i]")
        sketch.holds(other, ("N",), MOST * (sketch.arrays[x].size if x in sketch.arrays else MOST))
    else:
        if sketch.sizes["M"]:
            sketch.declare(name, ("M",))
            sketch.lines.append(f"for i < N: {name}[pN[i] % M] += 1")
            sketch.holds(name, ("M",), MOST)


def call(sketch: Sketch) -> None:
    """A `def`, called over a batch or on cells."""
    name = f"f{len(sketch.defs)}"
    body = sketch.some("call:", rows=1, cells=1, pair=1, nested=1, matrix=1)
    result = sketch.fresh()
    if body == "cells":
        sketch.defs.append(f"def {name}(a, b) -> c:\n    c = max(a, b) - min(a, 2)")
        scope: Scope = {"i": Bound("N"), "j": Bound("M")}
        a, b = expression(sketch, scope, 1), expression(sketch, scope, 1)
        sketch.declare(result, ("N", "M"))
        sketch.lines.append(f"for i < N, j < M: {result}[i,j] = {name}({a.text}, {b.text})")
        sketch.holds(result, ("N", "M"), 2 * max(a.size, b.size))
        return
    two = [n for n, k in sketch.arrays.items() if len(k.dims) == 2 and k.kind == "float"]
    if not two:
        return
    array = sketch.pick(*two)
    dims, size = sketch.arrays[array].dims, sketch.arrays[array].size
    outer = next(i for i, d in INDICES.items() if d == dims[0])
    if body in ("rows", "nested"):
        sketch.defs.append(
            f"def {name}(v[I]) -> w[I]:\n"
            "    for i  s += v[i]\n"
            "    for i  w[i] = clip(s, -3, 3) - v[i]"
        )
        inner = name
        if body == "nested":
            inner = f"{name}n"
            sketch.defs.append(
                f"def {inner}(v[I]) -> w[I]:\n    u[:] = {name}(v)\n    for i  w[i] = u[I-1-i] + v[i]"
            )
        sketch.declare(result, dims)
        sketch.lines.append(
            f"for {outer} < {dims[0]}: {result}[{outer},:] = {inner}({array}[{outer},:])"
        )
        sketch.holds(result, dims, 2 * size + 3)
    elif body == "matrix":
        sketch.defs.append(
            f"def {name}(x[I], W[J,I]) -> y[J]:\n    for j,i  y[j] += clip(W[j,i], -1, 1) x[i]"
        )
        vectors = known(sketch, (dims[1],))
        if not vectors:
            return
        sketch.declare(result, dims[:1])
        sketch.lines.append(f"for {outer} < {dims[0]}: {result}[{outer}] = 0")
        other = sketch.fresh()
        sketch.declare(other, dims[:1])
        sketch.lines.append(f"{other}[:] = {name}({sketch.pick(*vectors)}, {array})")
        sketch.holds(other, dims[:1], 12)
    else:
        other = sketch.fresh()
        sketch.defs.append(
            f"def {name}(v[I], c) -> lo, hi:\n"
            "    lo = c; hi = c\n"
            "    for i  lo min= v[i]\n"
            "    for i  hi max= v[i]"
        )
        sketch.declare(result, dims[:1])
        sketch.declare(other, dims[:1])
        sketch.lines.append(
            f"for {outer} < {dims[0]}: {result}[{outer}], {other}[{outer}] = "
            f"{name}({array}[{outer},:], {sketch.pick('0', outer)})"
        )
        sketch.holds(result, dims[:1], size + MOST)
        sketch.holds(other, dims[:1], size + MOST)


def contraction(sketch: Sketch) -> None:
    """Products that are summed: matrix products, batches of them, chains."""
    arrays = [n for n, k in sketch.arrays.items() if k.dims and len(set(k.dims)) == len(k.dims)]
    if not arrays:
        return
    chosen = [sketch.pick(*arrays) for _ in range(sketch.rng.choice((2, 2, 3)))]
    names: list[str] = []
    size, factors = 1, []
    for array in chosen:
        at = []
        for dim in sketch.arrays[array].dims:
            pool = [i for i, d in INDICES.items() if d == dim and i not in at]
            index = sketch.pick(*pool) if sketch.chance(30) else pool[0]
            at.append(index)
            if index not in names:
                names.append(index)
        size *= sketch.arrays[array].size
        factors.append(f"{array}[{','.join(at)}]")
    kept = [n for n in names if sketch.chance(50)][:3]
    sketch.rng.shuffle(kept)
    sketch.note("contraction:chain" if len(chosen) > 2 else "contraction:pair")
    name = sketch.fresh()
    dims = tuple(INDICES[n] for n in kept)
    value = capped(sketch, Term(" ".join(factors), size), LIMIT // 4 ** len(names) // 2)
    sketch.declare(name, dims)
    sketch.rng.shuffle(names)
    guard = ""
    if sketch.chance(15):
        guard = f" if {condition(sketch, {n: Bound(INDICES[n]) for n in names})}"
    if guard or sketch.chance(50):
        head = f"for {', '.join(f'{n} < {INDICES[n]}' for n in names)}{guard}:"
    else:
        head = f"for {', '.join(names)} "
    sketch.lines.append(f"{head} {cell(name, kept)} {sketch.pick('+=', '+=', '-=')} {value.text}")
    sketch.holds(name, dims, value.size * 4 ** len(names))


def backward(sketch: Sketch) -> None:
    """A gradient in the program, and a use of it."""
    if sketch.gradient or any(line.startswith("backward") for line in sketch.lines):
        return
    arrays = [n for n in sketch.written if n in sketch.arrays and sketch.arrays[n].kind == "float"]
    if not arrays:
        return
    name = sketch.pick(*arrays)
    dims = sketch.arrays[name].dims
    inputs = [n for n, k in sketch.inputs.items() if k.kind == "float" and n not in sketch.written]
    if not inputs:
        return
    wrt = sketch.pick(*inputs)
    loss = sketch.fresh()
    at = list(FREE[: len(dims)])
    head = f"for {', '.join(f'{n} < {d}' for n, d in zip(at, dims, strict=True))}: " if dims else ""
    op = "+=" if dims else "="
    sketch.lines.append(f"{head}{loss} {op} 0.5 {cell(name, at)} {cell(name, at)}")
    sketch.lines.append(f"backward {loss} wrt {wrt}")
    own = sketch.inputs[wrt].dims
    at = list(FREE[: len(own)])
    result = sketch.fresh()
    sketch.declare(result, own)
    ranges = ", ".join(f"{n} < {d}" for n, d in zip(at, own, strict=True))
    head = f"for {ranges}: " if own else ""
    grad = cell(f"{wrt}.grad", at)
    sketch.lines.append(f"{head}{cell(result, at)} = {cell(wrt, at)} - 2 * {grad}")
    sketch.note("statement:backward")


STATEMENTS = {
    "update": (update, 10), "recurrence": (recurrence, 3), "block": (block, 3), "in_place": (in_place, 2),
    "call": (call, 2), "triangle": (triangle, 1), "window": (window, 2), "ragged": (ragged, 1),
    "whole": (whole_numbers, 1), "contraction": (contraction, 3), "backward": (backward, 1),
    "nest": (nest, 3), "complex": (complex_numbers, 1), "sweep": (sweep, 2),
    "pipe": (pipe, 4), "shape": (shape, 3), "placed": (placed, 0),
}  # fmt: skip


def statement(sketch: Sketch) -> None:
    """Add one statement of a random kind."""
    skipped = (
        ("contraction", "window", "ragged", "triangle", "backward", "nest", "sweep", "pipe")
        if sketch.wild
        else ()
    )
    weights = {n: 0 if n in skipped else w for n, (_, w) in STATEMENTS.items()}
    if sketch.gradient:
        weights["placed"] = 40 if sketch.placed else 2
    name = sketch.some("statement:", **weights)
    STATEMENTS[name][0](sketch)


__all__ = ["index_of", "statement"]

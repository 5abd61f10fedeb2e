"""The normal form of index expressions: equal by brute force, bounds right, canonical."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from loopc.ir.affine import affine, at_least, simplify
from loopc.ir.bounds import bounds, extent, tighten
from loopc.ir.nodes import Call, Const, Expr, Extent, Index, IndexRef

DIMS = ("N", "M")


def value(expr: Expr, env: dict[str, int]) -> int:  # noqa: C901  a plain table, no loopc code
    match expr:
        case Const(v):
            return v
        case IndexRef(name) | Extent(name):
            return env[name]
        case Call(fn, args):
            v = [value(a, env) for a in args]
            match fn:
                case "add":
                    return sum(v)
                case "mul":
                    product = 1
                    for factor in v:
                        product *= factor
                    return product
                case "neg":
                    return -v[0]
                case "floordiv":
                    return v[0] // v[1]
                case "mod":
                    return v[0] % v[1]
                case "max":
                    return max(v)
                case "min":
                    return min(v)
                case "lt":
                    return v[0] < v[1]
                case "le":
                    return v[0] <= v[1]
                case "gt":
                    return v[0] > v[1]
                case "ge":
                    return v[0] >= v[1]
                case "eq":
                    return v[0] == v[1]
    raise AssertionError(expr)


leaves = st.one_of(
    st.integers(-4, 4).map(Const),
    st.sampled_from(["i", "j"]).map(IndexRef),
    st.sampled_from(DIMS).map(Extent),
)


def grow(children):
    two = st.tuples(children, children)
    divisor = st.integers(1, 4).map(Const)
    return st.one_of(
        two.map(lambda a: Call("add", a)),
        two.map(lambda a: Call("mul", a)),
        children.map(lambda a: Call("neg", (a,))),
        st.tuples(children, divisor).map(lambda a: Call("floordiv", a)),
        st.tuples(children, divisor).map(lambda a: Call("mod", a)),
        two.map(lambda a: Call("max", a)),
        two.map(lambda a: Call("min", a)),
    )


exprs = st.recursive(leaves, grow, max_leaves=8)
points = [
    dict(zip(("i", "j", "N", "M"), p, strict=True))
    for p in itertools.product((-2, 0, 3), (0, 1), (0, 1, 4), (0, 3))
]


@given(exprs)
def test_the_normal_form_has_the_value_of_the_expression(expr):
    simple = simplify(expr)
    assert [value(simple, p) for p in points] == [value(expr, p) for p in points]


@given(exprs)
def test_the_normal_form_is_its_own_normal_form(expr):
    assert simplify(simplify(expr)) == simplify(expr)


@given(exprs, exprs)
def test_at_least_holds_wherever_it_says_so(a, b):
    x, y = affine(a), affine(b)
    if at_least(x, y):
        assert all(value(a, p) >= value(b, p) for p in points)


ranges = st.tuples(
    st.integers(0, 2), st.integers(0, 5), st.sampled_from([1, 2, 3, -1, -2]), st.booleans()
)


@given(exprs, ranges, ranges)
def test_bounds_enclose_every_value_of_a_domain_that_is_not_empty(expr, first, second):
    env = {"N": 4, "M": 3}
    outer = Index("i", Const(first[0]), Const(first[1]), first[2])
    stop = IndexRef("i") if second[3] else Const(second[1])
    inner = Index("j", Const(second[0]), stop, second[2])
    domain = [
        {**env, "i": i, "j": j}
        for i in range(first[0], first[1], first[2])
        for j in range(second[0], i if second[3] else second[1], second[2])
    ]
    ends = bounds(expr, {"i": outer, "j": inner})
    if second[2] < 0 and second[3]:
        return  # a descending range down to an earlier index: not in the language's short form
    for point in domain:
        if ends.low is not None:
            assert value(ends.low, env) <= value(expr, point)
        if ends.high is not None:
            assert value(ends.high, env) >= value(expr, point)


@given(ranges)
def test_the_extent_of_a_range_is_its_number_of_values(r):
    index = Index("i", Const(r[0]), Const(r[1]), r[2])
    assert max(0, value(extent(index), {})) == len(range(r[0], r[1], r[2]))


@given(
    st.sampled_from(["lt", "le", "gt", "ge", "eq"]),
    st.sampled_from(["i", "j"]),
    st.sampled_from([IndexRef("i"), IndexRef("j"), Const(2), Extent("N")]),
    st.integers(-2, 2),
)
def test_a_guard_narrows_ranges_to_a_superset_of_where_it_holds(fn, name, other, shift):
    guard = Call(fn, (Call("add", (IndexRef(name), Const(shift))), other))
    box = {n: Index(n, Const(0), Const(5)) for n in ("i", "j")}
    narrow = tighten(box, guard)
    env = {"N": 3}
    inside = [
        (i, j)
        for i in range(value(narrow["i"].start, env), value(narrow["i"].stop, env))
        for j in range(
            value(narrow["j"].start, {**env, "i": i}), value(narrow["j"].stop, {**env, "i": i})
        )
    ]
    for i, j in itertools.product(range(5), range(5)):
        if value(guard, {**env, "i": i, "j": j}):
            assert (i, j) in inside


def test_a_reshape_comes_apart_again():
    flat = Call("add", (Call("mul", (IndexRef("i"), Extent("W"))), IndexRef("j")))
    row = simplify(Call("floordiv", (flat, Extent("W"))))
    assert row == Call("add", (IndexRef("i"), Call("floordiv", (IndexRef("j"), Extent("W")))))

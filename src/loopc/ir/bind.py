"""Numbers for the dims of a resolved program, from the shapes of a call's arrays.

Everything that inference left symbolic is checked here, before anything runs: that declared shapes
fit, that equal dims are equal, and that every access without a guard stays inside its array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from loopc.diagnostics import catalogue
from loopc.diagnostics.span import Span
from loopc.ir.affine import Affine, affine, to_expr
from loopc.ir.attained import is_attained
from loopc.ir.bounds import bounds, extent
from loopc.ir.clashes import are_one, clash, narrower
from loopc.ir.fits import check_fits
from loopc.ir.functions import lookup
from loopc.ir.nodes import (
    Array,
    Call,
    Const,
    Dim,
    Expr,
    Extent,
    Index,
    IndexRef,
    Program,
    Read,
    Reduce,
)
from loopc.ir.scalars import NoValueError
from loopc.ir.sites import Site, sites, used_ranges
from loopc.ir.unbuild_expr import expr_text, refused_text
from loopc.ir.visit import walk, written_names

Shapes = Mapping[str, tuple[int, ...]]


def evaluate(expr: Expr, dims: Mapping[str, int], scalars: Mapping[str, int]) -> int:
    """Return the value of an integer expression of dims and scalar integer inputs.

    Raises:
        KeyError: it contains something that has no value here (an index, a cell of an array).
    """
    return int(_number(expr, dims, scalars))


def _number(expr: Expr, dims: Mapping[str, int], scalars: Mapping[str, int]) -> Any:
    match expr:
        case Const(value):
            return value
        case Extent(name):
            return dims[name]
        case Read(access):
            if access.subscripts:
                raise KeyError(access.array)
            return scalars[access.array]
        case Call(fn, args):
            row = lookup(fn)
            assert row is not None, fn
            values = [_number(a, dims, scalars) for a in args]
            try:
                return _fold(row.scalar, values) if row.variadic else row.scalar(*values)
            except NoValueError as error:
                text, why = refused_text(expr), str(error)
                raise catalogue.error("L0233", expr.span, text=text, why=why) from None
        case IndexRef(name):
            raise KeyError(name)
        case Reduce(op):
            raise KeyError(op)


def _fold(f: Any, values: list[Any]) -> Any:
    result = values[0]
    for value in values[1:]:
        result = f(result, value)
    return result


def shape_of(array: Array, dims: Mapping[str, int], scalars: Mapping[str, int]) -> tuple[int, ...]:
    """Return the shape of an array in numbers; an extent below 0 is 0."""
    assert array.shape is not None
    return tuple(max(0, evaluate(e, dims, scalars)) for e in array.shape)


def bind(program: Program, shapes: Shapes, scalars: Mapping[str, int]) -> dict[str, int]:
    """Return the value of every dim.

    Args:
        program: a resolved program.
        shapes: the shape of every input and param that is given.
        scalars: the values of the scalar integer inputs that are given, and of dims that are.

    Raises:
        ShapeError: ranks or sizes that do not fit (L0204, L0207, L0208), a dim without a value
            (L0206).
        BoundsError: an access outside its array for these sizes (L0211).
    """
    given = [a for a in program.arrays if a.kind != "temp" and a.name in shapes]
    for array in given:
        _check_rank(array, shapes[array.name])
    stated = _stated_dims(program, scalars)
    dims = {**_bare_dims(program, given, shapes, stated), **stated}
    late = _computed_dims(
        [d for d in program.dims if d.name not in stated], given, shapes, dims, scalars
    )
    _solve_dims(given, shapes, dims, scalars)
    _computed_dims(late, given, shapes, dims, scalars)
    _require_all(program, dims)
    _check_divisors(program, dims, scalars)
    _check_sizes(given, shapes, dims, scalars)
    check_fits(program, dims, scalars, evaluate)
    check_accesses(program, dims, scalars)
    return dims


def _check_rank(array: Array, shape: tuple[int, ...]) -> None:
    assert array.shape is not None
    if len(shape) != len(array.shape):
        raise catalogue.error(
            "L0207",
            array.span,
            array=array.name,
            given=len(shape),
            expected=len(array.shape),
            shape=_shape_text(array),
        )


def _shape_text(array: Array) -> str:
    assert array.shape is not None
    return f"({', '.join(expr_text(e) for e in array.shape)})"


def _stated_dims(program: Program, scalars: Mapping[str, int]) -> dict[str, int]:
    """Return the dims that the call gives."""
    arrays = {a.name for a in program.arrays}
    extents = (n.name for n in walk(program) if isinstance(n, Extent))
    return {n: scalars[n] for n in extents if n in scalars and n not in arrays}


def _computed_dims(
    computed: Iterable[Dim],
    given: list[Array],
    shapes: Shapes,
    dims: dict[str, int],
    scalars: Mapping[str, int],
) -> list[Dim]:
    """Take the dims that the program gives a value, which the shapes of arrays must have.

    Returns:
        The dims whose value names dims that are not known.
    """
    late: list[Dim] = []
    for dim in computed:
        if dim.value is None:
            continue
        if _unknown(dim.value, dims):
            late.append(dim)
            continue
        expected = evaluate(dim.value, dims, scalars)
        for array in given:
            for axis, expr in enumerate(array.shape or ()):
                if expr == Extent(dim.name) and shapes[array.name][axis] != expected:
                    raise _wrong_size(array, axis, shapes[array.name][axis], expected)
        dims[dim.name] = expected
    return late


def _bare_dims(
    program: Program, given: list[Array], shapes: Shapes, stated: Mapping[str, int]
) -> dict[str, int]:
    """Take the dims that stand alone in a shape; two arrays must agree, and with what is stated."""
    dims: dict[str, int] = {}
    origin: dict[str, tuple[str, int]] = {}
    for array in given:
        for axis, expr in enumerate(array.shape or ()):
            if not isinstance(expr, Extent):
                continue
            size = shapes[array.name][axis]
            if stated.get(expr.name, size) != size:
                raise _wrong_size(array, axis, size, stated[expr.name])
            if dims.setdefault(expr.name, size) != size:
                first, first_axis = origin[expr.name]
                if not are_one(program, (first, first_axis), (array.name, axis)):
                    also = [(program.array(first).span, f"{dims[expr.name]} here")]
                    raise _wrong_size(array, axis, size, dims[expr.name], also)
                found = clash(
                    program, (first, first_axis, dims[expr.name]), (array.name, axis, size)
                )
                raise catalogue.ENTRIES["L0204"].raises(found)
            origin.setdefault(expr.name, (array.name, axis))
    return dims


def _solve_dims(
    given: list[Array], shapes: Shapes, dims: dict[str, int], scalars: Mapping[str, int]
) -> None:
    """Solve shapes such as `3*D`, `C*r*r` or `N-1` for the one dim not known yet."""
    changed = True
    while changed:
        changed = False
        for array in given:
            for axis, expr in enumerate(array.shape or ()):
                unknown = _unknown(expr, dims)
                parts = solved_for(expr, unknown[0]) if len(unknown) == 1 else None
                if parts is None:
                    continue
                factor, rest = (evaluate(p, dims, scalars) for p in parts)
                if factor == 0:
                    continue
                dims[unknown[0]] = (shapes[array.name][axis] - rest) // factor
                changed = True


def solved_for(expr: Expr, dim: str) -> tuple[Expr, Expr] | None:
    """Return factor and rest of an extent `factor * dim + rest`; None if it is not like that."""
    form = affine(expr)
    if form is None:
        return None
    factor, rest = form.collected(Extent(dim))
    if factor == Affine(0) or any(n == Extent(dim) for atom, _ in rest.terms for n in walk(atom)):
        return None
    return to_expr(factor), to_expr(rest)


def _unknown(expr: Expr, dims: Mapping[str, int]) -> list[str]:
    names = (n.name for n in walk(expr) if isinstance(n, Extent) and n.name not in dims)
    return list(dict.fromkeys(names))


def _require_all(program: Program, dims: Mapping[str, int]) -> None:
    for node in walk(program):
        if isinstance(node, Extent) and node.name not in dims:
            raise catalogue.error("L0206", node.span, dim=node.name)


def _check_divisors(program: Program, dims: Mapping[str, int], scalars: Mapping[str, int]) -> None:
    """Refuse quotients of sizes by a size of 0."""
    for node in walk(program):
        if not isinstance(node, Call) or node.fn not in ("floordiv", "mod"):
            continue
        dividend, divisor = node.args
        try:
            evaluate(dividend, dims, scalars)
            is_zero = evaluate(divisor, dims, scalars) == 0
        except KeyError:
            continue  # a value of the run
        if is_zero:
            raise catalogue.error("L0213", node.span, text=expr_text(node))


def _check_sizes(
    given: list[Array], shapes: Shapes, dims: Mapping[str, int], scalars: Mapping[str, int]
) -> None:
    for array in given:
        for axis, expr in enumerate(array.shape or ()):
            size = shapes[array.name][axis]
            expected = max(0, evaluate(expr, dims, scalars))
            if size != expected:
                raise _wrong_size(array, axis, size, expected)


def _wrong_size(
    array: Array,
    axis: int,
    size: int,
    expected: int,
    also: Iterable[tuple[Span | None, str]] = (),
) -> Exception:
    assert array.shape is not None
    return catalogue.error(
        "L0208",
        array.span,
        also=also,
        array=array.name,
        axis=axis + 1,
        given=size,
        extent=f"`{expr_text(array.shape[axis])}`",
        expected=expected,
        shape=_shape_text(array),
    )


def check_accesses(program: Program, dims: Mapping[str, int], scalars: Mapping[str, int]) -> None:
    """Check that accesses made of indices and dims stay inside, and that equal extents are equal.

    Sites that a guard may skip, and indices that are data, are left to the run.

    Raises:
        ShapeError: L0204. BoundsError: L0211.
    """
    arrays = {a.name: a for a in program.arrays}
    sizes = {a.name: shape_of(a, dims, scalars) for a in program.arrays}
    written = written_names(program)
    scalars = {n: v for n, v in scalars.items() if n not in written}
    scopes: dict[tuple[Index, ...], _Scope] = {}
    ranges: dict[str, Index] | None = None
    for site in sites(program):
        array = arrays[site.access.array]
        size = sizes[array.name][site.axis]
        if site.ranges is not ranges:  # sites in one scope follow one another
            ranges = site.ranges
            scope = scopes.setdefault(tuple(ranges.values()), _Scope(ranges, dims, scalars))
        taken = scope.taken(site.at)
        if taken is None:
            continue
        low, high = taken
        _check_alone(program, site, array, size, high + 1)
        if (low < 0 or high >= size) and not site.conditional:
            raise catalogue.error(
                "L0211",
                site.access.subscripts[site.axis].span or site.access.span,
                array=array.name,
                axis=site.axis + 1,
                extent=size,
                low=low,
                high=high,
                repair=narrower(site),
            )


class _Scope:
    """Loops round some accesses, by numbers."""

    def __init__(
        self, ranges: dict[str, Index], dims: Mapping[str, int], scalars: Mapping[str, int]
    ) -> None:
        self.ranges = ranges
        self.dims = dims
        self.scalars = scalars
        self.known: dict[Expr, tuple[int, int] | None] = {}

    def taken(self, at: Expr) -> tuple[int, int] | None:
        """Return the least and the largest value that a subscript takes; None: the run decides."""
        if at not in self.known:
            self.known[at] = self._taken(at)
        return self.known[at]

    def _taken(self, at: Expr) -> tuple[int, int] | None:
        ranges = used_ranges(at, self.ranges)
        if not is_attained(at, ranges) or self.is_empty:
            return None  # the run checks each cell
        ends = bounds(at, ranges)
        if ends.low is None or ends.high is None:
            return None
        try:
            low, high = (evaluate(e, self.dims, self.scalars) for e in (ends.low, ends.high))
        except KeyError:
            return None  # data decides: checked at run time
        return low, high

    @cached_property
    def is_empty(self) -> bool:
        """Whether a range has no values."""
        return any(map(self._is_empty, self.ranges))

    def _is_empty(self, name: str) -> bool:
        outer = {n: r for n, r in self.ranges.items() if n != name}
        high = bounds(extent(self.ranges[name]), outer).high
        try:
            return high is not None and evaluate(high, self.dims, self.scalars) <= 0
        except KeyError:
            return False  # data decides


def _check_alone(program: Program, site: Site, array: Array, size: int, trips: int) -> None:
    """An index without a range of its own that stands alone has just the axis's extent."""
    at = site.at
    if site.write and array.kind == "temp":
        return
    if (
        not isinstance(at, IndexRef)
        or at.name not in site.ranges
        or site.conditional
        or site.in_range
    ):
        return
    index = site.ranges[at.name]
    if index.written or index.step != 1 or trips == size:
        return
    other = _origin(program, index.stop, site.access.array)
    if other is not None and index.start == Const(0):
        found = clash(program, (*other, trips), (array.name, site.axis, size))
        raise catalogue.ENTRIES["L0204"].raises(found)


def _origin(program: Program, stop: Expr | None, but: str) -> tuple[str, int] | None:
    """Return an array and an axis that have the extent `stop`."""
    if stop is None:
        return None
    form = affine(stop)
    for array in program.arrays:
        for axis, expr in enumerate(array.shape or ()):
            if array.name != but and affine(expr) == form:
                return array.name, axis
    return None

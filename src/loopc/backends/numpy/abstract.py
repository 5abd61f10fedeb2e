"""Arrays without cells: shapes, strides and types, and the memory that they would take.

A generated module runs on them as on arrays. Views share memory; results and temporaries take their
own, and give it back when nothing refers to them any more, as CPython does it. A value that decides
something is 0, a truth is true. Source: abstract interpretation, Cousot and Cousot, 1977.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from loopc.backends.numpy.abstract_ledger import Ledger as Ledger
from loopc.backends.numpy.abstract_ledger import Memory as Memory
from loopc.backends.numpy.abstract_shapes import (
    form_of,
    is_advanced,
    picked,
    reshaped,
    scalar,
)

ELIDED = 256 * 1024
"""From how many bytes on NumPy writes `a + b` over an operand that nothing refers to."""


class Abstract:
    """An array without cells.

    Attributes:
        form: an array of NumPy's with the same shape, strides and type, whose cells are never read.
        memory: what it and its views take.
        cells: an array with its values, if they are known: integers that decide how much is made.
        owns: whether it is no view.
    """

    __slots__ = ("cells", "form", "memory", "owns")

    def __init__(self, form: Any, memory: Memory, cells: Any = None) -> None:
        self.form = form
        self.memory = memory
        self.cells = cells
        self.owns = True

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents."""
        return self.form.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """The type of the cells that it would have."""
        return self.form.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.form.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of cells."""
        return self.form.size  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """The bytes of the cells."""
        return self.form.nbytes  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        """The bytes of a cell."""
        return self.form.itemsize  # type: ignore[no-any-return]

    @property
    def strides(self) -> tuple[int, ...]:
        """The bytes from cell to cell along each dimension."""
        return self.form.strides  # type: ignore[no-any-return]

    @property
    def flags(self) -> Any:
        """How it would lie in memory."""
        return self.form.flags

    def __len__(self) -> int:
        return len(self.form)

    def __iter__(self) -> Iterator[Any]:
        for n in range(min(len(self), 2)):
            yield self[n]

    def __bool__(self) -> bool:
        return True

    def __int__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __index__(self) -> int:
        return 0

    # Views and copies

    def seen(self, form: Any, cells: Any = None) -> Any:
        """Return a view."""
        if not form.ndim:
            return scalar(form.dtype) if cells is None else cells
        view = Abstract(form, self.memory, cells)
        view.owns = False
        return view

    def fresh(self, shape: Sequence[int], dtype: Any = None, like: Any = None) -> Any:
        """Return an array with memory of its own; see `fresh`."""
        return fresh(self.memory.ledger, shape, self.dtype if dtype is None else dtype, like)

    @property
    def T(self) -> Any:  # noqa: N802 - NumPy's name
        """The transposed view."""
        return self.seen(self.form.T)

    @property
    def flat(self) -> Any:
        """The cells one after the other."""
        return self.fresh((self.size,))

    def transpose(self, *axes: Any) -> Any:
        """Return a transposed view."""
        return self.seen(self.form.transpose(*axes))

    def swapaxes(self, a: int, b: int) -> Any:
        """Return a view with two dimensions exchanged."""
        return self.seen(self.form.swapaxes(a, b))

    def squeeze(self, axis: Any = None) -> Any:
        """Return a view without dimensions of extent 1."""
        return self.seen(self.form.squeeze(axis))

    def reshape(self, *shape: Any) -> Any:
        """Return a view of another shape; a copy where there is none."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        form = reshaped(self.form, wanted)
        if form is not None:
            return self.seen(form)
        known = prod(n for n in wanted if n != -1)
        return self.fresh([self.size // max(known, 1) if n == -1 else n for n in wanted])

    def ravel(self, order: str = "C") -> Any:
        """Return the cells in one row; with order "K", as they lie in memory."""
        form = self.form
        if order == "K":
            form = form.transpose(sorted(range(form.ndim), key=lambda n: -form.strides[n]))
        own = form.flags.c_contiguous
        return self.seen(form.reshape(self.size)) if own else self.fresh((self.size,))

    def repeat(self, times: int) -> Any:
        """Return each cell several times, in one row."""
        return self.fresh((self.size * times,))

    def copy(self, order: str = "C") -> Any:
        """Return a copy."""
        return self.fresh(self.shape)

    def astype(self, dtype: Any, *, copy: bool = True) -> Any:
        """Return it in another type."""
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        made = self.fresh(self.shape, np.dtype(dtype), self.form)
        if self.cells is not None:
            made.cells = self.cells.astype(dtype)
        return made

    def view(self, *args: Any) -> Any:
        """Return the same memory in another type."""
        return self.seen(self.form.view(*args))

    def tolist(self) -> list[int]:
        """Return a few numbers in the place of the cells."""
        return [0] * min(len(self), 2)

    def item(self, *at: Any) -> Any:
        """Return a number in the place of a cell."""
        return scalar(self.dtype)

    # Reductions

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, **rest: Any) -> Any:
        """Return sums."""
        return reduced(np.add, self, axis, out=out, **rest)

    def max(self, axis: Any = None, out: Any = None, **rest: Any) -> Any:
        """Return the largest cells."""
        return reduced(np.maximum, self, axis, out=out, **rest)

    def min(self, axis: Any = None, out: Any = None, **rest: Any) -> Any:
        """Return the smallest cells."""
        return reduced(np.minimum, self, axis, out=out, **rest)

    def prod(self, axis: Any = None, out: Any = None, **rest: Any) -> Any:
        """Return products."""
        return reduced(np.multiply, self, axis, out=out, **rest)

    def any(self, axis: Any = None, out: Any = None, **rest: Any) -> Any:
        """Return whether any cell is true."""
        return reduced(np.logical_or, self, axis, out=out, **rest)

    def all(self, axis: Any = None, out: Any = None, **rest: Any) -> Any:
        """Return whether all cells are true."""
        return reduced(np.logical_and, self, axis, out=out, **rest)

    def argmax(self, axis: Any = None, **rest: Any) -> Any:
        """Return positions."""
        return reduced(np.add, self, axis, dtype=np.dtype(np.intp), **rest)

    argmin = argmax

    # Cells

    def __getitem__(self, key: Any) -> Any:
        if not is_advanced(key):
            return self.seen(self.form[key], None if self.cells is None else self.cells[key])
        at, rest, before = picked(self.shape, key)
        made = self.fresh((*at, *rest))
        if not (before and at):
            return made
        return made.seen(np.moveaxis(made.form, range(len(at)), range(before, before + len(at))))

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(value, Abstract) or is_advanced(key):
            return
        target = self.form[key]
        same = target.shape == value.shape and target.strides == value.strides
        if value.memory is self.memory and not same and np.may_share_memory(target, value.form):
            self.memory.ledger.borrow(value.nbytes)

    # NumPy's functions

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **rest: Any) -> Any:
        from loopc.backends.numpy.abstract_calls import ufunc_method

        return ufunc_method(self.memory.ledger, ufunc, method, inputs, rest)

    def __array_function__(self, func: Any, types: Any, args: Any, rest: Any) -> Any:
        from loopc.backends.numpy.abstract_calls import function

        return function(self.memory.ledger, func, args, rest)


# Operators

_BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "matmul": np.matmul,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
_COMPARE = ("lt", "le", "gt", "ge", "eq", "ne")
_UNARY = {"__neg__": np.negative, "__abs__": np.absolute, "__invert__": np.invert}


def _binary(ufunc: Any) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if sys.getrefcount(self) <= TEMPORARY and _may_hold(ufunc, self, other):
            return ufunc(self, other, out=self)
        return ufunc(self, other)

    return operator


def _reflected(ufunc: Any) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        return ufunc(other, self)

    return operator


def _in_place(ufunc: Any) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        return ufunc(self, other, out=self)

    return operator


def _unary(ufunc: Any) -> Callable[[Any], Any]:
    def operator(self: Any) -> Any:
        return ufunc(self)

    return operator


def _may_hold(ufunc: Any, left: Abstract, right: Any) -> bool:
    """Whether NumPy would write a result over its left operand, if that is a temporary."""
    if left.nbytes < ELIDED or not left.owns or ufunc in (np.matmul, np.remainder):
        return False
    if ufunc is np.power:
        squared = not isinstance(right, Abstract) and np.ndim(right) == 0 and right == 2
        return squared and left.dtype.kind in "fc"
    if isinstance(right, Abstract):
        return right.shape == left.shape and right.dtype == left.dtype
    return np.ndim(right) == 0 and left.dtype.kind in "fc"


for _name, _ufunc in _BINARY.items():
    setattr(Abstract, f"__{_name}__", _binary(_ufunc))
    if _name not in _COMPARE:
        setattr(Abstract, f"__r{_name}__", _reflected(_ufunc))
        setattr(Abstract, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in _UNARY.items():
    setattr(Abstract, _name, _unary(_ufunc))


# Memory


def fresh(ledger: Ledger, shape: Sequence[int], dtype: Any, like: Any = None) -> Any:
    """Return an array with memory of its own, its dimensions in memory in the order of `like`'s."""
    shape = tuple(int(n) for n in shape)
    dtype = np.dtype(dtype)
    if not shape:
        return scalar(dtype)
    form = form_of(shape, dtype)
    if like is not None and like.shape == shape and not like.flags.c_contiguous:
        order = sorted(range(len(shape)), key=lambda n: -abs(like.strides[n]))
        form = form_of([shape[n] for n in order], dtype).transpose(np.argsort(order))
    return Abstract(form, Memory(ledger, prod(shape) * dtype.itemsize))


# Reductions


def reduced(
    ufunc: Any,
    array: Abstract,
    axis: Any = None,
    *,
    out: Any = None,
    keepdims: bool = False,
    dtype: Any = None,
    **rest: Any,
) -> Any:
    """Return a reduction along axes."""
    if out is not None:
        return out
    axes = range(array.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    over = {a % array.ndim for a in axes}
    shape = [
        1 if n in over else size for n, size in enumerate(array.shape) if keepdims or n not in over
    ]
    kind = reduced_type(ufunc, array.dtype) if dtype is None else dtype
    return fresh(array.memory.ledger, shape, kind)


@lru_cache(maxsize=256)
def reduced_type(ufunc: Any, dtype: Any) -> Any:
    """Return the type of a reduction."""
    return ufunc.reduce(np.ones(1, dtype)).dtype


class _Probe:
    def __add__(self, other: int) -> int:
        return sys.getrefcount(self)


def _references() -> int:
    """Return how many references an operator sees of an operand that no variable holds."""
    return _Probe() + 1


TEMPORARY = _references()

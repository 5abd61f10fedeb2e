"""NumPy's functions on arrays without cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from loopc.backends.numpy.abstract import Abstract, Ledger, fresh, reduced
from loopc.backends.numpy.abstract_shapes import broadcast, scalar, shape_of

# Universal functions


def ufunc_method(
    ledger: Ledger, ufunc: Any, method: str, inputs: Sequence[Any], rest: Mapping[str, Any]
) -> Any:
    """Return what a method of a universal function gives."""
    out = rest.get("out")
    target = out[0] if isinstance(out, tuple) else out
    if method == "at":
        return None
    if method == "reduce":
        array, given = inputs[0], {k: v for k, v in rest.items() if k in ("keepdims", "dtype")}
        return reduced(ufunc, array, rest.get("axis", 0), out=target, **given)
    if target is not None:
        if method == "__call__":
            _count_overlap(ledger, inputs, target)
        return target
    if method == "accumulate":
        array = inputs[0]
        return array.fresh(array.shape, _types(ufunc, (array.dtype, array.dtype))[0])
    if method == "outer":
        shape = (*np.shape(inputs[0]), *np.shape(inputs[1]))
        return fresh(ledger, shape, _types(ufunc, tuple(map(_kind, inputs)))[0])
    assert method == "__call__", (ufunc, method)
    dtype = rest.get("dtype")
    kinds = _types(ufunc, tuple(map(_kind, inputs))) if dtype is None else (np.dtype(dtype),)
    if ufunc.signature is not None:
        return fresh(ledger, _GENERAL[ufunc.__name__](*map(shape_of, inputs)), kinds[0])
    shape = broadcast([shape_of(a) for a in inputs])
    like = _like(inputs, shape)
    made = [fresh(ledger, shape, k, like) for k in kinds]
    known = [a.cells if isinstance(a, Abstract) else a for a in inputs]
    if len(made) == 1 and isinstance(made[0], Abstract) and not any(c is None for c in known):
        made[0].cells = ufunc(*known)
    return made[0] if len(made) == 1 else tuple(made)


def _kind(value: Any) -> Any:
    """Return a type, or Python's for its numbers, which give way to others."""
    if hasattr(value, "dtype"):
        return value.dtype
    return type(value) if type(value) in (int, float, complex) else np.asarray(value).dtype


@lru_cache(maxsize=4096)
def _types(ufunc: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    found = ufunc.resolve_dtypes((*kinds, *[None] * ufunc.nout))
    return tuple(found[-ufunc.nout :])


def _like(inputs: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Return the operand in the order of whose dimensions a result lies in memory."""
    whole = [a.form for a in inputs if isinstance(a, Abstract) and a.shape == shape]
    return whole[0] if whole and not any(f.flags.c_contiguous for f in whole) else None


def _count_overlap(ledger: Ledger, inputs: Sequence[Any], target: Any) -> None:
    """Count the copies of operands that a result is written over, cell by other cell."""
    for each in inputs:
        if not isinstance(each, Abstract) or not isinstance(target, Abstract):
            continue
        same = each.shape == target.shape and each.strides == target.strides
        other = each.memory is target.memory and not same
        if other and np.may_share_memory(each.form, target.form):
            ledger.borrow(each.nbytes)


def _matmul(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    rows = a[-2:-1] if len(a) > 1 else ()
    columns = b[-1:] if len(b) > 1 else ()
    return (*broadcast([a[:-2], b[:-2]]), *rows, *columns)


_GENERAL: dict[str, Callable[..., tuple[int, ...]]] = {
    "matmul": _matmul,
    "vecdot": lambda a, b: broadcast([a, b])[:-1],
    "matvec": lambda a, b: (*broadcast([a[:-2], b[:-1]]), a[-2]),
    "vecmat": lambda a, b: (*broadcast([a[:-1], b[:-2]]), b[-1]),
}
"""The shapes of products."""


# Functions


def function(ledger: Ledger, func: Any, args: Sequence[Any], rest: Mapping[str, Any]) -> Any:
    """Return what a function of NumPy's gives."""
    if func.__name__ in _REDUCTIONS:
        return getattr(args[0], func.__name__)(*args[1:], **rest)
    known = _FUNCTIONS.get(func)
    assert known is not None, f"{func} on arrays without cells"
    return known(ledger, *args, **rest)


_REDUCTIONS = ("sum", "max", "min", "prod", "any", "all", "argmax", "argmin")
_SAME = ("transpose", "swapaxes", "squeeze", "reshape", "ravel", "copy")


def _where(ledger: Ledger, *args: Any) -> Any:
    dtype = np.result_type(*(_plain(a) for a in args[1:]))
    shape = broadcast([shape_of(a) for a in args])
    return fresh(ledger, shape, dtype, _like(args, shape))


def _plain(value: Any) -> Any:
    return value.dtype if isinstance(value, Abstract) else value


def _result_type(ledger: Ledger, *args: Any) -> Any:
    return np.result_type(*map(_plain, args))


def _copyto(ledger: Ledger, target: Any, value: Any, **rest: Any) -> None:
    return None


def _broadcast_to(ledger: Ledger, array: Any, shape: Any, **rest: Any) -> Any:
    cells = None if array.cells is None else np.broadcast_to(array.cells, shape)
    return array.seen(_spread(array.form, shape), cells)


def _spread(form: Any, shape: Any) -> Any:
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    steps = [0] * (len(shape) - form.ndim)
    steps += [
        s if n == m else 0
        for n, m, s in zip(form.shape, shape[len(steps) :], form.strides, strict=True)
    ]
    return np.lib.stride_tricks.as_strided(form, shape, steps)


def _broadcast_arrays(ledger: Ledger, *args: Any) -> tuple[Any, ...]:
    shape = broadcast([shape_of(a) for a in args])
    return tuple(
        _broadcast_to(ledger, a, shape) if isinstance(a, Abstract) else np.broadcast_to(a, shape)
        for a in args
    )


def _like_of(ledger: Ledger, array: Any, *args: Any, dtype: Any = None, **rest: Any) -> Any:
    return array.fresh(rest.get("shape") or array.shape, dtype or array.dtype, array.form)


def _take(ledger: Ledger, array: Any, at: Any, axis: int | None = None, **rest: Any) -> Any:
    own = array.shape if axis is not None else (array.size,)
    axis = (axis or 0) % len(own)
    return array.fresh((*own[:axis], *shape_of(at), *own[axis + 1 :]))


def _take_along_axis(ledger: Ledger, array: Any, at: Any, axis: int = -1) -> Any:
    axis %= array.ndim
    own = [at.shape[n] if n == axis else max(at.shape[n], m) for n, m in enumerate(array.shape)]
    ledger.borrow(at.nbytes * 2)
    return array.fresh(own)


def _positions(ledger: Ledger, array: Any, *args: Any, **rest: Any) -> Any:
    return array.fresh(array.shape, np.intp)


def _row_of_positions(ledger: Ledger, array: Any, *args: Any, **rest: Any) -> Any:
    return array.fresh((array.size,), np.intp)


def _same_shape(ledger: Ledger, array: Any, *args: Any, **rest: Any) -> Any:
    return array.fresh(array.shape)


def _diff(ledger: Ledger, array: Any, **rest: Any) -> Any:
    ends = sum(1 for k in ("prepend", "append") if k in rest)
    if ends:
        ledger.borrow(2 * array.nbytes)
    return array.fresh((*array.shape[:-1], max(array.shape[-1] + ends - 1, 0)))


def _repeat(ledger: Ledger, array: Any, repeats: Any, **rest: Any) -> Any:
    """Repeat cells, as often as is known, else once."""
    if isinstance(repeats, Abstract):
        count = array.size if repeats.cells is None else int(repeats.cells.sum())
    else:
        count = array.size * int(repeats)
    return fresh(ledger, (count,), array.dtype)


def _cumsum(ledger: Ledger, array: Any, axis: Any = None, **rest: Any) -> Any:
    return array.fresh(array.shape if axis is not None else (array.size,))


def _bincount(ledger: Ledger, array: Any, *args: Any, minlength: int = 1, **rest: Any) -> Any:
    dtype = args[0].dtype if args else np.intp
    return fresh(ledger, (max(minlength, 1),), np.float64 if args else dtype)


def _moveaxis(ledger: Ledger, array: Any, *args: Any) -> Any:
    return array.seen(np.moveaxis(array.form, *args))


def _clip(ledger: Ledger, array: Any, *args: Any, **rest: Any) -> Any:
    out = rest.get("out")
    shape = broadcast([shape_of(a) for a in (array, *args) if a is not None])
    return fresh(ledger, shape, _plain(array)) if out is None else out


def _einsum(ledger: Ledger, equation: str, *args: Any, out: Any = None, **rest: Any) -> Any:
    if out is not None:
        return out
    inputs, output = equation.split("->")
    sizes: dict[str, int] = {}
    for letters, array in zip(inputs.split(","), args, strict=True):
        for letter, n in zip(letters, shape_of(array), strict=True):
            sizes[letter] = max(n, sizes.get(letter, n)) if n else 0
    dtype = np.result_type(*(_plain(a) for a in args))
    return fresh(ledger, [sizes[x] for x in output], dtype)


def _vdot(ledger: Ledger, a: Any, b: Any) -> Any:
    for each in (a, b):
        if not each.flags.c_contiguous:
            ledger.borrow(each.nbytes)
    return scalar(np.result_type(_plain(a), _plain(b)))


def _dot(ledger: Ledger, a: Any, b: Any, out: Any = None) -> Any:
    dtype = np.result_type(_plain(a), _plain(b))
    left, right = shape_of(a), shape_of(b)
    shape = (*left[:-1], *right[:-2], *(right[-1:] if len(right) > 1 else ()))
    return fresh(ledger, shape, dtype) if out is None else out


def _concatenate(ledger: Ledger, arrays: Any, axis: int = 0, **rest: Any) -> Any:
    shape = list(shape_of(arrays[0]))
    shape[axis] = sum(shape_of(a)[axis] for a in arrays)
    return fresh(ledger, shape, np.result_type(*map(_plain, arrays)))


def _stack(ledger: Ledger, arrays: Any, axis: int = 0, **rest: Any) -> Any:
    shape = list(shape_of(arrays[0]))
    shape.insert(axis % (len(shape) + 1), len(arrays))
    return fresh(ledger, shape, np.result_type(*map(_plain, arrays)))


def _flip(ledger: Ledger, array: Any, axis: Any = None) -> Any:
    return array.seen(np.flip(array.form, axis))


def _expand_dims(ledger: Ledger, array: Any, axis: Any) -> Any:
    return array.seen(np.expand_dims(array.form, axis))


def _shares(ledger: Ledger, a: Any, b: Any, **rest: Any) -> bool:
    return isinstance(a, Abstract) and isinstance(b, Abstract) and a.memory is b.memory


def _method(name: str) -> Callable[..., Any]:
    def call(ledger: Ledger, array: Any, *args: Any, **rest: Any) -> Any:
        return getattr(array, name)(*args, **rest)

    return call


def _mean(ledger: Ledger, array: Any, axis: Any = None, **rest: Any) -> Any:
    return array.sum(axis, **rest)


_FUNCTIONS: dict[Any, Any] = {
    np.where: _where,
    np.result_type: _result_type,
    np.copyto: _copyto,
    np.broadcast_to: _broadcast_to,
    np.broadcast_arrays: _broadcast_arrays,
    np.zeros_like: _like_of,
    np.empty_like: _like_of,
    np.ones_like: _like_of,
    np.full_like: _like_of,
    np.take: _take,
    np.take_along_axis: _take_along_axis,
    np.argsort: _positions,
    np.flatnonzero: _row_of_positions,
    np.sort: _same_shape,
    np.diff: _diff,
    np.repeat: _repeat,
    np.cumsum: _cumsum,
    np.cumprod: _cumsum,
    np.bincount: _bincount,
    np.moveaxis: _moveaxis,
    np.clip: _clip,
    np.round: _clip,
    np.einsum: _einsum,
    np.vdot: _vdot,
    np.dot: _dot,
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.flip: _flip,
    np.expand_dims: _expand_dims,
    np.mean: _mean,
    np.shares_memory: _shares,
    np.may_share_memory: _shares,
} | {getattr(np, name): _method(name) for name in _SAME}
"""What a generated module calls."""

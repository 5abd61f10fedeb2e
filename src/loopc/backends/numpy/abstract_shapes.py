"""Shapes and strides of arrays without cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np


def scalar(dtype: Any) -> Any:
    """Return the number that stands for a value of a type."""
    return dtype.type(dtype.kind == "b")


@lru_cache(maxsize=64)
def _cell(dtype: Any) -> Any:
    return np.zeros(1, dtype)


def form_of(shape: Sequence[int], dtype: Any, strides: Sequence[int] | None = None) -> Any:
    """Return an array of a shape and type that has no memory: no cell of it may be read."""
    dtype = np.dtype(dtype)
    if strides is None:
        strides = row_major(shape, dtype.itemsize)
    return np.lib.stride_tricks.as_strided(_cell(dtype), tuple(shape), tuple(strides))


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an array, with cells or without, or of a number."""
    return value.shape if hasattr(value, "shape") else np.shape(value)


def row_major(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return the strides of an array whose last dimension is the fastest."""
    strides: list[int] = []
    step = itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def reshaped(form: Any, shape: Any) -> Any:
    """Return a view of another shape; None if that needs a copy."""
    try:
        return np.reshape(form, shape, copy=False)
    except TypeError:  # NumPy 2.0
        view = form.view()
        try:
            view.shape = shape
        except AttributeError:
            return None
        return view
    except ValueError:
        return None


def broadcast(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape that arrays of several shapes have together."""
    first = shapes[0]
    return first if all(s == first for s in shapes) else np.broadcast_shapes(*shapes)


def _is_index_array(item: Any) -> bool:
    return isinstance(item, list) or (hasattr(item, "dtype") and hasattr(item, "strides"))


def is_advanced(key: Any) -> bool:
    """Whether a subscript holds index arrays."""
    return any(map(_is_index_array, key)) if isinstance(key, tuple) else _is_index_array(key)


def picked(shape: tuple[int, ...], key: Any) -> tuple[tuple[int, ...], list[int], int]:
    """Return the shape of what index arrays take: their own, the other axes, how many are before.

    All places of a mask are taken to hold.
    """
    items = list(key) if isinstance(key, tuple) else [key]
    taken = sum(_dimensions(i) for i in items)
    rest: list[Any] = [slice(None)] * (len(shape) - taken)
    if any(i is Ellipsis for i in items):
        at = next(n for n, i in enumerate(items) if i is Ellipsis)
        items[at : at + 1] = rest
    else:
        items += rest
    axis = 0
    found: list[int] = []
    together: list[tuple[int, ...]] = []
    places: list[int] = []
    for number, item in enumerate(items):
        if item is None:
            found.append(1)
        elif isinstance(item, slice):
            found.append(len(range(*item.indices(shape[axis]))))
        else:
            if not places:
                start = len(found)
            places.append(number)
            together.append(_index_shape(item))
        axis += _dimensions(item)
    if places[-1] - places[0] + 1 > len(places):
        start = 0
    return broadcast(together), found, start


def _dimensions(item: Any) -> int:
    """Return the number of dimensions that an index takes."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if _is_mask(item) else 1


def _index_shape(item: Any) -> tuple[int, ...]:
    if _is_mask(item):
        return (item.size,)
    return shape_of(item)


def _is_mask(item: Any) -> bool:
    return hasattr(item, "dtype") and item.dtype.kind == "b" and item.ndim > 0

"""Functions that a generated module defines to read at computed places."""

from __future__ import annotations

GATHER_HELPERS = {
    "_gather": '''\
def _gather(a, index):
    """Return a[index]; of an array without cells 0, which stands for what is outside."""
    if a.size:
        return a[index]
    shape = [n if isinstance(i, slice) else 1 for i, n in zip(index, a.shape)]
    index = tuple(i if isinstance(i, slice) else np.zeros_like(i) for i in index)
    return np.zeros(shape, a.dtype)[index]
''',
    "_along": '''\
def _along(a, axis, rows, few=1 << 15):
    """Return the cells of an array at places of an axis; places that go up by one are slices.

    An array without cells has zeros, which stand for what is outside.
    """
    before = (slice(None),) * axis
    shape = (*a.shape[:axis], *rows.shape, *a.shape[axis + 1 :])
    if not a.size:
        return np.zeros(shape, a.dtype)
    if a.size < few or rows.ndim > 1 or not rows.size:
        return a.take(rows, axis) if a.flags.c_contiguous else a[(*before, rows)]
    rows = rows.astype(np.intp, copy=False)
    ends = np.flatnonzero(rows[1:] - rows[:-1] != 1).tolist()
    if 8 * len(ends) > len(rows):
        return np.take(a, rows, axis)
    found = np.empty(shape, a.dtype)
    first = 0
    for last in (*ends, len(rows) - 1):
        low, count = int(rows[first]), last + 1 - first
        if not 0 <= low <= a.shape[axis] - count:
            return a[(*before, rows)]
        found[(*before, slice(first, last + 1))] = a[(*before, slice(low, low + count))]
        first = last + 1
    return found
''',
    "_crossed": '''\
def _crossed(a, axes, rows):
    """Return the cells at places of axes, each of its own: those of the axis with the fewest first.

    Where that copies far more than is left, those of neighbouring axes are looked up together.
    """
    order = sorted(zip(axes, rows), key=lambda own: len(own[1]) / max(a.shape[own[0]], 1))
    sizes = [a.size]
    for axis, at in order:
        sizes.append(sizes[-1] // max(a.shape[axis], 1) * len(at))
    if max(sizes[1:-1]) > 4 * sizes[-1] + 4096 and axes[-1] - axes[0] < len(axes):
        return a[(slice(None),) * axes[0] + np.ix_(*rows)]
    for axis, at in order:
        a = _along(a, axis, at)
    return a
''',
    "_picked": '''\
def _picked(a, rows, parts=()):
    """Return a[rows, *parts]: whole rows of an array without gaps are taken in less time."""
    whole = all(p.indices(n) == (0, n, 1) for p, n in zip(parts, a.shape[1:]))
    if whole and a.flags.c_contiguous and rows.dtype.kind == "i":
        return np.take(a, rows, axis=0)
    return a[(rows, *parts)]
''',
    "_cells": '''\
def _cells(a, places, few=256):
    """Return a[places], with all cells behind these axes: of many by their number in the array."""
    first, *others = places
    if first.size < few or not a.flags.c_contiguous:
        return a[places]
    row = first.astype(np.intp, copy=False)
    for place, extent in zip(others, a.shape[1:]):
        row = row * extent + place
    return np.take(a.reshape(-1, *a.shape[len(places) :]), row, axis=0)
''',
    "_at": '''\
def _at(a, index):
    """Return a[index] for numbers and slices: zeros if one of the numbers is outside."""
    for i, n in zip(index, a.shape):
        if not isinstance(i, slice) and not 0 <= i < n:
            parts = zip(index, a.shape)
            shape = [len(range(*i.indices(n))) for i, n in parts if isinstance(i, slice)]
            return np.zeros(shape, a.dtype)[()]
    return a[index]
''',
    "_take": '''\
def _take(a, at, axis):
    """Return the cells `at` along an axis; at a position outside, any cell."""
    at = np.asarray(at)
    if not a.shape[axis]:
        a = np.zeros((*a.shape[:axis], 1, *a.shape[axis + 1:]), a.dtype)
    at = np.clip(at, 0, a.shape[axis] - 1)
    return np.take_along_axis(a, at, axis) if at.ndim == a.ndim > 1 else np.take(a, at, axis)
''',
}

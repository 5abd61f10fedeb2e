"""Functions that a generated module defines for cells beside an index, with others at the edges."""

from __future__ import annotations

EDGE_HELPERS = {
    "_edges": '''\
def _edges(extent, start, stop, mode, most=16):
    """Return the cells at start, ..., stop - 1 of an axis, and slices of places and cells, if few.

    Places outside have cells inside; those of a slice go up by one.
    """
    key = extent, start, stop, mode
    found = _KNOWN_EDGES.get(key)
    if found is None:
        at = np.arange(start, stop)
        if mode == "wrap":
            at = np.mod(at, extent)
        elif mode == "clamp":
            at = np.clip(at, 0, extent - 1)
        else:
            at = _reflect(at, extent)
        ends = [0, *(np.flatnonzero(np.diff(at) != 1)[:most] + 1).tolist(), at.size]
        pieces = zip(ends, ends[1:], at[ends[:-1]].tolist()) if 1 < len(ends) <= most + 1 else ()
        found = at, [(slice(p, q), slice(cell, cell + q - p)) for p, q, cell in pieces if p < q]
        while len(_KNOWN_EDGES) > 255:
            _KNOWN_EDGES.pop(next(iter(_KNOWN_EDGES), None), None)
        _KNOWN_EDGES[key] = found
    return found


_KNOWN_EDGES = {}
''',
    "_moved": '''\
def _moved(a, axis, start, stop, mode):
    """Return the cells of an array at start, ..., stop - 1 of an axis, past its edges as well.

    An array without cells has zeros, which stand for what is outside.
    """
    shape = (*a.shape[:axis], max(stop - start, 0), *a.shape[axis + 1 :])
    if not a.size or stop <= start:
        return np.zeros(shape, a.dtype)
    before = (slice(None),) * axis
    cells, runs = _edges(a.shape[axis], start, stop, mode)
    if not runs:
        return np.take(a, cells, axis)
    found = np.empty(shape, a.dtype)
    for places, where in runs:
        found[(*before, places)] = a[(*before, where)]
    return found
''',
    "_add_moved": '''\
def _add_moved(ufunc, a, axis, start, stop, mode, value):
    """Set cells at start, ..., stop - 1 of an axis to their ufunc with a value, one by one."""
    shape = (*a.shape[:axis], max(stop - start, 0), *a.shape[axis + 1 :])
    if 0 in shape:
        return
    before = (slice(None),) * axis
    cells, runs = _edges(a.shape[axis], start, stop, mode)
    if not runs:
        _scatter(ufunc, a, (*before, cells, *(slice(None),) * (a.ndim - axis - 1)), value)
        return
    if getattr(value, "shape", ()) != shape:
        value = np.broadcast_to(value, shape)
    for places, where in runs:
        part = a[(*before, where)]
        ufunc(part, value[(*before, places)], out=part)
''',
}

"""Functions that a generated module defines to write through index arrays."""

from __future__ import annotations

SCATTER_HELPERS = {
    "_scatter": '''\
def _scatter(ufunc, a, index, value, few=1024, some=1 << 15, long=1024, loop=64):
    """Set a[index] = ufunc(a[index], value), cells that come again one after the other."""
    axes = [n for n, i in enumerate(index) if not isinstance(i, slice)]
    arrays = [np.asarray(index[n]) for n in axes]
    if a.ndim > 1 and a.size <= few and all(i.size <= 64 for i in arrays):
        ufunc.at(a, index, value)
        return
    at = np.broadcast_shapes(*(i.shape for i in arrays))
    cells = a[tuple(i if isinstance(i, slice) else slice(None) for i in index)]
    cells = np.moveaxis(cells, axes, range(len(axes)))
    rest = cells.shape[len(axes) :]
    if 0 in (*at, *rest):
        return
    first = axes[0] if axes[-1] - axes[0] < len(axes) else 0
    given = np.broadcast_to(value, rest[:first] + at + rest[first:])
    value = np.moveaxis(given, range(first, first + len(at)), range(len(at)))
    if len(arrays) == 1:
        arrays, at = [arrays[0].ravel()], (arrays[0].size,)
    runs = _runs(arrays, len(at)) if cells.ndim > 1 else ()
    if runs:
        value = value.reshape((*at, *rest))
        for places, where in runs:
            ufunc(cells[where], value[places], out=cells[(*where, ...)])
        return
    width, flat = cells[(0,) * len(axes)].size, cells
    if cells.flags.c_contiguous:
        row = arrays[0].astype(np.intp, copy=False)
        for more, extent in zip(arrays[1:], cells.shape[1:]):
            row = row * extent + more
        row = row.ravel()
        if _adds_rows(ufunc, cells.reshape(-1, width), row, value.reshape(-1, *rest)):
            return
        start, within = row * width, np.arange(width)
    elif width < long:
        flat = a.transpose(np.argsort([-s for s in a.strides], kind="stable"))
        start, within = _cells_at(a, index, first)
        value = given
    if flat.flags.c_contiguous:
        value, block = value.reshape(start.size, within.size), max(1, some // within.size)
        for low in range(0, start.size, block):
            part = slice(low, low + block)
            ufunc.at(flat.reshape(-1), (start[part, None] + within).ravel(), value[part].ravel())
        return
    value = value.reshape(-1, *rest)
    arrays = [i.ravel() for i in np.broadcast_arrays(*arrays)]
    if width >= loop:
        for where, terms in zip(zip(*(i.tolist() for i in arrays)), value):
            ufunc(cells[where], terms, out=cells[(*where, ...)])
    else:
        ufunc.at(cells, tuple(arrays), value)


def _cells_at(a, index, first):
    """Return where the cells a[index] are in memory, as two arrays, of which each two are added.

    One has the first axes of slices, or those of the index arrays if there are none.
    """
    steps = [s // a.itemsize for s in a.strides]
    own = [np.arange(n)[i] * s for i, n, s in zip(index, a.shape, steps) if isinstance(i, slice)]
    arrays = [(i, s) for i, s in zip(index, steps) if not isinstance(i, slice)]
    where = sum(np.asarray(i).astype(np.intp) * s for i, s in arrays)
    found = []
    for parts in ((own[:first] or [where]), [where, *own[first:]][not first :]):
        total = np.zeros(1, np.intp)
        for part in parts:
            total = (total[:, None] + part.ravel()).ravel()
        found.append(total)
    return found


def _adds_rows(ufunc, cells, row, value, wide=32, many=1 << 18, each=4096, part=1 << 17):
    """Set cells[row] = ufunc(cells[row], value) for long rows, if they are worth sorting.

    Rows that come equally often are taken together: their terms are reduced first.
    """
    width = cells.shape[1]
    exact = ufunc in (np.add, np.maximum, np.minimum) and cells.dtype == value.dtype
    if not exact or width < wide or value.size < many:
        return False
    small = len(cells) <= 1 << 16  # NumPy sorts 16 bits by counting
    order = np.argsort(row.astype(np.uint16), kind="stable") if small else np.argsort(row)
    row, value = row[order], value.reshape(-1, width)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    counts = np.diff(first, append=row.size)
    times = np.flatnonzero(np.bincount(counts)).tolist()
    if each * len(times) > value.size:
        return False
    for count in times:
        starts, block = first[counts == count], max(1, part // (count * width))
        for low in range(0, starts.size, block):
            at = starts[low : low + block]
            terms = np.take(value, order[(at[:, None] + np.arange(count)).ravel()], axis=0)
            if count > 1:
                terms = terms.reshape(at.size, count, width)
                terms = ufunc.reduce(terms, axis=1, dtype=terms.dtype)
            cells[row[at]] = ufunc(cells[row[at]], terms, out=terms)
    return True


def _runs(arrays, rank):
    """Return places in index arrays of a common rank, and the cells there, as tuples of slices.

    There are none where the arrays do not move along axes of their own, one after the other, or
    not in a few runs of equal steps.
    """
    runs, before = [({}, ())], -1
    for at in arrays:
        axis = [d + rank - at.ndim for d, n in enumerate(at.shape) if n > 1]
        steps = [(0, int(at.flat[0]))]
        if axis:
            steps = _steps(at.ravel().astype(np.int64)) if [before] < axis[:1] == axis else []
            before = axis[0]
        runs = [
            ({**places, **dict.fromkeys(axis, place)}, (*cells, cell))
            for places, cells in runs
            for place, cell in steps
        ]
    return [(tuple(places.get(d, 0) for d in range(rank)), cells) for places, cells in runs]


def _steps(at, most=8):
    """Return slices of places in an index array and of the cells there; none if they are many.

    A cell that comes again is in a later slice.
    """
    moves = np.diff(at)
    ends = [0, *(np.flatnonzero(moves != 1)[:most] + 1).tolist(), at.size]
    if len(ends) <= most + 1:
        pieces = zip(ends, ends[1:], at[ends[:-1]].tolist())
        return [(slice(p, q), slice(cell, cell + q - p)) for p, q, cell in pieces]
    if np.count_nonzero(np.abs(moves) > 8) > most:
        return []
    order, number = np.argsort(at, kind="stable"), np.arange(at.size)
    again = np.diff(at[order], prepend=-1) == 0
    times = np.empty_like(number)
    times[order] = number - np.maximum.accumulate(np.where(again, 0, number))
    steps = []
    for time in range(times.max() + 1):
        places = np.flatnonzero(times == time)
        both = np.stack([places, at[places]])
        turns = np.flatnonzero(np.diff(both, 2).any(axis=0)) + 1
        first, end = 0, places.size - 1
        while first <= end:
            if len(steps) == most:
                return []
            last = next((t for t in turns.tolist() if t > first), end)
            by = both[:, first + 1] - both[:, first] if last > first else np.ones(2, int)
            ends = zip(both[:, first].tolist(), both[:, last].tolist(), by.tolist())
            steps.append([slice(p, None if q + d < 0 else q + d, d) for p, q, d in ends])
            first = last + 1
    return steps
''',
}

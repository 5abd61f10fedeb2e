"""NumPy source of what nests that run plane by plane call: the tables of a plane's places."""

from __future__ import annotations

PLANE_HELPERS = {
    "_planes": '''\
def _planes(counts, weights, strides, starts=(), limit=1 << 18):
    """Yield the lowest place and the places of each plane's points above it, for sets of strides.

    That is for as many steps of the outer loop at a time as have at most `limit` points.

    Args:
        counts: of the values of the three loops.
        weights: what each of these counts in the number of a plane.
        strides: from one cell to the next along each of the loops.
        starts: sets of several first cells, the number of the strides from them on, and the axis
            of the cells: 0, places have a row for each; 1, all cells of each point are one row.
        limit: the number of places that are made at a time.
    """
    steps, *inner = counts
    points = inner[0] * inner[1]
    block = max(1, limit // max(points, 1))
    made = None
    for first in range(0, steps if points else 0, block):
        shape = (min(block, steps - first), *inner)
        if shape != made:
            made, key = shape, (shape, weights, strides, starts)
            lows, tables, rows = _KNOWN_PLACES.get(key) or _places(*key, limit)
            moves = [s[0] for s in strides] + [strides[number][0] for number, _, _ in starts]
        late = [_spread(tables[k], cells, axis) for k, cells, axis in rows]
        yield [low + first * move for low, move in zip(lows, moves)], zip(*tables, *late)


def _places(shape, weights, strides, starts, limit):
    """Return lowest places, places, and what is still to be added to these for several starts.

    The last tables are remembered, unless they are large.
    """
    axes = [np.arange(n).reshape(a) for n, a in zip(shape, ((-1, 1, 1), (-1, 1), -1))]
    number = sum(w * x for w, x in zip(weights, axes)).ravel()
    short = number.astype(np.uint16) if number[-1] < 1 << 16 else number
    order = np.argsort(short, kind="stable")
    ends = np.cumsum(np.bincount(number)).tolist()
    tables, lows = [], []
    for each in strides:
        lows.append(sum(min(0, s * (n - 1)) for s, n in zip(each, shape)))
        place = (sum(s * x for s, x in zip(each, axes)) - lows[-1]).ravel()[order]
        tables.append([place[a:b] for a, b in zip([0, *ends], ends)])
    lows += [lows[k] + min(cells) for k, cells, _ in starts]
    rows = [(k, np.array(cells) - min(cells), axis) for k, cells, axis in starts]
    if len(number) * (len(strides) + sum(len(cells) for _, cells, _ in rows)) <= 2 * limit:
        tables += [list(_spread(tables[k], cells, axis)) for k, cells, axis in rows]
        rows = []
        while len(_KNOWN_PLACES) > 3:
            _KNOWN_PLACES.pop(next(iter(_KNOWN_PLACES), None), None)
        _KNOWN_PLACES[shape, weights, strides, starts] = lows, tables, rows
    return lows, tables, rows


def _spread(table, cells, axis):
    """Yield the places of several cells of each point: a row for each cell, or all in one row."""
    for at in table:
        yield (at[:, None] + cells).ravel() if axis else cells[:, None] + at


_KNOWN_PLACES = {}
''',
}

"""NumPy source of recurrences along an axis: accumulations, and linear ones in blocks of steps."""

from __future__ import annotations

SCAN_HELPERS = {
    "_running": '''\
def _running(ufunc, a, axis, limit=256):
    """Let every cell of an array along an axis be its ufunc with the new one before it."""
    a = a.swapaxes(axis, 0)
    if a.size <= limit * len(a):
        ufunc.accumulate(a, axis=0, out=a)
        return
    before = a[0]
    for row in a[1:]:
        before = ufunc(before, row, out=row)
''',
    "_scan": '''\
def _scan(a, axis, factor):
    """Let every cell of an array along an axis grow by a factor times the new one before it.

    In blocks of steps; where that is not finite, all steps run in order.
    """
    a = a.swapaxes(axis, 0)
    shape = (len(a) - 1, *a.shape[1:])
    factor = np.asarray(factor, a.dtype)
    factor = factor.reshape((1,) * (a.ndim - factor.ndim) + factor.shape).swapaxes(axis, 0)
    factor = np.broadcast_to(factor, shape)
    before = a.copy()
    _grow(a, factor)
    if not np.isfinite(a).all():
        a[...] = before
        _grow(a, factor, len(a))


def _grow(a, factor, width=8):
    """Let a[k + 1] grow by factor[k] a[k], one after the other: in blocks of `width` steps.

    These run side by side, each from 0. What is before a block comes to its cells by products of
    the factors: to the last ones first, which are a row of fewer steps.
    """
    count = len(factor) // width
    done = count * width if count > 1 else 0
    if done:
        cells = a[1 : done + 1].reshape(count, width, *a.shape[1:])
        by = factor[:done].reshape(cells.shape)
        products = by[: 1 if factor.strides[0] == 0 else count].copy()
        term = np.empty_like(cells[:, 0])
        for k in range(1, width):
            np.multiply(by[:, k], cells[:, k - 1], out=term)
            np.add(cells[:, k], term, out=cells[:, k])
            np.multiply(products[:, k], products[:, k - 1], out=products[:, k])
        ends = a[: done + 1 : width]
        _grow(ends, np.broadcast_to(products[:, -1], term.shape), width)
        cells[:, :-1] += products[:, :-1] * ends[:-1, None]
    for k in range(done, len(factor)):
        np.add(a[k + 1 : k + 2], factor[k : k + 1] * a[k : k + 1], out=a[k + 1 : k + 2])
''',
}

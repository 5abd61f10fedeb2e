"""NumPy source of what strips of triangles need in generated modules."""

from __future__ import annotations

STRIP_HELPERS = {
    "_strip": '''\
def _strip(rows, cells, least=64, each=1 << 16, most=16, unit=16):
    """Return how many rows a strip takes of a triangle whose full square has so many cells.

    More than 16 strips would leave out few cells more; few rows are no strips for BLAS.
    """
    count = max(1, min(rows // least, cells // each, most))
    strip = -(-rows // count)
    return min(rows, -(-strip // unit) * unit) or 1
''',
    "_fitting": '''\
def _fitting(memory, *shape):
    """Return an array without gaps in memory that has room for it."""
    cells = 1
    for count in shape:
        cells *= count
    return memory.reshape(-1)[:cells].reshape(shape)
''',
    "_bounded": '''\
def _bounded(*products):
    """Return whether the product of the arrays' norms is no large number, for each of some.

    Then what is multiplied with 0 outside of a triangle is finite: a sum of products is at most
    the product of norms, by Cauchy and Schwarz.
    """
    norms = {}
    for arrays in products:
        size = 1.0
        for a in arrays:
            if id(a) not in norms:
                norms[id(a)] = float(_vdot(a, a)) ** 0.5
            size *= norms[id(a)]
        if not size < min(float(np.finfo(a.dtype).max) for a in arrays) ** 0.5:
            return False
    return True
''',
}

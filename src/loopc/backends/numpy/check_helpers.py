"""NumPy source of the checks of generated modules: of shapes, sizes, and places."""

from __future__ import annotations

CHECK_HELPERS = {
    "_inside": '''\
def _inside(index, extent, place, mask=None):
    """Return integer indices, all of which must be in 0 .. extent - 1 where a mask holds."""
    index = np.asarray(index)
    if mask is not None:
        index = np.where(mask, index, 0)
    if mask is None and not index.ndim:
        fine = 0 <= int(index) < extent
    elif index.dtype == np.int64:  # without a sign, what is below 0 is large
        fine = not index.size or index.view(np.uint64).max() < extent
    else:
        fine = not index.size or (index.min() >= 0 and index.max() < extent)
    if not fine:
        bad = (index < 0) | (index >= extent)
        bad = index[bad if mask is None else bad & mask]
        if bad.size:
            raise IndexError(f"L0231: {place}: {bad.flat[0]} is outside 0 .. {extent - 1}")
    return index
''',
    "_integer": '''\
def _integer(x, place):
    """Return floats as integers, rounded towards zero."""
    x = np.asarray(x)
    good = np.abs(x) < 2**62
    if not good.all():
        raise IndexError(f"L0233: {place}: {x[~good].flat[0]} is not an integer")
    return x.astype(np.int64)
''',
    "_exponent": '''\
def _exponent(x, place):
    """Return integers that an integer is raised to, none of which may be negative."""
    x = np.asarray(x)
    bad = x[x < 0]
    if bad.size:
        why = f"an integer to the power {bad.flat[0]} is not an integer"
        raise IndexError(f"L0233: {place}: {why}")
    return x
''',
    "_require": '''\
def _require(low, high, extent, counts, place):
    """Check that an access stays inside for the sizes of this call."""
    if min(counts, default=1) > 0 and (low < 0 or high >= extent):
        raise IndexError(f"L0211: {place}: runs from {low} to {high}, outside 0 .. {extent - 1}")
''',
    "_shape": '''\
def _shape(name, array, expected):
    """Check the shape of an input."""
    if array.shape != expected:
        raise ValueError(f"L0208: {name} must have shape {expected}, not {array.shape}")
''',
    "_fit": '''\
def _fit(given, expected, place):
    """Check the size of an argument of a def."""
    if given != expected:
        raise ValueError(f"L0214: {place} is {given} long, not {expected}")
''',
    "_checked": '''\
def _checked(index, extent, place):
    """Return an index, which must be in 0 .. extent - 1."""
    if not 0 <= index < extent:
        raise IndexError(f"L0231: {place}: {index} is outside 0 .. {extent - 1}")
    return index
''',
}

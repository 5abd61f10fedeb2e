"""NumPy source of what generated modules call: reductions, views, checks."""

from __future__ import annotations

import re

from loopc.backends.numpy.check_helpers import CHECK_HELPERS
from loopc.backends.numpy.edge_helpers import EDGE_HELPERS
from loopc.backends.numpy.gather_helpers import GATHER_HELPERS
from loopc.backends.numpy.plane_helpers import PLANE_HELPERS
from loopc.backends.numpy.scan_helpers import SCAN_HELPERS
from loopc.backends.numpy.scatter_helpers import SCATTER_HELPERS
from loopc.backends.numpy.strip_helpers import STRIP_HELPERS
from loopc.backends.numpy.thread_helpers import THREAD_HELPERS

HELPERS = {
    **CHECK_HELPERS,
    **EDGE_HELPERS,
    **GATHER_HELPERS,
    **PLANE_HELPERS,
    **SCAN_HELPERS,
    **SCATTER_HELPERS,
    **STRIP_HELPERS,
    **THREAD_HELPERS,
    "_keep_pages": '''\
def _keep_pages(size=(1 << 25) - (1 << 14)):
    """Let malloc keep memory that is freed: new pages cost as much as the operations on them.

    glibc maps no blocks that are smaller than the largest one that it freed, and gives nothing
    back but from twice as much on; 32 MB are the most that count.
    """
    import ctypes
    import sys

    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        libc.free(libc.malloc(size))
''',
    "_part": '''\
def _part(a, index):
    """Return the slice a[index]; one without cells if a place in it is outside."""
    if all(isinstance(i, slice) or 0 <= i < n for i, n in zip(index, a.shape)):
        return a[index]
    return np.empty([0] * max(1, sum(isinstance(i, slice) for i in index)), a.dtype)
''',
    "_numbers": '''\
def _numbers(loop, sizes, read, kept, apart, types, functions, bits):
    """Run a loop on Python numbers; where these would raise or have no such type, on NumPy's.

    A float32 becomes a float64 when it is read and is rounded when it is stored.
    """
    import math
    from array import array

    read, kept = [[np.asarray(a) for a in arrays] for arrays in (read, kept)]
    arrays = [*read, *kept, *apart]
    plain = all(a.dtype in (np.float64, np.float32, np.int64, np.bool_) for a in arrays)
    for a in arrays if plain and bits else ():
        if a.dtype == np.int64 and a.size:
            plain = plain and -(2**bits) < a.min() and a.max() < 2**bits

    def rows(a):
        if a.ndim < 2:
            return array("f", a.tobytes()) if a.dtype == np.float32 else a.tolist()
        return [rows(row) for row in a]

    if plain:
        given = [a.tolist() for a in read]
        cells = [rows(a.reshape(a.shape or (1,))) for a in kept]
        given += [*cells, *apart, *(a.item for a in apart)]
        given += [{"f": float, "i": int, "b": bool}[t.kind] for t in types]
        given += [getattr(math, name) for name, _ in functions]
        given += [2**bits] * (bits > 0)
        try:
            loop(*sizes, *given)
        except (ArithmeticError, ValueError):
            plain = False
    if not plain:
        given = [a[()] for a in read]
        cells = [a.reshape(a.shape or (1,)).copy() for a in kept]
        given += [*cells, *apart, *((lambda *at, a=a: a[at]) for a in apart)]
        given += [t.type for t in types]
        given += [getattr(np, name) for _, name in functions]
        given += [math.inf] * (bits > 0)
        loop(*sizes, *given)
    for a, new in zip(kept, cells):
        if a.size and a.ndim:
            a[...] = new
    return [a.dtype.type(new[0]) for a, new in zip(kept, cells) if not a.ndim]
''',
    "_reflect": '''\
def _reflect(index, extent):
    """Return the cell that mirrors an index outside; the edge is not repeated."""
    if extent == 1:
        return np.zeros_like(index)
    index = np.mod(index, 2 * extent - 2)
    return np.minimum(index, 2 * extent - 2 - index)
''',
    "_selected": '''\
def _selected(total, terms, equation, points=1 << 16):
    """Return a sum of products; if it is not finite, make it anew without the terms masked out."""
    if np.isfinite(total).all():
        return total
    inputs, output = equation.split("->")
    inputs = inputs.split(",")
    letters = output + "".join(sorted(set("".join(inputs)) - set(output + ",")))
    spread = []
    for letter, term in zip(inputs, terms() if callable(terms) else terms):
        term = np.asarray(term)
        order = sorted(range(len(letter)), key=lambda n: letters.index(letter[n]))
        term = term.transpose(order)
        spread.append(term[tuple(slice(None) if x in letter else None for x in letters)])
    first, shape = len(output), np.broadcast_shapes(*(x.shape for x in spread))
    step = max(1, points * shape[first] // max(np.prod(shape), 1))
    exact = np.zeros_like(total)
    for low in range(0, shape[first], step):
        part = (*[slice(None)] * first, slice(low, low + step))
        mask, *factors = (x if x.shape[first] == 1 else x[part] for x in spread)
        product = factors[0]
        for x in factors[1:]:
            product = product * x
        kept = np.where(mask, product, 0)
        exact = exact + kept.sum(axis=tuple(range(first, kept.ndim)))
    return exact.astype(total.dtype)
''',
    "_blocks": '''\
def _blocks(counts, cell, limit=1 << 19, runs=(), run=64):
    """Return how many of each index a block takes, if one cell of it takes `cell` bytes.

    Blocks are about equally large, and an even number if they are few: threads share them. More
    than 16 become up to twice as large: threads that meet between two calls wait for each other.
    Of indices that arrays are cut by into runs of memory, by their places in `counts`, they take
    at least `run` values.
    """
    share = cell
    for count in counts:
        share *= count
    limit = max(limit, min(2 * limit, share // 16))
    left = max(1, limit // max(cell, 1))
    blocks = []
    for place in reversed(range(len(counts))):
        count = counts[place]
        number = max(1, -(-count // max(left, run if place in runs else 1)))
        number += number % 2 if 2 < number < 8 else 0
        blocks.append(max(1, -(-count // number)))
        left = max(1, left // blocks[-1])
    return blocks[::-1]
''',
    "_rows": '''\
def _rows(count, total, cell, least, limit=1 << 18):
    """Return how many of `total` rows a block takes: all, if `count` of them fit into the cache."""
    rows = max(1, least, limit // max(cell, 1))
    return max(1, total) if count * cell <= 4 * limit else rows
''',
    "_window": '''\
def _window(a, starts, counts, steps, writeable=False):
    """Return the view whose axis k has counts[k] cells and moves by steps[k] in the axes of a.

    One that reaches outside has no use: another index has no value.
    """
    if min(counts, default=1) <= 0:
        return np.empty(counts, a.dtype)
    for start, extent, *moves in zip(starts, a.shape, *steps):
        ends = [start] + [s * (n - 1) for s, n in zip(moves, counts)]
        if sum(e for e in ends if e > 0) >= extent or start + sum(e for e in ends if e < 0) < 0:
            return np.zeros(counts, a.dtype)
    strides = tuple(sum(s * t for s, t in zip(step, a.strides)) for step in steps)
    a = a[tuple(slice(s, None) for s in starts)]
    return np.lib.stride_tricks.as_strided(a, counts, strides, writeable=writeable)
''',
    "_exactly": '''\
def _exactly(value, exact):
    """Return a value that costs less, if it is finite, else the one that does not overflow."""
    return value if np.isfinite(value).all() else exact()
''',
    "_finite": '''\
def _finite(a):
    """Return whether all cells are finite; the sum of their squares is, as a rule, if they are."""
    a = a.ravel(order="K")
    return bool(np.isfinite(np.dot(a, a)) or np.isfinite(a).all())
''',
    "_packed": '''\
def _packed(a, out):
    """Copy a view to memory of its own."""
    np.copyto(out, a)
''',
    "_kept": '''\
def _kept(a, where, out, few=4096):
    """Put `a` into `out` where a condition holds, else 0: by bits, which let no NaN through."""
    if where.size <= few or where.min() == 0:
        bits = _bits(where, out.dtype)
        np.bitwise_and(a.view(bits.dtype), bits, out=out.view(bits.dtype))
    elif out is not a:
        np.copyto(out, a)
''',
    "_bits": '''\
def _bits(where, dtype):
    """Return a condition as integers as wide as a float: all bits where it holds, else none."""
    return np.negative(where.view(np.int8)).astype(f"i{dtype.itemsize}")
''',
    "_chosen": '''\
def _chosen(a, bits, out):
    """Put `a` into `out` where a condition holds, given as bits, else 0."""
    np.bitwise_and(a.view(bits.dtype), bits, out=out.view(bits.dtype))
''',
    "_long_rows": '''\
def _long_rows(ufunc, a, b, out, few=1024, least=256):
    """Return a function of an array and a row: short rows are repeated, NumPy goes by rows."""
    row, array = (a, b) if a.size < b.size else (b, a)
    size = row.size
    together = array.flags.c_contiguous and out.flags.c_contiguous and array.shape == out.shape
    if not 0 < size < least or out.size < few * size or not together:
        return ufunc(a, b, out=out)
    number = least // size * 2
    long = np.empty((number, size), row.dtype)
    long[...] = row.reshape(-1)
    array, target = array.reshape(-1, size), out.reshape(-1, size)
    end = len(array) // number * number
    for part, other in (slice(end), long.reshape(-1)), (slice(end, None), long[0]):
        operands = array[part].reshape(-1, other.size), other
        ufunc(*operands[:: -1 if row is a else 1], out=target[part].reshape(-1, other.size))
    return out
''',
    "_beside": '''\
def _beside(ufunc, a, number, out=None, few=4096):
    """Return a function of an array and a number: of float32 it takes less time beside a row."""
    if out is None or a.shape != out.shape or a.size < few or a.dtype != np.float32:
        return ufunc(a, number, out=out)
    row = a.shape[-1]
    if a.flags.c_contiguous and out.flags.c_contiguous:
        for n in a.shape[-2::-1]:
            row *= n if row < 256 else 1
        a, out = a.reshape(-1, row), out.reshape(-1, row)
    if 64 <= row <= 1 << 16:
        number = np.full(row, number, a.dtype)
    return ufunc(a, number, out=out)
''',
    "_either": '''\
def _either(where, a, b, out=None, few=1024):
    """Return `a` where a condition holds, else `b`: by bits, as fast for any condition."""
    if where.size < few:
        return np.where(where, a, b) if out is None else np.copyto(out, np.where(where, a, b))
    dtype = np.result_type(a, b) if out is None else out.dtype
    a, b = (np.asarray(v, dtype).view(f"i{dtype.itemsize}") for v in (a, b))
    bits = _bits(where, dtype) & (a ^ b)
    return np.bitwise_xor(bits, b, out=out if out is None else out.view(a.dtype)).view(dtype)
''',
    "_padded": '''\
def _padded(a, pads):
    """Return an array with pads[d] zeros in front of and behind its dimension d."""
    wide = np.zeros([n + low + high for n, (low, high) in zip(a.shape, pads)], a.dtype)
    wide[tuple(slice(low, low + n) for n, (low, _) in zip(a.shape, pads))] = a
    return wide
''',
    "_add_windows": '''\
def _add_windows(a, starts, counts, steps, value, pads=()):
    """Add to the cells of a window view (see `_window`), one offset after the other."""
    if min(counts, default=1) <= 0:
        return
    wide = a
    if pads:
        wide = np.zeros([n + low + high for n, (low, high) in zip(a.shape, pads)], a.dtype)
    for start, extent, *moves in zip(starts, wide.shape, *steps):
        ends = [start] + [s * (n - 1) for s, n in zip(moves, counts)]
        if sum(e for e in ends if e > 0) >= extent or start + sum(e for e in ends if e < 0) < 0:
            return
    strides = tuple(sum(s * t for s, t in zip(step, wide.strides)) for step in steps)
    first = wide[tuple(slice(s, None) for s in starts)]
    view = np.lib.stride_tricks.as_strided(first, counts, strides)
    value = np.broadcast_to(value, counts)
    offsets = []
    for dim, _ in enumerate(a.shape):
        moving = [k for k, step in enumerate(steps) if step[dim] and k not in offsets]
        reach, meet = 0, False
        for by, k in sorted((abs(steps[k][dim]), k) for k in moving):
            meet = meet or by <= reach  # of those that move by less
            reach += by * (counts[k] - 1)
        offsets += sorted(moving, key=lambda k: counts[k])[:-1] if meet else []
    order = offsets + [k for k, _ in enumerate(counts) if k not in offsets]
    view, value = view.transpose(order), value.transpose(order)
    for at in np.ndindex(*(counts[k] for k in offsets)):
        view[at] += value[at]
    if pads:
        a += wide[tuple(slice(low, low + n) for n, (low, _) in zip(a.shape, pads))]
''',
    "_ragged": '''\
def _ragged(start, stop, step, count):
    """Return the row and the value of each number in the ranges of `count` rows, in order."""
    start, stop = (np.broadcast_to(x, count).astype(np.int64) for x in (start, stop))
    sizes = np.maximum(-((start - stop) // step), 0)
    row = np.repeat(np.arange(count), sizes)
    return row, start[row] + step * (np.arange(len(row)) - (np.cumsum(sizes) - sizes)[row])
''',
    "_mean": '''\
def _mean(x, axis):
    """Return the mean over axes; of nothing it is NaN."""
    count = 1
    for a in axis:
        count *= x.shape[a]
    return np.sum(x, axis=axis) / count if count else np.sum(x, axis=axis) * np.nan
''',
    "_logsumexp": '''\
def _logsumexp(x, axis):
    """Return ln(sum(e**x)) over axes, the largest term taken out; of nothing it is -inf."""
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    top = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0)
    total = np.add.reduce(np.exp(x - shift), axis=axis)
    return np.log(total) + shift.reshape(total.shape)
''',
    "_softmax": '''\
def _softmax(x, axis):
    """Return e**x / sum(e**x) along axes, the largest term taken out; 0 where all are -inf."""
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    top = np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    none = top == -np.inf
    e = np.exp(x - np.where(none, 0, top))
    total = np.add.reduce(e, axis=axis, keepdims=True)
    return np.divide(e, np.where(none, 1, total), out=e)
''',
    "_logsoftmax": '''\
def _logsoftmax(x, axis):
    """Return x - ln(sum(e**x)) along axes; -inf where all are -inf."""
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    x = x - np.where(top == -np.inf, 0, top)
    total = np.sum(np.exp(x), axis=axis, keepdims=True)
    return x - np.where(top == -np.inf, 0, np.log(total))
''',
    "_argbest": '''\
def _argbest(choose, x, axis, mask=True):
    """Return the position of the first NaN, else of the best term, along axes in loop order."""
    if mask is True and len(axis) == 1 and x.shape[axis[0]]:
        return choose(x, axis=axis[0])
    x, mask = (
        np.moveaxis(a, axis, range(-len(axis), 0)).reshape(
            *np.delete(a.shape, axis), np.prod([a.shape[n] for n in axis])
        )
        for a in np.broadcast_arrays(x, mask)
    )
    if not mask.any(axis=-1).all():
        raise IndexError(f"L0232: {choose.__name__}")
    if not x.size:
        return np.zeros(x.shape[:-1], np.int64)
    if mask.all():
        return choose(x, axis=-1)
    best = {"argmax": np.maximum, "argmin": np.minimum}[choose.__name__]
    top = _extreme(best, x, (-1,), mask)[..., None]
    bad = mask & np.isnan(x)
    return np.where(bad.any(axis=-1, keepdims=True), bad, mask & (x == top)).argmax(axis=-1)
''',
    "_row_extreme": '''\
def _row_extreme(ufunc, a, out=None, few=24):
    """Return the largest or smallest cell of each row: of short ones column by column.

    NumPy takes as long for the start of a row as for some thirty of its cells.
    """
    n = a.shape[-1]
    if not 0 < n <= few:
        start = -np.inf if ufunc is np.maximum else np.inf
        return ufunc.reduce(a, axis=-1, initial=start, out=out)
    if out is None:
        out = np.empty(a.shape[:-1], a.dtype)
    out[...] = a[..., 0]
    for k in range(1, n):
        ufunc(out, a[..., k], out=out)
    return out
''',
    "_add_few": '''\
def _add_few(a, axes, out=None):
    """Return sums over axes of few cells: slice by slice, where NumPy goes along short rows."""
    a = np.moveaxis(a, axes, range(len(axes)))
    first, *others = np.ndindex(*a.shape[: len(axes)])
    out = np.add(a[first], 0, out=out)
    for at in others:
        np.add(out, a[at], out=out)
    return out
''',
    "_extreme": '''\
def _extreme(ufunc, x, axis, mask=True):
    """Return the largest or smallest of the terms where a mask holds; of none, its identity."""
    if x.dtype.kind in "iu":
        start = getattr(np.iinfo(x.dtype), "min" if ufunc is np.maximum else "max")
    else:
        start = -np.inf if ufunc is np.maximum else np.inf
    return ufunc.reduce(x, axis=axis, initial=start, where=mask)
''',
}


def with_default(name: str, parameter: str, value: object) -> str:
    """Return a helper with another default for a parameter, to measure and to test it with."""
    text, found = re.subn(rf"\b{parameter}=[^,)]+", f"{parameter}={value}", HELPERS[name], count=1)
    assert found, (name, parameter)
    return text

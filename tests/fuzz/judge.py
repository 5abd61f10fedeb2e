"""What must hold of a program: the reference decides."""

from __future__ import annotations

import random
import re
import traceback
import warnings
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np

from loopc.api.compile import compile_source, read_source
from loopc.api.options import Options
from loopc.api.program import Program
from loopc.diagnostics.errors import BoundsError, LoopcError

from .dress import dressed, new_names
from .duals import Interpreter, NotExactError
from .programs import DIMS, Case

HUGE = 2.0**50
"""Whole numbers above may have been rounded."""


@dataclass(frozen=True)
class Verdict:
    """What became of a program: `ok`, `rejected` with a code, or `failed` with a reason."""

    kind: str
    reason: str = ""
    detail: str = ""


OK = Verdict("ok")


def compiled(text: str, opt: int = 2) -> Program:
    return compile_source(read_source(text), Options(opt=opt))


def at(program: Program, **options: Any) -> Program:
    """Return the same program under other options."""
    return Program(program.ir, program._program, Options(**options), "fuzz")


def run(program: Program, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return dict(program({n: a for n, a in arrays.items() if n in program.inputs}))


def stages(seed: int) -> tuple[str, ...]:
    """Return in which ways to run the program of a number; the costly ones less often."""
    found = ["opt2"]
    if seed % 2:
        found.append("opt0")
    if seed % 4 == 2:
        found.append("printed")
    if seed % 8 == 0:
        found.append("standalone")
    if seed % 8 == 4:
        found.append("specialized" if seed % 16 == 4 else "dressed")
    if seed % 16 == 14:
        found.append("numbers")
    return tuple(found)


ALL = ("opt0", "opt2", "printed", "standalone", "specialized", "dressed")


def judge(case: Case, ways: tuple[str, ...] = ALL) -> Verdict:
    """Return whether every backend, and the printed program, agree with the reference.

    Args:
        case: the program.
        ways: `opt0`, `opt2`, `printed`, `dressed` (the same program in other words), `numbers` (its dims
            as numbers), and `standalone` for the saved module, which takes floats of one type.
    """
    if len({a.real.dtype for a in case.arrays.values() if a.dtype.kind in "fc"}) > 1:
        ways = tuple(w for w in ways if w != "standalone")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            program = compiled(case.text)
            expected = run(at(program, backend="reference"), case.arrays)
        except BoundsError as error:
            return _must_refuse(case, error)
        except LoopcError as error:
            return Verdict("rejected", error.code, str(error))
        except Exception as error:
            return crash("reference", error)
        if not case.smooth and _is_huge(expected):
            return Verdict("rejected", "huge")
        return _compare(case, program, expected, ways)


def _compare(
    case: Case, program: Program, expected: dict[str, np.ndarray], ways: tuple[str, ...]
) -> Verdict:
    made = {f"opt{n}": at(program, opt=n) for n in (0, 2)}
    reference = at(program, backend="reference")
    text = stage = ""
    try:
        for stage in ways:
            if stage == "printed":
                text = str(program)
                again = compiled(text)
                if str(again) != text:
                    return Verdict("failed", "printed twice", f"{text}\n{again}")
                found = run(at(again, opt=1), case.arrays)
            elif stage == "specialized":
                found = _specialized(at(program, opt=2), case.arrays)
            elif stage == "dressed":
                text, found = _in_other_words(case)
            elif stage == "numbers":
                text, found = _with_numbers(case, expected)
            elif stage == "standalone":
                found = _alone(program, case.arrays)
            else:
                found = run(made[stage], case.arrays)
            wrong = _first_difference(stage, found, expected, case, reference)
            if wrong is not None:
                return replace(wrong, detail=f"{wrong.detail}\n{text}")
        for arrays in case.others:
            stage = "opt2 again"
            wrong = _again(case, reference, made["opt2"], arrays)
            if wrong is not None:
                return wrong
    except LoopcError as error:
        return Verdict("failed", f"{stage}: {error.code}", f"{error}\n{text}")
    except Exception as error:
        return crash(stage, error)
    return OK


def _first_difference(
    stage: str,
    found: dict[str, np.ndarray],
    expected: dict[str, np.ndarray],
    case: Case,
    reference: Program,
) -> Verdict | None:
    for name, value in expected.items():
        why = difference(found[name], value, case)
        if why and (is_least(value) or (value.dtype.kind == "i" and _overflows(reference, case))):
            return Verdict("rejected", "least integers")
        if why and _has_inf_for_nan(found[name], name, expected, case, reference):
            return Verdict("rejected", "inf for NaN")
        if why and case.smooth and _hangs_on_rounding(reference, expected, case):
            return Verdict("rejected", "a comparison of rounded values")
        if why:
            detail = f"{name}: {found[name]!r}\nexpected {value!r}"
            return Verdict("failed", f"{stage}: {why}", detail)
    return None


def _has_inf_for_nan(
    found: np.ndarray, name: str, expected: dict[str, np.ndarray], case: Case, reference: Program
) -> bool:
    """Whether inf stands for NaN or NaN for inf, as sums of products may give them.

    It must not where every product is made before the sum: `np.einsum` takes factors out, too.
    """
    value = expected[name]
    if found.shape != value.shape or found.dtype.kind != "f":
        return False
    nan, inf = (np.isnan(a) for a in (found, value)), (np.isinf(a) for a in (found, value))
    swapped = np.logical_xor(*nan) & np.logical_xor(*inf)
    rest = difference(np.where(swapped, 0, found), np.where(swapped, 0, value), case)
    if rest or not swapped.any():
        return False
    with mock.patch.object(np, "einsum", _einsum_as_written):
        plain = run(at(reference, opt=0), case.arrays)
    return not difference(plain[name], value, case)


def _einsum_as_written(equation: str, *factors: np.ndarray, out: Any = None) -> np.ndarray:
    """Return a sum of products of all factors, each of which is made before the sum."""
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    axes = output + "".join(sorted({*inputs} - {*output, ","}))
    extents = (n for factor in factors for n in np.shape(factor))
    sizes = dict(zip("".join(terms), extents, strict=True))
    product = np.ones([sizes[i] for i in axes], np.result_type(*factors))
    where = dict(zip(axes, np.indices(product.shape, sparse=True), strict=True))
    for term, factor in zip(terms, factors, strict=True):
        product *= np.asarray(factor)[tuple(where[i] for i in term)]
    found = product.sum(tuple(range(len(output), len(axes))), product.dtype)
    if out is None:
        return found
    out[...] = found
    return out


def _overflows(reference: Program, case: Case) -> bool:
    """Whether integers overflow on the way, of which no output may tell."""
    given = {n: a for n, a in case.arrays.items() if n in reference.inputs}
    try:
        with np.errstate(all="ignore", over="raise"):
            Interpreter(reference._program, given, dims_of(reference, given)).run()
    except FloatingPointError:
        return True
    except NotExactError as error:
        return "large integers" in str(error)
    return False


def dims_of(program: Program, given: dict[str, np.ndarray]) -> dict[str, int]:
    """Return the extents that a program has for arrays."""
    from loopc.ir import bind

    shapes = {n: a.shape for n, a in given.items()}
    scalars = {n: int(a) for n, a in given.items() if a.dtype.kind == "i" and not a.shape}
    return bind.bind(program._program, shapes, scalars)


def _hangs_on_rounding(reference: Program, expected: dict[str, np.ndarray], case: Case) -> bool:
    """Whether the reference gives something else if the inputs change by a rounding error."""
    rng = np.random.default_rng(0)
    for _ in range(16):
        near = dict(case.arrays)
        for name, a in near.items():
            if a.dtype.kind == "f":
                last = np.finfo(a.dtype).eps * rng.integers(-1, 2, a.shape)
                near[name] = np.asarray(a * (1 + last)).astype(a.dtype)
        other = run(reference, near)
        if any(difference(other[n], value, case) for n, value in expected.items()):
            return True
    return False


def _again(
    case: Case, reference: Program, program: Program, arrays: dict[str, np.ndarray]
) -> Verdict | None:
    """Whether a program that has run gives the right values for other extents too."""
    stage = "opt2 again"
    case = replace(case, arrays=arrays)
    try:
        expected = run(reference, arrays)
    except BoundsError as error:
        try:
            run(program, arrays)
        except BoundsError:
            return None
        return Verdict("failed", f"{stage}: not refused: {error.code}", f"{error}\n{arrays!r}")
    except LoopcError:
        return None
    if not case.smooth and _is_huge(expected):
        return None
    wrong = _first_difference(stage, run(program, arrays), expected, case, reference)
    return wrong and replace(wrong, detail=f"{wrong.detail}\n{arrays!r}")


def _in_other_words(case: Case) -> tuple[str, dict[str, np.ndarray]]:
    """Return the same program in other words, and what it gives by the old names."""
    rng = random.Random(case.text)
    renamed = new_names(case.text, rng)
    text = dressed(case.text, rng, renamed)
    found = run(compiled(text), {renamed.get(n, n): a for n, a in case.arrays.items()})
    names = {new: old for old, new in renamed.items()}
    return text, {names.get(n, n): a for n, a in found.items()}


def _with_numbers(case: Case, expected: dict[str, np.ndarray]) -> tuple[str, dict[str, np.ndarray]]:
    """Return the program with its extents in the place of its dims, and what it gives.

    An access of an empty loop that would be outside is refused where its extents are known, and so
    are two sizes of an index of which the calls' dims make one large enough.
    """
    sizes = dict(zip(DIMS, case.arrays["one"].shape, strict=True))
    names = "|".join(DIMS)
    text = re.sub(rf"(?<![\w.])({names})(?![\w.'])", lambda m: str(sizes[m[1]]), case.text)
    try:
        return text, run(compiled(text), case.arrays)
    except LoopcError as error:
        if error.code != "L0204" and (error.code != "L0210" or 0 not in sizes.values()):
            raise
        return text, expected


def _must_refuse(case: Case, error: LoopcError) -> Verdict:
    """An index that the reference finds outside its array is an error of every backend."""
    for opt in (0, 2):
        try:
            run(compiled(case.text, opt), case.arrays)
        except BoundsError:
            continue
        except LoopcError as other:
            return Verdict("rejected", f"{error.code}/{other.code}")
        except Exception as other:
            return crash(f"opt{opt}", other)
        return Verdict("failed", f"opt{opt}: not refused: {error.code}", str(error))
    return Verdict("rejected", error.code, str(error))


def _specialized(program: Program, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a program on the memory of its second call: what a call leaves there does not matter."""
    given = {n: a for n, a in arrays.items() if n in program.inputs}
    fast = program.specialize(given)
    inputs = [given[n] for n in fast.inputs]
    kept = {n: a.copy() for n, a in fast(*inputs).items()}
    for _ in range(2):  # from the second time on results are made there
        out = {n: np.empty_like(a) for n, a in kept.items()}
        again = dict(fast(*inputs, out=out))
    for name, value in kept.items():
        assert _bits(value) == _bits(again[name]), f"{name} changes from call to call"
    return again


def _bits(value: np.ndarray) -> bytes:
    """Return the bytes of an array; every NaN is one, whatever its sign."""
    return np.where(np.isnan(value), np.nan, value).tobytes()


def _alone(program: Program, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    given = {n: a for n, a in arrays.items() if n in program.inputs}
    found: dict[str, np.ndarray] = saved(program)["forward"](**given)
    return found


def saved(program: Program) -> dict[str, Any]:
    """Return the names of the module that a program is saved as."""
    space: dict[str, Any] = {"__name__": "alone"}
    exec(compile(program.source, "alone.py", "exec"), space)
    return space


def crash(stage: str, error: Exception) -> Verdict:
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        f for f in frames if "loopc" in f.filename and "fuzz" not in f.filename.split("/")[-2:][0]
    ]
    place = f"{own[-1].filename.rsplit('/', 1)[-1]}:{own[-1].name}" if own else ""
    text = f"{type(error).__name__}: {error}"
    last = "\n".join(
        f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}: {f.line}" for f in frames[-4:]
    )
    text = text.replace(own[-1].filename, "") if own else text
    place = "module" if place.startswith("<loopc") else place
    return Verdict("failed", f"{stage}: {text[:60]} at {place}", f"{text}\n{last}")


def is_least(value: np.ndarray) -> bool:
    """Whether cells hold what a maximum or minimum of integers starts from: sums of that overflow."""
    if value.dtype.kind != "i":
        return False
    info = np.iinfo(value.dtype)
    return bool(np.isin(value, (info.min, info.max)).any())


def _is_huge(values: dict[str, np.ndarray]) -> bool:
    for value in values.values():
        limit = 2.0**23 if value.dtype == np.float32 else HUGE
        finite = np.abs(value[np.isfinite(value)]).astype(float) if value.size else value
        if finite.size and float(finite.max()) > limit:
            return True
    return False


def difference(found: np.ndarray, value: np.ndarray, case: Case) -> str:
    """Return in what two results differ, or nothing."""
    found = np.asarray(found)
    if found.shape != value.shape:
        return f"shape {found.shape}, not {value.shape}"
    if found.dtype != value.dtype:
        return f"type {found.dtype}, not {value.dtype}"
    if case.smooth or not case.exact:
        single = any(a.dtype in (np.float32, np.complex64) for a in case.arrays.values())
        return _apart(found, value, 1e-3 if single else 1e-11)
    return "" if np.array_equal(found, value, equal_nan=value.dtype.kind in "fc") else "value"


def _apart(found: np.ndarray, value: np.ndarray, tolerance: float) -> str:
    if value.dtype.kind == "c":
        pairs = ((found.real, value.real), (found.imag, value.imag))
        return next(filter(None, (_apart(f, v, tolerance) for f, v in pairs)), "")
    if value.dtype.kind != "f":
        return "" if np.array_equal(found, value) else "value"
    if not np.array_equal(np.isnan(found), np.isnan(value)):
        return "nan"
    if not np.array_equal(np.isinf(found), np.isinf(value)):
        return "inf"
    finite = np.isfinite(value)
    scale = max(1.0, float(np.max(np.abs(value[finite]), initial=0)))
    close = np.allclose(found, value, rtol=0, atol=tolerance * scale, equal_nan=True)
    return "" if close else "value"

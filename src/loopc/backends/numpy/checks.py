"""Subscripts that are data are looked at once: what has been inside stays so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

from loopc.backends.numpy.release import NAME

_CHECK = re.compile(rf"_inside\(({NAME}), ({NAME}|\d+), (?:'[^']*'|\"[^\"]*\")\)")
_PERHAPS = re.compile(r"\blambda\b|\bif\b")


def checked_once(
    lines: Sequence[str], fixed: Collection[str], fresh: Callable[[str], str]
) -> Iterator[str]:
    """Yield the lines of a function, with a variable for each array that is checked repeatedly.

    Args:
        lines: without the indentation of the function.
        fixed: the variables that keep their values: inputs that nothing writes, and dims.
        fresh: makes a new name of one.
    """
    code = [line for line in lines if _is_code(line)]
    counts = Counter(m.group(1, 2) for line in code for m in _checks(line, fixed))
    known: dict[tuple[str | None, ...], str] = {}
    for line in lines:
        if not _is_code(line):
            yield line
            continue
        for found in _checks(line, fixed):
            key = found.group(1, 2)
            if counts[key] > 1 and key not in known and _always_runs(line):
                known[key] = fresh(f"{found[1]}_inside")
                yield f"{known[key]} = {found[0]}"
        yield _CHECK.sub(lambda m: known.get(m.group(1, 2), m[0]), line)


def _checks(line: str, fixed: Collection[str]) -> Iterator[re.Match[str]]:
    for found in _CHECK.finditer(line):
        if found[1] in fixed and (found[2].isdigit() or found[2] in fixed):
            yield found


def _is_code(line: str) -> bool:
    return "_inside(" in line and not line.lstrip().startswith("#")


def _always_runs(line: str) -> bool:
    """Whether a line is in no loop and no function, and all of it is evaluated."""
    return not line.startswith(" ") and _PERHAPS.search(line) is None

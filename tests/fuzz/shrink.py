"""Make a failing program smaller: lines, then parts of expressions, then arrays."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from .programs import Case

Check = Callable[[Case], bool]


def shrink(case: Case, fails: Check, seconds: float = 20) -> Case:
    """Return a smaller case that still fails in the same way."""
    deadline = time.monotonic() + seconds
    changed = True
    while changed and time.monotonic() < deadline:
        changed = False
        for candidate in _candidates(case):
            if time.monotonic() > deadline:
                break
            if _valid(candidate) and fails(candidate):
                case, changed = candidate, True
                break
    return case


def _valid(case: Case) -> bool:
    return bool(case.text.strip())


def _candidates(case: Case) -> Iterator[Case]:
    lines = case.text.splitlines()
    for first, last in _groups(lines):
        yield _with(case, lines[:first] + lines[last:])
    for number, line in enumerate(lines):
        if line.startswith(("input", "output")):
            yield from (
                _with(case, [*lines[:number], s, *lines[number + 1 :]]) for s in _listed(line)
            )
    for number, line in enumerate(lines):
        for new in _simpler(line):
            yield _with(case, [*lines[:number], new, *lines[number + 1 :]])
    for number, line in enumerate(lines):  # the body of a block in the place of the block
        if line.endswith(":") and number + 1 < len(lines):
            dedented = [
                s[4:] if s.startswith(_indent(line) + "    ") else s for s in lines[number + 1 :]
            ]
            yield _with(case, [*lines[:number], *dedented])
    for name, array in case.arrays.items():
        if array.size and np.any(array != 1) and array.dtype.kind == "f":
            for new in (np.ones_like(array), np.where(np.isfinite(array), np.round(array), array)):
                if not np.array_equal(new, array, equal_nan=True):
                    yield replace(case, arrays={**case.arrays, name: new})


def _with(case: Case, lines: list[str]) -> Case:
    return replace(case, text="\n".join(lines) + "\n")


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _groups(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield statements with what is indented under them, the last first."""
    for first in reversed(range(len(lines))):
        last = first + 1
        while last < len(lines) and len(_indent(lines[last])) > len(_indent(lines[first])):
            last += 1
        yield first, last


def _listed(line: str) -> Iterator[str]:
    """Yield a declaration without one of its names."""
    word, _, rest = line.partition(" ")
    parts = _split(rest)
    for n in range(len(parts)):
        if len(parts) > 1:
            yield f"{word} {', '.join(parts[:n] + parts[n + 1 :])}"


def _split(text: str) -> list[str]:
    """Split at commas outside brackets."""
    parts, depth, current = [], 0, ""
    for ch in text:
        depth += ch in "(["
        depth -= ch in ")]"
        if ch == "," and not depth:
            parts.append(current.strip())
            current = ""
        else:
            current += ch
    return [*parts, current.strip()]


def _simpler(line: str) -> Iterator[str]:
    """Yield a line with a part of an expression left out."""
    guard = re.search(r" if [^\]]*?(?=: )", line)
    if guard and "[" not in guard.group().replace("[", "", 0)[:0]:
        yield line[: guard.start()] + line[guard.end() :]
    for match in re.finditer(r"(?:\b[\w'σ.]+(?:\[[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*\])?)?\(", line):
        start, opening = match.start(), match.end() - 1
        end = _closing(line, opening)
        if end < 0:
            continue
        inner = line[opening + 1 : end]
        head, tail = line[:start], line[end + 1 :]
        options = [*_split(inner), "1", f"({inner})"]
        options += [f"({p})" for p in re.split(r" (?:[-+*<>]|==|!=|<=|>=|and|or) ", inner)]
        for new in options:
            if len(new) < end + 1 - start:
                yield f"{head}{new}{tail}"
    for match in re.finditer(r"\b\w+\[[^\[\]()]*\]", line):
        if "=" in line and match.start() > line.find("= "):
            yield f"{line[: match.start()]}1{line[match.end() :]}"
    for match in re.finditer(r" if [^\[\]]*(?=\])", line):
        yield line[: match.start()] + line[match.end() :]
    for match in re.finditer(r", \w+ (?:< \w+|in (?:reversed\()?range\([^()]*\)\)?)", line):
        yield line[: match.start()] + line[match.end() :]
    for match in re.finditer(r"(?<=[ =+(])(?:\d|\w+\[[^\[\]]*\]) [-+*] ", line):
        yield line[: match.start()] + line[match.end() :]


def _closing(line: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(line)):
        depth += line[position] in "(["
        depth -= line[position] in ")]"
        if not depth:
            return position
    return -1

"""From text to a Program."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from loopc.api import cache
from loopc.api.fitting import trained
from loopc.api.limits import within_limits
from loopc.api.options import Options, checked, names_of
from loopc.api.program import Program
from loopc.api.results import Results
from loopc.autodiff.adjoint import check_backward
from loopc.diagnostics import catalogue
from loopc.diagnostics.catalogue import in_order
from loopc.diagnostics.errors import Diagnostic, LoopcWarning
from loopc.diagnostics.record import replace
from loopc.diagnostics.render import render
from loopc.diagnostics.span import Source
from loopc.ir import nodes
from loopc.ir.build import Built, build_all
from loopc.ir.check_types import check_types, whole_ranges
from loopc.ir.infer import infer
from loopc.ir.unfinished import check_unfinished
from loopc.syntax import tree
from loopc.syntax.parser import parse_collecting

SUFFIX = ".loops"


def compile(
    source: str | Path,
    *,
    backend: str = "numpy",
    opt: int = 2,
    wrt: str | Sequence[str] | None = None,
    loss: str | None = None,
    outputs: str | Sequence[str] | None = None,
    dtype: str | None = None,
    memory_limit: int | None = None,
    checkpoint: int | None = None,
    threads: int | None = None,
) -> Program:
    """Compile a program.

    Args:
        source: a path, a string that ends in `.loops` and has no newline, or a program's text.
        backend: `numpy`, or `reference`: the loops one scalar at a time.
        opt: 0 writes one plain NumPy call per loop, to be read; 2 is the fast one.
        wrt: names to differentiate by (default: every param, or else every float input).
        loss: the array that `grad` differentiates (default: the one scalar float output, else `L`
            or `loss`).
        outputs: names to return (default: every array that no later statement reads).
        dtype: the type of all float inputs, e.g. "float32" (default: that of the arrays given).
        memory_limit: bytes that a run's arrays may take.
        checkpoint: for gradients, keep the state of a serial loop every so many steps alone, and
            run these steps again (default: record what is needed of every step).
        threads: how many threads may share the work of a run (default: `LOOPC_THREADS` of the
            environment, else as many as there are processors); results do not depend on it.

    Raises:
        ParseError, ShapeError: what is wrong with the program, all of it in `others`.
        DifferentiationError: a `backward` statement that cannot be.
        CallError: L0704, L0705: an option or a name that does not exist.
    """
    options = Options(
        backend=backend,
        opt=opt,
        wrt=names_of("wrt", wrt),
        loss=loss,
        dtype=dtype,
        memory_limit=memory_limit,
        checkpoint=checkpoint,
        threads=threads,
    )
    found: list[Diagnostic] = []
    program = compile_source(read_source(source), options, names_of("outputs", outputs), found)
    for diagnostic in found:
        warnings.warn(render(diagnostic), LoopcWarning, stacklevel=2)
    return program


def compile_source(
    read: Source,
    options: Options | None = None,
    outputs: Sequence[str] | None = None,
    warned: list[Diagnostic] | None = None,
) -> Program:
    """Compile a text that has been read; see `compile`. Warnings are appended to `warned`."""
    options = checked(options or Options())
    program, found = resolved(read)
    catalogue.raise_all(found)
    if warned is not None:
        warned.extend(found)
    if outputs is not None:
        program = with_outputs(program, outputs)
    with within_limits():
        made = Program(program, expanded(program, options), options, read.name)
        made.check_choices()
        return made


def read_source(source: str | Path) -> Source:
    """Return the text that `source` is or names.

    Raises:
        ParseError: L0111, L0112.
    """
    if isinstance(source, str) and ("\n" in source or not source.endswith(SUFFIX)):
        return Source("program.loops", source)
    given: object = source
    if not isinstance(given, str | os.PathLike):
        kind, repair = "a path or the text of a program", "give a `str` or a `pathlib.Path`"
        name = type(given).__name__
        raise catalogue.error("L0709", name="source", kind=kind, given=name, repair=repair)
    path = Path(source)
    try:
        return Source(path.name, path.read_bytes().decode("utf-8"), str(path.parent))
    except OSError as error:
        why = error.strerror or str(error)
        raise catalogue.error("L0112", name=str(source), why=why) from None
    except UnicodeDecodeError as error:
        raise catalogue.error("L0111", name=str(source), position=error.start) from None


def resolved(source: Source) -> tuple[nodes.Program, list[Diagnostic]]:
    """Return the resolved program of a text, and everything that was found wrong with it.

    If that holds an error, the program is not to be used.
    """
    key = repr((source.name, source.text, source.folder))
    known = _RESOLVED.get(key)
    if known is not None:
        return known[0], list(known[1])
    with within_limits():
        module, found = parse_collecting(source)
        folder = Path(source.folder)
        program, more = _meaning(module, folder, found)
        found = in_order([*found, *more], source)
    if not _has_error(found) and not any(_is_of_a_file(s) for s in module.body):
        _RESOLVED.put(key, (program, tuple(found)))
    return program, found


_RESOLVED = cache.Memory(64)
"""Resolved programs and warnings, by their texts."""


def _is_of_a_file(statement: tree.Statement) -> bool:
    return isinstance(statement, tree.Use) and statement.quoted


def _meaning(
    module: tree.Module, folder: Path, before: Sequence[Diagnostic] = ()
) -> tuple[nodes.Program, list[Diagnostic]]:
    """Return the program of a tree, and what is wrong beyond `before`."""
    built, found = _understood(module, folder, before)
    for function in built.uncalled:
        found.extend(_understood(function, folder, typed=False)[1])
    return built.program, found


def _understood(
    module: tree.Module,
    folder: Path,
    before: Sequence[Diagnostic] = (),
    *,
    typed: bool = True,
) -> tuple[Built, list[Diagnostic]]:
    """Return what a tree was made into, its program resolved, and what is wrong with it.

    Args:
        module: the tree.
        folder: where its file lies.
        before: what was found wrong with its text.
        typed: whether its inputs have types; those of a def's formals are the call's.
    """
    found: list[Diagnostic] = []
    built = build_all(module, found, folder)
    doubtful = built.doubtful if _has_error([*before, *found]) else None
    if doubtful is None and typed:
        check_types(built.program, found)
        if _has_error(found):
            doubtful = frozenset(a.name for a in built.program.arrays)
            built = replace(built, program=whole_ranges(built.program))
    program = infer(built.program, found, doubtful)
    if not _has_error([*before, *found]):
        check_backward(program, found)
        check_unfinished(program, found)
    return replace(built, program=program), found


def _has_error(found: Sequence[Diagnostic]) -> bool:
    return any(d.severity == "error" for d in found)


def expanded(program: nodes.Program, options: Options | None = None) -> nodes.Program:
    """Return the program with its adjoint loops in the place of each `backward`."""
    return trained(program, (options or Options()).checkpoints).program


def with_outputs(program: nodes.Program, outputs: Sequence[str]) -> nodes.Program:
    """Return the program that returns these arrays."""
    names = [a.name for a in program.arrays]
    for name in outputs:
        if name not in names:
            known = ", ".join(f"`{n}`" for n in names)
            raise catalogue.error("L0705", name=name, known=known)
    return replace(program, outputs=tuple(outputs))


def run(source: str | Path, arrays: dict[str, Any] | None = None, /, **named: Any) -> Results:
    """Compile a program (once per text) and run it: for one-liners.

    Example:
        >>> loopc.run("for i  s += x[i]", x=[1.0, 2.0]).s
        array(3.)
    """
    program = _compiled(source) if isinstance(source, str | Path) else compile(source)
    return program(arrays, **named)


@lru_cache(maxsize=128)
def _compiled(source: str | Path) -> Program:
    return compile(source)

"""`use`: the statements of other files, in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

from loopc.diagnostics.span import Source
from loopc.ir.build_names import Names, tree_walk
from loopc.syntax import tree

SUFFIX = ".loops"
_DEF = re.compile(r"^def[ \t]+([^\s(]+)", re.MULTILINE)

Shipped: TypeAlias = tuple[str, str]
"""A file of a library, and the text of a def in it, which is parsed when it is called.

In front of it stand as many empty lines as there are lines before it in the file.
"""

_MISSING = (None, "the package has no such library", Path())


def used(
    body: tuple[tree.Statement, ...],
    names: Names,
    base: Path | None,
    reading: tuple[str, ...] = (),
) -> tuple[tree.Statement, ...]:
    """Return the statements with those of the used files in the place of each `use`.

    Args:
        body: the statements.
        names: where findings go.
        base: the folder of the file that they stand in (default: the current one).
        reading: the files that are being read, outermost first.
    """
    found: list[tree.Statement] = []
    shipped: dict[str, Shipped] = {}
    for stmt in body:
        if not isinstance(stmt, tree.Use) or names.is_spoilt(stmt):
            found.append(stmt)
        elif not stmt.quoted and (defs := library(stmt.target)) is not None:
            shipped |= defs
        else:
            found.extend(_read(stmt, names, Path.cwd() if base is None else base, reading))
    return (*_called(found, shipped), *found)


def _called(body: Sequence[tree.Statement], shipped: Mapping[str, Shipped]) -> tuple[tree.Def, ...]:
    """Return the defs of libraries that statements, or these defs, mention."""
    needed: dict[str, tree.Def] = {}
    waiting: list[tree.Node] = list(body) if shipped else []
    while waiting:
        for node in tree_walk(waiting.pop()):
            if isinstance(node, tree.Name) and node.name in shipped and node.name not in needed:
                needed[node.name] = _parsed(*shipped[node.name])
                waiting.append(needed[node.name])
    return tuple(needed[name] for name in shipped if name in needed)


@cache
def library(name: str) -> dict[str, Shipped] | None:
    """Return where the defs of a library of the package stand; None: there is no such library."""
    found: dict[str, Shipped] = {}
    for file, text in library_files(name).items():
        heads = list(_DEF.finditer(text))
        stops = (*(head.start() for head in heads[1:]), len(text))
        for head, stop in zip(heads, stops, strict=True):
            before = "\n" * text.count("\n", 0, head.start())
            found[head[1]] = (file, before + text[head.start() : stop])
    return found or None


@cache
def _parsed(file: str, text: str) -> tree.Def:
    """Return a def of a library."""
    from loopc.syntax.parser import parse

    (found,) = parse(Source(file, text)).body
    assert isinstance(found, tree.Def)
    return found


@cache
def library_files(name: str) -> dict[str, str]:
    """Return the texts of a library of the package by file, in order."""
    folder = files("loopc.layers") / name
    if not name.isidentifier() or not folder.is_dir():
        return {}
    found = (f for f in folder.iterdir() if f.name.endswith(SUFFIX))
    return {f.name: f.read_text(encoding="utf-8") for f in sorted(found, key=lambda f: f.name)}


def _read(
    stmt: tree.Use, names: Names, base: Path, reading: tuple[str, ...]
) -> tuple[tree.Statement, ...]:
    from loopc.syntax.parser import parse_collecting  # lark is imported when text is parsed

    text, why, folder = _file(stmt.target, base) if stmt.quoted else _MISSING
    key = str(folder / stmt.target)
    if key in reading:
        why = "it uses itself"
    if why or text is None:
        names.report("L0322", stmt.span, name=stmt.target, why=why)
        return ()
    module, found = parse_collecting(Source(Path(stmt.target).name, text))
    names.found.extend(found)
    return used(module.body, names, folder, (*reading, key))


def _file(name: str, base: Path) -> tuple[str | None, str, Path]:
    """Return the text of a file beside the current one or below it."""
    path = (base / name).resolve()
    if not path.is_relative_to(base.resolve()):
        return None, "it is not beside the current file or below it", base
    try:
        return path.read_bytes().decode("utf-8"), "", path.parent
    except OSError as error:
        return None, error.strerror or str(error), base
    except UnicodeDecodeError:
        return None, "it is not UTF-8", base

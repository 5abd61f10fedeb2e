"""`use`: the statements of other files, in its place."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from loopc.diagnostics.span import Source
from loopc.ir.build_names import Names
from loopc.syntax import tree

SUFFIX = ".loops"


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
    for stmt in body:
        if isinstance(stmt, tree.Use) and not names.is_spoilt(stmt):
            found.extend(_read(stmt, names, Path.cwd() if base is None else base, reading))
        else:
            found.append(stmt)
    return tuple(found)


def _read(
    stmt: tree.Use, names: Names, base: Path, reading: tuple[str, ...]
) -> tuple[tree.Statement, ...]:
    from loopc.syntax.parser import parse_collecting  # lark is imported when text is parsed

    text, why, folder = _library(stmt.target) if not stmt.quoted else _file(stmt.target, base)
    key = str(folder / stmt.target)
    if key in reading:
        why = "it uses itself"
    if why or text is None:
        names.report("L0322", stmt.span, name=stmt.target, why=why)
        return ()
    module, found = parse_collecting(Source(Path(stmt.target).name, text))
    names.found.extend(found)
    return used(module.body, names, folder, (*reading, key))


def _library(name: str) -> tuple[str | None, str, Path]:
    """Return the text of a library of the package."""
    file = files("loopc.layers") / f"{name}{SUFFIX}"
    if not file.is_file():
        return None, "the package has no such library", Path()
    return file.read_text(encoding="utf-8"), "", Path("nn")


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

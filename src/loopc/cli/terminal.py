"""Printing: results to stdout, diagnostics to stderr, colour only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from loopc.diagnostics import render
from loopc.diagnostics.errors import Diagnostic
from loopc.diagnostics.span import Source

FORMATS = ("full", "concise", "json", "github")
F = TypeVar("F", bound=Callable[..., Any])

_chosen = {"format": "full"}


def reset() -> None:
    """Go back to the form of diagnostics that no option has chosen."""
    _chosen["format"] = "full"


def report(found: Iterable[Diagnostic]) -> None:
    """Print diagnostics to stderr in the chosen form."""
    found = list(found)
    form = _chosen["format"]
    if form == "json":
        click.echo(json.dumps([render.to_dict(d) for d in found], ensure_ascii=False), err=True)
        return
    for diagnostic in found:
        if form == "concise":
            click.echo(render.concise(diagnostic), err=True)
        elif form == "github":
            click.echo(render.github(diagnostic), err=True)
        else:
            click.echo(_coloured(diagnostic) + "\n", err=True)


def _coloured(diagnostic: Diagnostic) -> str:
    text = render.render(diagnostic)
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        return text
    head, _, rest = text.partition("\n")
    colour = "red" if diagnostic.severity == "error" else "yellow"
    return click.style(head, fg=colour, bold=True) + ("\n" + rest if rest else "")


def show(text: str) -> None:
    """Print program text or a report as it stands."""
    click.echo(text, nl=not text.endswith("\n"))


def formatted(command: F) -> F:
    """Add `--output-format` and `--json` to a command."""

    def choose(ctx: click.Context, param: click.Parameter, value: str) -> str:
        if value:
            _chosen["format"] = value
        return value

    def json_too(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
        if value:
            _chosen["format"] = "json"
        return value

    command = click.option(
        "--output-format",
        type=click.Choice(FORMATS),
        expose_value=False,
        is_eager=True,
        callback=choose,
        help="The form of diagnostics.",
    )(command)
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=json_too,
        help="Machine-readable diagnostics and reports.",
    )(command)


def sourced(command: F) -> F:
    """Add the argument F (a path, or - for standard input) and `-e TEXT` to a command."""
    command = click.option("-e", "text", metavar="TEXT", help="The program itself.")(command)
    return click.argument("file", required=False, metavar="F")(command)


def read(file: str | None, text: str | None) -> Source:
    """Return the program's text."""
    from loopc.api.compile import read_source

    if (file is None) == (text is None):
        raise click.UsageError("Give a file, - for standard input, or -e TEXT.")
    if text is not None:
        return Source("command line", text)
    if file == "-":
        return Source("standard input", sys.stdin.read())
    assert file is not None
    return read_source(Path(file))


def compiled(source: Source, **options: Any) -> Any:
    """Compile a text that has been read; report its warnings."""
    from loopc.api.compile import compile_source
    from loopc.api.options import Options

    found: list[Diagnostic] = []
    program = compile_source(source, Options(**options), None, found)
    if found:
        report(found)
    return program


def names(text: str | None) -> tuple[str, ...] | None:
    """Split `a,b`."""
    return None if text is None else tuple(n.strip() for n in text.split(",") if n.strip())


def sizes(items: Iterable[str]) -> dict[str, int]:
    """Read `B=64,T=128`."""
    found = {}
    for item in items:
        for part in item.split(","):
            name, equals, value = part.partition("=")
            if not equals or not value.strip().isdigit():
                raise click.UsageError(f"A dim is given as N=64; this is {part!r}.")
            found[name.strip()] = int(value)
    return found

"""Write the pages that are made from tables: `make docs`."""

from __future__ import annotations

from pathlib import Path

from loopc.api.libraries import functions as library
from loopc.diagnostics import catalogue
from loopc.ir.functions import FUNCTIONS
from loopc.syntax.parser import grammar_text

HERE = Path(__file__).parent
MARK = "## Grammar"


def errors() -> str:
    """Return the page of error codes."""
    head = "# Error codes\n\nMade from the catalogue by `make docs`.\n"
    return "\n".join([head, *(catalogue.page(code) or "" for code in catalogue.ENTRIES)])


def grammar() -> str:
    """Return the page of the language: what is written by hand, then the grammar."""
    text = (HERE / "language.md").read_text(encoding="utf-8")
    head, mark, _ = text.partition(MARK)
    return f"{head}{mark}\n\n```text\n{grammar_text()}```\n"


def functions() -> str:
    """Return the page of scalar functions."""
    lines = [
        "# Functions",
        "",
        "Made from the table by `make docs`. In a derivative, `y` is the function's own value.",
        "",
        "| function | also | derivative by each argument | note |",
        "| --- | --- | --- | --- |",
    ]
    for row in FUNCTIONS:
        if row.infix is not None and not row.infix.named:
            continue
        partials = "; ".join(f"`{p}`" for p in row.partials) if row.partials else "0 everywhere"
        also = ", ".join(f"`{a}`" for a in row.aliases)
        usage = f"`{row.name}({', '.join(row.params)})`"
        lines.append(f"| {usage} | {also} | {partials} | {row.source} |")
    return "\n".join(lines) + "\n"


def nn() -> str:
    """Return the page of the library `nn`: its functions as they are written."""
    lines = [
        "# The layers of `use nn`",
        "",
        "Made from the library by `make docs`. `loopc nn` lists it, `loopc nn linear` shows a",
        "function. Each is for one example, unless said otherwise: the loops round it are a batch.",
    ]
    topic = ""
    for function in library("nn").values():
        if function.topic != topic:
            topic = function.topic
            lines += ["", f"## {topic.split('.')[0].split(':')[0]}", "", topic]
        lines += ["", f"### {function.name}", "", "```text", function.text, "```"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the pages."""
    pages = {"errors.md": errors(), "functions.md": functions(), "language.md": grammar()}
    pages["nn.md"] = nn()
    for name, text in pages.items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

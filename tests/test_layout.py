"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from loopc.ir.functions import FUNCTIONS
from support import TESTS

ROOT = TESTS.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
LIMIT = 400


def test_no_file_is_over_400_lines() -> None:
    tests = list(TESTS.glob("test_*.py"))
    long = [p.name for p in (*SOURCES, *tests) if len(p.read_text().splitlines()) > LIMIT]
    assert not long


def test_no_other_file_knows_a_special_functions_name() -> None:
    """Operators have a part in the structure of expressions; functions have none."""
    special = {r.name for r in FUNCTIONS if r.infix is None} - {"max", "min", "where", "int"}
    allowed = re.compile(r"ir/(function_rows|scalars|helpers|reductions|functions)")
    found = []
    for path in SOURCES:
        if allowed.search(path.as_posix()):
            continue
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        literals = (n.value for n in nodes if isinstance(n, ast.Constant))
        found += [(path.name, value) for value in literals if value in special]
    assert not found


def test_import_costs_nothing_that_is_not_used() -> None:
    code = (
        "import sys, loopc;"
        "heavy = {'numpy', 'lark', 'rich', 'click', 'jax', 'torch', 'matplotlib', 'opt_einsum'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_saved_parser_tables_are_those_of_the_grammar() -> None:
    from loopc.syntax.parser import grammar_text, saved_tables, tables_key

    saved = saved_tables()
    assert saved is not None
    assert saved["key"] == tables_key(grammar_text()), "make tables"


def test_examples_are_in_canonical_layout() -> None:
    from loopc.diagnostics.span import Source
    from loopc.syntax.parser import parse
    from loopc.syntax.printer import print_module

    for path in sorted((ROOT / "src" / "loopc" / "examples").glob("*.loops")):
        text = path.read_text(encoding="utf-8")
        assert print_module(parse(Source(path.name, text))) == text


def blocks(path: Path, language: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_programs_in_the_documentation_compile() -> None:
    from loopc.api.compile import resolved
    from loopc.diagnostics.span import Source

    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if path.name == "errors.md":
            continue  # its programs are the catalogue's, which has a test of its own
        for text in blocks(path, "loops"):
            _, found = resolved(Source(path.name, text))
            assert not found, (path.name, text, found)


def test_python_in_the_documentation_runs() -> None:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        namespace: dict = {}
        for text in blocks(path, "python"):
            exec(compile(text, path.name, "exec"), namespace)


def test_generated_pages_are_up_to_date() -> None:
    namespace: dict = {"__file__": str(ROOT / "docs" / "generate.py"), "__name__": "generate"}
    exec((ROOT / "docs" / "generate.py").read_text(encoding="utf-8"), namespace)
    for name, made in (
        ("errors", "errors"),
        ("functions", "functions"),
        ("language", "grammar"),
        ("nn", "nn"),
    ):
        page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        assert page == namespace[made](), "make docs"

"""Write the parser's saved tables, which load faster than they are made: `make tables`."""

from __future__ import annotations

import json
from pathlib import Path

from lark.grammar import Rule
from lark.lexer import TerminalDef

from loopc.syntax.parser import build_lark, grammar_text, tables_key


def main() -> None:
    """Write `tables.json` beside the grammar."""
    data, memo = build_lark().memo_serialize([TerminalDef, Rule])
    tables = {"key": tables_key(grammar_text()), "data": data, "memo": memo}
    text = json.dumps(tables, ensure_ascii=False, separators=(",", ":"))
    Path(__file__).with_name("tables.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

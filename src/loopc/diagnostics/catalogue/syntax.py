"""Chapter L01: syntax."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import ParseError

ENTRIES: tuple[Entry, ...] = (
    Entry(
        code="L0101",
        title="something else is expected here",
        raises=ParseError,
        message="found {found}; expected {expected}",
        hint="{repair}",
        explanation="The text does not follow the grammar, which docs/language.md shows.",
        bad="for i  y[i] = x[i] +\n",
        good="for i  y[i] = x[i] + 1\n",
    ),
    Entry(
        code="L0102",
        title="a character that has no meaning",
        raises=ParseError,
        message="`{text}` has no meaning in a program",
        hint="names are letters, digits, `_`, `~` and combining marks",
        bad="for i  y[i] = x[i] ? 1\n",
        good="for i  y[i] = x[i]\n",
    ),
    Entry(
        code="L0103",
        title="a bracket is never closed",
        raises=ParseError,
        message="`{text}` is never closed",
        hint="add `{close}`",
        bad="for i  y[i = x[i]\n",
        good="for i  y[i] = x[i]\n",
    ),
    Entry(
        code="L0104",
        title="a closing bracket without its opening one",
        raises=ParseError,
        message="`{text}` closes nothing that is open",
        hint="remove it, or add the bracket that it should close",
        bad="for i  y[i] = x[i])\n",
        good="for i  y[i] = (x[i])\n",
    ),
    Entry(
        code="L0105",
        title="the indentation matches no block",
        raises=ParseError,
        message="this line's indentation matches no block that is open",
        hint="align it with the statements of the block to which it belongs",
        bad="for i:\n    for j:\n        y[i,j] = x[i,j]\n      z[i] = 1\n",
        good="for i:\n    for j:\n        y[i,j] = x[i,j]\n    z[i] = 1\n",
    ),
    Entry(
        code="L0106",
        title="a colon is needed",
        raises=ParseError,
        message="a `for` with a range or a guard needs a colon before its statement",
        hint="write `for …: TARGET = …`",
        explanation="Without the colon the range would run on into the statement.",
        bad="for i < 3  y[i] = 1\n",
        good="for i < 3: y[i] = 1\n",
    ),
    Entry(
        code="L0107",
        title="an invisible character",
        raises=ParseError,
        message="the invisible character U+{number:04X} is not allowed in a program",
        hint="delete it: the text would not mean what it shows",
        explanation=(
            "Bidirectional controls and zero-width characters make a text look like another one "
            "(Boucher and Anderson, Trojan Source, 2021)."
        ),
        bad="for i  y[i] = x\u200b[i]\n",
        good="for i  y[i] = x[i]\n",
    ),
    Entry(
        code="L0108",
        title="a reserved word as a name",
        raises=ParseError,
        message="`{text}` is a word of the language and cannot be a name",
        hint="choose another name, e.g. `{text}_`",
        bad="for i  in[i] = x[i]\n",
        good="for i  in_[i] = x[i]\n",
    ),
    Entry(
        code="L0109",
        title="a block is empty or not indented",
        raises=ParseError,
        message="an indented block is expected after `:`",
        hint="indent the statements of the block",
        bad="for i:\ny[i] = x[i]\n",
        good="for i:\n    y[i] = x[i]\n",
    ),
    Entry(
        code="L0110",
        title="unexpected indentation",
        raises=ParseError,
        message="this line is indented, but the line above opens no block",
        hint="remove the indentation, or end the line above with `:`",
        bad="y = 1\n    z = 2\n",
        good="y = 1\nz = 2\n",
    ),
    Entry(
        code="L0111",
        title="the text is not UTF-8",
        raises=ParseError,
        message="byte {position} of {name} is not UTF-8",
        hint="save the file as UTF-8",
    ),
    Entry(
        code="L0112",
        title="the file cannot be read",
        raises=ParseError,
        message="{name} cannot be read: {why}",
        hint="give a path to a `.loops` file, or the text of a program",
    ),
)

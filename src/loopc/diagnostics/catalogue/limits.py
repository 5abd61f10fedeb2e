"""Chapter L00: limits, on programs and on runs."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import LimitError

ENTRIES: tuple[Entry, ...] = (
    Entry(
        code="L0001",
        title="the text is too long",
        raises=LimitError,
        message="the text has {size} characters; the limit is {limit}",
        hint="split the program into files and `use` them",
        bad_call="loopc.compile('#' * 10_000_001)",
        good_call="loopc.compile('#' * 10_000)",
    ),
    Entry(
        code="L0002",
        title="the program is nested too deeply",
        raises=LimitError,
        message="brackets, blocks or operators are nested more than {limit} deep here",
        hint="give a part of the expression a name of its own",
        explanation="The limit keeps every step of the compiler within Python's stack.",
        bad="x = " + "(" * 61 + "1" + ")" * 61 + "\n",
        good="x = ((1))\n",
    ),
    Entry(
        code="L0003",
        title="a run would need more memory than is allowed",
        raises=LimitError,
        message="this run would need {needed} bytes at its peak; `memory_limit` is {limit}",
        hint="raise `memory_limit`, or use smaller arrays",
        explanation=(
            "The peak counts what the run allocates: results, arrays, temporaries, tables. Where"
            " serial loops can keep checkpoints instead of all that their adjoint needs, these are"
            " tried before."
        ),
        bad_call="loopc.compile('for i  y[i] = 2 x[i]\\n', memory_limit=100)(x=np.ones(1000))",
        good_call="loopc.compile('for i  y[i] = 2 x[i]\\n', memory_limit=10**6)(x=np.ones(1000))",
    ),
    Entry(
        code="L0004",
        title="a number that is too large",
        raises=LimitError,
        message="`{text}` is too large for {kind} of 64 bits",
        hint="write `1e20` for a large float, `inf` for infinity",
        bad="y = 100000000000000000000\n",
        good="y = 1e20\n",
    ),
    Entry(
        code="L0005",
        title="an array that no memory can hold",
        raises=LimitError,
        message="`{array}` would have {cells} cells; this machine has {limit} bytes of memory",
        hint="use smaller sizes",
        bad_call="loopc.run('for i < N: y[i] = i\\n', N=2**62)",
        good_call="loopc.run('for i < N: y[i] = i\\n', N=2**6)",
    ),
    Entry(
        code="L0006",
        title="no memory is left",
        raises=LimitError,
        message="the run found no memory: {why}",
        hint="use smaller sizes, or set `memory_limit` so that it is refused before it begins",
    ),
    Entry(
        code="L0007",
        title="a program is too large for Python",
        raises=LimitError,
        message="Python cannot take the program: {why}",
        hint="give parts of large expressions names of their own, and split deep loops",
    ),
    Entry(
        code="L0008",
        title="a statement is too long",
        raises=LimitError,
        message="this statement has more than {limit} words",
        hint="give parts of it names of their own, or write it as a loop over an array",
        bad="y = x" + " + x" * 1000 + "\n",
        good="y = x" + " + x" * 100 + "\n",
    ),
)

"""Chapter L04: dtypes."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import DTypeError

ENTRIES: tuple[Entry, ...] = (
    Entry(
        code="L0401",
        title="an array of the wrong type",
        raises=DTypeError,
        message="`{name}` must be of type {expected}; it is {given}",
        hint="{repair}",
        bad_call="loopc.run('for i  y[i] = E[w[i]]\\n', E=np.ones(3), w=[0.0, 1.0])",
        good_call="loopc.run('for i  y[i] = E[w[i]]\\n', E=np.ones(3), w=[0, 1])",
    ),
    Entry(
        code="L0402",
        title="an index that is not an integer",
        raises=DTypeError,
        message="`{text}` is used as an index, but its value is not an integer",
        hint="{repair}",
        bad="for i < 4: y[i] = x[i/2]\n",
        good="for i < 4: y[i] = x[i//2]\n",
    ),
    Entry(
        code="L0403",
        title="a value that its array cannot hold",
        raises=DTypeError,
        message="`{name}` is declared {expected}; this value is a {given}",
        hint="declare `{name}` as float",
        bad="dim z[4]: int\nfor i < 4: z[i] = 0.5 i\n",
        good="dim z[4]: int\nfor i < 4: z[i] = 5 i\n",
    ),
    Entry(
        code="L0404",
        title="a function that complex numbers do not have",
        raises=DTypeError,
        message="`{name}` has no meaning for complex numbers",
        hint="they have no order and no rounding: take `abs(z)`, or real arrays",
        bad="input z[N]: complex\nfor i  y[i] = z[i] < 1\n",
        good="input z[N]: complex\nfor i  y[i] = abs(z[i])\n",
    ),
    Entry(
        code="L0405",
        title="a number that narrow integers cannot hold",
        raises=DTypeError,
        message="{number} is no {dtype}: numbers take the type of the integers that they meet",
        hint="give the arrays in wider integers, `x.astype(int)`, or as floats",
        bad_call="loopc.run('for i  y[i] = x[i] + 300\\n', x=np.array([1, 2], np.int8))",
        good_call="loopc.run('for i  y[i] = x[i] + 300\\n', x=np.array([1, 2], np.int16))",
    ),
)

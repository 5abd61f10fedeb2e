"""Chapter L07: calls."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import CallError

ENTRIES: tuple[Entry, ...] = (
    Entry(
        code="L0701",
        title="an array is missing",
        raises=CallError,
        message="`{name}` is missing",
        hint="the program takes {expected}",
        bad_call="loopc.run('y = a + b\\n', a=1.0)",
        good_call="loopc.run('y = a + b\\n', a=1.0, b=2.0)",
    ),
    Entry(
        code="L0702",
        title="an array that the program does not have",
        raises=CallError,
        message="the program has no input `{name}`",
        hint="{repair}",
        bad_call="loopc.run('y = a + b\\n', a=1.0, b=2.0, c=3.0)",
        good_call="loopc.run('y = a + b\\n', a=1.0, b=2.0)",
    ),
    Entry(
        code="L0703",
        title="an argument that is no plain array",
        raises=CallError,
        message="`{name}` cannot be taken: {why}",
        hint="{repair}",
        bad_call="loopc.run('for i  y[i] = 2 x[i]\\n', x=np.ma.array([1.0, 2.0]))",
        good_call="loopc.run('for i  y[i] = 2 x[i]\\n', x=np.array([1.0, 2.0]))",
    ),
    Entry(
        code="L0704",
        title="an unknown option",
        raises=CallError,
        message="there is no {what} `{name}`",
        hint="known are {known}",
        bad_call="loopc.compile('y = 2 x\\n', opt=9)",
        good_call="loopc.compile('y = 2 x\\n', opt=2)",
    ),
    Entry(
        code="L0705",
        title="a name that no statement writes",
        raises=CallError,
        message="`{name}` is no array of the program",
        hint="the program has {known}",
        bad_call="loopc.compile('y = 2 x\\n', outputs=['z'])",
        good_call="loopc.compile('y = 2 x\\n', outputs=['y'])",
    ),
    Entry(
        code="L0706",
        title="backward before forward",
        raises=CallError,
        message="`backward` differentiates at the inputs of the last `forward`, and there is none",
        hint="call `m.forward(…)` first",
        bad_call="loopc.compile('L = x**2\\n').bind(x=2.0).backward()",
        good_call="loopc.compile('L = x**2\\n').bind(x=2.0).forward()",
    ),
    Entry(
        code="L0707",
        title="a gradient that differs from differences",
        raises=CallError,
        message="{what}",
        hint="near a kink or a huge second derivative differences are wrong; else it is a fault",
        bad_call="loopc.gradcheck(loopc.compile('L = abs(x)\\n'), x=1e-9, raises=True)",
        good_call="loopc.gradcheck(loopc.compile('L = abs(x)\\n'), x=1.0, raises=True)",
    ),
    Entry(
        code="L0708",
        title="a file that cannot be read or written",
        raises=CallError,
        message="{name}: {why}",
        hint="{repair}",
        bad_call="loopc.compile('y = 2 x\\n').save('no_such_folder/m.py')",
        good_call="loopc.compile('y = 2 x\\n').source",
    ),
    Entry(
        code="L0709",
        title="an argument of the wrong kind",
        raises=CallError,
        message="`{name}` must be {kind}; it is {given}",
        hint="{repair}",
        bad_call="loopc.run('for i  y[i] = 2 x[i]\\n', [1.0, 2.0])",
        good_call="loopc.run('for i  y[i] = 2 x[i]\\n', {'x': [1.0, 2.0]})",
    ),
)

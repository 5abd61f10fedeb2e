"""Chapter L02: ranges, shapes and bounds."""

from __future__ import annotations

from loopc.diagnostics.catalogue.entry import Entry
from loopc.diagnostics.errors import BoundsError, ShapeError

ENTRIES: tuple[Entry, ...] = (
    Entry(
        code="L0201",
        title="the range of an index cannot be inferred",
        raises=ShapeError,
        message="cannot infer the range of `{index}`",
        hint="{repair}",
        explanation=(
            "An index without a range runs over the dimension in which it stands alone; one that "
            "stands alone nowhere takes the largest range that keeps every access inside its "
            "array. An index that no access bounds needs a range of its own."
        ),
        bad="for i  s += i\n",
        good="for i < 10: s += i\n",
    ),
    Entry(
        code="L0202",
        title="an extent below zero",
        raises=ShapeError,
        message="an array cannot be {value} long",
        hint="an extent is 0 or more",
        bad="input x[-1]\nfor i  y[i] = x[i]\n",
        good="input x[1]\nfor i  y[i] = x[i]\n",
    ),
    Entry(
        code="L0204",
        title="an index has two sizes",
        raises=ShapeError,
        message=(
            "index `{index}` has two sizes: {first} from `{first_array}` and {second} from "
            "`{second_array}`"
        ),
        hint="{repair}",
        explanation=(
            "All dimensions in which an index stands alone must be equal. Sizes never broadcast: "
            "1 is not N."
        ),
        bad="input A[3], B[4]\nfor i  s += A[i] B[i]\n",
        good="input A[3], B[4]\nfor i < 3: s += A[i] B[i]\n",
    ),
    Entry(
        code="L0205",
        title="the shape of an array cannot be inferred",
        raises=ShapeError,
        message="cannot infer the size of axis {axis} of `{array}`",
        hint="declare it, `dim {array}[N]`, or begin with `for n < N: {array}[n] = 0`",
        explanation=(
            "An array's dimension follows from the indices that write it. A scatter, whose indices "
            "are data, does not say how long its target is."
        ),
        bad="input p[K]: int, v[K]\nfor k  z[p[k]] += v[k]\n",
        good="dim z[10]\ninput p[K]: int, v[K]\nfor k  z[p[k]] += v[k]\n",
    ),
    Entry(
        code="L0206",
        title="a dim has no value",
        raises=ShapeError,
        message="no array of this call gives the dim `{dim}` a value",
        hint="give it in the call: `{dim}=…`",
        bad_call="loopc.run('for t < T: y[t] = t\\n')",
        good_call="loopc.run('for t < T: y[t] = t\\n', T=3)",
    ),
    Entry(
        code="L0207",
        title="an array has the wrong rank",
        raises=ShapeError,
        message="`{array}` has {given} dimensions; the program uses it with {expected}",
        hint="pass an array of shape {shape}",
        bad_call="loopc.run('for i  y[i] = 2 x[i]\\n', x=3.0)",
        good_call="loopc.run('for i  y[i] = 2 x[i]\\n', x=[3.0])",
    ),
    Entry(
        code="L0208",
        title="an array has the wrong size",
        raises=ShapeError,
        message="axis {axis} of `{array}` is {given} long; {extent} is {expected}",
        hint="pass `{array}` with shape {shape}",
        bad_call="loopc.run('input x[3]\\nfor i  y[i] = 2 x[i]\\n', x=[1.0, 2.0])",
        good_call="loopc.run('input x[3]\\nfor i  y[i] = 2 x[i]\\n', x=[1.0, 2.0, 3.0])",
    ),
    Entry(
        code="L0209",
        title="a dim below zero",
        raises=ShapeError,
        message="the dim `{dim}` cannot be {value}",
        hint="a dim is 0 or more",
        bad_call="loopc.run('for t < T: y[t] = t\\n', T=-1)",
        good_call="loopc.run('for t < T: y[t] = t\\n', T=1)",
    ),
    Entry(
        code="L0210",
        title="an access is outside its array by construction",
        raises=BoundsError,
        message="axis {axis} of `{array}`: this access {what}",
        hint="{repair}",
        explanation="An index never wraps round: a negative or too large index is an error.",
        bad="input x[N]\nfor i < N: y[i] = x[i-1]\n",
        good="input x[N]\nfor i in range(1, N): y[i] = x[i-1]\n",
    ),
    Entry(
        code="L0211",
        title="an access is outside its array for the sizes of a call",
        raises=BoundsError,
        message=(
            "axis {axis} of `{array}` has {extent} cells here, and this access runs from index "
            "{low} to {high}"
        ),
        hint="{repair}",
        explanation="An index never wraps round: a negative or too large index is an error.",
        bad_call="loopc.run('input x[N]\\ny = x[2]\\n', x=[1.0, 2.0])",
        good_call="loopc.run('input x[N]\\ny = x[2]\\n', x=[1.0, 2.0, 3.0])",
    ),
    Entry(
        code="L0212",
        title="a direction of the wrong shape",
        raises=ShapeError,
        message="the direction of `{name}` has shape {given}; `{name}` has {expected}",
        hint="a tangent or cotangent has the shape of its array",
        bad_call="loopc.compile('y = x[0]\\n').jvp({'x': np.ones(3)}, {'x': np.ones(2)})",
        good_call="loopc.compile('y = x[0]\\n').jvp({'x': np.ones(3)}, {'x': np.ones(3)})",
    ),
    Entry(
        code="L0213",
        title="a size divided by a size of zero",
        raises=ShapeError,
        message="`{text}` divides by zero for these sizes",
        hint="give a dim of 1 or more where sizes are divided by it",
        bad_call="loopc.run('for i < N//P: y[i] = 1\\n', N=4, P=0)",
        good_call="loopc.run('for i < N//P: y[i] = 1\\n', N=4, P=2)",
    ),
    Entry(
        code="L0214",
        title="an argument of a function has the wrong size",
        raises=ShapeError,
        message=(
            "`{function}` takes `{formal}`: axis {axis} of this argument is {given} long, "
            "not {expected}"
        ),
        hint="hand over an array of the shape that the def declares",
        bad="def f(x[3]) -> y: y = x[0] x[2]\ninput a[4]\nb = f(a[:])\n",
        good="def f(x[3]) -> y: y = x[0] x[2]\ninput a[3]\nb = f(a[:])\n",
    ),
    Entry(
        code="L0230",
        title="an index outside its array while running",
        raises=BoundsError,
        message="axis {axis} of `{array}` has {extent} cells, and this access reads or writes {at}",
        hint=(
            "check the data that the index is made of, or say what lies outside: `pad(…)`, "
            "`clamp(…)`, `wrap(…)`"
        ),
        explanation="An index never wraps round: a negative or too large index is an error.",
        bad_call="loopc.compile('y = E[w[0]]\\n', backend='reference')(E=np.ones(3), w=[3])",
        good_call="loopc.compile('y = E[w[0]]\\n', backend='reference')(E=np.ones(3), w=[2])",
    ),
    Entry(
        code="L0232",
        title="the position of a maximum of nothing",
        raises=BoundsError,
        message="`{name}` over an empty range has no position to give",
        hint="guard the statement so that the range has at least one value",
        bad_call="loopc.run('y = argmax[i](x[i])\\n', x=np.ones(0))",
        good_call="loopc.run('y = argmax[i](x[i])\\n', x=np.ones(1))",
    ),
    Entry(
        code="L0233",
        title="an integer that is none",
        raises=BoundsError,
        message="`{text}`: {why}",
        hint=(
            "guard the statement, or use `where`, so that this is not computed there; a power "
            "with the minus written, `2**-k`, is a float, and so is `2.0**k`"
        ),
        explanation=(
            "NaN, inf and floats of 2**62 or more are no integers, so that no index can be made "
            "of them. A power of integers is an integer, and so its exponent is not negative."
        ),
        bad_call="loopc.run('for i  y[i] = x[floor(g[i])]\\n', x=np.ones(3), g=[0.5, np.nan])",
        good_call="loopc.run('for i  y[i] = x[floor(g[i])]\\n', x=np.ones(3), g=[0.5, 1.5])",
    ),
    Entry(
        code="L0231",
        title="an index that data puts outside its array",
        raises=BoundsError,
        message="{what}",
        hint=(
            "check the data that the index is made of, or say what lies outside: `pad(…)`, "
            "`clamp(…)`, `wrap(…)`"
        ),
        explanation="An index never wraps round: a negative or too large index is an error.",
        bad_call="loopc.run('for i  y[i] = E[w[i]]\\n', E=np.ones(3), w=[0, -1])",
        good_call="loopc.run('for i  y[i] = E[w[i]]\\n', E=np.ones(3), w=[0, 2])",
    ),
)
